//! `rules.settings`: what rules are told by a policy file.

use std::collections::BTreeMap;

use crate::{
    model::lint::LabelForm,
    policy::{
        Error,
        fields::{Fields, Keys, boolean, list, map, text, word},
        yaml::Node,
    },
};

use super::{Placed, placed};

/// Settings of rules with their places.
#[derive(Debug, Default)]
pub(in crate::policy) struct RuleSettings {
    pub(in crate::policy) trusted_registries: Vec<Placed<String>>,
    pub(in crate::policy) trusted_frontends: Vec<Placed<String>>,
    pub(in crate::policy) allowed_setuid: Vec<Placed<String>>,
    pub(in crate::policy) labels: BTreeMap<String, Placed<LabelForm>>,
    pub(in crate::policy) strict_labels: Option<Placed<bool>>,
    pub(in crate::policy) foreign_lowers_security: Option<Placed<bool>>,
}

/// Reads `rules.settings`.
pub(super) fn read(node: &Node) -> Result<RuleSettings, Error> {
    let known = &["untrusted-base-registry", "untrusted-frontend", "setuid-file", "labels", "strict_labels", "hadolint"];
    let fields = Fields::of(node, "`settings`", &Keys { known, later: &[] })?;
    Ok(RuleSettings {
        trusted_registries: fields.read("untrusted-base-registry", |node| allowed(node, registry))?.unwrap_or_default(),
        trusted_frontends: fields.read("untrusted-frontend", |node| allowed(node, frontend))?.unwrap_or_default(),
        allowed_setuid: fields.read("setuid-file", |node| allowed(node, file))?.unwrap_or_default(),
        labels: fields.read("labels", labels)?.unwrap_or_default(),
        strict_labels: fields.read("strict_labels", |node| placed(node, boolean(node)?))?,
        foreign_lowers_security: fields.read("hadolint", hadolint)?,
    })
}

/// The list under `allow`.
fn allowed(node: &Node, read: impl Fn(&Node) -> Result<String, Error>) -> Result<Vec<Placed<String>>, Error> {
    let fields = Fields::of(node, "the settings of a rule", &Keys { known: &["allow"], later: &[] })?;
    let items = list(fields.need("allow", "the settings of a rule")?)?;
    if items.is_empty() {
        return Err(Error::at(node.place.clone(), "`allow` must not be empty"));
    }
    items.iter().map(|item| placed(item, read(item)?)).collect()
}

/// What a configuration of hadolint may do.
fn hadolint(node: &Node) -> Result<Placed<bool>, Error> {
    let fields = Fields::of(node, "`hadolint`", &Keys { known: &["security"], later: &[] })?;
    let say = fields.need("security", "`hadolint`")?;
    placed(say, word(say, "say on rules about security", &[("honour", true), ("refuse", false)])?)
}

/// A registry or repository pattern: one `*`, first or last.
fn registry(node: &Node) -> Result<String, Error> {
    let entry = text(node)?;
    if is_registry_pattern(&entry) {
        return Ok(entry);
    }
    Err(Error::at(node.place.clone(), format!("`{entry}` is no pattern of registries"))
        .advise("write `registry.example.org`, `registry.example.org/base/*` or `*.example.org`: one star, first or last, no tag"))
}

/// Whether the text names a registry or repository, without scheme, tag and digest, with at most one star at either end.
pub(in crate::policy) fn is_registry_pattern(entry: &str) -> bool {
    let body = entry.strip_prefix('*').or_else(|| entry.strip_suffix('*')).unwrap_or(entry);
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-/:".contains(&b);
    let tagged = entry.rsplit_once('/').is_some_and(|(_, last)| last.contains(':'));
    entry == "*" || (!body.is_empty() && body.len() <= 512 && body.bytes().all(legal) && !body.contains("//") && !tagged)
}

fn frontend(node: &Node) -> Result<String, Error> {
    let entry = text(node)?;
    if is_registry_pattern(&entry) && !entry.starts_with('*') {
        return Ok(entry);
    }
    Err(Error::at(node.place.clone(), format!("`{entry}` is no name of a frontend"))
        .advise("write `registry.example.org/frontends/dockerfile` or `registry.example.org/frontends/*`, without tag"))
}

fn file(node: &Node) -> Result<String, Error> {
    let path = text(node)?;
    match path.strip_prefix('/') {
        Some(rest)
            if !rest.is_empty() && !rest.contains(['*', '?', '\0']) && !rest.split('/').any(|part| matches!(part, "" | "." | "..")) =>
        {
            Ok(rest.to_owned())
        }
        _ => Err(Error::at(node.place.clone(), format!("`{path}` is no path of one file")).advise("write it from the root: /usr/bin/su")),
    }
}

fn labels(node: &Node) -> Result<BTreeMap<String, Placed<LabelForm>>, Error> {
    let mut found = BTreeMap::new();
    for (key, name, value) in map(node, "`labels`")? {
        if !is_label(name) {
            return Err(Error::at(key.place.clone(), format!("`{name}` is no key of a label"))
                .advise("letters, digits, `.`, `_`, `/` and `-`, at most 128"));
        }
        found.insert(name.clone(), placed(value, word(value, "form of a label", &LabelForm::ALL)?)?);
    }
    Ok(found)
}

/// Whether a label may have this key.
pub(in crate::policy) fn is_label(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b))
}
