//! End-to-end tests: the binary and its stages, one test binary for all.

mod key_bundles;
mod registry_in_memory;
mod sign_image;
mod signature_places;
mod signing;
