//! COPY and ADD in, what they take and from where out; and what of it the build's folder says.

use crate::model::{
    build_context::BuildContext,
    coverage::{Gap, SourceId},
};

use super::{
    dockerignore::{IgnoreFault, IgnorePatterns, clean},
    expand::Value,
    instruction::Instruction,
    rule::Dockerfile,
    secret_file::suspect,
};

/// Most sensitive paths of the build's folder that are listed.
pub(super) const MAX_SENSITIVE: usize = 100;

/// One COPY or ADD.
pub(super) struct Copied<'a> {
    /// The instruction, or the one behind ONBUILD.
    pub(super) instruction: &'a Instruction,
    /// Its stage; that of the ONBUILD, where it is behind one.
    pub(super) stage: Option<usize>,
    /// `--from` as written.
    pub(super) from: Option<&'a str>,
    /// What it takes, after expansion, without heredocs and addresses.
    pub(super) sources: Vec<&'a Value>,
    /// Where it puts that.
    pub(super) destination: &'a Value,
}

impl Copied<'_> {
    /// The sources in the build's folder whose text is known, without `./` and `/` in front; the folder itself is the empty text.
    pub(super) fn context_paths(&self) -> impl Iterator<Item = String> {
        let known = self.sources.iter().filter(|source| self.from.is_none() && source.is_decided());
        known.map(|source| in_folder(&source.text))
    }

    /// Whether it takes all of the build's folder.
    pub(super) fn takes_everything(&self) -> bool {
        self.context_paths().any(|path| matches!(path.as_str(), "" | "*" | "**"))
    }

    /// What `--exclude` leaves out.
    pub(super) fn left_out(&self) -> IgnorePatterns {
        IgnorePatterns::of(self.instruction.flag_values("exclude"))
    }
}

/// Whether a path lies in the folder of git's history itself.
pub(super) fn is_of_history(path: &str) -> bool {
    path.strip_prefix(".git/").is_some_and(|rest| !rest.contains('/'))
}

/// A path as seen from the root of the build's folder, which `..` never leaves.
pub(super) fn in_folder(path: &str) -> String {
    clean(&format!("/{path}")).trim_start_matches('/').to_owned()
}

impl Dockerfile<'_> {
    /// Every COPY and ADD, in file order for each of the two.
    pub(super) fn copies(&self) -> impl Iterator<Item = Copied<'_>> {
        self.instructions.iter().zip(&self.graph.values).filter_map(|(outer, values)| {
            let instruction = outer.trigger.as_deref().unwrap_or(outer);
            if !matches!(instruction.keyword.as_str(), "ADD" | "COPY") {
                return None;
            }
            let (destination, sources) = values.split_last()?;
            let is_file =
                |source: &&Value| !source.text.starts_with("<<") && !source.text.contains("://") && !source.text.starts_with("git@");
            let from = instruction.flag("from");
            Some(Copied { instruction, stage: outer.stage, from, sources: sources.iter().filter(is_file).collect(), destination })
        })
    }

    /// The paths of the build's folder that are compared where an instruction takes all of it: those whose names say that nobody should see them.
    fn suspects(&self) -> Vec<&str> {
        if !self.copies().any(|copied| copied.takes_everything()) {
            return Vec::new();
        }
        let paths = self.context.into_iter().flat_map(|context| context.entries.keys()).map(String::as_str);
        paths.filter(|path| is_of_history(path) || suspect(path).is_some()).collect()
    }

    /// Whether it takes more steps to compare paths with patterns than are taken: then some of them were not compared.
    fn is_too_much(&self) -> bool {
        let Some(ignored) = &self.ignored else { return false };
        let suspects = self.suspects();
        let mut budget = Budget::new();
        let mut is_spent = |patterns: &IgnorePatterns, path: &str| !budget.spend(patterns, path);
        for copied in self.copies() {
            if copied.context_paths().any(|path| is_spent(ignored, &path)) {
                return true;
            }
            if !copied.takes_everything() {
                continue;
            }
            let left_out = copied.left_out();
            if suspects.iter().take(MAX_SENSITIVE).any(|path| is_spent(&left_out, path)) {
                return true;
            }
        }
        suspects.iter().any(|path| is_spent(ignored, path))
    }

    /// Whether an instruction takes something from the build's folder.
    fn takes_from_context(&self) -> bool {
        let mounts = |instruction: &Instruction| {
            instruction.flag_values("mount").any(|mount| {
                let field = |name: &str| mount.split(',').find_map(|field| field.split_once('=').filter(|(key, _)| *key == name));
                field("from").is_none() && field("type").is_none_or(|(_, kind)| kind == "bind")
            })
        };
        self.copies().any(|copied| copied.from.is_none() && !copied.sources.is_empty())
            || self.with_keyword("RUN").any(|(_, run)| mounts(run))
    }

    /// What was not looked at in the build's folder, where instructions take something from it.
    pub(super) fn context_gaps(&self, fault: Option<&IgnoreFault>) -> Vec<Gap> {
        let Some(context) = self.context.filter(|_| self.takes_from_context()) else { return Vec::new() };
        let unread = |reason: &str| {
            Gap::new(SourceId::Dockerfile, "context-unread", &*self.file, format!("not all of the build's folder was looked at: {reason}"))
                .with_hint("leave what no build needs out of the folder, or name a smaller one with --context")
        };
        let name = context.ignore_file.as_ref().map_or(".dockerignore", |(name, _)| name.as_str());
        let fault = fault.map(|fault| match fault {
            IgnoreFault::Refused(fault) => Gap::new(SourceId::Dockerfile, "ignore-file", name, format!("the builder refuses it: {fault}"))
                .with_hint("mend the pattern; until then nothing says which files a build sends"),
            IgnoreFault::TooLarge(fault) => unread(&format!("{name} was not read: {fault}")),
        });
        let bound = self.is_too_much().then(|| unread(&format!("there are too many paths for the patterns of {name}")));
        context.unread.as_deref().map(unread).into_iter().chain(fault).chain(bound).collect()
    }
}

