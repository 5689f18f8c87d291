//! `yum-nogpgcheck`: yum, dnf, tdnf or microdnf --nogpgcheck (or gpgcheck=0).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, RedirectKind},
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "yum-nogpgcheck",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_9"],
    also: &["CIS-4.11"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Yum, dnf, tdnf or microdnf --nogpgcheck (or gpgcheck=0).",
    help: r#"The signature is what says that a package comes from the distribution. Without it any mirror or man in the middle installs what he likes.

Fails:

```dockerfile
FROM rockylinux:9
RUN yum install -y --nogpgcheck curl
```

Clean:

```dockerfile
FROM rockylinux:9
RUN yum install -y curl
```
"#,
};

/// Yum, dnf, tdnf or microdnf --nogpgcheck (or gpgcheck=0).
pub(super) struct YumNogpgcheck;

impl Rule for YumNogpgcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.all_commands() {
            if let Some((severity, title)) = judge(command) {
                findings.push(dockerfile.finding_in(&META, severity, command, title.to_owned()));
            }
        }
        findings
    }
}

fn judge(command: &Command) -> Option<(Severity, &'static str)> {
    if command.is_one_of(&["yum", "dnf", "tdnf", "microdnf", "dnf5"]) {
        let arguments = Arguments::of(command);
        let off = |value: &str| {
            value.split_once('=').is_some_and(|(name, value)| is_check(name.rsplit('.').next().unwrap_or(name)) && is_no(value))
        };
        let set = arguments.options.iter().any(|option| option.value.is_some_and(off));
        let flag = arguments.has_long("--nogpgcheck") || arguments.has_long("--no-gpgchecks");
        return (set || flag).then_some((META.severity, "packages are installed without checking their signatures"));
    }
    if command.is_one_of(&["yum-config-manager", "dnf-config-manager"]) {
        let off = command.arguments().iter().any(|word| word.text.contains("gpgcheck=0"));
        return off.then_some((META.severity, "a repository's signature check is switched off"));
    }
    let writes = command.written_files().any(|path| path.ends_with(".repo") || path.ends_with("yum.conf") || path.ends_with("dnf.conf"));
    let edits = command.name == "sed" && command.arguments().iter().any(|word| word.text.contains("gpgcheck=0"));
    let documents = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target);
    let text = command
        .arguments()
        .iter()
        .chain(documents)
        .find(|word| word.text.contains("gpgcheck=0") && !word.text.contains("repo_gpgcheck=0"))?;
    if edits {
        return Some((META.severity, "a repository's signature check is switched off"));
    }
    // A repository that is written and never enabled installs nothing.
    let severity = if text.text.contains("enabled=0") { Severity::Low } else { META.severity };
    writes.then_some((severity, "a repository is written with gpgcheck=0"))
}

fn is_check(name: &str) -> bool {
    name == "gpgcheck"
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}
