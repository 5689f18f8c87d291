//! Whom a database may be signed by: options and policy in, one question out that the verifier of images answers for an artifact as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use jiff::Timestamp;

use crate::{
    advisory::artifact::MANIFEST,
    cli::{Failure, options::PolicyOptions, setup, signers},
    model::{
        coverage::SourceId,
        digest::Digest,
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice, ResolvedImage},
        policy::{Policy, SignatureRequirement, Signer},
        reference::ImageReference,
        verdict::RequirementState,
    },
    pipeline::{ImageInput, Platforms, Wanted},
    policy::{self, Facts},
    registry::ImageSource,
};

/// The requirement's name.
const REQUIREMENT: &str = "database";

/// Who must have signed the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signature options")]
pub(in crate::cli) struct TrustOptions {
    /// Who must have signed the database: a PEM public key file, or the name of a signer of the policy (repeatable: any one of them).
    #[arg(long, value_name = "FILE|SIGNER", env = "PLIMSOLL_DB_SIGNED_BY", hide_env_values = true, value_delimiter = ',')]
    signed_by: Vec<String>,
    /// OIDC issuer that vouched for the signer; needs --identity or --identity-pattern.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The signer's whole identity.
    #[arg(long, value_name = "IDENTITY", requires = "issuer", conflicts_with = "identity_pattern")]
    identity: Option<String>,
    /// Anchored regular expression for the signer's identity, `^...$`.
    #[arg(long, value_name = "REGEX", requires = "issuer")]
    identity_pattern: Option<String>,
    /// Trusted root for keyless signatures (trusted_root.json).
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The repository that the signature names, where the database was copied from it.
    #[arg(long = "signed-as", value_name = "REPOSITORY")]
    signed_as: Option<String>,
    /// Take a database that is not signed, or by nobody who is trusted.
    #[arg(long)]
    allow_unsigned_db: bool,
    #[command(flatten)]
    policy: PolicyOptions,
}

/// Whom this run trusts to sign databases.
pub(in crate::cli) struct Trust {
    policy: Policy,
    trusted_root: Option<PathBuf>,
    signed_as: Option<String>,
    unsigned: Unsigned,
}

/// Which names a signature may carry beside that of the place it was found in.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Names {
    /// The repository from which every database of this run was copied.
    pub(in crate::cli) signed_as: Option<String>,
    /// From copies to what they are copies of, as the policy has it.
    pub(in crate::cli) references: BTreeMap<String, String>,
}

/// What a database is worth that nobody who is trusted has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Unsigned {
    /// Nothing.
    Refused,
    /// Somebody said that it will do.
    Allowed,
}

/// What came out about the signatures of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Vouched {
    /// Somebody who is trusted has signed it.
    By(String),
    /// Nobody who is trusted has.
    Not(String),
    /// The signatures could not be looked at.
    Unknown(String),
    /// Nobody was named.
    Unasked,
}

impl fmt::Display for Vouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(who) => f.write_str(who),
            Self::Not(reason) => write!(f, "not signed by anybody who is trusted: {reason}"),
            Self::Unknown(reason) => write!(f, "signature not checked: {reason}"),
            Self::Unasked => f.write_str("signature not checked: nobody is trusted to sign (--signed-by)"),
        }
    }
}

impl TrustOptions {
    /// Reads keys and policy.
    pub(super) fn build(&self) -> Result<Trust, Failure> {
        let named =
            if needs_policy(&self.signed_by, &self.policy.policy) { Some(policy::load::load(&self.policy.references())?) } else { None };
        let mut all = named_signers(&self.signed_by, named.as_ref())?;
        if let Some(issuer) = &self.issuer {
            all.insert("keyless".to_owned(), signers::of_identity(issuer, self.identity.as_ref(), self.identity_pattern.as_ref())?);
        }
        let (references, root) = named.map(|policy| (policy.references, policy.trust_root)).unwrap_or_default();
        let root = self.trusted_root.clone().or_else(|| root.map(PathBuf::from));
        let unsigned = if self.allow_unsigned_db { Unsigned::Allowed } else { Unsigned::Refused };
        Trust::new(all, root, Names { signed_as: self.signed_as.clone(), references }, unsigned)
    }
}

