//! `wget-no-check-certificate`: wget runs with --no-check-certificate.

use crate::model::{
    finding::Finding,
    rule::{Group, RuleMeta},
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
        let faulty = dockerfile.all_commands().filter(|(_, command)| is_faulty(command));
        faulty
            .map(|(_, command)| {
                dockerfile.finding_in(&META, META.severity, command, "wget does not check the server's certificate".to_owned())
            })
            .collect()
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "wget" {
        return false;
    }
    let arguments = Arguments::of(command);
    arguments.has_long("--no-check-certificate") && !is_local(&arguments)
}

/// Whether every URL that the command names is on this machine.
fn is_local(arguments: &Arguments<'_>) -> bool {
    let mut urls = arguments.operands.iter().map(|word| word.text.as_str()).peekable();
    urls.peek().is_some()
        && urls.all(|url| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let host = rest.split(['/', ':']).next().unwrap_or_default();
            host == "localhost" || host.starts_with("127.")
        })
}
