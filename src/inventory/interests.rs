//! `Interests`: what the inventory wants of the files that stream past: package records, what tells of an image besides them, and credentials.

use crate::{
    inventory::{secrets, wants},
    layers::{Interest, Want},
};

/// Everything that the inventory wants. Hand it to [`crate::layers::walk`]; credentials are only looked for below `Limits::scanned_file_bytes`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interests;

impl Interest for Interests {
    fn wants(&self, path: &str) -> Want {
        wants(path)
    }

    fn scans(&self, path: &str, head: &[u8], size: u64) -> bool {
        secrets::scans(path, head, size)
    }

    fn misses(&self, path: &str) -> bool {
        secrets::is_named(path)
    }

    fn scan(&self, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        secrets::scan(path, bytes)
    }
}
