//! One layer's stream in, its `LayerRecord` out. Bytes that nobody wants are hashed past and dropped. A layer whose record a cache still has is
//! not read at all.

use std::{io, sync::Arc};

use crate::{
    layers::{
        Error, Examiner, Examiners, Interest, LayerCache, LayerInput, Spool, Want,
        ahead::Refill,
        content::{LARGE, Packer},
        guard::GivenUp,
        limits::Limits,
        pool::Turn,
        record::{ItemKind, LayerRecord, Origin, PathMark, Payload, cache_key},
        unpack::unpack,
        untar::{Fault, TarEntry, TarKind, TarStream},
        whiteout,
    },
    model::{
        coverage::{Gap, SourceId},
        image::Layer,
    },
};

/// How much of a file's beginning is looked at to tell a record.
const PEEK: usize = 512;
/// How zip archives begin, as the formats do that are such.
const ZIP: &[u8] = b"PK\x03\x04";
/// What a file may cost beyond its room while its last block is not yet compressed.
const PACK_SLACK: u64 = 2 << 20;

/// Reads one layer to its end and checks it against its diff id, or takes its record from the cache, where a layer of the same digest was read and
/// checked before. A layer that needs much memory waits for its turn to be merged.
///
/// # Errors
/// When the blob cannot be read or its reader refuses it, or when its content is not what the configuration promises.
pub(super) fn read(
    input: LayerInput,
    interest: &dyn Interest,
    limits: &Limits,
    turn: Turn<'_>,
    cache: Option<&dyn LayerCache>,
) -> Result<LayerRecord, Error> {
    let LayerInput { layer, reader } = input;
    let subject = format!("layer {} ({})", layer.index, layer.descriptor.digest);
    if layer.descriptor.media_type.ends_with("+encrypted") {
        // Its content is nothing without the key, and its digest is that of the plain content.
        let gap = Gap::new(SourceId::Image, "layer-format", subject, "is encrypted, and not read");
        let mut record = LayerRecord::default();
        record.gaps.push(gap);
        return Ok(record);
    }
    // Whether a layer with URLs is read depends on whether its blob is there, so that such a layer is always looked for.
    let entry = cache
        .filter(|_| layer.descriptor.urls.is_empty())
        .map(|cache| (cache, cache_key(&layer.descriptor.digest, limits)))
        .filter(|(cache, key)| cache.is_asked(key));
    let _done = entry.as_ref().map(|(cache, key)| Done(*cache, key));
    if let Some((cache, key)) = &entry
        && let Some(record) = recall(*cache, key, &layer, &subject, limits, turn)
    {
        return Ok(record);
    }
    let mut record = LayerRecord::default();
    let mut reading = Reading {
        record: &mut record,
        interest,
        limits,
        subject: &subject,
        turn,
        below: None,
        candidates: 0,
        noted: 0,
        buffer: Vec::new(),
        forgot_paths: false,
        depends_on_run: false,
    };
    let (outcome, failure) = unpack(reader, layer.descriptor.size, limits, |tar| {
        let mut stream = TarStream::new(tar, layer.diff_id.algorithm(), limits.room_of(layer.descriptor.size));
        let walked = reading.walk(&mut stream);
        // A damaged tar still has to hash to the promised diff id.
        let drained = stream.drain();
        reading.record.bytes = stream.total();
        if let (Err(fault), Err(_)) = (&walked, &drained) {
            reading.gap(fault.clone());
        }
        if drained.is_ok()
            && let Err(fault) = walked
        {
            reading.gap(fault);
        }
        drained.map(|()| stream.finish())
    });
    let (reusable, asked_below) = (!reading.depends_on_run, reading.below.is_some());
    if let Some((source, read)) = failure {
        // What came before is dropped: its digest was never seen.
        if let Some(GivenUp(reason)) = GivenUp::of(&source) {
            record = LayerRecord::default();
            record.gaps.push(Gap::new(SourceId::Image, "layer-limit", subject, &**reason));
            return Ok(record);
        }
        if read == 0 && source.kind() == io::ErrorKind::NotFound && !layer.descriptor.urls.is_empty() {
            record.gaps = vec![Gap::new(
                SourceId::Image,
                "foreign-layer",
                subject,
                "is kept outside of the image, behind a URL that is never fetched",
            )];
            return Ok(record);
        }
        return Err(Error::Blob { layer: layer.descriptor.digest, source });
    }
    match outcome.and_then(|hashed| hashed) {
        Ok(actual) if actual != layer.diff_id => Err(Error::DiffId { layer: layer.descriptor.digest, expected: layer.diff_id, actual }),
        Ok(diff_id) => {
            if let Some((cache, key)) = entry.as_ref().filter(|_| reusable)
                && let Some(bytes) =
                    record.encode(&Origin { diff_id, blob_size: layer.descriptor.size, kept: record.kept, asked_below }, &subject)
            {
                cache.save(key, &bytes);
            }
            Ok(record)
        }
        Err(fault) => {
            let gap = Gap::new(SourceId::Image, fault.kind, subject, fault.reason);
            if !record.gaps.contains(&gap) {
                record.gaps.push(gap);
            }
            Ok(record)
        }
    }
}

