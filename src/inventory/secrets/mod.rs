//! Bytes of a file in, what credentials they hold out, without the credentials. Few rules, told by structure, checksum and place, so that what is
//! reported is worth a look: tests, examples and documentation are passed over here, files of OS packages where ownership is known.

mod lines;
mod named;
mod note;
mod place;
mod url;

use std::cell::LazyCell;

use crate::model::{
    facts::SecretClass,
    private_key::{PrivateKey, Protection, private_keys},
    severity::Severity,
    token::{self, AWS_KEY, AWS_TEMPORARY_KEY, Standing, tokens},
};

use lines::Lines;
pub(super) use note::{Hit, decode};

/// Raised when something else is found in the same bytes, so that a cache of layers does not answer with what an older version found.
pub(super) const VERSION: u32 = 2;

/// Most credentials that are listed of one file; of the others the number is told.
const HITS: usize = 50;
/// Most credentials that one way of looking finds in a file.
const FOUND: usize = 10_000;

/// Whether a file may hold a credential, told from its path and first bytes. This is asked of every file of every layer.
pub(super) fn scans(path: &str, head: &[u8], size: u64) -> bool {
    size >= 8 && !place::is_passed_over(path) && (named::of(path).is_some() || is_text(head))
}

/// Whether the name alone says that the file holds credentials, so that it must not be passed over in silence.
pub(super) fn is_named(path: &str) -> bool {
    !place::is_passed_over(path) && (named::of(path).is_some() || named::is_private_key(path))
}

/// What is noted of a file; nothing when it holds no credential.
pub(super) fn scan(path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut hits, mut is_all) = (Vec::new(), true);
    let mut take = |look: &dyn Fn(&mut Vec<Hit>)| {
        let mut own = Vec::new();
        look(&mut own);
        is_all &= own.len() < FOUND;
        hits.append(&mut own);
    };
    if !place::is_library_source(path) {
        take(&|hits| keys(bytes, hits));
    }
    take(&|hits| words(path, bytes, hits));
    if let Some(named) = named::of(path) {
        take(&|hits| named.read(bytes, hits));
    }
    if place::is_configuration(path) {
        take(&|hits| url::read(path, bytes, hits));
    }
    if hits.iter().any(|hit| hit.kind == AWS_KEY) {
        // The secret that goes with the key is told with it.
        hits.retain(|hit| hit.kind != named::AWS_SECRET);
    }
    hits.sort_by_key(|hit| (hit.line, hit.rank));
    // What has a format of its own says more than the place where it stands.
    hits.dedup_by(|next, known| next.line == known.line && next.rank > known.rank);
    hits.dedup();
    shorten(&mut hits, is_all);
    (!hits.is_empty()).then(|| note::encode(&hits))
}

/// Keeps the worst, and makes of all others one more that tells how many they are.
fn shorten(hits: &mut Vec<Hit>, is_all: bool) {
    if hits.len() <= HITS {
        return;
    }
    hits.sort_by_key(|hit| (hit.severity.report_order(), hit.line, hit.rank));
    let rest = hits.split_off(HITS);
    hits.sort_by_key(|hit| (hit.line, hit.rank));
    hits.extend(rest.into_iter().enumerate().reduce(|(_, first), (last, _)| (last, first)).map(|(last, first)| {
        let (least, count) = (if is_all { "" } else { "at least " }, last + 1);
        let plural = if count == 1 { " that is" } else { "s that are" };
        Hit { kind: format!("{least}{count} more credential{plural} not listed, the worst of them"), shown: String::new(), ..first }
    }));
}

