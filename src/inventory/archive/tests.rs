//! Archives, honest ones and others, and what the reader makes of them.

use super::{
    ArchiveFault, Budget, Zip,
    fixture::{Width, Written, archive, archive_with, deflated, stored},
};
use crate::layers::{Body, Limits, Spool};

/// Contents by name, and what is told.
fn read(bytes: &[u8], limits: &Limits) -> (Vec<(String, String)>, String) {
    let mut spool = Spool::new(0);
    spool.push(bytes).unwrap();
    let answers: Vec<_> = [Body::new(bytes), spool.body()]
        .into_iter()
        .map(|body| {
            let mut budget = Budget::new(limits);
            let mut said: Vec<ArchiveFault> = Vec::new();
            let mut contents = Vec::new();
            match Zip::open(body) {
                Err(fault) => said.push(fault),
                Ok(zip) => {
                    let (entries, faults) = zip.entries(&mut budget, |name| !name.ends_with(".class"));
                    said.extend(faults);
                    for entry in entries {
                        let inner = zip.open_inner(&entry, 10, &mut budget).map(|inner| {
                            let body = inner.body();
                            body.range(0, usize::try_from(body.size()).unwrap()).unwrap().into_owned()
                        });
                        let whole = zip.read(&entry, 1_000_000, &mut budget.clone()).map(|bytes| bytes.into_owned());
                        if !matches!(whole, Err(ArchiveFault::Limit(_))) {
                            assert_eq!(inner.as_ref().ok(), whole.as_ref().ok(), "{}", entry.name());
                        }
                        match whole.and(inner) {
                            Ok(bytes) => contents.push((entry.name().to_owned(), String::from_utf8_lossy(&bytes).into_owned())),
                            Err(fault) => said.push(fault),
                        }
                    }
                }
            }
            (contents, said.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })
        .collect();
    assert_eq!(answers.first(), answers.last(), "memory and file give the same");
    answers.into_iter().next().unwrap()
}

fn check(bytes: &[u8], names: &str, says: &str) {
    let (contents, said) = read(bytes, &Limits::default());
    assert_eq!(contents.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "), names, "{said}");
    assert!(if says.is_empty() { said.is_empty() } else { said.contains(says) }, "`{says}` expected: {said}");
}

fn two() -> Vec<Written> {
    vec![stored("a", "first"), deflated("b/c", "second ".repeat(10_000)), stored("X.class", "not wanted"), stored("b/", "")]
}

#[test]
fn honest_archives_are_read_whole() {
    let expected = vec![("a".to_owned(), "first".to_owned()), ("b/c".to_owned(), "second ".repeat(10_000))];
    for width in [Width::Short, Width::Large] {
        for front in [&b""[..], b"#!/bin/sh\nexec java -jar \"$0\"\n"] {
            for comment in [&b""[..], b"a comment", b"one with PK\x05\x06 and more than twenty-two bytes behind", &[b'x'; 65_535]] {
                let (contents, said) = read(&archive_with(front, &two(), comment, width), &Limits::default());
                assert_eq!((&contents, said.as_str()), (&expected, ""), "{front:?} {}", comment.len());
            }
        }
    }
    check(&archive(&[]), "", "");
    check(&[archive(&two()), b"more".to_vec()].concat(), "a b/c", "");
}

#[test]
fn what_is_no_archive_is_told() {
    check(b"", "", "no zip archive");
    check(b"PK\x03\x04", "", "no end record");
    let whole = archive(&two());
    check(&whole[..whole.len() - 5], "", "no end record");
    check(&whole[50..], "", "without a central directory");
}

#[test]
fn lies_are_told() {
    let change = |change: fn(&mut Written)| {
        let mut entries = two();
        entries.iter_mut().take(2).for_each(change);
        archive(&entries)
    };
    check(&change(|entry| entry.flags = 1), "", "`b/c` in it is encrypted");
    check(&change(|entry| entry.method = 12), "", "compressed by method 12");
    check(&change(|entry| entry.checksum ^= 1), "", "another checksum");
    check(&change(|entry| entry.size += 1), "", "`b/c` in it inflates to 70000 bytes; the directory says 70001");
    check(&change(|entry| entry.size -= 1), "", "`b/c` in it inflates to more than the 69999 bytes");
    check(&change(|entry| entry.local_name = Some("other".to_owned())), "a b/c", "`a` in it has another name, `other`, where it stands");
    check(&archive(&[stored("a", "x"), stored("a", "y")]), "a a", "two different entries of the name `a`");
    check(&archive(&[stored("a", "x"), stored("a", "x")]), "a", "");
    let mut wrong = archive(&two());
    let at = wrong.len() - 12;
    wrong[at] += 1;
    check(&wrong, "a b/c", "4 entries, and the end record says 5");
    let mut entries = two();
    entries[1].packed.truncate(20);
    check(&archive(&entries), "a", "`b/c` in it");
}

#[test]
fn entries_that_share_their_bytes_are_told() {
    let mut entries = vec![deflated("a", "x".repeat(10_000))];
    for count in 0..20_000 {
        entries.push(Written { shares: Some(0), name: format!("n{count}"), ..entries[0].clone() });
    }
    let mut bytes = archive(&entries);
    check(&bytes, "a", "20000 of its entries, such as `n0`, share their bytes");
    entries.iter_mut().for_each(|entry| "a".clone_into(&mut entry.name));
    bytes = archive(&entries);
    check(&bytes, "a", "20000 of its entries, such as `a`, share their bytes");
}

#[test]
fn limits_hold() {
    let check = |limits: Limits, says: &str| {
        let (_, said) = read(&archive(&two()), &limits);
        assert!(said.contains(says), "{said}");
    };
    check(Limits { archive_entries: 3, ..Limits::default() }, "more entries than the limit of 3");
    check(Limits { archive_bytes: 5_000, ..Limits::default() }, "more than the limit of 5000 bytes");
    let bytes = archive(&two());
    let mut budget = Budget::new(&Limits::default());
    let zip = Zip::open(Body::new(&bytes)).unwrap();
    let (entries, _) = zip.entries(&mut budget, |name| name == "b/c");
    assert_eq!(zip.read(&entries[0], 10, &mut budget), Err(ArchiveFault::Limit("`b/c` in it has 70000 bytes; the limit is 10".to_owned())));
    assert_eq!(*zip.read_start(&entries[0], 10, &mut budget).unwrap(), b"second sec"[..]);
    let long = archive(&[stored(&"x".repeat(3_000), "")]);
    assert!(read(&long, &Limits::default()).1.contains("exceed the limits of 2048 bytes"));
}

/// Cut anywhere, or with any byte changed, an archive still gets an answer.
#[test]
fn damage_anywhere_gets_an_answer() {
    for width in [Width::Short, Width::Large] {
        let whole = archive_with(b"#!", &[stored("a", "first"), deflated("b", "second".repeat(10))], b"comment", width);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let _ = read(&changed, &Limits::default());
            }
            let _ = read(&whole[..at], &Limits::default());
            let _ = read(&whole[at..], &Limits::default());
        }
    }
}
