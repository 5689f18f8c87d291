//! Names of policies in, one merged [`Policy`] out: the only file of this stage that reads files. Built-ins are compiled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use crate::{
    model::{
        digest::Digest,
        policy::{Policy, RuleSetting, Worth},
    },
    policy::{
        Error, Place,
        merge::{Loaded, merge},
        schema::{Document, KeySource, SignerText, check_pem, parse},
        yaml::MAX_BYTES,
    },
};

/// The built-in policies: name and text.
pub const BUILTINS: &[(&str, &str)] =
    &[("baseline", include_str!("../../policies/baseline.yaml")), ("strict", include_str!("../../policies/strict.yaml"))];

/// Longest chain of `extends`.
const MAX_CHAIN: usize = 8;
/// Largest key file in bytes.
const MAX_KEY_BYTES: usize = 64 * 1024;

/// Whether whoever judges by a policy looks at signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// It does, so a policy that wants some says whose.
    Judged,
    /// It does not: what a policy asks of them is not asked here.
    NotAsked,
}

/// Loads and merges policies to judge images by: `baseline`, `builtin:strict`, `path.yaml`; later ones add and tighten. No name means the baseline.
///
/// # Errors
/// When a file cannot be read or says what this version does not take; the error names file, line and column.
pub fn load(references: &[String]) -> Result<Policy, Error> {
    load_for(references, Signatures::Judged)
}

/// The same for a command that may not look at signatures.
///
/// # Errors
/// As [`load`].
pub fn load_for(references: &[String], signatures: Signatures) -> Result<Policy, Error> {
    let mut loader = Loader::default();
    if references.is_empty() {
        loader.add("builtin:baseline", None, &mut Vec::new())?;
    }
    for reference in references {
        loader.add(reference, None, &mut Vec::new())?;
    }
    let wants_signers = loader.read.contains("builtin:strict");
    let policy = merge(loader.documents, loader.files)?;
    // The strict policy asks for a signature by somebody; who that is only its user can say.
    if wants_signers && signatures == Signatures::Judged && policy.signatures.is_empty() {
        return Err(Error::Incomplete {
            policy: policy.name,
            message: "the strict policy needs to know who must have signed: no `signatures` are set".to_owned(),
            hint: "write a file with `version: 1`, `extends: builtin:strict`, `signers` and `signatures: [{ any_of: [NAME] }]`, and name it with --policy"
                .to_owned(),
        });
    }
    if judges_nothing(&policy) {
        return Err(Error::Incomplete {
            policy: policy.name,
            message: "this policy judges nothing: no clause fails and no source is required, so every image would pass".to_owned(),
            hint: "add `extends: builtin:baseline`, or say what fails: `findings: { fail: [...] }`".to_owned(),
        });
    }
    Ok(policy)
}

/// Whether every run passes, whatever it finds and whatever it did not look at.
fn judges_nothing(policy: &Policy) -> bool {
    policy.fail.is_empty()
        && policy.at_most.is_empty()
        && policy.rules.fail.is_empty()
        && !policy.rules.set.values().any(|setting| *setting == RuleSetting::Fail)
        && policy.signatures.is_empty()
        && policy.end_of_life_distro != Worth::Fail
        && policy.evidence.require.is_empty()
}

/// Loads a built-in policy by its name.
///
/// # Errors
/// When there is none of that name, or it needs more than it can say itself.
pub fn builtin(name: &str) -> Result<Policy, Error> {
    load(&[format!("builtin:{name}")])
}

#[derive(Default)]
struct Loader {
    documents: Vec<Loaded>,
    files: Vec<(String, Digest)>,
    read: BTreeSet<String>,
}

