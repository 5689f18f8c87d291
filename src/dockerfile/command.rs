//! The nouns of shell code that rules look at: `Command`, `Word`, `Redirect`. Only [`super::shell`] makes them.

use std::ops::Range;

use super::spaces::Space;

/// Stands in [`Word::text`] for a part that nothing here decides.
pub(super) const HOLE: char = '\u{0}';

/// One simple command, in order of execution.
#[derive(Debug, Clone, Default)]
pub(super) struct Command {
    /// Base name of the program; empty when there are only assignments.
    pub(super) name: String,
    /// The program and its arguments.
    pub(super) words: Vec<Word>,
    /// `A=b` before the program.
    pub(super) assignments: Vec<Assignment>,
    /// Its own redirects and those of the groups around it.
    pub(super) redirects: Vec<Redirect>,
    /// The pipelines around it, outermost first.
    pub(super) pipes: Vec<Pipe>,
    /// What joins it to the command before it.
    pub(super) joined: Operator,
    /// Whether another program (sudo, env, sh -c ...) runs it.
    pub(super) wrapped: bool,
    /// Whether it stands in a function body.
    pub(super) in_function: bool,
    /// Whether what it prints is the value of a `$(...)` or `<(...)`.
    pub(super) is_captured: bool,
    /// Whether its failure may be noticed: by `&&`, `||`, an `if` or a loop, `set -e`, a look at `$?`, or since nothing follows it. Always so in a
    /// function, and where another program runs it.
    pub(super) is_heeded: bool,
    /// Where it stands in the original.
    pub(super) range: Range<usize>,
}

/// A word after quotes, escapes and known variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// As written.
    pub(super) raw: String,
    /// Its value, with a [`HOLE`] for every part that is not known.
    pub(super) text: String,
    /// The commands of its `$(...)` and `<(...)`, as places in the list of commands.
    pub(super) inner: Range<usize>,
    /// Whether it is a `<(...)` or `>(...)`.
    pub(super) is_process: bool,
    /// Whether a `$(...)` outside `${...}` and arithmetic is a part of it.
    pub(super) is_substituted: bool,
    /// What is known of the blanks in its value.
    pub(super) space: Space,
    /// Where it stands in the original; empty for a word that does not stand there as such.
    pub(super) range: Range<usize>,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Name.
    pub(super) name: String,
    /// Value.
    pub(super) value: Word,
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    /// What it does.
    pub(super) kind: RedirectKind,
    /// File name, here-string or here-document.
    pub(super) target: Word,
    /// Where the target starts in the original.
    pub(super) at: usize,
}

/// What a redirect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RedirectKind {
    /// `<` from a file.
    Read,
    /// `>`, `>>`, `>|`, `&>` to a file.
    Write,
    /// `<<<` and `<<`: the text itself.
    Text,
}

/// A place in a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pipe {
    /// Which pipeline of the instruction.
    pub(super) id: usize,
    /// Which member, from 0.
    pub(super) position: usize,
}

/// What joins a command to the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Operator {
    /// It is the first, or follows `;` or a line end.
    #[default]
    Sequence,
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// Whether a text is one [`HOLE`] and nothing else but blanks.
pub(super) fn is_hole(text: &str) -> bool {
    let mut parts = text.trim().chars();
    parts.next() == Some(HOLE) && parts.next().is_none()
}

impl Word {
    /// A word that is nothing but text.
    pub(super) fn literal(text: &str) -> Self {
        Self { raw: text.to_owned(), text: text.to_owned(), space: Space::of(text), ..Self::default() }
    }

    /// The value, when all of it is known.
    pub(super) fn known(&self) -> Option<&str> {
        (!self.text.contains(HOLE)).then_some(self.text.as_str())
    }

    /// Whether nothing of the value is known: it is one variable, one substitution.
    pub(super) fn is_unknown(&self) -> bool {
        is_hole(&self.text)
    }
}

impl Command {
    /// The arguments after the program.
    pub(super) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Whether one of the arguments is exactly `text`.
    pub(super) fn has_argument(&self, text: &str) -> bool {
        self.arguments().iter().any(|word| word.text == text)
    }

    /// Whether the program's name is one of `names`.
    pub(super) fn is_one_of(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// Whether it removes what lies in one of these folders, or the folders themselves.
    pub(super) fn removes(&self, folders: &[&str]) -> bool {
        let lies_in = |path: &str| {
            let path = path.trim_end_matches(['*', '/']);
            folders.iter().any(|folder| path == *folder || folder.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
        };
        let is_removal = self.name == "rm" || (self.name == "find" && self.has_argument("-delete"));
        is_removal && self.arguments().iter().any(|word| lies_in(&word.text))
    }

    /// Whether an assignment before it gives a variable a value that `fits`.
    pub(super) fn sees(&self, name: &str, fits: impl Fn(&str) -> bool) -> bool {
        self.assignments.iter().any(|assignment| assignment.name == name && fits(&assignment.value.text))
    }

    /// The files that it writes by redirects or as `tee`.
    pub(super) fn written_files(&self) -> impl Iterator<Item = &str> {
        self.written_words().map(|word| word.text.as_str())
    }

    /// The words that name these files.
    pub(super) fn written_words(&self) -> impl Iterator<Item = &Word> {
        let redirects = self.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Write).map(|redirect| &redirect.target);
        let tee = self.arguments().iter().filter(|word| self.name == "tee" && !word.text.starts_with('-'));
        redirects.chain(tee)
    }
}
