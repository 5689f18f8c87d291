//! End-to-end tests: the binary and its stages, one test binary for all.

mod real_registry;
mod registry;
mod inventory;
// The attribute tells clippy that helper functions are tests too.
#[cfg(test)]
mod aws;
#[cfg(test)]
mod aws_replay;
#[cfg(test)]
mod aws_timelines;
