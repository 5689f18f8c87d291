//! A Dockerfile's bytes in, its instructions and what BuildKit's parser refuses out. The only file that names `dockerfile_parser`:
//! image references are split by it. Of FROM, ARG, ENV, LABEL, CMD and ENTRYPOINT our own reader stands, also where the crate reads
//! them differently; a test compares the two over the corpus, one cleaned instruction at a time.

use dockerfile_parser::ImageRef;
#[cfg(test)]
use dockerfile_parser::{Dockerfile as Parsed, Instruction as Typed, ShellOrExecExpr};

use super::{
    heredoc,
    instruction::{Instruction, TriggerAllowed},
    lines::{Comment, Directives, Lines},
    source::Source,
};

/// The longest instruction that `dockerfile_parser` is given, in bytes; its grammar recurses once per escaped quote.
#[cfg(test)]
const MAX_GUEST_BYTES: usize = 16_384;
/// The most backslashes in an instruction that it is given.
#[cfg(test)]
const MAX_GUEST_ESCAPES: usize = 64;
/// The most instructions that are read; a file with more is refused as a whole beyond that line.
const MAX_INSTRUCTIONS: usize = 100_000;
/// The most stages; rules go down the chain of a stage.
const MAX_STAGES: usize = 2_000;

/// Who refuses, in BuildKit's order: a file fails at the lowest phase that finds fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The line parser.
    Parse,
    /// The typed instruction.
    Instruction,
    /// Stage graph and expansion.
    Build,
}

/// One thing that BuildKit refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Who refuses.
    pub(super) phase: Phase,
    /// First line.
    pub(super) line: u32,
    /// Last line.
    pub(super) end_line: u32,
    /// BuildKit's words.
    pub(super) message: String,
    /// Whether a `--build-arg` would make it build.
    pub(super) needs_argument: bool,
}

impl Refusal {
    /// A refusal that no build argument changes.
    pub(super) fn new(phase: Phase, instruction: &Instruction, message: String) -> Self {
        Self { phase, line: instruction.line, end_line: instruction.end_line, message, needs_argument: false }
    }
}

/// What reading gives.
#[derive(Debug)]
pub(super) struct Reading {
    /// The text.
    pub(super) source: Source,
    /// The head of the file.
    pub(super) directives: Directives,
    /// Instructions in order, those that were refused included.
    pub(super) instructions: Vec<Instruction>,
    /// Comments outside heredocs.
    pub(super) comments: Vec<Comment>,
    /// Refusals of the line parser.
    pub(super) refusals: Vec<Refusal>,
}

/// Reads a Dockerfile; a fault in one instruction is noted and reading goes on with the next.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let source = Source::new(bytes);
    let mut lines = Lines::new(&source);
    let mut instructions = Vec::new();
    let mut refusals = Vec::new();
    let mut stages = 0;
    while let Some(logical) = lines.next_logical() {
        if instructions.len() >= MAX_INSTRUCTIONS || stages > MAX_STAGES {
            let message = format!("more than {MAX_INSTRUCTIONS} instructions or {MAX_STAGES} stages");
            refusals.push(Refusal { phase: Phase::Parse, line: logical.line, end_line: logical.end_line, message, needs_argument: false });
            break;
        }
        if logical.text.trim().is_empty() {
            continue;
        }
        let (mut instruction, fault) = Instruction::split(&logical, 0, lines.directives.escape, TriggerAllowed::Yes);
        refusals.extend(fault.map(|message| Refusal::new(Phase::Parse, &instruction, message)));
        stages += usize::from(instruction.keyword == "FROM");
        if instruction.takes_heredocs() {
            for mut opener in heredoc::openers(&logical.text) {
                let Some(body) = lines.heredoc(&opener.name, opener.chomp) else {
                    refusals.push(Refusal::new(Phase::Parse, &instruction, "unterminated heredoc".to_owned()));
                    break;
                };
                opener.body = body;
                instruction.range.end = instruction.range.end.max(opener.body.end + opener.name.len());
                instruction.heredocs.push(opener);
                instruction.end_line = lines.line();
            }
        }
        instructions.push(instruction);
    }
    let Lines { directives, comments, faults, .. } = lines;
    refusals.extend(faults.into_iter().map(|(line, message)| Refusal {
        phase: Phase::Parse,
        line,
        end_line: line,
        message,
        needs_argument: false,
    }));
    if instructions.is_empty() {
        refusals.push(Refusal {
            phase: Phase::Parse,
            line: 1,
            end_line: 1,
            message: "file with no instructions".to_owned(),
            needs_argument: false,
        });
    }
    Reading { source, directives, instructions, comments, refusals }
}

/// The parts of an image reference as written; nothing is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageName {
    /// Registry host, when named.
    pub(super) registry: Option<String>,
    /// Repository.
    pub(super) repository: String,
    /// Tag.
    pub(super) tag: Option<String>,
    /// Digest with its algorithm.
    pub(super) digest: Option<String>,
}

