//! A command in, the literal credential out that it writes into a file or hands on as a text: settings, and files that
//! programs read their passwords from.

use std::borrow::Cow;

use super::{
    command::{Command, HOLE, RedirectKind},
    credential::{Given, SHORTEST, is_credential, is_secret_key, last_key, may_be_secret},
    printed::{Targets, documents, printed_text},
    wrapper::is_name,
};

/// A file whose form says where a password stands, with no name before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `machine ... password VALUE`: <https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html>.
    Netrc,
    /// `host:port:database:user:VALUE`: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.
    PgPass,
    /// `"auth": "VALUE"`, the configuration of docker and its kin.
    DockerConfig,
}

impl Form {
    /// The form of the file that this path names.
    pub(super) fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit(['/', HOLE]);
        match (parts.next().unwrap_or(path), parts.next().unwrap_or_default()) {
            (".netrc" | "_netrc", _) => Some(Self::Netrc),
            (".pgpass" | "pgpass.conf", _) => Some(Self::PgPass),
            (".dockercfg", _) | ("config.json", ".docker") | ("auth.json", "containers" | ".docker") => Some(Self::DockerConfig),
            _ => None,
        }
    }

    /// The name of what a text of this form gives away.
    fn credential_in(self, text: &str) -> Option<&'static str> {
        match self {
            Self::Netrc => {
                let mut words = text.split_whitespace();
                while let Some(word) = words.next() {
                    if word == "password" && words.next().is_some_and(is_credential) {
                        return Some("password");
                    }
                }
                None
            }
            Self::PgPass => {
                let is_line = |line: &str| {
                    let line = line.replace("\\:", "").replace("\\\\", "");
                    let fields: Vec<&str> = line.trim().splitn(6, ':').collect();
                    matches!(fields.as_slice(), [_, _, _, _, password] if is_credential(password))
                };
                lines(text).any(is_line).then_some("password")
            }
            Self::DockerConfig => {
                let value = |rest: &str| {
                    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
                    rest.split_once('"').map(|(value, _)| value.len() > SHORTEST && is_credential(value))
                };
                ["auth", "identitytoken", "registrytoken", "password"].into_iter().find(|key| {
                    let mark = format!("\"{key}\"");
                    text.match_indices(&mark).any(|(at, _)| text.get(at + mark.len()..).and_then(value) == Some(true))
                })
            }
        }
    }
}

/// Where a command writes a credential into a file or hands it on in a text of settings.
pub(super) fn printed<'c>(
    command: &'c Command,
    at: usize,
    targets: &Targets<'c, Form, impl Fn(&str) -> Option<Form>>,
) -> Option<Given<'c>> {
    let is_text = command.is_one_of(&["echo", "printf"]);
    let is_copied = command.is_one_of(&["cat", "tee", "dd", "install"]);
    let goes_on =
        command.redirects.iter().any(|redirect| redirect.kind == RedirectKind::Write && !redirect.target.text.starts_with("/dev/"))
            || command.pipes.iter().any(|pipe| pipe.position == 0)
            || command.is_one_of(&["tee", "dd", "install"]);
    if !goes_on || !(is_text || is_copied) {
        return None;
    }
    let words = command.arguments().iter().filter(|_| is_text);
    if let Some(key) = words.chain(documents(command)).find_map(|word| line_with_credential(&word.text)) {
        return Some(Given::Text(Cow::Borrowed(key)));
    }
    let form = targets.of_command(at);
    let whole = is_text.then(|| printed_text(command));
    if let Some(text) = &whole {
        let key = form.and_then(|form| form.credential_in(text)).or_else(|| line_with_credential(text));
        if let Some(key) = key {
            return Some(Given::Text(Cow::Owned(key.to_owned())));
        }
    }
    let key = form.and_then(|form| documents(command).find_map(|document| form.credential_in(&document.text)));
    key.map(|key| Given::Text(Cow::Borrowed(key)))
}

/// The key of the credential in a text that becomes a file.
pub(super) fn in_file<'t>(path: &str, text: &'t str) -> Option<&'t str> {
    Form::of(path).and_then(|form| form.credential_in(text)).or_else(|| line_with_credential(text))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split("\\n"))
}

/// The key of the first line that sets a secret: `key=value`, `key: value`, `machine ... password value`.
fn line_with_credential(text: &str) -> Option<&str> {
    if !may_be_secret(text) {
        return None;
    }
    if in_netrc(text) {
        return Some("password");
    }
    lines(text).find_map(|line| {
        if is_answer(line) {
            return Some("password");
        }
        let line = line.trim().trim_start_matches("export ").trim_start_matches("set ");
        let (before, value) = line.split_once('=').or_else(|| line.split_once(": ")).or_else(|| line.split_once(":\t"))?;
        let key = last_key(before.trim().trim_matches(['"', '\'', ' ', '{']));
        let value = value.trim();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let value = match quote.and_then(|quote| value.get(1..)?.split(quote).next()) {
            Some(quoted) => quoted,
            None => value.trim_end_matches([';', ',', '"', '\'', '}']).trim(),
        };
        if quote.is_none() && is_expression(value, key) {
            return None;
        }
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        (is_key && value.len() > SHORTEST && is_secret_key(key) && is_credential(value)).then_some(key)
    })
}

/// Whether a value without quotes is code that gives one: a call, an element, a member, or a variable with the name of the key.
fn is_expression(value: &str, key: &str) -> bool {
    let is_member = value.contains('.') && value.split('.').all(|part| is_name(part) && !part.bytes().any(|byte| byte.is_ascii_digit()));
    is_member
        || value.eq_ignore_ascii_case(key)
        || (value.ends_with(')') && value.contains('('))
        || (value.ends_with(']') && value.contains('['))
}

