//! Every limit, lowered until an image reaches it: what is told must hold the number, and what lies below it must still be found.

use std::{fmt::Write as _, time::Duration};

use plimsoll::pipeline::Limits;

use super::{
    Case, Ends,
    layout::{Layout, alpine, base, gzip, plain},
    tars::{Tar, noise, record},
};

const fn limit(
    name: &'static str,
    says: &'static str,
    found: &'static str,
    absent: &'static str,
    limits: fn(&mut Limits),
    write: fn(&Layout),
) -> Case {
    Case { name, ends: Ends::Gap, says, found, absent, limits, write }
}

/// The base image with ten packages above it.
fn ten(layout: &Layout) {
    layout.image(&[base(), gzip((0..10).fold(Tar::new(), |tar, n| tar.npm(&format!("p{n}"))).end())]);
}

fn noisy(layout: &Layout) {
    layout.image(&[base(), plain(Tar::new().file("noise", noise(5_000)).npm("good").end())]);
}

fn zeros(layout: &Layout) {
    layout.image(&[base(), gzip(Tar::new().file("zeros", vec![0; 10 << 20]).npm("good").end())]);
}

/// One case per limit.
pub(super) const CASES: &[Case] = &[
    limit("layers", "the lowest 1 were read", "musl zlib", "p0", |l| l.layers = 1, ten),
    limit("entries", "the limit of 5", "musl p4", "p5", |l| l.entries = 5, ten),
    limit("path-bytes", "the limit of 20", "", "p0", |l| l.path_bytes = 20, ten),
    limit(
        "extended-header-bytes",
        "the limit of 50",
        "musl",
        "late",
        |l| l.extended_header_bytes = 50,
        |layout| {
            layout.image(&[
                base(),
                gzip(Tar::new().pax(&[("path", record("late").as_bytes()), ("comment", &[b'x'; 60])]).file("x", "").end()),
            ]);
        },
    ),
    limit("remembered-path-bytes", "the limit of 150", "musl p0", "p9", |l| l.remembered_path_bytes = 150, ten),
    limit("file-bytes", "the limit for one file is 50", "p0", "musl", |l| l.file_bytes = 50, ten),
    limit("kept-bytes", "the limit of 250 bytes", "musl p0", "p9", |l| (l.kept_bytes, l.early_bytes) = (250, 0), ten),
    limit("kept-bytes-late", "the limit of 250 bytes", "musl p0", "p9", |l| l.kept_bytes = 250, ten),
    limit(
        "older-bytes",
        "the limit of 10 bytes",
        "musl",
        "",
        |l| l.older_bytes = 10,
        |layout| {
            layout.image(&[base(), gzip(alpine().end())]);
        },
    ),
    limit("blob-bytes", "exceed the limit of 2000 for one layer's blob", "musl zlib", "good", |l| l.blob_bytes = 2_000, noisy),
    limit("image-blob-bytes", "exceed the limit of 2000 bytes for an image", "musl zlib", "good", |l| l.image_blob_bytes = 2_000, noisy),
    limit("layer-bytes", "the limit of 4000 uncompressed bytes", "musl zlib", "good", |l| l.layer_bytes = 4_000, noisy),
    limit("image-bytes", "the limit for an image is 3000, so the 1 above", "musl zlib", "good", |l| l.image_bytes = 3_000, noisy),
    limit("ratio", "500 times its blob", "musl zlib", "good", |l| l.ratio_floor = 1 << 20, zeros),
    Case { name: "ratio-of-small-ones", ends: Ends::Read, says: "", found: "musl zlib good", absent: "", limits: |_| {}, write: zeros },
    limit("time", "within the limit of 0 s for an image", "", "musl", |l| l.time = Duration::ZERO, ten),
    limit(
        "link-hops",
        "node_modules",
        "musl",
        "good",
        |l| l.link_hops = 2,
        |layout| {
            let chain = Tar::new().symlink("node_modules", "a").symlink("a", "b").symlink("b", "c").symlink("c", "d");
            layout.image(&[base(), gzip(chain.file("d/good/package.json", super::tars::manifest("good")).end())]);
        },
    ),
    limit(
        "link-steps",
        "more than 30 steps",
        "musl",
        "",
        |l| l.link_steps = 30,
        |layout| {
            let links = (0..10).fold(Tar::new(), |tar, n| tar.symlink(format!("l{n}/a/b/c"), "../../d").file(format!("l{n}/a/b/c/x"), ""));
            layout.image(&[base(), gzip(links.end())]);
        },
    ),
    limit(
        "line-bytes",
        "the limit of 10 bytes",
        "zlib",
        "",
        |l| l.line_bytes = 10,
        |layout| {
            layout.image(&[gzip(
                Tar::new()
                    .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n")
                    .file("lib/apk/db/installed", "P:musl\nV:123456789\n\nP:zlib\nV:1\n")
                    .end(),
            )]);
        },
    ),
    limit(
        "json-depth",
        "the limit of 5",
        "musl",
        "deep",
        |l| l.json_depth = 5,
        |layout| {
            let deep = format!(r#"{{"name":"deep","version":"1","x":{}{}}}"#, "[".repeat(5), "]".repeat(5));
            layout.image(&[base(), gzip(Tar::new().file(record("deep"), deep).end())]);
        },
    ),
    limit("packages", "the limit of 1 packages", "musl", "zlib", |l| l.packages = 1, ten),
    limit(
        "zstd-window",
        "cannot be decompressed",
        "musl",
        "good",
        |l| l.zstd_window_log = 10,
        |layout| {
            let tar = Tar::new().file("noise", noise(1 << 20)).npm("good").end();
            let packed = zstd::stream::encode_all(tar.as_slice(), 3).unwrap();
            layout.image(&[base(), super::layout::packed(tar, packed)]);
        },
    ),
    limit(
        "gaps-per-kind",
        "more than 3 gaps of this kind",
        "musl",
        "",
        |l| l.gaps_per_kind = 3,
        |layout| {
            let out = (0..10).fold(Tar::new(), |tar, n| {
                let mut name = String::new();
                write!(name, "../out{n}").unwrap();
                tar.file(name, "")
            });
            layout.image(&[base(), gzip(out.end())]);
        },
    ),
];
