//! The policy stage over files.
