//! Bytes of a wanted file in, the same bytes out again. All but the smallest wait compressed, because a database that every layer rewrites is there
//! once per layer until the catalogers have read it, and an application can bring tens of thousands of records; they unpack one at a time.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{self, Read as _},
};

use zstd::bulk::{Compressor, Decompressor};

/// The size from which files are compressed while they come in.
pub(super) const LARGE: usize = 4 << 20;
/// The size up to which files are not compressed at all.
const SMALL: usize = 1 << 10;
/// Compressed at a time, so that the result does not depend on how the bytes came in.
const BLOCK: usize = 1 << 20;
/// Reserved for an unpacked file before its first byte; no file under the default limits is larger.
const RESERVE: usize = 128 << 20;
/// zstd's fastest regular level: package databases shrink to a fifth of their size.
const LEVEL: i32 = 1;

thread_local! {
    // Made once for each thread: they are larger than most files.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The bytes of a wanted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content(pub(super) Stored);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    Plain(Box<[u8]>),
    /// zstd frames of one block each.
    Packed {
        frames: Box<[u8]>,
        size: usize,
    },
}

impl Content {
    /// The bytes; unpacked afresh each time, so keep them only as long as needed.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Stored::Plain(bytes) => Cow::Borrowed(bytes),
            Stored::Packed { frames, size } if *size <= LARGE => Cow::Owned(unpack(frames, *size).unwrap_or_default()),
            Stored::Packed { frames, size } => {
                let mut bytes = Vec::with_capacity((*size).min(RESERVE));
                // The frames were made here, or came from a cache that checks them. Were they bad for all that, a record cut short is what its cataloger
                // complains of.
                let unpacked = zstd::stream::Decoder::with_buffer(&**frames);
                let _ = unpacked.and_then(|frames| frames.take(*size as u64).read_to_end(&mut bytes));
                Cow::Owned(bytes)
            }
        }
    }

    /// Whether there is not one byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Stored::Plain(bytes) if bytes.is_empty())
    }

    /// How many bytes there are, unpacked.
    #[must_use]
    pub const fn size(&self) -> usize {
        match &self.0 {
            Stored::Plain(bytes) => bytes.len(),
            Stored::Packed { size, .. } => *size,
        }
    }

    /// What keeping it costs.
    pub(super) fn cost(&self) -> u64 {
        match &self.0 {
            Stored::Plain(bytes) => bytes.len() as u64,
            Stored::Packed { frames, .. } => frames.len() as u64,
        }
    }
}

/// One frame, of a file that is not large.
fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(compressor) => compressor.compress(bytes),
        None => slot.insert(Compressor::new(LEVEL)?).compress(bytes),
    })
}

/// What such a frame holds.
fn unpack(frame: &[u8], size: usize) -> io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(decompressor) => decompressor.decompress(frame, size),
        None => slot.insert(Decompressor::new()?).decompress(frame, size),
    })
}

/// Takes the bytes of one file in pieces.
pub(super) struct Packer {
    plain: Vec<u8>,
    frames: Vec<u8>,
    size: usize,
    compressor: Option<Compressor<'static>>,
}

impl Packer {
    /// A packer for a file that is said to have `size` bytes. What is reserved does not depend on that.
    pub(super) fn new(size: u64) -> io::Result<Self> {
        let is_large = size > LARGE as u64;
        let compressor = is_large.then(|| Compressor::new(LEVEL)).transpose()?;
        let reserve = usize::try_from(size).unwrap_or(BLOCK).min(BLOCK);
        Ok(Self { plain: Vec::with_capacity(reserve), frames: Vec::new(), size: 0, compressor })
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> io::Result<()> {
        self.size += piece.len();
        let Some(compressor) = &mut self.compressor else {
            self.plain.extend_from_slice(piece);
            return Ok(());
        };
        while !piece.is_empty() {
            let (now, later) = piece.split_at(piece.len().min(BLOCK - self.plain.len()));
            self.plain.extend_from_slice(now);
            piece = later;
            if self.plain.len() == BLOCK {
                self.frames.extend(compressor.compress(&self.plain)?);
                self.plain.clear();
            }
        }
        Ok(())
    }

    /// What the bytes taken so far cost.
    pub(super) fn cost(&self) -> u64 {
        (self.frames.len() + self.plain.len()) as u64
    }

    /// The whole file.
    pub(super) fn finish(mut self) -> io::Result<Content> {
        if self.compressor.is_none() && self.size > SMALL {
            let frames = pack(&self.plain)?;
            if frames.len() < self.size {
                return Ok(Content(Stored::Packed { frames: frames.into_boxed_slice(), size: self.size }));
            }
        }
        Ok(Content(match &mut self.compressor {
            None => Stored::Plain(self.plain.into_boxed_slice()),
            Some(compressor) => {
                self.frames.extend(compressor.compress(&self.plain)?);
                Stored::Packed { frames: self.frames.into_boxed_slice(), size: self.size }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(bytes: &[u8], piece: usize) -> Content {
        let mut packer = Packer::new(bytes.len() as u64).expect("packer");
        bytes.chunks(piece).for_each(|piece| packer.push(piece).expect("piece"));
        packer.finish().expect("content")
    }

    #[test]
    fn what_goes_in_comes_out_again_and_all_but_small_files_shrink() {
        for size in [0, 1, SMALL, SMALL + 1, 100_000, LARGE, LARGE + 1, LARGE + BLOCK, 2 * LARGE + 17] {
            let bytes: Vec<u8> = (0..=250_u8).flat_map(|byte| [byte; 100]).cycle().take(size).collect();
            let content = pack(&bytes, 65_537);
            assert!(content.bytes() == bytes.as_slice(), "{size}");
            assert_eq!(content.is_empty(), size == 0);
            assert_eq!(content, pack(&bytes, 1_000_003), "however it came in");
            let expected = if size > SMALL { 0..size as u64 / 2 } else { size as u64..size as u64 + 1 };
            assert!(expected.contains(&content.cost()), "{size}: {}", content.cost());
        }
    }
}
