//! Who says what is wrong: finding sources, and merging what they say.

pub mod offline;
pub mod supplied;

use futures_util::future::BoxFuture;

use crate::model::{coverage::SourceId, evidence::SourceReport, image::ResolvedImage, package::Inventory};

mod call;
mod coverage;
pub mod ecr;
mod fault;
pub mod image_config;
pub mod image_files;
pub mod image_rules;
pub mod image_settings;
pub mod inspector;
mod listing;
pub mod merge;
mod row;
pub mod target;
pub mod wait;

/// Somebody who can say what is wrong with an image.
pub trait FindingSource: Send + Sync {
    /// The source's id.
    fn id(&self) -> SourceId;

    /// What the source says of an inventory alone; `None` when it has to know the image.
    fn report_on(&self, _inventory: &Inventory) -> Option<SourceReport> {
        None
    }

    /// Fetches everything the source says about `image`. What it could not look at is a Gap inside the report;
    /// an error means that the source could not even be asked.
    fn fetch<'a>(&'a self, image: &'a ResolvedImage, inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>>;
}

/// Why a source could not even be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source is not set up.
    #[error("{source_id} is not set up: {reason}")]
    NotSetUp {
        /// Which source.
        source_id: SourceId,
        /// Why.
        reason: String,
    },
}
