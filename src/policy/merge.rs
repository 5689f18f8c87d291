//! Policy files in reading order in, one [`Policy`] out: scalars replace, lists append, signers join. After a file that says `final: true`
//! nothing may be loosened any more: that is an error at the place that tries.

use std::collections::BTreeMap;

use crate::{
    model::{
        digest::Digest,
        lint::{LabelForm, LintSettings},
        policy::{
            EvidencePolicy, ExceptionPolicy, ForeignRules, InlineIgnores, Mode, Policy, RulePolicy, RuleSetting, SeverityName,
            SeverityPolicy, SeveritySource, Signer, Suppressions, Worth,
        },
        severity::Severity,
    },
    policy::{
        Error, canonical,
        clause::rank,
        codes::LOWERED,
        schema::{Document, KeySource, Placed, RuleSettings, SignerText},
    },
};

/// A document with its keys read in.
pub(super) struct Loaded {
    /// What the file says.
    pub(super) document: Document,
    /// PEM text and origin of every key that stands in a file, by signer.
    pub(super) keys: BTreeMap<String, (String, String)>,
}

/// Joins `documents`, the first read first.
///
/// # Errors
/// When a later file loosens what a final one says, or the whole lacks something.
pub(super) fn merge(documents: Vec<Loaded>, files: Vec<(String, Digest)>) -> Result<Policy, Error> {
    let mut merger = Merger { policy: start(files), is_final: false, gaps_said: BTreeMap::new() };
    for loaded in documents {
        merger.add(loaded)?;
    }
    let mut policy = merger.policy;
    name_parts(&mut policy);
    policy.digest = Digest::sha256_of(canonical::text(&policy).as_bytes());
    Ok(policy)
}

/// What holds when no file says anything: nothing is required, nothing is forgiven.
fn start(files: Vec<(String, Digest)>) -> Policy {
    Policy {
        name: "unnamed".to_owned(),
        digest: Digest::sha256_of(b""),
        files,
        mode: Mode::Enforce,
        severity: SeverityPolicy { source: SeveritySource::Vendor, unknown_as: Severity::Medium, overrides: Vec::new() },
        fail: Vec::new(),
        warn: Vec::new(),
        at_most: BTreeMap::new(),
        rules: RulePolicy {
            fail: Vec::new(),
            warn: Vec::new(),
            set: BTreeMap::new(),
            inline_ignores: BTreeMap::new(),
            ignores_until_max: None,
            settings: LintSettings::DEFAULT,
            foreign: ForeignRules::default(),
        },
        signers: BTreeMap::new(),
        trust_root: None,
        references: BTreeMap::new(),
        signatures: Vec::new(),
        evidence: EvidencePolicy {
            require: Vec::new(),
            database_max_age_seconds: None,
            gaps: LOWERED.map(|(kind, worth)| (kind.to_owned(), worth)).into(),
            default: Worth::Fail,
        },
        exceptions: ExceptionPolicy { max_days: None, owners: Vec::new(), unused: Worth::Warn, soon_days: 14, list: Vec::new() },
        inspector_suppressions: Suppressions::Honour,
        end_of_life_distro: Worth::Ignore,
    }
}

struct Merger {
    policy: Policy,
    is_final: bool,
    gaps_said: BTreeMap<String, Worth>,
}

impl Merger {
    fn add(&mut self, loaded: Loaded) -> Result<(), Error> {
        let Loaded { document, keys } = loaded;
        self.add_judging(&document)?;
        self.add_rules(&document)?;
        self.add_evidence(&document)?;
        self.add_trust(&document, &keys)?;
        self.add_exceptions(&document)?;
        self.policy.fail.extend(document.fail);
        self.policy.warn.extend(document.warn);
        self.policy.rules.fail.extend(document.rules_fail);
        self.policy.rules.warn.extend(document.rules_warn);
        self.policy.evidence.require.extend(document.require);
        self.policy.exceptions.list.extend(document.exceptions);
        // A policy of its own is not its base: without a name it is called after the base, not like it.
        if let Some(name) = document.name {
            self.policy.name = name;
        } else if document.extends.is_some() {
            self.policy.name = format!("unnamed (extends {})", self.policy.name);
        }
        self.is_final |= document.is_final == Some(true);
        Ok(())
    }

    /// Refuses `loosens` after a final file.
    fn guard<T>(&self, said: &Placed<T>, what: &str, loosens: impl FnOnce(&T) -> bool) -> Result<(), Error> {
        if self.is_final && loosens(&said.value) {
            return Err(Error::at(said.place.clone(), format!("{what} cannot be loosened: a file that this one adds to is final")));
        }
        Ok(())
    }

