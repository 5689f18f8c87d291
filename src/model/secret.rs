//! Names and values in, whether they look like secrets out. Names lie, so values are looked at too.

/// Words that make a name secret-like.
const SECRET_WORDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWORD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "SECRETS",
    "PASSWORDS",
    // Many other words end like these, as `COMPASS` does.
    "ADMINPASS",
    "DBPASS",
    "KEYPASS",
    "REQUIREPASS",
    "ROOTPASS",
    "SMTPPASS",
    "SSHPASS",
    "STOREPASS",
    "USERPASS",
];
/// Ends of words that say the same: `DBPASSWORD`.
const SECRET_ENDS: &[&str] = &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "SECRETKEY", "ACCESSKEY", "PRIVATEKEY"];
/// Those of them that nobody publishes.
const PASSWORDS: &[&str] = &["PASSWORD", "PASSWD", "PASSPHRASE"];
/// What stands before them in such a word when there is to be none, whole: `NOPASSWD`, but not `NODEPASSWORD`.
const NEGATIONS: &[&str] =
    &["NO", "NODB", "NOROOT", "NOUSER", "EMPTY", "NOEMPTY", "ALLOWEMPTY", "WITHOUT", "BLANK", "NOBLANK", "ALLOWBLANK"];
/// Words before a last PASS that make it a pass over something, or a thing that lets pass.
const PASSES: &[&str] = &["BY", "FIRST", "SECOND", "THIRD", "LAST", "ONE", "TWO", "SINGLE", "MULTI", "FINAL", "LOW", "HIGH", "BOARDING"];
/// Words before a last PWD that make it a folder, as in the shell's own `PWD` and `OLDPWD`.
const FOLDERS: &[&str] = &[
    "OLD",
    "HOST",
    "CURRENT",
    "BUILD",
    "ORIG",
    "ORIGINAL",
    "INIT",
    "INITIAL",
    "LOCAL",
    "WORK",
    "PROJECT",
    "CONTAINER",
    "SRC",
    "SOURCE",
    "BASE",
];
/// Words before KEY that make it a secret one.
const SECRET_KEYS: &[&str] = &[
    "API",
    "ACCESS",
    "SECRET",
    "PRIVATE",
    "AUTH",
    "ENCRYPTION",
    "SIGNING",
    "ACCOUNT",
    "MASTER",
    "SERVICE",
    "DEPLOY",
    "SSH",
    "LICENSE",
    "STORAGE",
];
/// Last words that say that the value is something else: a place, a name, a number.
const HARMLESS_ENDS: &[&str] = &[
    "FILE",
    "FILES",
    "PATH",
    "PATHS",
    "URL",
    "URI",
    "URLS",
    "VERSION",
    "EXPIRES",
    "EXPIRE",
    "IN",
    "MINUTES",
    "SECONDS",
    "HOURS",
    "DAYS",
    "LIFETIME",
    "RESET",
    "HASHER",
    "ENCRYPTION",
    "MANAGER",
    "HELPER",
    "SYMBOL",
    "ALG",
    "MD",
    "SHA",
    "DIR",
    "DIRECTORY",
    "NAME",
    "NAMES",
    "ID",
    "TTL",
    "EXPIRY",
    "EXPIRATION",
    "LENGTH",
    "SIZE",
    "ENABLED",
    "HEADER",
    "TYPE",
    "ALGORITHM",
    "ISSUER",
    "ENDPOINT",
    "HOST",
    "PORT",
    "PREFIX",
    "SUFFIX",
    "LOCATION",
    "STORE",
    "PROVIDER",
    "MODE",
    "POLICY",
    "LIMIT",
    "COUNT",
    "HASH",
    "CHECKSUM",
    "FORMAT",
    "BACKEND",
    "MOUNT",
    "REF",
    "ARN",
    "TIMEOUT",
    "REQUIRED",
    "FIELD",
    "KEYRING",
    "SERVER",
    "FINGERPRINT",
    "LABEL",
    "HASHERS",
    "VALIDITY",
    "AUDIENCE",
    "KIND",
    "ISS",
    "SCOPE",
    "SCOPES",
    "NAMESPACE",
    "INTERVAL",
    "STRENGTH",
    "ENGINE",
];
/// First words of switches.
const SWITCHES: &[&str] = &["ALLOW", "ENABLE", "DISABLE", "REQUIRE", "USE", "HAS", "NO", "SKIP", "CHECK", "VALIDATE", "MAX", "MIN"];
/// Values that nobody keeps secret.
const PLACEHOLDERS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "0",
    "1",
    "undefined",
    "unset",
    "empty",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "todo",
    "tbd",
    "dummy",
    "fake",
    "example",
    "placeholder",
    "redacted",
    "replaceme",
    "replace_me",
    "notset",
    "not-set",
    "xxx",
    "xxxx",
    "...",
    "secret-here",
    "your_password",
    "your-password",
    "required",
];

