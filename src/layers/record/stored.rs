//! A `LayerRecord` in, bytes for a cache out, and back again. The bytes may be damaged or hostile: whatever they hold, decoding them ends, allocates
//! no more than the limits say, and gives a whole record or none.
//!
//! The format is our own and changes with [`FORMAT`]: one zstd frame (<https://www.rfc-editor.org/rfc/rfc8878>) of numbers in LEB128, texts and
//! contents with their length in front, first the [`Origin`], then Gaps, then paths with what happens at each.

use std::{
    io::{self, BufReader, Read, Write},
    sync::Arc,
};

use super::{ItemKind, LayerRecord, PathMark, Payload};
use crate::{
    layers::{Content, content::Stored, limits::Limits, whiteout::Whiteout},
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
    },
};

/// Raised with every change of what a record says or how it is written.
const FORMAT: u32 = 4;
/// zstd's fastest regular level.
const LEVEL: i32 = 1;
/// Reserved at most before the bytes have come.
const RESERVE: u64 = 64 * 1024;
const READ_BUFFER: usize = 64 * 1024;
/// Bytes of an examiner's id.
const EXAMINER_BYTES: u64 = 64;
/// Bytes of a Gap's texts.
const GAP_BYTES: u64 = 1 << 20;
/// The Gaps that a record may hold: everything else is not stored. A Gap's kind is a permanent word, so that it is stored as its place here.
const GAP_KINDS: &[&str] = &["file-limit", "layer-limit", "layer-tar", "path-escape"];
const GAP_SOURCES: &[SourceId] = &[SourceId::Image, SourceId::Inventory];

/// Names everything that decides what the record of a blob says, apart from who wants which file.
pub(crate) fn cache_key(blob: &Digest, limits: &Limits) -> String {
    // The number of threads decides nothing.
    let limits = Limits { threads: 0, ..limits.clone() };
    format!("layer record {FORMAT}\nblob {blob}\n{limits:?}\n")
}

/// Where a record comes from, and under which conditions it was made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// What the layer's content hashed to.
    pub(crate) diff_id: Digest,
    /// Bytes of the blob.
    pub(crate) blob_size: u64,
    /// What its kept files cost.
    pub(crate) kept: u64,
    /// Whether it had to be asked what the layers below cost.
    pub(crate) asked_below: bool,
}

impl Origin {
    /// Reads the beginning of a stored record.
    pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Option<Self> {
        decoder(bytes, limits)?.origin()
    }
}

impl LayerRecord {
    /// The record as bytes. `subject` is how its Gaps call the layer. `None` when it holds what cannot be stored.
    pub(crate) fn encode(&self, origin: &Origin, subject: &str) -> Option<Vec<u8>> {
        let mut out = Encoder(zstd::stream::write::Encoder::new(Vec::new(), LEVEL).ok()?);
        out.text(&origin.diff_id.to_string())?;
        for number in [origin.blob_size, origin.kept, u64::from(origin.asked_below), self.entries, self.bytes] {
            out.number(number)?;
        }
        out.number(self.gaps.len() as u64)?;
        for gap in &self.gaps {
            out.gap(gap, subject)?;
        }
        out.number(self.items.len() as u64)?;
        let mut rest = self.suffixes.as_str();
        let mut payloads = self.payloads.iter();
        for item in &self.items {
            let (fresh, after) = rest.split_at_checked(item.fresh as usize)?;
            rest = after;
            out.number(u64::from(item.shared))?;
            out.text(fresh)?;
            match item.kind {
                ItemKind::Directory => out.number(0)?,
                ItemKind::Unkept => out.number(1)?,
                ItemKind::WithPayload => out.payload(payloads.next()?)?,
            }
        }
        out.number(self.marks.len() as u64)?;
        for (at, mark) in &self.marks {
            out.number(u64::from(*at))?;
            out.number(u64::from(mark.mode) << 2 | u64::from(mark.is_folder) << 1 | u64::from(mark.has_capability))?;
        }
        out.number(self.notes.len() as u64)?;
        for (at, note) in &self.notes {
            out.number(u64::from(*at))?;
            out.bytes(note)?;
        }
        out.0.finish().ok()
    }

