//! `Zip`: bytes of a zip archive in, the entries that somebody wants out. Only the central directory counts, as for the Java runtime; stored
//! entries are parts of the archive and not copied. What is damaged, lies or exceeds a bound is told as an [`ArchiveFault`].
//! Specification: APPNOTE.TXT 6.3 (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>).

mod budget;
mod directory;
mod entry;

use std::collections::{BTreeMap, btree_map};

pub(in crate::inventory) use budget::Budget;
pub(in crate::inventory) use entry::{Entry, Inner};

use crate::layers::Body;

/// Why an archive, or an entry of one, could not be read. A lower-case fragment that follows the archive's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(in crate::inventory) enum ArchiveFault {
    /// It is no archive, damaged, or says two things at once.
    #[error("{0}")]
    Damaged(String),
    /// It is more than the limits allow.
    #[error("{0}")]
    Limit(String),
}

/// Most faults of one archive that are told one by one.
const FAULTS: usize = 10;
/// Most bytes of one wanted entry's name, and of all of them in one archive.
const NAME_BYTES: usize = 2 * 1024;
const NAMES_BYTES: usize = 8 * 1024 * 1024;

/// An archive whose central directory was found.
#[derive(Debug)]
pub(in crate::inventory) struct Zip<'a> {
    body: Body<'a>,
    directory: directory::Place,
}

impl<'a> Zip<'a> {
    /// Finds the central directory, also behind a program in front of the archive and a comment after it.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::inventory) fn open(body: Body<'a>) -> Result<Self, ArchiveFault> {
        Ok(Self { body, directory: directory::find(&body)? })
    }

    /// The files whose names `select` takes, in the directory's order, and what is wrong with the directory or with them; an entry that cannot be
    /// read is among the faults and not among the files. Names of other entries are only shown to `select`.
    pub(in crate::inventory) fn entries(
        &self,
        budget: &mut Budget,
        mut select: impl FnMut(&str) -> bool,
    ) -> (Vec<Entry>, Vec<ArchiveFault>) {
        let (mut entries, mut faults, mut names) = (Vec::new(), Faults::default(), 0);
        let mut walk = directory::Walk::new(&self.body, &self.directory);
        let mut count = 0_u64;
        loop {
            if let Err(fault) = budget.take_entry() {
                faults.push(fault);
                break;
            }
            match walk.next(&mut select) {
                Ok(Some(found)) => {
                    count += 1;
                    let Some(entry) = found else { continue };
                    names += entry.name().len();
                    if entry.name().len() > NAME_BYTES || names > NAMES_BYTES {
                        faults.push(ArchiveFault::Limit(format!(
                            "the names of entries {} and behind exceed the limits of {NAME_BYTES} bytes for one and {NAMES_BYTES} for all",
                            count - 1
                        )));
                        break;
                    }
                    entries.push(entry);
                }
                Ok(None) => {
                    budget.return_entry();
                    if !self.directory.counts(count) {
                        let reason = format!("its directory holds {count} entries, and the end record says {}", self.directory.count());
                        faults.push(ArchiveFault::Damaged(reason));
                    }
                    break;
                }
                Err(fault) => {
                    faults.push(fault);
                    break;
                }
            }
        }
        self.drop_overlapping(&mut entries, &mut faults);
        drop_doubled(&mut entries, &mut faults);
        entries.retain_mut(|entry| match entry.locate(&self.body, self.directory.start()) {
            Ok(None) => true,
            Ok(Some(fault)) => {
                faults.push(fault);
                true
            }
            Err(fault) => {
                faults.push(fault);
                false
            }
        });
        (entries, faults.finish())
    }

    /// Drops entries whose data overlap those of one before them: they cost much and no honest archive has them.
    fn drop_overlapping(&self, entries: &mut Vec<Entry>, faults: &mut Faults) {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|&place| (entries.get(place).map(Entry::start), place));
        let (mut end, mut drop) = (0, vec![false; entries.len()]);
        let mut example = None;
        for place in order {
            let (Some(entry), Some(drop)) = (entries.get(place), drop.get_mut(place)) else { continue };
            if entry.start() < end {
                *drop = true;
                example.get_or_insert_with(|| entry.name().to_owned());
            } else {
                end = entry.least_end();
            }
        }
        if let Some(example) = example {
            let count = drop.iter().filter(|&&is| is).count();
            faults.push(ArchiveFault::Damaged(format!(
                "{count} of its entries, such as `{example}`, share their bytes with others and were not read"
            )));
            let mut drop = drop.into_iter();
            entries.retain(|_| !drop.next().unwrap_or_default());
        }
    }

    /// The whole content of an entry, its checksum checked.
    ///
    /// # Errors
    /// When it is damaged, has more than `most` bytes, or the budget is spent.
    pub(in crate::inventory) fn read(
        &self,
        entry: &Entry,
        most: usize,
        budget: &mut Budget,
    ) -> Result<std::borrow::Cow<'a, [u8]>, ArchiveFault> {
        if entry.size() > most as u64 {
            return Err(ArchiveFault::Limit(format!("`{}` in it has {} bytes; the limit is {most}", entry.name(), entry.size())));
        }
        entry.read_start(&self.body, most, budget)
    }

    /// The first `most` bytes of an entry; its checksum is checked when these are all.
    ///
    /// # Errors
    /// When it is damaged, or the budget is spent.
    pub(in crate::inventory) fn read_start(
        &self,
        entry: &Entry,
        most: usize,
        budget: &mut Budget,
    ) -> Result<std::borrow::Cow<'a, [u8]>, ArchiveFault> {
        entry.read_start(&self.body, most, budget)
    }

    /// An entry's content to be read in any order, its checksum checked: a part of this archive when it is stored, else inflated into memory, or
    /// into an unlinked file when it has more than `most_in_memory` bytes.
    ///
    /// # Errors
    /// When it is damaged, or the budget is spent.
    pub(in crate::inventory) fn open_inner(
        &self,
        entry: &Entry,
        most_in_memory: usize,
        budget: &mut Budget,
    ) -> Result<Inner<'a>, ArchiveFault> {
        entry.open_inner(&self.body, most_in_memory, budget)
    }
}

/// Of entries of the same name and content one is kept; such of other content are all kept, and told: which of them counts differs from reader to
/// reader.
fn drop_doubled(entries: &mut Vec<Entry>, faults: &mut Faults) {
    let mut known: BTreeMap<String, (u32, u64)> = BTreeMap::new();
    entries.retain(|entry| {
        let content = (entry.checksum(), entry.size());
        match known.entry(entry.name().to_owned()) {
            btree_map::Entry::Vacant(place) => {
                place.insert(content);
                true
            }
            btree_map::Entry::Occupied(place) => {
                let differs = *place.get() != content;
                if differs {
                    let reason = format!("it holds two different entries of the name `{}`", entry.name());
                    faults.push(ArchiveFault::Damaged(reason));
                }
                differs
            }
        }
    });
}

/// Collects faults; of many, the last one says how many there are.
#[derive(Debug, Default)]
struct Faults {
    told: Vec<ArchiveFault>,
    others: usize,
}

impl Faults {
    fn push(&mut self, fault: ArchiveFault) {
        if self.told.len() < FAULTS {
            self.told.push(fault);
        } else {
            self.others += 1;
        }
    }

    fn finish(mut self) -> Vec<ArchiveFault> {
        if self.others > 0 {
            self.told.push(ArchiveFault::Damaged(format!("{} more of its entries are damaged", self.others)));
        }
        self.told
    }
}

#[cfg(test)]
pub(in crate::inventory) mod fixture;
#[cfg(test)]
mod tests;