/// Whether a variable's name says that its value is secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let upper = apart(name);
    // `PASSWORD2` and `TOKEN_1` are more of the same.
    let words = upper.split(['_', '-', '.']).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    // There is no public one.
    let is_password = PASSWORDS.iter().any(|end| last.ends_with(end)) || matches!(*last, "PASS" | "PWD");
    let is_private = words.windows(2).any(|pair| matches!(pair, ["PRIVATE", "KEY"]));
    if HARMLESS_ENDS.contains(last)
        || (SWITCHES.contains(first) && words.len() > 1)
        || (!is_password && !is_private && words.iter().any(|word| matches!(*word, "PUBLIC" | "PUB" | "GPG" | "PGP" | "SSL" | "CACHE")))
    {
        return false;
    }
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).copied();
    let is_short = match *last {
        "PASS" => before.is_none_or(|before| !PASSES.contains(&before)),
        "PWD" => before.is_some_and(|before| !FOLDERS.contains(&before)),
        _ => false,
    };
    let ends = |word: &&str| {
        let starts = SECRET_ENDS.iter().find_map(|end| word.strip_suffix(end));
        starts.is_some_and(|start| !NEGATIONS.contains(&start) && !SWITCHES.contains(&start))
    };
    // `PASSWORDLESS`, `TOKENIZERS` and `KEYBOARD` are words of their own and do not match.
    is_short
        || words.iter().any(|word| SECRET_WORDS.contains(word) || ends(word))
        || words.windows(2).any(|pair| matches!(pair, [before, "KEY"] if SECRET_KEYS.contains(before)))
}

/// The name in capitals, with the words of `clientSecret` and `AWSAccessKey` apart.
fn apart(name: &str) -> String {
    let mut apart = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_run = before.is_ascii_uppercase() && chars.peek().is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || ends_run) {
            apart.push('_');
        }
        before = c;
        apart.push(c.to_ascii_uppercase());
    }
    apart
}

/// Whether a value could be a secret at all: literal, not empty, no placeholder, no path.
#[must_use]
pub fn is_literal_secret(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let hidden =
        value.contains('$') || (value.starts_with('<') && value.ends_with('>')) || (value.starts_with("{{") && value.ends_with("}}"));
    let elsewhere = value.starts_with('/') || value.starts_with("./") || value.starts_with("file:") || value.contains("://");
    let one_letter = value.chars().next().is_some_and(|first| value.chars().all(|c| c == first || c == '-'));
    let said = ["example", "placeholder", "changeme", "change_me", "your_", "your-", "dummy", "<", "insert"]
        .iter()
        .any(|word| lower.contains(word));
    !(value.is_empty() || hidden || elsewhere || one_letter || said || PLACEHOLDERS.contains(&lower.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lie() {
        let table = [
            ("DB_PASSWORD", true),
            ("GITHUB_TOKEN", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("API_KEY", true),
            ("apikey", true),
            ("PASSWORD_FILE", false),
            ("TOKEN_URL", false),
            ("GPG_KEY", false),
            ("GPG_KEYS", false),
            ("KEYBOARD", false),
            ("TOKENIZERS_PARALLELISM", false),
            ("PUBLIC_KEY", false),
            ("MAX_TOKEN_LENGTH", false),
            ("ALLOW_EMPTY_PASSWORD", false),
            ("USERNAME", false),
            ("PRIVATE", false),
            ("KEY", false),
            ("SECRET_VERSION", false),
            ("DBPASSWORD", true),
            ("PGPASSWORD", true),
            ("dbPassword", true),
            ("NOPASSWORD", false),
            ("EMPTYPASSWD", false),
            ("SUDO_NOPASSWD", false),
            ("NOROOTPASSWORD", false),
            ("ALLOWEMPTYPASSWORD", false),
            ("NODEPASSWORD", true),
            ("NORDPASSWD", true),
            ("NOTIFYPASSWORD", true),
            ("EMPTYDBPASSWORD", true),
            ("DBPASSWORD_FILE", false),
            ("DB_PASS", true),
            ("SMTP.PASS", true),
            ("PASS", true),
            ("BY_PASS", false),
            ("PASS_THROUGH", false),
            ("BYPASS", false),
            ("COMPASS", false),
            ("DBPASS", true),
            ("TEST_PASS", true),
            ("REDIS_PWD", true),
            ("clientSecret", true),
            ("apiKey", true),
            ("tokenUrl", false),
            ("passwordFile", false),
            ("PASSWORD2", true),
            ("GITHUBTOKEN", true),
            ("MYAPIKEY", true),
            ("DB_CREDS", true),
            ("PASSWORD_SHA256", false),
            ("publicKey", false),
            ("sslKeyStorePassword", true),
            ("GPG_PASSPHRASE", true),
            ("publicApiPassword", true),
            ("AWSAccessKey", true),
            ("DB_PASS2", true),
            ("SKIPTOKEN", false),
            ("tokenExpiresIn", false),
            ("TOKEN_URL_2", false),
            ("MYSQL_PWD", true),
            ("PWD", false),
            ("OLDPWD", false),
            ("HOST_PWD", false),
        ];
        for (name, expected) in table {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }

    #[test]
    fn values_decide() {
        let table = [
            ("hunter22", true),
            ("", false),
            ("$X", false),
            ("changeme", false),
            ("<token>", false),
            ("/run/secrets/x", false),
            ("true", false),
            ("xxxxxx", false),
            ("0000-0000", false),
        ];
        for (value, expected) in table {
            assert_eq!(is_literal_secret(value), expected, "{value}");
        }
    }
}
