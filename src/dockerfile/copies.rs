//! COPY and ADD in, what they take and from where out; and what of it the build's folder says.

use crate::model::{
    build_context::BuildContext,
    coverage::{Gap, SourceId},
};

use super::{
    dockerignore::{IgnorePatterns, clean},
    expand::Value,
    instruction::Instruction,
    rule::Dockerfile,
};

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

    /// What was not looked at in the build's folder, where instructions take something from it.
    pub(super) fn context_gaps(&self, ignore_fault: Option<&str>) -> Vec<Gap> {
        let Some(context) = self.context else { return Vec::new() };
        if !self.copies().any(|copied| copied.from.is_none() && !copied.sources.is_empty()) {
            return Vec::new();
        }
        let unread = context.unread.as_deref().map(|reason| {
            Gap::new(SourceId::Dockerfile, "context-unread", &*self.file, format!("not all of the build's folder was looked at: {reason}"))
                .with_hint("leave what no build needs out of the folder, or name a smaller one with --context")
        });
        let fault = ignore_fault.map(|fault| {
            let name = context.ignore_file.as_ref().map_or(".dockerignore", |(name, _)| name.as_str());
            Gap::new(SourceId::Dockerfile, "ignore-file", name, format!("the builder refuses it: {fault}"))
                .with_hint("mend the pattern; until then nothing says which files a build sends")
        });
        unread.into_iter().chain(fault).collect()
    }
}

/// The patterns of the folder's ignore file, and why they cannot be read.
pub(super) fn ignore_patterns(context: Option<&BuildContext>) -> (Option<IgnorePatterns>, Option<String>) {
    let Some(context) = context else { return (None, None) };
    match context.ignore_file.as_ref().map(|(_, bytes)| IgnorePatterns::parse(bytes)) {
        None => (Some(IgnorePatterns::default()), None),
        Some(Ok(patterns)) => (Some(patterns), None),
        Some(Err(fault)) => (None, Some(fault)),
    }
}
