//! A command in, where it is given a literal credential out: by the options of its program, by names, in headers and
//! statements.

use std::borrow::Cow;

use super::{
    command::{Command, HOLE, RedirectKind, Word},
    credential_options::{How, ROWS},
    secret,
    source::slice,
    wrapper::is_name,
};

/// The shortest text that is taken for a credential, in bytes.
pub(super) const SHORTEST: usize = 3;

/// Where a credential stands; never what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given<'a> {
    /// The value of an option.
    Option(&'a str),
    /// An operand behind a verb.
    Operand(&'static str),
    /// The value of a variable or setting.
    Variable(&'a str),
    /// A header of HTTP.
    Header,
    /// A statement of SQL.
    Statement,
    /// A line of a file, by its key.
    Text(Cow<'a, str>),
    /// The input of a program.
    Input(&'a str),
}

/// Programs for which a long option with a secret name is something else: a prompt, or where a secret lies.
const OTHERS: &[&str] = &[
    "mysql",
    "mysqladmin",
    "mysqldump",
    "mariadb",
    "mariadb-admin",
    "mariadb-dump",
    "psql",
    "pg_dump",
    "pg_restore",
    "pg_basebackup",
    "createdb",
    "createuser",
    "dropdb",
    "docker",
    "podman",
    "buildah",
    "nerdctl",
    "buildctl",
    "adduser",
    "useradd",
    "usermod",
    "gpg",
    "mtproto-proxy",
];
/// Programs whose words are text.
const TEXTUAL: &[&str] = &[
    "", "[", "[[", "awk", "cat", "cut", "echo", "egrep", "expr", "false", "find", "gawk", "grep", "jq", "perl", "printf", "rg", "sed",
    "tee", "test", "tr", "yq",
];
/// Variables that programs read a password from.
const PASSWORD_VARIABLES: &[&str] = &["REDISCLI_AUTH", "NPM_CONFIG__AUTH"];

/// Where a command is given a credential by its words or the assignments before it.
pub(super) fn given(command: &Command) -> Option<Given<'_>> {
    let assigned = command.assignments.iter().find(|assignment| is_secret_key(&assignment.name) && is_credential(&assignment.value.text));
    if let Some(assignment) = assigned {
        return Some(Given::Variable(&assignment.name));
    }
    // CMD may give the program of ENTRYPOINT its options alone.
    if has_options_alone(command) {
        return by_name(&command.words, OptionValues::Follow);
    }
    let words = command.arguments();
    if words.is_empty() || TEXTUAL.contains(&command.name.as_str()) {
        return None;
    }
    for row in ROWS.iter().filter(|row| row.programs.contains(&command.name.as_str()) && has_verbs(words, row.verbs)) {
        if let Some(found) = row.how.iter().find_map(|how| by(words, *how, row.verbs)) {
            return Some(found);
        }
    }
    let values = if OTHERS.contains(&command.name.as_str()) { OptionValues::Elsewhere } else { OptionValues::Follow };
    by_setting(command).or_else(|| by_name(words, values)).or_else(|| by_text(command))
}

/// Whether a command is nothing but options: those of a program that another instruction names.
pub(super) fn has_options_alone(command: &Command) -> bool {
    command.words.first().is_some_and(|word| word.text.starts_with('-'))
}

/// What stands behind a long option with a secret name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OptionValues {
    /// The secret.
    Follow,
    /// Something else: a prompt asks for it, or the option says where it lies.
    Elsewhere,
}

/// Whether the operands begin with these words, other ones between them.
fn has_verbs(words: &[Word], verbs: &[&str]) -> bool {
    let mut operands = words.iter().map(|word| word.text.as_str()).filter(|text| !text.starts_with('-'));
    verbs.iter().all(|verb| operands.any(|operand| operand == *verb))
}

fn by<'a>(words: &'a [Word], how: How, verbs: &'static [&'static str]) -> Option<Given<'a>> {
    let option = match how {
        How::Value(option) | How::Pair(option) | How::Percent(option) | How::Prefixed(option) => option,
        How::Attached(option) => {
            let is_given = words.iter().filter_map(|word| word.text.strip_prefix(option)).any(is_credential);
            return is_given.then(|| Given::Option(option.trim_end_matches('=')));
        }
        How::Last => {
            let operands = || words.iter().filter(|word| !word.text.starts_with('-'));
            let last = operands().next_back()?;
            let is_given = operands().count() > verbs.len() && is_credential(&last.text);
            return is_given.then(|| Given::Operand(verbs.last().copied().unwrap_or_default()));
        }
    };
    let is_long = option.len() > 2;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        let value = if text == option {
            words.next().map_or("", |word| word.text.as_str())
        } else if is_long {
            text.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')).unwrap_or_default()
        } else {
            text.strip_prefix(option).unwrap_or_default()
        };
        if fits(how, value) {
            return Some(Given::Option(option));
        }
    }
    None
}

