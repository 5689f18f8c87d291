//! What becomes of one file while its layer streams past: in, its path and content; out, the payload to keep, or nothing. Who wants it decides: it
//! is kept, examined, scanned for credentials, or passed over.

use std::{io, sync::Arc};

use super::Reading;
use crate::layers::{
    Examiner, Examiners, Spool, Want,
    ahead::Refill,
    content::{LARGE, Packer},
    record::Payload,
    untar::{Fault, TarStream},
};

/// How much of a file's beginning is looked at to tell a record.
const PEEK: usize = 512;
/// How zip archives begin, as the formats do that are such.
const ZIP: &[u8] = b"PK\x03\x04";
/// What a file may cost beyond its room while its last block is not yet compressed.
const PACK_SLACK: u64 = 2 << 20;

impl Reading<'_> {
    /// Whether a file with holes, of whose content only parts are stored, seems to be one that would have been looked at.
    pub(super) fn would_look_at<R: Refill>(&self, path: &str, size: u64, stream: &mut TarStream<R>) -> Result<bool, Fault> {
        let stored = stream.peek(usize::try_from(size).unwrap_or(usize::MAX).min(2 * PEEK))?;
        // In one form a map of digits and line ends stands in front, in blocks of its own.
        let has_map = stored.first().is_some_and(u8::is_ascii_digit) && stored.iter().take(PEEK).any(|&byte| byte == b'\n');
        let head = stored.get(if has_map { PEEK } else { 0 }..).unwrap_or_default();
        let head = head.get(..PEEK).unwrap_or(head);
        let is_examined = match self.interest.wants(path) {
            Want::ExamineIf(examiners) | Want::PresenceOrExamine(examiners) => first_of(examiners, path, head, size).is_some(),
            _ => false,
        };
        let is_scanned = size > 0 && size <= self.limits.scanned_file_bytes && self.interest.scans(path, head, size);
        Ok(!head.is_empty() && (is_examined || is_scanned))
    }

    /// What becomes of a file, and what is noted of it. A file that is scanned is read as a whole first.
    pub(super) fn scanned_file<R: Refill>(
        &mut self,
        path: &str,
        size: u64,
        stream: &mut TarStream<R>,
    ) -> Result<(Option<Payload>, Option<Box<[u8]>>), Fault> {
        let limits = self.limits;
        let most = limits.scanned_file_bytes;
        if most > 0 && size > most && self.interest.misses(path) {
            let reason = format!("has {size} bytes and was not searched for credentials; the limit for one file is {most}");
            self.file_gap(path, Fault::new("file-limit", reason));
        }
        if size == 0 || size > most || !self.interest.scans(path, head(stream, size)?, size) {
            return Ok((self.file(path, size, stream)?, None));
        }
        let mut bytes = Vec::new();
        stream.content(size, |piece| bytes.extend_from_slice(piece))?;
        let payload = self.file(path, size, &mut Whole(&bytes))?;
        let note = self.interest.scan(path, &bytes).filter(|note| !note.is_empty());
        let note = note.filter(|note| {
            let is_room = self.noted + note.len() as u64 <= limits.note_bytes;
            if !is_room {
                let reason =
                    format!("what was found in its files exceeds the limit of {} bytes; the rest is not listed", limits.note_bytes);
                self.gap(Fault::new("layer-limit", reason));
            }
            is_room
        });
        self.noted += note.as_ref().map_or(0, |note| note.len() as u64);
        Ok((payload, note.map(Vec::into_boxed_slice)))
    }

    fn file(&mut self, path: &str, size: u64, stream: &mut impl Content) -> Result<Option<Payload>, Fault> {
        let limits = self.limits;
        match self.interest.wants(path) {
            Want::Presence => stream.skip(size).map(|()| Some(Payload::Present)),
            Want::PresenceOrExamine(examiners) => {
                if let Some(examiner) = first_of(examiners, path, head(stream, size)?, size) {
                    return Ok(self.examine(path, size, stream, examiner)?.or(Some(Payload::Present)));
                }
                stream.skip(size).map(|()| Some(Payload::Present))
            }
            Want::Bytes if size > limits.file_bytes => {
                self.file_gap(path, Fault::new("file-limit", format!("has {size} bytes; the limit for one file is {}", limits.file_bytes)));
                stream.skip(size).map(|()| None)
            }
            Want::Bytes => self.keep(path, size, stream),
            Want::Examine(examiner) => {
                let looks = examiner.is_wanted(path, head(stream, size)?, size);
                if looks {
                    return self.examine(path, size, stream, examiner);
                }
                stream.skip(size)?;
                self.extract(path, examiner, &[])
            }
            want @ (Want::No | Want::ExamineIf(_)) => {
                if let Want::ExamineIf(examiners) = want
                    && let Some(examiner) = first_of(examiners, path, head(stream, size)?, size)
                {
                    return self.examine(path, size, stream, examiner);
                }
                // A later link may give this file a wanted name, so small files that look like a record are kept for a while.
                if size > 0 && stream.peek(ZIP.len())? == ZIP {
                    return stream.skip(size).map(|()| Some(Payload::Unread));
                }
                if size > 0 && (is_named_like_record(path) || resembles_record(stream.peek(PEEK)?)) {
                    if size <= limits.candidate_file_bytes && self.candidates + size <= limits.candidate_bytes {
                        self.candidates += size;
                        return self.keep(path, size, stream);
                    }
                    return stream.skip(size).map(|()| Some(Payload::Unread));
                }
                stream.skip(size).map(|()| None)
            }
        }
    }

    /// Keeps a file's bytes, if they fit. Whether they do depends on the layers below, and whatever else stops them on the moment.
    fn keep(&mut self, path: &str, size: u64, stream: &mut impl Content) -> Result<Option<Payload>, Fault> {
        let room = self.room(size);
        let failed = |error: io::Error| Fault::new("file-limit", format!("its bytes could not be kept: {error}"));
        let depended = std::mem::replace(&mut self.depends_on_run, true);
        let mut packer = Packer::new(size).map_err(failed)?;
        let mut result = Ok(());
        let mut fits = true;
        stream.content(size, |piece| {
            fits = fits && (size <= LARGE as u64 || packer.cost() + piece.len() as u64 <= room.saturating_add(PACK_SLACK));
            if fits && result.is_ok() {
                result = packer.push(piece);
            }
        })?;
        result.map_err(failed)?;
        if fits {
            let content = packer.finish().map_err(failed)?;
            if content.cost() <= room {
                self.record.kept += content.cost();
                self.depends_on_run = depended;
                return Ok(Some(Payload::File(Arc::new(content))));
            }
        }
        if self.interest.wants(path).by_name() {
            let reason = format!("the wanted files of the image exceed the limit of {} bytes", self.limits.kept_bytes);
            self.file_gap(path, Fault::new("file-limit", reason));
            return Ok(None);
        }
        Ok(Some(Payload::Unread))
    }

    /// Has an examiner look at a file as a whole, and keeps what it says.
    fn examine(
        &mut self,
        path: &str,
        size: u64,
        stream: &mut impl Content,
        examiner: &'static dyn Examiner,
    ) -> Result<Option<Payload>, Fault> {
        let limits = self.limits;
        if size > limits.examined_bytes {
            self.file_gap(path, Fault::new("file-limit", format!("has {size} bytes; the limit for one file is {}", limits.examined_bytes)));
            return stream.skip(size).map(|()| None);
        }
        let mut spool = Spool::with_buffer(std::mem::take(&mut self.buffer), limits.examined_memory_bytes);
        let mut result = Ok(());
        stream.content(size, |piece| {
            if result.is_ok() {
                result = spool.push(piece);
            }
        })?;
        if let Err(error) = result {
            // Another run may have the room.
            self.depends_on_run = true;
            self.file_gap(path, Fault::new("file-limit", format!("could not be put aside to be looked at: {error}")));
            return Ok(None);
        }
        let extract = examiner.examine(path, &spool.body(), limits);
        self.buffer = spool.into_buffer();
        if extract.is_empty() && !self.interest.wants(path).by_name() {
            return Ok(None);
        }
        if extract.len() > limits.extract_bytes {
            let reason = format!("what it holds takes {} bytes; the limit for one file is {}", extract.len(), limits.extract_bytes);
            self.file_gap(path, Fault::new("file-limit", reason));
            return Ok(None);
        }
        self.extract(path, examiner, &extract)
    }

    /// Keeps what an examiner says.
    fn extract(&mut self, path: &str, examiner: &'static dyn Examiner, extract: &[u8]) -> Result<Option<Payload>, Fault> {
        let kept = self.keep_bytes(path, extract)?;
        Ok(match kept {
            Some(Payload::File(content)) => Some(Payload::Extract(examiner.id().into(), content)),
            _ => None,
        })
    }

    fn keep_bytes(&mut self, path: &str, bytes: &[u8]) -> Result<Option<Payload>, Fault> {
        self.keep(path, bytes.len() as u64, &mut Whole(bytes))
    }

    /// How many bytes keeping a file of `size` bytes may cost. Little is always granted, and counted when the layer is merged; before more is, the layers below have to
    /// be merged, so that the answer is the same however many threads there are.
    fn room(&mut self, size: u64) -> u64 {
        let early = self.limits.early_bytes;
        if self.record.kept + size <= early {
            return u64::MAX;
        }
        self.limits.kept_bytes.saturating_sub(self.below()).saturating_sub(self.record.kept)
    }

    /// Waits for the layers below; what they cost. When the run has failed meanwhile, nothing more is worth keeping.
    pub(super) fn below(&mut self) -> u64 {
        let turn = self.turn;
        *self.below.get_or_insert_with(|| turn.wait().unwrap_or(u64::MAX))
    }
}

