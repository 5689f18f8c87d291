//! One rpm header as the database stores it: two counts, an index of tags, their data.
//! Format: <https://rpm-software-management.github.io/rpm/manual/format_header.html>.

use crate::inventory::rpmdb::be32;

/// Tag of the name.
pub(crate) const NAME: u32 = 1000;
/// Tag of the version.
pub(crate) const VERSION: u32 = 1001;
/// Tag of the release.
pub(crate) const RELEASE: u32 = 1002;
/// Tag of the epoch.
pub(crate) const EPOCH: u32 = 1003;
/// Tag of the vendor.
pub(crate) const VENDOR: u32 = 1011;
/// Tag of the licence.
pub(crate) const LICENSE: u32 = 1014;
/// Tag of the architecture.
pub(crate) const ARCH: u32 = 1022;
/// Tag of the source package's file name.
pub(crate) const SOURCE_RPM: u32 = 1044;
/// Tag of the module that the package belongs to.
pub(crate) const MODULARITY_LABEL: u32 = 5096;
const DIR_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIR_NAMES: u32 = 1118;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

const INDEX_ENTRY: usize = 16;
/// rpm's own limits (`hdrchkTags`, `hdrchkData`).
const MAX_TAGS: usize = 0xffff;
const MAX_DATA: usize = 256 * 1024 * 1024;

/// A header whose counts fit its bytes.
pub(crate) struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

impl<'a> Header<'a> {
    /// Takes the counts apart; `None` when they do not fit the bytes.
    pub(crate) fn parse(blob: &'a [u8]) -> Option<Self> {
        let tags = usize::try_from(be32(blob, 0)?).ok().filter(|&tags| tags <= MAX_TAGS)?;
        let data = usize::try_from(be32(blob, 4)?).ok().filter(|&data| data <= MAX_DATA)?;
        let (index, rest) = blob.get(8..)?.split_at_checked(tags * INDEX_ENTRY)?;
        Some(Self { index, data: rest.get(..data)? })
    }

    /// The first text of a tag; `None` when it is missing, empty or damaged.
    pub(crate) fn text(&self, tag: u32) -> Option<String> {
        let entry = self.entry(tag).filter(|entry| matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING))?;
        self.texts(&entry).next().map(|text| String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty() && text != "(none)")
    }

    /// The first number of a tag.
    pub(crate) fn number(&self, tag: u32) -> Option<u32> {
        let entry = self.entry(tag).filter(|entry| entry.kind == INT32 && entry.count > 0)?;
        be32(self.data, entry.offset)
    }

    /// Calls `visit` with the path of each file.
    pub(crate) fn for_each_file(&self, mut visit: impl FnMut(&str)) {
        let (Some(folders), Some(names), Some(places)) = (self.entry(DIR_NAMES), self.entry(BASE_NAMES), self.entry(DIR_INDEXES)) else {
            return;
        };
        let folders: Vec<&[u8]> = self.texts(&folders).collect();
        let mut path = String::new();
        for (number, name) in self.texts(&names).enumerate().take(places.count) {
            let place = number.checked_mul(4).and_then(|at| at.checked_add(places.offset)).and_then(|at| be32(self.data, at));
            let Some(folder) = place.and_then(|place| usize::try_from(place).ok()).and_then(|place| folders.get(place)) else { return };
            path.clear();
            path.push_str(&String::from_utf8_lossy(folder));
            path.push_str(&String::from_utf8_lossy(name));
            visit(&path);
        }
    }

    fn entry(&self, tag: u32) -> Option<Entry> {
        let found = self.index.chunks_exact(INDEX_ENTRY).find(|entry| be32(entry, 0) == Some(tag))?;
        Some(Entry {
            kind: be32(found, 4)?,
            offset: usize::try_from(be32(found, 8)?).ok()?,
            count: usize::try_from(be32(found, 12)?).ok()?,
        })
    }

    /// NUL-terminated texts, no more than there is data.
    fn texts(&self, entry: &Entry) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.data.get(entry.offset..).unwrap_or_default();
        (0..entry.count).map_while(move |_| {
            let end = rest.iter().position(|&byte| byte == 0)?;
            let (text, after) = rest.split_at_checked(end)?;
            rest = after.get(1..)?;
            Some(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entries: &[(u32, u32, u32, u32)], data: &[u8]) -> Vec<u8> {
        let mut blob = Vec::new();
        blob.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        blob.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        for (tag, kind, offset, count) in entries {
            for number in [tag, kind, offset, count] {
                blob.extend(number.to_be_bytes());
            }
        }
        blob.extend(data);
        blob
    }

    #[test]
    fn tags_are_read_within_their_data() {
        let entries = [(NAME, STRING, 0, 1), (EPOCH, INT32, 3, 1), (VERSION, STRING, 900, 1), (ARCH, STRING, 7, 1), (RELEASE, INT32, 0, 1)];
        let blob = header(&entries, b"ab\0\0\0\0\x07no end");
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.text(NAME).as_deref(), Some("ab"));
        assert_eq!(header.number(EPOCH), Some(7));
        assert_eq!(header.text(VERSION), None);
        assert_eq!(header.text(ARCH), None);
        assert_eq!(header.text(RELEASE), None);
    }

    #[test]
    fn counts_that_do_not_fit_are_damage() {
        let blob = header(&[(NAME, STRING, 0, 1)], b"ab\0");
        for end in 0..blob.len() {
            assert!(Header::parse(&blob[..end]).is_none(), "{end}");
        }
        assert!(Header::parse(&[0xff; 100]).is_none());
    }

    #[test]
    fn files_are_folder_and_name() {
        let entries = [(DIR_NAMES, STRING_ARRAY, 0, 2), (BASE_NAMES, STRING_ARRAY, 12, 2), (DIR_INDEXES, INT32, 16, 2)];
        let blob = header(&entries, b"/usr/\0/etc/\0a\0b\0\0\0\0\x01\0\0\0\0");
        let mut files = Vec::new();
        Header::parse(&blob).unwrap().for_each_file(|path| files.push(path.to_owned()));
        assert_eq!(files, ["/etc/a", "/usr/b"]);
    }
}
