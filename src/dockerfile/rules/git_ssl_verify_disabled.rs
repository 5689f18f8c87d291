//! `git-ssl-verify-disabled`: GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    edits::fixed_if,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "git-ssl-verify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_14"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.",
    help: r#"git then accepts any certificate: anybody on the way can answer in the server's place.

Fails:

```dockerfile
FROM debian:12
RUN git -c http.sslVerify=false clone https://git.example.org/app
```

Clean:

```dockerfile
FROM debian:12
RUN git clone https://git.example.org/app
```
"#,
};

/// GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.
pub(super) struct GitSslVerifyDisabled;

impl Rule for GitSslVerifyDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut found = variables(dockerfile);
        let off =
            |text: &str| text.split_once('=').is_some_and(|(name, value)| name.eq_ignore_ascii_case("http.sslVerify") && is_no(value));
        for (_, command) in dockerfile.all_commands().filter(|(_, command)| command.name == "git") {
            let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
            let pair =
                words.windows(2).any(|pair| matches!(pair, [name, value] if name.eq_ignore_ascii_case("http.sslVerify") && is_no(value)));
            if pair || words.iter().any(|word| off(word)) {
                let finding =
                    dockerfile.finding_in(&META, META.severity, command, "git does not check the server's certificate".to_owned());
                found.push(fixed_if(finding, FixKind::Unsafe, switched_on(dockerfile, command)));
            }
        }
        found
    }
}

/// The words that switch the check off, with the opposite value.
fn switched_on(dockerfile: &Dockerfile<'_>, command: &Command) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for pair in command.words.windows(2) {
        let [name, value] = pair else { continue };
        if name.text.eq_ignore_ascii_case("http.sslVerify") && is_no(&value.text) {
            edits.push(dockerfile.other_word(value, "true")?);
        } else if let Some((name, old)) = value.text.split_once('=')
            && name.eq_ignore_ascii_case("http.sslVerify")
            && is_no(old)
        {
            edits.push(dockerfile.other_word(value, &format!("{name}=true"))?);
        }
    }
    Some(edits)
}

fn variables(dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
    dockerfile.where_set(&META, is_faulty, |name| format!("{name} makes git accept any certificate"))
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "GIT_SSL_NO_VERIFY" && !value.is_empty()
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off")
}
