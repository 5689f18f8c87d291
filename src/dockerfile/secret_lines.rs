//! A Dockerfile in, the lines out that nothing that is printed may show, because they hold a secret.

use std::collections::BTreeSet;

use super::{
    LintInput, read,
    redaction::Redaction,
    rules::RULES,
    shown::{apart, is_about_secret, lines_of, secret_values},
};

/// The lines that hold a secret, from 1, whether the rules about secrets are on or not. An instruction is among them wholly or not at all: half of
/// its changes are none.
#[must_use]
pub fn secret_lines(input: &LintInput<'_>) -> BTreeSet<u32> {
    let (dockerfile, _) = read(input);
    let found = RULES.iter().flat_map(|rule| rule.check(&dockerfile)).filter(is_about_secret);
    let found = apart(found.flat_map(|finding| lines_of(&finding).collect::<Vec<_>>()).collect());
    let redaction = Redaction::of(secret_values(&dockerfile, input.build_args), &dockerfile);
    let lines = (1..).zip(dockerfile.source.text.lines());
    let mut hidden: BTreeSet<u32> =
        lines.filter(|(line, text)| redaction.hides_of(text, dockerfile.index_at(*line))).map(|(line, _)| line).collect();
    for (index, instruction) in dockerfile.instructions.iter().enumerate() {
        let lines = instruction.line..=instruction.end_line;
        let next = found.partition_point(|(_, last)| *last < instruction.line);
        let is_found = found.get(next).is_some_and(|(first, _)| *first <= instruction.end_line);
        // A value may begin on one line and end on another.
        if is_found || hidden.range(lines.clone()).next().is_some() || redaction.hides_of(instruction.text(), Some(index)) {
            hidden.extend(lines);
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_secrets_are_known() {
        for (text, expected) in [
            ("FROM alpine:3.22\nENV A=b\nUSER 1000\n", &[][..]),
            ("FROM alpine:3.22\nENV A=b \\\n  DB_PASSWORD=kz7Rw4qv\nUSER 1000\n", &[2, 3]),
            ("FROM alpine:3.22\nRUN true \\\n  && curl -u bot:kz7Rw4qv x\nUSER 1000\n", &[2, 3]),
            ("FROM alpine:3.22\nENV DB_PASSWORD=\\\nkz7Rw4qv\nRUN x kz7Rw4qv\n", &[2, 3, 4]),
            ("FROM alpine:3.22\n# it was API_TOKEN=kz7Rw4qv\nRUN apt-get update \\\n  && mysql -pkz7Rw4qv\n", &[2, 3, 4]),
            ("FROM postgres:17\nENV POSTGRES_PASSWORD=postgres\nUSER postgres\n", &[2]),
        ] {
            let found = secret_lines(&LintInput::new("Dockerfile", text.as_bytes()));
            assert_eq!(found.into_iter().collect::<Vec<u32>>(), expected, "{text}");
        }
    }
}