    fn add_judging(&mut self, document: &Document) -> Result<(), Error> {
        if let Some(mode) = &document.mode {
            self.guard(mode, "`mode`", |mode| *mode == Mode::Audit && self.policy.mode == Mode::Enforce)?;
            self.policy.mode = mode.value;
        }
        if let Some(source) = &document.severity_source {
            self.guard(source, "`severity.source`", |source| *source != SeveritySource::Max && *source != self.policy.severity.source)?;
            self.policy.severity.source = source.value;
        }
        if let Some(unknown) = &document.unknown_as {
            self.guard(unknown, "`severity.unknown_as`", |unknown| rank(*unknown) < rank(self.policy.severity.unknown_as))?;
            self.policy.severity.unknown_as = unknown.value;
        }
        for own in &document.overrides {
            self.guard(own, "`severity.override`", |_| true)?;
            self.policy.severity.overrides.push(own.value.clone());
        }
        for (name, most) in &document.at_most {
            let before = self.policy.at_most.get(&SeverityName(name)).copied();
            self.guard(most, "`findings.at_most`", |most| before.is_some_and(|before| *most > before))?;
            self.policy.at_most.insert(SeverityName(name), most.value);
        }
        if let Some(say) = &document.inspector_suppressions {
            let refused = self.policy.inspector_suppressions == Suppressions::Refuse;
            self.guard(say, "`inspector_suppressions`", |say| refused && *say == Suppressions::Honour)?;
            self.policy.inspector_suppressions = say.value;
        }
        if let Some(worth) = &document.end_of_life_distro {
            self.guard(worth, "`end_of_life.distro`", |worth| *worth < self.policy.end_of_life_distro)?;
            self.policy.end_of_life_distro = worth.value;
        }
        Ok(())
    }

    fn add_rules(&mut self, document: &Document) -> Result<(), Error> {
        for (id, setting) in &document.rules_set {
            let before = self.policy.rules.set.get(id).copied();
            self.guard(setting, "`rules.set`", |setting| *setting != RuleSetting::Fail && before != Some(*setting))?;
            self.policy.rules.set.insert(id.clone(), setting.value);
        }
        for (group, say) in &document.inline_ignores {
            let strictness = |say: InlineIgnores| match say {
                InlineIgnores::Allow => 0,
                InlineIgnores::WithReason => 1,
                InlineIgnores::Refuse => 2,
            };
            let before = self.policy.rules.inline_ignores.get(group).copied().unwrap_or(InlineIgnores::Allow);
            self.guard(say, "`rules.inline_ignores`", |say| strictness(*say) < strictness(before))?;
            self.policy.rules.inline_ignores.insert(*group, say.value);
        }
        if let Some(days) = &document.ignores_until_max {
            let before = self.policy.rules.ignores_until_max;
            self.guard(days, "`rules.inline_ignores.until_max`", |days| before.is_some_and(|before| *days > before))?;
            self.policy.rules.ignores_until_max = Some(days.value);
        }
        self.add_settings(document)
    }

    fn add_settings(&mut self, document: &Document) -> Result<(), Error> {
        let RuleSettings { trusted_registries, trusted_frontends, allowed_setuid, labels, strict_labels, foreign_lowers_security } =
            &document.settings;
        let before = &self.policy.rules.settings;
        for entry in trusted_registries {
            // Where nothing was asked, the first list asks something; a longer list asks less.
            let is_open = before.trusted_registries.is_empty();
            let loosens = |entry: &String| !is_open && !before.trusted_registries.contains(entry);
            self.guard(entry, "`rules.settings.untrusted-base-registry`", loosens)?;
        }
        for entry in trusted_frontends {
            self.guard(entry, "`rules.settings.untrusted-frontend`", |entry| !before.trusted_frontends.contains(entry))?;
        }
        for entry in allowed_setuid {
            self.guard(entry, "`rules.settings.setuid-file`", |entry| !before.allowed_setuid.contains(entry))?;
        }
        for (name, form) in labels {
            let loosens = |form: &LabelForm| before.labels.get(name).is_some_and(|known| known != form && *known != LabelForm::Text);
            self.guard(form, "`rules.settings.labels`", loosens)?;
        }
        if let Some(strict) = strict_labels {
            self.guard(strict, "`rules.settings.strict_labels`", |strict| before.strict_labels && !strict)?;
        }
        if let Some(lowers) = foreign_lowers_security {
            self.guard(lowers, "`rules.settings.hadolint`", |lowers| *lowers && !self.policy.rules.foreign.lowers_security)?;
            self.policy.rules.foreign.lowers_security = lowers.value;
        }
        let settings = &mut self.policy.rules.settings;
        settings.trusted_registries.extend(trusted_registries.iter().map(|entry| entry.value.clone()));
        settings.trusted_frontends.extend(trusted_frontends.iter().map(|entry| entry.value.clone()));
        settings.allowed_setuid.extend(allowed_setuid.iter().map(|entry| entry.value.clone()));
        settings.labels.extend(labels.iter().map(|(name, form)| (name.clone(), form.value)));
        if let Some(strict) = strict_labels {
            settings.strict_labels = strict.value;
        }
        Ok(())
    }

