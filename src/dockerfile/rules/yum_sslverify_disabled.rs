//! `yum-sslverify-disabled`: yum/dnf sslverify is switched off.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, RedirectKind, Word},
    options::Arguments,
    rule::{Dockerfile, Rule, fixed_by},
};

const META: RuleMeta = RuleMeta {
    id: "yum-sslverify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_15"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Yum/dnf sslverify is switched off.",
    help: r#"Without the check of the certificate anybody between the build and the repository can answer in its place, and with it goes the privacy of what is asked for. Install the certificate of the repository's authority instead.

Fails:

```dockerfile
FROM rockylinux:9
RUN yum install -y --setopt=sslverify=false curl
```

Clean:

```dockerfile
FROM rockylinux:9
COPY corporate.pem /etc/pki/ca-trust/source/anchors/
RUN update-ca-trust && yum install -y curl
```
"#,
};

/// Yum/dnf sslverify is switched off.
pub(super) struct YumSslverifyDisabled;

impl Rule for YumSslverifyDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.all_commands() {
            let Some(title) = judge(command) else { continue };
            let finding = dockerfile.finding_in(&META, META.severity, command, title.to_owned());
            findings.push(match edit(dockerfile, command) {
                Some(edit) => fixed_by(finding, FixKind::Unsafe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}

const MANAGERS: &[&str] = &["yum", "dnf", "dnf5", "tdnf", "microdnf", "yum-config-manager", "dnf-config-manager"];

fn judge(command: &Command) -> Option<&'static str> {
    if command.is_one_of(MANAGERS) {
        let arguments = Arguments::of(command);
        let mut values =
            arguments.options.iter().filter_map(|option| option.value).chain(arguments.operands.iter().map(|word| word.text.as_str()));
        return values.any(is_off).then_some("the certificates of package repositories are not checked: sslverify is off");
    }
    if !command.is_one_of(&["echo", "printf", "cat", "tee", "sed", "crudini"]) {
        return None;
    }
    let documents = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target);
    let says_so = command.arguments().iter().chain(documents).any(|word| word.text.lines().any(is_off));
    let is_file =
        |path: &str| path.ends_with(".repo") || path.ends_with("yum.conf") || path.ends_with("dnf.conf") || path.contains("/yum.repos.d/");
    let is_written =
        command.written_files().any(is_file) || (command.name != "echo" && command.arguments().iter().any(|word| is_file(&word.text)));
    // Where a pipe leads to is not looked at: `sslverify` is a word of these files alone.
    let is_handed_on = command.pipes.iter().any(|pipe| pipe.position == 0);
    (says_so && (is_written || is_handed_on)).then_some("a package repository is set up with sslverify off")
}

/// Whether a text sets `sslverify`, or that of one repository, to no.
fn is_off(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.split_once("sslverify").is_some_and(|(before, rest)| {
        // In the pattern of sed stands what goes.
        let rest =
            rest.rsplit_once("sslverify").filter(|_| before.starts_with("s/") || before.starts_with("s|")).map_or(rest, |(_, last)| last);
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start).unwrap_or_default();
        ["0", "false", "no", "off"].iter().any(|no| {
            value.strip_prefix(no).is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'))
        })
    })
}

/// Takes the option away, where it stands in the file as it is read.
fn edit(dockerfile: &Dockerfile<'_>, command: &Command) -> Option<crate::model::fix::Edit> {
    let place = command.words.iter().position(|word| word.text.starts_with("--setopt=") && is_off(&word.text))?;
    let (before, word) = (command.words.get(place.checked_sub(1)?)?, command.words.get(place)?);
    let written = |word: &Word| dockerfile.source.text.get(word.range.clone()).is_some_and(|text| !text.is_empty() && text == word.raw);
    let gap = dockerfile.source.text.get(before.range.end..word.range.start)?;
    let start = if gap.trim_matches(' ').is_empty() { before.range.end } else { word.range.start };
    (written(word) && written(before)).then(|| dockerfile.edit(start..word.range.end, ""))
}
