//! Images with Java archives that lie or that cost much: how deep, how often, how large. The written zip archives say what their fields say.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

use super::{
    Case, Ends, gap,
    layout::{Layout, base, gzip, plain},
    read,
    tars::Tar,
};

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// One entry, and what is said of it.
#[derive(Clone)]
struct Entry {
    name: String,
    local_name: Option<&'static str>,
    packed: Vec<u8>,
    size: u32,
    checksum: u32,
    method: u16,
    flags: u16,
    /// Whether it claims the bytes of the first entry.
    is_first_again: bool,
}

fn entry(name: &str, method: u16, content: &[u8]) -> Entry {
    let mut sum = Crc::new();
    sum.update(content);
    let packed = if method == DEFLATED {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    } else {
        content.to_vec()
    };
    let size = content.len().try_into().expect("small");
    Entry { name: name.to_owned(), local_name: None, packed, size, checksum: sum.sum(), method, flags: 0, is_first_again: false }
}

fn stored(name: &str, content: impl AsRef<[u8]>) -> Entry {
    entry(name, STORED, content.as_ref())
}

fn deflated(name: &str, content: impl AsRef<[u8]>) -> Entry {
    entry(name, DEFLATED, content.as_ref())
}

fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let at: u32 = if entry.is_first_again { 0 } else { out.len().try_into().expect("small") };
        let packed: u32 = entry.packed.len().try_into().expect("small");
        let common = |name: &str| {
            let mut fields = vec![20, 0];
            fields.extend([entry.flags.to_le_bytes(), entry.method.to_le_bytes(), [0; 2], [0; 2]].concat());
            fields.extend([entry.checksum, packed, entry.size].iter().flat_map(|number| number.to_le_bytes()));
            fields.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
            fields
        };
        if !entry.is_first_again {
            let name = entry.local_name.unwrap_or(&entry.name);
            out.extend([b"PK\x03\x04".as_slice(), &common(name), &[0; 2], name.as_bytes(), &entry.packed].concat());
        }
        directory
            .extend([b"PK\x01\x02\x14\0".as_slice(), &common(&entry.name), &[0; 12], &at.to_le_bytes(), entry.name.as_bytes()].concat());
    }
    let (at, size): (u32, u32) = (out.len().try_into().expect("small"), directory.len().try_into().expect("small"));
    let count = u16::try_from(entries.len()).expect("few").to_le_bytes();
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0; 2]].concat());
    out
}

fn named(artifact: &str) -> Entry {
    stored(&format!("META-INF/maven/g/{artifact}/pom.properties"), format!("groupId=g\nartifactId={artifact}\nversion=1\n"))
}

/// The base image and this archive above it.
fn jar(layout: &Layout, bytes: Vec<u8>) {
    layout.image(&[base(), gzip(Tar::new().file("app.jar", bytes).npm("good").end())]);
}

fn changed(layout: &Layout, change: fn(&mut Entry)) {
    let mut bad = deflated("META-INF/maven/g/bad/pom.properties", "groupId=g\nartifactId=bad\nversion=1\n");
    change(&mut bad);
    jar(layout, zip(&[named("fine"), bad]));
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(zip(&[named("deepest")]), |inner, _| zip(&[stored("x.jar", inner)]))
}

/// Archives of the names `0.jar` and so on.
fn many(count: usize, inner: impl Fn(usize) -> Entry) -> Vec<u8> {
    let entries: Vec<Entry> = (0..count).map(|at| Entry { name: format!("{at}.jar"), ..inner(at) }).collect();
    zip(&entries)
}

const fn limit(name: &'static str, says: &'static str, limits: fn(&mut super::Limits), write: fn(&Layout)) -> Case {
    Case { name, ends: Ends::Gap, says, found: "musl zlib good", absent: "", limits, write }
}

