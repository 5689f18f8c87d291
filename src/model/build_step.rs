//! `BuildStep`: the text of a history entry in, what the builder did out. Each builder writes in its own form: BuildKit
//! `RUN |1 A=b /bin/sh -c make # buildkit`, the classic builder `|1 A=b /bin/sh -c make` and `/bin/sh -c #(nop)  ENV A=b`, buildah nearly that,
//! kaniko the instruction itself (<https://github.com/opencontainers/image-spec/blob/main/config.md#properties>, `history`).

use std::collections::BTreeMap;

/// Most words that a shell and its options have.
pub const SHELL_WORDS: usize = 12;
/// What the classic builder puts in front of an instruction that ran nothing.
pub const NOP: &str = "#(nop)";
/// Longest name of a variable.
const NAME: usize = 200;
/// Longest value that is looked for.
const VALUE: usize = 4096;
/// Longest word of a shell.
const SHELL_WORD: usize = 300;
const BUILDKIT: &str = "# buildkit";

/// What a builder did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildStep<'a> {
    /// It ran code.
    Run(Ran<'a>),
    /// It set a variable of the image.
    Env(&'a str),
    /// It declared a build argument, with its value if it had one.
    Arg(&'a str),
    /// It copied, and the text says what: the words behind ADD or COPY, flags among them.
    Copy {
        /// ADD or COPY.
        keyword: &'a str,
        /// What follows.
        words: &'a str,
    },
    /// It set the shell of the instructions behind it, by these words.
    Shell(Vec<&'a str>),
    /// Something that the configuration tells as well, or nothing that can be read.
    Other,
}

/// Code that a builder ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran<'a> {
    /// The build arguments that stand in front of it, with their values.
    pub arguments: Vec<(&'a str, &'a str)>,
    /// The shell with its options; none where a program was run without one, or where the builder names none.
    pub shell: Option<Vec<&'a str>>,
    /// The code.
    pub code: &'a str,
    /// Whether the text has the form in which a builder tells of a RUN; another text may be anything.
    pub is_certain: bool,
}

impl<'a> BuildStep<'a> {
    /// Reads an entry; `shell` are the words of the last SHELL before it.
    #[must_use]
    pub fn of(created_by: &'a str, shell: &[&str]) -> Self {
        let text = created_by.trim();
        let (text, is_buildkit) = text.strip_suffix(BUILDKIT).map_or((text, false), |text| (text.trim_end(), true));
        let word = first_word(text);
        if word == "RUN" {
            let rest = text.get(word.len()..).unwrap_or_default().trim_start();
            return Self::Run(Ran { is_certain: true, ..ran(rest, shell) });
        }
        if is_keyword(word) {
            return Self::instruction(text, word, true);
        }
        if let Some(nop) = shell_prefix(text).and_then(|(_, rest)| rest.trim_start().strip_prefix(NOP)) {
            let text = nop.trim_start();
            return Self::instruction(text, first_word(text), false);
        }
        if text.is_empty() {
            return Self::Other;
        }
        let ran = ran(text, shell);
        let is_certain = is_buildkit || ran.shell.is_some() || text.starts_with('|');
        Self::Run(Ran { is_certain, code: without_suffix(ran.code), ..ran })
    }

    fn instruction(text: &'a str, word: &str, names_sources: bool) -> Self {
        let rest = text.get(word.len()..).unwrap_or_default().trim();
        match word {
            "ENV" => Self::Env(rest),
            "ARG" => Self::Arg(rest),
            // The classic builder names a digest of the content, and where it went.
            "ADD" | "COPY" if names_sources && !["file:", "dir:", "multi:"].iter().any(|mark| rest.starts_with(mark)) => {
                Self::Copy { keyword: if word == "ADD" { "ADD" } else { "COPY" }, words: rest }
            }
            "SHELL" => Self::Shell(shell_words(rest)),
            _ => Self::Other,
        }
    }
}

/// Takes build arguments and shell off a RUN.
fn ran<'a>(text: &'a str, shell: &[&str]) -> Ran<'a> {
    let (text, count) = behind_argument_count(text);
    let (arguments, text) = count.map_or((Vec::new(), text), |count| arguments(text, count, shell));
    let (shell, code) = match in_shell(text, shell) {
        Some((words, code)) => (Some(words), code),
        None => (None, text),
    };
    Ran { arguments, shell, code, is_certain: false }
}

