//! Packages in, the shells, package managers, network tools and login servers among them out: what helps whoever gets in.

use crate::model::{
    facts::{ToolFact, ToolUse},
    package::{Inventory, Package, PackageKind},
};

/// Name of the package, and what it brings.
const TOOLS: &[(&str, ToolUse)] = &[
    ("apk-tools", ToolUse::PackageManager),
    ("apt", ToolUse::PackageManager),
    ("ash", ToolUse::Shell),
    ("aws-cli", ToolUse::Network),
    ("bash", ToolUse::Shell),
    ("bind-tools", ToolUse::Network),
    ("bind-utils", ToolUse::Network),
    ("busybox", ToolUse::Shell),
    ("busybox-static", ToolUse::Shell),
    ("curl", ToolUse::Network),
    ("curl-minimal", ToolUse::Network),
    ("dash", ToolUse::Shell),
    ("dnf", ToolUse::PackageManager),
    ("dnf5", ToolUse::PackageManager),
    ("dpkg", ToolUse::PackageManager),
    ("dropbear", ToolUse::LoginServer),
    ("fish", ToolUse::Shell),
    ("ftp", ToolUse::Network),
    ("ksh", ToolUse::Shell),
    ("microdnf", ToolUse::PackageManager),
    ("mksh", ToolUse::Shell),
    ("ncat", ToolUse::Network),
    ("net-tools", ToolUse::Network),
    ("netcat-openbsd", ToolUse::Network),
    ("netcat-traditional", ToolUse::Network),
    ("nmap", ToolUse::Network),
    ("nmap-ncat", ToolUse::Network),
    ("openssh-client", ToolUse::Network),
    ("openssh-clients", ToolUse::Network),
    ("openssh-server", ToolUse::LoginServer),
    ("opkg", ToolUse::PackageManager),
    ("pacman", ToolUse::PackageManager),
    ("pip", ToolUse::PackageManager),
    ("rpm", ToolUse::PackageManager),
    ("rsync", ToolUse::Network),
    ("socat", ToolUse::Network),
    ("tcpdump", ToolUse::Network),
    ("tdnf", ToolUse::PackageManager),
    ("telnet", ToolUse::Network),
    ("telnetd", ToolUse::LoginServer),
    ("vsftpd", ToolUse::LoginServer),
    ("wget", ToolUse::Network),
    ("yum", ToolUse::PackageManager),
    ("zsh", ToolUse::Shell),
    ("zypper", ToolUse::PackageManager),
];

/// The tools among the packages, each once.
pub(super) fn read(inventory: &Inventory) -> Vec<ToolFact> {
    let tool = |package: &Package| {
        let is_program =
            package.kind.is_os() || package.kind == PackageKind::Generic || (package.kind == PackageKind::Pypi && package.name == "pip");
        let (name, use_) = TOOLS.iter().find(|(name, _)| is_program && *name == package.name)?;
        Some(ToolFact { use_: *use_, name: (*name).to_owned() })
    };
    let mut found: Vec<ToolFact> = inventory.packages.iter().filter_map(tool).collect();
    found.sort();
    found.dedup();
    found
}
