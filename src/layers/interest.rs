//! What somebody wants to know of the files that stream past, told from their paths and first bytes.

use crate::layers::{Body, Limits};

/// Who wants what of which file.
pub trait Interest: Sync {
    /// How much is wanted of the file at this path. A path that ends with a slash asks of a folder: anything but `No` says that records are looked
    /// for in it, so that a link of this name must not be lost.
    fn wants(&self, path: &str) -> Want;

    /// Whether [`Self::scan`] wants the whole of a file of `size` bytes that begins with `head`, whatever else becomes of it. Not asked of files
    /// above `Limits::scanned_file_bytes`.
    fn scans(&self, _path: &str, _head: &[u8], _size: u64) -> bool {
        false
    }

    /// Whether it has to be told that the file at this path was too large to be scanned.
    fn misses(&self, _path: &str) -> bool {
        false
    }

    /// What is noted of a file of one layer, whether or not an upper layer deletes or replaces it.
    fn scan(&self, _path: &str, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

impl<F: Fn(&str) -> Want + Sync> Interest for F {
    fn wants(&self, path: &str) -> Want {
        self(path)
    }
}

/// How much somebody wants of a file, told from its path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    No,
    /// Only to know that it is there.
    Presence,
    /// To know that it is there, and the same.
    PresenceOrExamine(Examiners),
    /// What the first of these examiners says of it that looks at files with such first bytes, if there is one.
    ExamineIf(Examiners),
    /// What this examiner says of it; the file may be too large, or too much of it irrelevant, to keep its bytes.
    Examine(&'static dyn Examiner),
    /// Its bytes.
    Bytes,
}

impl Want {
    /// Whether the path alone says that the file matters.
    #[must_use]
    pub const fn by_name(self) -> bool {
        matches!(self, Self::Presence | Self::PresenceOrExamine(_) | Self::Examine(_) | Self::Bytes)
    }

    /// Whether the path alone says that something of the file's content matters.
    #[must_use]
    pub const fn by_content(self) -> bool {
        matches!(self, Self::Examine(_) | Self::Bytes)
    }
}

/// Examiners of files whose names say nothing.
pub type Examiners = &'static [&'static dyn Examiner];

/// Takes what matters out of files that are large or of which little matters, while they stream past. It sees each file once, in its layer, before
/// it is known whether an upper layer deletes it or which package owns it; what it says waits in its place, also from run to run in a cache.
pub trait Examiner: Sync {
    /// The permanent id, without NUL.
    fn id(&self) -> &'static str;

    /// Whether to look at a file of `size` bytes that begins with `head`, its first 512 bytes or all there are. What is not wanted is as good as
    /// not there.
    fn is_wanted(&self, path: &str, head: &[u8], size: u64) -> bool;

    /// Looks at a file; what it gives is what [`FileEntry::extract`](crate::layers::FileEntry::extract) gives later. Nothing (no bytes) for a file
    /// that turned out not to matter. What could not be read has to be in the extract, so that it becomes a Gap. Never reads more, or takes
    /// longer, than in proportion to the file's size and the limits, whatever its bytes are.
    fn examine(&self, path: &str, body: &Body<'_>, limits: &Limits) -> Vec<u8>;
}

impl std::fmt::Debug for dyn Examiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl PartialEq for dyn Examiner {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for dyn Examiner {}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Mutex};

    use super::*;
    use crate::layers::{
        FileView, LayerCache,
        fixture::{input, tar},
        walk_with,
    };

    /// Says how a file begins and how large it is; nothing of one that is all zeros behind its mark.
    struct Begins;

    impl Examiner for Begins {
        fn id(&self) -> &'static str {
            "begins"
        }

        fn is_wanted(&self, _: &str, head: &[u8], _: u64) -> bool {
            head.starts_with(b"!")
        }

        fn examine(&self, path: &str, body: &Body<'_>, _: &Limits) -> Vec<u8> {
            let mut end = Vec::new();
            body.for_each_piece(1000, |_, piece| {
                end = piece.to_vec();
                crate::layers::Go::On
            });
            let last = end.last().copied().unwrap_or_default();
            if last == 0 {
                return Vec::new();
            }
            let head = String::from_utf8_lossy(&body.up_to(0, 3)).into_owned();
            format!("{path} {head} {} {last}", body.size()).into_bytes()
        }
    }

    static BEGINS: Begins = Begins;
    const ALL: Examiners = &[&BEGINS];

    fn wants(path: &str) -> Want {
        if path.ends_with('/') {
            return Want::No;
        }
        match path.rsplit_once('.').map_or("", |(_, end)| end) {
            "jar" => Want::Examine(&BEGINS),
            "json" => Want::Bytes,
            _ => Want::ExamineIf(ALL),
        }
    }