/// The words of a shell at the head of the text, the one of the moment or any that is known, and the code behind it.
fn in_shell<'a>(text: &'a str, shell: &[&str]) -> Option<(Vec<&'a str>, &'a str)> {
    let named = || {
        let (mut rest, mut words) = (text, Vec::new());
        for word in shell {
            let behind = rest.strip_prefix(word)?;
            words.push(rest.get(..word.len())?);
            rest = if behind.is_empty() { behind } else { behind.strip_prefix(' ')? };
        }
        (!words.is_empty()).then_some((words, rest))
    };
    named().or_else(|| shell_prefix(text))
}

/// The words of a known shell with its options at the head of the text, and the code behind them.
fn shell_prefix(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut words, mut end) = (Vec::new(), 0);
    for word in text.split(' ').take(SHELL_WORDS) {
        if words.is_empty() && !is_shell_program(word) {
            return None;
        }
        end += word.len();
        words.push(word);
        if is_shell(&words) {
            return Some((words, text.get(end + 1..).unwrap_or_default()));
        }
        end += 1;
    }
    None
}

/// Takes `count` build arguments off the head of a text. Their values are not quoted: one ends where the next begins, the last at the shell.
fn arguments<'a>(text: &'a str, count: usize, shell: &[&str]) -> (Vec<(&'a str, &'a str)>, &'a str) {
    let mut starts: Vec<usize> = Vec::new();
    let (mut at, mut end) = (0, None);
    // Where no shell follows, the last value has no blank.
    let mut least = 0;
    for word in text.split(' ') {
        let rest = text.get(at..).unwrap_or_default();
        if starts.len() >= count && in_shell(rest, shell).is_some() {
            end = Some(at);
            break;
        }
        if starts.len() < count && word.split_once('=').is_some_and(|(name, _)| is_variable(name)) {
            starts.push(at);
            least = at + word.len();
        }
        at += word.len() + 1;
    }
    let end = end.unwrap_or(least);
    let ends = starts.iter().skip(1).copied().chain([end]);
    let values = starts.iter().zip(ends).filter_map(|(&start, end)| text.get(start..end)?.trim_end().split_once('='));
    (values.collect(), text.get(end..).unwrap_or_default().trim_start())
}

/// The pairs of an ENV as builders write it: `A=1 B=x y`, without quotes. What the image's environment says of a variable tells where its value
/// ends; without it a value ends where something like another variable begins.
#[must_use]
pub fn variables<'a>(text: &'a str, environment: &BTreeMap<&str, &str>) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    let is_assigned = |word: &str| word.split_once('=').is_some_and(|(name, _)| is_variable(name));
    if !is_assigned(first_word(rest)) {
        // The form with a blank sets one variable.
        return rest.split_once(char::is_whitespace).filter(|(name, _)| is_variable(name)).into_iter().collect();
    }
    while let Some((name, behind)) = rest.split_once('=').filter(|(name, _)| is_variable(name)) {
        // A longer value would be compared again and again.
        let known = environment.get(name).filter(|value| {
            value.len() <= VALUE && behind.strip_prefix(**value).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        let end = known.map_or_else(
            || {
                let mut at = 0;
                let next = behind.split(' ').find_map(|word| {
                    let start = at;
                    at += word.len() + 1;
                    (start > 0 && is_assigned(word)).then_some(start)
                });
                next.unwrap_or(behind.len())
            },
            |value| value.len(),
        );
        pairs.push((name, behind.get(..end).unwrap_or_default().trim_end()));
        rest = behind.get(end..).unwrap_or_default().trim_start();
    }
    pairs
}

/// The words of a SHELL: in brackets without quotes, or as a JSON array.
fn shell_words(text: &str) -> Vec<&str> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let separator = if inner.trim_start().starts_with('"') { ',' } else { ' ' };
    inner
        .split(separator)
        .map(|word| word.trim().trim_matches('"'))
        .filter(|word| !word.is_empty() && word.len() <= SHELL_WORD)
        .take(SHELL_WORDS)
        .collect()
}

