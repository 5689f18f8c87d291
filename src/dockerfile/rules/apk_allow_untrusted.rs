//! `apk-allow-untrusted`: apk add --allow-untrusted.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apk-allow-untrusted",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CIS-4.11", "CKV2_DOCKER_7"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apk add --allow-untrusted.",
    help: r#"The signature is what says that a package comes from Alpine. Without it any mirror or man in the middle installs what he likes.

Fails:

```dockerfile
FROM alpine:3.22
RUN apk add --allow-untrusted https://example.com/app.apk
```

Clean:

```dockerfile
FROM alpine:3.22
COPY app.rsa.pub /etc/apk/keys/
RUN apk add app
```
"#,
};

/// Apk add --allow-untrusted.
pub(super) struct ApkAllowUntrusted;

impl Rule for ApkAllowUntrusted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, command) in dockerfile.all_commands().filter(|(_, command)| command.name == "apk") {
            let arguments = Arguments::of(command);
            if arguments.operand(0) != "add" || !arguments.has_long("--allow-untrusted") {
                continue;
            }
            // Files that this Dockerfile built itself have no other origin to prove.
            let copied = dockerfile.instructions.iter().any(|other| {
                other.keyword == "COPY" && other.stage == instruction.stage && other.line < instruction.line && other.flag("from").is_some()
            });
            let files = arguments.operands.iter().skip(1).all(|word| word.text.ends_with(".apk") && !word.text.contains("://"));
            let severity = if copied && files && arguments.operands.len() > 1 { Severity::Medium } else { META.severity };
            findings.push(dockerfile.finding_in(
                &META,
                severity,
                command,
                "apk installs packages without checking their signatures".to_owned(),
            ));
        }
        findings
    }
}
