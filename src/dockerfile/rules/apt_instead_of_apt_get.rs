//! `apt-instead-of-apt-get`: RUN uses apt.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    package_manager::{Action, Invocation},
    rule::{Dockerfile, Rule, fixed_by},
};

const META: RuleMeta = RuleMeta {
    id: "apt-instead-of-apt-get",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["CKV_DOCKER_9", "DL3027", "b84a0b47", "prefer-apt-get"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "RUN uses apt.",
    help: r#"apt is made for people at a terminal; its options and its output may change from release to release. Scripts call apt-get or apt-cache.

Fails:

```dockerfile
FROM debian:12
RUN apt install -y curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get install -y curl
```
"#,
};

/// RUN uses apt.
pub(super) struct AptInsteadOfAptGet;

impl Rule for AptInsteadOfAptGet {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.build_commands().filter(|(_, command)| command.name == "apt") {
            let finding = dockerfile.finding_in(&META, META.severity, command, "apt is not made for scripts".to_owned());
            let program = command.words.first().filter(|word| word.text == "apt" && dockerfile.is_plain(word));
            let has_twin = command.words.get(1).is_some_and(|verb| TWINS.contains(&verb.text.as_str()) || verb.text.starts_with('-'));
            findings.push(match program.filter(|_| has_twin) {
                Some(word) => {
                    fixed_by(finding, FixKind::Safe, with_yes(dockerfile, command, dockerfile.edit(word.range.clone(), "apt-get")))
                }
                None => finding,
            });
        }
        findings
    }
}

/// The edit, and `-y` where nothing answers the question that apt-get asks before it installs.
fn with_yes(dockerfile: &Dockerfile<'_>, command: &Command, edit: Edit) -> Vec<Edit> {
    let is_asked = |call: &Invocation<'_>| {
        call.action == Action::Install && !call.has(&["y", "--yes", "--assume-yes"]) && call.count('q') < 2 && !call.has(&["o", "--option"])
    };
    let yes = Invocation::of(command).filter(is_asked).and_then(|call| dockerfile.after_verb(command, &call, " -y"));
    std::iter::once(edit).chain(yes).collect()
}

/// What apt and apt-get do alike.
const TWINS: &[&str] =
    &["autoclean", "autoremove", "build-dep", "clean", "download", "install", "purge", "reinstall", "remove", "source", "update"];
