//! `python-https-verify-disabled`: PYTHONHTTPSVERIFY=0.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "python-https-verify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_5"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "PYTHONHTTPSVERIFY=0.",
    help: r#"Python then accepts any certificate: anybody on the way can answer in the server's place.

Fails:

```dockerfile
FROM python:3.13
ENV PYTHONHTTPSVERIFY=0
```

Clean:

```dockerfile
FROM python:3.13
ENV SSL_CERT_FILE=/etc/ssl/ca.pem
```
"#,
};

/// PYTHONHTTPSVERIFY=0.
pub(super) struct PythonHttpsVerifyDisabled;

impl Rule for PythonHttpsVerifyDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_set(&META, is_faulty, |name| format!("{name}=0 makes Python accept any certificate"))
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "PYTHONHTTPSVERIFY" && value == "0"
}
