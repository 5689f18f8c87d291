//! `apt-get-missing-yes`: apt-get install without -y.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apt-get-missing-yes",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["77783205", "AVD-DS-0021", "DL3014", "DS-0021", "DS021", "missing-assume-yes-switch"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Apt-get install without -y.",
    help: r#"Without -y apt-get asks, and nobody is there to answer: the build stops.

Fails:

```dockerfile
FROM debian:12
RUN apt-get install curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get install -y curl
```
"#,
};

/// Apt-get install without -y.
pub(super) struct AptGetMissingYes;

impl Rule for AptGetMissingYes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = "apt-get asks before it installs, and nobody answers";
        // `apt` is judged by a rule of its own.
        dockerfile.where_installed_without(&META, &[Manager::Apt], "-y", |call| call.program != "apt-get" || is_told_yes(call), title)
    }
}

/// Whether questions are answered beforehand.
fn is_told_yes(invocation: &Invocation<'_>) -> bool {
    invocation.has(&["y", "--yes", "--assume-yes"])
        || invocation.count('q') > 1
        || invocation.values(&["--quiet", "q"]).any(|level| level == "2")
        || invocation.values(&["--option", "o"]).any(|option| option.eq_ignore_ascii_case("APT::Get::Assume-Yes=true"))
}
