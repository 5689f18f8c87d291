//! `curl-insecure`: curl runs with -k or --insecure.

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
    id: "curl-insecure",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_2"],
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
        let faulty = dockerfile.all_commands().filter(|(_, command)| is_faulty(command));
        faulty
            .map(|(_, command)| {
                dockerfile.finding_in(&META, META.severity, command, "curl does not check the server's certificate".to_owned())
            })
            .collect()
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "curl" {
        return false;
    }
    let arguments = Arguments::of(command);
    (arguments.has_short('k') || arguments.has_long("--insecure")) && !is_local(&arguments)
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
