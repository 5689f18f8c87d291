//! `unpinned-apt`: apt-get install without versions.

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
    id: "unpinned-apt",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &["965a08d7", "DL3008"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apt-get install without versions.",
    help: r#"A version makes a build repeatable as long as the archive has it. Debian's archives drop old versions, so that pins break builds: this rule is off; pin the base image and a snapshot archive instead.

Fails:

```dockerfile
FROM debian:12
RUN apt-get install -y curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get install -y curl=7.88.1-10+deb12u12
```
"#,
};

/// Apt-get install without versions.
pub(super) struct UnpinnedApt;

impl Rule for UnpinnedApt {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Apt], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.program != "apt-get" || invocation.action != Action::Install {
        return Vec::new();
    }
    let names = invocation.packages.iter().map(|word| word.text.as_str());
    // A file, a package of a target release, or one with a version.
    names.filter(|name| !name.contains(['=', '/']) && !name.ends_with(".deb")).collect()
}
