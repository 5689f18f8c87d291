//! `run-network-host`: RUN --network=host.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "run-network-host",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "RUN --network=host.",
    help: r#"The step shares the network of the build machine: it reaches what only that machine may reach, cloud metadata included.

Fails:

```dockerfile
FROM alpine:3.22
RUN --network=host curl http://169.254.169.254/
```

Clean:

```dockerfile
FROM alpine:3.22
RUN --network=none make
```
"#,
};

/// RUN --network=host.
pub(super) struct RunNetworkHost;

impl Rule for RunNetworkHost {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let host = dockerfile.with_keyword("RUN").filter(|(_, instruction)| instruction.flag("network") == Some("host"));
        host.map(|(_, instruction)| {
            dockerfile.finding(&META, META.severity, instruction, "RUN --network=host uses the build machine's network".to_owned())
        })
        .collect()
    }
}
