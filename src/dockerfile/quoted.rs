//! Texts in quotes in, what in them looks like an expansion or an escape out, and which programs want it so.

use super::{
    command::{Command, HOLE, Word},
    source::slice,
    wrapper,
};

/// The longest text that a message shows.
const MAX_SHOWN: usize = 40;
/// Programs that take code of their own, or for another program.
const TAKES_CODE: &[&str] = &[
    "alias",
    "ash",
    "bash",
    "dash",
    "doas",
    "docker",
    "dpkg-query",
    "envsubst",
    "eval",
    "jq",
    "ksh",
    "oc",
    "podman",
    "rename",
    "rg",
    "run0",
    "sh",
    "ssh",
    "sudo",
    "trap",
    "unset",
    "xprop",
    "yq",
    "zsh",
];

/// A text for a message: one line, cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c == HOLE || c.is_control() { ' ' } else { c }).take(MAX_SHOWN + 1).collect();
    if shown.chars().count() > MAX_SHOWN {
        shown.pop();
        shown.push_str("...");
        // A substitution that is cut still reads as one.
        if shown.starts_with("$(") {
            shown.push(')');
        }
    }
    shown
}

/// The first `$x`, `${`, `$(`, `$1` or `` `...` `` of a text.
pub(super) fn expansion(text: &str) -> Option<&str> {
    let starts = |c: char| c.is_ascii_alphanumeric() || matches!(c, '{' | '(' | '_');
    let dollar = text.match_indices('$').find(|(at, _)| slice(text, at + 1..text.len()).starts_with(starts));
    if let Some((at, _)) = dollar {
        let rest = slice(text, at + 1..text.len());
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Some(slice(text, at..at + 1 + length.max(1)));
    }
    let (_, rest) = text.split_once('`')?;
    rest.contains('`').then_some("`...`")
}

/// Whether a `$` of a sed script is the address of the last line.
pub(super) fn is_sed_address(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let mut rest = slice(text, at + 1..text.len()).chars();
        let is_command = rest.next().is_some_and(|c| matches!(c, '{' | 'd' | 'p' | 's' | 'a' | 'i' | 'c'));
        is_command && rest.next().is_none_or(|c| !c.is_ascii_alphabetic())
    })
}

/// The first escape of a text that some shells' echo follows.
pub(super) fn escape(text: &str) -> Option<&str> {
    let (at, _) = text.match_indices('\\').find(|(at, _)| {
        let mut rest = slice(text, at + 1..text.len()).chars();
        matches!(rest.next(), Some('n' | 't' | 'r' | 'a' | 'b' | 'e' | 'f' | 'v' | 'x' | '0'..='7'))
    })?;
    Some(slice(text, at..at + 2))
}

/// Whether a program takes code in which `$x` is its own affair.
pub(super) fn takes_code(name: &str, command: &Command) -> bool {
    let second = command.words.get(1).map_or("", |word| word.text.as_str());
    match name {
        "command" | "builtin" | "exec" | "busybox" => takes_code_itself(second),
        "find" => {
            let runs = |word: &Word| matches!(word.text.as_str(), "-exec" | "-execdir");
            let at = command.words.iter().position(runs);
            at.and_then(|at| command.words.get(at + 1)).is_some_and(|word| takes_code_itself(&word.text))
        }
        "git" => second == "filter-branch",
        name => takes_code_itself(name) || hands_code_on(command),
    }
}

fn takes_code_itself(program: &str) -> bool {
    let name = slice(program, program.rfind('/').map_or(0, |at| at + 1)..program.len());
    TAKES_CODE.contains(&name) || name.ends_with("awk") || name.starts_with("perl")
}

/// Whether a program runs a shell with `-c` for another: `gosu app sh -c '...'`.
fn hands_code_on(command: &Command) -> bool {
    let mut words = command.arguments().iter();
    words.any(|word| wrapper::is_posix_shell(slice(&word.text, word.text.rfind('/').map_or(0, |at| at + 1)..word.text.len())))
        && words.any(|word| word.text.starts_with('-') && word.text.ends_with('c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_and_escapes_are_found() {
        let table = [
            ("a $x b", Some("$x")),
            ("${x}", Some("${")),
            ("$(y)", Some("$(")),
            ("$1", Some("$1")),
            ("a$", None),
            ("$$ $? $", None),
            ("`a`", Some("`...`")),
            ("`", None),
        ];
        for (text, expected) in table {
            assert_eq!(expansion(text), expected, "{text}");
        }
        for (text, expected) in [("a\\nb", Some("\\n")), ("\\c", None), ("\\033[0m", Some("\\0")), ("\\", None), ("\\d", None)] {
            assert_eq!(escape(text), expected, "{text}");
        }
        for (text, expected) in [("$d", true), ("s/$x/y/", false), ("$ a x", false), ("$p;$s/a/$b/", true)] {
            assert_eq!(is_sed_address(text), expected, "{text}");
        }
    }
}