/// Whether the value of an option holds a credential.
fn fits(how: How, value: &str) -> bool {
    let behind = |separator: char| value.split_once(separator).is_some_and(|(_, secret)| is_credential(secret));
    match how {
        How::Pair(_) => !value.starts_with("anonymous:") && !value.starts_with("ftp:") && behind(':'),
        How::Percent(_) => behind('%'),
        How::Prefixed(_) => value.strip_prefix("pass:").is_some_and(is_credential),
        How::Value(_) | How::Attached(_) | How::Last => is_credential(value),
    }
}

/// `npm config set KEY VALUE`, `composer config KEY VALUE...`, `git config KEY VALUE`, `htpasswd -b FILE USER VALUE`.
fn by_setting(command: &Command) -> Option<Given<'_>> {
    let operands = || command.arguments().iter().map(|word| word.text.as_str()).filter(|text| !text.starts_with('-'));
    match command.name.as_str() {
        "npm" | "pnpm" | "yarn" => {
            let mut operands = operands();
            operands.find(|operand| *operand == "set")?;
            let first = operands.next()?;
            let (key, value) = first.split_once('=').unwrap_or_else(|| (first, operands.next().unwrap_or_default()));
            (is_secret_key(last_key(key)) && is_credential(value)).then(|| Given::Variable(last_key(key)))
        }
        "composer" | "poetry" => {
            let mut operands = operands();
            operands.find(|operand| *operand == "config")?;
            let key = operands.next()?;
            let is_secret = ["http-basic", "github-oauth", "gitlab-token", "gitlab-oauth", "bearer", "pypi-token", "bitbucket-oauth"];
            let section = key.split('.').next().unwrap_or_default();
            (is_secret.contains(&section) && operands.next_back().is_some_and(is_credential)).then_some(Given::Operand("config"))
        }
        "git" => {
            let mut operands = operands();
            operands.find(|operand| *operand == "config")?;
            let (key, value) = (operands.next()?, operands.next()?);
            let last = key.rsplit('.').next().unwrap_or(key);
            (is_secret_key(last) && is_credential(value)).then_some(Given::Variable(last))
        }
        "bundle" | "bundler" => {
            let mut operands = operands();
            operands.find(|operand| *operand == "config")?;
            let key = operands.find(|operand| !matches!(*operand, "set" | "global" | "local"))?;
            let value = operands.next()?;
            let is_host = key.contains('.') && !key.contains('/');
            (is_host && !value.contains('/') && value.split_once(':').is_some_and(|(_, password)| is_credential(password)))
                .then_some(Given::Operand("config"))
        }
        "htpasswd" => {
            let is_batch = command
                .arguments()
                .iter()
                .any(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('b'));
            (is_batch && operands().count() > 1 && operands().next_back().is_some_and(is_credential)).then_some(Given::Operand("-b"))
        }
        _ => None,
    }
}

