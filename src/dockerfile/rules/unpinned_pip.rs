//! `unpinned-pip`: pip install of a package without a version.

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
    id: "unpinned-pip",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["02d9c71f", "DL3013"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Pip install of a package without a version.",
    help: r#"Without a version pip takes whatever was published last, which may be broken, or somebody else's. A requirements file with versions, best with hashes, says what was tested.

Fails:

```dockerfile
FROM python:3.13
RUN pip install --no-cache-dir flask
```

Clean:

```dockerfile
FROM python:3.13
RUN pip install --no-cache-dir flask==3.1.2
```
"#,
};

/// Pip install of a package without a version.
pub(super) struct UnpinnedPip;

impl Rule for UnpinnedPip {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Pip], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    let is_listed = invocation.has(&["r", "--requirement", "c", "--constraint"]);
    if invocation.manager != Manager::Pip || invocation.verb != "install" || is_listed {
        return Vec::new();
    }
    let names = || invocation.packages.iter().map(|word| word.text.as_str());
    // What stands here in the build context has the version that it has.
    if names().any(|name| name == ".") {
        return Vec::new();
    }
    names().filter(|name| !is_pinned(name)).collect()
}

/// Whether a requirement names a version, a file, or a commit.
fn is_pinned(name: &str) -> bool {
    let has_version = ["==", ">=", "<=", ">", "<", "!=", "~="].iter().any(|sign| name.contains(sign));
    let is_local = name.starts_with(['.', '/']) || [".whl", ".tar.gz", ".zip"].iter().any(|end| name.ends_with(end));
    let is_address =
        name.contains("://") && (!name.starts_with("git+") || name.rsplit_once('/').is_some_and(|(_, rest)| rest.contains('@')));
    has_version || is_local || is_address
}
