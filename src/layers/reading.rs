//! One layer's stream in, its `LayerRecord` out. Bytes that nobody wants are hashed past and dropped. A layer whose record a cache still has is
//! not read at all.

mod files;

use std::io;

use crate::{
    layers::{
        Error, Interest, LayerCache, LayerInput,
        ahead::Refill,
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
