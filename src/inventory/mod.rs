//! File view in, packages out.

use crate::model::package::{Distro, Package};

/// What catalogers share.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The distribution, when known.
    pub distro: Option<&'a Distro>,
}

/// The packages of one record file, or why there are none.
pub type Cataloged = Result<Vec<Package>, CatalogError>;

/// Why a record file gives no packages; becomes a Gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CatalogError(pub String);