/// The content of one file: what comes next of a tar, or bytes that were read already.
trait Content {
    fn peek(&mut self, count: usize) -> Result<&[u8], Fault>;
    fn content(&mut self, size: u64, take: impl FnMut(&[u8])) -> Result<(), Fault>;
    fn skip(&mut self, size: u64) -> Result<(), Fault> {
        self.content(size, |_| {})
    }
}

impl<R: Refill> Content for TarStream<R> {
    fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        Self::peek(self, count)
    }

    fn content(&mut self, size: u64, take: impl FnMut(&[u8])) -> Result<(), Fault> {
        Self::content(self, size, take)
    }
}

/// A whole file's bytes.
struct Whole<'a>(&'a [u8]);

impl Content for Whole<'_> {
    fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        Ok(self.0.get(..count).unwrap_or(self.0))
    }

    fn content(&mut self, _: u64, mut take: impl FnMut(&[u8])) -> Result<(), Fault> {
        take(self.0);
        Ok(())
    }
}

/// The first bytes of a file, and nothing of what stands behind it.
fn head(stream: &mut impl Content, size: u64) -> Result<&[u8], Fault> {
    stream.peek(usize::try_from(size).unwrap_or(PEEK).min(PEEK))
}

/// Who looks at a file that begins so.
fn first_of(examiners: Examiners, path: &str, head: &[u8], size: u64) -> Option<&'static dyn Examiner> {
    examiners.iter().copied().find(|examiner| size > 0 && examiner.is_wanted(path, head, size))
}

/// Whether a file has the name of a record whose folder decides whether it is one.
fn is_named_like_record(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("package.json" | "METADATA" | "PKG-INFO" | "os-release"))
}

/// Whether the first bytes could be those of a record file: a JSON object, or one of the text formats, whose first line is a field. A beginning that
/// is blank altogether says nothing, so that it could be either.
fn resembles_record(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some(first) = head.first() else { return true };
    if *first == b'{' {
        return true;
    }
    let name = head.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    let rest = head.get(name..).unwrap_or_default();
    match rest.first() {
        Some(b':') => (1..=40).contains(&name),
        Some(b'=') => (1..=40).contains(&name) && head.iter().take(name).all(|byte| byte.is_ascii_uppercase() || *byte == b'_'),
        _ => false,
    }
}
