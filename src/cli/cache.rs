//! Options of the layer cache in, the cache out.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use jiff::Timestamp;

use super::{Failure, options::home};
use crate::pipeline::FolderCache;

/// Where layers are remembered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache options")]
pub(super) struct CacheOptions {
    /// Remember here what each layer holds, so that no layer is read twice. Default: $PLIMSOLL_CACHE_DIR, else $XDG_CACHE_HOME/plimsoll or ~/.cache/plimsoll.
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Read every layer, also those that an earlier run read and whose bytes are not looked at again otherwise, and remember none.
    #[arg(long)]
    no_cache: bool,
    /// Forget the layers unused for longest when all are more than this: bytes, or a number with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse_size)]
    cache_size: u64,
}

impl CacheOptions {
    /// Opens the cache. One that nobody named may be missing: it saves time, no more.
    pub(super) fn open(&self, now: Timestamp) -> Result<Option<Arc<FolderCache>>, Failure> {
        if self.no_cache {
            return Ok(None);
        }
        let open = |folder: &PathBuf| FolderCache::open(folder, self.cache_size, now.into()).map(Arc::new);
        let variable = std::env::var_os("PLIMSOLL_CACHE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        match self.cache_dir.clone().or(variable) {
            Some(folder) => open(&folder).map(Some).map_err(|error| {
                Failure::new(format!("cannot use the cache folder `{}`: {error}", folder.display()))
                    .hint("name a folder of your own with --cache-dir, or add --no-cache")
            }),
            None => Ok(default_folder().and_then(|folder| open(&folder).ok())),
        }
    }
}

/// Where caches live on this machine. A home that is not there, as in many containers, is not made for it.
fn default_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let caches = variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| home().filter(|home| home.is_dir()).map(|home| home.join(".cache")))?;
    Some(caches.join("plimsoll"))
}

pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (text.get(..at), 1 << 10),
        Some((at, 'M' | 'm')) => (text.get(..at), 1 << 20),
        Some((at, 'G' | 'g')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1),
    };
    number
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "not a size such as 500M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(parse_size(text).ok(), expected, "{text}");
        check("0", Some(0));
        check("17", Some(17));
        check("2K", Some(2048));
        check("3m", Some(3 << 20));
        check("1G", Some(1 << 30));
        check("", None);
        check("G", None);
        check("-1", None);
        check("1.5G", None);
        check("99999999999G", None);
        check("1ü", None);
    }
}