impl Loader {
    /// Reads `reference` and everything that it extends, extended ones first. One that was read already is not applied again, so that a shared
    /// base never undoes what was said after it.
    fn add(&mut self, reference: &str, from: Option<(&Path, &Place)>, chain: &mut Vec<String>) -> Result<(), Error> {
        let source = Source::of(reference, from.map(|(path, _)| path));
        let id = source.id();
        let wrong = |message: String| match from {
            Some((_, place)) => Error::at(place.clone(), message),
            None => Error::at(Place { file: id.clone(), line: 1, column: 1 }, message),
        };
        if chain.contains(&id) {
            return Err(wrong(format!("`extends` goes round in a circle: {} -> {id}", chain.join(" -> "))));
        }
        if chain.len() >= MAX_CHAIN {
            return Err(wrong(format!("more than {MAX_CHAIN} policies extend each other")));
        }
        if self.read.contains(&id) {
            return Ok(());
        }
        let text = source.text(&wrong)?;
        let document = parse(&id, &text)?;
        let folder = source.folder();
        if let Some(extends) = &document.extends {
            chain.push(id.clone());
            self.add(&extends.value, Some((&folder, &extends.place)), chain)?;
            chain.pop();
        }
        self.read.insert(id.clone());
        self.files.push((id, Digest::sha256_of(text.as_bytes())));
        let loaded = self.with_keys(document, &folder, matches!(source, Source::File { .. }))?;
        self.documents.push(loaded);
        Ok(())
    }

    fn with_keys(&mut self, mut document: Document, folder: &Path, is_file: bool) -> Result<Loaded, Error> {
        let mut keys = BTreeMap::new();
        for (name, signer) in document.signers.iter().filter(|_| is_file) {
            let SignerText::Key { source: KeySource::Path(path), .. } = &signer.value else { continue };
            let path = folder.join(path);
            let shown = path.display().to_string();
            let fault = |message: String| Error::at(signer.place.clone(), format!("key {shown} of signer `{name}`: {message}"));
            let pem = read_text(&path, &shown, MAX_KEY_BYTES).map_err(|error| match error {
                Error::Read { source, .. } => fault(source.to_string()),
                other => fault(other.to_string()),
            })?;
            check_pem(&pem).map_err(fault)?;
            if !self.files.iter().any(|(file, _)| *file == shown) {
                self.files.push((shown.clone(), Digest::sha256_of(pem.as_bytes())));
            }
            keys.insert(name.clone(), (pem, shown));
        }
        if let Some(root) = document.trust_root.as_mut().filter(|root| is_file && !matches!(root.value.as_str(), "public-good" | "github"))
        {
            root.value = folder.join(&root.value).display().to_string();
        }
        Ok(Loaded { document, keys })
    }
}

/// Where a policy is.
enum Source {
    Builtin(String),
    File { path: PathBuf },
}

impl Source {
    /// A bare name of a built-in is that built-in; a file of the same name is written with its folder, `./strict`.
    fn of(reference: &str, folder: Option<&Path>) -> Self {
        match reference.strip_prefix("builtin:") {
            Some(name) => Self::Builtin(name.to_owned()),
            None if BUILTINS.iter().any(|(name, _)| *name == reference) => Self::Builtin(reference.to_owned()),
            None => Self::File { path: folder.map_or_else(|| PathBuf::from(reference), |folder| folder.join(reference)) },
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Builtin(name) => format!("builtin:{name}"),
            Self::File { path } => path.components().collect::<PathBuf>().display().to_string(),
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Builtin(_) => PathBuf::new(),
            Self::File { path } => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        }
    }

    fn text(&self, wrong: &dyn Fn(String) -> Error) -> Result<String, Error> {
        match self {
            Self::Builtin(name) => {
                let found = BUILTINS.iter().find(|(known, _)| known == name).map(|(_, text)| (*text).to_owned());
                found.ok_or_else(|| Error::UnknownBuiltin(name.clone()))
            }
            Self::File { path } => match read_text(path, &self.id(), MAX_BYTES) {
                Err(Error::Read { source, file }) if source.kind() == std::io::ErrorKind::IsADirectory => {
                    Err(wrong(format!("{file} is a folder")))
                }
                other => other,
            },
        }
    }
}

/// Reads at most `limit` bytes of UTF-8 text.
fn read_text(path: &Path, shown: &str, limit: usize) -> Result<String, Error> {
    let cannot = |source| Error::Read { file: shown.to_owned(), source };
    let mut bytes = Vec::new();
    let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(cannot)?.take(cap).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > limit {
        return Err(Error::TooLarge { file: shown.to_owned(), limit });
    }
    String::from_utf8(bytes).map_err(|_| Error::NotText { file: shown.to_owned() })
}
