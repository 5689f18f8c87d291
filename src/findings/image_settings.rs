//! An image's configuration and history in, findings about ports and credentials in them out: environment, labels, build arguments, commands
//! (<https://github.com/opencontainers/image-spec/blob/main/config.md>). Values are never repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::model::{
    build_step::{BuildStep, variables},
    digest::Digest,
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
/// Most places of one credential that are told.
const PLACES: usize = 200;
/// The rules about credentials.
const SECRETS: [&str; 4] = ["credentials-in-url", "secret-in-arg", "secret-in-env", "secret-literal"];

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
    let layers: BTreeMap<usize, &Digest> =
        image.layers.iter().filter_map(|layer| Some((layer.history?, &layer.descriptor.digest))).collect();
    let location = |index| Location::History { index, layer: layers.get(&index).map(|digest| (*digest).clone()) };
    let said: Vec<&Finding> = known.iter().filter(|one| SECRETS.contains(&one.id.as_str()) && is_of_dockerfile(one)).collect();
    let variables = said.iter().flat_map(|one| words(&one.title).map(|word| (one.id.as_str(), word)));
    let variables: BTreeSet<(&str, &str)> = variables.collect();
    for (id, severity, title, locations) in secrets(config, &location) {
        let is_said = match title.split('`').nth(1) {
            Some(name) => variables.contains(&(id, name)),
            None => said.iter().any(|one| one.id == id),
        };
        if let Some(meta) = meta(id).filter(|_| !is_said) {
            findings.push(Finding { locations, ..Finding::of_rule(meta, severity, title, Location::Config) });
        }
    }
    findings.dedup();
    findings
}

fn is_of_dockerfile(finding: &Finding) -> bool {
    finding.locations.iter().any(|location| matches!(location, Location::Dockerfile(_)))
}