    /// The record that the bytes hold. `subject` is how its Gaps call the layer now.
    pub(crate) fn decode(bytes: &[u8], subject: &str, limits: &Limits) -> Option<Self> {
        let mut decoder = decoder(bytes, limits)?;
        let origin = decoder.origin()?;
        let mut record = Self { kept: origin.kept, entries: decoder.number()?, bytes: decoder.number()?, ..Self::default() };
        if record.entries > limits.entries {
            return None;
        }
        // One more of each kind says that there were others.
        let most = (GAP_KINDS.len() * (limits.gaps_per_kind + 1)) as u64;
        for _ in 0..decoder.number_up_to(most)? {
            let gap = decoder.gap(subject)?;
            record.gaps.push(gap);
        }
        let mut kept = 0;
        let mut fresh = Vec::new();
        for _ in 0..decoder.number_up_to(limits.entries)? {
            let shared = usize::try_from(decoder.number()?).ok()?;
            let length = decoder.number_up_to(decoder.longest_path())?;
            decoder.read(length, &mut fresh)?;
            let fresh = std::str::from_utf8(&fresh).ok()?;
            let pushed = match decoder.number()? {
                0 => record.push_fresh(shared, fresh, ItemKind::Directory, limits),
                1 => record.push_fresh(shared, fresh, ItemKind::Unkept, limits),
                kind => {
                    let payload = decoder.payload(kind)?;
                    if let Payload::File(content) | Payload::Extract(_, content) = &payload {
                        kept += content.cost();
                    }
                    kept <= origin.kept && record.push_fresh_with(shared, fresh, payload, limits)
                }
            };
            if !pushed {
                return None;
            }
        }
        let items = record.items.len() as u64;
        let mut least = 0;
        for _ in 0..decoder.number_up_to(items)? {
            let at = decoder.number_up_to(items)?;
            let bits = decoder.number_up_to(u64::from(u16::MAX))?;
            let mark = PathMark { mode: u16::try_from(bits >> 2).ok()?, is_folder: bits & 2 != 0, has_capability: bits & 1 != 0 };
            if at < least || at >= items || record.path_bytes() > limits.remembered_path_bytes {
                return None;
            }
            least = at + 1;
            record.marks.push((u32::try_from(at).ok()?, mark));
        }
        let mut least = 0;
        for _ in 0..decoder.number_up_to(items)? {
            let at = decoder.number_up_to(items)?;
            let note = decoder.bytes(limits.note_bytes)?;
            if at < least || at >= items || record.note_bytes as u64 > limits.note_bytes {
                return None;
            }
            least = at + 1;
            record.note_bytes += note.len();
            record.notes.push((u32::try_from(at).ok()?, note.into()));
        }
        (decoder.is_at_end() && kept == origin.kept).then_some(record)
    }
}

struct Encoder(zstd::stream::write::Encoder<'static, Vec<u8>>);

impl Encoder {
    fn number(&mut self, mut number: u64) -> Option<()> {
        let mut bytes = [0; 10];
        let mut used = 0;
        for byte in &mut bytes {
            used += 1;
            *byte = u8::try_from(number & 0x7f).ok()?;
            number >>= 7;
            if number == 0 {
                break;
            }
            *byte |= 0x80;
        }
        self.0.write_all(bytes.get(..used)?).ok()
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.number(bytes.len() as u64)?;
        self.0.write_all(bytes).ok()
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.bytes(text.as_bytes())
    }

    fn gap(&mut self, gap: &Gap, subject: &str) -> Option<()> {
        let kind = GAP_KINDS.iter().position(|kind| *kind == gap.kind)?;
        let source = GAP_SOURCES.iter().position(|source| *source == gap.source)?;
        if gap.hint.is_some() {
            return None;
        }
        self.number(kind as u64)?;
        self.number(source as u64)?;
        // The layer's own name holds its place in the image, which may be another next time.
        self.text(if gap.subject == subject { "" } else { &gap.subject })?;
        self.text(&gap.reason)
    }

    fn payload(&mut self, payload: &Payload) -> Option<()> {
        match payload {
            Payload::Present => self.number(2),
            Payload::Unread => self.number(3),
            Payload::Symlink(target) => self.number(4).and_then(|()| self.text(target)),
            Payload::Hardlink(target) => self.number(5).and_then(|()| self.text(target)),
            Payload::Whiteout(Whiteout::Path) => self.number(6),
            Payload::Whiteout(Whiteout::Below) => self.number(7),
            Payload::File(content) => self.content(8, content),
            Payload::Extract(examiner, content) => {
                self.number(10)?;
                self.text(examiner)?;
                self.content(0, content)
            }
        }
    }

    /// A content, as one of two kinds of which the second is packed.
    fn content(&mut self, kind: u64, content: &Content) -> Option<()> {
        match &content.0 {
            Stored::Plain(bytes) => self.number(kind).and_then(|()| self.bytes(bytes)),
            Stored::Packed { frames, size } => {
                self.number(kind + 1)?;
                self.number(*size as u64)?;
                self.bytes(frames)
            }
        }
    }
}

type Frames<'a> = BufReader<zstd::stream::read::Decoder<'static, &'a [u8]>>;

struct Decoder<'a> {
    frames: Frames<'a>,
    limits: &'a Limits,
}

