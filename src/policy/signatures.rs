//! Required signatures: what verification proved in, how each requirement came out. All constraints of one requirement hold on one and the same
//! signature, and a threshold counts distinct signers, not layers (requirements A5, B7, B8, D4 to D7 of `.github/ARCHITECTURE.md`, "Signatures").

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::model::{
    attestation::{Attestation, Signature, SignerIdentity, Verification},
    coverage::{Gap, SourceId},
    digest::Digest,
    image::ResolvedImage,
    policy::{IdentityMatch, LogRequirement, Policy, SignatureRequirement, Signer},
    verdict::RequirementState,
};

use super::{exception::fits_image, schema::compile_identity};

/// How a requirement came out, before exceptions.
pub(super) struct Result {
    pub(super) state: RequirementState,
    pub(super) code: Option<&'static str>,
    pub(super) detail: String,
}

/// What signatures are judged with.
pub(super) struct Judge<'a> {
    policy: &'a Policy,
    fingerprints: &'a BTreeMap<String, String>,
    patterns: BTreeMap<&'a str, Option<Regex>>,
}

/// How far one signature gets against one signer; later is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Nothing,
    Identity,
    Issuer,
    Extension,
    Log,
    Annotation,
    All,
}

impl<'a> Judge<'a> {
    /// Makes ready to judge by `policy`; `fingerprints` are those of the signers' keys.
    pub(super) fn new(policy: &'a Policy, fingerprints: &'a BTreeMap<String, String>) -> Self {
        let patterns = policy.signers.iter().filter_map(|(name, signer)| match signer {
            Signer::Keyless { identity: IdentityMatch::Pattern(pattern), .. } => Some((name.as_str(), compile_identity(pattern))),
            _ => None,
        });
        Self { policy, fingerprints, patterns: patterns.collect() }
    }

    /// Whether a requirement is about this image at all: by its own name or the name it is a mirror of.
    pub(super) fn applies(&self, requirement: &SignatureRequirement, image: &ResolvedImage) -> bool {
        if requirement.images.is_empty() {
            return true;
        }
        let own = image.reference.registry().map(|reference| reference.name());
        if own.is_none() {
            // A layout or an archive has no name: it may become any image, so it has to satisfy what is asked of every one.
            return true;
        }
        let mirrored = own.and_then(|name| self.policy.references.get(&name));
        requirement
            .images
            .iter()
            .any(|pattern| fits_image(pattern, image) || mirrored.is_some_and(|name| super::pattern::glob(pattern, name)))
    }

    /// Judges one requirement. `unchecked` are gaps that the policy takes seriously: with them "not there" is not proved.
    pub(super) fn judge(
        &self,
        requirement: &SignatureRequirement,
        found: &Verification,
        image: Option<&ResolvedImage>,
        unchecked: &[&Gap],
    ) -> Result {
        let subjects: BTreeSet<&Digest> = match image {
            // A signature on the index covers the image that was reached through it.
            Some(image) => std::iter::once(image.digest()).chain(&image.index_digest).collect(),
            None => std::iter::once(&found.subject).collect(),
        };
        let mut reach = Reach::Nothing;
        let mut met: BTreeMap<&str, BTreeSet<Who<'_>>> = BTreeMap::new();
        let mut foreign = BTreeSet::new();
        for signature in found.signatures.iter().filter(|signature| subjects.contains(&signature.subject)) {
            foreign.insert(show(&signature.signer));
            for name in &requirement.of {
                let here = self.reach(name, signature, requirement);
                reach = reach.max(here);
                if here == Reach::All {
                    met.entry(name).or_default().insert(who(&signature.signer));
                }
            }
        }
        let distinct = distinct_signers(&met);
        if distinct >= requirement.at_least {
            let names: Vec<_> = met.keys().copied().collect();
            return Result { state: RequirementState::Met, code: None, detail: format!("signed by {}", names.join(", ")) };
        }
        let missing: Vec<_> = requirement.of.iter().filter(|name| self.lacks_fingerprint(name)).map(String::as_str).collect();
        let invalid = found.faults.iter().filter(|fault| fault.code.starts_with("invalid.")).min();
        if invalid.is_none() && (!unchecked.is_empty() || !missing.is_empty()) {
            let detail = match unchecked.iter().min() {
                Some(gap) => format!("not met by what was found, and not all could be looked at: {}", gap.reason),
                None => format!("the key of {} could not be used", missing.join(", ")),
            };
            return Result { state: RequirementState::NotChecked, code: None, detail };
        }
        let (code, detail) = if distinct > 0 {
            ("unmet.threshold", format!("{distinct} of {} needed signers have signed", requirement.at_least))
        } else {
            let by = foreign.into_iter().collect::<Vec<_>>().join(", ");
            match (reach, invalid) {
                (Reach::Annotation, _) => ("unmet.annotation", "no signature of these signers carries the annotations".to_owned()),
                (Reach::Log, _) => ("unmet.log", "no transparency log vouches for the signature".to_owned()),
                (Reach::Extension, _) => ("unmet.extension", format!("signed by {by}, but not from where the policy says")),
                (_, Some(fault)) => (fault.code, fault.detail.clone()),
                (Reach::Issuer, None) => ("unmet.issuer", format!("signed by {by}")),
                (Reach::Identity, None) => ("unmet.identity", format!("signed by {by}")),
                (Reach::Nothing | Reach::All, None) if by.is_empty() => ("absent.signature", "no signature was found".to_owned()),
                (Reach::Nothing | Reach::All, None) => ("unmet.identity", format!("signed by {by}")),
            }
        };
        Result { state: RequirementState::Violated, code: Some(code), detail }
    }

