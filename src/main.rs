//! Calls `cli::run` and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll::cli::run()
}
