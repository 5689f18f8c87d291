//! Instructions and findings in, what reports may show of instructions out: one line each, without the secrets that rules found.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::{Finding, FindingKind},
    location::Location,
    mask,
};

use super::{instruction::Pair, redaction::Redaction, rule::Dockerfile, secret, source::slice};

/// The variables with secret names and their values: a message may show what a variable became.
pub(super) fn secret_values(dockerfile: &Dockerfile<'_>, build_args: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    // Shorter ones say nothing, and hiding them would riddle the messages.
    const SHORTEST: usize = 4;
    let instructions = dockerfile.instructions.iter().map(|instruction| instruction.trigger.as_deref().unwrap_or(instruction));
    let pairs = instructions.zip(&dockerfile.graph.values).enumerate();
    let pairs = pairs.filter(|(_, (instruction, _))| matches!(instruction.keyword.as_str(), "ARG" | "ENV"));
    let set = pairs.flat_map(|(index, (instruction, values))| {
        let name = |(at, pair): (usize, Pair<'_>)| dockerfile.graph.name(index, at, pair.name).to_owned();
        let names = instruction.pairs().into_iter().enumerate().map(name).collect::<Vec<_>>();
        names.into_iter().zip(values.iter().map(|value| value.text.clone()))
    });
    let given = build_args.iter().map(|(name, value)| (name.clone(), value.clone()));
    let assigned = dockerfile.all_commands().flat_map(|(_, command)| &command.assignments);
    let assigned = assigned.filter_map(|assignment| Some((assignment.name.clone(), assignment.value.known()?.to_owned())));
    set.chain(given)
        .chain(assigned)
        .filter(|(name, value)| {
            (secret::is_secret_name(name) || mask::is_secret_name(name)) && value.len() >= SHORTEST && secret::is_literal_secret(value)
        })
        .collect()
}

/// Whether a rule found a secret; every report shows instructions, none may show what makes them such a finding.
pub(super) fn is_about_secret(finding: &Finding) -> bool {
    // What a mount brings is not in the file, and the name of a file is no secret.
    let is_elsewhere = matches!(finding.id.as_str(), "secret-mount-persisted" | "secret-file-copied");
    (finding.id.starts_with("secret-") && !is_elsewhere) || matches!(finding.id.as_str(), "credentials-in-url" | "chpasswd-in-run")
}

/// The first and the last line of each place of a finding.
pub(super) fn lines_of(finding: &Finding) -> impl Iterator<Item = (u32, u32)> {
    let lines = |location: &Location| if let Location::Dockerfile(span) = location { Some((span.line, span.end_line)) } else { None };
    finding.locations.iter().filter_map(lines)
}

/// The same lines in order and apart from each other.
pub(super) fn apart(mut all: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    all.sort_unstable();
    let mut apart: Vec<(u32, u32)> = Vec::new();
    for (first, last) in all {
        match apart.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => apart.push((first, last)),
        }
    }
    apart
}

/// Whether some of the lines are among those that hold a secret.
pub(super) fn is_on((first, last): (u32, u32), secret_lines: &[(u32, u32)]) -> bool {
    let next = secret_lines.partition_point(|(_, end)| *end < first);
    secret_lines.get(next).is_some_and(|(start, _)| *start <= last)
}

/// The lines that hold a secret, asked for findings that quote code; the instructions are looked at when they are asked for.
pub(super) struct SecretPlaces<'a> {
    dockerfile: &'a Dockerfile<'a>,
    redaction: &'a Redaction,
    /// The lines on which rules found one.
    found: &'a [(u32, u32)],
    /// What is known of an instruction, and whether a variable alone counts as a secret, as it does in single quotes.
    known: BTreeMap<(usize, bool), bool>,
}

impl<'a> SecretPlaces<'a> {
    pub(super) const fn new(dockerfile: &'a Dockerfile<'a>, redaction: &'a Redaction, found: &'a [(u32, u32)]) -> Self {
        Self { dockerfile, redaction, found, known: BTreeMap::new() }
    }

