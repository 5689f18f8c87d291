//! Signers named on the command line: a key file or an identity in, what the policy calls a signer out.

use std::{collections::BTreeMap, path::Path};

use super::Failure;
use crate::{
    model::policy::{IdentityMatch, LogRequirement, Signer},
    policy,
};

/// The signer that holds the private half of a PEM public key.
pub(super) fn of_key(option: &str, file: &Path) -> Result<Signer, Failure> {
    let pem = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("cannot read key `{}`: {error}", file.display())).hint(format!("{option} takes a PEM public key"))
    })?;
    Ok(Signer::Key { pem, origin: file.display().to_string(), log: LogRequirement::AllowMissing })
}

/// The signer whom `issuer` vouches for under an identity, or one that fits a pattern.
pub(super) fn of_identity(issuer: &str, identity: Option<&String>, pattern: Option<&String>) -> Result<Signer, Failure> {
    let identity = match (identity, pattern) {
        (Some(identity), _) => IdentityMatch::Exact(identity.clone()),
        (None, Some(pattern)) => {
            policy::check_identity_pattern(pattern).map_err(|(fault, corrected)| {
                let failure = Failure::new(fault.replace("identity_pattern", "--identity-pattern"));
                match corrected {
                    Some(pattern) => failure.hint(format!("perhaps {pattern}")),
                    None => failure,
                }
            })?;
            IdentityMatch::Pattern(pattern.clone())
        }
        (None, None) => {
            return Err(Failure::new("--issuer without an identity trusts everybody whom the issuer knows")
                .hint("add --identity or --identity-pattern"));
        }
    };
    Ok(Signer::Keyless { issuer: issuer.to_owned(), identity, extensions: BTreeMap::new() })
}
