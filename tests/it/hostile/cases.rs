//! Images that lie in one way each.

use std::fs;

use serde_json::Value;

use super::{
    Case, gap,
    layout::{Layout, Lies, alpine, base, gzip, gzipped, packed, plain},
    read, refuse,
    tars::{Header, Tar, manifest, noise, record},
};

/// The base image and this tar above it.
fn above(layout: &Layout, tar: Vec<u8>) {
    layout.image(&[base(), gzip(tar)]);
}

/// The base image, and a layer whose blob is `bytes` and promises to hold a package.
fn blob(layout: &Layout, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let tar = Tar::new().npm("good").end();
    layout.image(&[base(), packed(tar.clone(), change(tar))]);
}

/// A database of Berkeley DB, each page but the first of which was changed.
fn berkeley_db(change: impl Fn(usize, &mut [u8])) -> Vec<u8> {
    let mut bytes = include_bytes!("../../../testdata/inventory/rpm/Packages").to_vec();
    bytes.chunks_exact_mut(1024).enumerate().skip(1).for_each(|(number, page)| change(number, page));
    bytes
}

fn lying(layout: &Layout, lies: &Lies) {
    layout.image_with(&[base()], lies);
}

fn config(layout: &Layout, config: fn(&mut Value)) {
    lying(layout, &Lies { config, ..Lies::default() });
}

fn document(layout: &Layout, manifest: fn(&mut Value)) {
    lying(layout, &Lies { manifest, ..Lies::default() });
}

/// A single image whose one layer's blob file is changed behind its digest.
fn swapped(layout: &Layout, change: fn(Vec<u8>) -> Vec<u8>) {
    let layers = layout.image(&[base()]);
    let path = layout.blob_path(&layers[0]["digest"]);
    let bytes = fs::read(&path).expect("blob");
    fs::write(path, change(bytes)).expect("blob");
}

fn zstd(tar: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(tar, 3).expect("zstd")
}

/// A program whose list of crates has a megabyte as it is stored and a gigabyte when it is inflated.
fn crates_of_a_gigabyte() -> Vec<u8> {
    let mut block = Vec::with_capacity(1 << 16);
    let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
    compress.compress_vec(&[b' '; 1 << 20], &mut block, flate2::FlushCompress::Full).expect("enough room");
    let list = [b"\x78\x9c".to_vec(), block.repeat(1024)].concat();
    let mut program = include_bytes!("../../../testdata/inventory/rust-binary/elf64").to_vec();
    let number = |bytes: &[u8]| usize::from_le_bytes(bytes.try_into().expect("eight bytes"));
    // The third section is the list; it moves to the end of the file.
    let section = number(&program[40..48]) + 2 * 64;
    let end = program.len();
    program[section + 24..section + 32].copy_from_slice(&end.to_le_bytes());
    program[section + 32..section + 40].copy_from_slice(&list.len().to_le_bytes());
    program.extend(list);
    program
}

/// A layer with one record under `path`.
fn file(layout: &Layout, path: &str, content: impl AsRef<[u8]>) {
    above(layout, Tar::new().file(path, content).npm("good").end());
}

/// A global PAX header with this body.
fn global(tar: Tar, body: &[u8]) -> Tar {
    tar.raw(Header::new(b'g', "g").size(body.len() as u64).bytes()).padded(body)
}

