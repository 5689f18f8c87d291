//! `zypper-no-gpg-checks`: zypper --no-gpg-checks or --allow-unsigned-rpm.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "zypper-no-gpg-checks",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &["CIS-4.11"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Zypper --no-gpg-checks or --allow-unsigned-rpm.",
    help: r#"The signature is what says that a package comes from the distribution.

Fails:

```dockerfile
FROM opensuse/leap:15
RUN zypper --no-gpg-checks install -y curl
```

Clean:

```dockerfile
FROM opensuse/leap:15
RUN zypper install -y curl
```
"#,
};

/// Zypper --no-gpg-checks or --allow-unsigned-rpm.
pub(super) struct ZypperNoGpgChecks;

impl Rule for ZypperNoGpgChecks {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run(&META, is_faulty, "zypper installs packages without checking their signatures")
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "zypper" {
        return false;
    }
    let arguments = Arguments::of(command);
    arguments.has_long("--no-gpg-checks") || arguments.has_long("--allow-unsigned-rpm")
}
