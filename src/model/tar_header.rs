//! The headers of one tar entry in, what they say of it out, for layers and for image archives alike.
//! Formats: ustar and PAX (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>), GNU
//! (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>), star.
//!
//! Readers of tar agree on what honest writers write, and on little else: of two names for one entry each believes another. A file that we call
//! `a` and a container runtime calls `b` is a file that we did not look at, so whatever they read differently is a doubt here and never a choice.

/// What a doubtful name is called in reports.
type Doubt = &'static str;

/// The headers that stand before an entry and speak of it: PAX records, GNU long names.
#[derive(Debug, Default)]
pub struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    sparse: Option<Sparse>,
    has_pax: bool,
    has_capability: bool,
    /// Why what the entry is called is not sure.
    doubt: Option<Doubt>,
    /// Why where the next header stands is not sure.
    lost: Option<Doubt>,
}

/// The `GNU.sparse.` records of a PAX header.
#[derive(Debug, Default)]
struct Sparse {
    name: Option<Vec<u8>>,
    major: Vec<u8>,
    minor: Vec<u8>,
    has_map: bool,
}

/// What all headers of an entry say together.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// What it is called, or why that is not sure.
    pub name: Result<Vec<u8>, &'static str>,
    /// What it points to, if it is a link.
    pub link: Vec<u8>,
    /// The size that is written, which means content only for what can have any.
    pub size: u64,
    /// Whether it is a file with holes in a PAX form.
    pub is_sparse: bool,
    /// Permission bits with setuid, setgid and the sticky bit; 0 when they cannot be read.
    pub mode: u16,
    /// Whether the file gives capabilities to who runs it (the extended attribute `security.capability`).
    pub has_capability: bool,
}

