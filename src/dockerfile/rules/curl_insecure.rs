//! `curl-insecure`: curl runs with -k or --insecure.

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
    id: "curl-insecure",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_2"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Curl runs with -k or --insecure.",
    help: r#"Without certificate checks anybody on the way can answer in the server's place: what is downloaded is theirs.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsSLk https://example.com/app -o /app
```

Clean:

```dockerfile
FROM debian:12
RUN curl -fsSL https://example.com/app -o /app
```
"#,
};

/// Curl runs with -k or --insecure.
pub(super) struct CurlInsecure;

impl Rule for CurlInsecure {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run_with(&META, is_faulty, "curl does not check the server's certificate", |command| {
            dockerfile.without_option(command, Some('k'), "--insecure")
        })
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "curl" {
        return false;
    }
    let arguments = Arguments::of(command);
    (arguments.has_short('k') || arguments.has_long("--insecure")) && !arguments.all_local()
}
