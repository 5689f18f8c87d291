//! Comments in, in-file ignores out as `Exception`s: our own dialect and those of hadolint, BuildKit, Trivy and Checkov.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::{
    location::Span,
    policy::{Exception, ExceptionOrigin},
};

use super::{expand::glob, instruction::Instruction, rule::Dockerfile, rules::RULES};

/// What an ignore covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lines(u32, u32);

const FILE: Lines = Lines(1, u32::MAX);

/// The most in-file ignores that are heeded, counted by rule; every finding is held against all of its rule.
pub(super) const MAX_IGNORES: usize = 2_000;

/// Every in-file ignore, in file order.
pub(super) fn exceptions(dockerfile: &Dockerfile<'_>) -> Vec<Exception> {
    let mut runs = BTreeMap::new();
    for comment in dockerfile.comments.iter().rev() {
        let end = runs.get(&(comment.line + 1)).copied().unwrap_or(comment.line);
        runs.insert(comment.line, end);
    }
    let mut collector = Collector { dockerfile, runs, out: Vec::new() };
    if let Some((value, line)) = &dockerfile.directives.check {
        collector.buildkit(value, *line, FILE);
    }
    let directive_line = dockerfile.directives.check.as_ref().map(|(_, line)| *line);
    let mut last_checked = None;
    let empty: Vec<u32> = dockerfile.comments.iter().filter(|comment| comment.text.is_empty()).map(|comment| comment.line).collect();
    let is_cut_off = |line: u32, end: u32| empty.get(empty.partition_point(|at| *at <= line)).is_some_and(|at| *at < end);
    for comment in &dockerfile.comments {
        let (line, text) = (comment.line, comment.text.as_str());
        let target = collector.target(line, comment.inside);
        if let Some(rest) = text.strip_prefix("hadolint ") {
            collector.hadolint(rest.trim(), line, target);
        } else if let Some(rest) = text.strip_prefix("plimsoll ") {
            collector.ours(rest.trim(), line, target);
        } else if let Some(value) = text.strip_prefix("check=").filter(|_| Some(line) != directive_line && !comment.inside) {
            // Only the first such comment of an instruction counts, and an empty comment cuts it off.
            if let Some(instruction) = target
                && last_checked != Some(instruction.line)
                && !is_cut_off(line, instruction.line)
            {
                last_checked = Some(instruction.line);
                collector.buildkit(value, line, covered(instruction));
            }
        } else if text.contains("trivy:ignore:") {
            collector.trivy(text, line, target, comment.inside);
        } else if let Some(rest) =
            ["checkov:skip=", "bridgecrew:skip=", "cortex:skip="].iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)
        {
            let (ids, reason) = rest.split_once(':').unwrap_or((rest, ""));
            collector.add_all(ids, line, FILE, reason, None);
        }
    }
    collector.out
}

fn covered(instruction: &Instruction) -> Lines {
    Lines(instruction.line, instruction.end_line)
}

struct Collector<'a, 'b> {
    dockerfile: &'a Dockerfile<'b>,
    /// Per comment line, the last line of its unbroken run of comments.
    runs: BTreeMap<u32, u32>,
    out: Vec<Exception>,
}