impl Extensions {
    /// Takes in the records of a PAX header (`x`).
    pub fn pax(&mut self, body: &[u8]) {
        // Go lets the last header alone count, others add them up.
        let is_second = std::mem::replace(&mut self.has_pax, true);
        let mut seen = Vec::new();
        for record in Records(body) {
            let Some((key, value)) = record else {
                self.doubt = Some("a PAX header is garbled");
                break;
            };
            if matches!(key, b"path" | b"linkpath" | b"size" | b"GNU.sparse.name" | b"GNU.sparse.major" | b"GNU.sparse.minor") {
                if seen.contains(&key) {
                    *(if key == b"size" { &mut self.lost } else { &mut self.doubt }) = Some("a PAX header says the same thing twice");
                }
                seen.push(key);
            }
            self.record(key, value);
        }
        if is_second {
            let place = if self.size.is_some() { &mut self.lost } else { &mut self.doubt };
            *place = Some("several PAX headers stand before one entry, and not all readers heed all of them");
        }
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        let text = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" | b"linkpath" | b"GNU.sparse.name" if value.contains(&0) => self.doubt = Some("a PAX path holds a NUL byte"),
            b"path" => self.path = text(),
            b"linkpath" => self.link = text(),
            b"size" => {
                let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                match digits.and_then(|text| text.parse().ok()) {
                    Some(size) => self.size = Some(size),
                    None => self.doubt = Some("a PAX size is no number"),
                }
            }
            b"SCHILY.xattr.security.capability" | b"LIBARCHIVE.xattr.security.capability" => self.has_capability |= !value.is_empty(),
            key => {
                let Some(key) = key.strip_prefix(b"GNU.sparse.") else { return };
                let sparse = self.sparse.get_or_insert_default();
                match key {
                    b"name" => sparse.name = text(),
                    b"major" => sparse.major = value.to_vec(),
                    b"minor" => sparse.minor = value.to_vec(),
                    b"map" => sparse.has_map |= !value.is_empty(),
                    b"offset" => sparse.has_map = true,
                    _ => {}
                }
            }
        }
    }

    /// Takes in a GNU long name (`L`).
    pub fn long_name(&mut self, body: &[u8]) {
        let name = self.long(body, self.long_name.is_some());
        self.long_name = Some(name);
    }

    /// Takes in a GNU long link target (`K`).
    pub fn long_link(&mut self, body: &[u8]) {
        let link = self.long(body, self.long_link.is_some());
        self.long_link = Some(link);
    }

    fn long(&mut self, body: &[u8], is_second: bool) -> Vec<u8> {
        let text = body.split(|&byte| byte == 0).next().unwrap_or_default();
        if is_second {
            self.doubt = Some("several GNU long names stand before one entry");
        } else if text.is_empty() {
            self.doubt = Some("a GNU long name is empty");
        } else if body.iter().skip(text.len()).any(|&byte| byte != 0) {
            self.doubt = Some("a GNU long name goes on behind its end");
        }
        text.to_vec()
    }

    /// Looks at a global PAX header (`g`), which speaks of no entry and here must not.
    ///
    /// # Errors
    /// When it would change how what follows is read, for readers that heed it.
    pub fn global(&self, body: &[u8]) -> Result<(), &'static str> {
        // Go hands it out as an entry, and what stood before it is forgotten.
        if self.has_pax || self.long_name.is_some() || self.long_link.is_some() {
            return Err("a global PAX header stands between an entry and the headers that speak of it");
        }
        for record in Records(body) {
            let (key, _) = record.ok_or("a global PAX header is garbled")?;
            if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
                return Err("a global PAX header gives all entries one name or size, which not all readers heed");
            }
        }
        Ok(())
    }

    /// What these and the entry's own header say together.
    ///
    /// # Errors
    /// When it is not sure where the next header stands.
    pub fn with(self, header: &[u8; 512]) -> Result<Said, &'static str> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let size = self.size.or_else(|| number(field(header, 124, 12))).ok_or("a tar header has no readable size")?;
        let kind = field(header, 156, 1).first().copied().unwrap_or_default();
        let is_header_alone = matches!(kind, b'1'..=b'6');
        let is_sparse = self.sparse.is_some();
        let sparse_name = self.sparse.as_ref().and_then(|sparse| sparse.name.clone());
        let has_pax_name = self.path.is_some() || sparse_name.is_some();
        let doubt = if self.doubt.is_some() {
            self.doubt
        } else if self.long_name.is_some() && has_pax_name {
            Some("an entry has a GNU long name and a PAX path, and readers differ in which of them counts")
        } else if self.long_link.is_some() && self.link.is_some() {
            Some("an entry has a GNU long link and a PAX linkpath, and readers differ in which of them counts")
        } else if self.sparse.as_ref().is_some_and(|sparse| is_header_alone || !sparse.is_known()) {
            Some("an entry has PAX records of a sparse file but is none of a known version")
        } else {
            None
        };
        let own = own_name(header);
        let named = sparse_name.or(self.path).or(self.long_name);
        let name = match (doubt, named, own) {
            (Some(doubt), ..) => Err(doubt),
            (None, Some(name), _) => Ok(name),
            (None, None, own) => own,
        };
        // Version 7 tars write folders as files whose name ends in a slash; whether such a folder can have content, readers do not agree.
        if size > 0 && !is_header_alone && name.as_ref().is_ok_and(|name| name.ends_with(b"/")) {
            return Err("the name of an entry with content ends in a slash: for some readers it is a folder, which has none");
        }
        let link = self.link.or(self.long_link).unwrap_or_else(|| until_nul(field(header, 157, 100)).to_vec());
        let mode = number(field(header, 100, 8)).and_then(|mode| u16::try_from(mode & 0o7777).ok()).unwrap_or_default();
        Ok(Said { name, link, size, is_sparse, mode, has_capability: self.has_capability })
    }
}

impl Sparse {
    /// Whether every reader takes the file for a sparse one. Forms 0.0 and 0.1 are told by their map alone.
    fn is_known(&self) -> bool {
        match (self.major.as_slice(), self.minor.as_slice()) {
            (b"0", b"0" | b"1") | (b"1", b"0") => true,
            (b"", b"") => self.has_map,
            _ => false,
        }
    }
}

