//! End-to-end tests: the binary and its stages, one test binary for all.

mod real_registry;
mod registry;
mod inventory;
