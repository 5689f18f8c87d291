//! Upstream formats: one file each, bytes in, advisories out. Fetching is `fetch`'s job.

pub mod osv;

use std::io::Read;

use crate::model::advisory::Advisory;

/// One upstream format.
pub trait AdvisorySource: Sync {
    /// The permanent id.
    fn id(&self) -> &'static str;

    /// Parses one document of the feed.
    ///
    /// # Errors
    /// When the document cannot be read as this format; the reason is one line.
    fn parse(&self, input: &mut dyn Read) -> Result<Vec<Advisory>, String>;
}

/// Every format, by id.
pub const SOURCES: &[&dyn AdvisorySource] = &[&osv::Osv];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(SOURCES.windows(2).all(|pair| pair[0].id() < pair[1].id()));
    }
}
