//! `signers` and `signatures` of a policy file (rules: `.github/ARCHITECTURE.md`, "Whom to trust").

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::policy::{IdentityMatch, LogRequirement, SignatureRequirement},
    policy::{
        Error,
        fields::{Fields, Keys, list, map, number, one_or_many, text, word},
        pattern,
        yaml::{Node, Value},
    },
};

use super::{Placed, clauses::is_id, identity, placed};

/// A signer as written; a key may still have to be read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignerText {
    /// A public key.
    Key {
        /// Where the PEM text is.
        source: KeySource,
        /// Whether a log must vouch.
        log: LogRequirement,
    },
    /// A keyless identity.
    Keyless {
        /// Issuer.
        issuer: String,
        /// Subject.
        identity: IdentityMatch,
        /// Further extensions.
        extensions: BTreeMap<String, BTreeSet<String>>,
    },
}

/// Where the text of a public key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// In the policy itself.
    Inline(String),
    /// In a file, relative to the policy's.
    Path(String),
}

const GITHUB: &[&str] = &["repository", "owner", "ref", "trigger", "runner", "build_signer", "run"];

/// Reads `signers`.
pub(super) fn signers(node: &Node) -> Result<BTreeMap<String, Placed<SignerText>>, Error> {
    let mut found = BTreeMap::new();
    for (key, name, value) in map(node, "`signers`")? {
        if !is_id(name) {
            return Err(Error::at(key.place.clone(), format!("`{name}` is no name of a signer"))
                .advise("letters, digits, `_` and `-`, a letter first"));
        }
        found.insert(name.clone(), Placed { value: signer(value)?, place: key.place.clone() });
    }
    Ok(found)
}

fn signer(node: &Node) -> Result<SignerText, Error> {
    let what = "a signer";
    let fields = Fields::of(node, what, &Keys { known: &["key", "keyless", "log"], later: &["valid", "spki_sha256", "notation"] })?;
    let log = fields.read("log", |node| {
        let log = word(node, "say on the log", &[("require", LogRequirement::Require), ("allow-missing", LogRequirement::AllowMissing)])?;
        placed(node, log)
    })?;
    match (fields.get("key")?, fields.get("keyless")?) {
        (Some(key), None) => {
            Ok(SignerText::Key { source: key_source(key)?, log: log.map_or(LogRequirement::AllowMissing, |log| log.value) })
        }
        (None, Some(node)) => match log {
            Some(Placed { value: LogRequirement::AllowMissing, place }) => {
                Err(Error::at(place, "a keyless signature without a log entry cannot be dated")
                    .advise("remove `log`, or trust a key instead"))
            }
            _ => keyless(node),
        },
        _ => Err(Error::at(node.place.clone(), "a signer needs either `key` or `keyless`")),
    }
}

fn key_source(node: &Node) -> Result<KeySource, Error> {
    let key = text(node)?;
    if key.trim_start().starts_with("-----BEGIN") {
        check_pem(&key).map_err(|message| Error::at(node.place.clone(), message))?;
        return Ok(KeySource::Inline(key));
    }
    if key.contains("://") {
        let scheme = key.split("://").next().unwrap_or_default();
        return Err(Error::NotSupported { place: node.place.clone(), key: format!("{scheme}://") });
    }
    if key.contains(['\n', '\0']) {
        return Err(Error::at(node.place.clone(), "this is neither a PEM public key nor a path"));
    }
    Ok(KeySource::Path(key))
}

/// Whether `text` is one PEM public key; says what else it is.
pub(crate) fn check_pem(text: &str) -> Result<(), String> {
    let begins: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("-----BEGIN")).collect();
    match begins.as_slice() {
        ["-----BEGIN PUBLIC KEY-----" | "-----BEGIN RSA PUBLIC KEY-----"] if text.contains("-----END ") => Ok(()),
        [label] if label.contains("PRIVATE") => Err("this is a private key; a policy names public keys only".to_owned()),
        [label] => Err(format!("`{label}` is no public key")),
        [] => Err("there is no PEM public key in it".to_owned()),
        _ => Err("there is more than one PEM block in it".to_owned()),
    }
}

fn keyless(node: &Node) -> Result<SignerText, Error> {
    let what = "a keyless signer";
    let fields =
        Fields::of(node, what, &Keys { known: &["issuer", "identity", "identity_pattern", "github"], later: &["issuer_pattern"] })?;
    let issuer = text(fields.need("issuer", what)?)?;
    let identity = match (fields.get("identity")?, fields.get("identity_pattern")?) {
        (Some(identity), None) => IdentityMatch::Exact(text(identity)?),
        (None, Some(pattern)) => {
            let written = text(pattern)?;
            identity::check(&written).map_err(|fault| match fault.corrected {
                Some(corrected) => Error::at(pattern.place.clone(), fault.message).advise(format!("write '{corrected}'")),
                None => Error::at(pattern.place.clone(), fault.message),
            })?;
            IdentityMatch::Pattern(written)
        }
        _ => return Err(Error::at(node.place.clone(), "a keyless signer needs either `identity` or `identity_pattern`")),
    };
    let mut extensions = BTreeMap::new();
    if let Some(node) = fields.get("github")? {
        let github = Fields::of(node, "`github`", &Keys { known: GITHUB, later: &[] })?;
        for name in GITHUB {
            if let Some(values) = github.read(name, |node| one_or_many(node, text))? {
                extensions.insert((*name).to_owned(), values.into_iter().collect());
            }
        }
    }
    Ok(SignerText::Keyless { issuer, identity, extensions })
}

/// Reads one entry of `signatures`.
pub(super) fn requirement(node: &Node) -> Result<Placed<SignatureRequirement>, Error> {
    let keys = Keys {
        known: &["id", "any_of", "threshold", "annotations", "images"],
        later: &["platforms", "max_age", "refuse_any_invalid", "claim_types"],
    };
    let what = "a required signature";
    let fields = Fields::of(node, what, &keys)?;
    let (of, at_least) = match (fields.get("any_of")?, fields.get("threshold")?) {
        (Some(any), None) => (names(any)?, 1),
        (None, Some(node)) => {
            let threshold = Fields::of(node, "`threshold`", &Keys { known: &["of", "at_least"], later: &[] })?;
            let of = names(threshold.need("of", "`threshold`")?)?;
            let least = threshold.need("at_least", "`threshold`")?;
            let at_least = usize::try_from(number(least, 64)?).unwrap_or_default();
            if at_least == 0 || at_least > of.len() {
                return Err(Error::at(least.place.clone(), format!("`at_least` must be from 1 to {}, the number of signers", of.len())));
            }
            (of, at_least)
        }
        _ => return Err(Error::at(node.place.clone(), "a required signature needs either `any_of` or `threshold`")),
    };
    let mut annotations = BTreeMap::new();
    if let Some(node) = fields.get("annotations")? {
        for (_, key, value) in map(node, "`annotations`")? {
            annotations.insert(key.clone(), text(value)?);
        }
    }
    let id = fields.read("id", text)?.unwrap_or_default();
    placed(node, SignatureRequirement { id, of, at_least, annotations, images: fields.read_list("images", pattern::image)? })
}

fn names(node: &Node) -> Result<Vec<String>, Error> {
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        return Err(Error::at(node.place.clone(), "this list must name a signer"));
    }
    let mut names = Vec::new();
    for item in list(node)? {
        let name = text(item)?;
        if names.contains(&name) {
            return Err(Error::at(item.place.clone(), format!("`{name}` is named twice")));
        }
        names.push(name);
    }
    Ok(names)
}