    #[derive(Default)]
    struct Entries(Mutex<BTreeMap<String, Vec<u8>>>);

    impl LayerCache for Entries {
        fn load(&self, key: &str) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(key).cloned()
        }

        fn save(&self, key: &str, entry: &[u8]) {
            self.0.lock().unwrap().insert(key.to_owned(), entry.to_vec());
        }

        fn discard(&self, _: &str) {
            panic!("a good entry was thrown away");
        }
    }

    fn told(view: &FileView) -> Vec<String> {
        let extract = |extract: Option<std::borrow::Cow<'_, [u8]>>| extract.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        view.files()
            .map(|file| format!("{} {} {:?} {}", file.path, file.layer, extract(file.extract(&BEGINS)), file.bytes().len()))
            .chain(view.gaps.iter().map(|gap| format!("{} {}", gap.kind, gap.subject)))
            .collect()
    }

    fn check(layers: &[&[(&str, &[u8])]], limits: &Limits, expected: &[&str]) {
        let inputs = || {
            let files = |files: &[(&str, &[u8])]| tar(&files.iter().map(|(path, bytes)| (*path, bytes.to_vec())).collect::<Vec<_>>());
            layers.iter().enumerate().map(|(at, layer)| input(at, &files(layer))).collect::<Vec<_>>()
        };
        let cache = Entries::default();
        for threads in [1, 4] {
            for most in [0, 1 << 20] {
                let limits = Limits { threads, examined_memory_bytes: most, ..limits.clone() };
                for _ in ["cold", "warm"] {
                    assert_eq!(told(&walk_with(inputs(), &wants, &limits, Some(&cache)).unwrap()), expected, "{threads} {most}");
                }
                assert!(!cache.0.lock().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn examiners_see_what_they_want_and_their_words_wait_in_its_place() {
        let limits = Limits::default();
        check(
            &[&[("a", b"!one"), ("b", b"two"), ("c", b"!\0"), ("x.json", b"!{}")]],
            &limits,
            &["a 0 Some(\"a !on 4 101\") 0", "x.json 0 None 3"],
        );
        // A file that is wanted by its name is there even if there is nothing to say of it.
        check(
            &[&[("a.jar", b"?"), ("b.jar", b"!\0"), ("c.jar", b"")]],
            &limits,
            &["a.jar 0 Some(\"\") 0", "b.jar 0 Some(\"\") 0", "c.jar 0 Some(\"\") 0"],
        );
        check(&[&[("a", b"!one"), ("d/b", b"!two")], &[("a", b"one"), (".wh.d", b"")]], &limits, &[]);
        check(&[&[("a", b"!one")], &[("a", b"!three")]], &limits, &["a 1 Some(\"a !th 6 101\") 0"]);
    }

    #[test]
    fn what_is_too_much_is_told() {
        let big = [b"!".as_slice(), &[b'x'; 5_000]].concat();
        let small = Limits { examined_bytes: 4_000, ..Limits::default() };
        check(&[&[("a", &big), ("b.jar", &big)]], &small, &["file-limit a", "file-limit b.jar"]);
        let terse = Limits { extract_bytes: 5, ..Limits::default() };
        check(&[&[("a", b"!one"), ("b.jar", b"!two")]], &terse, &["file-limit a", "file-limit b.jar"]);
    }

    #[test]
    fn a_link_of_a_wanted_name_gives_what_was_said_or_a_gap() {
        let link = |target: &str| {
            let mut archive = ::tar::Builder::new(Vec::new());
            for (path, bytes) in [("opt/one.jar", b"!one".as_slice()), ("opt/two", b"PK\x03\x04two"), ("opt/three", b"text")] {
                let mut header = ::tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, path, bytes).unwrap();
            }
            let mut header = ::tar::Header::new_gnu();
            header.set_entry_type(::tar::EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, "app/app.jar", target).unwrap();
            let inputs = vec![input(0, &archive.into_inner().unwrap())];
            told(&walk_with(inputs, &wants, &Limits::default(), None).unwrap())
        };
        // The place itself is wanted, and is listed once.
        assert_eq!(link("../opt/one.jar"), ["opt/one.jar 0 Some(\"opt/one.jar !on 4 101\") 0"]);
        assert_eq!(link("../opt/two"), ["opt/one.jar 0 Some(\"opt/one.jar !on 4 101\") 0", "link-target app/app.jar"]);
        assert_eq!(link("../opt/three"), ["opt/one.jar 0 Some(\"opt/one.jar !on 4 101\") 0", "link-target app/app.jar"]);
    }
}
