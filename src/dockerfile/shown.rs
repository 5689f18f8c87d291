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

/// The title of a finding as it may be shown: one that quotes an expansion gives way to the summary of its rule where the lines hold a secret, since
/// in `P@$sw0rd` the expansion is half of it.
pub(super) fn hide_code(finding: &mut Finding, is_secret: impl FnMut((u32, u32)) -> bool) {
    if let FindingKind::Rule(meta) = finding.kind
        && finding.title.contains('$')
        && lines_of(finding).any(is_secret)
    {
        finding.title = meta.summary.trim_end_matches('.').to_owned();
    }
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
        for (rule, code, is_told) in [
            ("shell-expansion-in-single-quotes", "echo 'for $HOME' > /x", true),
            ("shell-expansion-in-single-quotes", "export DB_PASSWORD='P@$sw0rd9x'", false),
            ("shell-expansion-in-single-quotes", "export DB_PASSWORD='a-$W0rd9x'", false),
            ("shell-expansion-in-single-quotes", "DB_PASSWORD='hunter$22' run 'for $USER'", false),
            ("shell-unassigned-variable", "echo \"$sw0rd9x\"", true),
            ("shell-unassigned-variable", "export DB_PASSWORD=\"P@$sw0rd9x\"", false),
            ("shell-unassigned-variable", "DB_PASSWORD=\"a-$sw0rd9x\" run", false),
            ("shell-unassigned-variable", "export DB_PASSWORD=P@$sw0rd9x", false),
            ("shell-unquoted-variable", "echo $sw0rd9x", true),
            ("shell-unquoted-variable", "mysql -pP@$sw0rd9x", false),
        ] {
            let text = format!("FROM debian:12\nRUN {code}\nRUN true\n");
            let settings = LintSettings { on: [rule.to_owned()].into(), ..LintSettings::default() };
            let input = LintInput { settings: &settings, ..LintInput::new("Dockerfile", text.as_bytes()) };
            let findings = lint(&input).findings;
            let titles: Vec<&str> = findings.iter().filter(|finding| finding.id == rule).map(|finding| finding.title.as_str()).collect();
            assert!(!titles.is_empty(), "{code}: {findings:?}");
            assert!(titles.iter().all(|title| title.contains('$') == is_told), "{code}: {titles:?}");
            let is_half_told = findings.iter().any(|finding| ["sw0rd9x", "W0rd9x", "$22"].iter().any(|half| finding.title.contains(half)));
            assert_eq!(is_half_told, is_told && code.contains("sw0rd9x"), "{code}: {findings:?}");
        }
    }
}
