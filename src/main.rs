//! Calls the library.

fn main() {}
