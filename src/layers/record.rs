//! One layer's stream in, one `LayerRecord` out: what the layer does to the view below it, in the order of its tar.
//! Bytes that nobody wants are hashed past and dropped.

use std::{
    io::{self, BufReader},
    sync::Arc,
};

use crate::{
    layers::{
        Content, Error, LayerInput, Want,
        content::Packer,
        decompress::{self, Opened, Source},
        guard::GivenUp,
        limits::Limits,
        mark::Search,
        pool::Turn,
        untar::{Fault, TarEntry, TarKind, TarStream},
        whiteout::{self, Whiteout},
    },
    model::coverage::{Gap, SourceId},
};

const RAW_BUFFER: usize = 64 * 1024;
/// What a file may cost beyond its room while its last block is not yet compressed.
const PACK_SLACK: u64 = 2 << 20;

/// What one layer does, in tar order.
#[derive(Default)]
pub(super) struct LayerRecord {
    suffixes: String,
    items: Vec<Item>,
    last: String,
    payloads: Vec<Payload>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Tar entries.
    pub entries: u64,
    /// Uncompressed bytes.
    pub bytes: u64,
}

/// A path as the bytes that differ from the path before: tars are sorted by folder, so this is a fraction of the whole.
struct Item {
    shared: u32,
    fresh: u32,
    kind: ItemKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemKind {
    Directory,
    Unkept,
    WithPayload,
}

enum Payload {
    File(Arc<Content>),
    Present,
    Unread,
    Symlink(String),
    Hardlink(String),
    Whiteout(Whiteout),
}

/// One thing that a layer does to one path.
pub(super) enum Change<'a> {
    /// A directory is there.
    Directory,
    /// Something that is no directory is there, and its content was not kept.
    Unkept,
    /// A file is there that somebody wants to know of without its bytes.
    Present,
    /// A file that looks like a package record, but its bytes were not kept.
    Unread,
    /// A file whose bytes were kept.
    File(&'a Arc<Content>),
    /// A symbolic link to this target as written.
    Symlink(&'a str),
    /// A hard link to this path.
    Hardlink(&'a str),
}

impl LayerRecord {
    fn push(&mut self, path: &str, kind: ItemKind, limits: &Limits) -> bool {
        let mut shared = path.bytes().zip(self.last.bytes()).take_while(|(a, b)| a == b).count();
        while !path.is_char_boundary(shared) {
            shared -= 1;
        }
        let fresh = path.get(shared..).unwrap_or_default();
        if self.path_bytes() + fresh.len() > limits.remembered_path_bytes {
            return false;
        }
        let (Ok(shared), Ok(fresh_len)) = (u32::try_from(shared), u32::try_from(fresh.len())) else { return false };
        self.suffixes.push_str(fresh);
        path.clone_into(&mut self.last);
        self.items.push(Item { shared, fresh: fresh_len, kind });
        true
    }

    /// What its paths cost.
    fn path_bytes(&self) -> usize {
        self.suffixes.len() + self.items.len() * size_of::<Item>()
    }

    fn push_with(&mut self, path: &str, payload: Payload, limits: &Limits) -> bool {
        let pushed = self.push(path, ItemKind::WithPayload, limits);
        if pushed {
            self.payloads.push(payload);
        }
        pushed
    }

    /// Calls `whiteout` for each path that the layer deletes from the layers below.
    pub(super) fn for_each_whiteout(&self, mut deleted: impl FnMut(&str, Whiteout)) {
        self.walk(|path, payload, _| {
            if let Some(Payload::Whiteout(whiteout)) = payload {
                deleted(path, *whiteout);
            }
        });
    }

    /// Calls `change` for everything else, in tar order.
    pub(super) fn for_each_change(&self, mut change: impl FnMut(&str, Change<'_>)) {
        self.walk(|path, payload, kind| {
            let what = match (payload, kind) {
                (Some(Payload::Whiteout(_)), _) => return,
                (Some(Payload::File(content)), _) => Change::File(content),
                (Some(Payload::Present), _) => Change::Present,
                (Some(Payload::Unread), _) => Change::Unread,
                (Some(Payload::Symlink(target)), _) => Change::Symlink(target),
                (Some(Payload::Hardlink(target)), _) => Change::Hardlink(target),
                (None, ItemKind::Directory) => Change::Directory,
                (None, _) => Change::Unkept,
            };
            change(path, what);
        });
    }

    fn walk(&self, mut visit: impl FnMut(&str, Option<&Payload>, ItemKind)) {
        let mut path = String::new();
        let mut rest = self.suffixes.as_str();
        let mut payloads = self.payloads.iter();
        for item in &self.items {
            let Some((fresh, after)) = rest.split_at_checked(item.fresh as usize) else { return };
            rest = after;
            path.truncate(item.shared as usize);
            path.push_str(fresh);
            let payload = if item.kind == ItemKind::WithPayload { payloads.next() } else { None };
            visit(&path, payload, item.kind);
        }
    }
}

/// Reads one layer to its end and checks it against its diff id. A layer that needs much memory waits for its turn to be merged.
///
/// # Errors
/// When the blob cannot be read or its reader refuses it, or when its content is not what the configuration promises.
pub(super) fn read(
    input: LayerInput,
    wants: &(dyn Fn(&str) -> Want + Sync),
    limits: &Limits,
    turn: Turn<'_>,
) -> Result<LayerRecord, Error> {
    let LayerInput { layer, reader } = input;
    let mut raw = BufReader::with_capacity(RAW_BUFFER, Source::new(reader));
    let mut record = LayerRecord::default();
    let subject = format!("layer {} ({})", layer.index, layer.descriptor.digest);
    let mut reading =
        Reading { record: &mut record, wants, limits, subject: &subject, turn, below: None, kept: 0, candidates: 0, forgot_paths: false };
    let outcome = match decompress::open(&mut raw, limits) {
        Err(error) => Err(Fault::new("layer-compression", format!("cannot be decompressed: {error}"))),
        Ok(Opened::Foreign(name)) => Err(Fault::new("layer-format", format!("is compressed with {name}, which image layers are not"))),
        Ok(Opened::Tar(reader)) => {
            let mut stream = TarStream::new(reader, layer.diff_id.algorithm(), limits.room_of(layer.descriptor.size));
            let walked = reading.walk(&mut stream);
            // A damaged tar still has to hash to the promised diff id.
            let drained = stream.drain();
            reading.record.bytes = stream.total();
            if let (Err(fault), Err(_)) = (&walked, &drained) {
                reading.gap(fault.clone());
            }
            if drained.is_ok() {
                if let Err(fault) = walked {
                    reading.gap(fault);
                }
                Ok(Some(stream.finish()))
            } else {
                drained.map(|()| None)
            }
        }
    };
    // The reader checks the blob's digest when it is read to its end, whatever the layer was worth.
    let _ = io::copy(&mut raw, &mut io::sink());
    if let Some((source, read)) = raw.into_inner().into_failure() {
        // What came before is dropped: its digest was never seen.
        if let Some(GivenUp(reason)) = GivenUp::of(&source) {
            let gaps = vec![Gap::new(SourceId::Image, "layer-limit", subject, &**reason)];
            return Ok(LayerRecord { gaps, ..LayerRecord::default() });
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
    match outcome {
        Ok(Some(actual)) if actual != layer.diff_id => {
            Err(Error::DiffId { layer: layer.descriptor.digest, expected: layer.diff_id, actual })
        }
        Ok(_) => Ok(record),
        Err(fault) => {
            let gap = Gap::new(SourceId::Image, fault.kind, subject, fault.reason);
            if !record.gaps.contains(&gap) {
                record.gaps.push(gap);
            }
            Ok(record)
        }
    }
}

struct Reading<'a> {
    record: &'a mut LayerRecord,
    wants: &'a (dyn Fn(&str) -> Want + Sync),
    limits: &'a Limits,
    subject: &'a str,
    turn: Turn<'a>,
    /// What the layers below cost, once they are all merged.
    below: Option<u64>,
    kept: u64,
    candidates: u64,
    forgot_paths: bool,
}

impl Reading<'_> {
    fn walk<R: io::Read>(&mut self, stream: &mut TarStream<R>) -> Result<(), Fault> {
        while let Some(entry) = stream.next_entry(self.limits)? {
            self.record.entries += 1;
            if self.record.entries > self.limits.entries {
                return Err(Fault::new("layer-limit", format!("has more entries than the limit of {}", self.limits.entries)));
            }
            self.entry(entry, stream)?;
        }
        Ok(())
    }

    fn entry<R: io::Read>(&mut self, entry: TarEntry, stream: &mut TarStream<R>) -> Result<(), Fault> {
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
                    if (self.wants)(&path).by_name() {
                        self.file_gap(&path, fault);
                    }
                    self.record.push(&path, ItemKind::Unkept, limits)
                }
            },
            TarKind::Other => self.record.push(&path, ItemKind::Unkept, limits),
            TarKind::Sparse => {
                if (self.wants)(&path).by_name() {
                    self.file_gap(&path, Fault::new("layer-tar", "is stored as a sparse file, which is not read"));
                }
                stream.skip(entry.size)?;
                self.record.push(&path, ItemKind::Unkept, limits)
            }
            TarKind::File => {
                let payload = self.file(&path, entry.size, stream)?;
                match payload {
                    Some(payload) => self.record.push_with(&path, payload, limits),
                    None => self.record.push(&path, ItemKind::Unkept, limits),
                }
            }
        };
        self.remembered(pushed);
        Ok(())
    }

    fn file<R: io::Read>(&mut self, path: &str, size: u64, stream: &mut TarStream<R>) -> Result<Option<Payload>, Fault> {
        let limits = self.limits;
        match (self.wants)(path) {
            Want::Presence => stream.skip(size).map(|()| Some(Payload::Present)),
            Want::Bytes if size > limits.file_bytes => {
                self.file_gap(path, Fault::new("file-limit", format!("has {size} bytes; the limit for one file is {}", limits.file_bytes)));
                stream.skip(size).map(|()| None)
            }
            Want::Bytes => self.keep(path, size, stream),
            want @ (Want::No | Want::PresenceIf(_)) => {
                // A later link may give this file a wanted name, so small files that look like a record are kept for a while.
                if size > 0 && resembles_record(stream.peek(32)?) {
                    if size <= limits.candidate_file_bytes && self.candidates + size <= limits.candidate_bytes {
                        self.candidates += size;
                        return self.keep(path, size, stream);
                    }
                    return stream.skip(size).map(|()| Some(Payload::Unread));
                }
                if let Want::PresenceIf(mark) = want
                    && size > mark.start.len() as u64
                    && stream.peek(mark.start.len())? == mark.start
                {
                    let mut search = Search::new(mark);
                    stream.content(size, |piece| search.feed(piece))?;
                    return Ok(search.found().then_some(Payload::Present));
                }
                stream.skip(size).map(|()| None)
            }
        }
    }

    /// Keeps a file's bytes, if they fit.
    fn keep<R: io::Read>(&mut self, path: &str, size: u64, stream: &mut TarStream<R>) -> Result<Option<Payload>, Fault> {
        let room = self.room(size);
        let failed = |error: io::Error| Fault::new("file-limit", format!("its bytes could not be kept: {error}"));
        let mut packer = Packer::new(size).map_err(failed)?;
        let mut result = Ok(());
        let mut fits = true;
        stream.content(size, |piece| {
            fits = fits && packer.cost() + piece.len() as u64 <= room.saturating_add(PACK_SLACK);
            if fits && result.is_ok() {
                result = packer.push(piece);
            }
        })?;
        result.map_err(failed)?;
        if fits {
            let content = packer.finish().map_err(failed)?;
            if content.cost() <= room {
                self.kept += content.cost();
                return Ok(Some(Payload::File(Arc::new(content))));
            }
        }
        if (self.wants)(path).by_name() {
            let reason = format!("the wanted files of the image exceed the limit of {} bytes", self.limits.kept_bytes);
            self.file_gap(path, Fault::new("file-limit", reason));
            return Ok(None);
        }
        Ok(Some(Payload::Unread))
    }

    /// How many bytes keeping a file of `size` bytes may cost. Little is always granted, and counted when the layer is merged; before more is, the layers below have to
    /// be merged, so that the answer is the same however many threads there are.
    fn room(&mut self, size: u64) -> u64 {
        let early = self.limits.early_bytes;
        if self.kept + size <= early {
            return u64::MAX;
        }
        self.limits.kept_bytes.saturating_sub(self.below()).saturating_sub(self.kept)
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

/// Whether the first bytes could be those of a record file: a JSON object, or one of the text formats.
fn resembles_record(head: &[u8]) -> bool {
    const HEADS: &[&[u8]] = &[
        b"{",
        b"Metadata-Version:",
        b"Package:",
        b"Status:",
        b"Version:",
        b"Architecture:",
        b"Source:",
        b"Name:",
        b"C:Q",
        b"P:",
        b"ID=",
        b"NAME=",
        b"PRETTY_NAME=",
    ];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    HEADS.iter().any(|start| head.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)))
}

fn printable(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
