//! `repomd.xml`: the index of an rpm repository (<https://rpm-software-management.github.io/createrepo_c/>). In: the file; out: where the list
//! of updates is and which digest it has.

use super::xml::{Node, read_document};
use crate::model::digest::Digest;

/// The index names a dozen files.
const MAX_INDEX: u64 = 4 << 20;

/// The list of updates as the index names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::advisory) struct UpdateList {
    /// Below the repository.
    pub(in crate::advisory) href: String,
    /// Of the file as it is stored.
    pub(in crate::advisory) digest: Digest,
}

/// Finds the list of updates; a repository need not have one.
///
/// # Errors
/// When this is no such index, or it names a list without a place or without a SHA-256 or SHA-512 digest.
pub(in crate::advisory) fn update_list(bytes: &[u8]) -> Result<Option<UpdateList>, String> {
    let (mut kind, mut algorithm, mut checksum, mut href) = (String::new(), String::new(), String::new(), String::new());
    let mut found: Vec<UpdateList> = Vec::new();
    read_document(bytes, MAX_INDEX, &mut |path, node| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (path.as_slice(), node) {
            ([root], Node::Start(_)) if *root != "repomd" => return Err(format!("the root is `{root:.40}`, not `repomd`")),
            (["repomd", "data"], Node::Start(attributes)) => {
                kind = attributes.get("type").unwrap_or_default().to_owned();
                (checksum, href) = (String::new(), String::new());
            }
            (["repomd", "data", "checksum"], Node::Start(attributes)) => {
                algorithm = attributes.get("type").unwrap_or_default().to_owned();
            }
            (["repomd", "data", "checksum"], Node::Text(text)) if checksum.len() <= 256 => checksum.push_str(text.trim()),
            (["repomd", "data", "location"], Node::Start(attributes)) => href = attributes.get("href").unwrap_or_default().to_owned(),
            (["repomd", "data"], Node::End) if kind == "updateinfo" => {
                let digest = Digest::parse(&format!("{algorithm}:{checksum}")).map_err(|error| error.to_string())?;
                check_href(&href)?;
                found.push(UpdateList { href: href.clone(), digest });
            }
            _ => {}
        }
        Ok(())
    })?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err("the index names several lists of updates".to_owned()),
    }
}

/// A place below the repository: no address of its own, no way up.
fn check_href(href: &str) -> Result<(), String> {
    let fit = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && part.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-+~".contains(ch))
    };
    if href.len() <= 512 && href.split('/').all(fit) { Ok(()) } else { Err(format!("the list of updates is at `{href:.80}`")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(checksum: &str, location: &str) -> String {
        format!(
            "<repomd xmlns='http://linux.duke.edu/metadata/repo'><data type='primary'><checksum type='sha'>1</checksum><location href='p'/></data>\
             <data type='updateinfo'>{checksum}<open-checksum type='sha256'>x</open-checksum>{location}</data></repomd>"
        )
    }

    #[test]
    fn the_list_of_updates_is_found_with_its_digest() {
        let hex = "a".repeat(64);
        let sum = format!("<checksum type='sha256'>{hex}</checksum>");
        let place = "<location href='repodata/updateinfo.xml.gz'/>";
        let found = update_list(index(&sum, place).as_bytes()).unwrap().unwrap();
        assert_eq!((found.href.as_str(), found.digest.hex()), ("repodata/updateinfo.xml.gz", hex.as_str()));
        assert_eq!(update_list(b"<repomd/>").unwrap(), None);
        let twice = index(&sum, &format!("{place}</data><data type='updateinfo'>{sum}{place}"));
        for text in [
            index("<checksum type='sha'>00</checksum>", place),
            index("", place),
            index(&sum, ""),
            index(&sum, "<location href='../x'/>"),
            index(&sum, "<location href='https://example.org/x'/>"),
            index(&sum, "<location href='/x'/>"),
            twice,
            "<html/>".to_owned(),
            String::new(),
        ] {
            assert!(update_list(text.as_bytes()).is_err(), "{text}");
        }
    }
}