/// How many steps may still be taken in which paths of the build's folder are compared with patterns. What a rule does not compare, because there
/// are too many paths beside too many patterns, is a Gap.
pub(super) struct Budget(usize);

impl Budget {
    /// Most steps for one file.
    const MAX_STEPS: usize = 50_000_000;

    pub(super) const fn new() -> Self {
        Self(Self::MAX_STEPS)
    }

    /// Whether there is enough left to compare this path.
    pub(super) fn spend(&mut self, patterns: &IgnorePatterns, path: &str) -> bool {
        if !patterns.compares(path) {
            return false;
        }
        let left = self.0.checked_sub(patterns.cost(path));
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// The patterns of the folder's ignore file, and why they cannot be read.
pub(super) fn ignore_patterns(context: Option<&BuildContext>) -> (Option<IgnorePatterns>, Option<IgnoreFault>) {
    let Some(context) = context else { return (None, None) };
    match context.ignore_file.as_ref().map(|(_, bytes)| IgnorePatterns::parse(bytes)) {
        None => (Some(IgnorePatterns::default()), None),
        Some(Ok(patterns)) => (Some(patterns), None),
        Some(Err(fault)) => (None, Some(fault)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        dockerfile::{LintInput, lint},
        model::build_context::{BuildContext, ContextEntry},
    };

    /// The kinds of the Gaps and the rules of the findings about the folder.
    fn told(text: &str, paths: &[&str], ignore: &str) -> Vec<String> {
        let entry = |path: &&str| ((*path).to_owned(), ContextEntry { is_folder: false, content: None });
        let ignore_file = Some((".dockerignore".to_owned(), ignore.as_bytes().to_vec()));
        let context = BuildContext { entries: paths.iter().map(entry).collect::<BTreeMap<_, _>>(), ignore_file, unread: None };
        let report = lint(&LintInput { context: Some(&context), ..LintInput::new("Dockerfile", text.as_bytes()) });
        let wanted = ["sensitive-context-copied", "copy-of-ignored-file"];
        let findings = report.findings.into_iter().map(|finding| finding.id).filter(|id| wanted.contains(&id.as_str()));
        let gaps =
            report.gaps.into_iter().map(|gap| gap.kind.to_owned()).filter(|kind| matches!(kind.as_str(), "context-unread" | "ignore-file"));
        findings.chain(gaps).collect()
    }

    #[test]
    fn a_bound_never_says_that_nothing_was_found() {
        let whole = "FROM a:1\nUSER 1\nCOPY . /app\n";
        let many = "*/x\n".repeat(5_000);
        assert_eq!(told(whole, &[".env"], "x"), ["sensitive-context-copied"]);
        assert_eq!(told(whole, &[".env"], ".env"), Vec::<String>::new());
        assert_eq!(told(whole, &[".env"], &many), ["sensitive-context-copied"]);
        let deep: Vec<String> = (0..400).map(|at| format!("{at}/{}/id_rsa", "d/".repeat(100))).collect();
        let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
        assert_eq!(told(whole, &deep, &many).last().map(String::as_str), Some("context-unread"));
        // Nobody copies the whole folder, so that nobody compares what lies in it.
        assert_eq!(told("FROM a:1\nUSER 1\nCOPY b /app\n", &deep, &many), Vec::<String>::new());
        let copies = format!("FROM a:1\nUSER 1\n{}COPY 1/x /app\n", format!("COPY {} /app\n", "d/".repeat(400)).repeat(20));
        assert_eq!(told(&copies, &[], &many), ["context-unread"]);
        let long = format!("FROM a:1\nUSER 1\nCOPY {} /app\n", "d/".repeat(1_000));
        assert_eq!(told(&long, &[], "d"), ["context-unread"]);
        let excludes = format!("FROM a:1\nUSER 1\nCOPY {}. /app\n", "--exclude=*d*d*d*d*d*d*d*d \\\n".repeat(5_000));
        assert!(told(&excludes, &deep, "").contains(&"context-unread".to_owned()));
    }

    #[test]
    fn an_ignore_file_that_cannot_be_read_is_said() {
        for text in [
            "FROM a:1\nUSER 1\nCOPY . /app\n",
            "FROM a:1\nUSER 1\nRUN --mount=type=bind,target=/src make\n",
            "FROM a:1\nUSER 1\nRUN --mount=target=/src make\n",
        ] {
            assert_eq!(told(text, &[".env"], "ok\n[z-a]\n"), ["ignore-file"], "{text}");
            assert_eq!(told(text, &[".env"], &"a\n".repeat(6_000)), ["context-unread"], "{text}");
        }
        for text in [
            "FROM a:1\nUSER 1\nRUN make\n",
            "FROM a:1\nUSER 1\nRUN --mount=type=cache,target=/c make\n",
            "FROM a:1 AS b\nFROM a:1\nUSER 1\nCOPY --from=b /x /x\n",
        ] {
            assert_eq!(told(text, &[".env"], "[z-a]\n"), Vec::<String>::new(), "{text}");
        }
    }
}