/// Whether the policy has to be read: one is named, or a name may be that of one of its signers. What looks like a path is none.
fn needs_policy(named: &[String], policies: &[String]) -> bool {
    let may_be_a_signer = |name: &String| !name.contains(['/', '\\', '.']) || !Path::new(name).is_file();
    !policies.is_empty() || named.iter().any(may_be_a_signer)
}

/// The signers of that name, or with the key in that file.
pub(in crate::cli) fn named_signers(named: &[String], policy: Option<&Policy>) -> Result<BTreeMap<String, Signer>, Failure> {
    let mut all = BTreeMap::new();
    for name in named {
        let signer = match policy.and_then(|policy| policy.signers.get(name)) {
            // Whoever may put a file into this folder must not become the signer.
            Some(_) if Path::new(name).is_file() => {
                return Err(Failure::new(format!("`{name}` is both a signer of the policy and a file"))
                    .hint(format!("write ./{name} for the file; for the signer, remove the file or go to another folder")));
            }
            Some(signer) => signer.clone(),
            None if Path::new(name).is_file() => signers::of_key("--signed-by", Path::new(name))?,
            None => {
                return Err(Failure::new(format!("`{name}` is neither a file nor a signer of the policy"))
                    .hint("name a PEM public key, or one of the policy's `signers`"));
            }
        };
        all.insert(name.clone(), signer);
    }
    Ok(all)
}

impl Trust {
    /// Trust in any one of `signers`.
    pub(in crate::cli) fn new(
        signers: BTreeMap<String, Signer>,
        trusted_root: Option<PathBuf>,
        names: Names,
        unsigned: Unsigned,
    ) -> Result<Self, Failure> {
        let mut policy = policy::load::load(&["builtin:baseline".to_owned()])?;
        policy.signatures = vec![SignatureRequirement {
            id: REQUIREMENT.to_owned(),
            of: signers.keys().cloned().collect(),
            at_least: 1,
            annotations: BTreeMap::new(),
            images: Vec::new(),
        }];
        policy.signers = signers;
        policy.references = names.references;
        Ok(Self { policy, trusted_root, signed_as: names.signed_as, unsigned })
    }

    /// Whether anybody is trusted.
    pub(in crate::cli) fn is_named(&self) -> bool {
        !self.policy.signers.is_empty()
    }

    /// What an unsigned database is worth.
    pub(in crate::cli) const fn unsigned(&self) -> Unsigned {
        self.unsigned
    }

    /// Refuses to begin where the end is known: nobody is trusted, and unsigned is not good enough.
    pub(in crate::cli) fn check(&self) -> Result<(), Failure> {
        if self.is_named() || self.unsigned == Unsigned::Allowed {
            return Ok(());
        }
        Err(Failure::new("nobody is trusted to sign the advisory database")
            .hint("name the publisher's key with --signed-by FILE (or PLIMSOLL_DB_SIGNED_BY), or a signer of the policy; --allow-unsigned-db takes any"))
    }

    /// Looks at the signatures of the artifact `digest`, which is called `reference`, with the verifier of images.
    pub(in crate::cli) async fn judge(
        &self,
        reference: &ImageReference,
        digest: &Digest,
        size: u64,
        source: Arc<dyn ImageSource>,
        now: Timestamp,
    ) -> Result<Vouched, Failure> {
        if !self.is_named() {
            return Ok(Vouched::Unasked);
        }
        let mut policy = self.policy.clone();
        if let (Some(signed), Some(registry)) = (&self.signed_as, reference.registry()) {
            policy.references.insert(registry.name(), signed.clone());
        }
        let image = as_image(reference, digest, size);
        let input =
            ImageInput { reference: reference.clone(), source, platforms: Platforms::All, inventory: Wanted::No, cache: None, base: None };
        let (verifier, fingerprints) = setup::verifier(&policy, Some(&input), self.trusted_root.as_ref())?;
        let Some(verifier) = verifier else { return Ok(Vouched::Unasked) };
        let verification = verifier.verify(&image).await?;
        let facts = Facts {
            image: Some(&image),
            findings: Vec::new(),
            inline_ignores: &[],
            sources: &[],
            gaps: Vec::new(),
            verification: Some(&verification),
            signer_fingerprints: &fingerprints,
            stages: &BTreeSet::from([SourceId::Signatures]),
        };
        let verdict = policy::evaluate(&policy, facts, now);
        let judged = verdict.requirements.into_iter().find(|requirement| requirement.id == REQUIREMENT);
        Ok(match judged {
            Some(judged) => match judged.state {
                RequirementState::Met => Vouched::By(judged.detail),
                RequirementState::Violated => Vouched::Not(match judged.code {
                    Some(code) => format!("{} ({code})", judged.detail),
                    None => judged.detail,
                }),
                RequirementState::NotChecked => Vouched::Unknown(judged.detail),
            },
            None => Vouched::Unknown("the signatures were not judged".to_owned()),
        })
    }
}

