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
        // What an edit keeps is a part of it, so that two that touch the same word are seen to.
        let replaced = |range: Range<usize>, replacement: String| Some(vec![self.edit(range, replacement)]);
        match &slip.mend {
            Mend::No => None,
            Mend::Quotes if is_list(text) => None,
            Mend::Quotes => {
                let closes = |open: &str, close: char| text.starts_with(open) && text.ends_with(close);
                let is_name = || text.len() > 1 && !text.contains(['\\', '\n', '"']);
                let is_code = closes("$(", ')') || (text.len() > 1 && closes("`", '`'));
                if is_code || closes("${", '}') || (text.starts_with('$') && is_name()) {
                    replaced(slip.range.clone(), format!("\"{text}\""))
                } else {
                    None
                }
            }
            Mend::Folder if text.starts_with(['*', '?']) => replaced(slip.range.clone(), format!("./{text}")),
            Mend::Folder => None,
            Mend::Apart { program, in_list } => {
                let head = slice(&self.source.text, program.start..slip.range.start);
                let word = slice(&self.source.text, program.clone());
                let is_whole = head.strip_prefix(word)?.bytes().all(|b| b == b' ');
                let fits = is_whole && matches!(word, "export" | "readonly") && text.starts_with(&format!("{}=", slip.name));
                let operator = if *in_list { " &&" } else { ";" };
                if fits { replaced(program.start..slip.range.end, format!("{text}{operator} {word} {}", slip.name)) } else { None }
            }
        }
    }
}

/// Whether a word is meant to become several: its name says so, or it prints what a file lists.
fn is_list(text: &str) -> bool {
    if let Some(code) = text.strip_prefix("$(").or_else(|| text.strip_prefix('`')) {
        return ["<", "cat ", "find ", "grep ", "xargs "].iter().any(|program| code.trim_start().starts_with(program));
    }
    let name = text.trim_start_matches(['$', '{']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    let name = slice(name, 0..end).to_ascii_lowercase();
    name.len() > 1
        && (name.ends_with('s') || ["dep", "flag", "list", "mark", "opt", "package", "pkg"].iter().any(|part| name.contains(part)))
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintInput, read, rules::RULES};

    /// The text after the fixes of one rule.
    fn mended(rule: &str, text: &str) -> String {
        let text = format!("FROM debian:12\n{text}\n");
        let (dockerfile, _) = read(&LintInput::new("Dockerfile", text.as_bytes()));
        let found = RULES.iter().filter(|known| known.meta().id == rule).flat_map(|known| known.check(&dockerfile));
        let mut edits: Vec<_> = found.filter_map(|finding| finding.fix).flat_map(|fix| fix.edits).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse((edit.range.start, edit.range.end)));
        let mut out = text;
        for edit in edits {
            out.replace_range(edit.range, &edit.replacement);
        }
        out.trim_end().strip_prefix("FROM debian:12\n").expect("the head").to_owned()
    }

    #[test]
    fn fixes_change_what_they_are_about() {
        let table = [
            ("shell-unquoted-variable", "RUN rm $a/${b}c", "RUN rm \"$a\"/\"${b}\"c"),
            (
                "shell-unquoted-variable",
                "RUN apk add $PKGS && make $CFLAGS ${savedAptMark}",
                "RUN apk add $PKGS && make $CFLAGS ${savedAptMark}",
            ),
            ("shell-unquoted-substitution", "RUN rm $(cat list)", "RUN rm $(cat list)"),
            ("shell-unquoted-variable", "RUN é && rm \\\n  # why\n  é$a", "RUN é && rm \\\n  # why\n  é\"$a\""),
            ("shell-unquoted-variable", "ONBUILD RUN rm $a", "ONBUILD RUN rm \"$a\""),
            ("shell-unquoted-variable", "RUN --mount=type=cache,target=/a rm $a", "RUN --mount=type=cache,target=/a rm \"$a\""),
            ("shell-unquoted-variable", "RUN echo \"$(rm $a)\"", "RUN echo \"$(rm \"$a\")\""),
            ("shell-unquoted-variable", "RUN echo `rm $a`", "RUN echo `rm $a`"),
            ("shell-unquoted-variable", "RUN rm $a\\\nb", "RUN rm $a\\\nb"),
            ("shell-unquoted-variable", "RUN <<E\nrm $a\nE", "RUN <<E\nrm $a\nE"),
            ("shell-unquoted-substitution", "RUN cp $(ls \\\n  a) b", "RUN cp \"$(ls \\\n  a)\" b"),
            ("shell-unquoted-substitution", "RUN make -j`nproc`", "RUN make -j\"`nproc`\""),
            ("shell-glob-as-option", "RUN true && \\\n  rm *.c ?.d", "RUN true && \\\n  rm ./*.c ./?.d"),
            ("shell-glob-as-option", "RUN tar cf a.tar *.c", "RUN tar cf a.tar *.c"),
            ("shell-masked-exit-status", "RUN export A=$(b) && c", "RUN A=$(b) && export A && c"),
            ("shell-masked-exit-status", "RUN x; export A=\"$(b)\"; c", "RUN x; A=\"$(b)\"; export A; c"),
            ("shell-masked-exit-status", "RUN x && readonly A=\"$(b)\"", "RUN x && A=\"$(b)\" && readonly A"),
            ("shell-masked-exit-status", "RUN x || export A=\"$(b)\"", "RUN x || export A=\"$(b)\""),
            ("shell-masked-exit-status", "RUN export A=\"$(b)\" C=d", "RUN export A=\"$(b)\" C=d"),
        ];
        for (rule, text, expected) in table {
            assert_eq!(mended(rule, text), expected, "{rule}");
        }
    }
}
