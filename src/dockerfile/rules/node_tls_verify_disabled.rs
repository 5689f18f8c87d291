//! `node-tls-verify-disabled`: NODE_TLS_REJECT_UNAUTHORIZED=0.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "node-tls-verify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_6"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "NODE_TLS_REJECT_UNAUTHORIZED=0.",
    help: r#"Node.js then accepts any certificate: anybody on the way can answer in the server's place.

Fails:

```dockerfile
FROM node:24
ENV NODE_TLS_REJECT_UNAUTHORIZED=0
```

Clean:

```dockerfile
FROM node:24
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/ca.pem
```
"#,
};

/// NODE_TLS_REJECT_UNAUTHORIZED=0.
pub(super) struct NodeTlsVerifyDisabled;

impl Rule for NodeTlsVerifyDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_set(&META, is_faulty, |name| format!("{name}=0 makes Node.js accept any certificate"))
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "NODE_TLS_REJECT_UNAUTHORIZED" && value == "0"
}