/// The text without what buildah appends: `|name=value`. A command behind a bar has blanks, or does nothing.
fn without_suffix(text: &str) -> &str {
    let cut = text.rsplit_once('|').filter(|(_, suffix)| {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        !suffix.contains(char::is_whitespace) && suffix.split_once('=').is_some_and(|(name, _)| is_name(name))
    });
    cut.map_or(text, |(text, _)| text.trim_end())
}

/// The text behind `|N `, which stands in front of N build arguments, and how many.
#[must_use]
pub fn behind_argument_count(text: &str) -> (&str, Option<usize>) {
    let Some((count, rest)) = text.strip_prefix('|').and_then(|rest| rest.split_once(' ')) else { return (text, None) };
    let is_count = !count.is_empty() && count.len() < 6 && count.bytes().all(|byte| byte.is_ascii_digit());
    if is_count { (rest, count.parse().ok()) } else { (text, None) }
}

/// Whether the word names a shell.
#[must_use]
pub fn is_shell_program(program: &str) -> bool {
    const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "zsh", "ksh", "busybox", "cmd", "powershell", "pwsh"];
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.strip_suffix(".exe").or_else(|| name.strip_suffix(".EXE")).unwrap_or(name);
    SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(name))
}

/// Whether the words are a shell with the options with which builders run it.
#[must_use]
pub fn is_shell(words: &[&str]) -> bool {
    let Some((program, options)) = words.split_first() else { return false };
    let is_option = |word: &&str| word.starts_with(['-', '/']) || matches!(*word, "pipefail" | "errexit" | "nounset" | "xtrace" | "sh");
    let ends = options.last().is_some_and(|last| {
        let last = last.to_ascii_lowercase();
        last == "/c" || last == "-command" || last.starts_with('-') && !last.starts_with("--") && last.ends_with('c')
    });
    is_shell_program(program) && words.len() <= SHELL_WORDS && ends && options.iter().all(is_option)
}

/// The first word of a text.
#[must_use]
pub fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// Whether the word begins an instruction.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    WORDS.contains(&word)
}

