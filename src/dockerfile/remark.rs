//! Remarks of another program about shell code in, findings of `shellcheck` and gaps out; positions lead back through continued lines
//! and heredocs.

use crate::model::{
    coverage::{Gap, SourceId},
    finding::Finding,
    rule::RuleMeta,
    shell_script::{ShellRemark, ShellScript},
};

use super::{
    dialect::Dialect,
    rule::Dockerfile,
    source::{Logical, slice},
};

/// The most remarks about one script that become findings.
const MAX_REMARKS: usize = 1_000;
/// Codes that rules of our own stand for, and those about files that no build brings along.
const LEFT_OUT: &[u32] = &[1090, 1091, 2016, 2028, 2035, 2046, 2086, 2154, 2155, 2164, 2187];

/// The code of one instruction, as its shell reads it.
#[derive(Debug)]
pub(super) struct Body {
    /// The first line of the instruction.
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    pub(super) script: Logical,
}

impl Body {
    /// What a program outside gets; `None` for a shell that ShellCheck does not know.
    fn script(&self) -> Option<ShellScript> {
        let dialect = match self.dialect {
            Dialect::Sh => "sh",
            Dialect::Dash => "dash",
            Dialect::Bash => "bash",
            Dialect::Ksh => "ksh",
            Dialect::Zsh => return None,
        };
        Some(ShellScript { line: self.line, dialect, text: self.script.text.clone() })
    }
}

impl Dockerfile<'_> {
    /// The scripts that a program outside may judge.
    pub(super) fn shell_scripts(&self) -> Vec<ShellScript> {
        self.bodies.iter().filter_map(Body::script).collect()
    }

    /// The findings that the remarks are.
    pub(super) fn remarked(&self, meta: &'static RuleMeta) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (body, answer) in self.answers() {
            for remark in told(answer.unwrap_or_default()).take(MAX_REMARKS) {
                let at = body.script.offset(place(&body.script.text, remark));
                let code = format!("SC{}", remark.code);
                let finding = self.finding_on(meta, &(at..at + 1), format!("{code}: {}", remark.message.trim_end_matches('.')));
                findings.push(Finding { aliases: [code].into(), ..finding });
            }
        }
        findings
    }

    /// The scripts that were to be judged, with what was said of them or why nothing was.
    fn answers(&self) -> impl Iterator<Item = (&Body, Result<&[ShellRemark], &str>)> {
        let answers = self.remarks.map_or(&[][..], |remarks| &remarks.scripts);
        let asked = self.bodies.iter().filter(|body| body.dialect != Dialect::Zsh).enumerate();
        asked.map(|(at, body)| {
            let answer = answers.get(at).map(|answer| answer.as_deref().map_err(String::as_str));
            (body, answer.unwrap_or(Err("ShellCheck was not run on it")))
        })
    }

    /// What was to be looked at and was not.
    pub(super) fn unremarked(&self) -> Vec<Gap> {
        let gap = |subject: String, reason: &str| {
            let gap = Gap::new(SourceId::Dockerfile, "shellcheck-failed", subject, reason);
            gap.with_hint("install ShellCheck and name it with `lint --shellcheck=PATH`, or leave the rule `shellcheck` off")
        };
        if !self.settings.on.contains("shellcheck") || self.bodies.is_empty() {
            return Vec::new();
        }
        if self.remarks.is_none() {
            return vec![gap(self.file.to_string(), "ShellCheck was not run on the shell code")];
        }
        let of = |(body, answer): (&Body, Result<&[ShellRemark], &str>)| {
            let subject = format!("{}:{}", self.file, body.line);
            match answer {
                Err(reason) => Some(gap(subject, reason)),
                Ok(remarks) => told(remarks).nth(MAX_REMARKS).map(|_| {
                    let reason =
                        format!("ShellCheck has more than {MAX_REMARKS} remarks on this code, of which only the first are reported");
                    Gap::new(SourceId::Dockerfile, "too-large", subject, reason)
                }),
            }
        };
        self.answers().filter_map(of).collect()
    }
}

/// The remarks that no rule of our own stands for.
fn told(remarks: &[ShellRemark]) -> impl Iterator<Item = &ShellRemark> {
    remarks.iter().filter(|remark| !LEFT_OUT.contains(&remark.code))
}

