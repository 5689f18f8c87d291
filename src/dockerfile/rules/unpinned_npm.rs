//! `unpinned-npm`: npm install of a package without a version.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "unpinned-npm",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DL3016", "e36d8880"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Npm install of a package without a version.",
    help: r#"Without a version npm takes whatever was published last, which may be broken, or somebody else's. `npm ci` with a lock file installs what was tested.

Fails:

```dockerfile
FROM node:22
RUN npm install -g serve
```

Clean:

```dockerfile
FROM node:22
RUN npm install -g serve@14.2.5
```
"#,
};

/// Npm install of a package without a version.
pub(super) struct UnpinnedNpm;

impl Rule for UnpinnedNpm {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Npm], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.program != "npm" || !matches!(invocation.verb, "install" | "i" | "add") {
        return Vec::new();
    }
    invocation.packages.iter().map(|word| word.text.as_str()).filter(|name| !is_pinned(name)).collect()
}

/// Whether a package has a version, or is a file, a folder or a commit.
fn is_pinned(name: &str) -> bool {
    if name.starts_with("git") && name.contains("://") {
        return name.contains('#');
    }
    let is_local = ["/", "./", "../", "~/", "file:"].iter().any(|start| name.starts_with(start)) || matches!(name, "." | "..");
    let is_archive = [".tar", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end));
    // A scope begins with the same sign as a version.
    is_local || is_archive || name.strip_prefix('@').unwrap_or(name).contains('@')
}
