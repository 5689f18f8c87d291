//! Files whose name says that they hold credentials in, the values in them out. One reader serves all: a key that is known for the file, a separator,
//! a value, in the manner of ini, YAML, JSON, XML and netrc alike.

use crate::{
    inventory::secrets::{
        FOUND,
        lines::Lines,
        note::Hit,
        place::{is_environment, is_library},
    },
    model::{
        secret::{is_literal_secret, is_secret_name},
        severity::Severity,
        token::is_aws_secret,
        url_password::url_passwords,
    },
};

/// A sort of file with credentials.
pub(super) struct Named {
    is_it: fn(&str, &str) -> bool,
    /// What is found in it.
    kind: &'static str,
    severity: Severity,
    how: How,
}

enum How {
    /// The values of these keys.
    Keys(&'static [&'static str]),
    /// Variables whose name says that they are secret.
    Variables,
    /// Addresses with a password.
    Urls,
    /// Values of this key that look like a secret access key of AWS.
    Aws,
    /// `host:port:database:user:password` on each line.
    Colons,
    /// The whole file is one.
    Whole,
}

const fn named(is_it: fn(&str, &str) -> bool, kind: &'static str, severity: Severity, how: How) -> Named {
    Named { is_it, kind, severity, how }
}

/// What an AWS secret is called that stands without its key.
pub(super) const AWS_SECRET: &str = "AWS secret access key";

/// Path and name decide. The first that fits is taken.
const FILES: &[Named] = &[
    named(|_, name| is_environment(name), "password or token", Severity::High, How::Variables),
    named(|_, name| name == ".npmrc", "npm token", Severity::Critical, How::Keys(&["_authToken", "_auth", "_password"])),
    named(|_, name| name == ".yarnrc.yml", "npm token", Severity::Critical, How::Keys(&["npmAuthToken", "npmAuthIdent"])),
    named(|_, name| matches!(name, ".netrc" | "_netrc"), "password", Severity::High, How::Keys(&["password"])),
    named(|_, name| name == ".pypirc", "package index password", Severity::High, How::Keys(&["password"])),
    named(|_, name| name == ".git-credentials", "git login", Severity::Critical, How::Urls),
    named(
        |path, name| {
            name == ".dockercfg" || name == ".dockerconfigjson" || ends(path, ".docker/config.json") || ends(path, "containers/auth.json")
        },
        "registry login",
        Severity::High,
        How::Keys(&["auth", "identitytoken", "registrytoken"]),
    ),
    named(
        |path, name| ends(path, ".aws/credentials") || ends(path, ".aws/config") || name == ".s3cfg" || name == ".boto",
        AWS_SECRET,
        Severity::Critical,
        How::Aws,
    ),
    named(
        |path, name| {
            ends(path, ".kube/config") || name == "kubeconfig" || name.ends_with(".kubeconfig") || ends(path, "etc/kubernetes/admin.conf")
        },
        "Kubernetes credential",
        Severity::Critical,
        How::Keys(&["client-key-data", "token", "password", "id-token", "refresh-token"]),
    ),
    named(
        |_, name| name == "application_default_credentials.json",
        "Google Cloud user credential",
        Severity::Critical,
        How::Keys(&["refresh_token", "client_secret"]),
    ),
    named(
        |path, name| matches!(name, "accessTokens.json" | "msal_token_cache.json") && path.contains(".azure/"),
        "Azure token",
        Severity::High,
        How::Keys(&["refreshToken", "accessToken", "secret"]),
    ),
    named(|path, _| ends(path, "gh/hosts.yml"), "GitHub token", Severity::Critical, How::Keys(&["oauth_token"])),
    named(
        |path, name| name == ".terraformrc" || ends(path, "credentials.tfrc.json"),
        "Terraform token",
        Severity::Critical,
        How::Keys(&["token"]),
    ),
    named(
        |path, _| ends(path, ".cargo/credentials") || ends(path, ".cargo/credentials.toml"),
        "crate registry token",
        Severity::Critical,
        How::Keys(&["token"]),
    ),
    named(|path, _| ends(path, ".gem/credentials"), "RubyGems key", Severity::Critical, How::Keys(&["rubygems_api_key"])),
    named(|path, _| ends(path, ".m2/settings.xml"), "Maven repository password", Severity::High, How::Keys(&["password", "passphrase"])),
    named(|path, _| ends(path, ".composer/auth.json"), "Composer login", Severity::High, How::Keys(&["password", "github.com", "token"])),
    named(|_, name| matches!(name, ".my.cnf" | ".mylogin.cnf"), "database password", Severity::High, How::Keys(&["password"])),
    named(|_, name| name == ".pgpass", "database password", Severity::High, How::Colons),
    named(|_, name| name == ".vault-token", "Vault token", Severity::Critical, How::Whole),
    named(|path, _| ends(path, "config/master.key"), "Rails master key", Severity::High, How::Whole),
    named(|_, name| name == "wp-config.php", "database password", Severity::High, How::Keys(&["DB_PASSWORD"])),
    named(
        |path, _| ends(path, "rclone/rclone.conf"),
        "rclone credential",
        Severity::High,
        How::Keys(&["pass", "secret_access_key", "refresh_token"]),
    ),
];

