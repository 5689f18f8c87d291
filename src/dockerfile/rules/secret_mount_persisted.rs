//! `secret-mount-persisted`: A RUN with --mount=type=secret (or ssh) copies, prints or writes the secret into the layer.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, HOLE, RedirectKind, Word},
    expand::Quotes,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
    variables,
};

const META: RuleMeta = RuleMeta {
    id: "secret-mount-persisted",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A RUN with --mount=type=secret (or ssh) copies, prints or writes the secret into the layer.",
    help: r#"A mounted secret is there for one instruction only. A copy of it, or a file that it is written into, stays in the layer for everybody who may pull the image, even if a later instruction removes it. Read it where it is mounted, mount it where the program looks for it, or write it into another mount.

Fails:

```dockerfile
FROM node:22
RUN --mount=type=secret,id=npmrc cp /run/secrets/npmrc /root/.npmrc && npm ci
```

Clean:

```dockerfile
FROM node:22
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
```
"#,
};

/// A RUN with --mount=type=secret (or ssh) copies, prints or writes the secret into the layer.
pub(super) struct SecretMountPersisted;

impl Rule for SecretMountPersisted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (outer, commands) in dockerfile.instructions.iter().zip(&dockerfile.commands) {
            let instruction = outer.trigger.as_deref().unwrap_or(outer);
            if instruction.keyword != "RUN" || instruction.flags.is_empty() {
                continue;
            }
            let Some(mut secrets) = Secrets::of(instruction) else { continue };
            // What a stage that nothing is built upon keeps is in caches alone.
            let severity = if dockerfile.graph.is_built_upon(outer) { META.severity } else { Severity::Medium };
            let kept =
                commands.iter().enumerate().filter_map(|(at, command)| Some((at, secrets.kept_by(commands, command)?))).take(MOST_KEPT);
            let kept: Vec<(usize, String)> = kept.collect();
            for (at, path) in kept {
                let later = commands.get(at + 1..).unwrap_or_default();
                if later.iter().any(|command| removes(command, &path)) {
                    continue;
                }
                if let Some(command) = commands.get(at) {
                    let title = format!("{} leaves a mounted secret in the layer, in {}", command.name, path.replace(HOLE, "..."));
                    findings.push(dockerfile.finding_in(&META, severity, command, title));
                }
            }
        }
        findings
    }
}

/// The most files of one instruction that are looked for again among those that it removes.
const MOST_KEPT: usize = 16;
/// Programs that print what they read, or some of it.
const PRINTERS: &[&str] = &[
    "", "awk", "base64", "cat", "cut", "echo", "envsubst", "gawk", "grep", "gunzip", "head", "jq", "openssl", "paste", "printf", "sed",
    "sort", "tail", "tee", "tr", "xxd", "yq", "zcat",
];
/// Programs that keep a setting in a file of the user.
const SETTERS: &[(&str, &str)] = &[("npm", "/root/.npmrc"), ("pnpm", "/root/.npmrc"), ("yarn", "/root/.yarnrc")];

/// The secrets of one instruction: where they are, and which variables hold them.
#[derive(Debug, Default)]
struct Secrets {
    paths: Vec<String>,
    names: BTreeSet<String>,
    /// Folders and files that are no part of the layer.
    mounts: Vec<String>,
    /// Per pipeline, the last member so far that hands a secret on.
    carried: BTreeMap<usize, usize>,
}

impl Secrets {
    /// The secrets that an instruction mounts; `None` where it mounts none.
    fn of(instruction: &Instruction) -> Option<Self> {
        let mut this = Self::default();
        let mut is_any = false;
        for mount in instruction.flag_values("mount").take(MOST_KEPT) {
            let field = |names: &[&str]| {
                let fields = mount.split(',').filter_map(|field| field.split_once('='));
                fields.filter(|(name, _)| names.contains(name)).map(|(_, value)| value.trim_end_matches('/')).next()
            };
            let target = field(&["target", "dst", "destination"]);
            let is_secret = matches!(field(&["type"]), Some("secret" | "ssh"));
            is_any |= is_secret;
            if is_secret {
                let variable = field(&["env"]);
                this.names.extend(variable.map(str::to_owned));
                let by_id = || field(&["id"]).filter(|_| variable.is_none()).map(|id| format!("/run/secrets/{id}"));
                this.paths.extend(target.map(str::to_owned).or_else(by_id));
            }
            this.mounts.extend(target.map(str::to_owned));
        }
        is_any.then_some(this)
    }

