//! Pieces of text in, wrapped lines out. Names (ids, versions, paths) are never cut; prose is broken at blanks.

use anstyle::{AnsiColor, Style as Ansi};

use crate::{
    model::{severity::Severity, verdict::Outcome},
    report::{Style, escape},
};

/// Narrower terminals than this are treated as this wide.
const NARROWEST: usize = 40;

/// A piece of a line.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    text: String,
    ansi: Ansi,
    kind: Kind,
    pad: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Prose,
}

impl Piece {
    /// Text that is never cut.
    pub(super) fn name(text: impl Into<String>) -> Self {
        Self { text: text.into(), ansi: Ansi::new(), kind: Kind::Name, pad: 0 }
    }

    /// Text that may be broken at blanks.
    pub(super) fn prose(text: impl Into<String>) -> Self {
        Self { kind: Kind::Prose, ..Self::name(text) }
    }

    /// The same piece in another look.
    pub(super) const fn with(mut self, ansi: Ansi) -> Self {
        self.ansi = ansi;
        self
    }

    /// The same piece, at least `width` columns wide.
    pub(super) const fn padded(mut self, width: usize) -> Self {
        self.pad = width;
        self
    }
}

/// Collects the lines of a report.
#[derive(Debug)]
pub(super) struct Layout {
    style: Style,
    width: usize,
    out: String,
}

impl Layout {
    pub(super) fn new(style: Style) -> Self {
        Self { style, width: style.width.max(NARROWEST), out: String::new() }
    }

    /// An empty line, unless there is one already.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// One line of pieces, two blanks apart; what does not fit goes on at column `hang`.
    pub(super) fn line(&mut self, indent: usize, hang: usize, pieces: &[Piece]) {
        let mut row = Row { layout: self, column: 0, hang, fresh: true, pending: indent };
        for (at, piece) in pieces.iter().filter(|piece| !piece.text.is_empty()).enumerate() {
            let blanks = if at == 0 { 0 } else { 2 };
            row.piece(piece, blanks);
        }
        self.out.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

struct Row<'a> {
    layout: &'a mut Layout,
    column: usize,
    hang: usize,
    /// Nothing but blanks stands on the line.
    fresh: bool,
    /// Blanks owed before the next word, so that no line ends in blanks.
    pending: usize,
}

impl Row<'_> {
    fn piece(&mut self, piece: &Piece, blanks: usize) {
        let text = if self.layout.style.ascii { escape::ascii(&piece.text) } else { escape::visible(&piece.text) };
        let length = text.chars().count();
        if piece.kind == Kind::Prose {
            for (at, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
                self.word(word, word.chars().count(), if at == 0 { blanks } else { 1 }, piece.ansi);
            }
        } else {
            self.word(&text, length, blanks, piece.ansi);
        }
        self.pending += piece.pad.saturating_sub(length);
    }

    fn word(&mut self, word: &str, length: usize, blanks: usize, ansi: Ansi) {
        if !self.fresh {
            self.pending += blanks;
            if self.column + self.pending + length > self.layout.width {
                self.layout.out.push('\n');
                (self.column, self.fresh, self.pending) = (0, true, self.hang);
            }
        }
        self.layout.out.extend(std::iter::repeat_n(' ', self.pending));
        self.column += self.pending + length;
        (self.fresh, self.pending) = (false, 0);
        if self.layout.style.colour && ansi != Ansi::new() {
            use std::fmt::Write as _;
            let _ = write!(self.layout.out, "{ansi}{word}{ansi:#}");
        } else {
            self.layout.out.push_str(word);
        }
    }
}

/// Bold.
pub(super) const fn strong() -> Ansi {
    Ansi::new().bold()
}

/// Dimmed.
pub(super) const fn faint() -> Ansi {
    Ansi::new().dimmed()
}

/// The look of a severity.
pub(super) const fn severity(severity: Severity) -> Ansi {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Unknown => AnsiColor::Magenta.on_default(),
        Severity::Low | Severity::Negligible => Ansi::new(),
    }
}

/// The look of an outcome.
pub(super) const fn outcome(outcome: Outcome) -> Ansi {
    match outcome {
        Outcome::Pass => AnsiColor::Green.on_default().bold(),
        Outcome::Incomplete => AnsiColor::Yellow.on_default().bold(),
        Outcome::Fail => AnsiColor::Red.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_whole_and_prose_wraps() {
        let mut layout = Layout::new(Style { width: 40, ..Style::default() });
        let long = "a-name-that-is-longer-than-forty-columns-in-any-case";
        layout.line(2, 4, &[Piece::name("id").padded(6), Piece::name(long), Piece::prose("some words that need two lines at this width")]);
        let text = layout.finish();
        assert!(text.contains(long), "{text}");
        assert_eq!(text, format!("  id\n    {long}\n    some words that need two lines at\n    this width\n"));
    }

    #[test]
    fn colour_never_changes_the_words() {
        let draw = |colour| {
            let mut layout = Layout::new(Style { colour, ..Style::default() });
            layout.line(0, 0, &[Piece::name("FAIL").with(outcome(Outcome::Fail)), Piece::name("x\u{1b}[0m")]);
            layout.finish()
        };
        assert_eq!(draw(false), "FAIL  x\\u{1b}[0m\n");
        assert_eq!(draw(true), "\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m  x\\u{1b}[0m\n");
    }
}
