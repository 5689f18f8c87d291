//! A tar stream in, entries out: one pass, one fixed buffer, every length checked before it is believed.
//! What the headers of an entry say together is told by [`Extensions`]; the archive reader of the `tar` crate is not used because it buffers extended
//! headers without a limit, and makes choices where readers differ.

use std::io;

use tar::EntryType;

use crate::{
    layers::{
        ahead::{CHUNK, Refill},
        limits::{LayerRoom, Limits},
    },
    model::{
        digest::{Algorithm, Digest, Hasher},
        tar_header::{Extensions, Said, number},
    },
};

const BLOCK: usize = 512;

/// A tar stream, hashed as it is read.
pub(super) struct TarStream<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    hasher: Hasher,
    total: u64,
    room: LayerRoom,
    /// Why nothing more can be read. It is told again and again: an end after a fault would make a cut stream a short one.
    failed: Option<Fault>,
}

/// What one header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TarEntry {
    /// The name as written, or why there is none.
    pub name: Result<Vec<u8>, Fault>,
    /// What it is.
    pub kind: TarKind,
    /// Bytes of content that follow in the stream.
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
    /// Whether it gives capabilities to who runs it.
    pub has_capability: bool,
}

/// What an entry is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TarKind {
    File,
    /// A file with holes: the content in the stream is not the file's content.
    Sparse,
    Directory,
    Symlink(Vec<u8>),
    Hardlink(Vec<u8>),
    /// Devices, FIFOs.
    Other,
}

/// Why a stream cannot be read on, or an entry cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Fault {
    /// The Gap's kind.
    pub kind: &'static str,
    /// The Gap's reason.
    pub reason: String,
}

impl Fault {
    pub(super) fn new(kind: &'static str, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

impl<R: Refill> TarStream<R> {
    /// A stream that hashes with the algorithm of the expected diff id.
    pub(super) fn new(reader: R, algorithm: Algorithm, room: LayerRoom) -> Self {
        Self { reader, buffer: vec![0; CHUNK], start: 0, end: 0, hasher: Hasher::new(algorithm), total: 0, room, failed: None }
    }

    /// Reads the next header; `None` at the end of the archive. The content must be consumed before the next call.
    pub(super) fn next_entry(&mut self, limits: &Limits) -> Result<Option<TarEntry>, Fault> {
        let mut extensions = Extensions::default();
        let (mut count, mut too_large) = (0_usize, None);
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let kind = header.entry_type();
            let take: fn(&mut Extensions, &[u8]) -> Result<(), &'static str> = match kind {
                EntryType::XHeader => |extensions, body| {
                    extensions.pax(body);
                    Ok(())
                },
                EntryType::GNULongName => |extensions, body| {
                    extensions.long_name(body);
                    Ok(())
                },
                EntryType::GNULongLink => |extensions, body| {
                    extensions.long_link(body);
                    Ok(())
                },
                EntryType::XGlobalHeader => |extensions, body| extensions.global(body),
                _ => return self.entry(&header, extensions, too_large).map(Some),
            };
            count += 1;
            if count > 16 {
                return Err(Fault::new("layer-tar", "more than 16 extended tar headers in front of one entry"));
            }
            let size = number(&header.as_old().size).ok_or_else(|| Fault::new("layer-tar", "a tar header has no readable size"))?;
            match self.extended_header(size, limits)? {
                Ok(body) => take(&mut extensions, &body).map_err(|reason| Fault::new("layer-tar", reason))?,
                Err(fault) => too_large = Some(fault),
            }
        }
    }

