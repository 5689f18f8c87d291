//! A configuration of hadolint that is there already: found where hadolint looks for it, read, and made a part of the policy.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::Failure;
use crate::{
    model::{mask::masked, policy::Policy},
    policy::hadolint::{ForeignUse, HadolintConfig},
};

/// Largest configuration in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the configuration, the named one or the one that is found, and the variables, and makes them a part of the policy.
pub(super) fn add(policy: &mut Policy, named: Option<&Path>, used_by: ForeignUse) -> Result<(), Failure> {
    let found = named.map(Path::to_owned).or_else(|| places().into_iter().find(|path| path.is_file()));
    let mut config = HadolintConfig::default();
    if let Some(path) = found {
        let shown = path.strip_prefix("./").unwrap_or(&path).display().to_string();
        let text = read(&path).map_err(|error| {
            Failure::new(format!("cannot read the configuration of hadolint `{shown}`: {error}"))
                .hint("leave it out with --no-hadolint-config")
        })?;
        config = HadolintConfig::parse(&shown, &text)?;
    }
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("HADOLINT_"))
        .collect();
    let config = config.joined(HadolintConfig::from_variables(&variables)?);
    if config == HadolintConfig::default() {
        return Ok(());
    }
    for notice in config.apply(policy, used_by) {
        let _ = writeln!(io::stderr().lock(), "plimsoll: note: {}", masked(&notice));
    }
    Ok(())
}

/// Where hadolint looks, in its order.
fn places() -> Vec<PathBuf> {
    let both = |folder: &Path, stem: &str| [folder.join(format!("{stem}.yaml")), folder.join(format!("{stem}.yml"))];
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = folder("HOME");
    let mut places = Vec::from(both(Path::new("."), ".hadolint"));
    if let Some(config) = folder("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config"))) {
        places.extend(both(&config, "hadolint"));
    }
    if let Some(home) = home {
        let own = home.join(".hadolint");
        places.extend(both(&own, "hadolint"));
        places.extend(both(&own, "config"));
        places.extend(both(&home, ".hadolint"));
    }
    places
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(text)
}
