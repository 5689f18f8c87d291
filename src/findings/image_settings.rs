//! An image's configuration and history in, findings about ports and credentials in them out: environment, labels, build arguments, commands
//! (<https://github.com/opencontainers/image-spec/blob/main/config.md>). Values are never repeated.

use crate::model::{
    finding::Finding,
    image::{ImageConfig, ResolvedImage},
    location::Location,
    private_key::private_keys,
    rule::RuleMeta,
    secret::{is_literal_secret, is_secret_name},
    severity::Severity,
    token::tokens,
    url_password::url_passwords,
};

/// Longest name that a title repeats.
const NAME: usize = 80;

/// Judges ports, environment, labels and history by the rules that `meta` knows. `known` are findings of the Dockerfile: what it says of a line is not
/// said again of the image.
pub fn judge(image: &ResolvedImage, known: &[Finding], meta: impl Fn(&str) -> Option<&'static RuleMeta>) -> Vec<Finding> {
    let config = &image.config;
    let mut findings = Vec::new();
    if let Some(meta) = meta("ssh-port-exposed").filter(|meta| !known.iter().any(|one| one.id == meta.id))
        && config.exposed_ports.iter().any(|port| is_ssh(port))
    {
        let title = "the image exposes port 22, the port of ssh".to_owned();
        findings.push(Finding::of_rule(meta, meta.severity, title, Location::Config));
    }
    for (id, severity, title, location) in secrets(config) {
        if let Some(meta) = meta(id)
            && !known.iter().any(|one| one.id == id && is_of_dockerfile(one) && says_the_same(one, &title))
        {
            findings.push(Finding::of_rule(meta, severity, title, location));
        }
    }
    findings.dedup();
    findings
}

fn is_of_dockerfile(finding: &Finding) -> bool {
    finding.locations.iter().any(|location| matches!(location, Location::Dockerfile(_)))
}

/// Whether a finding of the Dockerfile names the variable that this title names, or the title names none.
fn says_the_same(finding: &Finding, title: &str) -> bool {
    match title.split('`').nth(1) {
        Some(name) => finding.title.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name),
        None => true,
    }
}

