//! `Spool`: a stream or a gzip-compressed archive in, a file out that can be read at any place: an unlinked temporary file, which nobody
//! else can open and which is gone with the process. Gzip: <https://www.rfc-editor.org/rfc/rfc1952>.
//!
//! An archive is inflated once and kept, not inflated again for each blob: its layers are read in parallel and in any order, and gzip
//! has no way to begin in the middle, so that the n-th layer would cost all those before it once more.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use flate2::bufread::GzDecoder;

use crate::{progress::Task, registry::Error};

/// Bytes that are copied at a time.
const CHUNK: usize = 256 << 10;
/// Longest magic number.
const HEAD: u64 = 6;

/// Where streams and inflated archives wait, and how large they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// The folder; `None` leaves it to the system.
    pub folder: Option<PathBuf>,
    /// Most bytes of one archive, inflated.
    pub bytes: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { folder: None, bytes: 32 << 30 }
    }
}

/// The file itself, or what is in it when it is compressed as a whole. `path` names it in messages and is never opened.
pub(super) fn seekable(mut file: File, path: &Path, spool: &Spool, task: &dyn Task) -> Result<File, Error> {
    let failed = |source: io::Error| Error::Read { path: path.to_owned(), source };
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head).map_err(failed)?;
    file.rewind().map_err(failed)?;
    match Packing::of(&head) {
        Packing::None => Ok(file),
        Packing::Gzip | Packing::Other(_) => gather(&mut file, path, spool, task),
    }
}

/// Copies a stream, inflated where it is gzip, into an unlinked temporary file.
pub(super) fn gather(stream: &mut dyn Read, path: &Path, spool: &Spool, task: &dyn Task) -> Result<File, Error> {
    let mut reader = BufReader::with_capacity(CHUNK, Counted { inner: stream, task });
    let head = first_bytes(&mut reader).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    match Packing::of(&head) {
        Packing::None => copy(&mut io::Cursor::new(head).chain(reader), path, spool),
        Packing::Gzip => copy(&mut Members::new(io::Cursor::new(head).chain(reader)), path, spool),
        Packing::Other(unpack) => Err(Error::Malformed {
            what: path.display().to_string(),
            reason: format!("it is compressed as a whole, and not by gzip; decompress it first, for example with `{unpack}`"),
        }),
    }
}

/// As many first bytes as tell the packing, however small the pieces that they come in.
fn first_bytes(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn copy(reader: &mut dyn Read, path: &Path, spool: &Spool) -> Result<File, Error> {
    let unwritable = |source: io::Error| Error::Spool { folder: spool.folder.clone(), source };
    let mut file = spool.folder.as_deref().map_or_else(tempfile::tempfile, tempfile::tempfile_in).map_err(unwritable)?;
    let mut buffer = vec![0; CHUNK];
    let mut total = 0_u64;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // These are what a decompressor says of its input; a file or a pipe fails in other ways.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof) => {
                let place = path.display().to_string();
                return Err(Error::Damaged { place, reason: format!("its gzip data cannot be read to the end ({error})") });
            }
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        total = total.saturating_add(bytes.len() as u64);
        if total > spool.bytes {
            let limit = format!("{} bytes of temporary files (--spool-limit)", spool.bytes);
            return Err(Error::TooLarge { what: path.display().to_string(), limit });
        }
        file.write_all(bytes).map_err(unwritable)?;
    }
    file.rewind().map_err(unwritable)?;
    Ok(file)
}

/// How an archive is compressed as a whole.
enum Packing {
    None,
    Gzip,
    /// Not read; the command that unpacks it.
    Other(&'static str),
}

impl Packing {
    fn of(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Other("zstd -d")
        } else if head.starts_with(b"\xfd7zXZ\0") {
            Self::Other("xz -d")
        } else if head.starts_with(b"BZh") {
            Self::Other("bzip2 -d")
        } else {
            Self::None
        }
    }
}

/// Shows how far a stream has been read.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    task: &'a dyn Task,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.task.advance(read as u64);
        Ok(read)
    }
}

