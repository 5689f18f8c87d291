//! One entry of a zip archive: what the directory says of it, and its content.

use std::{borrow::Cow, io::Read as _};

use flate2::{Crc, read::DeflateDecoder};

use crate::{
    inventory::archive::{
        ArchiveFault, Budget,
        directory::{u16_at, u32_at, widen},
    },
    layers::{Body, Go, Spool},
};

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_BYTES: u64 = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const IS_ENCRYPTED: u16 = 1;
/// How much is inflated or read at once.
const PIECE: usize = 32 * 1024;

/// An entry that somebody wants.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Entry {
    name: String,
    /// Of its local header.
    at: u64,
    name_bytes: u64,
    /// Of its content, once the local header was read.
    content_at: u64,
    packed: u64,
    size: u64,
    checksum: u32,
    method: u16,
    flags: u16,
}

impl Entry {
    /// From the directory.
    pub(super) fn parse(bytes: &[u8], name: String, shift: u64) -> Option<Self> {
        let (mut packed, mut size, mut offset) =
            (u64::from(u32_at(bytes, 20)?), u64::from(u32_at(bytes, 24)?), u64::from(u32_at(bytes, 42)?));
        let name_bytes = u16_at(bytes, 28)?;
        widen(bytes.get(46 + usize::from(name_bytes)..)?, [&mut size, &mut packed, &mut offset])?;
        Some(Self {
            name,
            at: offset.checked_add(shift)?,
            name_bytes: u64::from(name_bytes),
            content_at: 0,
            packed,
            size,
            checksum: u32_at(bytes, 16)?,
            method: u16_at(bytes, 10)?,
            flags: u16_at(bytes, 8)?,
        })
    }

    /// The name, with replacement characters where it is no UTF-8.
    #[must_use]
    pub(in crate::inventory) fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes the directory promises.
    #[must_use]
    pub(in crate::inventory) const fn size(&self) -> u64 {
        self.size
    }

    pub(super) const fn checksum(&self) -> u32 {
        self.checksum
    }

    pub(super) const fn start(&self) -> u64 {
        self.at
    }

    /// Where it ends at the earliest.
    pub(super) const fn least_end(&self) -> u64 {
        self.at.saturating_add(LOCAL_BYTES + self.name_bytes).saturating_add(self.packed)
    }

    fn damaged(&self, what: &str) -> ArchiveFault {
        ArchiveFault::Damaged(format!("`{}` in it {what}", self.name))
    }

    /// Finds the content behind the local header, which has to end before `end`. The fault beside a good place is one that hinders nobody from
    /// reading it.
    pub(super) fn locate(&mut self, body: &Body<'_>, end: u64) -> Result<Option<ArchiveFault>, ArchiveFault> {
        if self.flags & IS_ENCRYPTED != 0 {
            return Err(self.damaged("is encrypted"));
        }
        if self.method != STORED && self.method != DEFLATED {
            return Err(self.damaged(&format!("is compressed by method {}, which is not read", self.method)));
        }
        if self.method == STORED && self.packed != self.size {
            return Err(self.damaged(&format!("is stored, and has {} bytes in one place and {} in another", self.packed, self.size)));
        }
        let header = body.range(self.at, 30).filter(|header| header.starts_with(LOCAL)).unwrap_or_default();
        let (Some(name), Some(extra)) = (u16_at(&header, 26), u16_at(&header, 28)) else {
            return Err(self.damaged("is not where the directory says"));
        };
        let name_at = self.at.saturating_add(LOCAL_BYTES);
        self.content_at = name_at.saturating_add(u64::from(name) + u64::from(extra));
        if self.content_at.checked_add(self.packed).is_none_or(|last| last > end) {
            return Err(self.damaged("ends behind the beginning of the directory"));
        }
        let local_name = body.range(name_at, usize::from(name)).unwrap_or_default();
        if String::from_utf8_lossy(&local_name) != self.name {
            let mut other = String::from_utf8_lossy(&local_name).into_owned();
            other.truncate(other.floor_char_boundary(200));
            return Ok(Some(self.damaged(&format!("has another name, `{other}`, where it stands"))));
        }
        Ok(None)
    }

