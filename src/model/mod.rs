//! The nouns of the crate: plain values that stages hand to each other. No I/O, no serde, no async.

pub mod advisory;
pub mod attestation;
pub mod coverage;
pub mod digest;
pub mod end_of_life;
pub mod evidence;
pub mod facts;
pub mod finding;
pub mod image;
pub mod location;
pub mod mask;
pub mod masked_config;
pub mod origin;
pub mod package;
pub mod package_url;
pub mod policy;
pub mod private_key;
pub mod reference;
pub mod report;
pub mod rule;
pub mod secret;
pub mod severity;
pub mod tar_header;
pub mod token;
pub mod url_password;
pub mod verdict;
