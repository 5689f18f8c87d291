//! Comments in, in-file ignores out as `Exception`s: our own dialect and those of hadolint, BuildKit, Trivy, Checkov, and in heredocs of
//! ShellCheck.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use jiff::civil::Date;

use crate::model::{
    location::Span,
    policy::{Exception, ExceptionOrigin},
};

use super::{
    aliases::named,
    instruction::Instruction,
    lines::Comment,
    pragma::{self, Pragma},
    rule::Dockerfile,
    source::{number, offset_in, slice},
};

/// Most ids that the ignores of one file may name, most of them with a star, and most exceptions that they make: what comes after them
/// silences nothing.
const MAX_IDS: usize = 1_024;
const MAX_PATTERNS: usize = 64;
pub(super) const MAX_IGNORES: usize = 5_000;

/// Rules about ignores that no ignore silences.
const NOT_IGNORABLE: &[&str] = &["inline-ignore-used", "inline-ignore-without-reason"];

/// Whether an ignore may silence the rule.
pub(super) fn is_ignorable(id: &str) -> bool {
    !NOT_IGNORABLE.contains(&id)
}

/// The lines that an ignore covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines(pub(super) u32, pub(super) u32);

const FILE: Lines = Lines(1, u32::MAX);
/// No line at all.
const NONE: Lines = Lines(1, 0);

/// Whose comment it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Ours,
    Hadolint,
    BuildKit,
    Trivy,
    Checkov,
    ShellCheck,
}

/// One id of one ignore, as written.
#[derive(Debug, Clone)]
pub(super) struct Written<'a> {
    /// Line of the comment.
    pub(super) line: u32,
    /// Whose comment it is.
    pub(super) dialect: Dialect,
    /// The id.
    pub(super) id: &'a str,
    /// The original bytes of the list that the id stands in; `None` in heredocs.
    pub(super) list: Option<Range<usize>>,
    /// The ids of our rules that it names, sorted.
    pub(super) rules: Vec<&'static str>,
    /// What it covers.
    pub(super) lines: Lines,
    /// Why.
    pub(super) reason: &'a str,
    /// Its last day.
    pub(super) until: Option<Date>,
    /// Why it has no effect, whatever there is to silence.
    pub(super) fault: Option<&'static str>,
}

/// Every in-file ignore as exceptions, in file order: one per rule that an id names; an id that names none is kept as written.
pub(super) fn exceptions(dockerfile: &Dockerfile<'_>) -> Vec<Exception> {
    let mut out = Vec::new();
    for written in written(dockerfile) {
        let named = if written.rules.is_empty() { vec![written.id] } else { written.rules.clone() };
        for id in named.into_iter().filter(|id| is_ignorable(id) && written.fault.is_none()) {
            if out.len() == MAX_IGNORES {
                return out;
            }
            out.push(Exception {
                id: id.to_owned(),
                package: None,
                path: Some(dockerfile.file.to_string()),
                image: None,
                reason: written.reason.trim().to_owned(),
                owner: None,
                expires: written.until,
                ticket: None,
                until_fix: false,
                below: None,
                location: Span::lines(Arc::clone(&dockerfile.file), written.line, written.line),
                origin: ExceptionOrigin::Inline { first: written.lines.0, last: written.lines.1 },
            });
        }
    }
    out
}

/// Every id of every in-file ignore, in file order.
pub(super) fn written<'a>(dockerfile: &'a Dockerfile<'_>) -> Vec<Written<'a>> {
    let mut collector = Collector::new(dockerfile);
    if let Some((value, line)) = &dockerfile.directives.check {
        let at = dockerfile.source.on_line(*line).and_then(|(start, text)| Some(start + text.rfind(value.as_str())?));
        collector.buildkit(Said { line: *line, text: value, at }, FILE);
    }
    let directive_line = dockerfile.directives.check.as_ref().map(|(_, line)| *line);
    for comment in &dockerfile.comments {
        collector.comment(comment, directive_line);
    }
    for instruction in dockerfile.instructions.iter().filter(|instruction| instruction.keyword == "RUN") {
        for heredoc in &instruction.heredocs {
            collector.heredoc(heredoc.body.clone());
        }
    }
    collector.out.sort_by_key(|written| written.line);
    collector.out
}

