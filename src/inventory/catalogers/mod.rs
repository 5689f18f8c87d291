//! The catalogers, one file per package record format.

mod apk;
mod dpkg;
mod npm;
mod pypi;
mod rpm;

use crate::inventory::Cataloger;

/// Every cataloger, sorted by id.
pub const CATALOGERS: &[&dyn Cataloger] = &[&apk::Apk, &dpkg::Dpkg, &npm::Npm, &pypi::Pypi, &rpm::Rpm];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(CATALOGERS.is_sorted_by(|a, b| a.id() < b.id()));
    }
}