    /// Lets a finding on lines that hold a secret quote no expansion, since in `P@$sw0rd` it is half of the secret: the title gives way to the
    /// summary of its rule, and there is no fix.
    pub(super) fn hide_code(&mut self, finding: &mut Finding) {
        let FindingKind::Rule(meta) = finding.kind else { return };
        let quotes_in_title = finding.title.contains('$');
        let quotes_in_fix = finding.fix.iter().flat_map(|fix| &fix.edits).any(|edit| edit.replacement.contains(['$', '`']));
        // In single quotes `$TOKEN` is no variable.
        let is_text = finding.id == "shell-expansion-in-single-quotes";
        if !(quotes_in_title || quotes_in_fix) || !lines_of(finding).any(|lines| self.holds(lines, is_text)) {
            return;
        }
        if quotes_in_title {
            meta.summary.trim_end_matches('.').clone_into(&mut finding.title);
        }
        if quotes_in_fix {
            finding.fix = None;
        }
    }

    fn holds(&mut self, lines: (u32, u32), is_text: bool) -> bool {
        if is_on(lines, self.found) {
            return true;
        }
        let Self { dockerfile, redaction, .. } = *self;
        let Some(index) = dockerfile.index_at(lines.0) else { return false };
        *self.known.entry((index, is_text)).or_insert_with(|| {
            let hides = |text: &str| {
                let index = Some(index);
                if is_text { redaction.hides_of(text, index) } else { redaction.hides_literal_of(text, index) }
            };
            let Some(instruction) = dockerfile.instructions.get(index) else { return false };
            let bodies = instruction.heredocs.iter().map(|heredoc| heredoc.body.clone());
            hides(instruction.text()) || bodies.flat_map(|body| slice(&dockerfile.source.text, body).lines()).any(hides)
        })
    }
}

/// Takes what is quoted out of the words of a refusal where the instruction holds a secret, which a blank may have cut in two. Gives the lines
/// of these instructions.
pub(super) fn hide_quoted(dockerfile: &mut Dockerfile<'_>, redaction: &Redaction) -> Vec<(u32, u32)> {
    let mut lines = Vec::new();
    let mut refusals = std::mem::take(&mut dockerfile.refusals);
    for refusal in refusals.iter_mut().filter(|refusal| refusal.message.contains(['"', '\''])) {
        let index = dockerfile.index_at(refusal.line);
        let Some(instruction) = index.and_then(|index| dockerfile.instructions.get(index)) else { continue };
        if !redaction.hides_of(instruction.text(), index) {
            continue;
        }
        for quote in ['"', '\''] {
            let ends = refusal.message.find(quote).zip(refusal.message.rfind(quote));
            if let Some((open, close)) = ends.filter(|(open, close)| open < close) {
                refusal.message.replace_range(open + 1..close, "***");
            }
        }
        lines.push((instruction.line, instruction.end_line));
    }
    dockerfile.refusals = refusals;
    lines
}

/// The instruction on one line, or its keyword alone where it holds a secret.
pub(super) fn shown(dockerfile: &Dockerfile<'_>, index: usize, secret_lines: &[(u32, u32)], redaction: &Redaction) -> Option<String> {
    let instruction = dockerfile.instructions.get(index)?;
    if is_on((instruction.line, instruction.end_line), secret_lines) {
        return Some(format!("{} (hidden: it holds a secret)", instruction.keyword));
    }
    folded(dockerfile, index, redaction)
}