/// The byte of a script that a remark is about.
fn place(text: &str, remark: &ShellRemark) -> usize {
    let line = usize::try_from(remark.line).unwrap_or(usize::MAX).saturating_sub(1);
    let column = usize::try_from(remark.column).unwrap_or(usize::MAX).saturating_sub(1);
    let start = match line.checked_sub(1) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = slice(text, start..text.len());
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dockerfile::{
            LintInput,
            fix::{Secrets, fix},
            lint, shell_scripts,
        },
        model::{fix::FixKind, lint::LintSettings, location::Location, shell_script::ShellRemarks},
    };

    fn settings() -> LintSettings {
        LintSettings { on: ["shellcheck".to_owned()].into(), ..LintSettings::DEFAULT }
    }

    fn remark(line: u32, column: u32, code: u32) -> ShellRemark {
        ShellRemark { line, column, code, message: "say it.".to_owned() }
    }

    #[test]
    fn positions_lead_back_to_the_file() {
        let text = "FROM debian:12\nRUN a \\\n  # why\n  b [x]\nRUN <<EOF\nc\n  d\nEOF\nSHELL [\"bash\", \"-c\"]\nRUN e\n";
        let settings = settings();
        let input = LintInput { settings: &settings, ..LintInput::new("Dockerfile", text.as_bytes()) };
        let scripts = shell_scripts(&input);
        let told: Vec<_> = scripts.iter().map(|script| (script.line, script.dialect, script.text.as_str())).collect();
        assert_eq!(told, [(2, "sh", "a   b [x]"), (5, "sh", "c\n  d\n"), (10, "bash", "e")]);
        let scripts = vec![Ok(vec![remark(1, 7, 2102), remark(1, 1, 2086)]), Ok(vec![remark(2, 3, 2034)]), Err("too slow".to_owned())];
        let remarks = ShellRemarks { program: "shellcheck".to_owned(), scripts };
        let report = lint(&LintInput { remarks: Some(&remarks), ..input });
        let found = report.findings.iter().filter(|finding| finding.id == "shellcheck");
        let places: Vec<_> = found
            .filter_map(|finding| match finding.locations.first() {
                Some(Location::Dockerfile(span)) => Some((span.line, span.column, finding.title.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(places, [(4, Some(5), "SC2102: say it"), (7, Some(3), "SC2034: say it")]);
        let gaps = |report: &crate::dockerfile::LintReport| report.gaps.iter().map(|gap| gap.subject.clone()).collect::<Vec<_>>();
        assert_eq!(gaps(&report), ["Dockerfile:10"]);
        assert_eq!(gaps(&lint(&input)), ["Dockerfile"]);
    }

    #[test]
    fn what_is_left_out_of_an_answer_is_a_gap() {
        let settings = settings();
        let told = |scripts| {
            let remarks = ShellRemarks { program: "shellcheck".to_owned(), scripts };
            let report = lint(&LintInput {
                settings: &settings,
                remarks: Some(&remarks),
                ..LintInput::new("Dockerfile", b"FROM debian:12\nRUN a\n")
            });
            let gaps: Vec<_> = report.gaps.into_iter().map(|gap| (gap.kind, gap.subject)).collect();
            (report.findings.iter().filter(|finding| finding.id == "shellcheck").count(), gaps)
        };
        let many =
            |count: u32, code| Ok((0..count).map(|at| ShellRemark { message: at.to_string(), ..remark(1, 1, code) }).collect::<Vec<_>>());
        assert_eq!(told(vec![many(1_000, 2102)]), (1_000, Vec::new()));
        assert_eq!(told(vec![many(1_001, 2102)]), (1_000, vec![("too-large", "Dockerfile:2".to_owned())]));
        // A rule of our own speaks of these.
        assert_eq!(told(vec![many(1_001, 2086)]), (0, Vec::new()));
        // A script without an answer.
        assert_eq!(told(Vec::new()), (0, vec![("shellcheck-failed", "Dockerfile:2".to_owned())]));
    }

    #[test]
    fn what_was_said_of_a_text_keeps_no_fix_of_it_away() {
        let text = "FROM alpine:3.22\nRUN apk add curl && \\\n  a [x]\nUSER 1\n";
        let settings = settings();
        let remarks = ShellRemarks { program: "shellcheck".to_owned(), scripts: vec![Ok(vec![remark(1, 22, 2102)])] };
        let input = LintInput { settings: &settings, remarks: Some(&remarks), ..LintInput::new("Dockerfile", text.as_bytes()) };
        assert!(lint(&input).findings.iter().any(|finding| finding.id == "shellcheck"));
        let fixed = fix(&input, &[FixKind::Safe].into(), Secrets::Mend, &|findings, _| vec![true; findings.len()]);
        assert_eq!((fixed.withheld, fixed.gaps), (Vec::new(), Vec::new()));
        assert_eq!(fixed.bytes, text.replace("apk add", "apk add --no-cache").as_bytes());
    }

    #[test]
    fn an_ignore_is_not_called_unused_where_nobody_answered() {
        let settings = LintSettings { on: ["shellcheck", "inline-ignore-unused"].map(str::to_owned).into(), ..LintSettings::DEFAULT };
        let is_unused = |id: &str, scripts| {
            let remarks = ShellRemarks { program: "shellcheck".to_owned(), scripts };
            let text = format!("FROM debian:12\n# plimsoll ignore={id} reason=x\nRUN a\n");
            let report = lint(&LintInput { settings: &settings, remarks: Some(&remarks), ..LintInput::new("Dockerfile", text.as_bytes()) });
            report.findings.iter().any(|finding| finding.id == "inline-ignore-unused")
        };
        assert!(is_unused("shellcheck", vec![Ok(Vec::new())]));
        assert!(!is_unused("shellcheck", vec![Err("too slow".to_owned())]));
        // Which codes there are only ShellCheck knows.
        assert!(!is_unused("SC2102", vec![Ok(vec![remark(1, 1, 2102)])]));
        assert!(is_unused("SCX", vec![Ok(Vec::new())]));
    }
}