    fn add_evidence(&mut self, document: &Document) -> Result<(), Error> {
        if let Some(worth) = &document.gaps_default {
            self.guard(worth, "`evidence.gaps`", |worth| *worth < self.policy.evidence.default)?;
            self.policy.evidence.default = worth.value;
        }
        for (kind, worth) in &document.gaps {
            let before = self.gaps_said.get(kind).copied().unwrap_or(self.policy.evidence.default);
            self.guard(worth, "`evidence.gaps`", |worth| *worth < before)?;
            self.gaps_said.insert(kind.clone(), worth.value);
            self.policy.evidence.gaps.insert(kind.clone(), worth.value);
        }
        if let Some(age) = &document.database_max_age_seconds {
            let before = self.policy.evidence.database_max_age_seconds;
            self.guard(age, "`evidence.database_max_age`", |age| before.is_some_and(|before| *age > before))?;
            self.policy.evidence.database_max_age_seconds = Some(age.value);
        }
        Ok(())
    }

    fn add_trust(&mut self, document: &Document, keys: &BTreeMap<String, (String, String)>) -> Result<(), Error> {
        for (name, signer) in &document.signers {
            self.guard(signer, "`signers`", |_| self.policy.signers.contains_key(name))?;
            let signer = match &signer.value {
                SignerText::Key { source, log } => {
                    let (pem, origin) = match (source, keys.get(name)) {
                        (KeySource::Inline(pem), _) => (pem.clone(), format!("{}:{}", signer.place.file, signer.place.line)),
                        (KeySource::Path(_), Some(read)) => read.clone(),
                        (KeySource::Path(path), None) => {
                            return Err(Error::at(signer.place.clone(), format!("a built-in policy cannot read `{path}`")));
                        }
                    };
                    Signer::Key { pem, origin, log: *log }
                }
                SignerText::Keyless { issuer, identity, extensions } => {
                    Signer::Keyless { issuer: issuer.clone(), identity: identity.clone(), extensions: extensions.clone() }
                }
            };
            self.policy.signers.insert(name.clone(), signer);
        }
        if let Some(root) = &document.trust_root {
            self.guard(root, "`trust.root`", |root| self.policy.trust_root.as_ref() != Some(root))?;
            self.policy.trust_root = Some(root.value.clone());
        }
        for (name, target) in &document.references {
            self.guard(target, "`references`", |target| self.policy.references.get(name) != Some(target))?;
            self.policy.references.insert(name.clone(), target.value.clone());
        }
        for requirement in &document.signatures {
            for name in &requirement.value.of {
                if !self.policy.signers.contains_key(name) {
                    let known = self.policy.signers.keys().map(String::as_str);
                    return Err(crate::policy::fields::unknown(&requirement.place, &format!("no signer is called `{name}`"), name, known));
                }
            }
            self.policy.signatures.push(requirement.value.clone());
        }
        Ok(())
    }

    fn add_exceptions(&mut self, document: &Document) -> Result<(), Error> {
        let policy = &self.policy.exceptions;
        if let Some(days) = &document.max_days {
            self.guard(days, "`exceptions.max_days`", |days| policy.max_days.is_some_and(|before| *days > before))?;
        }
        for owner in &document.owners {
            self.guard(owner, "`exceptions.owners`", |owner| !policy.owners.is_empty() && !policy.owners.contains(owner))?;
        }
        if let Some(unused) = &document.unused {
            self.guard(unused, "`exceptions.unused`", |unused| *unused < policy.unused)?;
        }
        let policy = &mut self.policy.exceptions;
        if let Some(days) = &document.max_days {
            policy.max_days = Some(days.value);
        }
        policy.owners.extend(document.owners.iter().map(|owner| owner.value.clone()));
        if let Some(unused) = &document.unused {
            policy.unused = unused.value;
        }
        if let Some(days) = document.soon_days {
            policy.soon_days = days;
        }
        Ok(())
    }
}

/// Gives every nameless clause and requirement its place in the merged policy as a name.
fn name_parts(policy: &mut Policy) {
    for (list, clauses) in [("fail", &mut policy.fail), ("warn", &mut policy.warn)] {
        for (i, clause) in clauses.iter_mut().enumerate().filter(|(_, clause)| clause.id.is_empty()) {
            clause.id = format!("findings.{list}[{i}]");
        }
    }
    for (i, requirement) in policy.signatures.iter_mut().enumerate().filter(|(_, requirement)| requirement.id.is_empty()) {
        requirement.id = format!("signatures[{i}]");
    }
}