/// A number field: octal with blanks before it, or base-256; `None` for negative, overflowing or garbled ones, and for those that begin with a NUL
/// and still say something, because some readers stop at it and others skip it.
#[must_use]
pub fn number(field: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| matches!(byte, 0 | b' ');
    match field.split_first() {
        Some((0x80, rest)) => rest.iter().try_fold(0_u64, |value, &byte| value.checked_mul(256)?.checked_add(u64::from(byte))),
        Some((0x81.., _)) => None,
        _ if field.iter().all(is_blank) => Some(0),
        _ => {
            let begin = field.iter().position(|&byte| byte != b' ')?;
            let text = until_nul(field.get(begin..)?);
            let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
            let (digits, rest) = text.split_at_checked(end)?;
            if digits.is_empty() || !rest.iter().all(is_blank) {
                return None;
            }
            digits.iter().try_fold(0_u64, |value, &byte| match byte {
                b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
                _ => None,
            })
        }
    }
}

/// The name in a header itself, or why that is not sure.
fn own_name(header: &[u8; 512]) -> Result<Vec<u8>, Doubt> {
    let name = until_nul(field(header, 0, 100));
    let mut prefix: &[u8] = &[];
    match (field(header, 257, 6), field(header, 263, 2)) {
        (b"ustar\0", version) => {
            prefix = until_nul(field(header, 345, 155));
            if version != b"00" && !prefix.is_empty() {
                return Err("a tar header has a prefix but no known version, and not all readers heed the prefix");
            }
            // The prefix of star is shorter, and two times follow it.
            if field(header, 508, 4) == b"tar\0" && prefix.len() >= 131 {
                return Err("the prefix of a tar header has no end that all readers agree on");
            }
        }
        // GNU has two times there. Writers of old mistook them for a prefix, so Go takes for one whatever is no time.
        (b"ustar ", b" \0") if !is_time(field(header, 345, 12)) || !is_time(field(header, 357, 12)) => {
            return Err("a GNU tar header has something else where its times belong, which some readers take for a part of its name");
        }
        _ => {}
    }
    Ok(if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() })
}

/// Whether a field is a time or nothing.
fn is_time(field: &[u8]) -> bool {
    match field {
        [0, ..] => true,
        [0xff, 0xff, 0xff, 0xff, next, ..] => *next >= 0x80,
        _ => number(field).is_some_and(|time| i64::try_from(time).is_ok()),
    }
}