/// One case per lie, and per limit.
pub(super) const CASES: &[Case] = &[
    gap("jars-200-deep", "deeper than the limit of 8", "musl zlib good", "g:deepest", |l| jar(l, nested(200))),
    read("jars-7-deep", "musl zlib good g:deepest", "", |l| jar(l, nested(7))),
    read("jars-4000-small-ones", "musl zlib good g:n0 g:n3999", "", |l| {
        jar(l, many(4_000, |at| stored("", zip(&[named(&format!("n{at}"))]))));
    }),
    gap("jars-4000-of-1-gb-in-1-4-mb", "inflates to more than the limit of 268435456 bytes", "musl zlib good g:n", "", |l| {
        let inner = deflated("", zip(&[named("n"), stored("zeros", vec![0; 270 << 10])]));
        let bytes = many(4_000, |_| inner.clone());
        assert!((1_000_000..2_500_000).contains(&bytes.len()), "{}", bytes.len());
        jar(l, bytes);
    }),
    gap("jars-that-are-none", "more than 100 things about it are wrong", "musl zlib good g:a", "", |l| {
        let mut entries: Vec<Entry> = (0..20_000).map(|at| stored(&format!("{at}.jar"), "x")).collect();
        entries.push(named("a"));
        jar(l, zip(&entries));
    }),
    gap("pom-properties-of-64-mb", "has 67108864 bytes; the limit is 65536", "musl zlib good g:fine", "", |l| {
        jar(l, zip(&[deflated("META-INF/maven/g/a/pom.properties", vec![b'\n'; 64 << 20]), named("fine")]));
    }),
    gap("pom-properties-of-64-mb-that-say-100", "inflates to more than the 100 bytes", "musl zlib good g:fine", "", |l| {
        let bad = deflated("META-INF/maven/g/a/pom.properties", vec![b'\n'; 64 << 20]);
        jar(l, zip(&[Entry { size: 100, ..bad }, named("fine")]));
    }),
    read("manifest-of-one-line-of-16-mb", "musl zlib good g:fine", "", |l| {
        let manifest = format!("Implementation-Title: {}", "x\r\n ".repeat(4 << 20));
        jar(l, zip(&[deflated("META-INF/MANIFEST.MF", manifest), named("fine")]));
    }),
    gap("entry-20000-times", "19999 of its entries, such as `META-INF/MANIFEST.MF`, share", "musl zlib good", "", |l| {
        let first = deflated("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n".repeat(1_000));
        let again = Entry { is_first_again: true, ..first.clone() };
        jar(l, zip(&[vec![first], vec![again; 19_999]].concat()));
    }),
    gap("poms-20000-of-the-same-bytes", "19999 of its entries", "musl zlib good g:p", "g:p1", |l| {
        let first = named("p");
        let again = (1..20_000).map(|at| Entry { is_first_again: true, ..named(&format!("p{at}")) });
        jar(l, zip(&[vec![first], again.collect()].concat()));
    }),
    read("poms-20000", "musl zlib good g:p0 g:p19999", "", |l| {
        jar(l, zip(&(0..20_000).map(|at| named(&format!("p{at}"))).collect::<Vec<_>>()));
    }),
    gap("entry-of-two-contents", "two different entries of the name", "musl zlib good g:a", "", |l| {
        let other = stored("META-INF/maven/g/a/pom.properties", "version=2\n");
        jar(l, zip(&[named("a"), other]));
    }),
    gap("entry-of-two-names", "has another name, `elsewhere`, where it stands", "musl zlib good g:fine g:bad", "", |l| {
        changed(l, |bad| bad.local_name = Some("elsewhere"));
    }),
    gap("entry-encrypted", "is encrypted", "musl zlib good g:fine", "g:bad", |l| changed(l, |bad| bad.flags = 1)),
    gap("entry-of-method-14", "compressed by method 14", "musl zlib good g:fine", "g:bad", |l| changed(l, |bad| bad.method = 14)),
    gap("entry-of-another-checksum", "another checksum", "musl zlib good g:fine", "g:bad", |l| changed(l, |bad| bad.checksum ^= 1)),
    gap("entry-of-noise", "bad/pom.properties` in it", "musl zlib good g:fine", "g:bad", |l| {
        changed(l, |bad| bad.packed.iter_mut().for_each(|byte| *byte = !*byte));
    }),
    gap("jar-cut", "app.jar: is no zip archive, or is cut short", "musl zlib good", "", |l| {
        let mut bytes = zip(&[named("a")]);
        bytes.truncate(bytes.len() - 10);
        jar(l, bytes);
    }),
    gap("jar-without-its-beginning", "app.jar: is a zip archive without a central directory", "musl zlib good", "g:a", |l| {
        jar(l, zip(&[named("a")]).split_off(40));
    }),
    gap("jar-zip64-lies", "app.jar", "musl zlib good", "g:a", |l| {
        let mut bytes = zip(&[named("a")]);
        let end = bytes.split_off(bytes.len() - 22);
        let at = bytes.len() as u64;
        bytes.extend([b"PK\x06\x06".as_slice(), &[0xff; 52], b"PK\x06\x07\0\0\0\0", &at.to_le_bytes(), &[1, 0, 0, 0]].concat());
        bytes.extend([end.get(..8).expect("22 bytes"), &[0xff; 12], &[0; 2]].concat());
        jar(l, bytes);
    }),
    read("jar-behind-a-script", "musl zlib good g:a", "", |l| {
        jar(l, [b"#!/bin/sh\nexec java -jar \"$0\"\n".as_slice(), &zip(&[named("a")])].concat());
    }),
    read("jar-on-the-disk", "musl zlib good g:a", "", |l| {
        let bytes = zip(&[stored("zeros", vec![0; 20 << 20]), deflated("x.jar", zip(&[named("a"), stored("zeros", vec![0; 6 << 20])]))]);
        l.image(&[base(), plain(Tar::new().file("app.jar", bytes).npm("good").end())]);
    }),
    limit("archive-depth", "stands deeper than the limit of 2", |l| l.archive_depth = 2, |l| jar(l, nested(2))),
    limit(
        "archive-entries",
        "more entries than the limit of 50",
        |l| l.archive_entries = 50,
        |l| {
            jar(l, many(40, |at| stored("", zip(&[named(&format!("n{at}"))]))));
        },
    ),
    limit(
        "archive-bytes",
        "more than the limit of 100000 bytes",
        |l| l.archive_bytes = 100_000,
        |l| {
            jar(l, zip(&[deflated("x.jar", zip(&[stored("zeros", vec![0; 200_000])]))]));
        },
    ),
    limit(
        "extract-bytes",
        "takes more than the limit of 2000 bytes",
        |l| l.extract_bytes = 2_000,
        |l| {
            jar(l, zip(&(0..100).map(|at| named(&format!("p{at}"))).collect::<Vec<_>>()));
        },
    ),
    limit("examined-bytes", "app.jar", |l| l.examined_bytes = 100, |l| jar(l, nested(1))),
];
