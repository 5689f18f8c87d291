//! A tar stream in, entries out: one pass, one fixed buffer, every length checked before it is believed.
//! Formats: ustar and PAX (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>), GNU long names and numbers
//! (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>). The `tar` crate reads the header fields; its archive reader is not used
//! because it buffers extended headers without a limit.

use std::io;

use tar::EntryType;

use crate::{
    layers::{
        ahead::{CHUNK, Refill},
        limits::{LayerRoom, Limits},
    },
    model::digest::{Algorithm, Digest, Hasher},
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

#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    fault: Option<Fault>,
}

impl<R: Refill> TarStream<R> {
    /// A stream that hashes with the algorithm of the expected diff id.
    pub(super) fn new(reader: R, algorithm: Algorithm, room: LayerRoom) -> Self {
        Self { reader, buffer: vec![0; CHUNK], start: 0, end: 0, hasher: Hasher::new(algorithm), total: 0, room, failed: None }
    }

    /// Reads the next header; `None` at the end of the archive. The content must be consumed before the next call.
    pub(super) fn next_entry(&mut self, limits: &Limits) -> Result<Option<TarEntry>, Fault> {
        let mut extended = Extended::default();
        let mut extensions = 0_usize;
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let size = parse_number(header.as_old().size.as_slice())
                .ok_or_else(|| Fault::new("layer-tar", "a tar header has no readable size"))?;
            let kind = header.entry_type();
            extensions += 1;
            match kind {
                EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink if extensions > 16 => {
                    return Err(Fault::new("layer-tar", "more than 16 extended tar headers in front of one entry"));
                }
                EntryType::XHeader => match self.extended_header(size, limits)? {
                    Ok(bytes) => parse_pax(&bytes, &mut extended),
                    Err(fault) => extended.fault = Some(fault),
                },
                EntryType::GNULongName | EntryType::GNULongLink => match self.extended_header(size, limits)? {
                    Ok(mut bytes) => {
                        bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
                        *(if kind == EntryType::GNULongName { &mut extended.path } else { &mut extended.link }) = Some(bytes);
                    }
                    Err(fault) => extended.fault = Some(fault),
                },
                // Global PAX headers speak of no file, and container runtimes do not apply them either.
                EntryType::XGlobalHeader => self.skip(padded(size)?)?,
                _ => return self.entry(&header, size, extended).map(Some),
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
        let written = parse_number(header.as_old().cksum.as_slice()).and_then(|sum| i64::try_from(sum).ok());
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

    fn entry(&mut self, header: &tar::Header, size: u64, extended: Extended) -> Result<TarEntry, Fault> {
        let name = extended.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = extended.link.unwrap_or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default());
        let size = extended.size.unwrap_or(size);
        let kind = match header.entry_type() {
            EntryType::Directory => TarKind::Directory,
            EntryType::Symlink => TarKind::Symlink(link),
            EntryType::Link => TarKind::Hardlink(link),
            EntryType::Char | EntryType::Block | EntryType::Fifo => TarKind::Other,
            EntryType::GNUSparse => {
                self.skip_sparse_maps(header)?;
                TarKind::Sparse
            }
            _ if extended.sparse => TarKind::Sparse,
            // Version 7 tars write directories as files whose name ends in a slash.
            _ if name.ends_with(b"/") => TarKind::Directory,
            _ => TarKind::File,
        };
        // These have no content whatever their size says; Go's archive/tar, which container runtimes use, reads them so.
        let size = if matches!(kind, TarKind::File | TarKind::Sparse) { size } else { 0 };
        padded(size)?;
        Ok(TarEntry { name: extended.fault.map_or(Ok(name), Err), kind, size })
    }

    fn skip_sparse_maps(&mut self, header: &tar::Header) -> Result<(), Fault> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while more {
            let block = self.need(BLOCK)?;
            if block.len() < BLOCK {
                return Err(cut());
            }
            more = block.get(504).is_some_and(|&byte| byte == 1);
            self.start += BLOCK;
        }
        Ok(())
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

/// A number field: octal with blanks or NULs around it, or base-256; `None` for negative, overflowing or garbled ones.
fn parse_number(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => rest.iter().try_fold(0_u64, |value, &byte| value.checked_mul(256)?.checked_add(u64::from(byte))),
        Some((0x81.., _)) => None,
        _ => {
            let text = field.trim_ascii_start();
            let text = text.get(..text.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(text.len()))?;
            text.iter().try_fold(0_u64, |value, &byte| match byte {
                b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
                _ => None,
            })
        }
    }
}

/// PAX records: `LENGTH KEY=VALUE\n`, the length counting itself.
fn parse_pax(mut bytes: &[u8], extended: &mut Extended) {
    while !bytes.is_empty() {
        let Some((key, value, rest)) = split_pax_record(bytes) else {
            extended.fault = Some(Fault::new("layer-tar", "a PAX header is garbled"));
            return;
        };
        match key {
            b"path" | b"GNU.sparse.name" if value.contains(&0) => {
                extended.fault = Some(Fault::new("layer-tar", "a PAX path holds a NUL byte"))
            }
            // The sparse name is the true one: `path` then names a made-up folder.
            b"GNU.sparse.name" => {
                extended.sparse = true;
                extended.path = Some(value.to_vec());
            }
            b"path" if !extended.sparse => extended.path = (!value.is_empty()).then(|| value.to_vec()),
            b"linkpath" => extended.link = (!value.is_empty()).then(|| value.to_vec()),
            b"size" => match std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                Some(size) => extended.size = Some(size),
                None => extended.fault = Some(Fault::new("layer-tar", "a PAX size is no number")),
            },
            key if key.starts_with(b"GNU.sparse.") => extended.sparse = true,
            _ => {}
        }
        bytes = rest;
    }
}

fn split_pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..blank)?).ok()?.parse().ok()?;
    let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    Some((record.get(..equals)?, record.get(equals + 1..)?, bytes.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        let check = |field: &[u8], expected| assert_eq!(parse_number(field), expected, "{field:?}");
        check(b"00000000017\0", Some(15));
        check(b"     17 \0\0\0\0", Some(15));
        check(b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0));
        check(b"\x80\0\0\0\0\0\0\0\0\0\x01\x00", Some(256));
        check(b"\x80\x01\0\0\0\0\0\0\0\0\0\0", None);
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"9", None);
        check(b"-1", None);
    }

    #[test]
    fn pax_records_override_the_header() {
        let check = |bytes: &[u8]| {
            let mut extended = Extended::default();
            parse_pax(bytes, &mut extended);
            (extended.path.map(|path| String::from_utf8_lossy(&path).into_owned()), extended.size, extended.fault.is_some())
        };
        assert_eq!(check(b"10 path=a\n"), (Some("a".to_owned()), None, false));
        assert_eq!(check(b"10 path=a\n11 size=42\n"), (Some("a".to_owned()), Some(42), false));
        assert_eq!(check(b"99 path=a\n"), (None, None, true));
        assert_eq!(check(b"path=a\n"), (None, None, true));
        assert_eq!(check(b"12 size=abc\n"), (None, None, true));
    }

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