fn field(header: &[u8; 512], from: usize, length: usize) -> &[u8] {
    header.get(from..from.saturating_add(length)).unwrap_or_default()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// PAX records: `LENGTH KEY=VALUE\n`, the length counting itself. One that is none is the last.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let split = split_record(self.0);
        self.0 = split.map_or(&[], |(_, _, rest)| rest);
        Some(split.map(|(key, value, _)| (key, value)))
    }
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let digits = bytes.get(..blank).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    Some((record.get(..equals)?, record.get(equals + 1..)?, bytes.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header without a checksum: name, kind, size field, magic and version, prefix.
    fn header(name: &[u8], kind: u8, size: &[u8], magic: &[u8; 8], prefix: &[u8]) -> [u8; 512] {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name);
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        block[257..265].copy_from_slice(magic);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block
    }

    fn plain() -> [u8; 512] {
        header(b"own", b'0', b"00000000001\0", USTAR, b"")
    }

    const USTAR: &[u8; 8] = b"ustar\x0000";
    const GNU: &[u8; 8] = b"ustar  \0";

    fn records(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut body = String::new();
        for (key, value) in pairs {
            let bare = key.len() + value.len() + 3;
            let length = (bare..).find(|length| length.to_string().len() + bare == *length).unwrap();
            body += &format!("{length} {key}={value}\n");
        }
        body.into_bytes()
    }

    /// One header before an entry.
    enum Before {
        Pax(&'static [(&'static str, &'static str)]),
        Name(&'static [u8]),
        Link(&'static [u8]),
    }

    fn told(before: &[Before], header: &[u8; 512]) -> Result<Said, &'static str> {
        let mut extensions = Extensions::default();
        for before in before {
            match before {
                Before::Pax(pairs) => extensions.pax(&records(pairs)),
                Before::Name(body) => extensions.long_name(body),
                Before::Link(body) => extensions.long_link(body),
            }
        }
        extensions.with(header)
    }

    #[test]
    fn numbers_are_octal_or_base_256() {
        let check = |field: &[u8], expected| assert_eq!(number(field), expected, "{field:?}");
        check(b"00000000017\0", Some(15));
        check(b"000000000017", Some(15));
        check(b"     17 \0\0\0\0", Some(15));
        check(b"0000017 \0", Some(15));
        check(b"17\0junk", Some(15));
        check(b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0));
        check(b"            ", Some(0));
        check(b"\x80\0\0\0\0\0\0\0\0\0\x01\x00", Some(256));
        check(b"\x80\x01\0\0\0\0\0\0\0\0\0\0", None);
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"9", None);
        check(b"-1", None);
        check(b"\0 000001000\0", None);
        check(b"\x0000000001000", None);
        check(b" \0 17", None);
        check(b"17 17", None);
        check(b"\t17\0", None);
    }

    #[test]
    fn what_honest_writers_write_is_read() {
        let long = [b'p'; 140];
        let gnu_times = header(b"own", b'0', b"1\0", GNU, b"14300000000\x0014300000000\0");
        let early = header(b"own", b'0', b"1\0", GNU, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x80\0\0\0\0\0\0\0\0\0\0\x07");
        let name = |before: &[Before], header: &[u8; 512]| told(before, header).unwrap().name.unwrap();
        for (before, header, expected) in [
            (vec![], plain(), b"own".to_vec()),
            (vec![], header(b"own", b'0', b"1\0", USTAR, b"up"), b"up/own".to_vec()),
            (vec![], header(b"own", b'0', b"1\0", USTAR, &long), [&long[..], b"/own"].concat()),
            (vec![], header(b"own", b'0', b"1\0", b"ustar\x00  ", b""), b"own".to_vec()),
            (vec![], header(b"own", 0, b"1\0", &[0; 8], b""), b"own".to_vec()),
            (vec![], header(b"dir/", 0, b"0\0", &[0; 8], b""), b"dir/".to_vec()),
            (vec![], header(b"dir/", b'5', b"7\0", USTAR, b""), b"dir/".to_vec()),
            (vec![], gnu_times, b"own".to_vec()),
            (vec![], early, b"own".to_vec()),
            (vec![Before::Pax(&[("path", "a"), ("mtime", "1.5"), ("SCHILY.xattr.user.x", "a=b\nc")])], plain(), b"a".to_vec()),
            (vec![Before::Pax(&[("path", "")])], plain(), b"own".to_vec()),
            (vec![Before::Pax(&[("mtime", "1")]), Before::Name(b"long\0")], plain(), b"long".to_vec()),
            (vec![Before::Name(b"long\0\0\0"), Before::Link(b"target\0")], plain(), b"long".to_vec()),
        ] {
            assert_eq!(name(&before, &header), expected);
        }
        for (sparse, expected) in [
            (&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "a"), ("path", "GNUSparseFile.0/a")][..], "a"),
            (&[("GNU.sparse.size", "9"), ("GNU.sparse.name", "a"), ("GNU.sparse.map", "0,1")], "a"),
            (&[("GNU.sparse.size", "9"), ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "1"), ("path", "a")], "a"),
        ] {
            let said = told(&[Before::Pax(sparse)], &plain()).unwrap();
            assert_eq!((said.name, said.is_sparse), (Ok(expected.as_bytes().to_vec()), true));
        }
        let said = told(&[Before::Pax(&[("path", "a"), ("linkpath", "b"), ("size", "42")])], &plain()).unwrap();
        assert_eq!(said, Said { name: Ok(b"a".to_vec()), link: b"b".to_vec(), size: 42, is_sparse: false, mode: 0, has_capability: false });
        assert_eq!(Extensions::default().global(&records(&[("comment", "a commit")])), Ok(()));
    }

    #[test]
    fn what_readers_read_differently_is_a_doubt() {
        let star = {
            let mut block = header(b"own", b'0', b"1\0", USTAR, &[b'p'; 131]);
            block[508..].copy_from_slice(b"tar\0");
            block
        };
        let link = header(b"own", b'2', b"0\0", USTAR, b"");
        let early = header(b"own", b'0', b"1\0", GNU, b"14300000000\0evil");
        for (before, header, expected) in [
            (vec![Before::Name(b"a\0"), Before::Pax(&[("path", "b")])], plain(), "readers differ"),
            (vec![Before::Pax(&[("path", "b")]), Before::Name(b"a\0")], plain(), "readers differ"),
            (vec![Before::Link(b"a\0"), Before::Pax(&[("linkpath", "b")])], link, "readers differ"),
            (vec![Before::Pax(&[("path", "b")]), Before::Pax(&[("mtime", "1")])], plain(), "several PAX headers"),
            (vec![Before::Pax(&[]), Before::Pax(&[])], plain(), "several PAX headers"),
            (vec![Before::Pax(&[("path", "b"), ("path", "c")])], plain(), "twice"),
            (vec![Before::Pax(&[("size", "-1")])], plain(), "no number"),
            (vec![Before::Pax(&[("size", "+1")])], plain(), "no number"),
            (vec![Before::Pax(&[("size", "")])], plain(), "no number"),
            (vec![Before::Pax(&[("linkpath", "a\0b")])], link, "NUL"),
            (vec![Before::Pax(&[("GNU.sparse.name", "b")])], plain(), "known version"),
            (vec![Before::Pax(&[("GNU.sparse.name", "b"), ("GNU.sparse.major", "1")])], plain(), "known version"),
            (
                vec![Before::Pax(&[("GNU.sparse.name", "b"), ("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0")])],
                plain(),
                "known version",
            ),
            (vec![Before::Pax(&[("GNU.sparse.map", "0,1")])], link, "known version"),
            (vec![Before::Name(b"\0")], plain(), "empty"),
            (vec![Before::Name(b"a\0b\0")], plain(), "behind its end"),
            (vec![Before::Name(b"a\0"), Before::Name(b"b\0")], plain(), "several GNU"),
            (vec![], header(b"own", b'0', b"1\0", b"ustar\0  ", b"evil"), "no known version"),
            (vec![], header(b"own", b'0', b"1\0", b"ustar\0\0\0", b"evil"), "no known version"),
            (vec![], header(b"own", b'0', b"1\0", GNU, b"evil"), "times"),
            (vec![], early, "times"),
            (vec![], star, "no end"),
        ] {
            let doubt = told(&before, &header).unwrap().name.unwrap_err();
            assert!(doubt.contains(expected), "{doubt}, not {expected}");
        }
        for (before, header, expected) in [
            (vec![], header(b"dir/", b'0', b"1\0", USTAR, b""), "slash"),
            (vec![], header(b"dir/", 0, b"1\0", &[0; 8], b""), "slash"),
            (vec![Before::Pax(&[("path", "dir/")])], plain(), "slash"),
            (vec![], header(b"own", b'0', b"\0 000001000\0", USTAR, b""), "no readable size"),
            (vec![Before::Pax(&[("size", "1")]), Before::Pax(&[("mtime", "1")])], plain(), "several PAX headers"),
            (vec![Before::Pax(&[("size", "1"), ("size", "2")])], plain(), "twice"),
        ] {
            let lost = told(&before, &header).unwrap_err();
            assert!(lost.contains(expected), "{lost}, not {expected}");
        }
        for pairs in [&[("path", "a")][..], &[("linkpath", "a")], &[("size", "1")], &[("GNU.sparse.map", "0,1")]] {
            assert!(Extensions::default().global(&records(pairs)).is_err());
        }
        assert!(Extensions::default().global(b"99 comment=a\n").is_err());
        let mut between = Extensions::default();
        between.pax(&records(&[("path", "a")]));
        assert!(between.global(b"").is_err());
    }

    #[test]
    fn garbled_records_are_a_doubt() {
        for body in [&b"99 path=a\n"[..], b"path=a\n", b"+10 path=a\n", b"10 path=a ", b"7 path\n"] {
            let mut extensions = Extensions::default();
            extensions.pax(body);
            assert_eq!(extensions.with(&plain()).unwrap().name, Err("a PAX header is garbled"), "{body:?}");
        }
    }
}
