//! Measures the advisory database within one process: `advisory match DB PACKAGES.tsv` opens it and looks packages up, `advisory size DB` compresses its
//! shards. Prints one `name value` per line for `advisory.sh`.

use std::{collections::BTreeMap, error::Error, fs, io::Write as _, path::Path, time::Instant};

use plimsoll::{
    advisory::{Database, matcher::match_inventory},
    model::package::{Distro, Inventory, Package, PackageKind, PackageUrl},
};

const RUNS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let lines = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["match", database, packages] => measure(Path::new(database), Path::new(packages))?,
        ["size", database] => size(Path::new(database))?,
        // Without arguments there is nothing to measure, e.g. when all targets are run.
        _ => return Ok(()),
    };
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        writeln!(out, "{name} {value}")?;
    }
    Ok(())
}

type Lines = Vec<(&'static str, String)>;

fn measure(database: &Path, packages: &Path) -> Result<Lines, Box<dyn Error>> {
    let inventory = inventory(&fs::read_to_string(packages)?);
    let before = peak_kb();
    let (first, opened) = timed(|| Database::open(database));
    let opened = opened?;
    let mut again = Vec::new();
    for _ in 0..RUNS {
        let (took, database) = timed(|| Database::open(database));
        database?;
        again.push(took);
    }
    let (cold, (observations, gaps)) = timed(|| match_inventory(&opened, &inventory));
    let warm = (0..RUNS).map(|_| timed(|| match_inventory(&opened, &inventory)).0).collect();
    Ok(vec![
        ("open_first_ms", ms(first)),
        ("open_ms", ms(median(again))),
        ("packages", inventory.packages.len().to_string()),
        ("observations", observations.len().to_string()),
        ("gaps", gaps.len().to_string()),
        ("match_cold_ms", ms(cold)),
        ("match_warm_ms", ms(median(warm))),
        ("rss_before_mb", format!("{:.1}", before / 1024.0)),
        ("rss_mb", format!("{:.1}", peak_kb() / 1024.0)),
    ])
}

/// Rows, bytes and bytes under zstd -19 of all shards of advisories, and bytes of their texts.
fn size(database: &Path) -> Result<Lines, Box<dyn Error>> {
    let (mut rows, mut raw, mut packed, mut text) = (0_u64, 0, 0, 0);
    for shard in Database::open(database)?.status() {
        if let Some(bytes) = shard.text_bytes {
            let file = fs::read(database.join(format!("{}.plimdb", shard.name)))?;
            rows += u64::from(shard.rows);
            raw += file.len();
            packed += zstd::bulk::compress(&file, 19)?.len();
            text += bytes;
        }
    }
    let per_row = |bytes: usize| format!("{:.2}", bytes as f64 / rows.max(1) as f64);
    Ok(vec![
        ("rows", rows.to_string()),
        ("shard_bytes", raw.to_string()),
        ("text_bytes", text.to_string()),
        ("raw_bytes_per_row", per_row(raw)),
        ("packed_bytes_per_row", per_row(packed)),
    ])
}

fn inventory(list: &str) -> Inventory {
    let packages = list.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let kind = match parts.next()? {
            "rpm" => PackageKind::Rpm,
            "pypi" => PackageKind::Pypi,
            _ => return None,
        };
        let (name, version) = (parts.next()?, parts.next()?);
        let purl = PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new());
        Some(Package::new(kind, name.to_owned(), version.to_owned(), purl, "bench"))
    });
    let distro = Distro { id: "almalinux".to_owned(), version_id: Some("8.10".to_owned()), ..Distro::default() };
    Inventory { distro: Some(distro), packages: packages.collect(), gaps: Vec::new() }
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed().as_secs_f64() * 1000.0, result)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ms(time: f64) -> String {
    format!("{time:.3}")
}

/// The most that this process had in memory at once.
fn peak_kb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(f64::NAN)
}