    /// Hands the next `size` bytes of content to `take`, in pieces, and skips the padding.
    pub(super) fn content(&mut self, size: u64, mut take: impl FnMut(&[u8])) -> Result<(), Fault> {
        let mut left = size;
        while left > 0 {
            let bytes = self.need(1)?;
            if bytes.is_empty() {
                return Err(cut());
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            if let Some(piece) = bytes.get(..count) {
                take(piece);
            }
            self.start += count;
            left -= count as u64;
        }
        // A stream that ends inside the padding has lost nothing.
        let mut padding = padded(size)? - size;
        while padding > 0 {
            let available = self.need(1)?.len();
            if available == 0 {
                return Ok(());
            }
            let count = usize::try_from(padding).unwrap_or(usize::MAX).min(available);
            self.start += count;
            padding -= count as u64;
        }
        Ok(())
    }

    /// Skips content.
    pub(super) fn skip(&mut self, size: u64) -> Result<(), Fault> {
        self.content(size, |_| {})
    }

    /// The first bytes of the content that comes next, at most `count`.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        let bytes = self.need(count)?;
        Ok(bytes.get(..count).unwrap_or(bytes))
    }

    /// Reads what is left after the end of the archive, because the diff id covers it.
    pub(super) fn drain(&mut self) -> Result<(), Fault> {
        loop {
            let count = self.need(1)?.len();
            if count == 0 {
                return Ok(());
            }
            self.start += count;
        }
    }

    /// How many bytes were read.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// The digest of everything read.
    pub(super) fn finish(self) -> Digest {
        self.hasher.finish()
    }