/// Whether the text can be the name of a variable.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(created_by: &str, shell: &[&str]) -> String {
        match BuildStep::of(created_by, shell) {
            BuildStep::Run(ran) => {
                let arguments: Vec<String> = ran.arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let shell = ran.shell.map_or("-".to_owned(), |words| words.join(","));
                format!("{}{} | {shell} | {}", if ran.is_certain { "" } else { "?" }, arguments.join(","), ran.code)
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_builder_is_read() {
        let table = [
            ("/bin/sh -c make  all", " | /bin/sh,-c | make  all"),
            ("RUN /bin/sh -c make # buildkit", " | /bin/sh,-c | make"),
            ("RUN |1 A=b /bin/sh -c make # buildkit", "A=b | /bin/sh,-c | make"),
            ("RUN |2 A=x y B= /bin/sh -c make B=1 # buildkit", "A=x y,B= | /bin/sh,-c | make B=1"),
            ("|2 A=1 B=2 /bin/bash -o pipefail -c curl x | sh", "A=1,B=2 | /bin/bash,-o,pipefail,-c | curl x | sh"),
            ("|1 A=b python -m x=1", "A=b | - | python -m x=1"),
            ("|0 python -m x", " | - | python -m x"),
            ("RUN |0 /bin/sh -c true # buildkit", " | /bin/sh,-c | true"),
            ("RUN |1 X=/bin/sh -c x /bin/sh -c y # buildkit", "X=/bin/sh -c x | /bin/sh,-c | y"),
            ("RUN curl -k https://x.dev", " | - | curl -k https://x.dev"),
            ("cmd /S /C dir", " | cmd,/S,/C | dir"),
            ("powershell -Command $x = 1; dir", " | powershell,-Command | $x = 1; dir"),
            ("RUN /bin/sh -c echo one\ncurl -k https://x.dev\n # buildkit", " | /bin/sh,-c | echo one\ncurl -k https://x.dev"),
            ("/bin/sh -c make|inheritLabels=false", " | /bin/sh,-c | make"),
            ("/bin/sh -c curl x|VERSION=1 sh", " | /bin/sh,-c | curl x|VERSION=1 sh"),
            ("RUN /bin/sh -c echo '#(nop)  ENV A=1' && curl -k x # buildkit", " | /bin/sh,-c | echo '#(nop)  ENV A=1' && curl -k x"),
            ("/bin/sh -c echo '#(nop) ' && curl -k x", " | /bin/sh,-c | echo '#(nop) ' && curl -k x"),
            ("bazel build //x", "? | - | bazel build //x"),
            ("/bin/sh -c #(nop)  ENV A=1 B=x y", "Env(\"A=1 B=x y\")"),
            ("cmd /S /C #(nop)  ENV A=1", "Env(\"A=1\")"),
            ("ENV A=1 B=x y", "Env(\"A=1 B=x y\")"),
            ("ARG T=x", "Arg(\"T=x\")"),
            ("/bin/sh -c #(nop) ADD file:0b6e in / ", "Other"),
            ("ADD file:0b6e in / ", "Other"),
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "Other"),
            ("COPY --chown=1:1 a b /c # buildkit", "Copy { keyword: \"COPY\", words: \"--chown=1:1 a b /c\" }"),
            ("ADD https://x.dev/a /a # buildkit", "Copy { keyword: \"ADD\", words: \"https://x.dev/a /a\" }"),
            ("SHELL [/bin/bash -ec]", "Shell([\"/bin/bash\", \"-ec\"])"),
            ("SHELL [\"/bin/bash\", \"-ec\"]", "Shell([\"/bin/bash\", \"-ec\"])"),
            ("", "Other"),
            ("RUN", " | - | "),
            ("|", " | - | |"),
        ];
        for (created_by, expected) in table {
            assert_eq!(told(created_by, &[]), expected, "{created_by}");
        }
        let own = ["/usr/bin/env", "fish", "-c"];
        assert_eq!(told("RUN |1 A=b /usr/bin/env fish -c x y # buildkit", &own), "A=b | /usr/bin/env,fish,-c | x y");
        assert_eq!(told("RUN /bin/sh -c x y # buildkit", &own), " | /bin/sh,-c | x y");
    }

    #[test]
    fn values_end_where_the_environment_says() {
        let environment = BTreeMap::from([("A", "x y=z B=1"), ("PATH", "/bin")]);
        let check = |text: &str, expected: &[(&str, &str)]| assert_eq!(variables(text, &environment), expected, "{text}");
        check("A=x y=z B=1 C=2", &[("A", "x y=z B=1"), ("C", "2")]);
        check("A=1 B=x y C=", &[("A", "1"), ("B", "x y"), ("C", "")]);
        check("PATH=/bin:/x", &[("PATH", "/bin:/x")]);
        check("A some words", &[("A", "some words")]);
        check("A", &[]);
        check("", &[]);
    }

    #[test]
    fn long_texts_take_linear_time() {
        let many = format!("RUN |99999 {}", "A=1 ".repeat(500_000));
        assert!(matches!(BuildStep::of(&many, &[]), BuildStep::Run(ran) if ran.arguments.len() == 99_999));
        let shells = format!("|3 {}", "/bin/sh -x ".repeat(300_000));
        assert!(matches!(BuildStep::of(&shells, &[]), BuildStep::Run(_)));
        assert_eq!(variables(&"A=1 ".repeat(500_000), &BTreeMap::new()).len(), 500_000);
    }
}