/// Tells the cache when a layer is done with, however that came.
struct Done<'a>(&'a dyn LayerCache, &'a str);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done(self.1);
    }
}

/// The record of the same layer from an earlier run, if it says what reading the layer now would say.
fn recall(cache: &dyn LayerCache, key: &str, layer: &Layer, subject: &str, limits: &Limits, turn: Turn<'_>) -> Option<LayerRecord> {
    let mut bytes = cache.load(key)?;
    let Some(origin) = Origin::decode(&bytes, limits) else {
        cache.discard(key);
        return None;
    };
    // Another image may lie about the same blob; reading it then gives the right error.
    if origin.diff_id != layer.diff_id || origin.blob_size != layer.descriptor.size {
        return None;
    }
    if origin.asked_below {
        // It was made when the layers below left room for all its files; with less room, other files would be kept. It waits on disk meanwhile.
        drop(bytes);
        if turn.wait()?.saturating_add(origin.kept) > limits.kept_bytes {
            return None;
        }
        bytes = cache.load(key)?;
    }
    let record = LayerRecord::decode(&bytes, subject, limits);
    if record.is_none() {
        cache.discard(key);
    }
    record
}

struct Reading<'a> {
    record: &'a mut LayerRecord,
    interest: &'a dyn Interest,
    limits: &'a Limits,
    subject: &'a str,
    turn: Turn<'a>,
    /// What the layers below cost, once they are all merged.
    below: Option<u64>,
    candidates: u64,
    /// Bytes of notes.
    noted: u64,
    /// Memory of examined files, used again.
    buffer: Vec<u8>,
    forgot_paths: bool,
    /// Whether another run, or another image with the same layer, might keep something else.
    depends_on_run: bool,
}