fn is_ssh(port: &str) -> bool {
    let (ports, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse::<u16>().and_then(|first| last.parse::<u16>().map(|last| first..=last));
    protocol.eq_ignore_ascii_case("tcp") && range.is_ok_and(|range| range.contains(&22))
}

type Secret = (&'static str, Severity, String, Location);

fn secrets(config: &ImageConfig) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for variable in &config.env {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        if is_secret_name(name) && is_literal_secret(value) {
            names.push(name);
            found.push((
                "secret-in-env",
                Severity::High,
                format!("the image's environment sets `{}` to a literal secret", short(name)),
                Location::Config,
            ));
        } else if let Some((id, severity, what)) = literal(value) {
            found.push((id, severity, format!("{what} in the variable `{}` of the image's environment", short(name)), Location::Config));
        }
    }
    for (name, value) in &config.labels {
        if let Some((id, severity, what)) = literal(value) {
            found.push((id, severity, format!("{what} in the label `{}`", short(name)), Location::Config));
        } else if is_secret_name(name) && value.len() >= 6 && is_literal_secret(value) {
            found.push(("secret-literal", Severity::High, format!("the label `{}` holds a literal secret", short(name)), Location::Config));
        }
    }
    for (index, entry) in config.history.iter().enumerate() {
        let location = Location::History { index };
        for (name, value) in build_arguments(&entry.created_by) {
            if is_secret_name(name) && is_literal_secret(value) {
                let title = format!("the history keeps the build argument `{}` with its value", short(name));
                found.push(("secret-in-arg", Severity::High, title, location.clone()));
            }
        }
        let set = variables(&entry.created_by)
            .into_iter()
            .find(|(name, value)| !names.contains(name) && is_secret_name(name) && is_literal_secret(value));
        if let Some((name, _)) = set {
            let title = format!("the history keeps a literal secret that was the variable `{}`", short(name));
            found.push(("secret-in-env", Severity::High, title, location.clone()));
        }
        // What the environment still has was told above.
        let is_told = config.env.iter().any(|variable| entry.created_by.contains(variable.as_str()) && literal(variable).is_some());
        if let Some((id, severity, what)) = literal(&entry.created_by).filter(|_| !is_told) {
            found.push((id, severity, format!("{what} in the image's history"), location));
        }
    }
    found
}

/// A credential that can be told by its format: the rule, its severity and what it is.
fn literal(text: &str) -> Option<(&'static str, Severity, String)> {
    let bytes = text.as_bytes();
    if let Some(token) = tokens(bytes).into_iter().next() {
        return Some(("secret-literal", token.severity, token.kind.to_owned()));
    }
    if let Some(key) = private_keys(bytes).into_iter().next() {
        return Some(("secret-literal", Severity::Critical, key.kind.to_owned()));
    }
    url_passwords(bytes).find(|found| !found.is_nobodys()).map(|_| ("credentials-in-url", Severity::High, "a password in a URL".to_owned()))
}

/// The build arguments that builders put in front of a command: `|2 A=1 B=2 /bin/sh -c ...`.
fn build_arguments(created_by: &str) -> Vec<(&str, &str)> {
    let text = created_by.strip_prefix("RUN ").unwrap_or(created_by);
    let Some((count, rest)) = text.strip_prefix('|').and_then(|text| text.split_once(' ')) else { return Vec::new() };
    let count = count.parse().unwrap_or(0);
    rest.split(' ').filter_map(|word| word.split_once('=')).filter(|(name, _)| is_name(name)).take(count).collect()
}

/// The variables that an ENV of the history sets, in either builder's words.
fn variables(created_by: &str) -> Vec<(&str, &str)> {
    let text = created_by.split_once("#(nop)").map_or(created_by, |(_, text)| text).trim_start();
    let Some(text) = text.strip_prefix("ENV ") else { return Vec::new() };
    text.split_whitespace().filter_map(|word| word.split_once('=')).filter(|(name, _)| is_name(name)).collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && *c != '`').take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::image::HistoryEntry;

    fn found(config: &ImageConfig) -> Vec<String> {
        secrets(config).into_iter().map(|(id, severity, title, _)| format!("{id} {severity}: {title}")).collect()
    }

    #[test]
    fn credentials_in_the_configuration_are_named_and_not_shown() {
        let env = |values: &[&str]| ImageConfig { env: values.iter().map(|&value| value.to_owned()).collect(), ..ImageConfig::default() };
        assert_eq!(
            found(&env(&["PATH=/bin", "DB_PASSWORD=kz7Rw4qvT", "GPG_KEY=0A1B", "TOKEN_FILE=/run/x"])),
            ["secret-in-env high: the image's environment sets `DB_PASSWORD` to a literal secret"]
        );
        let key = concat!("AKIA", "Q4TZ7HBLM2WXVC3D");
        assert_eq!(
            found(&env(&[&format!("ID={key}")])),
            ["secret-literal critical: AWS access key in the variable `ID` of the image's environment"]
        );
        assert_eq!(
            found(&env(&["DSN=postgres://app:kz7Rw4qvT@db.acme.dev/x"])),
            ["credentials-in-url high: a password in a URL in the variable `DSN` of the image's environment"]
        );
        let config = ImageConfig { labels: BTreeMap::from([("org.acme.key".to_owned(), key.to_owned())]), ..ImageConfig::default() };
        assert_eq!(found(&config), ["secret-literal critical: AWS access key in the label `org.acme.key`"]);
    }

    #[test]
    fn history_is_read_in_every_builders_words() {
        let check = |created_by: &str, env: &[&str], expected: &[&str]| {
            let entry = HistoryEntry { created_by: created_by.to_owned(), ..HistoryEntry::default() };
            let config =
                ImageConfig { history: vec![entry], env: env.iter().map(|&value| value.to_owned()).collect(), ..ImageConfig::default() };
            assert_eq!(found(&config), expected, "{created_by}");
        };
        let argument = ["secret-in-arg high: the history keeps the build argument `NPM_TOKEN` with its value"];
        check("|2 A=1 NPM_TOKEN=kz7Rw4qvT /bin/sh -c npm ci", &[], &argument);
        check("RUN |1 NPM_TOKEN=kz7Rw4qvT /bin/sh -c npm ci # buildkit", &[], &argument);
        check("RUN |1 NPM_TOKEN= /bin/sh -c npm ci # buildkit", &[], &[]);
        check("RUN /bin/sh -c NPM_TOKEN=x make # buildkit", &[], &[]);
        let variable = ["secret-in-env high: the history keeps a literal secret that was the variable `DB_PASSWORD`"];
        check("/bin/sh -c #(nop)  ENV DB_PASSWORD=kz7Rw4qvT", &[], &variable);
        check("ENV DB_PASSWORD=kz7Rw4qvT", &["DB_PASSWORD="], &variable);
        check(
            "ENV DB_PASSWORD=kz7Rw4qvT",
            &["DB_PASSWORD=kz7Rw4qvT"],
            &["secret-in-env high: the image's environment sets `DB_PASSWORD` to a literal secret"],
        );
        check(
            "RUN /bin/sh -c git clone https://bot:kz7Rw4qvT@git.acme.dev/x # buildkit",
            &[],
            &["credentials-in-url high: a password in a URL in the image's history"],
        );
        check("COPY file:0123 in / ", &[], &[]);
    }

    #[test]
    fn port_22_is_told_from_its_neighbours() {
        for (port, expected) in [("22/tcp", true), ("22", true), ("20-25/tcp", true), ("22/udp", false), ("222/tcp", false), ("x", false)] {
            assert_eq!(is_ssh(port), expected, "{port}");
        }
    }
}
