//! Facts to verdict (design: `.github/ARCHITECTURE.md`, "The policy"). Pure: facts, policy and a clock in, decisions out; only `load` reads files.
//!
//! `yaml` and `fields` read text with places, `schema` knows the file format, `merge` joins files into a [`Policy`](crate::model::policy::Policy),
//! `evaluate` judges.

mod canonical;
mod check;
mod clause;
pub mod codes;
mod error;
mod evaluate;
mod evidence;
mod exception;
mod explain;
mod fields;
pub mod hadolint;
pub mod load;
mod merge;
mod pattern;
mod rating;
mod schema;
mod signatures;
mod yaml;

pub use check::{Notice, check};
pub use error::{Error, Place};
pub use evaluate::{Facts, evaluate};
pub use explain::explain;
pub use fields::nearest;
pub use schema::identity::check_identity_pattern;
pub use signatures::accepted;

/// The JSON Schema of policy files.
#[must_use]
pub const fn schema_json() -> &'static str {
    include_str!("../../policies/schema.json")
}
