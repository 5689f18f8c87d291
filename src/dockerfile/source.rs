//! Dockerfile bytes in, text whose every byte keeps its offset out: places as lines and columns, and texts that were put together from several
//! lines with the way back to where each part stands.

use std::{ops::Range, sync::Arc};

use crate::model::location::Span;

/// The text of one Dockerfile; every byte keeps its offset, bytes that are no UTF-8 read as `?`.
#[derive(Debug)]
pub(super) struct Source {
    /// The text.
    pub(super) text: String,
    starts: Vec<usize>,
    /// How many characters stand before every block of [`BLOCK`] bytes; empty for ASCII, where that is the number of bytes.
    blocks: Vec<usize>,
}

/// How many bytes lie between two places whose characters are counted once and for all.
const BLOCK: usize = 512;

impl Source {
    /// Reads bytes; never fails.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let count = |block: &[u8]| {
            let start = before;
            before += characters(block);
            start
        };
        let blocks = if text.is_ascii() { Vec::new() } else { text.as_bytes().chunks(BLOCK).map(count).collect() };
        Self { text, starts, blocks }
    }

    /// The blank lines between two lines (from 1, both included), with their ends.
    pub(super) fn blank_lines(&self, first: u32, last: u32) -> Vec<Range<usize>> {
        let mut blank = Vec::new();
        for line in first..=last {
            let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
            if let Some((start, text)) = self.physical(index).filter(|(_, text)| text.trim().is_empty()) {
                blank.push(start..(start + text.len() + 1).min(self.text.len()));
            }
        }
        blank
    }

    /// One physical line (from 1) without its end, and where it starts.
    pub(super) fn on_line(&self, line: u32) -> Option<(usize, &str)> {
        self.physical(usize::try_from(line).ok()?.checked_sub(1)?)
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        number(self.starts.partition_point(|&start| start <= offset).max(1))
    }

    /// Lines and columns (in characters) of a byte range, the end inclusive.
    pub(super) fn span(&self, file: &Arc<str>, range: &Range<usize>) -> Span {
        let last = range.end.saturating_sub(1).max(range.start);
        Span {
            file: Arc::clone(file),
            line: self.line(range.start),
            column: Some(self.column(range.start)),
            end_line: self.line(last),
            end_column: Some(self.column(last)),
        }
    }

    fn column(&self, offset: usize) -> u32 {
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let offset = self.text.floor_char_boundary(offset).max(start);
        number(self.characters_before(offset) - self.characters_before(start) + 1)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let Some(&before) = self.blocks.get(offset / BLOCK) else {
            // At the very end, or in a text whose characters are bytes.
            return if self.blocks.is_empty() { offset } else { characters(self.text.as_bytes()) };
        };
        let block = self.text.as_bytes().get(offset / BLOCK * BLOCK..offset).unwrap_or_default();
        before + characters(block)
    }

    /// One physical line (index from 0) without its `\n`, and where it starts; `None` after the last one.
    pub(super) fn physical(&self, index: usize) -> Option<(usize, &str)> {
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        // What follows the last newline is a line only when there is something.
        (start < self.text.len()).then(|| (start, slice(&self.text, start..end)))
    }
}

/// How many characters begin in these bytes of a text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// A part of a text, empty when the range does not fit.
pub(super) fn slice(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// Where a word stands in a text with nothing beside it that `is_part` of a longer one.
pub(super) fn alone<'t>(text: &'t str, word: &'t str, is_part: impl Fn(char) -> bool) -> impl Iterator<Item = usize> {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let behind = slice(text, at + word.len()..text.len());
        !slice(text, 0..at).ends_with(&is_part) && !behind.starts_with(&is_part)
    })
}

/// Where a part of a text stands in it.
pub(super) fn offset_in(text: &str, part: &str) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (at + part.len() <= text.len()).then_some(at)
}

/// A count as a line or column number.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// One instruction's lines joined, with the way back to the original offsets.
#[derive(Debug, Clone, Default)]
pub(super) struct Logical {
    /// The joined text: continuations, comments and blank lines inside are gone, nothing is put at the joint.
    pub(super) text: String,
    pub(super) segments: Vec<(usize, usize)>,
    /// First line, from 1.
    pub(super) line: u32,
    /// Last line, without heredocs.
    pub(super) end_line: u32,
}

impl Logical {
    /// The original offset of an offset into the joined text.
    pub(super) fn offset(&self, at: usize) -> usize {
        let index = self.segments.partition_point(|&(start, _)| start <= at).max(1) - 1;
        self.segments.get(index).map_or(0, |&(start, source)| source + (at - start.min(at)))
    }

    /// The text from `at` on, with its way back.
    pub(super) fn tail(&self, at: usize) -> Self {
        let mut segments = vec![(0, self.offset(at))];
        segments.extend(self.segments.iter().filter(|&&(start, _)| start > at).map(|&(start, source)| (start - at, source)));
        Self { text: slice(&self.text, at..self.text.len()).to_owned(), segments, line: self.line, end_line: self.end_line }
    }

    /// A part of the text with its way back.
    pub(super) fn part(&self, range: &Range<usize>) -> Self {
        let first = self.segments.partition_point(|&(start, _)| start <= range.start);
        let mut segments = vec![(0, self.offset(range.start))];
        let inside = self.segments.get(first..).unwrap_or_default().iter().take_while(|(start, _)| *start < range.end);
        segments.extend(inside.map(|&(start, source)| (start - range.start, source)));
        Self { text: slice(&self.text, range.clone()).to_owned(), segments, line: self.line, end_line: self.end_line }
    }

    /// Adds text that stands at `source` in the original.
    pub(super) fn append(&mut self, text: &str, source: usize) {
        self.segments.push((self.text.len(), source));
        self.text.push_str(text);
    }

    /// Adds another text with its way back.
    pub(super) fn join(&mut self, other: &Self) {
        let start = self.text.len();
        self.segments.extend(other.segments.iter().map(|&(at, source)| (start + at, source)));
        self.text.push_str(&other.text);
    }

    /// No text.
    pub(super) const fn none() -> Self {
        Self { text: String::new(), segments: Vec::new(), line: 0, end_line: 0 }
    }

    /// A text of its own whose first byte stands at `source`.
    pub(super) fn of(text: &str, source: usize) -> Self {
        Self { text: text.to_owned(), segments: vec![(0, source)], line: 0, end_line: 0 }
    }

    /// The original range of a range of the joined text.
    pub(super) fn range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        let end = if range.end > range.start { self.offset(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}