/// The words of a title that can be names of variables.
fn words(title: &str) -> impl Iterator<Item = &str> {
    title.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn is_ssh(port: &str) -> bool {
    let (ports, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse::<u16>().and_then(|first| last.parse::<u16>().map(|last| first..=last));
    protocol.eq_ignore_ascii_case("tcp") && range.is_ok_and(|range| range.contains(&22))
}

/// A credential: the rule, its severity, the words, and every place that says it.
type Secret = (&'static str, Severity, String, Vec<Location>);

fn secrets(config: &ImageConfig, location: &dyn Fn(usize) -> Location) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for variable in &config.env {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        if is_secret_name(name) && is_literal_secret(value) {
            names.insert(name);
            told.extend(literal(value).map(|literal| literal.text));
            let title = format!("the image's environment sets `{}` to a literal secret", short(name));
            found.push(("secret-in-env", Severity::High, title, vec![Location::Config]));
        } else if let Some(Literal { rule, severity, what, text }) = literal(value) {
            told.insert(text);
            let title = format!("{what} in the variable `{}` of the image's environment", short(name));
            found.push((rule, severity, title, vec![Location::Config]));
        }
    }
    for (name, value) in &config.labels {
        if let Some(Literal { rule, severity, what, .. }) = literal(value) {
            found.push((rule, severity, format!("{what} in the label `{}`", short(name)), vec![Location::Config]));
        } else if is_secret_name(name) && value.len() >= 6 && is_literal_secret(value) {
            let title = format!("the label `{}` holds a literal secret", short(name));
            found.push(("secret-literal", Severity::High, title, vec![Location::Config]));
        }
    }
    found.extend(history_secrets(config, &names, &mut told, location));
    found
}

/// The credentials of the history, each once with all entries that say it: a build argument stands in front of every command behind it.
fn history_secrets(
    config: &ImageConfig,
    names: &BTreeSet<&str>,
    told: &mut BTreeSet<String>,
    location: &dyn Fn(usize) -> Location,
) -> Vec<Secret> {
    let environment: BTreeMap<&str, &str> = config.env.iter().filter_map(|variable| variable.split_once('=')).collect();
    let mut named: BTreeMap<(&'static str, &str), Vec<usize>> = BTreeMap::new();
    let mut literals: BTreeMap<String, (Literal, Vec<usize>)> = BTreeMap::new();
    let mut shell: Vec<&str> = Vec::new();
    for (index, entry) in config.history.iter().enumerate() {
        let (rule, pairs) = match BuildStep::of(&entry.created_by, &shell) {
            BuildStep::Run(ran) => ("secret-in-arg", ran.arguments),
            BuildStep::Arg(text) => ("secret-in-arg", variables(text, &BTreeMap::new())),
            BuildStep::Env(text) => ("secret-in-env", variables(text, &environment)),
            BuildStep::Shell(words) => {
                shell = words;
                continue;
            }
            BuildStep::Copy { .. } | BuildStep::Other => ("", Vec::new()),
        };
        for (name, value) in pairs {
            let is_known = rule == "secret-in-env" && names.contains(name);
            if !is_known && is_secret_name(name) && is_literal_secret(value) {
                named.entry((rule, name)).or_default().push(index);
                told.extend(literal(value).map(|literal| literal.text));
            }
        }
        // What the environment or a build argument says was told above.
        if let Some(literal) = literal(&entry.created_by).filter(|literal| !told.contains(&literal.text)) {
            literals.entry(literal.text.clone()).or_insert_with(|| (literal, Vec::new())).1.push(index);
        }
    }
    let places = |mut indexes: Vec<usize>| {
        indexes.dedup();
        indexes.into_iter().take(PLACES).map(location).collect::<Vec<_>>()
    };
    let named = named.into_iter().map(|((rule, name), indexes)| {
        let title = match rule {
            "secret-in-arg" => format!("the history keeps the build argument `{}` with its value", short(name)),
            _ => format!("the history keeps a literal secret that was the variable `{}`", short(name)),
        };
        (rule, Severity::High, title, places(indexes))
    });
    let mut found: Vec<Secret> = named.collect();
    found.extend(literals.into_values().map(|(Literal { rule, severity, what, .. }, indexes)| {
        (rule, severity, format!("{what} in the image's history"), places(indexes))
    }));
    found
}

/// A credential that can be told by its format.
struct Literal {
    rule: &'static str,
    severity: Severity,
    what: &'static str,
    /// The credential itself, to tell it from others; it is never shown.
    text: String,
}

/// The first credential of a text that can be told by its format.
fn literal(text: &str) -> Option<Literal> {
    let bytes = text.as_bytes();
    let part = |range: Range<usize>| text.get(range).unwrap_or(text).to_owned();
    if let Some(token) = tokens(bytes).into_iter().next() {
        return Some(Literal { rule: "secret-literal", severity: token.severity, what: token.kind, text: part(token.range) });
    }
    if let Some(key) = private_keys(bytes).into_iter().next() {
        return Some(Literal { rule: "secret-literal", severity: Severity::Critical, what: key.kind, text: part(key.range) });
    }
    let found = url_passwords(bytes).find(|found| !found.is_nobodys())?;
    let address = text.get(found.at..).and_then(|rest| rest.split('@').next()).unwrap_or_default();
    Some(Literal { rule: "credentials-in-url", severity: Severity::High, what: "a password in a URL", text: address.to_owned() })
}

fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && *c != '`').take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::HistoryEntry;

    fn found(config: &ImageConfig) -> Vec<String> {
        secrets(config, &|index| Location::History { index, layer: None })
            .into_iter()
            .map(|(id, severity, title, _)| format!("{id} {severity}: {title}"))
            .collect()
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
        check("ARG NPM_TOKEN=kz7Rw4qvT", &[], &argument);
        check("/bin/sh -c #(nop)  ARG NPM_TOKEN", &[], &[]);
        let dsn = "ENV NOTE=x DSN=postgres://app:kz7Rw4qvT@db.acme.dev/x";
        check(
            dsn,
            &["DSN=postgres://app:kz7Rw4qvT@db.acme.dev/x"],
            &["credentials-in-url high: a password in a URL in the variable `DSN` of the image's environment"],
        );
    }

    #[test]
    fn one_credential_is_one_finding() {
        let entry = |text: &str| HistoryEntry { created_by: text.to_owned(), ..HistoryEntry::default() };
        let run = |code: &str| entry(&format!("RUN |1 NPM_TOKEN=kz7Rw4qvT /bin/sh -c {code} # buildkit"));
        let url = "curl https://bot:kz7Rw4qvX@git.acme.dev/";
        let history = vec![entry("ARG NPM_TOKEN=kz7Rw4qvT"), run("npm ci"), run(&format!("{url}a")), run(&format!("{url}b"))];
        let config = ImageConfig { history, ..ImageConfig::default() };
        let found = secrets(&config, &|index| Location::History { index, layer: None });
        let told: Vec<_> = found.iter().map(|(rule, _, _, places)| (*rule, places.len())).collect();
        assert_eq!(told, [("secret-in-arg", 4), ("credentials-in-url", 2)]);
    }

    #[test]
    fn thousands_of_variables_and_entries_take_linear_time() {
        let env: Vec<String> = (0..20_000).map(|at| format!("V{at}=postgres://app:kz7Rw4qvT{at}@db.acme.dev/x")).collect();
        let history = env.iter().map(|text| HistoryEntry { created_by: format!("ENV {text}"), ..HistoryEntry::default() }).collect();
        let config = ImageConfig { env, history, ..ImageConfig::default() };
        assert_eq!(found(&config).len(), 20_000);
    }

    #[test]
    fn port_22_is_told_from_its_neighbours() {
        for (port, expected) in [("22/tcp", true), ("22", true), ("20-25/tcp", true), ("22/udp", false), ("222/tcp", false), ("x", false)] {
            assert_eq!(is_ssh(port), expected, "{port}");
        }
    }
}
