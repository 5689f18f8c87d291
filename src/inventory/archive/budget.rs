//! `Budget`: what reading the archives of one file may cost, those inside others included.

use crate::{inventory::archive::ArchiveFault, layers::Limits};

/// What beginning to read an entry costs, expressed in bytes, so that very many tiny entries have an end as well.
const BEGINNING: u64 = 4 * 1024;

/// How many entries and inflated bytes are left.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Budget {
    entries: usize,
    bytes: u64,
    most_entries: usize,
    most_bytes: u64,
}

impl Budget {
    /// That of one file.
    #[must_use]
    pub(in crate::inventory) const fn new(limits: &Limits) -> Self {
        Self {
            entries: limits.archive_entries,
            bytes: limits.archive_bytes,
            most_entries: limits.archive_entries,
            most_bytes: limits.archive_bytes,
        }
    }

    /// Whether nothing more can be read.
    #[must_use]
    pub(in crate::inventory) const fn is_spent(&self) -> bool {
        self.entries == 0 || self.bytes == 0
    }

    pub(super) fn take_entry(&mut self) -> Result<(), ArchiveFault> {
        self.entries = self.entries.checked_sub(1).ok_or_else(|| {
            ArchiveFault::Limit(format!("it and what is in it have more entries than the limit of {}", self.most_entries))
        })?;
        Ok(())
    }

    pub(super) fn return_entry(&mut self) {
        self.entries = self.entries.saturating_add(1).min(self.most_entries);
    }

    pub(super) fn begin(&mut self) -> Result<(), ArchiveFault> {
        self.take_bytes(BEGINNING)
    }

    pub(super) fn take_bytes(&mut self, count: u64) -> Result<(), ArchiveFault> {
        if let Some(left) = self.bytes.checked_sub(count) {
            self.bytes = left;
            return Ok(());
        }
        self.bytes = 0;
        Err(ArchiveFault::Limit(format!("what is in it inflates to more than the limit of {} bytes", self.most_bytes)))
    }
}
