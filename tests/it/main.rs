//! End-to-end tests: the binary and its stages, one test binary for all.
//!
//! The modules say `cfg(test)` although there is nothing else here, so that clippy knows their helpers for test code.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod aws_replay;
#[cfg(test)]
mod aws_timelines;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod db_refused;
#[cfg(test)]
mod db_trust;
#[cfg(test)]
mod db_update;
#[cfg(unix)]
mod docker_api;
#[cfg(test)]
mod dockerfile_settings;
#[cfg(test)]
mod document;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod false_clean;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod faulty_registry;
#[cfg(test)]
mod feed_server;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod gate_sources;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod key_bundles;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod lint_gaps;
#[cfg(test)]
mod platforms;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod program;
#[cfg(test)]
mod real_registry;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod registry_in_memory;
#[cfg(test)]
mod registry_places;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sign_image;
#[cfg(test)]
mod signature_places;
#[cfg(test)]
mod signing;
#[cfg(test)]
#[cfg(unix)]
mod sources;
