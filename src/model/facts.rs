//! `ImageFacts`: what is in an image besides packages, as it stands there and without a judgement.

use crate::model::{digest::Digest, location::Location, severity::Severity};

/// What is in an image besides packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Credentials in files of every layer, sorted by path.
    pub secrets: Vec<SecretFact>,
    /// Files and folders with special permissions, sorted by path.
    pub modes: Vec<ModeFact>,
    /// What is wrong with accounts.
    pub accounts: Vec<AccountFact>,
    /// Shells, package managers, network tools and servers, sorted.
    pub tools: Vec<ToolFact>,
    /// Folders in which package managers left what they downloaded.
    pub leftovers: Vec<LeftoverFact>,
    /// Files that a container has no use for and that no package brought, sorted by path.
    pub unneeded: Vec<UnneededFact>,
    /// Runtimes whose last day of support is known.
    pub runtimes: Vec<RuntimeFact>,
}

/// A credential in a file. It holds nothing of the credential itself but its public mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFact {
    /// What it is, in words.
    pub kind: String,
    /// What it is worth to a stranger.
    pub severity: Severity,
    /// Whether it is a private key.
    pub class: SecretClass,
    /// The mark that it begins with, at most four characters; empty when nothing of it may be shown.
    pub shown: String,
    /// The line, from 1.
    pub line: u32,
    /// The path inside the image.
    pub path: String,
    /// The layers whose file holds it, lowest first.
    pub locations: Vec<Location>,
    /// Whether a container still sees it.
    pub fate: Fate,
}

/// What sort of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretClass {
    /// A private key.
    PrivateKey,
    /// A token or password.
    Credential,
}

/// What became of a file in the layers above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Visible,
    /// An upper layer deleted or replaced it; whoever has the image has it all the same.
    Hidden,
}

/// A file or folder with special permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeFact {
    /// Permission bits with setuid, setgid and the sticky bit.
    pub mode: u16,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether it gives capabilities to who runs it.
    pub has_capability: bool,
    /// The OS package that it belongs to.
    pub owner: Option<String>,
    /// Where it stands.
    pub location: Location,
    /// The path inside the image.
    pub path: String,
}

/// What is wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFact {
    /// What.
    pub fault: AccountFault,
    /// The account's name.
    pub name: String,
    /// The file that says so.
    pub location: Location,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountFault {
    /// Whoever logs in needs no password; with a shell that lets them in, or without.
    EmptyPassword {
        /// Whether the account has a shell.
        has_shell: bool,
    },
    /// It is root under another name.
    SecondRoot,
    /// It shares its number with this one.
    SharedId {
        /// The other account.
        other: String,
        /// The number.
        id: u64,
    },
}

/// A program that is there and that a service seldom needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolFact {
    /// What it is for.
    pub use_: ToolUse,
    /// Its name.
    pub name: String,
}

/// What a tool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolUse {
    /// Runs commands.
    Shell,
    /// Installs packages.
    PackageManager,
    /// Downloads, and opens connections.
    Network,
    /// Lets people in from outside.
    LoginServer,
}

impl ToolUse {
    /// The words in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shell => "shells",
            Self::PackageManager => "package managers",
            Self::Network => "network tools",
            Self::LoginServer => "login servers",
        }
    }
}

/// A folder in which a package manager left what it downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftoverFact {
    /// Whose.
    pub manager: &'static str,
    /// The folder.
    pub folder: &'static str,
    /// How many files of it were seen.
    pub files: usize,
    /// The first of them.
    pub location: Location,
}

/// A file that a container has no use for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnneededFact {
    /// What it is, in words.
    pub what: &'static str,
    /// The path inside the image; of a repository its folder.
    pub path: String,
    /// Where it stands.
    pub location: Location,
}

/// A runtime and its last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFact {
    /// Its name, for people.
    pub name: String,
    /// The version that is there.
    pub version: String,
    /// The last day of free security support, as an ISO 8601 date.
    pub last_day: String,
    /// Where it stands.
    pub locations: Vec<Location>,
}

impl SecretFact {
    /// The blob digests of the layers that hold it.
    pub fn layers(&self) -> impl Iterator<Item = (&Digest, usize)> {
        self.locations.iter().filter_map(|location| match location {
            Location::Image { layer, index, .. } => Some((layer, *index)),
            _ => None,
        })
    }
}
