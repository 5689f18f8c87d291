//! Images made of a few small tars, read and merged.

use std::{
    collections::BTreeMap,
    io::Cursor,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use super::{fixture::input, *};

enum Put<'a> {
    File(&'a str, &'a str),
    Link(&'a str, &'a str),
    Hard(&'a str, &'a str),
    Dir(&'a str),
}
use Put::{Dir, File, Hard, Link};

fn tar(puts: &[Put<'_>]) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for put in puts {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o644);
        let (kind, path, link, content) = match put {
            File(path, content) => (::tar::EntryType::Regular, path, "", *content),
            Link(path, target) => (::tar::EntryType::Symlink, path, *target, ""),
            Hard(path, target) => (::tar::EntryType::Link, path, *target, ""),
            Dir(path) => (::tar::EntryType::Directory, path, "", ""),
        };
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        // The builder refuses hostile names, so the field is written by hand.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn wants(path: &str) -> Want {
    match path.rsplit('/').next() {
        Some("want") => Want::Bytes,
        Some("see") => Want::Presence,
        Some("") if path.ends_with("/records/") || path == "records/" => Want::Presence,
        _ if path.ends_with("records/one") => Want::Bytes,
        _ => Want::No,
    }
}

fn view(layers: &[&[Put<'_>]]) -> FileView {
    let inputs = layers.iter().enumerate().map(|(index, puts)| input(index, &tar(puts))).collect();
    walk(inputs, &wants, &Limits::default()).unwrap()
}

fn check(layers: &[&[Put<'_>]], expected: &[(&str, usize, &str)]) {
    let view = view(layers);
    let found: Vec<_> = view.files().map(|file| (file.path, file.layer, String::from_utf8(file.bytes().into_owned()).unwrap())).collect();
    let expected: Vec<_> = expected.iter().map(|&(path, layer, text)| (path, layer, text.to_owned())).collect();
    assert_eq!(found, expected);
    assert!(view.gaps.is_empty(), "{:?}", view.gaps);
}

#[test]
fn upper_layers_replace_and_delete() {
    check(&[&[File("a/want", "1"), File("b/other", "x")]], &[("a/want", 0, "1")]);
    check(&[&[File("./a/want", "1")], &[File("/a/want", "2")]], &[("a/want", 1, "2")]);
    check(&[&[File("a/want", "1"), File("a/want", "2")]], &[("a/want", 0, "2")]);
    check(&[&[File("a/want", "1")], &[File("a/.wh.want", "")]], &[]);
    check(&[&[File("a/want", "1")], &[File(".wh.a", "")]], &[]);
    check(&[&[File("a/want", "1"), File("ab/want", "2")], &[File("a/.wh..wh..opq", "")]], &[("ab/want", 0, "2")]);
    check(&[&[File("a/want", "1")], &[File("a/want", "2"), File("a/.wh.want", "")]], &[("a/want", 1, "2")]);
    check(&[&[File("a/want", "1")], &[File("a/want", "2"), File("a/.wh..wh..opq", "")]], &[("a/want", 1, "2")]);
    check(&[&[File("a/want", "1")], &[File(".wh.", ""), File(".wh..", ""), File(".wh...", "")]], &[("a/want", 0, "1")]);
    check(&[&[File("a/want", "1")], &[File("a", "now a file")]], &[]);
    check(&[&[File("a/want", "1")], &[Dir("a/")]], &[("a/want", 0, "1")]);
    check(&[&[File("want", "1")], &[Dir("want")]], &[]);
    check(&[&[File("a/see", "1")]], &[("a/see", 0, "")]);
}

#[test]
fn links_lead_through_the_merged_view() {
    check(&[&[Link("srv", "opt/real")], &[File("srv/want", "1")]], &[("opt/real/want", 1, "1")]);
    check(&[&[Link("lib", "/usr/lib")], &[File("lib/want", "1")]], &[("usr/lib/want", 1, "1")]);
    check(&[&[Link("out", "/../../etc"), File("out/want", "1")]], &[("etc/want", 0, "1")]);
    check(&[&[File("a/data", "{1}")], &[Hard("b/want", "a/data")]], &[("b/want", 1, "{1}")]);
    check(&[&[File("a/want", "1"), Hard("b/want", "a/want")]], &[("a/want", 0, "1"), ("b/want", 0, "1")]);
    check(&[&[File("a/data", "{1}"), Link("b/want", "../a/data")]], &[("b/want", 0, "{1}")]);
    check(&[&[File("a/want", "1"), Link("b/want", "../a/want")]], &[("a/want", 0, "1")]);
    check(&[&[Link("lib", "usr/lib"), File("usr/lib/want", "1")], &[File(".wh.lib", "")]], &[("usr/lib/want", 0, "1")]);
    check(&[&[Link("lib", "usr/lib")], &[Dir("lib"), File("lib/want", "1")]], &[("lib/want", 1, "1")]);
    // A link that comes where a folder was, and one that goes, after files were placed there.
    check(&[&[Link("z", "y"), File("a/b/see", ""), Link("a/b", "/c"), File("a/b/want", "1")]], &[("c/want", 0, "1")]);
    check(&[&[Link("z", "y"), File("a/b/want", "1"), Link("a", "/c"), File("a/b/want", "2")]], &[("c/b/want", 0, "2")]);
    check(
        &[&[Link("z", "y"), File("a/b/want", "1"), Link("a/bc", "/c"), File("a/bc/want", "2")]],
        &[("a/b/want", 0, "1"), ("c/want", 0, "2")],
    );
    check(&[&[Link("a", "/c"), File("a/want", "1"), Dir("a"), File("a/want", "2")]], &[("a/want", 0, "2"), ("c/want", 0, "1")]);
    let view = view(&[&[Link("a", "b"), Link("b", "a"), Link("lib", "usr/lib"), File("usr/lib/want", "1")]]);
    assert!(view.lookup("a/want").is_none());
    assert_eq!(view.lookup("lib/want").map(|file| file.path), Some("usr/lib/want"));
}

/// containerd follows the link, overlayfs and Podman put a folder in its place; what only one of them deletes stays listed.
#[test]
fn whiteouts_through_links_delete_nothing_and_say_so() {
    let lower: &[Put<'_>] = &[Link("n", "real"), File("real/want", "1")];
    let uppers: [&[Put<'_>]; 5] = [
        &[File("n/.wh.want", "")],
        &[Dir("n"), File("n/.wh.want", "")],
        &[File("n/.wh..wh..opq", "")],
        &[Dir("n"), File("n/.wh..wh..opq", "")],
        &[Link("n", "other"), File("n/.wh.want", "")],
    ];
    for upper in uppers {
        let view = view(&[lower, upper]);
        assert_eq!(view.files().map(|file| file.path).collect::<Vec<_>>(), ["real/want"]);
        assert_eq!(view.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), ["link-target"], "{:?}", view.gaps);
    }
    check(&[lower, &[File("n/.wh.nothing", "")]], &[("real/want", 0, "1")]);
}

#[test]
fn names_that_are_no_text_stay_apart_from_those_that_look_like_it() {
    let mut raw = tar(&[File("p_/want", "raw"), File("p\\xff/want", "text")]);
    raw[1] = 0xff;
    let mut header = ::tar::Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&raw[..512]);
    header.set_cksum();
    raw[..512].copy_from_slice(header.as_bytes());
    let view = walk(vec![input(0, &raw)], &wants, &Limits::default()).unwrap();
    let found: Vec<_> = view.files().map(|file| (file.path.to_owned(), file.bytes().into_owned())).collect();
    assert_eq!(found, [("p\\x5cxff/want".to_owned(), b"text".to_vec()), ("p\\xff/want".to_owned(), b"raw".to_vec())]);
}

#[test]
fn folders_of_records_are_found_through_links() {
    check(&[&[File("opt/x/one", "{1}"), Link("a/records", "/opt/x")]], &[("a/records/one", 0, "{1}")]);
    check(
        &[&[File("opt/y/one", "{1}"), Link("opt/x/records", "../y"), Link("a", "opt/x")]],
        &[("a/records/one", 0, "{1}"), ("opt/x/records/one", 0, "{1}")],
    );
    check(&[&[File("opt/records/one", "1"), Link("a/records", "/opt/records")]], &[("opt/records/one", 0, "1")]);
    check(&[&[Link("bin/X11", "."), File("bin/want", "1")]], &[("bin/want", 0, "1")]);
    let check = |puts: &[Put<'_>], expected: &[&str]| {
        let subjects: Vec<_> = view(&[puts]).gaps.into_iter().map(|gap| format!("{} {}", gap.kind, gap.subject)).collect();
        assert_eq!(subjects, expected);
    };
    let large = format!("{{{}", " ".repeat(70_000));
    check(&[File("opt/x/one", "binary"), Link("a/records", "/opt/x")], &["link-target a/records"]);
    check(&[File("opt/x/one", &large), Link("a/records", "/opt/x")], &["link-target a/records/one"]);
    check(&[File("opt/x", &large), Link("a/want", "/opt/x")], &["link-target a/want"]);
    check(&[Link("records", "loop"), Link("loop", "records")], &[]);
    check(&[Link("records", "loop"), Link("loop", "records/.."), File("records/one", "1")], &["link-loop records/one"]);
    check(&[Link("a", "b/want"), Link("b", "a"), Link("other", "./other")], &[]);
    let chain: Vec<_> = (0..60).map(|at| (format!("c{at}"), format!("c{}", at + 1))).collect();
    let mut long: Vec<_> = chain.iter().map(|(path, target)| Link(path, target)).collect();
    long.push(Link("records", "c0"));
    check(&long, &["link-target records"]);
    check(&[Link("want", "loop"), Link("loop", "want")], &["link-target want"]);
    check(&[Link("see", "nowhere")], &["link-target see"]);
}

#[test]
fn versions_are_kept_until_an_interruption() {
    let versions = |layers: &[&[Put<'_>]]| -> Vec<usize> {
        view(layers).lookup("want").map(|file| file.versions.iter().map(|version| version.layer).collect()).unwrap_or_default()
    };
    assert_eq!(versions(&[&[File("want", "1")], &[], &[File("want", "2")]]), [0, 2]);
    assert_eq!(versions(&[&[File("want", "1")], &[File(".wh.want", "")], &[File("want", "2")]]), [2]);
    assert_eq!(versions(&[&[File("want", "1")], &[File(".wh.want", "")]]), [0_usize; 0]);
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    let check = |layers: &[&[Put<'_>]], kind: &str| {
        let kinds: Vec<_> = view(layers).gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(kinds, [kind]);
    };
    check(&[&[File("../want", "1")]], "path-escape");
    check(&[&[File("a/../../want", "1")]], "path-escape");
    check(&[&[Hard("want", "nowhere")]], "link-target");
    check(&[&[Link("want", "nowhere")]], "link-target");
    check(&[&[File("x", "binary"), Hard("want", "x")]], "link-target");
    let mut inputs = vec![input(0, &tar(&[File("want", "1")]))];
    let view = walk(std::mem::take(&mut inputs), &wants, &Limits { file_bytes: 0, ..Limits::default() }).unwrap();
    assert_eq!(view.gaps.first().map(|gap| gap.kind), Some("file-limit"));
    let view =
        walk((0..3).map(|index| input(index, &tar(&[File("want", "1")]))).collect(), &wants, &Limits { layers: 2, ..Limits::default() })
            .unwrap();
    assert_eq!((view.gaps.len(), view.lookup("want").map(|file| file.layer)), (1, Some(1)));
}

#[test]
fn wrong_bytes_are_refused() {
    let mut wrong = input(1, &tar(&[File("want", "1")]));
    wrong.layer.diff_id = Digest::sha256_of(b"something else");
    let result = walk(vec![input(0, &tar(&[])), wrong], &wants, &Limits::default());
    assert!(matches!(result, Err(Error::DiffId { .. })));

    struct Refusing(Cursor<Vec<u8>>);
    impl Read for Refusing {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(io::Error::new(io::ErrorKind::InvalidData, "wrong digest")),
                count => Ok(count),
            }
        }
    }
    let LayerInput { layer, .. } = input(0, &tar(&[File("want", "1")]));
    let reader = Box::new(Refusing(Cursor::new(tar(&[File("want", "1")]))));
    let result = walk(vec![LayerInput { layer, reader }], &wants, &Limits::default());
    assert!(matches!(result, Err(Error::Blob { .. })));

    let LayerInput { mut layer, .. } = input(0, b"");
    layer.descriptor.urls = vec!["https://example.invalid/layer".to_owned()];
    struct Missing;
    impl Read for Missing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::NotFound.into())
        }
    }
    let view = walk(vec![LayerInput { layer, reader: Box::new(Missing) }], &wants, &Limits::default()).unwrap();
    assert_eq!(view.gaps.first().map(|gap| gap.kind), Some("foreign-layer"));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let layers: Vec<Vec<u8>> = (0..40)
        .map(|n| tar(&[File("want", &n.to_string()), File(&format!("d{n}/want"), "x"), File(&format!("d{}/.wh.want", n / 2), "")]))
        .collect();
    let run = |threads| {
        let inputs = layers.iter().enumerate().map(|(index, tar)| input(index, tar)).collect();
        let view = walk(inputs, &wants, &Limits { threads, ..Limits::default() }).unwrap();
        view.files().map(|file| format!("{} {} {:?}", file.path, file.layer, file.versions)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn kept_bytes_are_bounded_over_all_layers() {
    let layers = |contents: &[&str]| -> Vec<LayerInput> {
        contents.iter().enumerate().map(|(index, content)| input(index, &tar(&[File("want", content), File("d/want", "x")]))).collect()
    };
    let check = |contents: &[&str], limits: &Limits, threads: usize, versions: &[usize], gaps: &[&str]| {
        let view = walk(layers(contents), &wants, &Limits { threads, ..limits.clone() }).unwrap();
        let found: Vec<usize> = view.lookup("want").map(|file| file.versions.iter().map(|one| one.layer).collect()).unwrap_or_default();
        let told: Vec<_> = view.gaps.iter().map(|gap| format!("{} {}", gap.kind, gap.subject)).collect();
        assert_eq!((found.as_slice(), told.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), (versions, gaps), "{contents:?}");
        assert!(view.gaps.iter().all(|gap| gap.reason.contains("limit of 12 ") || gap.reason.contains("limit of 20 ")), "{:?}", view.gaps);
    };
    for early_bytes in [0, 4, 100] {
        let limits = Limits { kept_bytes: 20, older_bytes: 12, early_bytes, ..Limits::default() };
        for threads in [1, 2, 4] {
            check(&["12345", "54321"], &limits, threads, &[0, 1], &[]);
            check(&["1", "2", "3", "4", "5"], &limits, threads, &[0, 1, 2, 3, 4], &[]);
            check(&["123", "1234", "12345", "1", "2"], &limits, threads, &[2, 3, 4], &["file-limit want"]);
            check(&["123456789012345678901"], &limits, threads, &[], &["file-limit want"]);
        }
    }
}

#[test]
fn paths_are_bounded_in_records_and_in_the_view() {
    let check = |puts: &[Put<'_>], limits: &Limits, found: usize, reason: &str| {
        let view = walk(vec![input(0, &tar(puts))], &wants, limits).unwrap();
        assert_eq!(view.files().count(), found, "{reason}");
        assert!(view.gaps.iter().any(|gap| gap.kind == "layer-limit" && gap.reason.contains(reason)), "{reason}: {:?}", view.gaps);
    };
    let deep = "d/".repeat(30);
    let paths: Vec<String> = (0..9).map(|n| format!("{deep}{n}/want")).collect();
    let files: Vec<_> = paths.iter().map(|path| File(path, "x")).collect();
    check(&files, &Limits { placed_path_bytes: 700, ..Limits::default() }, 3, "limit of 700;");
    let target = "t".repeat(90);
    let links: Vec<_> = ["a", "b", "c", "d", "want"].iter().map(|path| Link(path, &target)).collect();
    check(&links, &Limits { remembered_path_bytes: 300, ..Limits::default() }, 0, "limit of 300;");
    check(&links, &Limits { placed_path_bytes: 300, ..Limits::default() }, 0, "limit of 300;");
}

#[test]
fn a_failure_below_ends_the_layers_that_wait_for_it() {
    let limits = Limits { early_bytes: 0, threads: 4, ..Limits::default() };
    let mut inputs: Vec<_> = (0..20).map(|index| input(index, &tar(&[File("want", "1")]))).collect();
    inputs[3].layer.diff_id = Digest::sha256_of(b"something else");
    assert!(matches!(walk(inputs, &wants, &limits), Err(Error::DiffId { .. })));
}

/// Entries in memory, and how many were found and saved.
#[derive(Default)]
struct Shelf {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    found: AtomicUsize,
    saved: AtomicUsize,
}

impl LayerCache for Shelf {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        let entry = self.entries.lock().unwrap().get(key).cloned();
        self.found.fetch_add(usize::from(entry.is_some()), Ordering::Relaxed);
        entry
    }

    fn save(&self, key: &str, entry: &[u8]) {
        self.saved.fetch_add(1, Ordering::Relaxed);
        self.entries.lock().unwrap().insert(key.to_owned(), entry.to_vec());
    }

    fn discard(&self, key: &str) {
        self.entries.lock().unwrap().remove(key);
    }
}

fn everything(view: &FileView) -> String {
    let files: Vec<_> = view.files().map(|file| format!("{} {} {:?}", file.path, file.layer, file.versions)).collect();
    format!("{files:?} {} {:?}", view.entries(), view.gaps)
}

#[test]
fn a_cache_changes_nothing_but_what_is_read() {
    let layers: Vec<Vec<u8>> = (0..20)
        .map(|n| {
            tar(&[
                File("want", &n.to_string()),
                File("../escaped", "x"),
                Link(&format!("l{n}"), "want"),
                File(&format!("d{n}/want"), "x"),
                File(&format!("d{}/.wh.want", n / 2), ""),
            ])
        })
        .collect();
    let inputs = || layers.iter().enumerate().map(|(index, tar)| input(index, tar)).collect::<Vec<_>>();
    let shelf = Shelf::default();
    let run = |inputs, limits: &Limits, cache| everything(&walk_with(inputs, &wants, limits, cache).unwrap());
    for threads in [1, 4] {
        let limits = Limits { threads, ..Limits::default() };
        let cold = run(inputs(), &limits, None);
        assert_eq!(run(inputs(), &limits, Some(&shelf)), cold);
        assert_eq!(shelf.saved.load(Ordering::Relaxed), 20);
        struct Untouched;
        impl Read for Untouched {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("a layer that the cache knows is read");
            }
        }
        let unread = inputs().into_iter().map(|LayerInput { layer, .. }| LayerInput { layer, reader: Box::new(Untouched) }).collect();
        assert_eq!(run(unread, &limits, Some(&shelf)), cold);
    }
    // The same layers upside down: their places in the image are not part of what is remembered.
    let turned = || -> Vec<LayerInput> { layers.iter().rev().enumerate().map(|(index, tar)| input(index, tar)).collect() };
    let found = shelf.found.load(Ordering::Relaxed);
    assert_eq!(run(turned(), &Limits::default(), Some(&shelf)), run(turned(), &Limits::default(), None));
    assert_eq!(shelf.found.load(Ordering::Relaxed), found + 20);
    // Other limits, other entries.
    let narrow = Limits { file_bytes: 0, ..Limits::default() };
    assert_eq!(run(inputs(), &narrow, Some(&shelf)), run(inputs(), &narrow, None));
    assert_eq!(shelf.saved.load(Ordering::Relaxed), 40);
}

#[test]
fn damaged_entries_are_read_anew() {
    let layer = tar(&[File("a/want", "1"), Link("b", "a"), File("x", "{}"), Hard("c/want", "x"), File("d/.wh.e", "")]);
    let run = |shelf: &Shelf| everything(&walk_with(vec![input(0, &layer)], &wants, &Limits::default(), Some(shelf)).unwrap());
    let shelf = Shelf::default();
    let cold = run(&shelf);
    let (key, good) = shelf.entries.lock().unwrap().first_key_value().map(|(key, entry)| (key.clone(), entry.clone())).unwrap();
    for at in 0..good.len() {
        let cut = good[..at].to_vec();
        shelf.entries.lock().unwrap().insert(key.clone(), cut);
        assert_eq!(run(&shelf), cold, "cut at {at}");
        assert_eq!(shelf.entries.lock().unwrap().get(&key), Some(&good), "cut at {at}");
    }
}

#[test]
fn an_entry_does_not_speak_for_a_lie() {
    let layer = tar(&[File("want", "1")]);
    let shelf = Shelf::default();
    let run = |layer_input| walk_with(vec![layer_input], &wants, &Limits::default(), Some(&shelf));
    run(input(0, &layer)).unwrap();
    let mut wrong = input(0, &layer);
    wrong.layer.diff_id = Digest::sha256_of(b"something else");
    assert!(matches!(run(wrong), Err(Error::DiffId { .. })));
    // A size that is not the blob's: the reader, which checks it, is asked.
    struct Refusing;
    impl Read for Refusing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
    let LayerInput { layer: mut lying, .. } = input(0, &layer);
    lying.descriptor.size += 1;
    assert!(matches!(run(LayerInput { layer: lying, reader: Box::new(Refusing) }), Err(Error::Blob { .. })));
}

#[test]
fn what_the_layers_below_left_room_for_is_not_taken_for_granted() {
    for threads in [1, 4] {
        let limits = Limits { kept_bytes: 20, older_bytes: 12, early_bytes: 4, threads, ..Limits::default() };
        let (small, large) = (tar(&[File("a/want", "123")]), tar(&[File("b/want", "1234567890"), File("c/want", "12345")]));
        let full = tar(&[File("d/want", "1234567890")]);
        let shelf = Shelf::default();
        let run = |tars: &[&[u8]], cache| {
            let inputs = tars.iter().enumerate().map(|(index, tar)| input(index, tar)).collect();
            everything(&walk_with(inputs, &wants, &limits, cache).unwrap())
        };
        for tars in [[&small[..], &large], [&full, &large], [&small, &large], [&full, &small]] {
            let cold = run(&tars, None);
            assert_eq!(run(&tars, Some(&shelf)), cold);
            assert_eq!(run(&tars, Some(&shelf)), cold);
        }
        assert_eq!(shelf.entries.lock().unwrap().len(), 3);
    }
}

#[test]
fn large_blobs_are_unpacked_on_several_threads_to_the_same_end() {
    let mut state = 1_u32;
    let noise: String = (0..400_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b' ' + u8::try_from((state >> 24) % 95).unwrap())
        })
        .collect();
    let plain = tar(&[File("a/want", &noise), File("b/other", &noise), File("c/want", "1")]);
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    let check = |blob: &[u8], diff_id: &[u8]| {
        let run = |threads| {
            let mut input = input(0, blob);
            input.layer.diff_id = Digest::sha256_of(diff_id);
            let result = walk(vec![input], &wants, &Limits { threads, ..Limits::default() });
            result.map_or_else(|error| error.to_string(), |view| everything(&view))
        };
        assert!(blob.len() > 300_000);
        assert_eq!(run(1), run(4));
        run(4)
    };
    let whole = check(&plain, &plain);
    assert_eq!(check(&gzip(&plain), &plain), whole);
    let zstd = zstd::stream::encode_all(plain.as_slice(), 1).unwrap();
    assert_eq!(check(&zstd, &plain), whole);
    assert!(check(&gzip(&plain), b"something else").contains("promises"));
    let trailing = [gzip(&plain), b"garbage".to_vec()].concat();
    assert!(check(&trailing, &plain).contains("layer-compression"));
    let cut = &gzip(&plain)[..350_000];
    assert!(check(cut, &plain).contains("layer-compression"));
    let foreign = [b"\xfd7zXZ\0".to_vec(), vec![0; 400_000]].concat();
    assert!(check(&foreign, &plain).contains("layer-format"));
}
