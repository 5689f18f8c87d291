//! A tar file in, the place of every file in it out: headers are read once, contents later by offset, nothing is unpacked.
//! What the headers of an entry say together is told by [`Extensions`]; an archive in which readers would differ about that is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tar::{EntryType, Header};

use crate::{
    model::tar_header::{Extensions, Said, number},
    registry::{Error, cause::NotArchive, error::shown},
};

/// Most entries of an archive.
const ENTRIES: usize = 100_000;
/// Most bytes of a long name or a PAX record.
const NAME_BYTES: u64 = 1 << 20;
/// Most bytes of all names together.
const NAMES_BYTES: usize = 32 << 20;
/// Most links that are followed from one name.
const HOPS: usize = 8;
/// A tar consists of blocks of this many bytes.
const BLOCK: u64 = 512;

/// Where every file of a tar begins and how long it is.
pub(in crate::registry) struct TarIndex {
    path: PathBuf,
    file: Arc<File>,
    members: BTreeMap<String, Member>,
    /// Names that stand in the tar more than once, and differ. Which of the members counts, readers do not agree.
    doubled: BTreeSet<String>,
}

/// What stands under a name.
#[derive(PartialEq, Eq)]
enum Member {
    /// Offset and size of a file.
    File(u64, u64),
    /// The name that a link points to.
    Link(String),
    /// A folder, a device.
    Other,
}

