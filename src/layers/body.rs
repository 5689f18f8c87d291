//! The bytes of one file while an [`Examiner`](crate::layers::Examiner) looks at them, in any order: in memory, or in an unlinked temporary file
//! when they are many. Nothing of it outlives the look.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read, Seek as _, SeekFrom, Write as _},
};

/// Takes the bytes of one file in pieces and gives them back as a [`Body`].
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    /// Everything, once it does not fit into memory.
    file: Option<File>,
    size: u64,
    most_in_memory: usize,
}

impl Spool {
    /// An empty one that holds up to `most_in_memory` bytes in memory.
    #[must_use]
    pub const fn new(most_in_memory: usize) -> Self {
        Self::with_buffer(Vec::new(), most_in_memory)
    }

    /// The same, over memory that was used before.
    pub(super) const fn with_buffer(memory: Vec<u8>, most_in_memory: usize) -> Self {
        Self { memory, file: None, size: 0, most_in_memory }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When they do not fit into memory and there is no room on the disk.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.size == 0 {
            self.memory.clear();
        }
        self.size += piece.len() as u64;
        if self.file.is_none() && self.memory.len() + piece.len() > self.most_in_memory {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory.clear();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(piece),
            None => {
                self.memory.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// How many bytes there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// What was pushed.
    #[must_use]
    pub fn body(&self) -> Body<'_> {
        match &self.file {
            Some(file) => Body { source: Source::File(file), start: 0, size: self.size },
            None if self.size == 0 => Body::new(&[]),
            None => Body::new(&self.memory),
        }
    }

    /// The memory, for the next file.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.memory
    }
}

/// Bytes of a file, or of a part of it, that can be read in any order.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    source: Source<'a>,
    start: u64,
    size: u64,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Memory(&'a [u8]),
    File(&'a File),
}

impl<'a> Body<'a> {
    /// Bytes in memory.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { source: Source::Memory(bytes), start: 0, size: bytes.len() as u64 }
    }

    /// How many bytes there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Exactly `count` bytes from `at`; `None` when there are fewer, or when they cannot be read. Keep `count` small: they are in memory at once.
    #[must_use]
    pub fn range(&self, at: u64, count: usize) -> Option<Cow<'a, [u8]>> {
        let end = at.checked_add(count as u64).filter(|&end| end <= self.size)?;
        let from = self.start.checked_add(at)?;
        match self.source {
            Source::Memory(bytes) => {
                let (from, end) = (usize::try_from(from).ok()?, usize::try_from(self.start.checked_add(end)?).ok()?);
                bytes.get(from..end).map(Cow::Borrowed)
            }
            Source::File(mut file) => {
                let mut bytes = vec![0; count];
                file.seek(SeekFrom::Start(from)).ok()?;
                file.read_exact(&mut bytes).ok()?;
                Some(Cow::Owned(bytes))
            }
        }
    }

    /// Up to `count` bytes from `at`, fewer only at the end.
    #[must_use]
    pub fn up_to(&self, at: u64, count: usize) -> Cow<'a, [u8]> {
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        self.range(at, count.min(left)).unwrap_or_default()
    }

    /// A part as a body of its own.
    #[must_use]
    pub fn part(&self, at: u64, size: u64) -> Option<Self> {
        at.checked_add(size).filter(|&end| end <= self.size)?;
        Some(Self { source: self.source, start: self.start.checked_add(at)?, size })
    }

    /// Everything from the beginning, in pieces of at most `piece` bytes, until `take` says that it has enough.
    pub fn for_each_piece(&self, piece: usize, mut take: impl FnMut(u64, &[u8]) -> Go) {
        let mut at = 0;
        while at < self.size {
            let bytes = self.up_to(at, piece.max(1));
            if bytes.is_empty() || take(at, &bytes) == Go::Stop {
                return;
            }
            at += bytes.len() as u64;
        }
    }

    /// A reader of everything, from the beginning.
    #[must_use]
    pub const fn reader(&self) -> BodyReader<'a> {
        BodyReader { body: *self, at: 0 }
    }
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Further.
    On,
    /// No further.
    Stop,
}

/// Reads a [`Body`] from its beginning.
#[derive(Debug)]
pub struct BodyReader<'a> {
    body: Body<'a>,
    at: u64,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.body.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        let bytes = self.body.range(self.at, count).ok_or_else(|| io::Error::other("the file could not be read again"))?;
        if let Some(room) = out.get_mut(..count) {
            room.copy_from_slice(&bytes);
        }
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_come_back_from_memory_and_from_disk() {
        let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for most in [0, 5_000, 20_000] {
            let mut spool = Spool::new(most);
            bytes.chunks(999).for_each(|piece| spool.push(piece).unwrap());
            let body = spool.body();
            assert_eq!((body.size(), spool.size()), (10_000, 10_000));
            assert_eq!(body.range(9_990, 10).as_deref(), bytes.get(9_990..));
            assert_eq!(body.range(9_990, 11), None);
            assert_eq!(body.range(u64::MAX, 11), None);
            assert_eq!(&*body.up_to(9_990, 100), &bytes[9_990..]);
            assert!(body.up_to(20_000, 100).is_empty());
            let part = body.part(100, 50).unwrap();
            assert_eq!(part.range(10, 40).as_deref(), bytes.get(110..150));
            assert_eq!(part.range(10, 41), None);
            assert!(part.part(20, 31).is_none() && body.part(1, u64::MAX).is_none());
            let mut all = Vec::new();
            body.reader().read_to_end(&mut all).unwrap();
            assert_eq!(all, bytes);
            let mut pieces = Vec::new();
            body.for_each_piece(333, |at, piece| {
                assert_eq!(at, pieces.len() as u64);
                pieces.extend_from_slice(piece);
                if pieces.len() > 5_000 { Go::Stop } else { Go::On }
            });
            assert_eq!(pieces, bytes[..pieces.len()]);
        }
        assert_eq!(Spool::new(10).body().size(), 0);
    }
}
