//! A command in, the command that it runs for another out: `sudo`, `env`, `timeout`, `exec`, `xargs`, `find -exec`, `sh -c`.

use super::command::{Assignment, Command, HOLE, Word};

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
    ("catatonit", &[], 0),
    ("chronic", &[], 0),
    ("chroot", &[], 1),
    ("command", &[], 0),
    ("chpst", &["-u", "-U", "-b", "-e", "-/", "-n", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c", "-r", "-t"], 0),
    ("chrt", &[], 1),
    ("doas", &["-u", "-C"], 0),
    ("dumb-init", &["-r", "--rewrite"], 0),
    ("eatmydata", &[], 0),
    ("env", &["-u", "--unset", "-C", "--chdir"], 0),
    ("exec", &["-a"], 0),
    ("fakechroot", &["-e", "-c", "-d", "-l", "-b"], 0),
    ("fakeroot", &["-l", "-s", "-i", "-b"], 0),
    ("flock", &["-w", "--timeout", "-E"], 1),
    ("gosu", &[], 1),
    ("ionice", &["-c", "-n"], 0),
    ("linux32", &[], 0),
    ("linux64", &[], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("nocache", &["-n"], 0),
    ("nohup", &[], 0),
    ("nsenter", &["-t", "-S", "-G", "--target", "--setuid", "--setgid"], 0),
    ("proot", &["-r", "-b", "-w", "-q", "-k", "-S", "-R", "-m"], 0),
    ("proxychains", &["-f"], 0),
    ("proxychains4", &["-f"], 0),
    ("retry", &["-t", "-s", "-m", "-x", "-f", "--tries", "--sleep", "--min", "--max", "--fail"], 0),
    ("runuser", &["-u", "-g", "-G", "--user", "--group", "--supp-group"], 0),
    ("s6-setuidgid", &[], 1),
    ("setarch", &[], 1),
    (
        "setpriv",
        &[
            "--reuid",
            "--ruid",
            "--euid",
            "--regid",
            "--rgid",
            "--egid",
            "--groups",
            "--inh-caps",
            "--ambient-caps",
            "--bounding-set",
            "--securebits",
            "--pdeathsig",
        ],
        0,
    ),
    ("setsid", &[], 0),
    ("ssh-agent", &["-a", "-t", "-E"], 0),
    ("stdbuf", &["-i", "-o", "-e"], 0),
    ("strace", &["-o", "-e", "-s", "-u", "-p", "-P", "-E", "-a", "-b", "-I", "-O", "-S", "-U", "-X"], 0),
    ("su-exec", &[], 1),
    ("sudo", &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user", "--group", "--host", "--prompt"], 0),
    ("taskset", &[], 1),
    ("time", &["-f", "-o"], 0),
    ("timeout", &["-s", "-k", "--signal", "--kill-after"], 1),
    ("tini", &["-p", "-e"], 0),
    ("torify", &[], 0),
    ("torsocks", &["-u", "-p", "-a", "-P"], 0),
    ("unbuffer", &[], 0),
    ("unshare", &[], 0),
    ("xargs", &["-n", "-P", "-I", "-L", "-d", "-s", "-E", "-a", "--max-args", "--max-procs", "--delimiter", "--arg-file"], 0),
    ("xvfb-run", &["-n", "-s", "-e", "-f", "-w", "-p", "--server-args", "--server-num"], 0),
];

/// Programs that run another one behind a word of their own, and the options that take a value there.
const RUNNERS: &[(&str, &str, &[&str])] = &[
    ("asdf", "exec", &[]),
    ("bundle", "exec", &[]),
    ("conda", "run", &["-n", "-p", "--name", "--prefix", "--cwd"]),
    ("mamba", "run", &["-n", "-p", "--name", "--prefix", "--cwd"]),
    ("micromamba", "run", &["-n", "-p", "-r", "--name", "--prefix", "--cwd"]),
    ("mise", "exec", &[]),
    ("opam", "exec", &["--switch"]),
    ("pipenv", "run", &[]),
    ("poetry", "run", &[]),
    ("pyenv", "exec", &[]),
    ("rbenv", "exec", &[]),
    ("uv", "run", &["-p", "--python", "--with", "--project", "--directory", "--extra", "--group"]),
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
        let Some((code, given)) = shell_code(command.arguments()) else { return Vec::new() };
        // Behind the code stand `$0` and the words of `"$@"`.
        let runs_given = code.raw.contains("$@") || code.text.contains("$@") || code.text.contains(HOLE);
        let given = given.get(1..).filter(|given| runs_given && given.first().is_some_and(|word| word.text != "{}"));
        let given = given.map(|given| Inner::Words(Vec::new(), given.to_vec()));
        return std::iter::once(Inner::Script(code)).chain(given).collect();
    }
    match name {
        "busybox" | "toybox" => return words_from(command.arguments(), 0),
        "eval" => {
            let words = command.arguments();
            let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            let inner = words.iter().map(|word| word.inner.clone()).reduce(|all, one| all.start.min(one.start)..all.end.max(one.end));
            return vec![Inner::Script(Word { inner: inner.unwrap_or_default(), ..Word::literal(&text) })];
        }
        "find" => return find_exec(command.arguments()),
        "su" | "runuser" | "script" | "flock" | "nix-shell" if code_option(command.arguments()).is_some() => {
            let at = code_option(command.arguments());
            return at.and_then(|at| command.arguments().get(at + 1)).cloned().map(Inner::Script).into_iter().collect();
        }
        "env" if command.arguments().iter().any(|word| is_split(&word.text)) => {
            let text = command.arguments().iter().map(|word| after_split(&word.text)).collect::<Vec<_>>().join(" ");
            return vec![Inner::Script(Word::literal(text.trim_start()))];
        }
        // What a shell runs when it ends, or when a signal comes.
        "trap" => {
            let code = command.arguments().iter().find(|word| !word.text.starts_with('-'));
            return code.filter(|_| command.arguments().len() > 1).cloned().map(Inner::Script).into_iter().collect();
        }
        "alias" => {
            let values = command.arguments().iter().filter_map(|word| word.text.split_once('='));
            return values.map(|(_, code)| Inner::Script(Word::literal(code))).collect();
        }
        // The words become those of `"$@"`, which is run where nothing else is known of it.
        "set" => {
            let at = command.arguments().iter().position(|word| word.text == "--").map(|at| at + 1);
            let is_known =
                |at: &usize| command.arguments().get(*at).is_some_and(|word| !word.text.contains(HOLE) && !word.text.starts_with('-'));
            return at.filter(is_known).map(|at| words_from(command.arguments(), at)).unwrap_or_default();
        }
        "watch" | "parallel" => return joined(command.arguments()),
        "scl" if !command.has_argument("--") => {
            return command.arguments().last().filter(|_| command.has_argument("enable")).cloned().map(Inner::Script).into_iter().collect();
        }
        "scl" => {
            let at = command.arguments().iter().position(|word| word.text == "--").unwrap_or_default();
            return words_from(command.arguments(), at + 1);
        }
        // `command -v x` asks and runs nothing.
        "command" if asks(command.arguments()) => return Vec::new(),
        _ => {}
    }
    let runner = RUNNERS.iter().find(|(runner, word, _)| *runner == name && command.words.get(1).is_some_and(|first| first.text == *word));
    let (valued, operands, words) = match (runner, WRAPPERS.iter().find(|(wrapper, ..)| *wrapper == name)) {
        (Some((_, _, valued)), _) => (valued, &0, command.arguments().get(1..).unwrap_or_default()),
        (None, Some((_, valued, operands))) => (valued, operands, command.arguments()),
        (None, None) => return Vec::new(),
    };
    let mut at = 0;
    let mut assignments = Vec::new();
    let mut skipped = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            at += 1;
        } else if valued.contains(&text) || ends_valued(text, valued) {
            at += 2;
        } else if text.starts_with('-') {
            at += 1;
        } else if let Some((variable, value)) =
            text.split_once('=').filter(|(variable, _)| matches!(name, "env" | "sudo") && is_name(variable))
        {
            assignments.push(Assignment { name: variable.to_owned(), value: Word { text: value.to_owned(), ..word.clone() } });
            at += 1;
        } else if name == "retry" && text.parse::<u32>().is_ok() {
            // How often, in the spelling of functions that go by that name.
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

/// Whether `command` only asks what a name stands for.
fn asks(words: &[Word]) -> bool {
    words.iter().take_while(|word| word.text.starts_with('-') && word.text != "--").any(|word| word.text.contains(['v', 'V']))
}

/// Whether the last letter of a bundle is an option that takes the next word, and none before it takes the rest of the bundle: `sudo -Eu app`.
fn ends_valued(text: &str, valued: &[&str]) -> bool {
    let Some(letters) = text.strip_prefix('-').filter(|letters| letters.len() > 1 && letters.bytes().all(|b| b.is_ascii_alphabetic()))
    else {
        return false;
    };
    let takes = |letter: char| valued.iter().any(|option| option.strip_prefix('-').is_some_and(|name| name.chars().eq([letter])));
    letters.chars().position(takes) == Some(letters.len() - 1)
}

/// The place of an option that says that shell code follows: `-c`, `-lc`, `--command`.
fn code_option(words: &[Word]) -> Option<usize> {
    let is_code =
        |text: &str| matches!(text, "--command" | "--run") || (text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'));
    words.iter().position(|word| is_code(&word.text))
}

/// `env -S` splits the rest itself, much like a shell.
fn is_split(text: &str) -> bool {
    text.starts_with("--split-string") || (text.starts_with("-S") || text == "-vS")
}

fn after_split(text: &str) -> &str {
    let rest = text.strip_prefix("--split-string").map(|rest| rest.strip_prefix('=').unwrap_or(rest));
    rest.or_else(|| text.strip_prefix("-S")).or_else(|| text.strip_prefix("-vS")).unwrap_or(text)
}

/// The words that `watch` and `parallel` join to shell code.
fn joined(words: &[Word]) -> Vec<Inner> {
    let text = words.iter().skip_while(|word| word.text.starts_with('-') || word.text.parse::<f64>().is_ok());
    let text = text.take_while(|word| !word.text.starts_with(":::")).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    if text.is_empty() { Vec::new() } else { vec![Inner::Script(Word::literal(&text))] }
}

fn words_from(words: &[Word], at: usize) -> Vec<Inner> {
    words.get(at..).filter(|rest| !rest.is_empty()).map(|rest| Inner::Words(Vec::new(), rest.to_vec())).into_iter().collect()
}

/// The interpreter that the first line of a script names.
pub(super) fn interpreter(shebang: &str) -> &str {
    let mut words = shebang.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    match words.next() {
        Some("env") => words.find(|word| !word.starts_with('-')).unwrap_or("env"),
        other => other.unwrap_or_default(),
    }
}

/// The file that a shell runs; `None` when it reads its standard input.
pub(super) fn script_file(words: &[Word]) -> Option<&Word> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => return None,
            "--" => return words.next(),
            text if takes_value(text) => {
                words.next();
            }
            text if text.starts_with('-') && !text.starts_with("--") && text.contains('s') => return None,
            text if text.starts_with(['-', '+']) => {}
            _ => return Some(word),
        }
    }
    None
}

/// Whether an option of a shell takes the next word: `-o`, also at the end of a bundle as in `-euo pipefail`.
pub(super) fn takes_value(text: &str) -> bool {
    let bundle = text.starts_with(['-', '+']) && !text.starts_with("--") && text.ends_with(['o', 'O']);
    bundle || matches!(text, "--rcfile" | "--init-file")
}

/// The word after a bundle with `c`, and the words behind it.
fn shell_code(words: &[Word]) -> Option<(Word, &[Word])> {
    let mut is_coded = false;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        if !text.starts_with(['-', '+']) {
            // Further options may stand between `-c` and the code.
            return is_coded.then(|| (word.clone(), words.get(at + 1..).unwrap_or_default()));
        }
        is_coded |= text.starts_with('-') && !text.starts_with("--") && text.contains('c');
        at += 1 + usize::from(takes_value(text));
    }
    None
}