/// The sort of file that stands at this path. Those of libraries are their own business.
pub(super) fn of(path: &str) -> Option<&'static Named> {
    let name = path.rsplit('/').next().unwrap_or(path);
    // Most names begin or end with nothing that any of these does.
    FILES.iter().find(|file| (file.is_it)(path, name)).filter(|_| !is_library(path))
}

/// Whether `ssh-keygen` calls private keys so.
pub(super) fn is_private_key(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ecdsa_sk" | "id_ed25519" | "id_ed25519_sk")
}

fn ends(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

impl Named {
    /// Adds a hit for each value, of very many for the first.
    pub(super) fn read(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        let mut lines = Lines::of(bytes);
        let mut hit = |at: usize| Hit { kind: self.kind.to_owned(), rank: 1, ..Hit::at(lines.number(at), self.severity) };
        match self.how {
            How::Keys(keys) => {
                let values = keys.iter().flat_map(|key| values(bytes, key)).filter(|(_, value)| is_secret(value, 6));
                hits.extend(values.take(FOUND).map(|(at, _)| hit(at)));
            }
            How::Aws => {
                let secrets = ["aws_secret_access_key", "secret_key"].into_iter().flat_map(|key| values(bytes, key));
                hits.extend(secrets.filter(|(_, value)| is_aws_secret(value.as_bytes())).take(FOUND).map(|(at, _)| hit(at)));
            }
            How::Variables => variables(bytes, |at, name| {
                if hits.len() < FOUND {
                    hits.push(Hit { kind: format!("{} in {name}", self.kind), ..hit(at) });
                }
            }),
            How::Urls => {
                hits.extend(url_passwords(bytes).take(FOUND).map(|found| hit(found.at)));
            }
            How::Colons => {
                let mut at = 0;
                for line in bytes.split(|&byte| byte == b'\n') {
                    let password = line.splitn(5, |&byte| byte == b':').nth(4).and_then(|value| std::str::from_utf8(value).ok());
                    if hits.len() < FOUND && !line.starts_with(b"#") && password.is_some_and(|value| is_secret(value, 4)) {
                        hits.push(hit(at));
                    }
                    at += line.len() + 1;
                }
            }
            How::Whole => {
                let value = std::str::from_utf8(bytes.get(..4_096).unwrap_or(bytes)).unwrap_or_default();
                if is_secret(value, 20) && !value.trim().contains(char::is_whitespace) {
                    hits.push(hit(0));
                }
            }
        }
    }
}

fn is_secret(value: &str, least: usize) -> bool {
    let value = value.trim();
    let one = value.chars().next();
    value.len() >= least && is_literal_secret(value) && !value.contains("${") && !value.chars().all(|c| Some(c) == one)
}

/// Longest value in which the key is looked for once more.
const LONG: usize = 256;

/// The values that stand behind a key, with their places.
fn values<'a>(bytes: &'a [u8], key: &str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| position(rest, key.as_bytes())).map(|at| at + from) {
        from = at + key.len();
        let stands_alone = !at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|&byte| is_word(byte));
        if let Some(value) = bytes.get(from..).filter(|_| stands_alone).and_then(value) {
            found.push((at, value));
            // What stands in a long value is not looked at again as if it stood for itself: values may hold the key at each of their bytes.
            if value.len() > LONG {
                from += value.len();
            }
        }
    }
    found
}