/// The text of an instruction on one line, blanks folded, secrets hidden.
pub(super) fn folded(dockerfile: &Dockerfile<'_>, index: usize, redaction: &Redaction) -> Option<String> {
    const LONGEST: usize = 300;
    // Secrets are hidden before the cut, since half of one no longer looks like one.
    const LONGEST_READ: usize = 8192;
    let mut joined = String::new();
    for word in dockerfile.instructions.get(index)?.text().split_whitespace() {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
        if joined.len() > LONGEST_READ {
            break;
        }
    }
    let told = redaction.told_of(&joined, Some(index));
    if told.len() > LONGEST {
        return Some(format!("{}...", slice(&told, 0..told.floor_char_boundary(LONGEST))));
    }
    Some(told.into_owned())
}

#[cfg(test)]
mod tests {
    use crate::{
        dockerfile::{LintInput, lint},
        model::lint::LintSettings,
    };

    #[test]
    fn code_beside_a_secret_is_not_told() {
        let quoted = "shell-expansion-in-single-quotes";
        for (rule, code, is_told) in [
            (quoted, "echo 'for $HOME' > /x", true),
            (quoted, "export DB_PASSWORD='P@$sw0rd9x'", false),
            (quoted, "export DB_PASSWORD='a-$sw0rd9x'", false),
            (quoted, "DB_PASSWORD='sw0rd9x$22' run 'for $USER'", false),
            (quoted, "curl -u 'bot:$sw0rd9x' https://a.dev", false),
            ("shell-unassigned-variable", "echo \"$sw0rd9x\"", true),
            ("shell-unassigned-variable", "curl -u \"bot:$sw0rd9x\" https://a.dev", true),
            ("shell-unassigned-variable", "export DB_PASSWORD=\"P@$sw0rd9x\"", false),
            ("shell-unassigned-variable", "DB_PASSWORD=\"a-$sw0rd9x\" run", false),
            ("shell-unassigned-variable", "export DB_PASSWORD=P@$sw0rd9x", false),
            ("shell-unassigned-variable", "<<E\nexport DB_PASSWORD=P@$sw0rd9x\nE", false),
            ("shell-unassigned-variable", "<<E bash\ncurl -u \"bot:P@$sw0rd9x\" https://a.dev\nE", false),
            ("shell-unquoted-variable", "echo $sw0rd9x", true),
            ("shell-unquoted-variable", "curl -u bot:$sw0rd9x https://a.dev", true),
            ("shell-unquoted-variable", "mysql -pP@$sw0rd9x", false),
            ("shell-unquoted-variable", "<<E\nmysql -pP@$sw0rd9x\nE", false),
            ("shell-unquoted-substitution", "mysql -pP@$(sw0rd9x)", false),
            ("shell-unquoted-substitution", "mysql -pP@`sw0rd9x`", false),
        ] {
            for before in ["RUN", "ONBUILD RUN"] {
                let text = format!("FROM debian:12\n{before} {code}\nRUN true\n");
                let settings = LintSettings { on: [rule.to_owned()].into(), ..LintSettings::default() };
                let input = LintInput { settings: &settings, ..LintInput::new("Dockerfile", text.as_bytes()) };
                let findings = lint(&input).findings;
                assert!(findings.iter().any(|finding| finding.id == rule), "{code}: {findings:?}");
                let texts: Vec<String> = findings.iter().map(|finding| format!("{} {:?}", finding.title, finding.fix)).collect();
                let is_half_told = texts.iter().any(|text| text.contains("sw0rd9x"));
                assert_eq!(is_half_told, is_told && code.contains("sw0rd9x"), "{code}: {texts:?}");
            }
        }
    }

    #[test]
    fn a_secret_that_a_blank_cuts_in_two_is_not_told() {
        for (code, is_told) in [("ENV A=b sw0rd9x", true), ("ENV A=b DB_PASSWORD=correct sw0rd9x", false)] {
            let report = lint(&LintInput::new("Dockerfile", format!("FROM debian:12\n{code}\n").as_bytes()));
            assert!(report.gaps.iter().any(|gap| gap.kind == "refused-instruction"), "{code}: {report:?}");
            assert_eq!(format!("{report:?}").contains("sw0rd9x"), is_told, "{code}: {report:?}");
        }
    }
}