    pub(super) fn read_start<'a>(&self, body: &Body<'a>, most: usize, budget: &mut Budget) -> Result<Cow<'a, [u8]>, ArchiveFault> {
        if self.method == STORED {
            budget.begin()?;
            let count = usize::try_from(self.size).unwrap_or(usize::MAX).min(most);
            let bytes = body.range(self.content_at, count).ok_or_else(|| self.damaged("cannot be read"))?;
            if bytes.len() as u64 == self.size {
                let mut sum = Crc::new();
                sum.update(&bytes);
                self.check(&sum)?;
            }
            return Ok(bytes);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(usize::MAX).min(most));
        self.inflate(body, budget, &mut |piece| {
            let room = most - bytes.len();
            bytes.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            Ok(if bytes.len() == most { Go::Stop } else { Go::On })
        })?;
        Ok(Cow::Owned(bytes))
    }

    pub(super) fn open_inner<'a>(&self, body: &Body<'a>, most_in_memory: usize, budget: &mut Budget) -> Result<Inner<'a>, ArchiveFault> {
        if self.method == STORED {
            budget.begin()?;
            let part = body.part(self.content_at, self.size).ok_or_else(|| self.damaged("cannot be read"))?;
            let (mut sum, mut count) = (Crc::new(), 0);
            part.for_each_piece(8 * PIECE, |_, piece| {
                sum.update(piece);
                count += piece.len() as u64;
                Go::On
            });
            if count != self.size {
                return Err(self.damaged("cannot be read"));
            }
            self.check(&sum)?;
            return Ok(Inner::Part(part));
        }
        let mut spool = Spool::new(most_in_memory);
        self.inflate(body, budget, &mut |piece| {
            spool.push(piece).map_err(|error| self.damaged(&format!("could not be put aside to be looked at: {error}")))?;
            Ok(Go::On)
        })?;
        Ok(Inner::Inflated(spool))
    }

    /// Hands the inflated bytes over, and checks length and checksum at the end.
    fn inflate(
        &self,
        body: &Body<'_>,
        budget: &mut Budget,
        take: &mut dyn FnMut(&[u8]) -> Result<Go, ArchiveFault>,
    ) -> Result<(), ArchiveFault> {
        budget.begin()?;
        let part = body.part(self.content_at, self.packed).ok_or_else(|| self.damaged("cannot be read"))?;
        let mut inflater = DeflateDecoder::new(part.reader());
        let mut buffer = vec![0; PIECE.min(usize::try_from(self.size).unwrap_or(PIECE)).max(512)];
        let (mut sum, mut total) = (Crc::new(), 0_u64);
        loop {
            let count = inflater.read(&mut buffer).map_err(|error| self.damaged(&format!("cannot be inflated: {error}")))?;
            if count == 0 {
                break;
            }
            let piece = buffer.get(..count).unwrap_or_default();
            budget.take_bytes(count as u64)?;
            total += count as u64;
            if total > self.size {
                return Err(self.damaged(&format!("inflates to more than the {} bytes that the directory says", self.size)));
            }
            sum.update(piece);
            if take(piece)? == Go::Stop && total < self.size {
                return Ok(());
            }
        }
        if total < self.size {
            return Err(self.damaged(&format!("inflates to {total} bytes; the directory says {}", self.size)));
        }
        self.check(&sum)
    }

    fn check(&self, sum: &Crc) -> Result<(), ArchiveFault> {
        if sum.sum() == self.checksum { Ok(()) } else { Err(self.damaged("has another checksum than the directory says")) }
    }
}

/// The content of an entry.
#[derive(Debug)]
pub(in crate::inventory) enum Inner<'a> {
    /// A part of the archive.
    Part(Body<'a>),
    /// What it inflated to.
    Inflated(Spool),
}

impl Inner<'_> {
    /// Its bytes.
    #[must_use]
    pub(in crate::inventory) fn body(&self) -> Body<'_> {
        match self {
            Self::Part(part) => *part,
            Self::Inflated(spool) => spool.body(),
        }
    }
}