impl<'a> Collector<'a, '_> {
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

    fn hadolint(&mut self, text: &str, line: u32, target: Option<&Instruction>) {
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
            ("", Some(instruction)) if instruction.line == line + 1 => covered(instruction),
            _ => return,
        };
        self.add_all(ids, line, lines, reason, None);
    }

    fn buildkit(&mut self, value: &str, line: u32, lines: Lines) {
        let (options, reason) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        for ids in options.split(';').filter_map(|option| option.strip_prefix("skip=")) {
            for id in ids.split(',') {
                // BuildKit's names are its own: `all` silences no rule that it does not have.
                let id = if id == "all" { "SecretsUsedInArgOrEnv" } else { id };
                self.add(id, line, lines, reason, None);
            }
        }
    }

    fn trivy(&mut self, text: &str, line: u32, target: Option<&Instruction>, inside: bool) {
        let Some(instruction) = target.filter(|instruction| inside || self.is_adjacent(line, instruction)) else { return };
        let lines = if inside { Lines(line, line + 1) } else { covered(instruction) };
        for word in text.split_whitespace() {
            let Some(rest) = word.strip_prefix("trivy:ignore:") else { continue };
            let (id, until) = rest.split_once(":exp:").map_or((rest, None), |(id, date)| (id, date.parse().ok()));
            if rest.contains(":exp:") && until.is_none() {
                continue;
            }
            self.add(id, line, lines, "", until);
        }
    }

    fn ours(&mut self, text: &str, line: u32, target: Option<&Instruction>) {
        let (text, reason) = text.split_once("reason=").unwrap_or((text, ""));
        let mut until = None;
        let mut ignores = Vec::new();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                // A date that cannot be read must not make an ignore that never ends.
                Some(("until", date)) => match date.parse::<Date>() {
                    Ok(date) => until = Some(date),
                    Err(_) => return,
                },
                Some((scope @ ("ignore" | "ignore-stage" | "ignore-file"), ids)) => ignores.push((scope, ids)),
                _ => {}
            }
        }
        for (scope, ids) in ignores {
            let lines = match (scope, target) {
                ("ignore-file", _) => FILE,
                ("ignore-stage", Some(instruction)) => self.stage_lines(instruction),
                ("ignore", Some(instruction)) => covered(instruction),
                _ => continue,
            };
            self.add_all(ids, line, lines, reason, until);
        }
    }

    fn add_all(&mut self, ids: &str, line: u32, lines: Lines, reason: &str, until: Option<Date>) {
        for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            self.add(id, line, lines, reason, until);
        }
    }

    /// One exception per rule that the id names; an id that names none is kept as written.
    fn add(&mut self, id: &str, line: u32, lines: Lines, reason: &str, until: Option<Date>) {
        if self.out.len() >= MAX_IGNORES {
            return;
        }
        let wanted = id.to_ascii_lowercase();
        let pattern = wanted.contains('*');
        let fits = |name: &str| if pattern { glob(&wanted, &name.to_ascii_lowercase()) } else { name.eq_ignore_ascii_case(&wanted) };
        let mut rules: Vec<&str> = RULES
            .iter()
            .map(|rule| rule.meta())
            .filter(|meta| if wanted == "*" { true } else { fits(meta.id) || meta.aliases.iter().any(|alias| fits(alias)) })
            .map(|meta| meta.id)
            .collect();
        // The column holds Trivy's ids in one spelling.
        let spelled =
            super::rule(id).and_then(|meta| meta.aliases.iter().find(|alias| alias.starts_with("DS-")).filter(|_| wanted.contains("ds")));
        let metas = RULES.iter().map(|rule| rule.meta());
        rules.extend(metas.filter(|meta| meta.also.iter().any(|name| fits(name) || spelled == Some(name))).map(|meta| meta.id));
        rules.sort_unstable();
        rules.dedup();
        if rules.is_empty() {
            rules.push(id);
        }
        for rule in rules {
            self.out.push(Exception {
                id: rule.to_owned(),
                package: None,
                path: Some(self.dockerfile.file.to_owned()),
                image: None,
                reason: reason.trim().to_owned(),
                owner: None,
                expires: until,
                ticket: None,
                until_fix: false,
                below: None,
                location: Span::lines(self.dockerfile.file, line, line),
                origin: ExceptionOrigin::Inline { first: lines.0, last: lines.1 },
            });
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
            ("FROM a\nRUN a \\\n # plimsoll ignore=sudo-in-run\n && sudo b\n", &[("sudo-in-run", 2, 4, "")]),
            ("# plimsoll ignore-file=root-user until=2026-13-45\nFROM a\n", &[]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&(id, a, b, reason)| (id.to_owned(), a, b, reason.to_owned())).collect();
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn ends_are_kept() {
        let text = "FROM a\n# plimsoll ignore=root-user until=2026-12-31\nUSER root\n# trivy:ignore:DS-0010:exp:2027-01-02\nRUN sudo x\n";
        let report = lint(&LintInput::new("f", text.as_bytes()));
        let ends: Vec<_> = report.ignores.iter().filter_map(|exception| exception.expires).map(|date| date.to_string()).collect();
        assert_eq!(ends, ["2026-12-31", "2027-01-02"]);
    }
}