/// An artifact as the verifier sees an image: a name and a digest.
fn as_image(reference: &ImageReference, digest: &Digest, size: u64) -> ResolvedImage {
    let nothing = "unknown".to_owned();
    ResolvedImage {
        reference: reference.clone(),
        index_digest: None,
        platform: Platform { os: nothing.clone(), architecture: nothing, variant: None, os_version: None },
        platform_choice: PlatformChoice::Only,
        manifest: Manifest {
            digest: digest.clone(),
            media_type: MANIFEST.to_owned(),
            size,
            config: Descriptor {
                media_type: String::new(),
                digest: digest.clone(),
                size: 0,
                urls: Vec::new(),
                annotations: BTreeMap::new(),
                artifact_type: None,
                platform: None,
            },
            layers: Vec::new(),
            annotations: BTreeMap::new(),
        },
        config: ImageConfig::default(),
        layers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_where_a_name_may_be_that_of_a_signer() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("acme.pub").display().to_string();
        std::fs::write(&key, "").unwrap();
        for (named, policies, needed) in [
            (vec![key.as_str()], vec![], false),
            (vec![key.as_str()], vec!["p.yaml"], true),
            (vec![key.as_str(), "acme"], vec![], true),
            (vec!["absent.pub"], vec![], true),
            // A file of this name is in the folder in which tests run.
            (vec!["LICENSE"], vec![], true),
            (vec!["src"], vec![], true),
            (vec!["./LICENSE"], vec![], false),
            (vec![], vec![], false),
        ] {
            let text = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            assert_eq!(needs_policy(&text(&named), &text(&policies)), needed, "{named:?} {policies:?}");
        }
    }

    #[test]
    fn a_file_never_takes_the_place_of_a_signer() {
        let mut policy = policy::load::load(&["builtin:baseline".to_owned()]).unwrap();
        let signer = Signer::Key {
            pem: "of the policy".to_owned(),
            origin: "policy".to_owned(),
            log: crate::model::policy::LogRequirement::AllowMissing,
        };
        policy.signers = ["LICENSE", "acme"].map(|name| (name.to_owned(), signer.clone())).into();
        let named = |name: &str| named_signers(&[name.to_owned()], Some(&policy)).map_err(|failure| failure.to_string());
        assert!(
            named("LICENSE").is_err_and(|error| error.contains("both a signer of the policy and a file") && error.contains("./LICENSE"))
        );
        assert!(matches!(&named("acme").unwrap()["acme"], Signer::Key { pem, .. } if pem == "of the policy"));
        assert!(matches!(&named("./LICENSE").unwrap()["./LICENSE"], Signer::Key { pem, .. } if pem != "of the policy"));
        assert!(named("absent").is_err_and(|error| error.contains("neither a file nor a signer")));
    }

    #[test]
    fn copies_are_known_from_the_policy() {
        let names = Names { signed_as: None, references: BTreeMap::from([("mirror.example/db".to_owned(), "r.example/db".to_owned())]) };
        let trust = Trust::new(BTreeMap::new(), None, names, Unsigned::Refused).unwrap();
        assert_eq!(trust.policy.references["mirror.example/db"], "r.example/db");
    }
}
