//! `unpinned-dnf`: dnf or microdnf install without versions.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "unpinned-dnf",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &["93d88cf7", "DL3041"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Dnf or microdnf install without versions.",
    help: r#"A version makes a build repeatable as long as the repository has it. Pins break when it goes, so this rule is off; pin the base image and a snapshot of the repositories instead. Unlike hadolint's DL3041, a dnf that sudo or another program runs counts.

Fails:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl-7.76.1
```
"#,
};

/// Dnf or microdnf install without versions.
pub(super) struct UnpinnedDnf;

impl Rule for UnpinnedDnf {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Dnf, Manager::Microdnf], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if !matches!(invocation.manager, Manager::Dnf | Manager::Microdnf)
        || invocation.program == "tdnf"
        || invocation.action != Action::Install
    {
        return Vec::new();
    }
    let names = invocation.packages.iter().map(|word| word.text.as_str());
    // `module:stream` and `name-1.2` say what they want.
    names.filter(|name| !name.contains(':') && !has_version(name) && !name.ends_with(".rpm")).collect()
}

/// Whether a digit follows one of the dashes: `bash-5.1.8`, but not `java-17-openjdk`, whose number is part of its name, as `libX11-devel` shows.
fn has_version(name: &str) -> bool {
    name.split('-').skip(1).any(|part| part.starts_with(|first: char| first.is_ascii_digit()) || part.starts_with('$'))
}
