//! `pip-trusted-host-env`: PIP_TRUSTED_HOST is set (ENV, ARG or in RUN).

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "pip-trusted-host-env",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_16"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "PIP_TRUSTED_HOST is set (ENV, ARG or in RUN).",
    help: r#"For a trusted host pip checks no certificate: anybody on the way can answer in its place.

Fails:

```dockerfile
FROM python:3.13
ENV PIP_TRUSTED_HOST=pypi.example.com
```

Clean:

```dockerfile
FROM python:3.13
RUN pip install app
```
"#,
};

/// PIP_TRUSTED_HOST is set (ENV, ARG or in RUN).
pub(super) struct PipTrustedHostEnv;

impl Rule for PipTrustedHostEnv {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_set(&META, is_faulty, |name| format!("{name} makes pip accept any certificate"))
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "PIP_TRUSTED_HOST" && !value.is_empty()
}
