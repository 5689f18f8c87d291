//! `wget-no-check-certificate`: wget runs with --no-check-certificate.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "wget-no-check-certificate",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_3"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Wget runs with --no-check-certificate.",
    help: r#"Without certificate checks anybody on the way can answer in the server's place: what is downloaded is theirs.

Fails:

```dockerfile
FROM debian:12
RUN wget --no-check-certificate https://example.com/app
```

Clean:

```dockerfile
FROM debian:12
RUN wget https://example.com/app
```
"#,
};

/// Wget runs with --no-check-certificate.
pub(super) struct WgetNoCheckCertificate;

impl Rule for WgetNoCheckCertificate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run_with(&META, is_faulty, "wget does not check the server's certificate", |command| {
            dockerfile.without_option(command, None, "--no-check-certificate")
        })
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "wget" {
        return false;
    }
    let arguments = Arguments::of(command);
    arguments.has_long("--no-check-certificate") && !arguments.all_local()
}
