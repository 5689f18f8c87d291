//! Plimsoll: an image supply-chain scanner and signing gate for CI.
//!
//! The flow goes one way, through one function (`pipeline::run`); every arrow is one stage and every noun one type in [`model`]:
//!
//! ```text
//! ImageReference --registry--> ResolvedImage --registry--> layer blobs --layers--> file view --inventory--> Inventory
//! Dockerfile text --dockerfile--> findings
//! ResolvedImage + Inventory --findings::{ecr, inspector, offline}--> SourceReports --findings::merge--> findings
//! ResolvedImage --verify--> Verification
//! Policy + findings + Verification + Coverage --policy::evaluate--> Verdict
//! everything --> ScanReport --report--> bytes
//! ```
//!
//! 1. A stage takes values and returns a value; it never calls the next stage.
//! 2. Outside the edges (`cli`, `aws`, `registry`, finding sources, the advisory store, `verify`, `policy::load`) nothing does I/O or reads the clock.
//! 3. "I could not look" never becomes "I found nothing": what was not looked at is a `Gap`, and by default a Gap stops the gate.
//! 4. Only `policy` judges. Reporters print; a format never changes the exit code.
//! 5. Same inputs, same bytes out.

pub mod advisory;
pub mod attest;
pub mod aws;
pub mod cli;
pub mod dockerfile;
pub mod error;
pub mod exit;
pub mod findings;
pub mod inventory;
pub mod layers;
pub mod model;
pub mod pipeline;
pub mod policy;
pub mod progress;
pub mod registry;
pub mod report;
pub mod verify;

pub use error::Error;
