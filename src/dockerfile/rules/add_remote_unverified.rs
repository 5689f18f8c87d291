//! `add-remote-unverified`: ADD of an http(s) URL without --checksum, or of a git URL without a commit.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::fixed_if,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "add-remote-unverified",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &["CIS-DI-0009", "CKV_DOCKER_4"],
    needs: &[Need::Ast],
    fix: Some(FixKind::Network),
    summary: "ADD of an http(s) URL without --checksum, or of a git URL without a commit.",
    help: r#"The server may send something else tomorrow, and nobody would notice. A git tag or branch moves too; a 40-digit commit does not.

Fails:

```dockerfile
FROM alpine:3.22
ADD https://example.com/app.tar.gz /opt/
```

Clean:

```dockerfile
FROM alpine:3.22
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/app.tar.gz /opt/
```
"#,
};

/// ADD of an http(s) URL without --checksum, or of a git URL without a commit.
pub(super) struct AddRemoteUnverified;

impl Rule for AddRemoteUnverified {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("ADD") {
            if instruction.flag("checksum").is_some_and(verifies) {
                continue;
            }
            let values = match dockerfile.graph.values.get(index) {
                Some(values) if !values.is_empty() => values.iter().map(|value| value.text.as_str()).collect::<Vec<_>>(),
                _ => instruction.args.iter().map(|argument| argument.text.as_str()).collect(),
            };
            let Some((_, sources)) = values.split_last() else { continue };
            if let Some(url) = sources.iter().find(|source| is_remote(source)) {
                let shown = url.split(['?', '#']).next().unwrap_or(url);
                let shown = shown.rsplit_once('@').map_or(shown.to_owned(), |(_, rest)| format!("...@{rest}"));
                let finding = dockerfile.finding(&META, META.severity, instruction, format!("ADD of {shown} without a checksum"));
                let edit = checked(dockerfile, instruction, url).filter(|_| sources.len() == 1);
                findings.push(fixed_if(finding, FixKind::Network, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// The instruction with the checksum of what the address gives, when somebody fetched that.
fn checked(dockerfile: &Dockerfile<'_>, instruction: &Instruction, url: &str) -> Option<Edit> {
    let digest = dockerfile.bases.get(url)?.digest.as_deref()?;
    let end = instruction.at + instruction.word.len();
    let has_checksum = instruction.flags.iter().any(|flag| flag.name == "checksum");
    let at = instruction.logical.range(&(instruction.at..end)).end;
    (!has_checksum).then(|| dockerfile.edit(at..at, format!(" --checksum={digest}")))
}

/// Whether a checksum says something: a digest, or a variable that may hold one. An empty one is no check.
fn verifies(checksum: &str) -> bool {
    let is_digest = |text: &str| {
        text.split_once(':').is_some_and(|(name, hex)| {
            matches!(name, "sha256" | "sha384" | "sha512") && hex.len() >= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    checksum.contains('$') || is_digest(checksum.trim_matches(['"', '\'']))
}

/// Whether the source is fetched and nothing says what it must be.
fn is_remote(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    let git = lower.starts_with("git@")
        || lower.starts_with("git://")
        || lower.starts_with("ssh://")
        || lower.split(['#', '?']).next().is_some_and(|url| url.ends_with(".git"));
    if git {
        let fragment = source.split_once('#').map_or("", |(_, fragment)| fragment.split(':').next().unwrap_or_default());
        let query = source.split_once("checksum=").map_or("", |(_, rest)| rest.split(['&', '#']).next().unwrap_or_default());
        let commit = |text: &str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        return !commit(fragment) && !commit(query);
    }
    lower.starts_with("http://") || lower.starts_with("https://")
}
