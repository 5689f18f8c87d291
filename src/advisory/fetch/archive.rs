//! Archives of records (`<Ecosystem>/all.zip`) as files. In: an archive and single records that came later; out: whether it is whole, which records it lacks,
//! and a new archive with the later records in it. The records that stay are copied as they are, packed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Write as _},
    path::Path,
};

use jiff::Timestamp;
use serde::Deserialize;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::listing::Listing;

/// More files than this in one archive are an attack.
const MAX_ENTRIES: usize = 8_000_000;
/// All records of one archive, unpacked.
const MAX_UNPACKED: u64 = 64 << 30;
/// A record that is looked at for its date.
const MAX_RECORD: u64 = 64 << 20;

type Archive = ZipArchive<BufReader<File>>;

fn open(path: &Path) -> Result<Archive, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    if archive.len() > MAX_ENTRIES { Err("the archive has too many files".to_owned()) } else { Ok(archive) }
}

/// Unpacks everything to nowhere: what is cut, or has a wrong checksum, does not get into the place of a good archive.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let mut archive = open(path)?;
    if archive.is_empty() {
        return Err("the archive is empty".to_owned());
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
        let read = io::copy(&mut entry.by_ref().take(left + 1), &mut io::sink()).map_err(|error| error.to_string())?;
        left = left.checked_sub(read).ok_or("the records are too large together")?;
    }
    Ok(())
}

/// The records of a listing that the archive does not have, or has in an older state than the listing says. Only the newest are opened.
pub(super) fn behind(path: &Path, listing: &Listing, now: Timestamp) -> Result<BTreeSet<String>, String> {
    #[derive(Deserialize)]
    struct Dated {
        modified: Option<String>,
    }
    let mut archive = open(path)?;
    let there: BTreeSet<String> = archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".json")?.to_owned())).collect();
    let mut behind: BTreeSet<String> = listing.records().map(|(id, _)| id).filter(|id| !there.contains(*id)).map(str::to_owned).collect();
    for (id, time) in listing.newest(now) {
        let Ok(entry) = archive.by_name(&format!("{id}.json")) else { continue };
        let mut bytes = Vec::new();
        entry.take(MAX_RECORD).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let modified = serde_json::from_slice::<Dated>(&bytes).ok().and_then(|record| record.modified?.parse::<Timestamp>().ok());
        // A record with a date that is none, as some feeds write, cannot be told from a newer one.
        if modified.is_some_and(|modified| modified < time && modified.as_second() > 0) {
            behind.insert(id.to_owned());
        }
    }
    Ok(behind)
}

/// Writes `old` with `records` in the place of those of the same id.
pub(super) fn merge(old: &Path, records: &BTreeMap<String, Vec<u8>>, new: &Path) -> Result<(), String> {
    let mut archive = open(old)?;
    let file = File::create(new).map_err(|error| error.to_string())?;
    let mut writer = ZipWriter::new(BufWriter::new(file));
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        let replaced = entry.name().is_ok_and(|name| name.strip_suffix(".json").is_some_and(|id| records.contains_key(id)));
        if !replaced {
            writer.raw_copy_file(entry).map_err(|error| error.to_string())?;
        }
    }
    // One time for all, so that the same records make the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(zip::DateTime::default());
    for (id, bytes) in records {
        writer.start_file(format!("{id}.json"), options).map_err(|error| error.to_string())?;
        writer.write_all(bytes).map_err(|error| error.to_string())?;
    }
    let mut file = writer.finish().map_err(|error| error.to_string())?;
    file.flush().map_err(|error| error.to_string())?;
    file.get_ref().sync_all().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(path: &Path, records: &[(&str, &str)]) {
        let mut writer = ZipWriter::new(File::create(path).unwrap());
        for (id, text) in records {
            writer.start_file(format!("{id}.json"), SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
    }

    fn contents(path: &Path) -> BTreeMap<String, String> {
        let mut archive = open(path).unwrap();
        (0..archive.len())
            .map(|index| {
                let mut entry = archive.by_index(index).unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.name().unwrap().into_owned(), text)
            })
            .collect()
    }

    #[test]
    fn later_records_take_the_place_of_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new, again) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("again"));
        archive(&old, &[("A", "1"), ("B", "2")]);
        let records = BTreeMap::from([("B".to_owned(), b"3".to_vec()), ("C".to_owned(), b"4".to_vec())]);
        merge(&old, &records, &new).unwrap();
        let expected = [("A.json", "1"), ("B.json", "3"), ("C.json", "4")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(contents(&new), BTreeMap::from(expected));
        check(&new).unwrap();
        merge(&old, &records, &again).unwrap();
        assert_eq!(std::fs::read(&new).unwrap(), std::fs::read(&again).unwrap());
    }

    #[test]
    fn an_archive_that_is_behind_its_listing_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.zip");
        let record = |time: &str| format!(r#"{{"modified":"{time}"}}"#);
        archive(
            &path,
            &[("A", &record("2026-11-20T00:00:00Z")), ("B", &record("2026-11-19T00:00:00Z")), ("C", &record("0001-01-01T00:00:00Z"))],
        );
        let times = "2026-11-20T00:00:00Z,A\n2026-11-20T01:00:00Z,B\n2026-11-20T00:00:00Z,C\n2026-01-01T00:00:00Z,D\n";
        let found = behind(&path, &Listing::parse(times.as_bytes()).unwrap(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["B", "D"]);
    }

    #[test]
    fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.zip");
        archive(&path, &[("A", &"abc ".repeat(1000))]);
        check(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[45] ^= 1;
        for bytes in [&good[..good.len() / 2], &good[..good.len() - 1], &flipped, b"", b"<html>"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(check(&path).is_err());
        }
        archive(&path, &[]);
        assert!(check(&path).is_err());
    }
}
