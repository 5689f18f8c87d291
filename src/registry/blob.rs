//! Untrusted byte stream in, bytes out that are known to be right once the end is reached: size and digest checked while they pass.
//! Descriptors: <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#verification>.

use std::io::{self, Read};

use crate::{
    model::{
        digest::{Digest, Hasher},
        image::Descriptor,
    },
    registry::Error,
};

/// Passes a stream on and fails, for good, as soon as it is too long, too short, or ends with another digest than promised.
/// The digest is checked when the promised size is reached, so that a reader that stops exactly there has been told.
pub(super) struct VerifiedReader<R> {
    inner: R,
    expected: Digest,
    size: u64,
    seen: u64,
    hasher: Option<Hasher>,
    failed: Option<String>,
}

impl<R: Read> VerifiedReader<R> {
    pub(super) fn new(inner: R, descriptor: &Descriptor) -> Self {
        Self {
            inner,
            expected: descriptor.digest.clone(),
            size: descriptor.size,
            seen: 0,
            hasher: Some(Hasher::new(descriptor.digest.algorithm())),
            failed: None,
        }
    }

    fn fail(&mut self, message: String) -> io::Error {
        self.failed = Some(message.clone());
        io::Error::new(io::ErrorKind::InvalidData, message)
    }

    /// Compares the digest once all promised bytes have passed.
    fn settle(&mut self) -> io::Result<()> {
        match self.hasher.take().map(Hasher::finish) {
            Some(actual) if actual != self.expected => Err(self.fail(format!("blob does not match its digest {}", self.expected))),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for VerifiedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(message) = &self.failed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, message.clone()));
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            if self.seen < self.size {
                let message = format!("blob {} ends after {} of {} bytes", self.expected, self.seen, self.size);
                return Err(self.fail(message));
            }
            return self.settle().map(|()| 0);
        }
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.seen > self.size {
            let message = format!("blob {} is longer than the {} bytes that its descriptor promises", self.expected, self.size);
            return Err(self.fail(message));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        if self.seen == self.size {
            self.settle()?;
        }
        Ok(count)
    }
}

/// Reads the whole of a small blob into memory, checked.
pub(super) fn read_all(reader: impl Read, descriptor: &Descriptor, cap: u64) -> Result<Vec<u8>, Error> {
    let what = || format!("blob {}", descriptor.digest);
    check_cap(descriptor, cap)?;
    let mut bytes = Vec::new();
    // One byte more than promised is read, to tell "exactly" from "too long".
    match reader.take(descriptor.size.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) => check(&bytes, descriptor, &what()).map(|()| bytes),
        Err(source) => Err(Error::Read { path: what().into(), source }),
    }
}

/// Refuses a blob that is larger than the caller wants to hold, before a byte is read.
pub(super) fn check_cap(descriptor: &Descriptor, cap: u64) -> Result<(), Error> {
    if descriptor.size > cap {
        return Err(Error::TooLarge { what: format!("blob {}", descriptor.digest), limit: format!("{cap} bytes") });
    }
    Ok(())
}

/// Compares size and digest of bytes in memory with their descriptor.
pub(super) fn check(bytes: &[u8], descriptor: &Descriptor, what: &str) -> Result<(), Error> {
    if bytes.len() as u64 != descriptor.size {
        return Err(Error::SizeMismatch { what: what.to_owned(), expected: descriptor.size, actual: bytes.len() as u64 });
    }
    check_digest(bytes, &descriptor.digest, what)
}

/// Compares the digest of bytes in memory.
pub(super) fn check_digest(bytes: &[u8], expected: &Digest, what: &str) -> Result<(), Error> {
    if expected.matches(bytes) { Ok(()) } else { Err(Error::DigestMismatch { what: what.to_owned(), expected: expected.clone() }) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn descriptor(bytes: &[u8], size: u64) -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: Digest::sha256_of(bytes),
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        }
    }

    #[test]
    fn right_bytes_pass_and_wrong_ones_fail_for_good() {
        let check = |came: &[u8], promised: &Descriptor| {
            let mut reader = VerifiedReader::new(came, promised);
            let mut bytes = Vec::new();
            let first = reader.read_to_end(&mut bytes).map_err(|error| error.kind());
            if first.is_err() {
                assert!(reader.read(&mut [0; 8]).is_err(), "the error must stay");
            }
            first
        };
        assert_eq!(check(b"hello", &descriptor(b"hello", 5)), Ok(5));
        assert_eq!(check(b"", &descriptor(b"", 0)), Ok(0));
        let bad = Err(io::ErrorKind::InvalidData);
        assert_eq!(check(b"hellO", &descriptor(b"hello", 5)), bad);
        assert_eq!(check(b"hell", &descriptor(b"hello", 5)), bad);
        assert_eq!(check(b"hello!", &descriptor(b"hello", 5)), bad);
        assert_eq!(check(b"hello", &descriptor(b"hello", 4)), bad);
        assert_eq!(check(b"", &descriptor(b"x", 0)), bad);
    }

    #[test]
    fn whole_blobs_are_capped_before_reading() {
        assert!(matches!(read_all(&b"hello"[..], &descriptor(b"hello", 5), 4), Err(Error::TooLarge { .. })));
        assert!(matches!(read_all(&b"hello world"[..], &descriptor(b"hello", 5), 64), Err(Error::SizeMismatch { .. })));
        assert!(matches!(read_all(&b"hellO"[..], &descriptor(b"hello", 5), 64), Err(Error::DigestMismatch { .. })));
        assert_eq!(read_all(&b"hello"[..], &descriptor(b"hello", 5), 64).ok(), Some(b"hello".to_vec()));
    }
}
