//! In-file ignores and the findings of a file in, what is wrong with the ignores out.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    location::Location,
    policy::Exception,
    rule::{Group, Need, RuleMeta},
};

use super::{
    ignore::{Dialect, Written, is_ignorable, written},
    pragma,
    rule::{Dockerfile, fixed_by},
    rules_on,
    source::slice,
};

/// Groups of rules: an ignore that names none of ours is of all of them.
const GROUPS: usize = 5;

/// What became of one id.
enum Use {
    /// It silences something, or nobody can tell.
    Kept,
    /// It does nothing, and why.
    Idle(&'static str),
}

impl Dockerfile<'_> {
    /// A finding for each line with an ignore of a rule of these groups that `is_faulty`.
    pub(super) fn faulty_ignores(
        &self,
        meta: &'static RuleMeta,
        ignores: &[Exception],
        groups: &BTreeSet<Group>,
        is_faulty: impl Fn(&Written<'_>) -> bool,
        words: &str,
    ) -> Vec<Finding> {
        if ignores.is_empty() || groups.is_empty() {
            return Vec::new();
        }
        let group_of = |id: &str| super::rule(id).map(|meta| meta.group);
        let mut known: BTreeMap<&str, Option<Group>> = BTreeMap::new();
        let mut lines: BTreeMap<u32, (BTreeSet<&str>, BTreeSet<Group>)> = BTreeMap::new();
        for written in written(self).into_iter().filter(|written| is_faulty(written)) {
            let named = written.rules.iter().filter_map(|&id| *known.entry(id).or_insert_with(|| group_of(id)));
            let mut hit: BTreeSet<Group> = named.filter(|group| groups.contains(group)).collect();
            if written.rules.is_empty() && groups.len() == GROUPS {
                hit.clone_from(groups);
            }
            if !hit.is_empty() {
                let line = lines.entry(written.line).or_default();
                line.0.insert(written.id);
                line.1.extend(hit);
            }
        }
        let finding = |(line, (ids, groups)): (u32, (BTreeSet<&str>, BTreeSet<Group>))| {
            let groups: Vec<_> = groups.into_iter().map(Group::name).collect();
            let title = format!("{}: {words} {}", listed(ids.into_iter()), groups.join(", "));
            self.finding_on_line(meta, meta.severity, line, title)
        };
        lines.into_iter().map(finding).collect()
    }

    /// A finding for each line with an ignore that does nothing, with the edit that takes it out.
    pub(super) fn unused_ignores(&self, meta: &'static RuleMeta, findings: &[Finding]) -> Vec<Finding> {
        let mut out: Vec<Finding> = self.misread_ignores(meta).collect();
        let all = written(self);
        if all.is_empty() {
            return out;
        }
        let telling: BTreeSet<&str> =
            rules_on(self.settings).map(|rule| rule.meta()).filter(|meta| self.can_tell(meta)).map(|meta| meta.id).collect();
        let mut found: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for finding in findings {
            if let Some(Location::Dockerfile(span)) = finding.locations.first() {
                found.entry(&finding.id).or_default().insert(span.line);
            }
        }
        let became = |written: &Written<'_>| became(written, &telling, &found);
        for line in all.chunk_by(|a, b| a.line == b.line) {
            let uses: Vec<Use> = line.iter().map(became).collect();
            let idle: Vec<(&Written<'_>, &str)> = line
                .iter()
                .zip(&uses)
                .filter_map(|(written, used)| if let Use::Idle(why) = used { Some((written, *why)) } else { None })
                .collect();
            let Some((first, why)) = idle.first() else { continue };
            let title = format!("{}: {why}", listed(idle.iter().map(|(written, _)| written.id)));
            let finding = self.finding_on_line(meta, meta.severity, first.line, title);
            let is_idle: Vec<bool> = uses.iter().map(|used| matches!(used, Use::Idle(_))).collect();
            out.push(match self.without_ids(line, &is_idle) {
                Some(edits) => fixed_by(finding, FixKind::Safe, edits),
                None => finding,
            });
        }
        out
    }

    /// A finding for each comment that was meant for us and silences nothing as it is written.
    fn misread_ignores(&self, meta: &'static RuleMeta) -> impl Iterator<Item = Finding> {
        let misread = self.comments.iter().filter(|comment| pragma::is_misread(&comment.text));
        misread.map(move |comment| {
            let title = format!("this comment silences nothing; an ignore is written `{}`", pragma::FORM);
            self.finding_on_line(meta, meta.severity, comment.line, title)
        })
    }

    /// Whether the rule saw all that it needs, so that its silence says something.
    fn can_tell(&self, meta: &RuleMeta) -> bool {
        meta.needs.iter().all(|need| match need {
            Need::Ast | Need::Stages | Need::Shell | Need::Config => true,
            Need::Context => self.context.is_some_and(|context| context.unread.is_none()) && self.ignored.is_some(),
            Need::Network => !self.bases.is_empty(),
            Need::Image => false,
        }) && !meta.id.starts_with("inline-ignore-")
            && (meta.id != "shellcheck" || self.unremarked().is_empty())
    }

    /// The edits that take the idle ids of one line out; `None` where that would change more.
    fn without_ids(&self, line: &[Written<'_>], is_idle: &[bool]) -> Option<Vec<Edit>> {
        if is_idle.iter().all(|idle| *idle) {
            return self.without_line(line.first()?).map(|range| vec![self.edit(range, "")]);
        }
        let mut lists: BTreeMap<(usize, usize), Vec<(&str, bool)>> = BTreeMap::new();
        for (written, idle) in line.iter().zip(is_idle) {
            let list = written.list.as_ref()?;
            lists.entry((list.start, list.end)).or_default().push((written.id, *idle));
        }
        let mut edits = Vec::new();
        for ((start, end), ids) in lists {
            let kept: Vec<&str> = ids.iter().filter(|(_, idle)| !idle).map(|(id, _)| *id).collect();
            if kept.len() == ids.len() {
                continue;
            }
            if kept.is_empty() {
                return None;
            }
            edits.push(self.edit(start..end, kept.join(",")));
        }
        Some(edits)
    }

    /// The whole line of an ignore, where it holds nothing else and no comment behind it becomes a directive.
    fn without_line(&self, written: &Written<'_>) -> Option<Range<usize>> {
        written.list.as_ref()?;
        let (start, raw) = self.source.on_line(written.line)?;
        let text = raw.trim().strip_prefix('#')?.trim();
        let marks = ["hadolint ", "trivy:ignore:", "checkov:skip=", "bridgecrew:skip=", "cortex:skip="];
        let is_alone = match written.dialect {
            Dialect::BuildKit => text.split_whitespace().next().is_some_and(|options| !options.contains(';')),
            Dialect::Ours => true,
            _ => marks.iter().any(|mark| text.starts_with(mark)),
        };
        let is_head = self.instructions.first().is_none_or(|first| written.line < first.line);
        let opens_comment = self.source.on_line(written.line + 1).is_some_and(|(_, next)| next.trim_start().starts_with('#'));
        let end = (start + raw.len() + 1).min(self.source.text.len());
        let is_whole_line = slice(&self.source.text, start..end).ends_with('\n');
        (is_alone && is_whole_line && !(is_head && opens_comment)).then_some(start..end)
    }
}

fn became(written: &Written<'_>, telling: &BTreeSet<&str>, found: &BTreeMap<&str, BTreeSet<u32>>) -> Use {
    if let Some(fault) = written.fault {
        return Use::Idle(fault);
    }
    // What ShellCheck itself, run elsewhere, would say of a heredoc is not known.
    if written.dialect == Dialect::ShellCheck {
        return Use::Kept;
    }
    if written.rules.is_empty() {
        let is_ours = written.dialect == Dialect::Ours && !is_code_of_shellcheck(written.id);
        return if is_ours { Use::Idle("no rule is called that") } else { Use::Kept };
    }
    if written.rules.iter().all(|id| !is_ignorable(id)) {
        return Use::Idle("no comment silences that rule");
    }
    let hits = |id: &&'static str| {
        found
            .get(id)
            .is_some_and(|lines| written.lines.0 <= written.lines.1 && lines.range(written.lines.0..=written.lines.1).next().is_some())
    };
    if written.rules.iter().any(|id| hits(id) || !telling.contains(id)) {
        return Use::Kept;
    }
    Use::Idle("there is nothing here to silence")
}

/// Whether an id has the form of ShellCheck's: which of them there are only that program knows.
fn is_code_of_shellcheck(id: &str) -> bool {
    let number = id.split_at_checked(2).filter(|(start, _)| start.eq_ignore_ascii_case("SC")).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn listed<'t>(ids: impl Iterator<Item = &'t str>) -> String {
    const SHOWN: usize = 8;
    let ids: Vec<&str> = ids.collect();
    let mut text = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN {
        text.push_str(&format!(" and {} more", ids.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintInput, lint};

    /// The text without what the fix of its first unused ignore takes out; `None` where there is none.
    fn mended(text: &str) -> Option<String> {
        let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
        let finding = report.findings.into_iter().find(|finding| finding.id == "inline-ignore-unused")?;
        let mut mended = text.to_owned();
        for edit in finding.fix?.edits.iter().rev() {
            mended.replace_range(edit.range.clone(), &edit.replacement);
        }
        Some(mended)
    }

    #[test]
    fn an_idle_ignore_goes_and_nothing_else() {
        let table = [
            ("FROM a:1\n# plimsoll ignore=sudo-in-run\nRUN a\n", Some("FROM a:1\nRUN a\n")),
            ("FROM a:1\n#plimsoll:ignore=sudo-in-run\nRUN a\n", Some("FROM a:1\nRUN a\n")),
            (
                "FROM a:1\n# Plimsoll: ignore=DL3004, DL3000 reason=\"why\"\nRUN sudo a\n",
                Some("FROM a:1\n# Plimsoll: ignore=DL3004 reason=\"why\"\nRUN sudo a\n"),
            ),
            ("FROM a:1\n# plimsoll ignore sudo-in-run\nRUN sudo a\n", None),
            ("FROM a:1\r\n  # hadolint ignore=DL3004 # why\r\nRUN a\r\n", Some("FROM a:1\r\nRUN a\r\n")),
            (
                "FROM a:1\n# hadolint ignore=DL3004, DL3000 # why\nRUN sudo a\n",
                Some("FROM a:1\n# hadolint ignore=DL3004 # why\nRUN sudo a\n"),
            ),
            ("FROM a:1\n# x trivy:ignore:DS-0010\nRUN a\n", None),
            ("FROM a:1\n# trivy:ignore:DS-0010 trivy:ignore:DS-0002\nUSER root\n", None),
            ("FROM a:1\n# check=skip=WorkdirRelativePath\nRUN a\n", Some("FROM a:1\nRUN a\n")),
            ("FROM a:1\n# check=error=true;skip=WorkdirRelativePath\nRUN a\n", None),
            (
                "FROM a:1\n# check=skip=WorkdirRelativePath,SecretsUsedInArgOrEnv\nENV API_TOKEN=q7Rw4qvTz2\n",
                Some("FROM a:1\n# check=skip=SecretsUsedInArgOrEnv\nENV API_TOKEN=q7Rw4qvTz2\n"),
            ),
            // What stands behind it would become a directive.
            ("# plimsoll ignore-file=sudo-in-run\n# syntax=x/y\nFROM a:1\n", None),
            ("# plimsoll ignore-file=sudo-in-run\nFROM a:1\n", Some("FROM a:1\n")),
            ("FROM a:1\nRUN a \\\n # plimsoll ignore=sudo-in-run\n && b\n", Some("FROM a:1\nRUN a \\\n && b\n")),
            ("FROM a:1\n# plimsoll ignore=sudo-in-run\nRUN sudo a\n", None),
            ("FROM a:1\n# plimsoll ignore=sudo-in-run ignore-file=root-user\nRUN sudo a\n", None),
        ];
        for (text, expected) in table {
            assert_eq!(mended(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_comment_says_which_shell_reads_a_stage() {
        let found = |text: &str| {
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            let has = report.findings.iter().any(|finding| finding.id == "sudo-in-run");
            (has, report.gaps.iter().any(|gap| gap.kind == "unread-shell"))
        };
        assert_eq!(found("FROM a:1\n# hadolint shell=pwsh\nRUN sudo a\n"), (false, true));
        assert_eq!(found("FROM a:1\n# hadolint shell=/bin/bash\nRUN sudo a\n"), (true, false));
        assert_eq!(found("FROM a:1\n# hadolint shell=pwsh\nFROM b:1\nRUN sudo a\n"), (true, false));
        assert_eq!(found("FROM a:1\nSHELL [\"pwsh\"]\n# hadolint shell=bash\nRUN sudo a\n"), (true, false));
        assert_eq!(found("FROM a:1\n# hadolint shell=pwsh\nSHELL [\"bash\"]\nRUN sudo a\n"), (true, false));
    }
}
