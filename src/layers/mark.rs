//! A file's content in pieces in, whether it bears a `Mark` out. Nothing is kept but the last few bytes.

use crate::layers::Mark;

/// Looks for one mark in one file.
pub(super) struct Search {
    mark: &'static Mark,
    /// Bytes of a step of eight that the last piece cut.
    pending: Vec<u8>,
    first_half: bool,
    found: bool,
}

impl Search {
    pub(super) fn new(mark: &'static Mark) -> Self {
        Self { mark, pending: Vec::with_capacity(8), first_half: false, found: false }
    }

    /// Looks at the next piece.
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        if self.found {
            return;
        }
        if !self.pending.is_empty() {
            let missing = (8 - self.pending.len()).min(piece.len());
            let (head, rest) = piece.split_at(missing);
            self.pending.extend_from_slice(head);
            piece = rest;
            if self.pending.len() < 8 {
                return;
            }
            let pending = std::mem::take(&mut self.pending);
            self.step(&pending);
        }
        let mut steps = piece.chunks_exact(8);
        for step in steps.by_ref() {
            self.step(step);
        }
        self.pending.extend_from_slice(steps.remainder());
    }

    /// Whether the mark was there.
    pub(super) const fn found(&self) -> bool {
        self.found
    }

    fn step(&mut self, step: &[u8]) {
        let (first, second) = self.mark.inside;
        self.found |= self.first_half && step.starts_with(second);
        self.first_half = step == first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &Mark = &Mark { start: b"", inside: (b"12345678", b"ab") };

    #[test]
    fn marks_are_found_at_steps_of_eight_however_the_pieces_are_cut() {
        let check = |bytes: &[u8], expected: bool| {
            for size in 1..=bytes.len() {
                let mut search = Search::new(MARK);
                bytes.chunks(size).for_each(|piece| search.feed(piece));
                assert_eq!(search.found(), expected, "{bytes:?} in pieces of {size}");
            }
        };
        check(b"xxxxxxxx12345678abxxxxxx", true);
        check(b"12345678abxxxxxxyyyyyyyyyy", true);
        check(b"xxxx12345678abxxxxxx", false);
        check(b"12345678xb______12345678", false);
    }
}