    /// A gap for every key of the requirement that has no fingerprint, so that nothing can match it.
    pub(super) fn key_gaps(&self, requirement: &SignatureRequirement) -> Vec<Gap> {
        let lacking = requirement.of.iter().filter(|name| self.lacks_fingerprint(name));
        lacking
            .map(|name| {
                Gap::new(SourceId::Signatures, "unchecked.trust-root", name.clone(), format!("the key of signer {name} could not be used"))
            })
            .collect()
    }

    fn lacks_fingerprint(&self, name: &str) -> bool {
        matches!(self.policy.signers.get(name), Some(Signer::Key { .. })) && !self.fingerprints.contains_key(name)
    }

    fn reach(&self, name: &str, signature: &Signature, requirement: &SignatureRequirement) -> Reach {
        let logged_enough = match (self.policy.signers.get(name), &signature.signer) {
            (Some(Signer::Key { log, .. }), SignerIdentity::Key { fingerprint }) => {
                if self.fingerprints.get(name).is_none_or(|own| !own.eq_ignore_ascii_case(fingerprint)) {
                    return Reach::Nothing;
                }
                *log == LogRequirement::AllowMissing || signature.logged
            }
            (Some(Signer::Keyless { issuer, identity, extensions }), SignerIdentity::Keyless { issuer: by, subject, extensions: own }) => {
                let same_subject = match identity {
                    IdentityMatch::Exact(exact) => exact == subject,
                    IdentityMatch::Pattern(_) => {
                        self.patterns.get(name).and_then(Option::as_ref).is_some_and(|pattern| pattern.is_match(subject))
                    }
                };
                match (issuer == by, same_subject) {
                    (true, true) => {}
                    (false, true) => return Reach::Issuer,
                    (true, false) => return Reach::Identity,
                    (false, false) => return Reach::Nothing,
                }
                if !extensions.iter().all(|(key, values)| own.get(key).is_some_and(|value| values.contains(value))) {
                    return Reach::Extension;
                }
                signature.logged
            }
            _ => return Reach::Nothing,
        };
        if !logged_enough {
            return Reach::Log;
        }
        let annotated = requirement.annotations.iter().all(|(key, value)| signature.annotations.get(key) == Some(value));
        if annotated { Reach::All } else { Reach::Annotation }
    }
}

/// The attestations whose signer is one that the policy wants signatures of this image from, with every condition that it puts on them.
/// Where it wants none, it trusts nobody's statements.
#[must_use]
pub fn accepted<'v>(
    policy: &Policy,
    fingerprints: &BTreeMap<String, String>,
    image: &ResolvedImage,
    found: &'v Verification,
) -> Vec<&'v Attestation> {
    let judge = Judge::new(policy, fingerprints);
    let wanted: Vec<_> = policy.signatures.iter().filter(|requirement| judge.applies(requirement, image)).collect();
    let is_accepted = |attestation: &&Attestation| {
        let signature = &attestation.signature;
        let is_of_image = signature.subject == *image.digest() || image.index_digest.as_ref() == Some(&signature.subject);
        let meets =
            |requirement: &&SignatureRequirement| requirement.of.iter().any(|name| judge.reach(name, signature, requirement) == Reach::All);
        is_of_image && wanted.iter().any(meets)
    };
    found.attestations.iter().filter(is_accepted).collect()
}

/// Who signed, without what may differ between two signatures of the same signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who<'a> {
    Key(&'a str),
    Keyless(&'a str, &'a str),
}

fn who(signer: &SignerIdentity) -> Who<'_> {
    match signer {
        SignerIdentity::Key { fingerprint } => Who::Key(fingerprint),
        SignerIdentity::Keyless { issuer, subject, .. } => Who::Keyless(issuer, subject),
    }
}

fn show(signer: &SignerIdentity) -> String {
    match signer {
        SignerIdentity::Key { fingerprint } => format!("key {}", fingerprint.get(..16).unwrap_or(fingerprint)),
        SignerIdentity::Keyless { issuer, subject, .. } => format!("{subject} (issuer {issuer})"),
    }
}

/// How many signers have signed, where each name of the policy and each identity counts once: a largest matching of names to identities.
fn distinct_signers(met: &BTreeMap<&str, BTreeSet<Who<'_>>>) -> usize {
    let mut taken: BTreeMap<Who<'_>, &str> = BTreeMap::new();
    met.keys().filter(|name| place(name, met, &mut taken, &mut BTreeSet::new())).count()
}

fn place<'n, 'w>(
    name: &'n str,
    met: &BTreeMap<&'n str, BTreeSet<Who<'w>>>,
    taken: &mut BTreeMap<Who<'w>, &'n str>,
    tried: &mut BTreeSet<Who<'w>>,
) -> bool {
    let Some(identities) = met.get(name) else { return false };
    for identity in identities {
        if !tried.insert(*identity) {
            continue;
        }
        let holder = taken.get(identity).copied();
        if holder.is_none_or(|holder| place(holder, met, taken, tried)) {
            taken.insert(*identity, name);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_under_two_names_counts_once() {
        let (k1, k2) = (Who::Key("1"), Who::Key("2"));
        let check = |met: &[(&'static str, &[Who<'static>])], expected: usize| {
            let met = met.iter().map(|(name, who)| (*name, who.iter().copied().collect())).collect();
            assert_eq!(distinct_signers(&met), expected);
        };
        check(&[("a", &[k1]), ("b", &[k1])], 1);
        check(&[("a", &[k1, k2]), ("b", &[k1])], 2);
        check(&[("a", &[k1, k2])], 1);
        check(&[], 0);
    }
}
