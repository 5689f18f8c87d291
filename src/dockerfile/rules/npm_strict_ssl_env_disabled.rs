//! `npm-strict-ssl-env-disabled`: NPM_CONFIG_STRICT_SSL=false (any case).

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "npm-strict-ssl-env-disabled",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_12"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "NPM_CONFIG_STRICT_SSL=false (any case).",
    help: r#"npm then accepts any certificate: anybody on the way can answer in the registry's place.

Fails:

```dockerfile
FROM node:24
ENV NPM_CONFIG_STRICT_SSL=false
```

Clean:

```dockerfile
FROM node:24
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/ca.pem
```
"#,
};

/// NPM_CONFIG_STRICT_SSL=false (any case).
pub(super) struct NpmStrictSslEnvDisabled;

impl Rule for NpmStrictSslEnvDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_set(&META, is_faulty, |name| format!("{name}=false makes npm accept any certificate"))
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("NPM_CONFIG_STRICT_SSL") && value.eq_ignore_ascii_case("false")
}
