//! Texts of lock files in, the same without what lets somebody in: users, passwords, queries. An address says where a package is from; who may
//! fetch it is nobody's business, so what cannot be told apart is left out altogether.

use crate::model::mask::masked;

/// Most bytes of the address of a repository in a purl.
const ADDRESS: usize = 500;
/// Most characters of a text in a message.
const SHOWN: usize = 80;
/// Most bytes of a text that are searched for credentials; what is behind them is not shown either.
const SEARCHED: usize = 4096;

/// The start of a text, for messages.
pub(in crate::inventory) fn shown(text: &str) -> String {
    readable(text, SHOWN)
}

/// The first `most` characters of a text without credentials. Of an address host and file name are left: folders may be tokens.
pub(in crate::inventory) fn readable(text: &str, most: usize) -> String {
    let short = match text.split_once("://") {
        None => text.to_owned(),
        Some((before, rest)) => {
            // A password may hold whatever ends an address, so the last `@` of all is the one behind it.
            let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
            let (host, path) = rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
            let host = if has_port(host) { host } else { "***" };
            let (path, query) = path.split_at_checked(path.find(['?', '#']).unwrap_or(path.len())).unwrap_or((path, ""));
            let name = path.rsplit_once('/').map_or(String::new(), |(folders, name)| match folders {
                "" => format!("/{name}"),
                _ => format!("/…/{name}"),
            });
            format!("{before}://{host}{name}{}", if query.is_empty() { "" } else { "?***" })
        }
    };
    let end = (0..=short.len().min(SEARCHED)).rev().find(|&at| short.is_char_boundary(at)).unwrap_or(0);
    masked(short.get(..end).unwrap_or_default()).chars().take(most).collect()
}

/// Whether what stands behind a host's colon is a port, or the end of a quoted text.
fn has_port(host: &str) -> bool {
    host.split_once(':').is_none_or(|(_, port)| port.trim_matches(['"', '\'', ':', ',']).chars().all(|c| c.is_ascii_digit()))
}

/// Whether a text can be a name or a version: what holds the marks of an address may hold a password.
pub(in crate::inventory) fn is_plain(text: &str) -> bool {
    !text.strip_prefix('@').unwrap_or(text).contains(['@', ':', '?', '#'])
}

/// Host and path of an address, given without its scheme; `None` where user and host cannot be told apart.
pub(in crate::inventory) fn place(rest: &str) -> Option<String> {
    let (place, more) = rest.split_at_checked(rest.find(['?', '#']).unwrap_or(rest.len()))?;
    // The password may hold the mark itself.
    if more.contains('@') {
        return None;
    }
    let (authority, path) = place.split_at_checked(place.find('/').unwrap_or(place.len()))?;
    if !authority.contains('@') && !has_port(authority) && path.contains('@') {
        // What begins as a password does goes on in the path.
        return place.rsplit_once('@').map(|(_, place)| place.to_owned());
    }
    // Scopes stand in paths; any other `@` there may be the one behind a user with a slash.
    let is_scope = path.match_indices('@').all(|(at, _)| path.get(..at).is_some_and(|before| before.ends_with('/')));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    is_scope.then(|| format!("{host}{path}"))
}

/// What a fragment says of a commit.
pub(super) fn commit(text: &str) -> Option<&str> {
    let (_, commit) = text.rsplit_once('#')?;
    let is_commit = |c: char| c.is_ascii_alphanumeric() || "._-/+=:^~&".contains(c);
    (!commit.is_empty() && commit.chars().all(is_commit)).then_some(commit)
}

