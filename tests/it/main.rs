//! End-to-end tests: the binary and its stages, one test binary for all.

mod aws;
mod aws_replay;
mod aws_timelines;
