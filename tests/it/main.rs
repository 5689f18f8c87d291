//! End-to-end tests: the binary and its stages, one test binary for all.

mod report;