    fn header(&mut self) -> Result<Option<tar::Header>, Fault> {
        let mut header = tar::Header::new_old();
        let bytes = self.need(BLOCK)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let block = bytes.get(..BLOCK).ok_or_else(cut)?;
        header.as_mut_bytes().copy_from_slice(block);
        self.start += BLOCK;
        if header.as_bytes().iter().all(|&byte| byte == 0) {
            // One block of zeros may be all there is; a second one is the proper end; anything else would be hidden content.
            let rest = self.need(BLOCK)?;
            let lone = rest.iter().take(BLOCK).any(|&byte| byte != 0);
            return if lone { Err(Fault::new("layer-tar", "a tar header follows a lone block of zeros")) } else { Ok(None) };
        }
        let sum = |signed: fn(u8) -> i64| -> i64 {
            header.as_bytes().iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { signed(byte) }).sum()
        };
        let written = number(&header.as_old().cksum).and_then(|sum| i64::try_from(sum).ok());
        // Old tars summed signed bytes; that sum is made only when the proper one does not fit.
        if written != Some(sum(i64::from)) && written != Some(sum(|byte| i64::from(byte.cast_signed()))) {
            return Err(Fault::new("layer-tar", "a tar header has a wrong checksum"));
        }
        Ok(Some(header))
    }

    fn extended_header(&mut self, size: u64, limits: &Limits) -> Result<Result<Vec<u8>, Fault>, Fault> {
        if size > limits.extended_header_bytes {
            self.skip(size)?;
            let reason = format!("an extended tar header of {size} bytes exceeds the limit of {}", limits.extended_header_bytes);
            return Ok(Err(Fault::new("layer-limit", reason)));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        self.content(size, |piece| bytes.extend_from_slice(piece))?;
        Ok(Ok(bytes))
    }

    fn entry(&mut self, header: &tar::Header, extensions: Extensions, too_large: Option<Fault>) -> Result<TarEntry, Fault> {
        let Said { name, link, size, is_sparse, mode, has_capability } =
            extensions.with(header.as_bytes()).map_err(|reason| Fault::new("layer-tar", reason))?;
        let kind = match header.entry_type() {
            EntryType::Directory => TarKind::Directory,
            EntryType::Symlink => TarKind::Symlink(link),
            EntryType::Link => TarKind::Hardlink(link),
            EntryType::Char | EntryType::Block | EntryType::Fifo => TarKind::Other,
            EntryType::GNUSparse => {
                self.skip_sparse_maps(header)?;
                TarKind::Sparse
            }
            _ if is_sparse => TarKind::Sparse,
            // Version 7 tars write directories as files whose name ends in a slash.
            _ if name.as_ref().is_ok_and(|name| name.ends_with(b"/")) => TarKind::Directory,
            _ => TarKind::File,
        };
        // These have no content whatever their size says; Go's archive/tar, which container runtimes use, reads them so.
        let size = if matches!(kind, TarKind::File | TarKind::Sparse) { size } else { 0 };
        padded(size)?;
        let name = too_large.map_or_else(|| name.map_err(|reason| Fault::new("layer-tar", reason)), Err);
        Ok(TarEntry { name, kind, size, mode, has_capability })
    }

    fn skip_sparse_maps(&mut self, header: &tar::Header) -> Result<(), Fault> {
        let unsure = || Fault::new("layer-tar", "how long the map of a sparse file is cannot be told");
        // Others have a sparse file of the same kind with its map elsewhere.
        let mut mark = header.as_gnu().ok_or_else(unsure)?.isextended.first().copied();
        loop {
            match mark {
                Some(0) => return Ok(()),
                Some(1) => {}
                _ => return Err(unsure()),
            }
            let block = self.need(BLOCK)?;
            if block.len() < BLOCK {
                return Err(cut());
            }
            mark = block.get(504).copied();
            self.start += BLOCK;
        }
    }

    /// At least `count` unread bytes, fewer only at the end of the stream.
    fn need(&mut self, count: usize) -> Result<&[u8], Fault> {
        while self.end - self.start < count.min(CHUNK) {
            if let Some(fault) = &self.failed {
                return Err(fault.clone());
            }
            let unread = self.end - self.start;
            let result = if unread == 0 {
                self.reader.refill(&mut self.buffer)
            } else {
                self.buffer.copy_within(self.start..self.end, 0);
                self.buffer.get_mut(unread..).map_or(Ok(0), |space| self.reader.read(space))
            };
            (self.start, self.end) = (0, unread);
            let read = match result {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failed = Some(Fault::new("layer-compression", format!("cannot be decompressed further: {error}")));
                    continue;
                }
            };
            if let Some(fresh) = self.buffer.get(unread..unread + read) {
                self.hasher.update(fresh);
            }
            self.end += read;
            self.total += read as u64;
            if self.total > self.room.bytes {
                let fault = Fault::new("layer-limit", self.room.exceeded.clone());
                self.failed = Some(fault.clone());
                return Err(fault);
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }
}

fn cut() -> Fault {
    Fault::new("layer-tar", "the tar ends in the middle of an entry")
}

/// `size` rounded up to whole blocks; sizes that no stream can have are faults.
fn padded(size: u64) -> Result<u64, Fault> {
    if size > 1 << 60 {
        return Err(Fault::new("layer-tar", format!("a tar header promises {size} bytes")));
    }
    Ok(size.div_ceil(BLOCK as u64) * BLOCK as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_end_early_are_faults() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(600);
        header.set_cksum();
        archive.append_data(&mut header, "f", &[1_u8; 600][..]).unwrap();
        let bytes = archive.into_inner().unwrap();
        let limits = Limits::default();
        let read = |bytes: &[u8]| -> Result<u64, Fault> {
            let mut stream = TarStream::new(bytes, Algorithm::Sha256, limits.room_of(0));
            let mut total = 0;
            while let Some(entry) = stream.next_entry(&limits)? {
                stream.content(entry.size, |piece| total += piece.len() as u64)?;
            }
            stream.drain()?;
            Ok(total)
        };
        assert_eq!(read(&bytes), Ok(600));
        assert_eq!(read(&bytes[..512 + 1024]), Ok(600), "no end blocks");
        assert_eq!(read(&bytes[..512 + 700]), Ok(600), "cut in the padding");
        assert!(read(&bytes[..512 + 599]).is_err());
        assert!(read(&bytes[..300]).is_err());
        let mut damaged = bytes.clone();
        damaged[0] ^= 1;
        assert!(read(&damaged).is_err());
    }
}
