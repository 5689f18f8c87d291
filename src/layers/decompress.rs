//! A blob's bytes in, the tar inside out: gzip, zstd or neither, told apart by their first bytes and never by the media type, which may lie.
//! Formats: <https://www.rfc-editor.org/rfc/rfc1952> and <https://www.rfc-editor.org/rfc/rfc8878>.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::layers::limits::Limits;

const HEAD: usize = 10;

/// A blob's reader that remembers its own failure, so that a bad blob is never taken for bad compression.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    failure: Option<io::Error>,
    read: u64,
}

impl Source {
    pub(super) const fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, failure: None, read: 0 }
    }

    /// The reader's own failure, and how many bytes came before it.
    pub(super) fn into_failure(self) -> Option<(io::Error, u64)> {
        self.failure.map(|failure| (failure, self.read))
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(io::Error::new(failure.kind(), "the blob could not be read"));
        }
        loop {
            match self.reader.read(out) {
                Ok(count) => {
                    self.read += count as u64;
                    return Ok(count);
                }
                // A decompressor would lose its place over this.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.failure = Some(error);
                    return Err(io::Error::new(kind, "the blob could not be read"));
                }
            }
        }
    }
}

/// What a blob turned out to be.
pub(super) enum Opened<'a> {
    /// A reader of the tar inside.
    Tar(Box<dyn Read + 'a>),
    /// A format that image layers do not have, by name.
    Foreign(&'static str),
}

/// Looks at the first bytes and puts the right decompressor on top of `raw`.
pub(super) fn open<'a>(mut raw: &'a mut dyn BufRead, limits: &Limits) -> io::Result<Opened<'a>> {
    let mut head = Vec::with_capacity(HEAD);
    (&mut raw).take(HEAD as u64).read_to_end(&mut head)?;
    let format = Format::of(&head);
    let whole = io::Cursor::new(head).chain(raw);
    Ok(match format {
        Format::Gzip => Opened::Tar(Box::new(Gzip { state: State::Between(whole), members: 0 })),
        Format::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            decoder.window_log_max(limits.zstd_window_log)?;
            Opened::Tar(Box::new(decoder))
        }
        Format::Plain => Opened::Tar(Box::new(whole)),
        Format::Foreign(name) => Opened::Foreign(name),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gzip,
    Zstd,
    Plain,
    Foreign(&'static str),
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Foreign("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59] => Self::Foreign("bzip2"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Foreign("lz4"),
            [b'L', b'Z', b'I', b'P', 1, ..] => Self::Foreign("lzip"),
            _ => Self::Plain,
        }
    }
}

/// gzip with any number of members and zeros after the last one; other bytes there are an error.
struct Gzip<R> {
    state: State<R>,
    members: u64,
}

enum State<R> {
    Between(R),
    Member(Box<GzDecoder<R>>),
    End,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::End) {
                State::End => return Ok(0),
                State::Between(mut reader) => match reader.fill_buf()?.first() {
                    None => return Ok(0),
                    Some(0x1f) => {
                        self.members += 1;
                        self.state = State::Member(Box::new(GzDecoder::new(reader)));
                    }
                    Some(0) if self.members > 0 => expect_zeros(&mut reader)?,
                    Some(_) => return Err(trailing()),
                },
                State::Member(mut decoder) => {
                    let count = decoder.read(out)?;
                    if count > 0 {
                        self.state = State::Member(decoder);
                        return Ok(count);
                    }
                    self.state = State::Between(decoder.into_inner());
                }
            }
        }
    }
}

fn expect_zeros(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(trailing());
        }
        let count = bytes.len();
        if count == 0 {
            return Ok(());
        }
        reader.consume(count);
    }
}

fn trailing() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "bytes after the last gzip member are no gzip member")
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write as _};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(blob: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut raw = BufReader::with_capacity(3, Source::new(Box::new(io::Cursor::new(blob))));
        let mut out = Vec::new();
        match open(&mut raw, &Limits::default()).map_err(|e| e.to_string())? {
            Opened::Tar(mut reader) => reader.read_to_end(&mut out).map_err(|e| e.to_string())?,
            Opened::Foreign(name) => return Err(name.to_owned()),
        };
        Ok(out)
    }

    #[test]
    fn every_encoding_gives_the_same_bytes() {
        let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
        let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        let check = |blob: Vec<u8>, expected: &[u8]| assert_eq!(inflate(blob).as_deref(), Ok(expected));
        check(Vec::new(), b"");
        check(b"plain".to_vec(), b"plain");
        check(gzip(b"one"), b"one");
        check([gzip(b"one"), gzip(b""), gzip(b"two")].concat(), b"onetwo");
        check([gzip(b"one"), vec![0; 1000]].concat(), b"one");
        check(zstd(b"one"), b"one");
        check([skippable.clone(), zstd(b"one"), skippable.clone(), zstd(b"two"), skippable].concat(), b"onetwo");
    }

    #[test]
    fn damage_is_an_error() {
        let mut wrong_sum = gzip(b"some bytes");
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        let cut = |mut blob: Vec<u8>| {
            blob.truncate(blob.len() - 3);
            blob
        };
        let wide_window = b"\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00x".to_vec();
        for blob in [
            [gzip(b"one"), b"garbage".to_vec()].concat(),
            [gzip(b"one"), vec![0; 20], b"x".to_vec()].concat(),
            wrong_sum,
            cut(gzip(b"one")),
            cut(zstd::stream::encode_all(&b"some bytes"[..], 1).unwrap()),
            wide_window,
            b"\xfd7zXZ\0....".to_vec(),
        ] {
            assert!(inflate(blob.clone()).is_err(), "{blob:?}");
        }
    }
}