/// All members of a gzip stream, as parallel compressors write them. Zeros behind the last one are padding, anything else is an error.
struct Members<R: BufRead>(Option<GzDecoder<R>>);

impl<R: BufRead> Members<R> {
    fn new(reader: R) -> Self {
        Self(Some(GzDecoder::new(reader)))
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(decoder) = &mut self.0 {
            let count = decoder.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let Some(mut reader) = self.0.take().map(GzDecoder::into_inner) else { break };
            let padding = skip_zeros(&mut reader)?;
            let is_end = reader.fill_buf()?.is_empty();
            if !is_end && padding {
                return Err(io::Error::new(ErrorKind::InvalidData, "the gzip data is followed by something else"));
            }
            self.0 = (!is_end).then(|| GzDecoder::new(reader));
        }
        Ok(0)
    }
}

/// Passes over zeros; says whether there were any.
fn skip_zeros(reader: &mut impl BufRead) -> io::Result<bool> {
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        let zeros = buffer.iter().take_while(|&&byte| byte == 0).count();
        let is_over = zeros < buffer.len() || buffer.is_empty();
        any |= zeros > 0;
        reader.consume(zeros);
        if is_over {
            return Ok(any);
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::progress::Silent;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Gives out one byte at a time, as a slow pipe does.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn gathered(bytes: &[u8], limit: u64) -> Result<Vec<u8>, String> {
        let spool = Spool { folder: None, bytes: limit };
        let chain = |error: Error| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let file = gather(&mut Drip(bytes), Path::new("stream"), &spool, &Silent).map_err(chain)?;
        Ok(BufReader::new(file).bytes().collect::<Result<_, _>>().expect("readable"))
    }

    #[test]
    fn plain_and_gzip_streams_come_out_plain() {
        let members = [gzip(b"one"), gzip(b""), gzip(b"two")].concat();
        let padded = [gzip(b"one"), vec![0; 600]].concat();
        for (stream, expected) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"", b""),
            (b"\x1f", b"\x1f"),
            (&gzip(b"one"), b"one"),
            (&members, b"onetwo"),
            (&padded, b"one"),
        ] {
            assert_eq!(gathered(stream, 100).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn damage_other_packings_and_too_much_are_errors() {
        let whole = gzip(b"some text that is long enough");
        let mut wrong_sum = whole.clone();
        let at = wrong_sum.len() - 5;
        wrong_sum[at] ^= 1;
        let followed = [whole.clone(), b"junk".to_vec()].concat();
        let padded = [whole.clone(), vec![0; 8], whole.clone()].concat();
        for (stream, expected) in [
            (&whole[..whole.len() - 3], "stream is damaged: its gzip data"),
            (&wrong_sum, "stream is damaged: its gzip data"),
            (&followed, "stream is damaged: its gzip data"),
            (&padded, "followed by something else"),
            (b"\x28\xb5\x2f\xfdrest", "zstd -d"),
            (b"\xfd7zXZ\0rest", "xz -d"),
            (b"BZh91AY", "bzip2 -d"),
            (&gzip(&[0; 5_000]), "stream exceeds the limit of 4096 bytes"),
            (&[b'x'; 5_000], "stream exceeds the limit of 4096 bytes"),
        ] {
            let error = gathered(stream, 4096).expect_err(expected);
            assert!(error.contains(expected), "{error}, not {expected}");
        }
    }

    #[test]
    fn a_file_is_used_itself_unless_it_is_compressed() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        // Nothing may be written: the folder for temporary files does not exist.
        let spool = Spool { folder: Some(folder.path().join("absent")), bytes: 100 };
        std::fs::write(&path, b"plain").expect("file");
        let file = seekable(File::open(&path).expect("file"), &path, &spool, &Silent).expect("the file itself");
        assert_eq!(io::read_to_string(file).expect("text"), "plain");
        std::fs::write(&path, gzip(b"packed")).expect("file");
        let error = seekable(File::open(&path).expect("file"), &path, &spool, &Silent).expect_err("nowhere to write");
        assert!(matches!(error, Error::Spool { .. }) && error.hint().is_some(), "{error}");
    }
}
