//! Patterns of a .dockerignore, an empty line, and paths: a folder that is passed over holds nothing that is sent, and a second look says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::pipeline::IgnorePatterns;

/// Longer paths are not compared.
const LONGEST: usize = 1_000;

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let Ok(patterns) = IgnorePatterns::parse(&data[..end]) else { return };
    let paths = String::from_utf8_lossy(&data[end..]);
    for path in paths.lines().filter(|path| (1..=LONGEST).contains(&path.len())).take(16) {
        let excluded = patterns.excludes(path);
        assert_eq!(excluded, patterns.excludes(path), "{path:?}");
        if patterns.prunes(path) {
            assert!(patterns.excludes(&format!("{path}/a")), "{path:?}");
        }
    }
});