/// An address without who asks, and of what stands behind its path only the commit of a repository; nothing where that cannot be told.
pub(super) fn address(text: &str) -> String {
    if text.len() > ADDRESS {
        return String::new();
    }
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let Some(mut address) = place(rest) else { return String::new() };
    match scheme {
        // `git@host:user/repository`
        None if rest.starts_with("git@") => address.insert_str(0, "git@"),
        None => {}
        Some(scheme) if is_plain(scheme) => address.insert_str(0, &format!("{scheme}://")),
        Some(_) => return String::new(),
    }
    match commit(text).filter(|_| scheme.is_none_or(|scheme| scheme.starts_with("git") || scheme == "ssh")) {
        Some(commit) => format!("{address}@{commit}"),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The credential of every case.
    const KEY: &str = "q7Rw4qvTz9";

    #[test]
    fn messages_hold_no_credentials() {
        let check = |text: &str, expected: &str| {
            assert_eq!(shown(text), expected, "{text}");
            assert!(!shown(text).contains("q7Rw"), "{text}");
        };
        check("a@1.0.0", "a@1.0.0");
        check("<<<<<<< HEAD", "<<<<<<< HEAD");
        check("\"foo@https://u:q7Rw4qvTz9@h.example/x/foo.tgz\":", "\"foo@https://h.example/…/foo.tgz\":");
        check("\"foo@https://q7Rw4qvTz9@h.example/foo.tgz\":", "\"foo@https://h.example/foo.tgz\":");
        check("https://h.example:8443/foo.tgz?sig=q7Rw4qvTz9", "https://h.example:8443/foo.tgz?***");
        check("https://h.example/t/q7Rw4qvTz9/a/foo.tgz", "https://h.example/…/foo.tgz");
        check("https://u:q7Rw/4qvTz9@h.example/a", "https://h.example/a");
        check("https://u:q7Rw 4qvTz9@h.example/a", "https://h.example/a");
        check("https://u:q7Rw4qvTz9", "https://***");
        check("https://u:q7Rw4qvTz9:", "https://***");
        check("x token=q7Rw4qvTz9", "x token=***");
        check("git clone u:q7Rw4qvTz9@h.example/a", "git clone ***@h.example/a");
        check(&format!("https://u:{}@h", KEY.repeat(1000)), "https://h");
        assert_eq!(shown(&"é".repeat(5000)).chars().count(), SHOWN);
    }

    #[test]
    fn addresses_hold_no_credentials() {
        let check = |text: &str, expected: &str| {
            assert_eq!(address(text), expected, "{text}");
            assert!(!address(text).contains("q7Rw"), "{text}");
        };
        check("https://u:q7Rw4qvTz9@h.example/a.tgz?token=q7Rw4qvTz9", "https://h.example/a.tgz");
        check("https://h.example/a.tgz#q7Rw4qvTz9", "https://h.example/a.tgz");
        check("git+https://u:q7Rw/4qvTz9@h.example/b.git#1", "git+https://h.example/b.git@1");
        check("git+https://u:q7Rw?4qvTz9@h.example/b.git#1", "");
        check("git+https://u:q7Rw#4qvTz9@h.example/b.git", "");
        check("git+https://q7Rw/4qvTz9@h.example/b.git", "");
        check("git+https://u:a@q7Rw/q7Rw@h.example/b.git", "");
        check("git+https://u:q7Rw4qvTz9@h.example/b.git?key=q7Rw4qvTz9#c0ffee", "git+https://h.example/b.git@c0ffee");
        check("git+https://h.example/b.git?rev=1#c0ffee", "git+https://h.example/b.git@c0ffee");
        check("git+ssh://git@h.example:a/b.git#1", "git+ssh://h.example:a/b.git@1");
        check("git@h.example:a/b.git#1", "git@h.example:a/b.git@1");
        check("https://h.example/@scope/a/-/a-1.tgz", "https://h.example/@scope/a/-/a-1.tgz");
    }

    #[test]
    fn addresses_are_no_names() {
        let check = |text: &str, expected: bool| assert_eq!(is_plain(text), expected, "{text}");
        check("@scope/a", true);
        check("1!2.0+local-1", true);
        check("https://h.example/a", false);
        check("u:q7Rw4qvTz9", false);
        check("a@b", false);
        check("a?b", false);
        check("a#b", false);
    }
}
