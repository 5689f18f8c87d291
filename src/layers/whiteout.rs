//! Overlay deletion rules: which names delete what from the layers below.
//! Specification: <https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>.

/// What a whiteout deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whiteout {
    /// One path with everything below it.
    Path,
    /// Everything below a directory, which itself stays.
    Below,
}

/// Reads a path whose last part begins with `.wh.`: the path that it speaks of and what happens to it. `None` for every other path.
/// Names that mean nothing (`.wh.`, `.wh..`, `.wh...`, the bookkeeping of aufs) come back without an effect.
pub(super) fn parse(path: &str) -> Option<(&str, Option<Whiteout>)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let deleted = name.strip_prefix(".wh.")?;
    Some(match deleted {
        ".wh..opq" => (folder, Some(Whiteout::Below)),
        "" | "." | ".." => (folder, None),
        deleted if deleted.starts_with(".wh.") => (folder, None),
        _ => (path, Some(Whiteout::Path)),
    })
}

/// The path that a whiteout of kind [`Whiteout::Path`] deletes.
pub(super) fn deleted_path(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{}", name.strip_prefix(".wh.").unwrap_or(name)),
        None => path.strip_prefix(".wh.").unwrap_or(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_are_read_by_name() {
        let check = |path: &str, expected: Option<(&str, Option<Whiteout>)>| assert_eq!(parse(path), expected, "{path}");
        check("etc/passwd", None);
        check("etc/.whatever", None);
        check("etc/.wh.passwd", Some(("etc/.wh.passwd", Some(Whiteout::Path))));
        check("etc/.wh..wh..opq", Some(("etc", Some(Whiteout::Below))));
        check(".wh..wh..opq", Some(("", Some(Whiteout::Below))));
        check(".wh.", Some(("", None)));
        check("a/.wh..", Some(("a", None)));
        check("a/.wh...", Some(("a", None)));
        check("a/.wh..wh.plnk", Some(("a", None)));
        check("a/.wh..hidden", Some(("a/.wh..hidden", Some(Whiteout::Path))));
        assert_eq!(deleted_path("a/.wh..hidden"), "a/.hidden");
        assert_eq!(deleted_path(".wh.a"), "a");
    }
}
