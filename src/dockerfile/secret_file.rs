//! The path of a file in, whether its name says that it holds a credential out; where its bytes are there, they decide.

use super::secret::{is_literal_secret, is_secret_name};

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspect {
    /// It is a credential.
    Credential,
    /// It is a private key, or something public in the same form.
    Key,
    /// A configuration of a package manager, with or without a token.
    Tokens,
    /// Variables, with or without secrets.
    Variables,
}

/// Names of files and folders that are credentials.
const CREDENTIALS: &[&str] = &[
    ".boto",
    ".dockercfg",
    ".git-credentials",
    ".gnupg",
    ".my.cnf",
    ".netrc",
    ".pgpass",
    ".s3cfg",
    ".ssh",
    "_netrc",
    "application_default_credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "kubeconfig",
];
/// The same, where the folder says it.
const CREDENTIAL_PATHS: &[&str] = &[".docker/config.json", ".aws/credentials", ".kube/config", ".config/gcloud"];
const CREDENTIAL_ENDS: &[&str] = &[".p12", ".pfx", ".ppk", ".kdbx"];
const KEY_ENDS: &[&str] = &[".pem", ".key"];
/// Words in a name, or in its folder's, that say that everybody may read it.
const PUBLIC: &[&str] = &[
    "apt",
    "archive",
    "bundle",
    "ca",
    "cacert",
    "cacerts",
    "cas",
    "cert",
    "certificate",
    "certificates",
    "certs",
    "chain",
    "crl",
    "crt",
    "csr",
    "dh",
    "dhparam",
    "dhparams",
    "fullchain",
    "gpg",
    "keyring",
    "keyrings",
    "pub",
    "public",
    "release",
    "repo",
    "root",
    "roots",
    "signing",
    "trust",
    "trusted",
];
/// Words that say that a file is a pattern for one.
const SAMPLES: &[&str] = &["default", "defaults", "dist", "example", "examples", "sample", "schema", "template", "test", "tmpl", "tpl"];
/// Folders of an image for what everybody may read.
const PUBLIC_FOLDERS: &[&str] = &[
    "/etc/apk/keys",
    "/etc/apt",
    "/etc/pki",
    "/etc/ssl/certs",
    "/etc/yum",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/keyrings",
];

/// What the name of a file says.
pub(super) fn suspect(path: &str) -> Option<Suspect> {
    let lower = path.trim_end_matches('/').to_ascii_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    // A star behind a name takes the name itself along.
    let name = name.trim_end_matches('*');
    let is_sample = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SAMPLES.contains(&word));
    if is_sample {
        return None;
    }
    let is_path = CREDENTIAL_PATHS.iter().any(|end| lower.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')));
    if CREDENTIALS.contains(&name) || is_path || CREDENTIAL_ENDS.iter().any(|end| name.ends_with(end)) {
        return Some(Suspect::Credential);
    }
    if matches!(name, ".npmrc" | ".pypirc") {
        return Some(Suspect::Tokens);
    }
    if name == ".env" || name.starts_with(".env.") {
        return Some(Suspect::Variables);
    }
    let last_folder = folder.rsplit('/').next().unwrap_or_default();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).chain(last_folder.split(|c: char| !c.is_ascii_alphanumeric()));
    (KEY_ENDS.iter().any(|end| name.ends_with(end)) && !words.any(|word| PUBLIC.contains(&word))).then_some(Suspect::Key)
}

/// Whether the image's folder is one for what everybody may read.
pub(super) fn is_public_place(destination: &str) -> bool {
    PUBLIC_FOLDERS.iter().any(|folder| destination.starts_with(folder))
}

impl Suspect {
    /// What to call the file.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Credential => "a credential",
            Self::Key => "a private key",
            Self::Tokens => "a configuration with a token",
            Self::Variables => "a file of secrets",
        }
    }

    /// Whether the bytes hold what the name makes one fear.
    pub(super) fn is_confirmed(self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        match self {
            Self::Credential => true,
            Self::Key => text.contains("PRIVATE KEY-----"),
            Self::Tokens => pairs(&text).any(|(name, value)| {
                let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
                matches!(name.as_str(), "_authtoken" | "_auth" | "_password" | "password") && is_given(value)
            }),
            Self::Variables => pairs(&text).any(|(name, value)| is_secret_name(name) && is_given(value) && is_literal_secret(value)),
        }
    }
}

/// Names and values, line by line, quotes removed.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    lines
        .filter_map(|line| line.split_once('=').or_else(|| line.split_once(": ")))
        .map(|(name, value)| (name.trim().trim_start_matches("export "), value.trim().trim_matches(['"', '\''])))
}

/// Whether a value stands there itself, and not a variable.
fn is_given(value: &str) -> bool {
    !value.is_empty() && !value.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_holds() {
        let table = [
            ("id_rsa", Some(Suspect::Credential)),
            ("keys/id_ed25519", Some(Suspect::Credential)),
            ("id_rsa.pub", None),
            (".docker/config.json", Some(Suspect::Credential)),
            ("config.json", None),
            ("my.docker/config.json", None),
            (".ssh/", Some(Suspect::Credential)),
            (".npmrc", Some(Suspect::Tokens)),
            (".env", Some(Suspect::Variables)),
            (".env*", Some(Suspect::Variables)),
            (".env.production", Some(Suspect::Variables)),
            (".env.example", None),
            (".env.sample", None),
            (".environment", None),
            ("server.key", Some(Suspect::Key)),
            ("tls/privkey.pem", Some(Suspect::Key)),
            ("*.pem", Some(Suspect::Key)),
            ("ca.pem", None),
            ("certs/x.pem", None),
            ("nodesource.gpg.key", None),
            ("monkey", None),
        ];
        for (path, expected) in table {
            assert_eq!(suspect(path), expected, "{path}");
        }
    }

    #[test]
    fn bytes_decide() {
        let table: [(Suspect, &str, bool); 10] = [
            (Suspect::Key, "-----BEGIN CERTIFICATE-----\nMIIB\n", false),
            (Suspect::Key, "-----BEGIN EC PRIVATE KEY-----\nMIIB\n", true),
            (Suspect::Tokens, "registry=https://npm.example.org/\n", false),
            (Suspect::Tokens, "//npm.example.org/:_authToken=${NPM_TOKEN}\n", false),
            (Suspect::Tokens, "//npm.example.org/:_authToken=q7Rw4qvTz\n", true),
            (Suspect::Tokens, "[pypi]\nusername: bot\npassword: q7Rw4qvTz\n", true),
            (Suspect::Variables, "PORT=3000\n# API_TOKEN=q7Rw4qvTz\n", false),
            (Suspect::Variables, "API_TOKEN=\n", false),
            (Suspect::Variables, "export API_TOKEN=\"q7Rw4qvTz\"\n", true),
            (Suspect::Credential, "", true),
        ];
        for (suspect, text, expected) in table {
            assert_eq!(suspect.is_confirmed(text.as_bytes()), expected, "{text}");
        }
    }
}