    /// The file outside of every mount that a command leaves a secret in.
    fn kept_by(&mut self, commands: &[Command], command: &Command) -> Option<String> {
        let name = command.name.as_str();
        self.note(commands, command);
        let carries = PRINTERS.contains(&name) && self.carries(commands, command);
        if carries {
            self.carried.extend(command.pipes.iter().map(|pipe| (pipe.id, pipe.position)));
        }
        match name {
            "cp" | "mv" | "install" | "rsync" | "scp" => {
                let operands: Vec<&Word> = command.arguments().iter().filter(|word| !word.text.starts_with('-')).collect();
                let (target, sources) = operands.split_last()?;
                let source = sources.iter().find(|word| self.is_secret_path(&word.text))?;
                let path =
                    if target.text.ends_with('/') { format!("{}{}", absolute(target), file(&source.text)) } else { absolute(target) };
                return self.is_kept(&path).then_some(path);
            }
            "dd" => {
                let value = |name: &str| command.arguments().iter().find_map(|word| word.text.strip_prefix(name));
                let path = value("of=").filter(|_| value("if=").is_some_and(|source| self.is_secret_path(source)))?;
                return self.is_kept(path).then(|| path.to_owned());
            }
            _ => {}
        }
        if let Some((_, path)) = SETTERS.iter().find(|(setter, _)| *setter == name)
            && command.has_argument("set")
            && command.arguments().iter().any(|word| self.mentions(commands, word))
        {
            return self.is_kept(path).then(|| (*path).to_owned());
        }
        if !carries {
            return None;
        }
        let written = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Write).map(|redirect| &redirect.target);
        let copied = command.arguments().iter().filter(|word| name == "tee" && !word.text.starts_with('-'));
        let edited =
            command.arguments().last().filter(|_| name == "sed" && command.arguments().iter().any(|word| word.text.starts_with("-i")));
        written.chain(copied).chain(edited).map(absolute).find(|path| self.is_kept(path))
    }

    /// Notes the variables that a command fills with a secret.
    fn note(&mut self, commands: &[Command], command: &Command) {
        for assignment in &command.assignments {
            if self.mentions(commands, &assignment.value) {
                self.names.insert(assignment.name.clone());
            }
        }
        match command.name.as_str() {
            "export" | "declare" | "local" | "readonly" | "typeset" => {
                for word in command.arguments() {
                    if let Some((name, _)) = word.text.split_once('=')
                        && self.mentions(commands, word)
                    {
                        self.names.insert(name.to_owned());
                    }
                }
            }
            "read" if command.redirects.iter().any(|redirect| self.is_secret_path(&redirect.target.text)) => {
                self.names.extend(command.arguments().iter().filter(|word| !word.text.starts_with('-')).map(|word| word.text.clone()));
            }
            _ => {}
        }
    }

    /// Whether what a printing program prints has a secret in it.
    fn carries(&self, commands: &[Command], command: &Command) -> bool {
        let is_told = command.arguments().iter().any(|word| self.is_secret_path(&word.text) || self.mentions(commands, word));
        let is_read = command
            .redirects
            .iter()
            .filter(|redirect| redirect.kind != RedirectKind::Write)
            .any(|redirect| self.is_secret_path(&redirect.target.text) || self.mentions(commands, &redirect.target));
        let is_handed = command.pipes.iter().any(|pipe| self.carried.get(&pipe.id).is_some_and(|position| *position < pipe.position));
        // `echo` prints a path, not the file.
        let is_told = is_told
            && (!matches!(command.name.as_str(), "echo" | "printf" | "tee")
                || command.arguments().iter().any(|word| self.mentions(commands, word)));
        is_told || is_read || is_handed
    }

    /// Whether a word has a secret in it by a variable or a substitution.
    fn mentions(&self, commands: &[Command], word: &Word) -> bool {
        if !word.raw.contains(['$', '`']) {
            return false;
        }
        // In a here-document quotes are text.
        let quotes = if word.raw.contains('\n') { Quotes::Keep } else { Quotes::Remove };
        let reads = |command: &Command| {
            let is_path = |word: &Word| self.is_secret_path(&word.text);
            PRINTERS.contains(&command.name.as_str())
                && command.name != "echo"
                && (command.arguments().iter().any(is_path) || command.redirects.iter().any(|redirect| is_path(&redirect.target)))
        };
        commands.get(word.inner.clone()).unwrap_or_default().iter().any(reads)
            || (!self.names.is_empty() && variables::used(&word.raw, '\\', quotes).iter().any(|name| self.names.contains(*name)))
    }

    fn is_secret_path(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.paths.iter().any(|secret| {
            let is_same = path == secret || path.strip_prefix("~/").is_some_and(|rest| secret.strip_prefix("/root/") == Some(rest));
            // A pattern, or the folder as a whole.
            let is_pattern = path
                .strip_suffix("/*")
                .or_else(|| path.strip_suffix("/."))
                .is_some_and(|folder| !folder.is_empty() && secret.starts_with(folder));
            let is_folder = path == "/run/secrets" && secret.starts_with("/run/secrets/");
            is_same || is_pattern || is_folder
        })
    }

    /// Whether a file is part of the layer, as far as its path is known.
    fn is_kept(&self, path: &str) -> bool {
        let is_under = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_no_file = path.is_empty() || path.contains(HOLE) || path.starts_with(['-', '&']) || path == ".";
        !is_no_file
            && !["/dev", "/proc", "/sys", "/run/secrets"].iter().any(|folder| is_under(folder))
            && !self.mounts.iter().any(|mount| is_under(mount))
    }
}

/// A path with the home folder of root in the place of `~` and `$HOME`.
fn absolute(word: &Word) -> String {
    let written = word.raw.trim_start_matches('"');
    let is_home = written.starts_with("$HOME") || written.starts_with("${HOME}");
    let rest = word.text.strip_prefix('~').or_else(|| word.text.strip_prefix(HOLE).filter(|_| is_home));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).map_or_else(|| word.text.clone(), |rest| format!("/root{rest}"))
}

fn file(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Whether a command takes a file away again.
fn removes(command: &Command, path: &str) -> bool {
    let of_setting = command.is_one_of(&["npm", "pnpm", "yarn"]) && (command.has_argument("delete") || command.has_argument("logout"));
    if of_setting && SETTERS.iter().any(|(_, setting)| *setting == path) {
        return true;
    }
    if !command.is_one_of(&["rm", "shred", "unlink", "truncate"]) {
        return false;
    }
    command.arguments().iter().map(absolute).any(|gone| {
        let gone = gone.trim_end_matches(['*', '/']);
        !gone.is_empty() && path.strip_prefix(gone).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