/// Splits an image reference.
pub(super) fn image_name(text: &str) -> ImageName {
    let ImageRef { registry, image, tag, hash } = ImageRef::parse(text);
    // The crate leaves the tag in the name when a digest follows.
    match image.rsplit_once(':') {
        Some((name, tag)) if hash.is_some() && !tag.contains('/') => {
            ImageName { registry, repository: name.to_owned(), tag: Some(tag.to_owned()), digest: hash }
        }
        _ => ImageName { registry, repository: image, tag, digest: hash },
    }
}

/// What `dockerfile_parser` makes of one instruction, in our words; `None` when it is not asked or refuses.
#[cfg(test)]
pub(super) fn second_opinion(instruction: &Instruction) -> Option<Opinion> {
    let text = instruction.text();
    let asked = matches!(instruction.keyword.as_str(), "FROM" | "ARG" | "ENV" | "LABEL" | "CMD" | "ENTRYPOINT");
    if !asked || text.len() > MAX_GUEST_BYTES || text.bytes().filter(|&b| b == b'\\').count() > MAX_GUEST_ESCAPES {
        return None;
    }
    let parsed = Parsed::parse(text).ok()?;
    match parsed.instructions.into_iter().next()? {
        Typed::From(from) => Some(Opinion::From { image: from.image.content, alias: from.alias.map(|alias| alias.content) }),
        Typed::Arg(arg) => Some(Opinion::Pairs(vec![(arg.name.content, arg.value.map(|value| value.content))])),
        Typed::Env(env) => Some(Opinion::Pairs(env.vars.into_iter().map(|var| (var.key.content, Some(var.value.to_string()))).collect())),
        Typed::Label(label) => Some(Opinion::Pairs(label.labels.into_iter().map(|l| (l.name.content, Some(l.value.content))).collect())),
        Typed::Cmd(cmd) => Some(Opinion::exec(&cmd.expr)),
        Typed::Entrypoint(entrypoint) => Some(Opinion::exec(&entrypoint.expr)),
        _ => None,
    }
}

/// An answer of `dockerfile_parser`.
#[cfg(test)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opinion {
    /// FROM.
    From {
        /// The image as written.
        image: String,
        /// The stage name as written.
        alias: Option<String>,
    },
    /// ARG, ENV and LABEL: names and values without quotes.
    Pairs(Vec<(String, Option<String>)>),
    /// CMD and ENTRYPOINT: the elements, `None` in shell form.
    Exec(Option<Vec<String>>),
}

#[cfg(test)]
impl Opinion {
    fn exec(expr: &ShellOrExecExpr) -> Self {
        Self::Exec(expr.as_exec().map(|array| array.elements.iter().map(|element| element.content.clone()).collect()))
    }
}

/// The image and the stage name of a FROM, as written.
pub(super) fn from_words(instruction: &Instruction) -> Option<(String, Option<String>)> {
    match instruction.args.as_slice() {
        [image] => Some((image.text.clone(), None)),
        [image, word, name] if word.text.eq_ignore_ascii_case("as") => Some((image.text.clone(), Some(name.text.clone()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names_are_split() {
        let name = |r: Option<&str>, i: &str, t: Option<&str>, d: Option<&str>| ImageName {
            registry: r.map(str::to_owned),
            repository: i.to_owned(),
            tag: t.map(str::to_owned),
            digest: d.map(str::to_owned),
        };
        let table = [
            ("alpine", name(None, "alpine", None, None)),
            ("alpine:3", name(None, "alpine", Some("3"), None)),
            ("host:5000/x/y", name(Some("host:5000"), "x/y", None, None)),
            ("host:5000/x:1@sha256:aa", name(Some("host:5000"), "x", Some("1"), Some("sha256:aa"))),
            ("a:1@sha256:aa", name(None, "a", Some("1"), Some("sha256:aa"))),
        ];
        for (text, expected) in table {
            assert_eq!(image_name(text), expected, "{text}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_fault() {
        let reading = read(b"FROM a\nENV A\nRUN <<EOF\nUSER x\n");
        let words: Vec<_> = reading.instructions.iter().map(|i| i.keyword.as_str()).collect();
        assert_eq!(words, ["FROM", "ENV", "RUN", "USER"]);
        assert_eq!(reading.refusals.len(), 2);
        assert_eq!(read(b"# x\n").refusals.len(), 1);
    }

    #[test]
    fn the_crate_is_not_believed_blindly() {
        let reading = read(b"FROM a\nCMD ['a','b']\n");
        let cmd = reading.instructions.last().expect("CMD");
        assert!(!cmd.json);
        assert_eq!(second_opinion(cmd), Some(Opinion::Exec(Some(vec!["a".to_owned(), "b".to_owned()]))));
    }

    #[test]
    fn hostile_quotes_do_not_reach_the_crate() {
        let text = format!("FROM a\nENV A=\"{}\"\n", "\\\"".repeat(30_000));
        let reading = read(text.as_bytes());
        assert_eq!(second_opinion(reading.instructions.last().expect("ENV")), None);
    }
}
