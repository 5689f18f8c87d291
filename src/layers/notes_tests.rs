//! Images made of a few small tars: what is noted of files while they stream past, and which paths bear a mark at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use super::{fixture::input, *};

enum Put<'a> {
    File(&'a str, u32, &'a str),
    /// A file that gives capabilities.
    Capable(&'a str, &'a str),
    Link(&'a str, &'a str),
    Hard(&'a str, u32, &'a str),
    Dir(&'a str, u32),
}
use Put::{Capable, Dir, File, Hard, Link};

fn tar(puts: &[Put<'_>]) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for put in puts {
        let mut header = ::tar::Header::new_gnu();
        let (kind, path, mode, link, content) = match put {
            File(path, mode, content) => (::tar::EntryType::Regular, path, *mode, "", *content),
            Capable(path, content) => {
                archive.append_pax_extensions([("SCHILY.xattr.security.capability", b"\x01\0\0\x02".as_slice())]).unwrap();
                (::tar::EntryType::Regular, path, 0o755, "", *content)
            }
            Link(path, target) => (::tar::EntryType::Symlink, path, 0o777, *target, ""),
            Hard(path, mode, target) => (::tar::EntryType::Link, path, *mode, *target, ""),
            Dir(path, mode) => (::tar::EntryType::Directory, path, *mode, "", ""),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// Wants files called `want`, and notes what files hold whose first byte is an exclamation mark.
struct Noting;

impl Interest for Noting {
    fn wants(&self, path: &str) -> Want {
        if path.ends_with("want") { Want::Bytes } else { Want::No }
    }

    fn scans(&self, _: &str, head: &[u8], size: u64) -> bool {
        assert!(head.len() as u64 <= size && !head.is_empty());
        head.starts_with(b"!")
    }

    fn misses(&self, path: &str) -> bool {
        path.ends_with("key")
    }

    fn scan(&self, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        (bytes != b"!").then(|| [path.as_bytes(), b" ", bytes].concat())
    }
}

fn scanning() -> Limits {
    Limits { scanned_file_bytes: 1_000, ..Limits::default() }
}

fn run(layers: &[&[Put<'_>]], limits: &Limits, cache: Option<&dyn LayerCache>) -> FileView {
    let inputs = layers.iter().enumerate().map(|(index, puts)| input(index, &tar(puts))).collect();
    walk_with(inputs, &Noting, limits, cache).unwrap()
}

/// Notes as `layer path: note`, with a question mark for those of files that are gone; marks as `path layer mode`.
fn told(view: &FileView) -> (Vec<String>, Vec<String>) {
    let note =
        |note: Note<'_>| format!("{} {}{}", note.layer, String::from_utf8_lossy(note.bytes), if note.is_visible { "" } else { " (gone)" });
    let mark = |(path, layer, mark): (&str, usize, PathMark)| {
        let kind = if mark.is_folder { "/" } else { "" };
        format!("{path}{kind} {layer} {:o}{}", mark.mode, if mark.has_capability { " capable" } else { "" })
    };
    (view.notes().map(note).collect(), view.marks().map(mark).collect())
}

fn check(layers: &[&[Put<'_>]], notes: &[&str], marks: &[&str]) {
    let view = run(layers, &scanning(), None);
    assert_eq!(told(&view), (notes.iter().map(|&text| text.to_owned()).collect(), marks.iter().map(|&text| text.to_owned()).collect()));
    assert!(view.gaps.is_empty(), "{:?}", view.gaps);
    let shelf = Shelf::default();
    for _ in 0..2 {
        assert_eq!(told(&run(layers, &scanning(), Some(&shelf))), told(&view), "the cache changes nothing");
    }
    let different: BTreeSet<Vec<u8>> = layers.iter().map(|puts| tar(puts)).collect();
    assert_eq!(shelf.0.lock().unwrap().len(), different.len());
}

/// A cache in memory.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, Vec<u8>>>);

impl LayerCache for Shelf {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn save(&self, key: &str, entry: &[u8]) {
        self.0.lock().unwrap().insert(key.to_owned(), entry.to_vec());
    }

    fn discard(&self, key: &str) {
        self.0.lock().unwrap().remove(key);
    }
}

#[test]
fn notes_survive_what_happens_to_the_file() {
    let secret: &[Put<'_>] = &[File("a/key", 0o600, "!1")];
    check(&[secret], &["0 a/key !1"], &[]);
    check(&[secret, &[File("a/.wh.key", 0, "")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[File(".wh.a", 0, "")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[File("a/.wh..wh..opq", 0, "")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[File("a/key", 0o600, "")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[File("a", 0o600, "now a file")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[Link("a/key", "elsewhere")]], &["0 a/key !1 (gone)"], &[]);
    check(&[secret, &[Dir("a/", 0o755)]], &["0 a/key !1"], &[]);
    check(&[secret, &[File("a/key", 0o600, "!2")]], &["0 a/key !1 (gone)", "1 a/key !2"], &[]);
    check(&[secret, &[File("a/.wh.key", 0, "")], secret], &["0 a/key !1 (gone)", "2 a/key !1"], &[]);
    check(&[&[File("a/key", 0o600, "!1"), File("a/key", 0o600, "!2")]], &["0 a/key !1 (gone)", "0 a/key !2"], &[]);
    check(&[&[Link("srv", "opt")], &[File("srv/key", 0o600, "!1")], &[File("opt/.wh.key", 0, "")]], &["1 srv/key !1 (gone)"], &[]);
    check(&[&[File("a/other", 0o644, "1"), File("b", 0o644, ""), File("c", 0o644, "!")]], &[], &[]);
}

#[test]
fn a_hard_link_keeps_what_is_known_of_its_file() {
    let secret: &[Put<'_>] = &[File("a/key", 0o600, "!1")];
    let linked: &[Put<'_>] = &[File("a/key", 0o600, "!1"), Hard("b", 0o600, "a/key")];
    let gone: &[Put<'_>] = &[File("a/.wh.key", 0, "")];
    check(&[linked], &["0 a/key !1"], &[]);
    check(&[linked, gone], &["0 a/key !1"], &[]);
    check(&[linked, gone, &[File(".wh.b", 0, "")]], &["0 a/key !1 (gone)"], &[]);
    check(&[linked, &[File("a/key", 0o600, "2")], &[File("b", 0o600, "2")]], &["0 a/key !1 (gone)"], &[]);
    check(&[linked, &[File(".wh.b", 0, "")]], &["0 a/key !1"], &[]);
    check(&[secret, &[Hard("b", 0o600, "a/key")], gone], &["0 a/key !1"], &[]);
    check(&[&[File("a/want", 0o600, "!1"), Hard("b", 0o600, "a/want")], &[File("a/.wh.want", 0, "")]], &["0 a/want !1"], &[]);
    // Its own entry need not say what its file's did.
    check(&[&[Capable("ping", "x"), Hard("pong", 0o755, "ping")]], &[], &["ping 0 755 capable", "pong 0 755 capable"]);
    check(&[&[File("su", 0o4755, "x"), Hard("us", 0, "su")]], &[], &["su 0 4755", "us 0 4755"]);
    check(&[&[File("a", 0o4755, "x"), Hard("a", 0o4755, "a")]], &[], &["a 0 4755"]);
}

#[test]
fn a_file_that_is_scanned_is_kept_all_the_same() {
    let view = run(&[&[File("a/want", 0o644, "!1"), File("b/want", 0o644, "2")]], &scanning(), None);
    assert_eq!(view.files().map(|file| file.bytes().into_owned()).collect::<Vec<_>>(), [b"!1".to_vec(), b"2".to_vec()]);
    assert_eq!(view.notes().count(), 1);
}

#[test]
fn marks_are_of_what_is_there() {
    let setuid: &[Put<'_>] = &[File("bin/su", 0o4755, "x")];
    check(&[setuid], &[], &["bin/su 0 4755"]);
    check(&[setuid, &[File("bin/.wh.su", 0, "")]], &[], &[]);
    check(&[setuid, &[File(".wh.bin", 0, "")]], &[], &[]);
    check(&[setuid, &[File("bin/su", 0o755, "x")]], &[], &[]);
    check(&[setuid, &[File("bin/su", 0o6755, "x")]], &[], &["bin/su 1 6755"]);
    check(&[setuid, &[Link("bin/su", "busybox")]], &[], &[]);
    check(&[setuid, &[Dir("bin/", 0o755)]], &[], &["bin/su 0 4755"]);
    check(&[setuid, &[Hard("bin/copy", 0o4755, "bin/su")]], &[], &["bin/copy 1 4755", "bin/su 0 4755"]);
    check(&[&[Link("bin", "usr/bin")], setuid], &[], &["usr/bin/su 1 4755"]);
    check(&[&[Capable("bin/ping", "x"), File("bin/next", 0o755, "x")]], &[], &["bin/ping 0 755 capable"]);
    check(&[&[File("a", 0o666, "x"), File("b", 0o644, "x"), Link("c", "a")]], &[], &["a 0 666"]);
    check(&[&[Dir("tmp/", 0o1777), Dir("open/", 0o777), Dir("group/", 0o2775)]], &[], &["open/ 0 777"]);
    check(&[&[Dir("open/", 0o777)], &[Dir("open/", 0o755)]], &[], &[]);
    check(&[&[Dir("open/", 0o777), File("open/a", 0o666, "x")], &[Dir("open/", 0o755)]], &[], &["open/a 0 666"]);
    check(&[&[File("a", 0o666, "!1")], &[File("a", 0o644, "2")]], &["0 a !1 (gone)"], &[]);
}

#[test]
fn limits_on_notes_and_marks_are_gaps() {
    let files: &[Put<'_>] = &[File("a", 0o4755, "!1"), File("b", 0o4755, "!2"), File("c", 0o4755, "!3")];
    let off = run(&[files], &Limits::default(), None);
    assert_eq!((off.notes().count(), off.marks().count(), off.gaps.len()), (0, 3, 0));
    let small = run(&[files], &Limits { scanned_file_bytes: 1, ..Limits::default() }, None);
    assert_eq!((small.notes().count(), small.gaps.len()), (0, 0));
    let kinds = |view: &FileView| view.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>();
    let few = run(&[files], &Limits { note_bytes: 8, ..scanning() }, None);
    assert_eq!((few.notes().count(), kinds(&few)), (2, vec!["layer-limit"]));
    let few = run(&[files], &Limits { marked_paths: 2, ..scanning() }, None);
    assert_eq!((few.notes().count(), few.marks().count(), kinds(&few)), (2, 2, vec!["layer-limit"]));
    let links: &[Put<'_>] = &[File("a", 0o4755, "!1"), Hard("b", 0, "a"), Hard("c", 0, "a")];
    let few = run(&[links], &Limits { marked_paths: 2, ..scanning() }, None);
    assert_eq!((few.notes().count(), few.marks().count(), kinds(&few)), (1, 2, vec!["layer-limit"]));
    // A file that is too large is told if its name says what it holds.
    let large: &[Put<'_>] = &[File("a/key", 0o600, "!12"), File("a/log", 0o600, "!12")];
    let told = |limits: &Limits| run(&[large], limits, None).gaps.into_iter().map(|gap| (gap.kind, gap.subject)).collect::<Vec<_>>();
    assert_eq!(told(&Limits { scanned_file_bytes: 2, ..Limits::default() }), [("file-limit", "a/key".to_owned())]);
    assert_eq!(told(&scanning()), []);
    assert_eq!(told(&Limits::default()), []);
}
