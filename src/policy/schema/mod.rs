//! The file format of policies, version 1: a YAML tree in, one unmerged [`Document`] out. `policies/schema.json` says the same for editors;
//! `tests/it/policy.rs` holds both to the same files.

mod clauses;
mod exceptions;
pub(crate) mod identity;
mod settings;
mod signers;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        coverage::SourceId,
        policy::{
            Clause, Exception, InlineIgnores, Mode, RuleSelection, RuleSetting, SeverityOverride, SeveritySource, SignatureRequirement,
            Suppressions, Worth,
        },
        rule::Group,
        severity::Severity,
    },
    policy::{
        Error, Place,
        fields::{Fields, Keys, list, map, number, scalar, seconds, severity, text, unknown, word, worth},
        pattern,
        yaml::{Node, Value, parse as parse_yaml},
    },
};

pub(super) use identity::{compile as compile_identity, literal as literal_identity};
pub(super) use settings::{RuleSettings, is_label, is_registry_pattern};
pub(super) use signers::{KeySource, SignerText, check_pem};

const TOP: Keys = Keys {
    known: &[
        "version",
        "extends",
        "name",
        "mode",
        "final",
        "severity",
        "findings",
        "rules",
        "end_of_life",
        "signers",
        "trust",
        "references",
        "signatures",
        "inspector_suppressions",
        "evidence",
        "exceptions",
    ],
    later: &["image", "base_images", "registry", "attestations", "vex", "baseline", "images", "verdict"],
};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One policy file, read and checked, not yet merged; `None` and empty mean "not said".
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) extends: Option<Placed<String>>,
    pub(super) name: Option<String>,
    pub(super) is_final: Option<bool>,
    pub(super) mode: Option<Placed<Mode>>,
    pub(super) severity_source: Option<Placed<SeveritySource>>,
    pub(super) unknown_as: Option<Placed<Severity>>,
    pub(super) overrides: Vec<Placed<SeverityOverride>>,
    pub(super) fail: Vec<Clause>,
    pub(super) warn: Vec<Clause>,
    pub(super) at_most: BTreeMap<&'static str, Placed<u64>>,
    pub(super) rules_fail: Vec<RuleSelection>,
    pub(super) rules_warn: Vec<RuleSelection>,
    pub(super) rules_set: BTreeMap<String, Placed<RuleSetting>>,
    pub(super) inline_ignores: BTreeMap<Group, Placed<InlineIgnores>>,
    pub(super) ignores_until_max: Option<Placed<i64>>,
    pub(super) settings: RuleSettings,
    pub(super) end_of_life_distro: Option<Placed<Worth>>,
    pub(super) signers: BTreeMap<String, Placed<SignerText>>,
    pub(super) trust_root: Option<Placed<String>>,
    pub(super) references: BTreeMap<String, Placed<String>>,
    pub(super) signatures: Vec<Placed<SignatureRequirement>>,
    pub(super) inspector_suppressions: Option<Placed<Suppressions>>,
    pub(super) require: Vec<BTreeSet<SourceId>>,
    pub(super) database_max_age_seconds: Option<Placed<i64>>,
    pub(super) gaps: BTreeMap<String, Placed<Worth>>,
    pub(super) gaps_default: Option<Placed<Worth>>,
    pub(super) max_days: Option<Placed<i64>>,
    pub(super) owners: Vec<Placed<String>>,
    pub(super) unused: Option<Placed<Worth>>,
    pub(super) soon_days: Option<i64>,
    pub(super) exceptions: Vec<Exception>,
}

/// Reads one policy file.
///
/// # Errors
/// When the text is not a policy of version 1, or asks for what this version does not judge.
pub(super) fn parse(file: &str, yaml: &str) -> Result<Document, Error> {
    let root = parse_yaml(file, yaml)?;
    let fields = Fields::of(&root, "a policy", &TOP)?;
    let version = fields.need("version", "a policy")?;
    if number(version, 1_000)? != 1 {
        return Err(Error::at(version.place.clone(), "this version reads policies of `version: 1`"));
    }
    let mut document = Document {
        extends: fields.read("extends", extends)?,
        name: fields.read("name", name)?,
        is_final: fields.read("final", crate::policy::fields::boolean)?,
        mode: fields.read("mode", |node| placed(node, word(node, "mode", &[("enforce", Mode::Enforce), ("audit", Mode::Audit)])?))?,
        references: fields.read("references", references)?.unwrap_or_default(),
        signers: fields.read("signers", signers::signers)?.unwrap_or_default(),
        signatures: fields.read_list("signatures", signers::requirement)?,
        inspector_suppressions: fields.read("inspector_suppressions", |node| {
            placed(node, word(node, "say on suppressions", &[("honour", Suppressions::Honour), ("refuse", Suppressions::Refuse)])?)
        })?,
        ..Document::default()
    };
    if let Some(node) = fields.get("severity")? {
        read_severity(node, &mut document)?;
    }
    if let Some(node) = fields.get("findings")? {
        clauses::read_findings(node, &mut document)?;
    }
    if let Some(node) = fields.get("rules")? {
        clauses::read_rules(node, &mut document)?;
    }
    if let Some(node) = fields.get("end_of_life")? {
        let fields = Fields::of(node, "`end_of_life`", &Keys { known: &["distro"], later: &["runtime", "ahead"] })?;
        document.end_of_life_distro = fields.read("distro", |node| placed(node, worth(node)?))?;
    }
    if let Some(node) = fields.get("trust")? {
        let fields = Fields::of(node, "`trust`", &Keys { known: &["root"], later: &[] })?;
        document.trust_root = fields.read("root", |node| placed(node, text(node)?))?;
    }
    if let Some(node) = fields.get("evidence")? {
        read_evidence(node, &mut document)?;
    }
    if let Some(node) = fields.get("exceptions")? {
        exceptions::read(node, &mut document)?;
    }
    Ok(document)
}