impl TarIndex {
    /// Reads all headers of `file`; `path` names it in messages and is never opened.
    pub(super) fn read(path: &Path, file: File) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::Read { path: path.to_owned(), source };
        let length = file.metadata().map_err(failed)?.len();
        let mut index = Self { path: path.to_owned(), file: Arc::new(file), members: BTreeMap::new(), doubled: BTreeSet::new() };
        let mut extensions = Extensions::default();
        let (mut at, mut names) = (0_u64, 0_usize);
        for count in 0.. {
            if at == length && count > 0 {
                // An archive without the two closing blocks is whole all the same; what it should hold is checked by name.
                return Ok(index);
            }
            let Some(header) = index.header(at, length, count == 0)? else { return Ok(index) };
            if count >= ENTRIES {
                return Err(index.too_large("", format!("{ENTRIES} entries")));
            }
            let kind = header.entry_type();
            let begin = at.saturating_add(BLOCK);
            let holds_names =
                kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions() || kind.is_pax_global_extensions();
            if holds_names {
                let size = number(&header.as_old().size);
                let size = size.ok_or_else(|| index.malformed(&format!("the header at byte {at} has no size")))?;
                at = index.behind(begin, size, length)?;
                if size > NAME_BYTES {
                    return Err(index.too_large("a name in ", format!("{NAME_BYTES} bytes")));
                }
                let mut text = Vec::new();
                index.window(begin, size).read_to_end(&mut text).map_err(failed)?;
                match kind {
                    EntryType::GNULongName => extensions.long_name(&text),
                    EntryType::GNULongLink => extensions.long_link(&text),
                    EntryType::XHeader => extensions.pax(&text),
                    _ => extensions.global(&text).map_err(|reason| index.malformed(reason))?,
                }
                continue;
            }
            let Said { name, link, size, is_sparse, .. } =
                std::mem::take(&mut extensions).with(header.as_bytes()).map_err(|reason| index.malformed(reason))?;
            if kind.is_gnu_sparse() || is_sparse {
                return Err(index.malformed("it has a sparse entry, which no tool that saves images writes"));
            }
            let size = if holds_nothing(kind) { 0 } else { size };
            at = index.behind(begin, size, length)?;
            let name = String::from_utf8_lossy(&name.map_err(|reason| index.malformed(reason))?).into_owned();
            let (name, is_folder) = (normal(&name), name.ends_with('/'));
            let link = String::from_utf8_lossy(&link).into_owned();
            names = names.saturating_add(name.len()).saturating_add(link.len());
            if names > NAMES_BYTES {
                return Err(index.too_large("all names in ", format!("{NAMES_BYTES} bytes")));
            }
            let member = match kind {
                EntryType::Symlink => Member::Link(beside(&name, &link)),
                EntryType::Link => Member::Link(normal(&link)),
                _ if !is_folder && (kind.is_file() || kind.is_contiguous()) => Member::File(begin, size),
                _ => Member::Other,
            };
            let differs = match index.members.get(&name) {
                // What stands twice and is the same has one meaning. No byte of an archive is compared more often than twice.
                Some(Member::File(known, length)) if member == Member::File(begin, *length) => {
                    !same(index.window(*known, size), index.window(begin, size)).map_err(failed)?
                }
                Some(known) => *known != member,
                None => false,
            };
            if differs {
                index.doubled.insert(name.clone());
            }
            index.members.insert(name, member);
        }
        Ok(index)
    }

    /// Whether there is a file of that name, or several.
    pub(super) fn holds(&self, name: &str) -> bool {
        !matches!(self.find(name), Ok(None))
    }

    /// What messages call the tar file.
    pub(in crate::registry) fn path(&self) -> &Path {
        &self.path
    }

    /// Offset and size of a file, links inside the archive followed.
    pub(in crate::registry) fn find(&self, name: &str) -> Result<Option<(u64, u64)>, Error> {
        let mut name = normal(name);
        for _ in 0..HOPS {
            self.check_sole(&name)?;
            match self.members.get(&name) {
                Some(Member::File(begin, size)) => return Ok(Some((*begin, *size))),
                Some(Member::Link(target)) => name.clone_from(target),
                Some(Member::Other) | None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// A name that stands twice is one file for who takes the first, another for who takes the last; one below a link is yet another for who unpacks.
    fn check_sole(&self, name: &str) -> Result<(), Error> {
        if self.doubled.contains(name) {
            return Err(self.malformed(&format!("it has more than one `{}`, and readers differ in which of them counts", shown(name))));
        }
        for (end, _) in name.match_indices('/') {
            let folder = name.get(..end).unwrap_or_default();
            let is_folder = matches!(self.members.get(folder), None | Some(Member::Other)) && !self.doubled.contains(folder);
            if !is_folder && self.members.contains_key(name) {
                let reason = format!("it has `{}` below `{}`, which is no folder", shown(name), shown(folder));
                return Err(self.malformed(&reason));
            }
        }
        Ok(())
    }

    /// A reader over `size` bytes from `offset`; any number of them may read at the same time.
    pub(in crate::registry) fn window(&self, offset: u64, size: u64) -> Window {
        Window { file: Arc::clone(&self.file), at: offset, left: size }
    }

    /// The header at an offset; `None` where the tar ends.
    fn header(&self, at: u64, length: u64, is_first: bool) -> Result<Option<Header>, Error> {
        let mut block = Vec::with_capacity(512);
        let read = self.window(at, BLOCK.min(length.saturating_sub(at))).read_to_end(&mut block);
        read.map_err(|source| Error::Read { path: self.path.clone(), source })?;
        let no_tar = || {
            let cause = if length == 0 { NotArchive::Empty } else { NotArchive::NoTar };
            Error::NotAnArchive { path: self.path.clone(), cause }
        };
        if block.len() as u64 != BLOCK {
            return Err(if is_first { no_tar() } else { self.damaged("it is cut short") });
        }
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let sum: u32 = block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) }).sum();
        let header = Header::from_byte_slice(&block);
        if header.cksum().is_ok_and(|written| written == sum) {
            Ok(Some(header.clone()))
        } else if is_first {
            Err(no_tar())
        } else {
            Err(self.damaged(&format!("the header at byte {at} is not what it was")))
        }
    }

    /// Where the next header is, behind content that begins at an offset.
    fn behind(&self, begin: u64, size: u64, length: u64) -> Result<u64, Error> {
        let end = begin.checked_add(size).filter(|end| *end <= length).ok_or_else(|| self.damaged("it is cut short"))?;
        Ok(end.checked_next_multiple_of(BLOCK).unwrap_or(length).min(length))
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Malformed { what: self.path.display().to_string(), reason: reason.to_owned() }
    }

    fn damaged(&self, reason: &str) -> Error {
        Error::Damaged { place: self.path.display().to_string(), reason: reason.to_owned() }
    }

    fn too_large(&self, part: &str, limit: String) -> Error {
        Error::TooLarge { what: format!("{part}{}", self.path.display()), limit }
    }
}