/// The last part of `//registry.example.com/:_authToken`.
pub(super) fn last_key(key: &str) -> &str {
    key.rsplit([':', '/']).next().unwrap_or(key)
}

/// Options, properties and settings that say by their name that a secret follows.
fn by_name(words: &[Word], values: OptionValues) -> Option<Given<'_>> {
    let takes_long = values == OptionValues::Follow;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if (value.is_none() && !name.starts_with("--")) || !may_be_secret(name) {
            continue;
        }
        if let Some(long) = name.strip_prefix("--") {
            let value = value.or_else(|| words.peek().map(|next| next.text.as_str())).unwrap_or_default();
            let is_elsewhere = value.starts_with("id=") || value.contains("src=") || value.contains("env=");
            let is_switch =
                ["stdin", "prompt", "env", "cmd", "command", "fd"].iter().any(|end| long.ends_with(end)) || long.starts_with("with-");
            if takes_long && !is_elsewhere && !is_switch && value.len() > SHORTEST && is_secret_key(long) && is_credential(value) {
                return Some(Given::Option(name));
            }
        } else if let Some(value) = value {
            let property = name.strip_prefix("-D").or_else(|| name.strip_prefix("-P"));
            let key = property.unwrap_or(name);
            let is_key = property.is_some() || is_name(key);
            if is_key && value.len() > SHORTEST && is_secret_key(key) && is_credential(value) {
                return Some(Given::Variable(key));
            }
        }
    }
    None
}

/// Headers of HTTP and statements of SQL in one word.
fn by_text(command: &Command) -> Option<Given<'_>> {
    match command.name.as_str() {
        "curl" | "wget" | "http" | "https" | "xh" | "git" | "aria2c" => {
            command.arguments().iter().any(|word| is_header(&word.text)).then_some(Given::Header)
        }
        "mysql" | "mariadb" | "psql" | "sqlcmd" | "clickhouse-client" | "cqlsh" => {
            let documents =
                command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target);
            command.arguments().iter().chain(documents).any(|word| is_statement(&word.text)).then_some(Given::Statement)
        }
        _ => None,
    }
}

/// Whether a text holds a header that says who asks, with a value.
fn is_header(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "authorization:",
        "private-token:",
        "job-token:",
        "x-api-key:",
        "x-auth-token:",
        "x-jfrog-art-api:",
        "api-key:",
        "x-vault-token:",
    ];
    let lower = text.to_ascii_lowercase();
    NAMES.iter().any(|name| {
        let Some(at) = lower.find(name) else { return false };
        let value = slice(text, at + name.len()..text.len()).trim();
        let mut words = value.split_whitespace();
        let first = words.next().unwrap_or_default();
        let is_scheme = ["bearer", "basic", "token", "digest", "apikey"].contains(&first.to_ascii_lowercase().as_str());
        let secret = if is_scheme { words.next().unwrap_or_default() } else { first };
        secret.len() > SHORTEST && is_credential(secret.trim_matches(['"', '\'']))
    })
}

/// Whether a text holds a statement that sets a password.
fn is_statement(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["identified by", "password", "identified with mysql_native_password by"].iter().any(|words| {
        lower.match_indices(words).take(16).any(|(at, _)| {
            let rest = slice(text, at + words.len()..text.len()).trim_start_matches([' ', '=', '(', ':']);
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let value = quote.and_then(|quote| slice(rest, 1..rest.len()).split(quote).next());
            value.is_some_and(is_credential)
        })
    })
}

