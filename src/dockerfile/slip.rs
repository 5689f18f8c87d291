//! `Slip`: a place where a shell does something else than its author meant; in: those of an instruction, out: findings of one kind.
//! Reference: POSIX.1-2024, Shell Command Language, 2.6, and ShellCheck's wiki (<https://www.shellcheck.net/wiki/>).

use std::{collections::BTreeMap, ops::Range};

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::RuleMeta,
};

use super::{
    instruction::Instruction,
    rule::{Dockerfile, fixed_by},
    source::slice,
};

/// What kind of slip it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SlipKind {
    /// `$x` that becomes several words.
    UnquotedVariable,
    /// `$(x)` that becomes several words.
    UnquotedSubstitution,
    /// `export a=$(x)`.
    MaskedStatus,
    /// `'$x'`.
    QuotedExpansion,
    /// `echo "\n"`.
    EchoEscape,
    /// `cd x; y`.
    UncheckedCd,
    /// `rm *`.
    LeadingGlob,
    /// `$x` that nothing sets.
    UnassignedVariable,
}

/// How a slip is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// Only its author knows.
    No,
    /// By quotes around it.
    Quotes,
    /// By `./` before it.
    Folder,
    /// By two commands in place of one.
    Apart {
        /// `export`, in the original.
        program: Range<usize>,
        /// Whether both commands stand in an `&&` list.
        in_list: bool,
    },
}

/// One slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    /// Its kind.
    pub(super) kind: SlipKind,
    /// A number for its command, the same for all slips of one.
    pub(super) command: usize,
    /// What a message names.
    pub(super) name: String,
    /// Where it stands in the original.
    pub(super) range: Range<usize>,
    /// How it is mended.
    pub(super) mend: Mend,
}

impl Dockerfile<'_> {
    /// A finding for every command with slips of one kind.
    pub(super) fn where_slipped(
        &self,
        meta: &'static RuleMeta,
        kind: SlipKind,
        title: impl Fn(&str) -> String,
        is_exempt: impl Fn(&Instruction, &Slip) -> bool,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, slips) in self.instructions.iter().zip(&self.slips).filter(|(_, slips)| !slips.is_empty()) {
            let mut commands = BTreeMap::<usize, Vec<&Slip>>::new();
            for slip in slips.iter().filter(|slip| slip.kind == kind && !is_exempt(instruction, slip)) {
                commands.entry(slip.command).or_default().push(slip);
            }
            let first = findings.len();
            for slips in commands.values() {
                findings.extend(self.slipped(meta, instruction, slips, &title));
            }
            if let Some(new) = findings.get_mut(first..) {
                new.sort_by_key(|(at, _)| *at);
            }
        }
        findings.into_iter().map(|(_, finding)| finding).collect()
    }

    fn slipped(
        &self,
        meta: &'static RuleMeta,
        instruction: &Instruction,
        slips: &[&Slip],
        title: &impl Fn(&str) -> String,
    ) -> Option<(usize, Finding)> {
        let first = slips.first()?;
        let title = match slips.len() {
            1 => title(&first.name),
            more => format!("{}; {} more in this command", title(&first.name), more - 1),
        };
        let finding = self.finding_on(meta, &first.range, title);
        let edits: Option<Vec<Vec<Edit>>> = slips.iter().map(|slip| self.mended(instruction, slip)).collect();
        let finding = match (meta.fix, edits) {
            (Some(kind @ (FixKind::Safe | FixKind::Unsafe)), Some(edits)) => fixed_by(finding, kind, edits.concat()),
            _ => finding,
        };
        Some((first.range.start, finding))
    }

    /// The edits that take a slip away; `None` where it is not for us to say.
    fn mended(&self, instruction: &Instruction, slip: &Slip) -> Option<Vec<Edit>> {
        let in_heredoc = |heredoc: &super::heredoc::Heredoc| heredoc.body.start <= slip.range.start && slip.range.start < heredoc.body.end;
        if instruction.heredocs.iter().any(in_heredoc) {
            return None;
        }
        let text = slice(&self.source.text, slip.range.clone());
        let last = slip.range.end.checked_sub(1)?;
        let before = |what: &str| self.edit(slip.range.start..slip.range.start, what);
        let behind = |what: String| self.edit(slip.range.end..slip.range.end, what);
        match &slip.mend {
            Mend::No => None,
            Mend::Quotes => {
                let closes = |open: &str, close: char| text.starts_with(open) && text.ends_with(close);
                let is_name = || text.len() > 1 && !text.contains(['\\', '\n', '"']);
                let fits = closes("$(", ')') || closes("${", '}') || closes("`", '`') || (text.starts_with('$') && is_name());
                (fits && last > slip.range.start).then(|| vec![before("\""), behind("\"".to_owned())])
            }
            Mend::Folder => text.starts_with(['*', '?']).then(|| vec![before("./")]),
            Mend::Apart { program, in_list } => {
                let head = program.start..slip.range.start;
                let word = slice(&self.source.text, program.clone());
                let is_whole = slice(&self.source.text, head.clone()).strip_prefix(word)?.bytes().all(|b| b == b' ');
                let operator = if *in_list { " &&" } else { ";" };
                let fits = is_whole && matches!(word, "export" | "readonly") && text.starts_with(&format!("{}=", slip.name));
                fits.then(|| vec![self.edit(head, ""), behind(format!("{operator} {word} {}", slip.name))])
            }
        }
    }
}