/// A part of a file that others read at the same time.
pub(in crate::registry) struct Window {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = read_at(&self.file, buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at = self.at.saturating_add(read as u64);
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Whether two files of one size have the same content.
fn same(mut one: Window, mut other: Window) -> io::Result<bool> {
    let (mut first, mut second) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = one.read(&mut first)?;
        let (Some(first), Some(second)) = (first.get(..count), second.get_mut(..count)) else { return Ok(false) };
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(second)?;
        if first != second {
            return Ok(false);
        }
    }
}

/// Entries that are a header alone, whatever size they say: so Go and Python read them, which write the archives.
fn holds_nothing(kind: EntryType) -> bool {
    matches!(kind, EntryType::Link | EntryType::Symlink | EntryType::Char | EntryType::Block | EntryType::Directory | EntryType::Fifo)
}

/// A name without leading slashes, `.` components, or a way out.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where a symbolic link at `name` points to, within the archive.
fn beside(name: &str, link: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, _)) if !link.starts_with('/') => normal(&format!("{folder}/{link}")),
        _ => normal(link),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A header with a right checksum, and its content padded.
    fn entry(kind: u8, name: &str, link: &str, size: Size<'_>, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        let bytes = header.as_mut_bytes();
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
        bytes[156] = kind;
        match size {
            Size::True => header.set_size(content.len() as u64),
            Size::Lie(size) => header.set_size(size),
            Size::Raw(text) => header.as_mut_bytes()[124..124 + text.len()].copy_from_slice(text),
        }
        header.set_cksum();
        let mut out = header.as_bytes().to_vec();
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }

    #[derive(Clone, Copy)]
    enum Size<'a> {
        True,
        Lie(u64),
        Raw(&'a [u8]),
    }

    fn pax(records: &[(&str, &str)]) -> Vec<u8> {
        let mut text = Vec::new();
        for (key, value) in records {
            let bare = key.len() + value.len() + 3;
            let length = (bare..).find(|length| length.to_string().len() + bare == *length).expect("length");
            writeln!(text, "{length} {key}={value}").expect("memory");
        }
        entry(b'x', "pax", "", Size::True, &text)
    }

    fn index(parts: &[Vec<u8>]) -> Result<TarIndex, String> {
        let mut file = tempfile::tempfile().expect("file");
        for part in parts {
            file.write_all(part).expect("written");
        }
        TarIndex::read(Path::new("saved"), file).map_err(|error| error.to_string())
    }

    fn content(index: &TarIndex, name: &str) -> Option<Vec<u8>> {
        let (offset, size) = index.find(name).expect("one file")?;
        let mut bytes = Vec::new();
        index.window(offset, size).read_to_end(&mut bytes).expect("readable");
        Some(bytes)
    }

    #[test]
    fn names_sizes_and_links_of_every_dialect_are_read() {
        let long = format!("{}/layer.tar", "d".repeat(150));
        let found = index(&[
            entry(b'g', "pax_global_header", "", Size::True, b"18 comment=global\n"),
            entry(b'5', "blobs/", "", Size::Lie(4096), b""),
            entry(b'0', "./a", "", Size::True, b"one"),
            entry(b'2', "dir/link", "../a", Size::Lie(99), b""),
            entry(b'1', "hard", "a", Size::Lie(3), b""),
            entry(b'L', "././@LongLink", "", Size::True, format!("{long}\0").as_bytes()),
            entry(b'0', "cut", "", Size::True, b"long"),
            pax(&[("path", "/from/pax"), ("size", "4")]),
            entry(b'0', "short", "", Size::Raw(b"00000000000\0"), b"size"),
            entry(b'7', "contiguous", "", Size::Raw(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]), b"b2"),
            entry(b'3', "device", "", Size::True, b""),
            entry(b'5', "blobs/", "", Size::True, b""),
            entry(0, "old/", "", Size::True, b""),
            entry(0, "old/file", "", Size::True, b"seven"),
            vec![0; 1024],
            b"what follows the end is not looked at".to_vec(),
        ])
        .expect("an archive");
        for (name, expected) in [
            ("a", Some("one")),
            ("dir/link", Some("one")),
            ("hard", Some("one")),
            (&long, Some("long")),
            ("from/pax", Some("size")),
            ("contiguous", Some("b2")),
            ("old/file", Some("seven")),
            ("device", None),
            ("cut", None),
            ("blobs", None),
        ] {
            assert_eq!(content(&found, name).as_deref(), expected.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn what_is_damaged_or_too_much_is_an_error_that_says_so() {
        let mut damaged = entry(b'0', "b", "", Size::True, b"");
        damaged[0] ^= 1;
        for (parts, expected) in [
            (vec![b"FROM scratch\n".to_vec()], "no tar file"),
            (vec![vec![b'x'; 2000]], "no tar file"),
            (vec![Vec::new()], "it is empty"),
            (vec![entry(b'0', "a", "", Size::Lie(5000), b"")], "cut short"),
            (vec![entry(b'0', "a", "", Size::True, b"a"), vec![1; 100]], "cut short"),
            (vec![entry(b'0', "a", "", Size::Raw(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), b"")], "cut short"),
            (vec![pax(&[("size", "18446744073709551615")]), entry(b'0', "a", "", Size::True, b"a")], "cut short"),
            (vec![pax(&[("size", "-1")]), entry(b'0', "a", "", Size::True, b"a")], "no number"),
            (vec![pax(&[("GNU.sparse.map", "0,1")]), entry(b'0', "a", "", Size::True, b"a")], "sparse"),
            (vec![pax(&[("path", "b")]), pax(&[("mtime", "1")]), entry(b'0', "a", "", Size::True, b"a")], "several PAX headers"),
            (
                vec![pax(&[("path", "b")]), entry(b'g', "g", "", Size::True, b"13 comment=g\n"), entry(b'0', "a", "", Size::True, b"a")],
                "global PAX header stands between",
            ),
            (
                vec![entry(b'L', "l", "", Size::True, b"c\0"), pax(&[("path", "b")]), entry(b'0', "a", "", Size::True, b"a")],
                "readers differ",
            ),
            (vec![entry(b'0', "a/", "", Size::True, b"a")], "ends in a slash"),
            (vec![entry(b'0', "a", "", Size::Raw(b"\0 000001000\0"), b"a")], "no readable size"),
            (vec![entry(b'S', "a", "", Size::True, b"a")], "sparse"),
            (vec![entry(b'0', "a", "", Size::True, b""), damaged], "header at byte 512 is not what it was"),
            (vec![entry(b'L', "a", "", Size::True, &vec![b'n'; 2 << 20])], "limit of 1048576 bytes"),
            (
                (0..40)
                    .flat_map(|_| [entry(b'L', "a", "", Size::True, &vec![b'n'; 1 << 20]), entry(b'0', "a", "", Size::True, b"")])
                    .collect(),
                "all names in saved exceeds the limit of 33554432 bytes",
            ),
            (vec![entry(b'0', "a", "", Size::True, b"").repeat(ENTRIES + 1)], "limit of 100000 entries"),
        ] {
            let error = index(&parts).err().unwrap_or_else(|| format!("no error, expected {expected}"));
            assert!(error.contains(expected), "{error}, not {expected}");
        }
        assert!(index(&[vec![0; 512]]).is_ok_and(|empty| !empty.holds("a")));
    }

    #[test]
    fn links_stay_inside_and_end() {
        let found = index(&[
            entry(b'2', "x", "y", Size::True, b""),
            entry(b'2', "y", "x", Size::True, b""),
            entry(b'2', "out", "../../../../etc/passwd", Size::True, b""),
            entry(b'2', "absolute", "/in", Size::True, b""),
            entry(b'0', "in", "", Size::True, b"side"),
        ])
        .expect("an archive");
        for name in ["x", "out", "nothing"] {
            assert!(!found.holds(name), "{name}");
        }
        assert_eq!(content(&found, "absolute").as_deref(), Some(&b"side"[..]));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_when_it_is_wanted() {
        let first = entry(b'0', "a", "", Size::True, b"first");
        for second in [
            entry(b'0', "a", "", Size::True, b"last"),
            entry(b'0', "./a", "", Size::True, b"FIRST"),
            entry(b'0', "x/../a", "", Size::True, b"last"),
            entry(b'2', "a", "b", Size::True, b""),
            entry(b'5', "a/", "", Size::True, b""),
        ] {
            let found = index(&[first.clone(), second, entry(b'0', "b", "", Size::True, b"other"), entry(b'2', "l", "a", Size::True, b"")]);
            let found = found.expect("an archive");
            assert_eq!(content(&found, "b").as_deref(), Some(&b"other"[..]), "what is not wanted does no harm");
            for name in ["a", "./a", "l"] {
                let error = found.find(name).map(|_| ()).expect_err(name).to_string();
                assert!(error.contains("more than one `a`"), "{error}");
                assert!(found.holds(name));
            }
        }
        let alike = index(&[first.clone(), entry(b'0', "./a", "", Size::True, b"first")]).expect("an archive");
        assert_eq!(content(&alike, "a").as_deref(), Some(&b"first"[..]));
        let below = index(&[
            entry(b'2', "d", "e", Size::True, b""),
            entry(b'0', "d/a", "", Size::True, b"one"),
            entry(b'0', "e/a", "", Size::True, b"two"),
        ])
        .expect("an archive");
        assert!(below.find("d/a").is_err_and(|error| error.to_string().contains("no folder")));
    }
}