fn decoder<'a>(bytes: &'a [u8], limits: &'a Limits) -> Option<Decoder<'a>> {
    let mut frames = zstd::stream::read::Decoder::with_buffer(bytes).ok()?.single_frame();
    frames.window_log_max(limits.zstd_window_log).ok()?;
    Some(Decoder { frames: BufReader::with_capacity(READ_BUFFER, frames), limits })
}

impl Decoder<'_> {
    fn origin(&mut self) -> Option<Origin> {
        let diff_id = Digest::parse(&self.text(RESERVE)?).ok()?;
        let (blob_size, kept) = (self.number()?, self.number()?);
        Some(Origin { diff_id, blob_size, kept, asked_below: self.number_up_to(1)? == 1 })
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.frames.read_exact(&mut byte).ok()?;
            let [byte] = byte;
            number |= u64::from(byte & 0x7f).checked_mul(1 << shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn number_up_to(&mut self, most: u64) -> Option<u64> {
        self.number().filter(|number| *number <= most)
    }

    fn bytes(&mut self, most: u64) -> Option<Vec<u8>> {
        let length = self.number_up_to(most)?;
        let mut bytes = Vec::with_capacity(usize::try_from(length.min(RESERVE)).ok()?);
        self.read(length, &mut bytes)?;
        Some(bytes)
    }

    /// Replaces what is in `bytes` by the next `length` bytes.
    fn read(&mut self, length: u64, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.clear();
        let read = self.frames.by_ref().take(length).read_to_end(bytes).ok()?;
        (read as u64 == length).then_some(())
    }

    fn text(&mut self, most: u64) -> Option<String> {
        String::from_utf8(self.bytes(most)?).ok()
    }

    /// Bytes that are no UTF-8 take four characters each.
    const fn longest_path(&self) -> u64 {
        self.limits.path_bytes as u64 * 4
    }

    fn gap(&mut self, subject: &str) -> Option<Gap> {
        let kind = GAP_KINDS.get(usize::try_from(self.number()?).ok()?)?;
        let source = GAP_SOURCES.get(usize::try_from(self.number()?).ok()?)?;
        let written = self.text(GAP_BYTES)?;
        let subject = if written.is_empty() { subject.to_owned() } else { written };
        Some(Gap::new(*source, kind, subject, self.text(GAP_BYTES)?))
    }

    fn payload(&mut self, kind: u64) -> Option<Payload> {
        Some(match kind {
            2 => Payload::Present,
            3 => Payload::Unread,
            4 => Payload::Symlink(self.text(self.longest_path())?),
            5 => Payload::Hardlink(self.text(self.longest_path())?),
            6 => Payload::Whiteout(Whiteout::Path),
            7 => Payload::Whiteout(Whiteout::Below),
            8 | 9 => Payload::File(self.content(kind - 8)?),
            10 => {
                let examiner = self.text(EXAMINER_BYTES)?;
                let kind = self.number_up_to(1)?;
                Payload::Extract(examiner.into(), self.content(kind)?)
            }
            _ => return None,
        })
    }

    fn content(&mut self, kind: u64) -> Option<Arc<Content>> {
        if kind == 0 {
            return Some(Arc::new(Content(Stored::Plain(self.bytes(self.limits.file_bytes)?.into()))));
        }
        let size = usize::try_from(self.number_up_to(self.limits.file_bytes)?).ok()?;
        let frames = self.bytes(self.limits.kept_bytes)?;
        Some(Arc::new(Content(Stored::Packed { frames: frames.into(), size })))
    }

    fn is_at_end(&mut self) -> bool {
        io::copy(&mut self.frames.by_ref().take(1), &mut io::sink()).is_ok_and(|count| count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::content::Packer;

    fn content(size: usize) -> Payload {
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let mut packer = Packer::new(size as u64).unwrap();
        packer.push(&bytes).unwrap();
        Payload::File(Arc::new(packer.finish().unwrap()))
    }

    fn record(large: usize) -> LayerRecord {
        let limits = Limits::default();
        let mut record = LayerRecord { entries: 12, ..LayerRecord::default() };
        record.push("a", ItemKind::Directory, &limits);
        record.push("a/ü", ItemKind::Unkept, &limits);
        for (path, payload) in [
            ("a/ö", Payload::Present),
            ("a/u", Payload::Unread),
            ("b/link", Payload::Symlink("../a".to_owned())),
            ("b/hard", Payload::Hardlink("a/ü".to_owned())),
            ("c/.wh.x", Payload::Whiteout(Whiteout::Path)),
            ("c", Payload::Whiteout(Whiteout::Below)),
            ("d/empty", content(0)),
            ("d/large", content(large)),
        ] {
            if let Payload::File(content) = &payload {
                record.kept += content.cost();
            }
            record.push_with(path, payload, &limits);
        }
        record.gaps.push(Gap::new(SourceId::Image, "path-escape", "layer 7", "why"));
        record.gaps.push(Gap::new(SourceId::Inventory, "file-limit", "b/x", "why not"));
        record
    }

    fn origin(record: &LayerRecord) -> Origin {
        Origin { diff_id: Digest::sha256_of(b"x"), blob_size: 300, kept: record.kept, asked_below: true }
    }

    fn told(record: &LayerRecord) -> Vec<String> {
        let mut told = Vec::new();
        record.for_each_whiteout(|path, whiteout| told.push(format!("{path} {whiteout:?}")));
        record.for_each_change(|path, change, about| told.push(format!("{path} {change:?} {about:?}")));
        told.extend(record.gaps.iter().map(|gap| format!("{gap:?}")));
        told.push(format!("{} {}", record.entries, record.kept));
        told
    }

    #[test]
    fn what_goes_in_comes_out_again() {
        let limits = Limits::default();
        for large in [1000, 5 << 20] {
            let record = record(large);
            let bytes = record.encode(&origin(&record), "layer 7").unwrap();
            assert_eq!(Origin::decode(&bytes, &limits), Some(origin(&record)));
            let again = LayerRecord::decode(&bytes, "layer 7", &limits).unwrap();
            assert_eq!(told(&again), told(&record));
            let elsewhere = LayerRecord::decode(&bytes, "layer 8", &limits).unwrap();
            assert_eq!(elsewhere.gaps[0].subject, "layer 8");
            assert_eq!(elsewhere.gaps[1].subject, "b/x");
        }
    }

    #[test]
    fn gaps_of_other_kinds_are_not_stored() {
        let mut record = record(10);
        record.gaps.push(Gap::new(SourceId::Image, "layer-compression", "layer 7", "why"));
        assert!(record.encode(&origin(&record), "layer 7").is_none());
    }

    #[test]
    fn damaged_bytes_never_panic_and_grow_nothing() {
        let limits = Limits::default();
        let record = record(300);
        let bytes = record.encode(&origin(&record), "layer 7").unwrap();
        let plain = zstd::stream::decode_all(bytes.as_slice()).unwrap();
        for at in 0..plain.len() {
            for bit in 0..8 {
                let mut damaged = plain.clone();
                damaged[at] ^= 1 << bit;
                let packed = zstd::stream::encode_all(damaged.as_slice(), 1).unwrap();
                if let Some(record) = LayerRecord::decode(&packed, "layer 7", &limits) {
                    told(&record);
                }
            }
            let cut = zstd::stream::encode_all(&plain[..at], 1).unwrap();
            assert!(LayerRecord::decode(&cut, "layer 7", &limits).is_none(), "cut at {at}");
        }
        let long = zstd::stream::encode_all([plain.as_slice(), b"x"].concat().as_slice(), 1).unwrap();
        assert!(LayerRecord::decode(&long, "layer 7", &limits).is_none());
        let bad_frames = Content(Stored::Packed { frames: b"no frames".to_vec().into(), size: usize::MAX });
        assert!(bad_frames.bytes().is_empty());
    }
}
