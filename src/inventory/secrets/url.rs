//! Configuration in, addresses with a password in it out.

use crate::{
    inventory::secrets::{line_of, note::Hit, place::is_environment},
    model::{severity::Severity, url_password::url_passwords},
};

/// Adds a hit for each address that holds a password.
pub(super) fn read(path: &str, bytes: &[u8], hits: &mut Vec<Hit>) {
    let name = path.rsplit('/').next().unwrap_or(path);
    // A file of this name is for real values, whatever the host is called.
    let is_strict = !is_environment(name);
    for found in url_passwords(bytes) {
        if !(is_strict && (found.is_nobodys() || is_remark(bytes, found.at))) {
            hits.push(Hit { kind: "password in a URL".to_owned(), rank: 2, ..Hit::at(line_of(bytes, found.at), Severity::High) });
        }
    }
}

/// Whether the line is a remark.
fn is_remark(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_start();
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
    }
}