impl Reading<'_> {
    fn walk<R: Refill>(&mut self, stream: &mut TarStream<R>) -> Result<(), Fault> {
        while let Some(entry) = stream.next_entry(self.limits)? {
            self.record.entries += 1;
            if self.record.entries > self.limits.entries {
                return Err(Fault::new("layer-limit", format!("has more entries than the limit of {}", self.limits.entries)));
            }
            self.entry(entry, stream)?;
        }
        Ok(())
    }

    fn entry<R: Refill>(&mut self, entry: TarEntry, stream: &mut TarStream<R>) -> Result<(), Fault> {
        let path = match entry.name.and_then(|name| self.place(&name)) {
            Ok(path) => path,
            Err(fault) => {
                self.gap(fault);
                return stream.skip(entry.size);
            }
        };
        let limits = self.limits;
        if let Some((path, whiteout)) = whiteout::parse(&path) {
            let pushed = whiteout.is_none_or(|whiteout| self.record.push_with(path, Payload::Whiteout(whiteout), limits));
            self.remembered(pushed);
            return stream.skip(entry.size);
        }
        let mark = PathMark {
            mode: entry.mode,
            is_folder: entry.kind == TarKind::Directory,
            has_capability: entry.has_capability && entry.kind != TarKind::Directory,
        };
        let mark = Some(mark).filter(|mark| mark.is_notable() && !path.is_empty());
        let mut note = None;
        let pushed = match entry.kind {
            TarKind::Directory => path.is_empty() || self.record.push(&path, ItemKind::Directory, limits),
            _ if path.is_empty() => true,
            TarKind::Symlink(target) => match self.link_target(&path, &target) {
                Some(target) => self.record.push_with(&path, Payload::Symlink(target), limits),
                None => self.record.push(&path, ItemKind::Unkept, limits),
            },
            TarKind::Hardlink(target) => match self.place(&target) {
                Ok(target) => self.record.push_with(&path, Payload::Hardlink(target), limits),
                // A hard link out of the image links to nothing; that matters only if its own name is wanted.
                Err(fault) => {
                    if self.interest.wants(&path).by_name() {
                        self.file_gap(&path, fault);
                    }
                    self.record.push(&path, ItemKind::Unkept, limits)
                }
            },
            TarKind::Other => self.record.push(&path, ItemKind::Unkept, limits),
            TarKind::Sparse => {
                if self.interest.wants(&path).by_name() || self.would_look_at(&path, entry.size, stream)? {
                    self.file_gap(&path, Fault::new("layer-tar", "is stored as a sparse file, which is not read"));
                }
                stream.skip(entry.size)?;
                self.record.push(&path, ItemKind::Unkept, limits)
            }
            TarKind::File => {
                let (payload, noted) = self.scanned_file(&path, entry.size, stream)?;
                note = noted;
                match payload {
                    Some(payload) => self.record.push_with(&path, payload, limits),
                    None => self.record.push(&path, ItemKind::Unkept, limits),
                }
            }
        };
        if pushed {
            let is_link = matches!(self.record.last_payload(), Some(Payload::Symlink(_)));
            if let Some(mark) = mark.filter(|_| !is_link) {
                self.record.mark(mark);
            }
            if let Some(note) = note {
                self.record.note(note);
            }
        }
        self.remembered(pushed);
        Ok(())
    }

    /// Whether a file with holes, of whose content only parts are stored, seems to be one that would have been looked at.
    fn would_look_at<R: Refill>(&self, path: &str, size: u64, stream: &mut TarStream<R>) -> Result<bool, Fault> {
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
    fn scanned_file<R: Refill>(
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
    fn below(&mut self) -> u64 {
        let turn = self.turn;
        *self.below.get_or_insert_with(|| turn.wait().unwrap_or(u64::MAX))
    }

    /// The path inside the image: no leading slash, no `.`, no `..`, bytes that are no UTF-8 written as `\xNN`.
    fn place(&self, name: &[u8]) -> Result<String, Fault> {
        if name.len() > self.limits.path_bytes {
            return Err(Fault::new(
                "layer-limit",
                format!("a name of {} bytes exceeds the limit of {}", name.len(), self.limits.path_bytes),
            ));
        }
        let text = printable(name);
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        let shown: String = text.chars().take(200).collect();
                        return Err(Fault::new("path-escape", format!("the name `{shown}` leaves the image's root")));
                    }
                }
                part => parts.push(part),
            }
        }
        Ok(parts.join("/"))
    }

    fn link_target(&mut self, path: &str, target: &[u8]) -> Option<String> {
        if target.len() > self.limits.path_bytes {
            let reason = format!("the link `{path}` has a target of {} bytes; the limit is {}", target.len(), self.limits.path_bytes);
            self.gap(Fault::new("layer-limit", reason));
            return None;
        }
        Some(printable(target))
    }

    fn remembered(&mut self, pushed: bool) {
        if self.record.path_bytes() as u64 > self.limits.early_bytes {
            self.below();
        }
        if !pushed && !self.forgot_paths {
            self.forgot_paths = true;
            let reason =
                format!("has more bytes of paths than the limit of {}; later entries were not placed", self.limits.remembered_path_bytes);
            self.gap(Fault::new("layer-limit", reason));
        }
    }

    fn gap(&mut self, fault: Fault) {
        let gap = Gap::new(SourceId::Image, fault.kind, self.subject, fault.reason);
        self.push_gap(gap);
    }

    fn file_gap(&mut self, path: &str, fault: Fault) {
        let gap = Gap::new(SourceId::Inventory, fault.kind, path, fault.reason);
        self.push_gap(gap);
    }

    /// Keeps each Gap once and only so many of a kind; the count of the others says enough.
    fn push_gap(&mut self, gap: Gap) {
        let same_kind = self.record.gaps.iter().filter(|known| known.kind == gap.kind).count();
        if same_kind < self.limits.gaps_per_kind && !self.record.gaps.contains(&gap) {
            self.record.gaps.push(gap);
        } else if same_kind == self.limits.gaps_per_kind {
            let more = Gap::new(
                SourceId::Image,
                gap.kind,
                self.subject,
                format!("more than {same_kind} gaps of this kind; the others are not listed"),
            );
            self.record.gaps.push(more);
        }
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

fn printable(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        // What looks like such an escape is escaped itself, so that no two names become one.
        text.push_str(&chunk.valid().replace("\\x", "\\x5cx"));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
