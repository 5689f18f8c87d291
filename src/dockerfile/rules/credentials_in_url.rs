//! `credentials-in-url`: user:password@ or a token in a URL (git clone, pip/npm index, ADD).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{HOLE, Word},
    rule::{Dockerfile, Rule},
    secret,
    source::slice,
};

const META: RuleMeta = RuleMeta {
    id: "credentials-in-url",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &["DS-0031", "c3e1b6ae"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "User:password@ or a token in a URL (git clone, pip/npm index, ADD).",
    help: r#"Programs keep URLs: in `.git/config`, in package-manager state, in the image's history. The credential stays in the layer.

Fails:

```dockerfile
FROM alpine:3.22
RUN git clone https://bot:hunter22@git.example.org/app.git
```

Clean:

```dockerfile
FROM alpine:3.22
RUN --mount=type=ssh git clone git@git.example.org:app.git
```
"#,
};

/// User:password@ or a token in a URL (git clone, pip/npm index, ADD).
pub(super) struct CredentialsInUrl;

impl Rule for CredentialsInUrl {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.all_commands() {
            // Shells and wrappers run their words as commands of their own.
            if !crate::dockerfile::wrapper::unwrap(command).is_empty() {
                continue;
            }
            let values = command.assignments.iter().map(|assignment| &assignment.value);
            let found = command
                .words
                .iter()
                .chain(values)
                .filter_map(|word| judge(&word.text, word))
                .max_by_key(|(severity, _)| severity.report_order() == 1);
            findings.extend(found.map(|(severity, title)| dockerfile.finding_in(&META, severity, command, title)));
        }
        for keyword in ["ADD", "ENV", "ARG"] {
            for (index, instruction) in dockerfile.with_keyword(keyword) {
                let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
                let found =
                    values.iter().filter(|value| value.is_decided()).find_map(|value| judge(&value.text, &Word::literal(&value.text)));
                findings.extend(found.map(|(severity, title)| dockerfile.finding(&META, severity, instruction, title)));
            }
        }
        findings
    }
}

/// Looks for `scheme://user:password@host`.
fn judge(text: &str, word: &Word) -> Option<(Severity, String)> {
    // Most words are no URLs, and a byte is found sooner than a text.
    if !text.contains('@') {
        return None;
    }
    for (at, mark) in text.match_indices("://") {
        let scheme_start = slice(text, 0..at).rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+').map_or(0, |at| at + 1);
        let scheme = slice(text, scheme_start..at);
        let rest = slice(text, at + mark.len()..text.len());
        let authority = slice(rest, 0..rest.find(['/', '?', '#', ' ', '\'', '"', '\n']).unwrap_or(rest.len()));
        let Some((user_info, host)) = authority.rsplit_once('@') else { continue };
        if host.is_empty() || scheme.is_empty() || is_local(host) {
            continue;
        }
        let (user, password) = user_info.split_once(':').map_or((user_info, None), |(user, password)| (user, Some(password)));
        match password {
            Some(password) if password.contains(HOLE) || (password == "x-oauth-basic" && user.contains(HOLE)) => {
                return Some((Severity::Medium, format!("a credential goes into a {scheme} URL for {host}")));
            }
            Some(password) if secret::is_literal_secret(password) && !is_template(password) => {
                return Some((Severity::High, format!("literal password in a {scheme} URL for {host}")));
            }
            Some(_) => {}
            // A token alone: a variable that is named like one, in a protocol that would send it.
            None if scheme.starts_with("http") && user.contains(HOLE) && names_secret(&word.raw) => {
                return Some((Severity::Medium, format!("a token goes into a {scheme} URL for {host}")));
            }
            None if !secret::literals(user).is_empty() || (scheme.starts_with("http") && is_random(user)) => {
                return Some((Severity::High, format!("literal token in a {scheme} URL for {host}")));
            }
            None => {}
        }
    }
    None
}

fn is_local(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    name == "localhost" || name.starts_with("127.") || name.ends_with(".example") || name == "example.com" || name.ends_with(".example.com")
}

/// Whether a user without a password is a token and no name: long, of letters and digits in no order.
fn is_random(user: &str) -> bool {
    const SHORTEST: usize = 16;
    let is_of = |kind: fn(&char) -> bool| user.chars().filter(kind).count();
    let plain = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    plain
        && user.len() >= SHORTEST
        && is_of(char::is_ascii_digit) >= 4
        && is_of(char::is_ascii_alphabetic) >= 4
        && secret::is_literal_secret(user)
}

fn is_template(password: &str) -> bool {
    matches!(password.to_ascii_lowercase().as_str(), "password" | "pass" | "pwd" | "secret" | "token")
        || password.starts_with(['{', '[', '%'])
}

/// Whether the written word takes a secret-like variable or a mounted secret.
fn names_secret(raw: &str) -> bool {
    raw.contains("/run/secrets/") || raw.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(secret::is_secret_name)
}
