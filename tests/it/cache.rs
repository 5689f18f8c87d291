//! The layer cache through the binary: the same bytes with and without it, whatever is done to its files, and no layer read that it knows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::program::{Run, plimsoll, testdata};

const LAYOUT: &str = "images/vulnerable";

fn inventory(layout: &Path, options: &[&str]) -> Run {
    let image = format!("oci:{}:v1", layout.display());
    plimsoll(&[&["inventory", image.as_str(), "--quiet"], options].concat())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(cache.join("layers")).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn a_second_run_reads_no_layer_and_says_the_same() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let layout = folder.path().join("image");
    copy(&testdata(LAYOUT), &layout);
    let cold = inventory(&layout, &["--no-cache"]);
    assert!(cold.stdout.contains("pkg:"), "{}", cold.stderr);
    let with_cache = ["--cache-dir", cache.path().to_str().unwrap()];
    let first = inventory(&layout, &with_cache);
    assert_eq!((first.code, &first.stdout), (cold.code, &cold.stdout));
    let known = entries(cache.path());
    assert!(!known.is_empty());
    assert_eq!(inventory(&layout, &with_cache).stdout, cold.stdout);
    // Each entry stands for one layer; without the blobs only the cache can answer.
    let sizes = |path: &PathBuf| fs::metadata(path).unwrap().len();
    let mut blobs: Vec<PathBuf> = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path()).collect();
    blobs.retain(|blob| !fs::read(blob).unwrap().starts_with(b"{"));
    assert_eq!(blobs.len(), known.len(), "{:?}", blobs.iter().map(sizes).collect::<Vec<_>>());
    blobs.iter().for_each(|blob| fs::remove_file(blob).unwrap());
    assert_eq!(inventory(&layout, &with_cache).stdout, cold.stdout);
    inventory(&layout, &["--no-cache"]).expect(2);
}

#[test]
fn damaged_entries_cost_time_and_nothing_else() {
    let cache = tempfile::tempdir().unwrap();
    let layout = testdata(LAYOUT);
    let with_cache = ["--cache-dir", cache.path().to_str().unwrap()];
    let good = inventory(&layout, &with_cache);
    let kept: Vec<_> = entries(cache.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    for step in 0..12 {
        for (bytes, path) in &kept {
            let at = bytes.len() * step / 12;
            let mut damaged = bytes.clone();
            match step % 3 {
                0 => damaged.truncate(at),
                1 => damaged[at] ^= 0x10,
                _ => damaged.splice(at..at, *b"new").for_each(drop),
            }
            fs::write(path, damaged).unwrap();
        }
        let again = inventory(&layout, &with_cache);
        assert_eq!((again.code, again.stdout), (good.code, good.stdout.clone()), "step {step}");
        for (bytes, path) in &kept {
            assert!(fs::read(path).unwrap() == *bytes, "step {step}");
        }
    }
}

#[test]
fn a_folder_that_was_named_and_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    inventory(&testdata(LAYOUT), &["--cache-dir", file.to_str().unwrap()]).expect(2).complains("cannot use the cache folder");
    inventory(&testdata(LAYOUT), &["--cache-dir", file.to_str().unwrap(), "--no-cache", "--cache-size", "10M"]).says("pkg:");
    inventory(&testdata(LAYOUT), &["--cache-size", "many"]).expect(2);
}

#[test]
fn a_cache_that_may_hold_nothing_holds_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let options = ["--cache-dir", cache.path().to_str().unwrap(), "--cache-size", "0"];
    let first = inventory(&testdata(LAYOUT), &options);
    assert_eq!(entries(cache.path()), Vec::<PathBuf>::new());
    assert_eq!(inventory(&testdata(LAYOUT), &options).stdout, first.stdout);
}
