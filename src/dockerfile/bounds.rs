//! Shell code in, whether it is read at all out: how long and how deeply nested it may be, and the reasons why it was not read.

/// The deepest nesting of brackets and compound commands that is handed to the parser.
pub(super) const MAX_NESTING: usize = 24;
/// The longest script that is handed to the parser, in bytes.
pub(super) const MAX_SCRIPT: usize = 512 * 1024;
/// The most commands that one instruction may give.
pub(super) const MAX_COMMANDS: usize = 50_000;
/// How deep `sh -c`, `eval` and `$(...)` are followed.
pub(super) const MAX_SCRIPT_DEPTH: usize = 12;

/// Why shell code gave no commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Nested more deeply than is followed.
    TooDeep,
    /// Longer than is read.
    TooLong,
    /// No shell code, as far as the parser can tell.
    Syntax,
    /// Code for another interpreter.
    Foreign,
    /// Code that another program makes, or turns into something else.
    Lost,
    /// A variable that nothing decides stands for the program.
    Unknown,
}

impl Unread {
    /// The reason in words.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::TooDeep => "the shell code is nested too deeply",
            Self::TooLong => "the shell code is too long",
            Self::Syntax => "the shell code cannot be parsed",
            Self::Foreign => "code for another interpreter than a POSIX shell was not read",
            Self::Lost => "a shell runs code that another program makes",
            Self::Unknown => "nothing here says which program a variable names",
        }
    }
}

/// An upper bound for how deep brackets and compound commands are nested; quotes are not looked at, so it may say too much.
pub(super) fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for b in text.bytes() {
        match b {
            b'(' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let (mut depth, mut words, mut bangs) = (0_usize, 0_usize, 0_usize);
    for word in text.as_bytes().split(|b| b.is_ascii_whitespace() || matches!(b, b'\x0b' | b';' | b'&' | b'|')) {
        match word {
            b"if" | b"for" | b"while" | b"until" | b"case" | b"select" | b"coproc" => depth += 1,
            b"fi" | b"done" | b"esac" => depth = depth.saturating_sub(1),
            b"!" => bangs += 1,
            b"" => {}
            _ => bangs = 0,
        }
        words = words.max(depth).max(bangs);
    }
    deepest + words
}
