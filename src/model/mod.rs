//! The nouns of the crate: plain values that stages hand to each other. No I/O, no serde, no async.

pub mod advisory;
pub mod attestation;
pub mod coverage;
pub mod digest;
pub mod evidence;
pub mod finding;
pub mod image;
pub mod location;
pub mod mask;
pub mod origin;
pub mod package;
pub mod policy;
pub mod reference;
pub mod report;
pub mod rule;
pub mod severity;
pub mod tar_header;
pub mod verdict;