/// Whether a name says that its value is secret, names of settings included.
pub(super) fn is_secret_key(name: &str) -> bool {
    if secret::is_secret_name(name) || PASSWORD_VARIABLES.contains(&name) {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    let is_negated = ["no", "empty", "without", "disable"].iter().any(|word| lower.starts_with(word));
    lower == "_auth"
        || (!is_negated && ["authtoken", "password", "accesstoken", "apitoken", "secretkey"].iter().any(|end| lower.ends_with(end)))
}

/// Whether a text may hold a secret name at all: a quick look before the exact one.
pub(super) fn may_be_secret(text: &str) -> bool {
    let starts = |rest: &[u8]| {
        let parts: &[&[u8]] = match rest.first().map(u8::to_ascii_lowercase) {
            Some(b'p') => &[b"pass", b"pwd", b"pword"],
            Some(b't') => &[b"token"],
            Some(b's') => &[b"secret"],
            Some(b'k') => &[b"key"],
            Some(b'c') => &[b"cred"],
            Some(b'a') => &[b"auth"],
            _ => return false,
        };
        parts.iter().any(|part| rest.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part)))
    };
    text.len() > SHORTEST && (0..text.len()).any(|at| text.as_bytes().get(at..).is_some_and(starts))
}

/// Whether a value is a credential: literal, known, no placeholder and no path.
pub(super) fn is_credential(value: &str) -> bool {
    value.len() >= SHORTEST
        && !value.contains([HOLE, ' '])
        && !value.starts_with(['-', '@', '%', '{', '[', '~', '*'])
        && secret::is_literal_secret(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        let words: Vec<Word> = text.split(' ').map(|word| Word::literal(&word.replace('_', " ").replace('^', "_"))).collect();
        Command { name: words[0].text.clone(), words, ..Command::default() }
    }

    #[test]
    fn programs_take_credentials_in_their_own_ways() {
        for (text, expected) in [
            ("docker login -u me -p kz7Rw4qv", true),
            ("docker run -p 8080:80 x", false),
            ("docker login --password-stdin r.acme.dev", false),
            ("mysql -pkz7Rw4qv", true),
            ("mysql -p db", false),
            ("mysql --password db", false),
            ("mkdir -p kz7Rw4qv", false),
            ("curl -u me:kz7Rw4qv https://x", true),
            ("curl -ume:kz7Rw4qv https://x", true),
            ("curl -u me https://x", false),
            ("curl -H Authorization:_Bearer_kz7Rw4qv https://x", true),
            ("curl -H Accept:_x https://x", false),
            ("sshpass -p kz7Rw4qv ssh x", true),
            ("npm config set //r.acme.dev/:^authToken kz7Rw4qv", true),
            ("npm config set registry https://r.acme.dev", false),
            ("npm config set //r.acme.dev/:^authToken=\u{0}", false),
            ("aws configure set aws^secret^access^key kz7Rw4qv", true),
            ("aws configure set region eu-west-1", false),
            ("openssl pkcs12 -passout pass:kz7Rw4qv", true),
            ("openssl pkcs12 -passout env:PASS", false),
            ("keytool -import -storepass changeit", false),
            ("mvn -Ddb.password=kz7Rw4qv install", true),
            ("app --api-token=kz7Rw4qv", true),
            ("app --api-token kz7Rw4qv", true),
            ("app --token-file kz7Rw4qv", false),
            ("buildah bud --secret id=x,src=y", false),
            ("ssh-keygen -N  -f x", false),
            ("vault login kz7Rw4qv", true),
            ("vault login -method=github", false),
            ("psql -c ALTER_USER_a_PASSWORD_'kz7Rw4qv'", true),
            ("grep password=kz7Rw4qv f", false),
            ("make TOKEN=kz7Rw4qv", true),
            ("htpasswd -bc /f me kz7Rw4qv", true),
            ("bundle config set gems.acme.dev me:kz7Rw4qv", true),
            ("bundle config set path vendor", false),
            ("--db-password=kz7Rw4qv", true),
            ("--verbose --api-token kz7Rw4qv", true),
            ("--token-file kz7Rw4qv", false),
        ] {
            assert_eq!(given(&command(text)).is_some(), expected, "{text}");
        }
    }
}
