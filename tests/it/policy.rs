//! The policy stage over files: cases of facts, policy and clock with the verdict they must get; files that the reader and the JSON Schema must
//! accept and refuse alike; properties that hold for all facts; and the time that a large evaluation takes.

mod cases;
mod files;
mod properties;
mod world;