/// Whether the beginning of a file is text: no NUL, and hardly anything else that no text has.
fn is_text(head: &[u8]) -> bool {
    let odd = head.iter().filter(|&&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    !head.contains(&0) && odd * 50 <= head.len()
}

fn keys(bytes: &[u8], hits: &mut Vec<Hit>) {
    let is_account = LazyCell::new(|| contains(bytes, b"\"service_account\"") && contains(bytes, b"\"client_email\""));
    let mut lines = Lines::of(bytes);
    for PrivateKey { kind, protection, range } in private_keys(bytes) {
        let line = lines.number(range.start);
        if kind == "private key" && *is_account {
            hits.push(Hit { kind: "Google Cloud service account key".to_owned(), ..Hit::at(line, Severity::Critical) });
            continue;
        }
        let (kind, severity) = match protection {
            Protection::None => (kind.to_owned(), Severity::High),
            Protection::Passphrase => (format!("{kind} under a passphrase"), Severity::Medium),
        };
        hits.push(Hit { kind, class: SecretClass::PrivateKey, ..Hit::at(line, severity) });
    }
}

fn words(path: &str, bytes: &[u8], hits: &mut Vec<Hit>) {
    let mut lines = Lines::of(bytes);
    for token in tokens(bytes) {
        if hits.len() >= FOUND {
            break;
        }
        if token.standing == Standing::Name && token::aws_secret_near(bytes, &token.range).is_none() {
            continue;
        }
        // Sources and their tests quote tokens of services that they speak to; what has no sum to check counts only outside of them.
        let is_sure = matches!(token.kind, AWS_KEY | AWS_TEMPORARY_KEY) || token.kind.starts_with("GitHub") || token.kind == "npm token";
        if place::is_library(path) && !is_sure {
            continue;
        }
        let shown = bytes.get(token.range.clone()).map(|bytes| bytes.iter().take(4).map(|&byte| char::from(byte)).collect());
        hits.push(Hit {
            kind: token.kind.to_owned(),
            shown: shown.unwrap_or_default(),
            ..Hit::at(lines.number(token.range.start), token.severity)
        });
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let head = text.as_bytes().get(..512).unwrap_or(text.as_bytes());
        if !scans(path, head, text.len() as u64) {
            return vec!["not looked at".to_owned()];
        }
        scan(path, text.as_bytes())
            .map(|note| decode(&note))
            .unwrap_or_default()
            .into_iter()
            .map(|hit| format!("{} {}", hit.line, hit.kind))
            .collect()
    }

    fn key(name: &str) -> String {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let mut der = vec![0x30, 0x82, 0x04, 0x00, 2, 1, 0];
        der.extend((0_u8..=255).cycle().take(1_028 - der.len()));
        let coded = BASE64_STANDARD.encode(der);
        format!("-----BEGIN {name}-----\n{coded}\n-----END {name}-----\n")
    }

    #[test]
    fn credentials_are_found_where_they_are_live() {
        let check = |path: &str, text: &str, expected: &[&str]| assert_eq!(found(path, text), expected, "{path}: {text}");
        let secret = "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Ga8Zk2Lq9Xw";
        let pem = key("RSA PRIVATE KEY");
        check("root/.ssh/id_rsa", &pem, &["1 RSA private key"]);
        check("app/config.py", &format!("x = 1\nKEY = \"\"\"{pem}\"\"\"\n"), &["2 RSA private key"]);
        check("usr/share/doc/x/key.pem", &pem, &["not looked at"]);
        check("app/node_modules/http/test/keys/agent1.pem", &pem, &["not looked at"]);
        let account = format!(
            "{{\"type\": \"service_account\", \"client_email\": \"x@y\",\n\"private_key\": \"{}\"}}",
            key("PRIVATE KEY").replace('\n', "\\n")
        );
        check("app/gcp.json", &account, &["2 Google Cloud service account key"]);
        let id = concat!("AKIA", "Q4TZ7HBLM2WXVC3D");
        let aws = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        check("root/.aws/credentials", &aws, &["2 AWS access key"]);
        check("app/settings.py", &format!("A = '{id}'\nB = '{secret}'\n"), &["1 AWS access key"]);
        check("app/settings.py", &format!("A = '{id}'\n"), &[]);
        check("app/.npmrc", "//r.acme.dev/:_authToken=npm_a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Ga8Zk2L\n", &["1 npm token"]);
        check("app/.npmrc", "//r.acme.dev/:_authToken=${NPM_TOKEN}\nalways-auth=true\n", &[]);
        check("app/.env", "DEBUG=1\nDB=postgres://app:Sup3rS3cret@db.example.invalid/x\n", &["2 password in a URL"]);
        check("app/.env", "DB_PASSWORD=hunter22\nAPI_KEY=changeme\nTOKEN=${T}\n", &["1 password or token in DB_PASSWORD"]);
        check("app/.env.example", "DB_PASSWORD=hunter22\n", &["not looked at"]);
        check("app/config/app.yaml", "url: amqp://svc:kz7Rw4qvT@mq.acme.dev:5672/\n", &["1 password in a URL"]);
        check("app/config/app.yaml", "url: amqp://user:password@localhost:5672/\n", &[]);
        check("app/config/app.yaml", "# url: amqp://svc:kz7Rw4qvT@mq.acme.dev:5672/\n", &[]);
        check("app/main.js", "fetch('https://svc:kz7Rw4qvT@mq.acme.dev/')\n", &[]);
        check("root/.docker/config.json", "{\"auths\":{\"r.acme.dev\":{\"auth\":\"c3ZjOmt6N1J3NHF2VA==\"}}}", &["1 registry login"]);
        check("root/.docker/config.json", "{\"auths\":{\"r.acme.dev\":{}},\"credsStore\":\"ecr\"}", &[]);
        check("root/.netrc", "machine git.acme.dev login bot password kz7Rw4qvT\n", &["1 password"]);
        check("root/.git-credentials", "https://bot:kz7Rw4qvT@git.acme.dev\n", &["1 git login"]);
        check("root/.pypirc", "[pypi]\nusername = bot\npassword = kz7Rw4qvT\n", &["3 package index password"]);
        check("root/.kube/config", "users:\n- user:\n    token: a8Zk2Lq9Xw3Nv7Bt5Rc1\n", &["3 Kubernetes credential"]);
    }

    #[test]
    fn of_very_many_the_worst_are_listed_and_the_others_counted() {
        let lines = |count: usize| (0..count).map(|number| format!("A{number}_TOKEN=q7Rw4q{number}x\n")).collect::<String>();
        let aws = concat!("K=AKIA", "Q4TZ7HBLM2WXVC3D a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Ga8Zk2Lq9Xw\n");
        assert_eq!(found("app/.env", &lines(HITS)).len(), HITS);
        let all = found("app/.env", &format!("{}{aws}", lines(60)));
        assert_eq!(all.len(), HITS + 1);
        assert!(all.contains(&"61 AWS access key".to_owned()), "{all:?}");
        assert_eq!(all.last().map(String::as_str), Some("50 11 more credentials that are not listed, the worst of them"));
        let all = found("app/.env", &lines(HITS + 1));
        assert_eq!(all.last().map(String::as_str), Some("51 1 more credential that is not listed, the worst of them"));
        // Were the lines counted anew for each of them, this would take hours.
        let all = found("app/.env", &lines(200_000));
        assert_eq!(all.last().map(String::as_str), Some("51 at least 9950 more credentials that are not listed, the worst of them"));
    }

    #[test]
    fn files_with_credentials_are_known_by_name() {
        for path in ["app/.npmrc", "app/.env", "root/.aws/credentials", "root/.ssh/id_rsa", "home/x/.ssh/id_ed25519"] {
            assert!(is_named(path), "{path}");
        }
        for path in ["app/.env.example", "app/log.txt", "root/.ssh/id_rsa.pub", "root/.ssh/known_hosts", "app/tests/id_rsa"] {
            assert!(!is_named(path), "{path}");
        }
    }

    #[test]
    fn binaries_are_not_looked_at() {
        assert!(!scans("usr/bin/x", b"\x7fELF\x02\x01\x01\0\0\0", 10_000));
        assert!(!scans("app/x.png", b"\x89PNG\r\n\x1a\n\x01\x02\x03\x04", 10_000));
        assert!(scans("app/x", "naïve text".as_bytes(), 11));
        assert!(!scans("app/x", b"ab", 2));
    }
}
