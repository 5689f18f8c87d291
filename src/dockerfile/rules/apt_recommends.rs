//! `apt-recommends`: apt-get install with recommended packages.

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
    id: "apt-recommends",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["7384dfb2", "AVD-DS-0029", "DL3015", "DS-0029", "DS029", "missing-no-install-recommends"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Apt-get install with recommended packages.",
    help: r#"Recommended packages are often as many again as those that were asked for: more to download, to patch and to find vulnerabilities in.

Fails:

```dockerfile
FROM debian:12
RUN apt-get install -y curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get install -y --no-install-recommends curl
```
"#,
};

/// Apt-get install with recommended packages.
pub(super) struct AptRecommends;

impl Rule for AptRecommends {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let is_given = |call: &Invocation<'_>| call.program != "apt-get" || without_recommends(call);
        let title = "recommended packages are installed as well";
        dockerfile.where_installed_without(&META, &[Manager::Apt], "--no-install-recommends", is_given, title)
    }
}

/// Whether recommended packages stay out.
fn without_recommends(invocation: &Invocation<'_>) -> bool {
    invocation.has(&["--no-install-recommends"])
        || invocation.values(&["--option", "o"]).any(|option| {
            option.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("APT::Install-Recommends")
                    && matches!(value.trim_matches(['"', '\'']), "false" | "0" | "no")
            })
        })
}
