//! `--limit NAME=VALUE`: the limits that hostile images are held to, for the honest image that needs more of something.

use std::time::Duration;

use clap::Args;

use super::{Failure, cache::parse_size};
use crate::pipeline::Limits;

/// Which limits differ from their defaults.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limit options")]
pub(super) struct LimitOptions {
    /// Change a limit on what is read of an image, for example `kept-bytes=200M` (repeatable). What exceeds a limit is a gap that names it.
    /// `plimsoll explain limits` lists them; more of something may take more memory or time.
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
}

/// A limit: its name, what it bounds, how it is read and how it is set.
struct Limit {
    name: &'static str,
    bounds: &'static str,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

macro_rules! limit {
    ($name:literal, $field:ident, $bounds:literal) => {
        Limit {
            name: $name,
            bounds: $bounds,
            get: |limits| u64::try_from(limits.$field).unwrap_or(u64::MAX),
            set: |limits, value| limits.$field = value.try_into().unwrap_or(limits.$field),
        }
    };
}

/// Those that an honest image may exceed, sorted by name. The others bound what no tool writes.
const LIMITS: &[Limit] = &[
    limit!("archive-bytes", archive_bytes, "bytes inflated from one file's archives, nested ones included"),
    limit!("archive-depth", archive_depth, "archives that stand inside each other"),
    limit!("archive-entries", archive_entries, "entries of one file's archives, nested ones included"),
    limit!("blob-bytes", blob_bytes, "compressed bytes of one layer"),
    limit!("entries", entries, "entries of one layer"),
    limit!("examined-bytes", examined_bytes, "bytes of one archive or program that is looked into"),
    limit!("extract-bytes", extract_bytes, "bytes of what one archive or program says of its packages"),
    limit!("file-bytes", file_bytes, "bytes of one package record or database"),
    limit!("image-blob-bytes", image_blob_bytes, "compressed bytes of all layers"),
    limit!("image-bytes", image_bytes, "uncompressed bytes of all layers"),
    limit!("json-depth", json_depth, "nesting of one JSON record"),
    limit!("kept-bytes", kept_bytes, "bytes of package records kept of all layers, compressed"),
    limit!("layer-bytes", layer_bytes, "uncompressed bytes of one layer"),
    limit!("layers", layers, "layers that are read"),
    limit!("line-bytes", line_bytes, "bytes of one line of a record"),
    limit!("link-hops", link_hops, "symbolic links followed for one path"),
    limit!("marked-paths", marked_paths, "paths with special permissions, and files with secrets"),
    limit!("older-bytes", older_bytes, "bytes kept of package databases that upper layers replace"),
    limit!("packages", packages, "packages of one database, and of the image"),
    limit!("path-bytes", path_bytes, "bytes of one path or link target"),
    limit!("placed-path-bytes", placed_path_bytes, "bytes of the paths and links of records in the merged view"),
    limit!("ratio", ratio, "times that a layer may be larger than its blob, beyond ratio-floor"),
    limit!("ratio-floor", ratio_floor, "uncompressed bytes up to which no ratio is too much"),
    limit!("remembered-path-bytes", remembered_path_bytes, "bytes of the paths of one layer, without what neighbours share"),
    limit!(
        "scanned-file-bytes",
        scanned_file_bytes,
        "bytes of one text that credentials are looked for in; of larger ones only those of a telling name are gaps"
    ),
    Limit {
        name: "seconds",
        bounds: "seconds for all layers of an image",
        get: |limits| limits.time.as_secs(),
        set: |limits, value| limits.time = Duration::from_secs(value),
    },
    limit!("threads", threads, "layers read at the same time"),
];

impl LimitOptions {
    /// The limits of a run that lists packages.
    pub(super) fn build(&self) -> Result<Limits, Failure> {
        self.build_from(Limits::default())
    }

    /// The limits of a run that judges what is in the files as well.
    pub(super) fn build_for_files(&self) -> Result<Limits, Failure> {
        self.build_from(for_files())
    }

    fn build_from(&self, mut limits: Limits) -> Result<Limits, Failure> {
        for text in &self.limits {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Failure::new(format!("`--limit {text}` has no value")).hint("write NAME=VALUE, for example kept-bytes=200M")
            })?;
            let limit = LIMITS.iter().find(|limit| limit.name == name).ok_or_else(|| {
                let names: Vec<_> = LIMITS.iter().map(|limit| limit.name).collect();
                Failure::new(format!("there is no limit `{name}`")).hint(format!("there are {}", names.join(", ")))
            })?;
            let value = parse_size(value).ok().filter(|value| *value > 0).ok_or_else(|| {
                Failure::new(format!("`{value}` is no value of the limit {name}")).hint("write a number above 0, or one with K, M or G")
            })?;
            (limit.set)(&mut limits, value);
            if (limit.get)(&limits) != value {
                return Err(
                    Failure::new(format!("`{value}` is more than the limit {name} can be on this machine")).hint("choose a smaller one")
                );
            }
        }
        Ok(limits)
    }
}

/// The limits of a run that looks for credentials.
fn for_files() -> Limits {
    /// Text that people or tools write is smaller; above it are logs, dumps and bundles.
    const SCANNED: u64 = 1024 * 1024;
    Limits { scanned_file_bytes: SCANNED, ..Limits::default() }
}

/// Every limit with its default, for `explain`.
pub(super) fn listed() -> String {
    let limits = for_files();
    let width = LIMITS.iter().map(|limit| limit.name.len()).max().unwrap_or_default();
    let mut text =
        "What is read of an image at most; what exceeds a limit is a gap that names it. Change one with --limit NAME=VALUE.\n\n".to_owned();
    for limit in LIMITS {
        text.push_str(&format!("{:width$}  {:>13}  {}\n", limit.name, (limit.get)(&limits), limit.bounds));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(limits: &[&str]) -> Result<Limits, Failure> {
        LimitOptions { limits: limits.iter().map(|&text| text.to_owned()).collect() }.build()
    }

    #[test]
    fn every_limit_can_be_set_and_read_again() {
        assert!(LIMITS.is_sorted_by(|a, b| a.name < b.name));
        for limit in LIMITS {
            let limits = build(&[&format!("{}=4321", limit.name)]).ok().unwrap();
            assert_eq!((limit.get)(&limits), 4321, "{}", limit.name);
            let changed = LIMITS.iter().filter(|other| (other.get)(&limits) != (other.get)(&Limits::default())).count();
            assert_eq!(changed, 1, "{}", limit.name);
        }
        assert_eq!(build(&["kept-bytes=2M", "kept-bytes=3M"]).ok().unwrap().kept_bytes, 3 << 20);
        for bad in ["kept-bytes", "kept-bytes=", "kept-bytes=0", "kept-bytes=-1", "no-such=1", "=1"] {
            assert!(build(&[bad]).is_err(), "{bad}");
        }
    }
}