/// The same value with the place of `node`.
#[expect(clippy::unnecessary_wraps, reason = "every reader of a field returns a result, so that `Fields::read` takes it as it is")]
fn placed<T>(node: &Node, value: T) -> Result<Placed<T>, Error> {
    Ok(Placed { value, place: node.place.clone() })
}

fn extends(node: &Node) -> Result<Placed<String>, Error> {
    let reference = text(node)?;
    if reference.contains("@sha256:") || reference.starts_with("oci:") {
        return Err(Error::NotSupported { place: node.place.clone(), key: reference });
    }
    placed(node, reference)
}

fn name(node: &Node) -> Result<String, Error> {
    let name = text(node)?;
    if name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        Ok(name)
    } else {
        Err(Error::at(node.place.clone(), "a policy's name has at most 64 letters, digits, `.`, `_`, `-`"))
    }
}

fn references(node: &Node) -> Result<BTreeMap<String, Placed<String>>, Error> {
    let mut found = BTreeMap::new();
    for (key, name, value) in map(node, "`references`")? {
        if !pattern::is_repository_name(name) {
            return Err(Error::at(key.place.clone(), format!("`{name}` is no `registry/repository`")));
        }
        let target = text(value)?;
        if !pattern::is_repository_name(&target) {
            return Err(Error::at(value.place.clone(), format!("`{target}` is no `registry/repository`")));
        }
        found.insert(name.clone(), Placed { value: target, place: key.place.clone() });
    }
    Ok(found)
}

fn read_severity(node: &Node, document: &mut Document) -> Result<(), Error> {
    let fields = Fields::of(node, "`severity`", &Keys { known: &["source", "unknown_as", "override"], later: &[] })?;
    let sources = [
        ("vendor", SeveritySource::Vendor),
        ("max", SeveritySource::Max),
        ("inspector", SeveritySource::Inspector),
        ("nvd", SeveritySource::Nvd),
    ];
    document.severity_source = fields.read("source", |node| placed(node, word(node, "severity source", &sources)?))?;
    document.unknown_as = fields.read("unknown_as", |node| placed(node, severity(node)?))?;
    document.overrides = fields.read_list("override", |node| placed(node, exceptions::severity_override(node)?))?;
    Ok(())
}

fn read_evidence(node: &Node, document: &mut Document) -> Result<(), Error> {
    let fields = Fields::of(node, "`evidence`", &Keys { known: &["require", "database_max_age", "gaps"], later: &[] })?;
    document.require = fields.read_list("require", requirement)?;
    document.database_max_age_seconds = fields.read("database_max_age", |node| placed(node, seconds(node)?))?;
    let Some(gaps) = fields.get("gaps")? else { return Ok(()) };
    for (key, name, value) in map(gaps, "`gaps`")? {
        let worth = placed(value, worth(value)?)?;
        if name == "default" {
            document.gaps_default = Some(worth);
        } else if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b))
            && name.starts_with(|c: char| c.is_ascii_lowercase())
        {
            document.gaps.insert(name.clone(), worth);
        } else {
            return Err(Error::at(key.place.clone(), format!("`{name}` is no kind of gap"))
                .advise("a kind is written like `stale`, `unchecked.registry` or `offline.stale`"));
        }
    }
    Ok(())
}

/// Words for sources in policy files; `ecr` is whatever ECR answers with, of either scan type.
const SOURCES: [(&str, &[SourceId]); 9] = [
    ("dockerfile", &[SourceId::Dockerfile]),
    ("image", &[SourceId::Image]),
    ("inventory", &[SourceId::Inventory]),
    ("offline", &[SourceId::Offline]),
    ("ecr", &[SourceId::Ecr, SourceId::EcrBasic]),
    ("ecr-basic", &[SourceId::EcrBasic]),
    ("inspector", &[SourceId::Inspector]),
    ("sbom-scan", &[SourceId::InspectorSbom]),
    ("signatures", &[SourceId::Signatures]),
];

fn requirement(node: &Node) -> Result<BTreeSet<SourceId>, Error> {
    if !matches!(node.value, Value::Map(_)) {
        return Ok(source(node)?.iter().copied().collect());
    }
    let fields = Fields::of(node, "an entry of `require`", &Keys { known: &["any_of"], later: &[] })?;
    let items = list(fields.need("any_of", "an entry of `require`")?)?;
    if items.is_empty() {
        return Err(Error::at(node.place.clone(), "`any_of` must not be empty"));
    }
    let mut any = BTreeSet::new();
    for item in items {
        any.extend(source(item)?.iter().copied());
    }
    Ok(any)
}

fn source(node: &Node) -> Result<&'static [SourceId], Error> {
    let written = scalar(node)?;
    let found = SOURCES.iter().find(|(name, _)| *name == written).map(|(_, sources)| *sources);
    found.ok_or_else(|| unknown(&node.place, &format!("`{written}` is no source"), written, SOURCES.iter().map(|(name, _)| *name)))
}
