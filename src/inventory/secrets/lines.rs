//! `Lines`: places in a text in, their lines out. Each byte is looked at once as long as the places rise.

/// How far a text has been counted.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    start: usize,
    #[cfg(test)]
    pub(super) steps: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
            start: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// The number of the line that a place is on, from 1. For a place before the last one that was asked for, it counts from the beginning again.
    pub(super) fn number(&mut self, at: usize) -> u32 {
        if at < self.at {
            (self.at, self.line, self.start) = (0, 1, 0);
        }
        let passed = self.bytes.get(self.at..at).unwrap_or_default();
        #[cfg(test)]
        {
            self.steps += passed.len();
        }
        for (place, _) in (self.at..).zip(passed).filter(|(_, byte)| **byte == b'\n') {
            self.line = self.line.saturating_add(1);
            self.start = place + 1;
        }
        self.at += passed.len();
        self.line
    }

    /// What stands on its line before a place, of a very long line the beginning.
    pub(super) fn before(&mut self, at: usize) -> &'a [u8] {
        const MOST: usize = 256;
        self.number(at);
        let before = self.bytes.get(self.start..at).unwrap_or_default();
        before.get(..MOST).unwrap_or(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_where_the_last_place_was() {
        let text = b"a\nbc\n\nd";
        let mut lines = Lines::of(text);
        let numbers: Vec<_> = (0..=text.len()).map(|at| lines.number(at)).collect();
        assert_eq!(numbers, [1, 1, 2, 2, 2, 3, 4, 4]);
        assert_eq!(lines.steps, text.len());
        assert_eq!((lines.number(3), lines.before(4), lines.before(2), lines.before(7)), (2, &b"bc"[..], &b""[..], &b"d"[..]));
        let long = vec![b' '; 10_000];
        assert_eq!(Lines::of(&long).before(9_999).len(), 256);
    }
}
