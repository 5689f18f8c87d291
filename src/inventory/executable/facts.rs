//! What is remembered of an executable while its layer streams past: the facts that catalogers make packages of, as compact JSON. Nothing at all for
//! an ordinary program or library.

use serde::{Deserialize, Serialize};

/// What one executable says of itself.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::inventory) struct Facts {
    /// What the Go linker left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go: Option<GoBuild>,
    /// The crates that it was built from, as `cargo auditable` lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub crates: Vec<Crate>,
    /// Known programs and libraries that it is, or holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<Program>,
    /// What made its content unreadable, such as `UPX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed: Option<String>,
    /// What the version resource of a PE file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assembly: Option<Assembly>,
    /// The `deps.json` inside a .NET program of one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundled_deps: Option<String>,
    /// The components of the SBOM that GraalVM embeds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// Go's build information (<https://pkg.go.dev/debug/buildinfo>).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::inventory) struct GoBuild {
    /// The toolchain, such as `go1.22.1`.
    pub toolchain: String,
    /// Modules and settings, one a line, as `go version -m` shows them.
    pub modules: String,
    /// The one text in a program that names no version of its own which reads like a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lone_version: Option<String>,
}

/// One crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::inventory) struct Crate {
    pub name: String,
    pub version: String,
    /// Where it came from: `crates.io`, `git`, `local`, `registry`.
    pub source: String,
    /// Whether it is what was built, and not what that was built from.
    #[serde(default)]
    pub is_root: bool,
}

/// A known program or library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::inventory) struct Program {
    /// As in [`super::classifiers::CLASSIFIERS`].
    pub name: String,
    pub version: String,
}

/// The version resource of a PE file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::inventory) struct Assembly {
    /// Whether it holds managed code, as .NET assemblies do.
    pub is_managed: bool,
    pub file_version: String,
    pub product_version: String,
    pub product: String,
    pub company: String,
    pub internal_name: String,
}

/// One component of an embedded CycloneDX document.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::inventory) struct Component {
    pub group: String,
    pub name: String,
    pub version: String,
    pub purl: String,
}

/// Something of an executable that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::inventory) struct Fault {
    /// Id of the cataloger whose matter it is.
    pub of: String,
    pub reason: String,
}

impl Facts {
    /// Notes that something could not be read.
    pub(super) fn fault(&mut self, of: &str, reason: impl Into<String>) {
        self.faults.push(Fault { of: of.to_owned(), reason: reason.into() });
    }

    /// The extract: no bytes when there is nothing to tell.
    pub(super) fn encode(&self) -> Vec<u8> {
        if *self == Self::default() { Vec::new() } else { serde_json::to_vec(self).unwrap_or_else(|_| b"{".to_vec()) }
    }

    /// The facts of an extract.
    pub(super) fn decode(extract: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(extract).map_err(|error| format!("what was noted of it cannot be read: {error}"))
    }
}