/// One case per lie.
pub(super) const CASES: &[Case] = &[
    // Identity.
    refuse("digest-other-header", "digest", |l| {
        swapped(l, |mut bytes| {
            bytes[4] ^= 1;
            bytes
        });
    }),
    refuse("digest-damaged", "digest", |l| {
        swapped(l, |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        });
    }),
    refuse("digest-cut", "bytes", |l| swapped(l, |bytes| bytes[..bytes.len() - 7].to_vec())),
    refuse("digest-longer", "bytes", |l| swapped(l, |bytes| [bytes, vec![0]].concat())),
    refuse("blob-missing", "sha256:", |l| {
        let layers = l.image(&[base()]);
        fs::remove_file(l.blob_path(&layers[0]["digest"])).expect("blob");
    }),
    refuse("blob-is-a-folder", "not a regular file", |l| {
        let layers = l.image(&[base()]);
        let path = l.blob_path(&layers[0]["digest"]);
        fs::remove_file(&path).expect("blob");
        fs::create_dir(path).expect("folder");
    }),
    refuse("size", "bytes", |l| document(l, |m| m["layers"][0]["size"] = 1.into())),
    refuse("size-negative", "", |l| document(l, |m| m["layers"][0]["size"] = (-1).into())),
    refuse("size-beyond-64-bits", "", |l| document(l, |m| m["layers"][0]["size"] = serde_json::from_str("1e30").unwrap())),
    refuse("config-size", "bytes", |l| document(l, |m| m["config"]["size"] = 3.into())),
    refuse("diff-id", "promises", |l| config(l, |c| c["rootfs"]["diff_ids"][0] = format!("sha256:{}", "0".repeat(64)).into())),
    refuse("diff-ids-fewer", "0", |l| config(l, |c| c["rootfs"]["diff_ids"] = serde_json::json!([]))),
    refuse("diff-ids-more", "2", |l| {
        config(l, |c| {
            let first = c["rootfs"]["diff_ids"][0].clone();
            c["rootfs"]["diff_ids"].as_array_mut().unwrap().push(first);
        });
    }),
    refuse("diff-id-is-a-path", "", |l| config(l, |c| c["rootfs"]["diff_ids"][0] = "sha256:../../../etc/passwd".into())),
    refuse("digest-is-a-path", "", |l| document(l, |m| m["layers"][0]["digest"] = "sha256:../../index.json".into())),
    refuse("digest-unknown", "md5", |l| document(l, |m| m["layers"][0]["digest"] = "md5:d41d8cd98f00b204e9800998ecf8427e".into())),
    refuse("digest-upper-case", "lower-case", |l| {
        document(l, |m| m["layers"][0]["digest"] = m["layers"][0]["digest"].as_str().unwrap().to_uppercase().replace("SHA", "sha").into());
    }),
    refuse("index-deep", "4", |l| {
        l.image(&[base()]);
        let mut inner = fs::read(l.path().join("index.json")).expect("index");
        for _ in 0..50 {
            let mut entry = l.blob(&inner);
            entry["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
            inner = serde_json::json!({ "schemaVersion": 2, "manifests": [entry] }).to_string().into_bytes();
        }
        l.write("index.json", &inner);
    }),
    refuse("index-long", "10000", |l| {
        lying(l, &Lies { index: |i| i["manifests"] = vec![i["manifests"][0].clone(); 10_001].into(), ..Lies::default() });
    }),
    refuse("index-large", "4194304", |l| lying(l, &Lies { index: |i| i["x"] = "y".repeat(5_000_000).into(), ..Lies::default() })),
    refuse("index-no-json", "", |l| l.write("index.json", b"\xff\xfe\x00")),
    refuse("index-empty", "", |l| l.write("index.json", b"")),
    refuse("manifest-large", "4194304", |l| document(l, |m| m["annotations"] = serde_json::json!({ "x": "y".repeat(5_000_000) }))),
    refuse("manifest-many-layers", "10000", |l| document(l, |m| m["layers"] = vec![m["layers"][0].clone(); 10_001].into())),
    refuse("manifest-schema-1", "schema", |l| document(l, |m| m["schemaVersion"] = 1.into())),
    refuse("manifest-repeats-a-field", "duplicate", |l| {
        l.index_of(br#"{"schemaVersion":2,"config":{"digest":"","size":1},"config":{}}"#, |_| {})
    }),
    refuse("manifest-deep", "", |l| l.index_of(format!(r#"{{"schemaVersion":2,"config":{}"#, "[".repeat(100_000)).as_bytes(), |_| {})),
    refuse("manifest-cut", "", |l| l.index_of(br#"{"schemaVersion":2,"config":{"digest":"sha256:"#, |_| {})),
    refuse("manifest-keys-in-two-cases", "`Layers` is not spelled `layers`", |l| document(l, |m| m["Layers"] = serde_json::json!([]))),
    refuse("manifest-key-with-a-long-s", r"`layer\u{17f}` is not spelled `layers`", |l| {
        document(l, |m| m["layer\u{17f}"] = serde_json::json!([]));
    }),
    refuse("index-keys-in-two-cases", "`Manifests` is not spelled `manifests`", |l| {
        lying(l, &Lies { index: |i| i["Manifests"] = serde_json::json!([]), ..Lies::default() });
    }),
    refuse("config-keys-in-two-cases", "`user` is not spelled `User`", |l| {
        config(l, |c| c["config"] = serde_json::json!({ "User": "1000", "user": "root" }));
    }),
    refuse("config-rootfs-in-two-cases", "`RootFS` is not spelled `rootfs`", |l| config(l, |c| c["RootFS"] = serde_json::json!({}))),
    refuse("index-two-images-for-one-platform", "several images for platform", |l| {
        let mut entries = Vec::new();
        for user in ["1000", "root"] {
            let (manifest, _) = l.manifest(&[base()], |c| c["config"]["User"] = user.into());
            let mut entry = l.blob(manifest.to_string().as_bytes());
            entry["mediaType"] = "application/vnd.oci.image.manifest.v1+json".into();
            entry["platform"] = serde_json::json!({ "architecture": "amd64", "os": "linux" });
            entry["artifactType"] = "application/x".into();
            entries.push(entry);
        }
        let mut inner = l.blob(serde_json::json!({ "schemaVersion": 2, "manifests": entries }).to_string().as_bytes());
        inner["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
        l.write("index.json", serde_json::json!({ "schemaVersion": 2, "manifests": [inner] }).to_string().as_bytes());
    }),
    refuse("config-large", "8388608", |l| config(l, |c| c["comment"] = "y".repeat(9_000_000).into())),
    refuse("config-deep", "", |l| {
        config(l, |c| c["config"]["Cmd"] = (0..120).fold(Value::from("x"), |inner, _| Value::from(vec![inner])));
    }),
    // Blobs.
    gap("foreign-layer", "never fetched", "musl zlib", "", |l| {
        let lies = Lies {
            config: |c| c["rootfs"]["diff_ids"].as_array_mut().unwrap().push(format!("sha256:{}", "2".repeat(64)).into()),
            manifest: |m| {
                m["layers"].as_array_mut().unwrap().push(serde_json::json!({
                    "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                    "digest": format!("sha256:{}", "1".repeat(64)), "size": 10, "urls": ["https://example.invalid/layer"],
                }));
            },
            ..Lies::default()
        };
        lying(l, &lies);
    }),
    gap("xz", "xz", "musl zlib", "good", |l| blob(l, |_| b"\xfd7zXZ\0 and so on".to_vec())),
    gap("bzip2", "bzip2", "musl zlib", "good", |l| blob(l, |_| b"BZh91AY&SY and so on".to_vec())),
    gap("lz4", "lz4", "musl zlib", "good", |l| blob(l, |_| b"\x04\x22\x4d\x18 and so on".to_vec())),
    gap("zstd-window-of-2-gb", "decompressed", "musl zlib", "good", |l| {
        blob(l, |tar| {
            let header = (tar.len() << 3 | 1).to_le_bytes();
            [b"\x28\xb5\x2f\xfd\x00\xa8", &header[..3], &tar].concat()
        });
    }),
    gap("zstd-cut", "decompressed", "musl zlib", "", |l| {
        blob(l, |tar| {
            let whole = zstd(&tar);
            whole[..whole.len() - 5].to_vec()
        });
    }),
    gap("zstd-garbage", "decompressed", "musl zlib", "", |l| blob(l, |tar| [zstd(&tar), b"garbage".to_vec()].concat())),
    read("zstd-frames", "musl zlib good", "", |l| {
        blob(l, |tar| {
            let (one, two) = tar.split_at(700);
            [b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(one), zstd(two), b"\x5f\x2a\x4d\x18\0\0\0\0".to_vec()].concat()
        });
    }),
    gap("gzip-garbage", "no gzip member", "musl zlib good", "", |l| blob(l, |tar| [gzipped(&tar), b"garbage".to_vec()].concat())),
    gap("gzip-wrong-checksum", "decompressed", "musl zlib", "", |l| {
        blob(l, |tar| {
            let mut packed = gzipped(&tar);
            let at = packed.len() - 8;
            packed[at] ^= 1;
            packed
        });
    }),
    gap("gzip-wrong-length", "decompressed", "musl zlib", "", |l| {
        blob(l, |tar| {
            let mut packed = gzipped(&tar);
            let at = packed.len() - 1;
            packed[at] ^= 1;
            packed
        });
    }),
    gap("gzip-cut", "decompressed", "musl zlib", "", |l| {
        blob(l, |tar| {
            let packed = gzipped(&tar);
            packed[..packed.len() / 2].to_vec()
        });
    }),
    gap("gzip-header-alone", "decompressed", "musl zlib", "good", |l| blob(l, |_| b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec())),
    gap("gzip-endless-name", "decompressed", "musl zlib", "good", |l| {
        blob(l, |_| [&b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"[..], &vec![b'n'; 3 << 20]].concat());
    }),
    read("gzip-members", "musl zlib good", "", |l| {
        blob(l, |tar| {
            let (one, two) = tar.split_at(700);
            [gzipped(one), gzipped(b""), gzipped(two), vec![0; 5_000]].concat()
        });
    }),
    read("media-types-lie", "musl zlib good", "", |l| {
        let top = Tar::new().npm("good").end();
        l.image(&[packed(alpine().end(), alpine().end()), packed(top.clone(), zstd(&top))]);
    }),
    read("layer-of-nothing", "musl zlib", "", |l| {
        l.image(&[base(), plain(Vec::new()), gzip(Vec::new()), gzip(vec![0; 1024])]);
    }),
    gap("layer-of-noise", "tar", "musl zlib", "", |l| {
        l.image(&[base(), plain(noise(10_000)), gzip(noise(10_000))]);
    }),
    gap("many-layers", "1001 layers; only the lowest 1000", "musl zlib", "", |l| {
        let empty = Tar::new().file("x", "").end();
        let layers: Vec<_> = (0..1_000).map(|_| plain(empty.clone())).collect();
        l.image(&std::iter::once(base()).chain(layers).collect::<Vec<_>>());
    }),
    // Tars.
    gap("tar-cut", "middle of an entry", "musl zlib good", "", |l| {
        let mut tar = Tar::new().npm("good").file("big", vec![b'x'; 100_000]).unfinished();
        tar.truncate(tar.len() - 60_000);
        above(l, tar);
    }),
    gap("tar-cut-in-a-header", "middle of an entry", "musl zlib good", "late", |l| {
        let tar = Tar::new().npm("good").unfinished();
        let late = Tar::new().npm("late").unfinished();
        above(l, [tar.as_slice(), &late[..300]].concat());
    }),
    gap("tar-cut-in-a-name", "middle of an entry", "musl zlib good", "late", |l| {
        let long = Tar::new().long(b'L', record("late").as_bytes()).unfinished();
        above(l, [Tar::new().npm("good").unfinished().as_slice(), &long[..520]].concat());
    }),
    read("tar-without-end", "musl zlib good", "", |l| above(l, Tar::new().npm("good").unfinished())),
    gap("tar-hidden-behind-zeros", "lone block of zeros", "musl zlib good", "evil", |l| {
        above(l, Tar::new().npm("good").raw([0; 512]).npm("evil").end());
    }),
    read("tar-behind-its-end", "musl zlib good", "evil", |l| above(l, Tar::new().npm("good").raw([0; 1024]).npm("evil").end())),
    gap("tar-size-of-8-exabytes", "promises", "musl zlib good", "evil", |l| {
        let header = Header::new(b'0', record("evil")).size_field(*b"\x80\0\0\0\x40\0\0\0\0\0\0\0").bytes();
        above(l, Tar::new().npm("good").raw(header).padded(manifest("evil")).end());
    }),
    gap("tar-size-negative", "size", "musl zlib good", "evil", |l| {
        let header = Header::new(b'0', record("evil")).size_field([0xff; 12]).bytes();
        above(l, Tar::new().npm("good").raw(header).padded(manifest("evil")).end());
    }),
    gap("tar-size-no-number", "size", "musl zlib good", "evil", |l| {
        let header = Header::new(b'0', record("evil")).size_field(*b"12monkeys\0\0\0").bytes();
        above(l, Tar::new().npm("good").raw(header).padded(manifest("evil")).end());
    }),
    gap("tar-wrong-checksum", "checksum", "musl zlib good", "evil", |l| {
        let mut header = Header::new(b'0', record("evil")).size(40).bytes();
        header[0] ^= 1;
        above(l, Tar::new().npm("good").raw(header).padded(manifest("evil")).end());
    }),
    read("tar-size-only-in-pax", "musl zlib good late", "", |l| {
        let content = manifest("good");
        let tar = Tar::new().pax(&[("size", content.len().to_string().as_bytes())]).raw(Header::new(b'0', record("good")).bytes());
        above(l, tar.padded(content).npm("late").end());
    }),
    gap("pax-size-negative", "PAX size", "musl zlib late", "evil", |l| {
        above(l, Tar::new().pax(&[("size", b"-1")]).raw(Header::new(b'0', record("evil")).bytes()).npm("late").end());
    }),
    gap("pax-size-of-8-exabytes", "promises", "musl zlib good", "evil", |l| {
        above(
            l,
            Tar::new()
                .npm("good")
                .pax(&[("size", b"9223372036854775807")])
                .raw(Header::new(b'0', record("evil")).bytes())
                .npm("evil")
                .end(),
        );
    }),
    gap("pax-name-of-2-mb", "1048576", "musl zlib good", "evil", |l| {
        above(l, Tar::new().pax(&[("path", "d/".repeat(1 << 20).as_bytes())]).file("x", "").npm("good").end());
    }),
    gap("gnu-name-of-2-mb", "1048576", "musl zlib good", "evil", |l| {
        above(l, Tar::new().long(b'L', &vec![b'n'; 2 << 20]).file("x", "").npm("good").end());
    }),
    gap("name-of-70000-bytes", "65536", "musl zlib good", "", |l| {
        above(l, Tar::new().long(b'L', &vec![b'n'; 70_000]).file("x", "").npm("good").end());
    }),
    gap("pax-length-lies", "garbled", "musl zlib late", "evil", |l| {
        above(l, Tar::new().pax_body(b"999 path=node_modules/evil/package.json\n").file("x", manifest("evil")).npm("late").end());
    }),
    gap("pax-without-records", "garbled", "musl zlib late", "evil", |l| {
        above(l, Tar::new().pax_body(&[b'x'; 600]).file(record("evil"), manifest("evil")).npm("late").end());
    }),
    gap("pax-name-with-nul", "NUL", "musl zlib late", "evil", |l| {
        above(l, Tar::new().pax(&[("path", b"node_modules/evil/package.json\0.txt")]).file("x", manifest("evil")).npm("late").end());
    }),
    gap("extensions-without-end", "more than 16", "musl zlib good", "evil", |l| {
        above(l, (0..20).fold(Tar::new().npm("good"), |tar, _| tar.long(b'L', b"n")).npm("evil").end());
    }),
    read("pax-global-comment", "musl zlib good", "", |l| above(l, global(Tar::new(), b"18 comment=commit\n").npm("good").end())),
    gap("pax-global-path", "global PAX header gives", "musl zlib", "evil", |l| {
        above(l, global(Tar::new(), b"36 path=node_modules/x/package.json\n").npm("evil").end());
    }),
    gap("pax-name-then-global", "global PAX header stands between", "musl zlib good", "evil", |l| {
        let tar = Tar::new().npm("good").pax(&[("path", b"harmless")]);
        above(l, global(tar, b"12 comment=\n").npm("evil").end());
    }),
    gap("gnu-name-then-pax-name", "readers differ", "musl zlib good", "evil", |l| {
        let tar = Tar::new().long(b'L', record("evil").as_bytes()).pax(&[("path", b"harmless")]);
        above(l, tar.file("x", manifest("evil")).npm("good").end());
    }),
    gap("pax-name-then-gnu-name", "readers differ", "musl zlib good", "evil", |l| {
        let tar = Tar::new().pax(&[("path", record("evil").as_bytes())]).long(b'L', b"harmless");
        above(l, tar.file("x", manifest("evil")).npm("good").end());
    }),
    gap("gnu-link-and-pax-link", "readers differ", "musl zlib good", "evil", |l| {
        let tar = Tar::new().file("opt/evil", manifest("evil")).long(b'K', b"opt/evil").pax(&[("linkpath", b"opt/none")]);
        above(l, tar.hardlink(&record("evil"), "x").npm("good").end());
    }),
    gap("pax-headers-twice", "several PAX headers", "musl zlib good", "evil", |l| {
        let tar = Tar::new().pax(&[("path", b"harmless")]).pax(&[("mtime", b"1")]);
        above(l, tar.npm("evil").npm("good").end());
    }),
    gap("pax-sparse-name-alone", "sparse", "musl zlib good", "evil", |l| {
        above(l, Tar::new().pax(&[("GNU.sparse.name", b"harmless")]).npm("evil").npm("good").end());
    }),
    gap("prefix-without-version", "prefix", "musl zlib good", "evil", |l| {
        let header = Header::new(b'0', "package.json").size(manifest("evil").len() as u64).prefix(b"ustar\0  ", "node_modules/evil");
        above(l, Tar::new().raw(header.bytes()).padded(manifest("evil")).npm("good").end());
    }),
    gap("prefix-where-gnu-has-times", "times", "musl zlib good", "evil", |l| {
        let header = Header::new(b'0', "package.json").size(manifest("evil").len() as u64).prefix(b"ustar  \0", "node_modules/evil");
        above(l, Tar::new().raw(header.bytes()).padded(manifest("evil")).npm("good").end());
    }),
    gap("folder-with-content", "slash", "musl zlib good", "evil", |l| {
        // The content covers the record for who takes the entry for a folder.
        let decoy = Header::new(b'0', "decoy").size(1024).bytes();
        above(l, Tar::new().npm("good").raw(Header::new(b'0', "x/").size(512).bytes()).raw(decoy).npm("evil").end());
    }),
    read("folder-of-version-7", "musl zlib good", "", |l| {
        above(l, Tar::new().raw(Header::new(0, "node_modules/").bytes()).npm("good").end());
    }),
    gap("size-behind-a-nul", "size", "musl zlib good", "evil", |l| {
        let decoy = Header::new(b'0', "decoy").size(1024).bytes();
        let header = Header::new(b'0', "x").size_field(*b"\0 000001000\0").bytes();
        above(l, Tar::new().npm("good").raw(header).raw(decoy).npm("evil").end());
    }),
    gap("names-that-leave-the-root", "leaves the image's root", "musl zlib good", "evil", |l| {
        let out =
            Tar::new().file("../../../node_modules/evil/package.json", manifest("evil")).file("a/../../node_modules/evil/package.json", "");
        above(l, out.file("/node_modules/good/package.json", manifest("good")).end());
    }),
    read("names-that-go-round", "musl zlib good", "", |l| {
        above(l, Tar::new().file("./a/..//node_modules/./good/package.json", manifest("good")).end())
    }),
    read("names-that-are-no-text", "musl zlib good", "", |l| {
        above(l, Tar::new().file(b"n\xffon-utf8", "x").file(b"\x1b[31mred\n", "x").file(b"\xed\xa0\x80", "x").npm("good").end());
    }),
    read("devices-and-pipes", "musl zlib good", "", |l| {
        let special = b"346".iter().fold(Tar::new(), |tar, kind| tar.raw(Header::new(*kind, format!("dev/{kind}")).size(1 << 30).bytes()));
        above(l, special.npm("good").end());
    }),
    read("device-over-a-record", "musl zlib", "evil", |l| {
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(Tar::new().raw(Header::new(b'3', record("evil")).bytes()).end())]);
    }),
    read("links-and-folders-with-a-size", "musl zlib good", "", |l| {
        let tar = Tar::new().raw(Header::new(b'5', "d").size(700).bytes()).raw(Header::new(b'2', "s").link("d").size(700).bytes());
        above(l, tar.raw(Header::new(b'1', "h").link("d/x").size(700).bytes()).npm("good").end());
    }),
    read("sparse-file", "musl zlib good", "", |l| {
        above(l, Tar::new().raw(Header::new(b'S', "sparse").size(512).bytes()).padded([b'x'; 512]).npm("good").end());
    }),
    gap("sparse-program", "sparse", "musl zlib good", "", |l| {
        let program = include_bytes!("../../../testdata/inventory/go-binary/elf64");
        let header = Header::new(b'S', "usr/local/bin/app").size(program.len() as u64).bytes();
        above(l, Tar::new().raw(header).padded(*program).npm("good").end());
    }),
    gap("sparse-record", "sparse", "musl zlib good", "evil", |l| {
        let tar = Tar::new().raw(Header::new(b'S', record("evil")).size(512).bytes()).padded([b'x'; 512]);
        let tar = tar.pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.name", record("evil").as_bytes())]).file("GNUSparseFile.0/x", "x");
        above(l, tar.npm("good").end());
    }),
    gap("sparse-maps-without-end", "middle of an entry", "musl zlib good", "", |l| {
        let mut header = Header::new(b'S', "sparse").bytes();
        header[482] = 1;
        // The header's sum no longer fits; a second header is made of it.
        let sum: u32 = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let map = [[0; 504].as_slice(), &[1; 8]].concat();
        above(l, (0..2_000).fold(Tar::new().npm("good").raw(header), |tar, _| tar.raw(&map)).unfinished());
    }),
    read("twice", "musl zlib good", "evil", |l| {
        above(l, Tar::new().file(record("good"), manifest("evil")).file(record("good"), manifest("good")).end());
    }),
    read("many-files", "musl zlib good", "", |l| {
        above(l, (0..20_000).fold(Tar::new(), |tar, n| tar.file(format!("d{}/{n}", n / 1_000), "")).npm("good").end());
    }),
    read("path-3000-deep", "musl zlib good", "", |l| above(l, Tar::new().file("d/".repeat(3_000) + "x", "").npm("good").end())),
    // Links.
    read("link-loops", "musl zlib good", "", |l| {
        let tar = Tar::new().symlink("var/lib/dpkg", "a").symlink("var/lib/a", "b").symlink("var/lib/b", "dpkg");
        above(l, tar.symlink("usr/lib/sysimage", "sysimage").symlink("self", "self/x").npm("good").end());
    }),
    gap("link-loop-hides-a-record", "link", "musl zlib", "", |l| {
        above(l, Tar::new().symlink("node_modules", "loop").symlink("loop", "node_modules/x").npm("lost").end());
    }),
    gap("link-bomb", "link", "musl zlib", "", |l| {
        let bomb = (0..60)
            .fold(Tar::new().symlink("node_modules", "b0"), |tar, n| tar.symlink(format!("b{n}"), &format!("b{0}/../b{0}/../b{0}", n + 1)));
        above(l, bomb.end());
    }),
    read("link-out-of-the-root", "musl zlib good", "", |l| {
        let tar =
            Tar::new().symlink("out", "/../../../../etc").hardlink("etc/hard", "../../../../etc/passwd").file("out/passwd", "root::0:0");
        above(l, tar.npm("good").end());
    }),
    gap("hard-link-of-a-record-out-of-the-root", "leaves the image's root", "musl zlib", "evil", |l| {
        above(l, Tar::new().hardlink(&record("evil"), "../../../../etc/passwd").end());
    }),
    read("file-through-an-escaping-link", "musl zlib good", "", |l| {
        above(l, Tar::new().symlink("out", "../../..").file(format!("out/{}", record("good")), manifest("good")).end());
    }),
    read("write-through-a-folder-link", "musl zlib good", "", |l| {
        let lower = Tar::new().symlink("srv", "opt/real").file("opt/real/x", "").end();
        l.image(&[base(), gzip(lower), gzip(Tar::new().file(format!("srv/{}", record("good")), manifest("good")).end())]);
    }),
    read("hard-link-to-a-lower-layer", "musl zlib good", "", |l| {
        let lower = Tar::new().file("data", manifest("good")).end();
        l.image(&[base(), gzip(lower), gzip(Tar::new().hardlink(&record("good"), "data").end())]);
    }),
    gap("hard-link-to-nothing", "nowhere", "musl zlib", "evil", |l| above(l, Tar::new().hardlink(&record("evil"), "nowhere").end())),
    gap("hard-link-to-itself", "hard link", "musl zlib", "evil", |l| above(l, Tar::new().hardlink(&record("evil"), &record("evil")).end())),
    gap("link-target-of-70000-bytes", "65536", "musl zlib good", "", |l| {
        above(l, Tar::new().symlink("long", &"t".repeat(70_000)).npm("good").end());
    }),
    // Whiteouts.
    read("whiteout-before-its-file", "musl zlib good", "evil", |l| {
        let top = Tar::new().file("node_modules/.wh.good", "").npm("good").file("node_modules/.wh.evil", "").end();
        l.image(&[base(), gzip(Tar::new().npm("evil").npm("good").end()), gzip(top)]);
    }),
    read("whiteout-after-its-file", "musl zlib good", "evil", |l| {
        let top = Tar::new().npm("good").file("node_modules/.wh.good", "").file("node_modules/.wh.evil", "").end();
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(top)]);
    }),
    read("whiteout-of-a-parent", "musl zlib good", "evil", |l| {
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(Tar::new().npm("good").file(".wh.node_modules", "").end())]);
    }),
    read("whiteout-odd", "musl zlib good", "evil", |l| {
        let odd = Tar::new().file(".wh.", "").file(".wh..", "").file(".wh...", "").file(".wh..wh.plnk", "").file(".wh..wh..wh.x", "");
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(odd.file("node_modules/.wh..wh..opq", "").npm("good").end())]);
    }),
    gap("whiteout-through-a-link", "engines disagree", "musl zlib evil", "", |l| {
        let lower = Tar::new().symlink("app", "srv/app").file(format!("srv/app/{}", record("evil")), manifest("evil"));
        l.image(&[base(), gzip(lower.end()), gzip(Tar::new().file("app/.wh.node_modules", "").end())]);
    }),
    gap("whiteout-below-a-link-that-is-replaced", "engines disagree", "musl zlib evil", "", |l| {
        let lower = Tar::new().symlink("n", "node_modules").npm("evil").end();
        l.image(&[base(), gzip(lower), gzip(Tar::new().folder("n/").file("n/.wh.evil", "").end())]);
    }),
    read("record-behind-blanks-through-a-folder-link", "musl zlib good evil", "", |l| {
        let record = format!("{}{}", " ".repeat(40), manifest("evil"));
        let tar = Tar::new().symlink("usr/lib/node_modules", "/opt/nm").file("opt/nm/good/package.json", manifest("good"));
        above(l, tar.file("opt/nm/evil/package.json", record).end());
    }),
    gap("unread-ecosystem-through-a-folder-link", "link-target", "musl zlib good", "", |l| {
        let tar =
            Tar::new().symlink("usr/lib/ruby/specifications", "/opt/specs").file("opt/specs/rack-1.gemspec", "# stub: rack 1 ruby lib");
        above(l, tar.npm("good").end());
    }),
    gap("archive-that-is-a-hard-link-to-something-else", "app/x.jar", "musl zlib good", "", |l| {
        above(l, Tar::new().file("app/data", "PK").hardlink("app/x.jar", "app/data").npm("good").end());
    }),
    gap("whiteout-out-of-the-root", "leaves the image's root", "musl zlib", "", |l| above(l, Tar::new().file("../.wh.lib", "").end())),
    gap("whiteout-of-everything", "no os-release", "good", "musl zlib", |l| {
        above(l, Tar::new().file(".wh..wh..opq", "").npm("good").end())
    }),
    read("whiteout-that-is-a-folder", "musl zlib", "evil", |l| {
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(Tar::new().folder(".wh.node_modules").end())]);
    }),
    read("file-over-a-folder", "musl zlib", "evil", |l| {
        l.image(&[base(), gzip(Tar::new().npm("evil").end()), gzip(Tar::new().file("node_modules", "a file").end())]);
    }),
    // Records.
    gap("apk-line-of-2-mb", "1048576", "zlib", "huge", |l| {
        let database = format!("P:huge\nV:{}\n\nP:zlib\nV:1.3.1-r1\nA:x86_64", "9".repeat(2 << 20));
        l.image(&[gzip(Tar::new().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n").file("lib/apk/db/installed", database).end())]);
    }),
    gap("apk-without-version", "without name or version", "zlib", "noversion", |l| {
        let database = "P:noversion\n\nP:zlib\nV:1.3.1-r1";
        l.image(&[gzip(Tar::new().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n").file("lib/apk/db/installed", database).end())]);
    }),
    read("dpkg-deinstalled", "musl zlib folded", "half", |l| {
        let status = "Package: half\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: folded\nStatus: install ok installed\nVersion: 1:2.0-3\nDescription: a\n b\n .\n c\n";
        file(l, "var/lib/dpkg/status", status);
    }),
    gap("dpkg-says-it-twice", "record", "musl zlib", "", |l| {
        file(l, "var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nVersion: 2\n");
    }),
    gap("dpkg-of-noise", "var/lib/dpkg/status", "musl zlib good", "", |l| file(l, "var/lib/dpkg/status.d/x", noise(5_000))),
    gap("rpm-sqlite-cut", "SQLite", "good", "", |l| {
        file(l, "var/lib/rpm/rpmdb.sqlite", [b"SQLite format 3\0\x10\x00\x01\x01\x00\x40\x20\x20".as_slice(), &[0xff; 5_000]].concat());
    }),
    gap("rpm-sqlite-of-noise", "SQLite", "good", "", |l| file(l, "var/lib/rpm/rpmdb.sqlite", noise(20_000))),
    gap("rpm-ndb-slots", "ndb", "good", "", |l| {
        file(l, "usr/lib/sysimage/rpm/Packages.db", [b"RpmP\0\0\0\0\x01\0\0\0\xff\xff\xff\xff".as_slice(), &[0; 8_192]].concat());
    }),
    gap("rpm-berkeley-db", "Berkeley DB", "good", "", |l| file(l, "var/lib/rpm/Packages", noise(8_192))),
    gap("rpm-berkeley-db-circles", "used twice", "good small-00", "plain", |l| {
        file(
            l,
            "var/lib/rpm/Packages",
            berkeley_db(|number, page| page[16..20].copy_from_slice(&u32::try_from(number).unwrap().to_le_bytes())),
        );
    }),
    gap("rpm-berkeley-db-of-wrong-pages", "is not of the kind", "good small-00", "plain", |l| {
        file(l, "var/lib/rpm/Packages", berkeley_db(|_, page| page[25] = if page[25] == 7 { 13 } else { page[25] }));
    }),
    gap("json-deep", "the limit of 128", "musl zlib good", "bad", |l| {
        file(l, &record("bad"), format!(r#"{{"name":"bad","version":"1","x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000)));
    }),
    gap("json-cut", "package.json", "musl zlib good", "bad", |l| file(l, &record("bad"), r#"{"name":"bad","version":"#)),
    gap("json-no-text", "package.json", "musl zlib good", "", |l| file(l, &record("bad"), b"{\"name\":\"b\xff\",\"version\":\"1\"}")),
    gap("json-array", "package.json", "musl zlib good", "", |l| file(l, &record("bad"), "[]")),
    gap("python-header-of-2-mb", "1048576", "musl zlib good", "bad", |l| {
        file(l, "site-packages/bad.dist-info/METADATA", format!("Name: bad\nSummary: {}\nVersion: 1\n\n", "x".repeat(2 << 20)));
    }),
    read("python-name-in-the-description", "musl zlib good real", "evil", |l| {
        file(l, "site-packages/real.dist-info/METADATA", "Name: real\nVersion: 1\n\nName: evil\nVersion: 2\n");
    }),
    gap("archive-of-four-bytes", "app.jar: is no zip archive", "musl zlib good", "", |l| file(l, "app.jar", b"PK\x03\x04")),
    gap("program-of-go-lies", "points behind its end", "musl zlib good", "", |l| {
        file(l, "app", include_bytes!("../../../testdata/inventory/go-binary/malformed-length"));
    }),
    gap("program-of-go-points-out", "points behind its end", "musl zlib good", "", |l| {
        file(l, "app", include_bytes!("../../../testdata/inventory/go-binary/malformed-pointer"));
    }),
    gap("program-cut", "table of sections", "musl zlib good", "", |l| {
        file(l, "app", include_bytes!("../../../testdata/inventory/binary/malformed"));
    }),
    gap("program-packed", "packed with UPX", "musl zlib good", "", |l| {
        file(l, "app", include_bytes!("../../../testdata/inventory/binary/packed"));
    }),
    gap("crates-of-1-gb", "the limit of 8388608", "musl zlib good", "", |l| file(l, "app", crates_of_a_gigabyte())),
];
