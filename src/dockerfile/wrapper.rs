//! A command in, the command that it runs for another out: `sudo`, `env`, `timeout`, `exec`, `xargs`, `find -exec`, `sh -c`.

use super::command::{Assignment, Command, Word};

/// What a command runs.
#[derive(Debug)]
pub(super) enum Inner {
    /// Words that are a command of their own.
    Words(Vec<Assignment>, Vec<Word>),
    /// A word that is shell code.
    Script(Word),
}

/// Programs that run another one: the options that take a value, and how many operands stand before the command.
const WRAPPERS: &[(&str, &[&str], usize)] = &[
    ("builtin", &[], 0),
    ("chroot", &[], 1),
    ("command", &[], 0),
    ("doas", &["-u", "-C"], 0),
    ("env", &["-u", "--unset", "-C", "--chdir"], 0),
    ("exec", &["-a"], 0),
    ("gosu", &[], 1),
    ("ionice", &["-c", "-n"], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("nohup", &[], 0),
    ("runuser", &["-u", "-g", "-G"], 0),
    ("setsid", &[], 0),
    ("stdbuf", &["-i", "-o", "-e"], 0),
    ("su-exec", &[], 1),
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user", "--group", "--host", "--prompt"], 0),
    ("time", &["-f", "-o"], 0),
    ("timeout", &["-s", "-k", "--signal", "--kill-after"], 1),
    ("xargs", &["-n", "-P", "-I", "-L", "-d", "-s", "-E", "-a", "--max-args", "--max-procs", "--delimiter", "--arg-file"], 0),
];

/// Shells whose `-c` word is shell code that we can read.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// Whether the name is that of a shell that we can read.
pub(super) fn is_posix_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// What the command runs for another.
pub(super) fn unwrap(command: &Command) -> Vec<Inner> {
    let name = command.name.as_str();
    if is_posix_shell(name) {
        return shell_code(command.arguments()).map(Inner::Script).into_iter().collect();
    }
    match name {
        "busybox" => return words_from(command.arguments(), 0),
        "eval" => {
            let text = command.arguments().iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            return vec![Inner::Script(Word::literal(&text))];
        }
        "find" => return find_exec(command.arguments()),
        "su" | "runuser" if command.has_argument("-c") || command.has_argument("--command") => {
            let at = command.arguments().iter().position(|word| word.text == "-c" || word.text == "--command");
            return at.and_then(|at| command.arguments().get(at + 1)).cloned().map(Inner::Script).into_iter().collect();
        }
        // `command -v x` asks and runs nothing.
        "command" if command.has_argument("-v") || command.has_argument("-V") => return Vec::new(),
        _ => {}
    }
    let Some((_, valued, operands)) = WRAPPERS.iter().find(|(wrapper, ..)| *wrapper == name) else { return Vec::new() };
    let words = command.arguments();
    let mut at = 0;
    let mut assignments = Vec::new();
    let mut skipped = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            at += 1;
        } else if valued.contains(&text) {
            at += 2;
        } else if text.starts_with('-') {
            at += 1;
        } else if let Some((variable, value)) =
            text.split_once('=').filter(|(variable, _)| matches!(name, "env" | "sudo") && is_name(variable))
        {
            assignments.push(Assignment { name: variable.to_owned(), value: Word { text: value.to_owned(), ..word.clone() } });
            at += 1;
        } else if skipped < *operands {
            skipped += 1;
            at += 1;
        } else {
            break;
        }
    }
    match words.get(at..) {
        Some(rest) if !rest.is_empty() || !assignments.is_empty() => vec![Inner::Words(assignments, rest.to_vec())],
        _ => Vec::new(),
    }
}

fn words_from(words: &[Word], at: usize) -> Vec<Inner> {
    words.get(at..).filter(|rest| !rest.is_empty()).map(|rest| Inner::Words(Vec::new(), rest.to_vec())).into_iter().collect()
}

/// The word after a bundle with `c`.
fn shell_code(words: &[Word]) -> Option<Word> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        if text == "-o" || text == "+o" || text == "-O" || text == "--rcfile" {
            words.next();
        } else if !text.starts_with("--") && text.starts_with('-') && text.contains('c') {
            // Further options may stand between `-c` and the code.
            return words.find(|word| !word.text.starts_with('-')).cloned();
        } else if !text.starts_with(['-', '+']) {
            return None;
        }
    }
    None
}

fn find_exec(words: &[Word]) -> Vec<Inner> {
    let mut out = Vec::new();
    let mut rest = words;
    while let Some(at) = rest.iter().position(|word| matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok")) {
        rest = rest.get(at + 1..).unwrap_or_default();
        let end = rest.iter().position(|word| matches!(word.text.as_str(), ";" | "+")).unwrap_or(rest.len());
        out.extend(words_from(rest.get(..end).unwrap_or_default(), 0));
        rest = rest.get(end..).unwrap_or_default();
    }
    out
}

/// Whether the text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