/// The value behind a key: `= v`, `: v`, `": "v"`, `', 'v'`, `>v<` or ` v`.
fn value(rest: &[u8]) -> Option<&str> {
    let rest = rest.get(..8_192).unwrap_or(rest);
    let separators = rest.iter().take_while(|byte| b" \t\"'=:,>".contains(byte)).count();
    if separators == 0 {
        return None;
    }
    let (mark, value) = rest.split_at_checked(separators)?;
    // Inside of quotes blanks belong to the value, but not to any that is found here.
    let end = value.iter().position(|byte| byte.is_ascii_whitespace() || b"\"'<,}".contains(byte)).unwrap_or(value.len());
    let is_given = mark.iter().any(|byte| b"=:,>".contains(byte)) || mark.iter().all(|byte| b" \t".contains(byte));
    std::str::from_utf8(value.get(..end)?).ok().filter(|value| is_given && !value.is_empty())
}

fn position(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|part| part == word)
}

/// Lines `NAME=value` or `export NAME=value` whose name says that the value is secret.
fn variables(bytes: &[u8], mut found: impl FnMut(usize, &str)) {
    let mut at = 0;
    for line in bytes.split(|&byte| byte == b'\n') {
        let text = std::str::from_utf8(line).unwrap_or_default().trim();
        let text = text.strip_prefix("export ").unwrap_or(text);
        if let Some((name, value)) = text.split_once('=')
            && let (name, value) = (name.trim(), value.trim().trim_matches(['"', '\'']))
            && name.len() <= 80
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte == b'-')
            && is_secret_name(name)
            && is_secret(value, 6)
        {
            found(at, name);
        }
        at += line.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_behind_their_keys() {
        let check = |text: &str, key: &str, expected: &[&str]| {
            let found: Vec<_> = values(text.as_bytes(), key).into_iter().map(|(_, value)| value).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("password = abc", "password", &["abc"]);
        check("password=abc\npassword: \"def\"\n", "password", &["abc", "def"]);
        check("{\"password\":\"abc\",\"x\":1}", "password", &["abc"]);
        check("<password>abc</password>\n", "password", &["abc"]);
        check("machine a login b password c\n", "password", &["c"]);
        check("my_password=abc", "password", &[]);
        check("passwords=abc", "password", &[]);
        check("define('DB_PASSWORD', 'abc');", "DB_PASSWORD", &["abc"]);
        check("//r/:_authToken=abc", "_authToken", &["abc"]);
        check("password", "password", &[]);
        check("password password=abc", "password", &["password=abc", "abc"]);
        // Each of these is the beginning of a value of 8 KiB.
        let many = values("token=".repeat(200_000).as_bytes(), "token").len();
        assert!(many < 1_000, "{many}");
    }

    #[test]
    fn every_sort_of_file_is_known_by_its_path() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(of(path).map(|named| named.kind), expected, "{path}");
        check("root/.aws/credentials", Some("AWS secret access key"));
        check("root/.docker/config.json", Some("registry login"));
        check("app/config.json", None);
        check("root/.kube/config", Some("Kubernetes credential"));
        check("kube/config", None);
        check("app/node_modules/x/.npmrc", None);
        check(".env", Some("password or token"));
        check("app/prod.env", Some("password or token"));
    }

    #[test]
    fn other_shapes_are_read() {
        let kinds = |path: &str, text: &str| {
            let mut hits = Vec::new();
            of(path).unwrap().read(text.as_bytes(), &mut hits);
            hits.into_iter().map(|hit| hit.line).collect::<Vec<_>>()
        };
        assert_eq!(kinds("root/.pgpass", "# x\nhost:5432:db:svc:kz7Rw4qvT\nhost:5432:db:svc:\n"), [2]);
        assert_eq!(kinds("app/config/master.key", "0123456789abcdef0123456789abcdef\n"), [1]);
        assert_eq!(kinds("root/.vault-token", "too short\n"), Vec::<u32>::new());
        assert_eq!(
            kinds("root/.m2/settings.xml", "<server>\n<password>kz7Rw4qvT</password>\n<password>${env.PW}</password></server>"),
            [2]
        );
        assert_eq!(kinds("srv/wp-config.php", "<?php\ndefine( 'DB_PASSWORD', 'kz7Rw4qvT' );\n"), [2]);
    }
}