/// Whether a program starts a shell that reads its input, when it is given no command: `su`, `sudo -s`, `chroot /mnt`.
pub(super) fn starts_shell(command: &Command) -> bool {
    match command.name.as_str() {
        "su" | "chroot" | "nix-shell" | "newgrp" | "unshare" | "nsenter" | "ssh-agent" => true,
        "sudo" | "doas" => ["-s", "-i", "--shell", "--login"].iter().any(|option| command.has_argument(option)),
        _ => false,
    }
}

fn find_exec(words: &[Word]) -> Vec<Inner> {
    let mut out = Vec::new();
    let mut rest = words;
    while let Some(at) = rest.iter().position(|word| matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir")) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_for_another_is_found_behind_every_wrapper() {
        for (text, expected) in [
            ("sudo -E apt-get update", "apt-get update"),
            ("sudo -Eu app pip install x", "pip install x"),
            ("sudo -uapp -H pip install x", "pip install x"),
            ("sudo --preserve-env=A,B -n -- apt-get update", "apt-get update"),
            ("env -i -u B A=1 apt-get update", "apt-get update"),
            ("command -p apt-get install -v x", "apt-get install -v x"),
            ("command -pv apt-get", ""),
            ("nice -n 19 apt-get update", "apt-get update"),
            ("nice -19 apt-get update", "apt-get update"),
            ("ionice -c3 apt-get update", "apt-get update"),
            ("busybox wget x", "wget x"),
            ("eatmydata -- apt-get update", "apt-get update"),
            ("retry 5 apt-get update", "apt-get update"),
            ("retry -t 5 -- apt-get update", "apt-get update"),
            ("timeout --signal=KILL -k 5 30 apt-get update", "apt-get update"),
            ("strace -fo log apt-get update", "apt-get update"),
            ("unbuffer apt-get update", "apt-get update"),
            ("chroot /mnt apt-get update", "apt-get update"),
            ("setpriv --reuid 1000 --clear-groups apt-get update", "apt-get update"),
            ("runuser --user app -- pip install x", "pip install x"),
            ("nsenter -t 1 -m apt-get update", "apt-get update"),
        ] {
            let words: Vec<Word> = text.split(' ').map(Word::literal).collect();
            let command = Command { name: words[0].text.clone(), words, ..Command::default() };
            let run = |inner: &Inner| match inner {
                Inner::Words(_, words) => words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
                Inner::Script(word) => word.text.clone(),
            };
            assert_eq!(unwrap(&command).iter().map(run).collect::<Vec<_>>().join(";"), expected, "{text}");
        }
    }
}