/// The shells that `# hadolint shell=` names, with their lines.
pub(super) fn shells(comments: &[Comment]) -> Vec<(u32, String)> {
    let named = |comment: &Comment| {
        let shell = comment.text.strip_prefix("hadolint ")?.trim_start().strip_prefix("shell")?.trim_start().strip_prefix('=')?;
        Some((comment.line, shell.split_whitespace().next()?.to_owned()))
    };
    comments.iter().filter_map(named).collect()
}

fn covered(instruction: &Instruction) -> Lines {
    Lines(instruction.line, instruction.end_line)
}

/// A comment's text and where it stands.
#[derive(Clone, Copy)]
struct Said<'a> {
    line: u32,
    text: &'a str,
    /// The original offset of the text.
    at: Option<usize>,
}

struct Collector<'a, 'b> {
    dockerfile: &'a Dockerfile<'b>,
    /// Per comment line, the last line of its unbroken run of comments.
    runs: BTreeMap<u32, u32>,
    /// Lines with an empty comment.
    empty: BTreeSet<u32>,
    /// First lines of instructions with a check comment of their own.
    checked: BTreeSet<u32>,
    patterns: usize,
    out: Vec<Written<'a>>,
}

impl<'a, 'b> Collector<'a, 'b> {
    fn new(dockerfile: &'a Dockerfile<'b>) -> Self {
        let mut runs = BTreeMap::new();
        for comment in dockerfile.comments.iter().rev() {
            let end = runs.get(&(comment.line + 1)).copied().unwrap_or(comment.line);
            runs.insert(comment.line, end);
        }
        let empty = dockerfile.comments.iter().filter(|comment| comment.text.is_empty()).map(|comment| comment.line).collect();
        Self { dockerfile, runs, empty, checked: BTreeSet::new(), patterns: 0, out: Vec::new() }
    }