/// Whether a text holds an entry of a `.netrc`, on one line or several, with a password.
fn in_netrc(text: &str) -> bool {
    if !text.contains("password") {
        return false;
    }
    let mut words = text.split_whitespace().flat_map(|word| word.split("\\n")).filter(|word| !word.is_empty());
    let mut is_entry = false;
    while let Some(word) = words.next() {
        match word {
            "machine" => is_entry = words.next().is_some(),
            "default" => is_entry = true,
            "login" | "account" if is_entry => is_entry = words.next().is_some(),
            "password" if is_entry => {
                if words.next().is_some_and(is_credential) {
                    return true;
                }
            }
            _ => is_entry = false,
        }
    }
    false
}

/// Whether a line is an answer of debconf that is a password.
fn is_answer(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().take(5).collect();
    matches!(words.as_slice(), [_, question, "password", value] if question.contains("password") && is_credential(value))
}

/// Where a text that is a credential by itself goes to a program that reads one.
pub(super) fn piped(commands: &[Command], at: usize) -> Option<Given<'_>> {
    let command = commands.get(at)?;
    if !command.is_one_of(&["echo", "printf"]) {
        return None;
    }
    let pipe = command.pipes.last().filter(|pipe| pipe.position == 0)?;
    let reader = commands.get(at + 1).filter(|next| next.pipes.iter().any(|other| other.id == pipe.id && other.position == 1))?;
    let reads = match reader.name.as_str() {
        "sudo" => reader.has_argument("-S") || reader.has_argument("--stdin"),
        "docker" | "podman" | "nerdctl" | "helm" | "buildah" | "skopeo" | "crane" | "oras" => reader.has_argument("--password-stdin"),
        "gh" => reader.has_argument("--with-token"),
        "glab" => reader.has_argument("--stdin"),
        _ => false,
    };
    let value = command.arguments().iter().map(|word| word.text.as_str()).rfind(|text| !text.starts_with('-'))?;
    (reads && is_credential(value.trim_end_matches("\\n"))).then_some(Given::Input(&reader.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_credentials_are_told_from_others() {
        for (text, expected) in [
            ("//r.acme.dev/:_authToken=kz7Rw4qv", Some("_authToken")),
            ("machine r.acme.dev login me password kz7Rw4qv", Some("password")),
            ("machine r.acme.dev\n  login me\n  password kz7Rw4qv\n", Some("password")),
            ("default password kz7Rw4qv", Some("password")),
            ("the machine r needs a login and a password which", None),
            ("machine r.acme.dev login me password \u{0}", None),
            ("mysql-server mysql-server/root_password password kz7Rw4qv", Some("password")),
            ("a=1\npassword: kz7Rw4qv", Some("password")),
            ("[a]\ndb.password = \"kz7Rw4qv\"", Some("db.password")),
            ("{\"password\": \"kz7Rw4qv\", \"user\": 1}", Some("password")),
            ("PASSWORD = os.environ[\"PASSWORD\"]", None),
            ("password = getpass.getpass()", None),
            ("api_key = settings.API_KEY", None),
            ("token=token", None),
            ("token: ENC[AES256,kz7Rw4qv]", None),
            ("password=\u{0}", None),
            ("PasswordAuthentication=no", None),
            ("auth sufficient pam_rootok.so", None),
            ("token_url=https://x", None),
        ] {
            assert_eq!(line_with_credential(text), expected, "{text}");
        }
    }

    #[test]
    fn files_that_programs_read_passwords_from_have_their_own_forms() {
        for (path, text, expected) in [
            ("~/.netrc", "password kz7Rw4qv", Some("password")),
            ("\u{0}/.netrc", "password \u{0}", None),
            ("/root/.pgpass", "db:5432:*:me:kz7Rw4qv", Some("password")),
            ("/root/.pgpass", "d\\:b:5432:*:me:kz7Rw4qv", Some("password")),
            ("/root/.pgpass", "db:5432:*:me:\u{0}", None),
            ("/root/.pgpass", "db:5432", None),
            ("/etc/hosts", "db:5432:*:me:kz7Rw4qv", None),
            ("/root/.docker/config.json", "{\"auths\":{\"r.acme.dev\":{\"auth\": \"a3o3Unc0cXY=\"}}}", Some("auth")),
            ("/root/.docker/config.json", "{\"credsStore\": \"ecr-login\"}", None),
            ("/srv/config.json", "{\"auth\": \"a3o3Unc0cXY=\"}", None),
            ("/root/.pypirc", "[pypi]\nusername: bot\npassword: kz7Rw4qv", Some("password")),
        ] {
            assert_eq!(in_file(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn long_texts_are_read_to_their_end() {
        for (path, line, end) in [
            ("/root/.env", "a=b\n", "DB_PASSWORD=kz7Rw4qv"),
            ("/root/.netrc", "machine a login b\n", "machine h login me password kz7Rw4qv"),
            ("/etc/netrc", "machine a login b\n", "machine h login me password kz7Rw4qv"),
            ("/root/.pgpass", "db:5432\n", "db:5432:*:me:kz7Rw4qv"),
            ("/root/.docker/config.json", "\"auth\": \"\"\n", "\"auth\": \"a3o3Unc0cXY=\""),
        ] {
            let text = line.repeat(5_000);
            assert_eq!(in_file(path, &text), None, "{path}");
            assert!(in_file(path, &(text + end)).is_some(), "{path}");
        }
    }
}
