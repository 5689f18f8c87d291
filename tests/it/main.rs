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
//! The modules say `cfg(test)` although there is nothing else here, so that clippy knows their helpers for test code.

#[cfg(test)]
mod key_bundles;
#[cfg(test)]
mod registry_in_memory;
#[cfg(test)]
mod sign_image;
#[cfg(test)]
mod signature_places;
#[cfg(test)]
mod signing;
mod policy;
mod report;
