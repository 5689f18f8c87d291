//! Configuration in, addresses with a password in it out.

use crate::{
    inventory::secrets::{FOUND, lines::Lines, note::Hit, place::is_environment},
    model::{severity::Severity, url_password::url_passwords},
};

/// Adds a hit for each address that holds a password.
pub(super) fn read(path: &str, bytes: &[u8], hits: &mut Vec<Hit>) {
    let name = path.rsplit('/').next().unwrap_or(path);
    // A file of this name is for real values, whatever the host is called.
    let is_strict = !is_environment(name);
    let mut lines = Lines::of(bytes);
    for found in url_passwords(bytes) {
        if hits.len() >= FOUND {
            break;
        }
        if !(is_strict && (found.is_nobodys() || is_remark(lines.before(found.at)))) {
            hits.push(Hit { kind: "password in a URL".to_owned(), rank: 2, ..Hit::at(lines.number(found.at), Severity::High) });
        }
    }
}

/// Whether a line that begins so is a remark.
fn is_remark(start: &[u8]) -> bool {
    let line = start.trim_ascii_start();
    line.starts_with(b"#") || line.starts_with(b"//") || line.starts_with(b";") || line.starts_with(b"*") || line.starts_with(b"<!--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_remarks_count_by_place() {
        let check = |path: &str, text: &str, expected: usize| {
            let mut hits = Vec::new();
            read(path, text.as_bytes(), &mut hits);
            assert_eq!(hits.len(), expected, "{text}");
        };
        check("a.yaml", "u: https://bot:kz7Rw4qvT@git.acme.dev/", 1);
        check("a.yaml", "# u: https://bot:kz7Rw4qvT@git.acme.dev/", 0);
        check("a.yaml", "u: https://bot:kz7Rw4qvT@example.com/", 0);
        check(".env", "U=https://bot:kz7Rw4qvT@example.com/", 1);
        // All on one line, and all on lines of their own: the way back to the line's beginning, or to the text's, would take minutes for so many.
        check("a.yaml", &"https://bot:kz7Rw4qvT@git.acme.dev/ ".repeat(100_000), FOUND);
        check("a.yaml", &"https://bot:kz7Rw4qvT@git.acme.dev/\n".repeat(100_000), FOUND);
        check("a.yaml", &format!("# {}", "https://bot:kz7Rw4qvT@git.acme.dev/ ".repeat(40_000)), 0);
    }
}