    fn comment(&mut self, comment: &'a Comment, directive_line: Option<u32>) {
        let text = comment.text.as_str();
        let target = self.target(comment.line, comment.inside);
        let place = |dockerfile: &Dockerfile<'_>| {
            let (start, raw) = dockerfile.source.on_line(comment.line)?;
            Some(start + raw.trim_end().len().checked_sub(text.len())?)
        };
        if text.starts_with("hadolint ") {
            let said = Said { line: comment.line, text, at: place(self.dockerfile) };
            self.hadolint(said, target);
        } else if let Some(body) = pragma::body(text) {
            let said = Said { line: comment.line, text, at: place(self.dockerfile) };
            self.ours(said, body, target);
        } else if let Some(value) = text.strip_prefix("check=").filter(|_| Some(comment.line) != directive_line && !comment.inside) {
            // Only the first such comment of an instruction counts, and an empty comment cuts it off.
            if let Some(instruction) = target
                && self.empty.range(comment.line + 1..instruction.line.max(comment.line + 1)).next().is_none()
                && self.checked.insert(instruction.line)
            {
                let at = place(self.dockerfile).map(|at| at + text.len() - value.len());
                self.buildkit(Said { line: comment.line, text: value, at }, covered(instruction));
            }
        } else if !text.contains(':') {
            // What the others say has one, and most comments have none.
        } else if text.contains("trivy:ignore:") {
            self.trivy(Said { line: comment.line, text, at: place(self.dockerfile) }, target, comment.inside);
        } else if let Some(rest) =
            ["checkov:skip=", "bridgecrew:skip=", "cortex:skip="].iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)
        {
            let (ids, reason) = rest.split_once(':').unwrap_or((rest, ""));
            let said = Said { line: comment.line, text, at: place(self.dockerfile) };
            self.add_all(said, Dialect::Checkov, ids, FILE, reason, None);
        }
    }

    /// The instruction that a comment belongs to: the one around it, else the next one.
    fn target(&self, line: u32, inside: bool) -> Option<&'a Instruction> {
        let instructions = &self.dockerfile.instructions;
        let next = instructions.partition_point(|instruction| instruction.line <= line);
        instructions.get(if inside { next.saturating_sub(1) } else { next })
    }

    /// Whether only comments stand between a line and an instruction.
    fn is_adjacent(&self, line: u32, instruction: &Instruction) -> bool {
        self.runs.get(&line).is_some_and(|end| end + 1 == instruction.line)
    }

    fn stage_lines(&self, instruction: &Instruction) -> Lines {
        let stage = instruction.stage.and_then(|stage| self.dockerfile.graph.stages.get(stage));
        let last = stage.and_then(|stage| self.dockerfile.instructions.get(stage.instructions.end.saturating_sub(1)));
        Lines(instruction.line, last.map_or(u32::MAX, |last| last.end_line))
    }

    fn hadolint(&mut self, said: Said<'a>, target: Option<&Instruction>) {
        let text = said.text.strip_prefix("hadolint ").unwrap_or_default().trim();
        let (text, reason) = text.split_once('#').unwrap_or((text, ""));
        let (scope, text) = match text.split_once(char::is_whitespace) {
            Some((scope @ ("global" | "stage"), rest)) => (scope, rest.trim()),
            _ => ("", text.trim()),
        };
        let Some(ids) = text.strip_prefix("ignore").map(str::trim_start).and_then(|rest| rest.strip_prefix('=')) else { return };
        let lines = match (scope, target) {
            ("global", _) => FILE,
            ("stage", Some(instruction)) => self.stage_lines(instruction),
            // The pragma counts for the very next line only.
            ("", Some(instruction)) if instruction.line == said.line + 1 => covered(instruction),
            _ => return,
        };
        self.add_all(said, Dialect::Hadolint, ids, lines, reason, None);
    }

    fn buildkit(&mut self, said: Said<'a>, lines: Lines) {
        let (options, reason) = said.text.split_once(char::is_whitespace).unwrap_or((said.text, ""));
        for ids in options.split(';').filter_map(|option| option.strip_prefix("skip=")) {
            self.add_all(said, Dialect::BuildKit, ids, lines, reason, None);
        }
    }

    fn trivy(&mut self, said: Said<'a>, target: Option<&Instruction>, inside: bool) {
        let Some(instruction) = target.filter(|instruction| inside || self.is_adjacent(said.line, instruction)) else { return };
        let lines = if inside { Lines(said.line, said.line + 1) } else { covered(instruction) };
        for word in said.text.split_whitespace() {
            let Some(rest) = word.strip_prefix("trivy:ignore:") else { continue };
            let (id, until) = rest.split_once(":exp:").map_or((rest, None), |(id, date)| (id, date.parse().ok()));
            if rest.contains(":exp:") && until.is_none() {
                continue;
            }
            self.add_all(said, Dialect::Trivy, id, lines, "", until);
        }
    }

    fn ours(&mut self, said: Said<'a>, text: &'a str, target: Option<&Instruction>) {
        let Pragma { ignores, reason, until, has_wrong_date } = Pragma::of(text);
        let mut fault = has_wrong_date.then_some("its `until` is no date");
        for (scope, ids) in ignores {
            let lines = match (scope, target) {
                ("ignore-file", _) => FILE,
                ("ignore-stage", Some(instruction)) => self.stage_lines(instruction),
                ("ignore", Some(instruction)) => covered(instruction),
                _ => {
                    fault = fault.or(Some("no instruction follows it"));
                    NONE
                }
            };
            let first = self.out.len();
            self.add_all(said, Dialect::Ours, ids, lines, reason, until);
            self.out.iter_mut().skip(first).for_each(|written| written.fault = fault);
        }
    }

    /// The directives for ShellCheck in a heredoc: for the whole script at its head, else for the command behind them.
    fn heredoc(&mut self, body: Range<usize>) {
        let dockerfile = self.dockerfile;
        let text = slice(&dockerfile.source.text, body.clone());
        if !text.contains("shellcheck") {
            return;
        }
        let first = dockerfile.source.line(body.start);
        let count = number(text.lines().count());
        let mut code_seen = false;
        let mut open: Vec<(u32, &'a str, &'a str)> = Vec::new();
        let mut ends: Option<u32> = None;
        for (line, raw) in (first..).zip(text.lines()) {
            let trimmed = raw.trim();
            if let Some(comment) = trimmed.strip_prefix('#') {
                let directive = comment.trim().strip_prefix("shellcheck ").and_then(|rest| rest.split_once("disable="));
                if let Some((_, rest)) = directive {
                    let (ids, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    let reason = reason.split_once('#').map_or("", |(_, reason)| reason);
                    if code_seen {
                        open.push((line, ids, reason));
                    } else {
                        let said = Said { line, text, at: None };
                        self.add_all(said, Dialect::ShellCheck, ids, Lines(first, first.saturating_add(count)), reason, None);
                    }
                }
            } else if !trimmed.is_empty() {
                code_seen = true;
                let start = *ends.get_or_insert(line);
                if !raw.ends_with('\\') {
                    for (at, ids, reason) in open.drain(..) {
                        let said = Said { line: at, text, at: None };
                        self.add_all(said, Dialect::ShellCheck, ids, Lines(start, line), reason, None);
                    }
                    ends = None;
                }
            }
        }
    }

    fn add_all(&mut self, said: Said<'a>, dialect: Dialect, ids: &'a str, lines: Lines, reason: &'a str, until: Option<Date>) {
        let list = said.at.and_then(|at| {
            let start = at + offset_in(said.text, ids)?;
            Some(start..start + ids.trim_end().len())
        });
        for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            if self.out.len() >= MAX_IDS {
                return;
            }
            if id.contains('*') {
                self.patterns += 1;
                if self.patterns > MAX_PATTERNS {
                    return;
                }
            }
            let rules = named(id, dialect);
            self.out.push(Written { line: said.line, dialect, id, list: list.clone(), rules, lines, reason, until, fault: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintInput, lint};

    use super::*;

    fn read(text: &str) -> Vec<(String, u32, u32, String)> {
        let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
        report
            .ignores
            .into_iter()
            .map(|exception| match exception.origin {
                ExceptionOrigin::Inline { first, last } => (exception.id, first, last, exception.reason),
                ExceptionOrigin::Policy => (exception.id, 0, 0, exception.reason),
            })
            .collect()
    }

    #[test]
    fn every_dialect_is_read_with_its_own_scope() {
        let all = u32::MAX;
        let table: &[(&str, &[(&str, u32, u32, &str)])] = &[
            ("FROM a\n# hadolint ignore=DL3004 # why\nRUN sudo x \\\n y\n", &[("sudo-in-run", 3, 4, "why")]),
            ("FROM a\n# hadolint ignore=DL3004\n\nRUN sudo x\n", &[]),
            ("# hadolint global ignore=DL3004\nFROM a\n", &[("sudo-in-run", 1, all, "")]),
            ("# hadolint stage ignore=DL3004\nFROM a\nUSER x\nFROM b\n", &[("sudo-in-run", 2, 3, "")]),
            (
                "FROM a\n# trivy:ignore:DS002 trivy:ignore:avd-ds-0010\n# x\nUSER root\n",
                &[("missing-user", 4, 4, ""), ("root-user", 4, 4, ""), ("sudo-in-run", 4, 4, "")],
            ),
            ("FROM a\n# trivy:ignore:DS-0002\n\nUSER root\n", &[]),
            ("FROM a\nUSER root\n#checkov:skip=CKV_DOCKER_8:because\n", &[("root-user", 1, all, "because")]),
            ("# check=skip=SecretsUsedInArgOrEnv;error=true\nFROM a\n", &[("secret-in-arg", 1, all, ""), ("secret-in-env", 1, all, "")]),
            (
                "FROM a\n# check=skip=SecretsUsedInArgOrEnv because\n# x\n\nENV A=b\n",
                &[("secret-in-arg", 5, 5, "because"), ("secret-in-env", 5, 5, "because")],
            ),
            ("FROM a\n# check=skip=SecretsUsedInArgOrEnv\n#\nENV A=b\n", &[]),
            (
                "FROM a\n# plimsoll ignore=root-user,DL3008 reason=gosu drops it\n\n# x\nUSER root\n",
                &[("root-user", 5, 5, "gosu drops it"), ("unpinned-apt", 5, 5, "gosu drops it")],
            ),
            (
                "FROM a\n#plimsoll:ignore=DL3004, DL3000 reason=\"so it is\"\nRUN a\n",
                &[("sudo-in-run", 3, 3, "so it is"), ("relative-workdir", 3, 3, "so it is")],
            ),
            ("# Plimsoll: ignore-file=root-user\nFROM a\n", &[("root-user", 1, all, "")]),
            ("FROM a\nRUN a \\\n # plimsoll ignore=sudo-in-run\n && sudo b\n", &[("sudo-in-run", 2, 4, "")]),
            ("# plimsoll ignore-file=root-user until=2026-13-45\nFROM a\n", &[]),
            ("# plimsoll ignore-file=inline-ignore-used,DL1001\nFROM a\n", &[]),
            ("# check=skip=secretsUsedInArgOrEnv\nFROM a\n", &[("secretsUsedInArgOrEnv", 1, all, "")]),
            (
                "FROM a\nRUN <<EOF\n# shellcheck disable=SC1 # why\nx\n# shellcheck disable=SC2,SC3\na \\\n b\nc\nEOF\n",
                &[("SC1", 3, 9, "why"), ("SC2", 6, 7, ""), ("SC3", 6, 7, "")],
            ),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&(id, a, b, reason)| (id.to_owned(), a, b, reason.to_owned())).collect();
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn all_of_buildkit_is_every_rule_that_it_has() {
        let ids: Vec<_> = read("# check=skip=all\nFROM a\n").into_iter().map(|(id, ..)| id).collect();
        assert!(ids.len() > 15 && ids.contains(&"secret-in-env".to_owned()) && !ids.contains(&"root-user".to_owned()), "{ids:?}");
    }

    #[test]
    fn very_many_ignores_end_somewhere() {
        let text = format!("FROM a\n{}USER b\n", "# trivy:ignore:*a* trivy:ignore:*\n".repeat(20_000));
        assert!(lint(&LintInput::new("f", text.as_bytes())).ignores.len() <= MAX_IGNORES);
        let text = format!("FROM a\n{}USER b\n", "# check=skip=A\n".repeat(60_000));
        assert_eq!(lint(&LintInput::new("f", text.as_bytes())).ignores.len(), 1);
    }

    #[test]
    fn ends_are_kept() {
        let text = "FROM a\n# plimsoll ignore=root-user until=2026-12-31\nUSER root\n# trivy:ignore:DS-0010:exp:2027-01-02\nRUN sudo x\n\
            # plimsoll ignore=sudo-in-run reason=a b until=2027-02-03\nRUN sudo y\n# plimsoll ignore=sudo-in-run reason=a until=soon\nRUN sudo z\n";
        let report = lint(&LintInput::new("f", text.as_bytes()));
        let ends: Vec<_> = report.ignores.iter().filter_map(|exception| exception.expires).map(|date| date.to_string()).collect();
        assert_eq!(ends, ["2026-12-31", "2027-01-02", "2027-02-03"]);
        assert_eq!(report.ignores.len(), 3);
    }
}
