//! Text that a report is about to show in, the same text without credentials out. What is hidden was never asked for:
//! a report is kept and passed on, so it may hide too much and must not show too much.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{LazyLock, OnceLock},
};

use regex::{Captures, Regex};

use super::secret;

/// What stands for a credential.
const MASK: &str = "***";
/// Options that take a user with a password.
const USER_OPTIONS: &[&str] = &["u", "p", "user", "proxy-user", "creds", "src-creds", "dest-creds", "basic-auth", "auth"];

/// Quoted pieces and bare ones, one after the other; a quote that a cut left open runs to the end.
const VALUE: &str = r#"(?P<v>(?:"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\.|[^\s"'])+)"#;

/// A place where a credential may stand.
struct Pattern {
    /// The value is the group `v`; without one it starts where the match ends, and its quotes say where it ends itself.
    source: String,
    /// Made when a text first has what the pattern needs: most runs need few of them, and each takes time and memory.
    made: OnceLock<Option<Regex>>,
    is_secret: IsSecret,
    /// What a text must have for the pattern to find anything.
    needs: Needs,
}

impl Pattern {
    fn regex(&self) -> Option<&Regex> {
        self.made.get_or_init(|| Regex::new(&self.source).ok()).as_ref()
    }
}

/// Looks at what is cheap to know of a text.
type Needs = fn(&Traits) -> bool;

/// Looks at the groups before the value and at the value.
type IsSecret = fn(&Captures<'_>, &str) -> bool;

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    // Word characters are spelled out and repetitions have no limit: automatons would take longer to build than a scan takes.
    let sources: [(String, IsSecret, Needs); 19] = [
        (
            concat!(
                r"(?P<v>\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[posur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9_-]{10,}",
                r"|[sr]k_live_[A-Za-z0-9_]{16,}|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9_]{30,}|pypi-AgEI[A-Za-z0-9_-]+|dckr_pat_[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9_]{30,}|AGE-SECRET-KEY-1[A-Za-z0-9_]+",
                r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{20,}|dop_v1_[A-Za-z0-9]{20,}|shpat_[A-Za-z0-9]{20,}",
                r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+))"
            )
            .to_owned(),
            |_, _| true,
            |traits| traits.mark,
        ),
        (r"(?s)-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?P<v>.+?)(?:-----END|$)".to_owned(), |_, _| true, |traits| traits.mark),
        (r#"(?P<s>[A-Za-z0-9+.-]*:?)//(?P<v>[^\s/?#"'<>]+)@"#.to_owned(), is_user_info, |traits| traits.at),
        (r#"//(?P<v>[^\s/?#@"':<>]+:[^\s@"'<>]+)@[A-Za-z0-9]"#.to_owned(), has_no_port, |traits| traits.at),
        (r#"(?:^|[\s"'`=,(\[])(?P<v>[^\s"'`=,()\[\]/@:]+:[^\s"'`/]+)@(?P<h>[A-Za-z0-9][A-Za-z0-9.-]*)"#.to_owned(), is_no_digest, |traits| traits.at),
        (
            r#"(?i)\b(?P<o>authorization|[a-z-]*-(?:token|api-key|auth))\s*[:=]\s*(?:(?:bearer|basic|token|digest)\s+)?(?P<v>[^\s"']+)"#.to_owned(),
            is_literal,
            |traits| traits.word,
        ),
        (r"(?i)\bbearer\s+(?P<v>[a-z0-9+/=_.~-]{16,})".to_owned(), is_literal, |traits| traits.word),
        (r#"(?:^|[\s"'\[,(])(?P<o>--?(?P<n>[A-Za-z][A-Za-z0-9_.-]*))(?:=|["']\s*,\s*(?P<q>["'])|\s+)"#.to_owned(), is_secret_option, |traits| traits.dash && (traits.colon || traits.word)),
        (r#"(?:^|[\s"'\[,(])-u(?P<v>[^\s"':]+:[^\s"']+)"#.to_owned(), has_letters, |traits| traits.dash && traits.colon),
        (r#"\b(?:mysql[A-Za-z0-9_]*|mariadb[A-Za-z0-9_-]*|sshpass)\b[^;|&]*?[\s"',](?P<o>-p)(?:["']\s*,\s*(?P<q>["'])|\s?)"#.to_owned(), is_literal, |traits| traits.dash && traits.word),
        (
            r#"\b(?:docker|podman|buildah|skopeo|nerdctl|crane|helm|oras|az|oc)\b[^;|&]*?\slogin\b[^;|&]*?[\s"',](?P<o>-p)(?:["']\s*,\s*(?P<q>["'])|\s)"#.to_owned(),
            is_literal,
            |traits| traits.dash && traits.word,
        ),
        // Apart from the one before: of two ways to begin, the one that finds no end would be followed to the end of the text at each match of the other.
        (
            r#"\b(?:twine|useradd|usermod)\b[^;|&]*?[\s"',](?P<o>-p)(?:["']\s*,\s*(?P<q>["'])|\s)"#.to_owned(),
            is_literal,
            |traits| traits.dash && traits.word,
        ),
        (
            r#"\bredis-cli\b[^;|&]*?[\s"',](?P<o>-a)(?:["']\s*,\s*(?P<q>["'])|\s)"#.to_owned(),
            is_literal,
            |traits| traits.dash && traits.word,
        ),
        (r#"\bopenssl\s+(?P<o>passwd)(?:\s+-[A-Za-z0-9]+)*\s+(?P<v>[^\s"'()|;&<>-][^\s"'()|;&<>]*)"#.to_owned(), is_literal, |traits| traits.word),
        (r"(?i):_(?P<o>authtoken|password|auth)\s+(?P<v>\S+)".to_owned(), is_literal, |traits| traits.colon && traits.word),
        (r#"(?P<o>(?P<n>[A-Za-z_][A-Za-z0-9_.-]*))(?:\\?["'])?\s*[:=]\s*"#.to_owned(), is_secret_pair, |traits| traits.word),
        (r"(?i)^\s*(?:ONBUILD\s+)?(?:ENV|LABEL)\s+(?P<o>(?P<n>[^\s=]+))\s+(?P<v>.+)$".to_owned(), is_secret_pair, |traits| traits.word),
        (
            format!(r"\b(?:echo|printf)\s+(?:-[A-Za-z0-9_]+\s+){{0,4}}{VALUE}\s*\|\s*[^|;&]*?(?:\bpasswd|chpasswd|password-stdin|sudo\s+-S)"),
            is_literal,
            |traits| traits.word,
        ),
        (r"\bchpasswd\b[^;|&<]*<<<\s*".to_owned(), is_literal, |traits| traits.word),
    ];
    sources.into_iter().map(|(source, is_secret, needs)| Pattern { source, made: OnceLock::new(), is_secret, needs }).collect()
});

/// What one pass over a text tells: most texts have nothing that most patterns could begin with, and hiding a part of a text never adds it.
struct Traits {
    at: bool,
    colon: bool,
    dash: bool,
    /// What a token or key begins with.
    mark: bool,
    /// A word, or a part of one, that names a credential or a program that takes one.
    word: bool,
}

impl Traits {
    fn of(text: &str) -> Self {
        let (mut at, mut colon, mut dash) = (false, false, false);
        // Names are compared without what joins their words.
        let mut joined = Vec::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() {
                joined.push(byte.to_ascii_lowercase());
            } else {
                at |= byte == b'@';
                colon |= byte == b':';
                dash |= byte == b'-';
            }
        }
        Self { at, colon, dash, mark: may_hold_token(text), word: WORDS.is_match(&joined) }
    }
}

/// What the tokens and keys begin with that are known by their format.
static MARKS: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    let marks = "AKIA|ASIA|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|glpat-|xox|_live_|AIza|npm_|pypi-AgEI|dckr_pat_|hf_|AGE-SECRET-KEY-1|SG\\.|sk-ant-|sk-proj-|sk-svcacct-|dop_v1_|shpat_|eyJ|-----BEGIN ";
    regex::bytes::Regex::new(marks).expect("literals are legal")
});

/// Whether anything in the text begins as a token or key does that is known by its format.
pub(crate) fn may_hold_token(text: &str) -> bool {
    MARKS.is_match(text.as_bytes())
}

/// Letters that every name has for which some pattern looks.
static WORDS: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    const PARTS: [&str; 30] = [
        "pass",
        "pwd",
        "pword",
        "pw",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "credential",
        "auth",
        "signingkey",
        "encryptionkey",
        "masterkey",
        "accountkey",
        "servicekey",
        "deploykey",
        "sshkey",
        "licensekey",
        "storagekey",
        "creds",
        "rediscli",
        "bearer",
        "sudo",
        "mysql",
        "mariadb",
        "login",
        "twine",
        "useradd",
        "usermod",
    ];
    regex::bytes::Regex::new(&PARTS.join("|")).expect("words are legal")
});

/// The text with `***` for every credential that can be told by its place, its name or its format.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    let traits = Traits::of(text);
    for pattern in PATTERNS.iter().filter(|pattern| (pattern.needs)(&traits)) {
        let replaced = hide(pattern, &out, |_, _| false);
        if let Some(replaced) = replaced {
            out = Cow::Owned(replaced);
        }
    }
    out
}

/// Whether the text has a credential that says something itself: in `-u "bot:$TOKEN"` only a variable is hidden.
pub(crate) fn holds_literal(text: &str) -> bool {
    let traits = Traits::of(text);
    PATTERNS.iter().filter(|pattern| (pattern.needs)(&traits)).any(|pattern| hide(pattern, text, is_reference).is_some())
}

/// Whether a value is nothing but variables and what commands print, behind a user where the place takes one.
fn is_reference(captures: &Captures<'_>, value: &str) -> bool {
    let takes_user = captures.name("o").is_none() || USER_OPTIONS.contains(&group(captures, "n").to_ascii_lowercase().as_str());
    let value = value.trim_end_matches([';', ')']).replace('"', "");
    let Some(start) = value.find(['$', '`']) else { return false };
    let (user, mut rest) = value.split_at(start);
    let has_user = user.strip_suffix(':').is_some_and(|user| takes_user && !user.contains(':'));
    let mut may_be_user = takes_user && user.is_empty();
    if !user.is_empty() && !has_user {
        return false;
    }
    while let Some(behind) = behind_reference(rest) {
        rest = match behind.strip_prefix(':').filter(|_| std::mem::take(&mut may_be_user)) {
            Some(secret) => secret,
            None if behind.is_empty() => return true,
            None => behind,
        };
    }
    false
}

/// What follows a variable or a `$(...)`; a default is a value of its own.
fn behind_reference(text: &str) -> Option<&str> {
    let Some(rest) = text.strip_prefix('$') else { return text.starts_with('`').then_some("") };
    if rest.starts_with('(') {
        return Some("");
    }
    let braced = rest.strip_prefix('{').map(|rest| rest.split_once('}'));
    let (name, behind) = match braced {
        Some(braced) => braced?,
        None => rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())),
    };
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    let (name, operator) = name.split_at(end);
    let has_no_value = matches!(operator, "" | "-" | ":-") || operator.trim_start_matches(':').starts_with('?');
    (!name.is_empty() && has_no_value).then_some(behind)
}

/// The text with the secrets of one pattern hidden, but for values that may be told, if there are any.
fn hide(pattern: &Pattern, text: &str, is_told: impl Fn(&Captures<'_>, &str) -> bool) -> Option<String> {
    let regex = pattern.regex()?;
    let mut out = String::new();
    let mut quotes = None;
    let (mut done, mut from) = (0, 0);
    while let Some(captures) = regex.captures_at(text, from) {
        let Some(whole) = captures.get(0) else { break };
        let value = match captures.name("v") {
            Some(value) => value.range(),
            None => quotes.get_or_insert_with(|| Quotes::of(text)).value(&captures, whole.end()),
        };
        let shown = text.get(value.clone())?;
        if (pattern.is_secret)(&captures, shown) && !shown.is_empty() && shown != MASK && !is_told(&captures, shown) {
            out.push_str(text.get(done..value.start)?);
            out.push_str(MASK);
            done = value.end;
            from = whole.end().max(value.end);
        } else {
            // What is no secret itself may hold one: `sh -c "PASSWORD=..."`.
            // The blank before the value may begin the next match: `-k -u USER:PASSWORD`.
            from = value.start.saturating_sub(1).max(whole.start() + 1);
        }
        from = (from..=text.len()).find(|&at| text.is_char_boundary(at))?;
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// The quoted pieces of a text, read as a shell reads them.
struct Quotes<'t> {
    text: &'t str,
    /// Opening quote, its place and the place of the closing one. A piece that nothing closes is none: its opening quote may be
    /// an apostrophe.
    pieces: Vec<(char, usize, usize)>,
}

impl<'t> Quotes<'t> {
    fn of(text: &'t str) -> Self {
        let mut pieces = Vec::new();
        let mut open = None;
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match (c, open) {
                ('\\', None | Some(('"', _))) => {
                    chars.next();
                }
                ('"' | '\'', None) => open = Some((c, at)),
                (c, Some((quote, start))) if c == quote => {
                    pieces.push((quote, start, at));
                    open = None;
                }
                _ => {}
            }
        }
        Self { text, pieces }
    }

    /// The value that starts at `start`: to the end of the word, at most to the end of the quoted piece around it.
    fn value(&self, captures: &Captures<'_>, start: usize) -> Range<usize> {
        if let Some(quote) = captures.name("q").and_then(|quote| quote.as_str().chars().next()) {
            return start..self.close(quote, start, self.text.len()).unwrap_or(self.text.len());
        }
        let around = self.pieces.partition_point(|&(_, open, _)| open < start).checked_sub(1).and_then(|at| self.pieces.get(at));
        // The quote right before the name: the piece holds nothing but this name and its value, unless it is code.
        let name = captures.name("o").filter(|name| !self.text.get(name.end()..start).is_some_and(|between| between.contains(['"', '\''])));
        let before = name.and_then(|name| self.text.get(..name.start()));
        let alone = before.and_then(|before| before.strip_suffix(['"', '\''])).is_some_and(|before| !runs_as_code(before));
        let Some(&(quote, _, close)) = around.filter(|&&(_, _, close)| start <= close) else {
            return start..if alone { self.text.len() } else { self.word(start, None, self.text.len()) };
        };
        if alone {
            return start..close;
        }
        start..self.word(start, Some(quote), close)
    }

    /// The end of the word that starts at `start`; `around` is the quote that encloses it, which nothing in it opens again.
    fn word(&self, start: usize, around: Option<char>, limit: usize) -> usize {
        let text = self.text.get(..limit).unwrap_or_default();
        let mut at = start;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let next = at + c.len_utf8();
            let quote = match c {
                c if c.is_whitespace() => return at,
                // `\"` opens a piece of its own in a text that was quoted once more.
                '\\' if text.get(next..).is_some_and(|rest| rest.starts_with('"')) && at == start => {
                    return text.get(next + 1..).and_then(|rest| rest.find("\\\"")).map_or(limit, |end| next + 1 + end + 2);
                }
                '\\' => {
                    at = next + text.get(next..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
                    continue;
                }
                '"' | '\'' if Some(c) != around => c,
                _ => {
                    at = next;
                    continue;
                }
            };
            at = match (self.close(quote, next, limit), around) {
                (Some(close), _) => close + 1,
                // A cut left it open.
                (None, None) => return limit,
                (None, Some(_)) => next,
            };
            let rest = text.get(at..).unwrap_or_default();
            let mut following = rest.chars();
            match (following.next(), following.next()) {
                // The value was an element of a list, or the last one.
                (Some(','), Some('"' | '\'' | ' ' | '{' | '[')) | (Some(']' | '}' | ')'), None | Some(',' | ']' | '}' | ')' | ' ')) => {
                    return at;
                }
                _ => {}
            }
        }
        limit
    }

    /// Where the quote closes that was opened before `from`.
    fn close(&self, quote: char, from: usize, limit: usize) -> Option<usize> {
        let mut chars = self.text.get(from..limit)?.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quote == '"' => {
                    chars.next();
                }
                c if c == quote => return Some(from + at),
                _ => {}
            }
        }
        None
    }
}

/// Whether what stands before a quoted piece says that its words are commands: `sh -c "A=b run"`.
fn runs_as_code(before: &str) -> bool {
    let last = before.trim_end_matches(|c: char| c.is_whitespace() || c == ',').trim_end_matches(['"', '\'']);
    let word = last.rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '[')).next().unwrap_or_default();
    word == "eval" || (word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
}

fn group<'t>(captures: &Captures<'t>, name: &str) -> &'t str {
    captures.name(name).map_or("", |found| found.as_str())
}

/// A user alone is a secret only where a token can stand for one: `ssh://git@host` has none.
fn is_user_info(captures: &Captures<'_>, user: &str) -> bool {
    let scheme = group(captures, "s");
    user.contains(':') || (scheme.contains("http") && user != "git")
}

/// `http://host:80/a@b` has a port, not a password.
fn has_no_port(_: &Captures<'_>, value: &str) -> bool {
    let password = value.split_once(':').map_or("", |(_, password)| password);
    !password.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('/')
}

/// `alpine:3@sha256:...` is a reference without credentials, and `mailto:a@b.example` an address.
fn is_no_digest(captures: &Captures<'_>, value: &str) -> bool {
    let is_address = value.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto"));
    !is_address && !matches!(group(captures, "h"), "sha256" | "sha384" | "sha512")
}

fn bare(value: &str) -> &str {
    value.trim_start_matches('\\').trim_matches(['"', '\'']).trim()
}

/// Whether the value says something itself: a variable, a switch and an empty text do not.
fn is_literal(_: &Captures<'_>, value: &str) -> bool {
    let value = bare(value);
    let is_variable = value.strip_prefix('$').is_some_and(|rest| {
        let name = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(rest);
        name.starts_with('(') || name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    !is_variable && !matches!(value, "" | "true" | "false" | "yes" | "no" | "0" | "1" | "|" | "&&" | ";")
}

fn has_letters(_: &Captures<'_>, value: &str) -> bool {
    // `-p 80:80` and `--user 1000:1000` are numbers.
    value.chars().any(|c| !(c.is_ascii_digit() || matches!(c, ':' | '"' | '\'')))
}

/// Whether a value is what `date` prints: `+%H:%M`, `+"%H:%M"`.
fn is_format(value: &str) -> bool {
    let value = value.trim_start_matches(['"', '\'']);
    value.strip_prefix('+').is_some_and(|format| format.trim_start_matches(['"', '\'']).starts_with('%'))
}

fn is_secret_option(captures: &Captures<'_>, value: &str) -> bool {
    let name = group(captures, "n").to_ascii_lowercase();
    if USER_OPTIONS.contains(&name.as_str()) {
        // `date -u +%H:%M` is in UTC.
        return value.contains(':') && !is_format(value) && has_letters(captures, value) && is_literal(captures, value);
    }
    let is_mount = value.starts_with("id=");
    (is_secret_name(&name) || matches!(name.as_str(), "pass" | "pw" | "pwd"))
        && !value.starts_with('-')
        && !is_mount
        && is_literal(captures, value)
}

fn is_secret_pair(captures: &Captures<'_>, value: &str) -> bool {
    is_secret_name(group(captures, "n")) && is_literal(captures, value)
}

/// Whether a name says that its value is secret; wider than the rules' own test, since nothing is lost by hiding.
pub(crate) fn is_secret_name(name: &str) -> bool {
    const SECRETS: [&str; 14] = [
        "password",
        "passwd",
        "passphrase",
        "pword",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "credential",
        "authkey",
        "signingkey",
        "encryptionkey",
        "masterkey",
    ];
    const OTHERS: [&str; 4] = ["tokenizer", "passwordless", "token_type", "disabled-password"];
    const ENDS: [&str; 11] = ["file", "path", "url", "uri", "version", "dir", "stdin", "name", "endpoint", "ttl", "length"];
    let lower = name.to_ascii_lowercase();
    let joined: String = lower.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let last = lower.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let is_short = lower.len() > 3 && lower.split(['_', '-', '.']).any(|word| matches!(word, "pwd" | "pass"));
    let is_alike = (is_short || SECRETS.iter().any(|word| joined.contains(word))) && !ENDS.contains(&last);
    (is_alike || secret::is_secret_name(name)) && !OTHERS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_legal() {
        assert!(PATTERNS.len() == 19 && PATTERNS.iter().all(|pattern| pattern.regex().is_some()));
    }

    #[test]
    fn credentials_are_hidden_and_nothing_else() {
        let github = concat!("ghp_", "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Gj8Fu2E");
        let table = [
            ("RUN git clone https://u:hunter22@git.acme.dev/r", "RUN git clone https://***@git.acme.dev/r"),
            ("RUN git clone https://t0ken@git.acme.dev/r", "RUN git clone https://***@git.acme.dev/r"),
            ("FROM u:hunter22@host.acme.dev/r:1", "FROM ***@host.acme.dev/r:1"),
            ("FROM u:hunter22@host/r:1@sha256:00", "FROM ***@host/r:1@sha256:00"),
            ("FROM debian:12@sha256:0123", "FROM debian:12@sha256:0123"),
            ("LABEL maintainer=mailto:a@b.example", "LABEL maintainer=mailto:a@b.example"),
            ("FROM host:5000/debian:12@sha256:0123", "FROM host:5000/debian:12@sha256:0123"),
            ("git clone ssh://git@host/r git@host:org/r.git", "git clone ssh://git@host/r git@host:org/r.git"),
            ("curl -u bot:hunter22 https://x", "curl -u *** https://x"),
            ("curl -ubot:hunter22 https://x", "curl -u*** https://x"),
            (r#"RUN ["curl","--user","bot:hunter22","x"]"#, r#"RUN ["curl","--user","***","x"]"#),
            (r#"RUN ["curl", "-u", "bot:hunter 22", "x"]"#, r#"RUN ["curl", "-u", "***", "x"]"#),
            (r#"CMD ["x","--password=hunter 22","y"]"#, r#"CMD ["x","--password=***","y"]"#),
            (r#"CMD ["sshpass","-p","hunter22","ssh"]"#, r#"CMD ["sshpass","-p","***","ssh"]"#),
            (r#"CMD ["mysql","-phunter22","db"]"#, r#"CMD ["mysql","-p***","db"]"#),
            (r#"CMD ["sh","-c","DB_PASSWORD=hunter22 run"]"#, r#"CMD ["sh","-c","DB_PASSWORD=*** run"]"#),
            (r#"{"password":"hunter 22","user":"bot"}"#, r#"{"password":***,"user":"bot"}"#),
            (r#"{\"password\": \"hunter 22\", \"user\": 1}"#, r#"{\"password\": ***, \"user\": 1}"#),
            ("docker run -p 80:80 --user 1000:1000 x", "docker run -p 80:80 --user 1000:1000 x"),
            ("x --password hunter22 --token=abc --pass 'a b'", "x --password *** --token=*** --pass ***"),
            ("adduser --disabled-password app", "adduser --disabled-password app"),
            ("x --password $PW --token-file /x", "x --password $PW --token-file /x"),
            ("curl -k -u bob:hunter22 https://x", "curl -k -u *** https://x"),
            ("docker login -u x -p hunter22 r", "docker login -u x -p *** r"),
            ("useradd -m -p hunter22 joe", "useradd -m -p *** joe"),
            ("date -u +\"%Y-%m-%dT%H:%M:%SZ\" > /x", "date -u +\"%Y-%m-%dT%H:%M:%SZ\" > /x"),
            ("echo \"$(date -u +'%H:%M')\"", "echo \"$(date -u +'%H:%M')\""),
            ("date -u +%Y-%m-%dT%H:%M:%SZ; date -u '+%H:%M'", "date -u +%Y-%m-%dT%H:%M:%SZ; date -u '+%H:%M'"),
            ("npm config set //r/:_authToken hunter22", "npm config set //r/:_authToken ***"),
            ("ENV sets DEPLOY_PASSWORD to a literal secret", "ENV sets DEPLOY_PASSWORD to a literal secret"),
            ("mkdir -p /srv/login -p /x", "mkdir -p /srv/login -p /x"),
            ("redis-cli -h db -a hunter22 ping", "redis-cli -h db -a *** ping"),
            (r#"CMD ["redis-cli", "-a", "hunter22", "ping"]"#, r#"CMD ["redis-cli", "-a", "***", "ping"]"#),
            ("useradd -p $(openssl passwd -1 hunter22) u", "useradd -p $(openssl passwd -1 ***) u"),
            ("openssl passwd -6 -stdin < /x", "openssl passwd -6 -stdin < /x"),
            ("mysql -uroot -phunter22 db", "mysql -uroot -p*** db"),
            ("curl -H 'Authorization: Bearer abc.def' x", "curl -H 'Authorization: Bearer ***' x"),
            ("curl -H \"PRIVATE-TOKEN: abcdef\" x", "curl -H \"PRIVATE-TOKEN: ***\" x"),
            ("curl -H 'X-API-KEY: abc def' -H \"X: y\" x", "curl -H 'X-API-KEY: ***' -H \"X: y\" x"),
            ("docker run -e \"DB_PASSWORD=hunter 22\" x", "docker run -e \"DB_PASSWORD=***\" x"),
            ("sh -c \"x --password 'hunter 22' y\" z", "sh -c \"x --password *** y\" z"),
            ("sh -c \"x --password \\\"hunter 22\\\" y\" z", "sh -c \"x --password *** y\" z"),
            ("x PASSWORD=hunter\"2 2\"'y z' z", "x PASSWORD=*** z"),
            ("don't say PASSWORD=\"hunter 22\" x", "don't say PASSWORD=*** x"),
            ("x PASSWORD=\"hunter 22", "x PASSWORD=***"),
            ("x \"PASSWORD=hunter 22", "x \"PASSWORD=***"),
            ("ENV A=1 DB_PASSWORD=hunter22 B=2", "ENV A=1 DB_PASSWORD=*** B=2"),
            (
                "ENV DBPASS=hunter22 ROOTPASS=hunter23 COMPASS=north DEPLOY_KEY=abc",
                "ENV DBPASS=*** ROOTPASS=*** COMPASS=north DEPLOY_KEY=***",
            ),
            ("ENV DB_PASSWORD=\"hunter 22\" B=2", "ENV DB_PASSWORD=*** B=2"),
            ("ENV API_TOKEN hunter 22", "ENV API_TOKEN ***"),
            ("ENV PASSWORD_FILE=/x TOKEN_URL=u SECRET_VERSION=3 TOKEN=$T", "ENV PASSWORD_FILE=/x TOKEN_URL=u SECRET_VERSION=3 TOKEN=$T"),
            ("/bin/sh -c #(nop)  ENV aws_secret_access_key=abc/def", "/bin/sh -c #(nop)  ENV aws_secret_access_key=***"),
            ("npm config set //r/:_authToken=abcdef", "npm config set //r/:_authToken=***"),
            ("sh -c \"DB_PASSWORD=hunter22 run\"", "sh -c \"DB_PASSWORD=*** run\""),
            ("echo root:hunter22 | chpasswd", "echo *** | chpasswd"),
            ("echo 'root:hunter 22' | sudo chpasswd", "echo *** | sudo chpasswd"),
            ("RUN --mount=type=secret,id=t make", "RUN --mount=type=secret,id=t make"),
            ("docker build --secret id=x .", "docker build --secret id=x ."),
            ("RUN apt-get install -y curl", "RUN apt-get install -y curl"),
        ];
        for (text, expected) in table {
            assert_eq!(masked(text), expected, "{text}");
        }
        assert_eq!(masked(&format!("RUN echo {github} x")), "RUN echo *** x");
        assert!(holds_literal(&format!("RUN echo {github} x")));
        // However much stands between the program and its option.
        let far = "--long-option value ".repeat(40);
        for (program, option) in [("mysql", "-p"), ("docker login", "-p "), ("useradd", "-p "), ("redis-cli", "-a ")] {
            assert_eq!(masked(&format!("{program} {far}{option}hunter22 x")), format!("{program} {far}{option}*** x"));
        }
    }

    #[test]
    fn variables_are_no_credentials_of_their_own() {
        for (text, expected) in [
            ("curl -u \"bot:$TOKEN\" https://a.dev/$x", false),
            ("curl -u bot:${TOKEN} https://a.dev", false),
            ("curl -u $user:$pass https://a.dev", false),
            ("curl -u hunter2$x:b https://a.dev", true),
            ("git clone https://$TOKEN@github.com/a/$b", false),
            ("git clone https://bot:$TOKEN@github.com/a/$b", false),
            ("export DB_PASSWORD=\"${X}\"; echo $x", false),
            ("mysql -p\"$PASSWORD\" $x", false),
            ("curl -u \"bot:P@$sw0rd\" https://a.dev", true),
            ("export DB_PASSWORD=\"${X:-hunter2}\"", true),
            ("export DB_PASSWORD=P@$sw0rd", true),
            ("curl -u \"bot:$TOKEN\" https://x:hunter22@a.dev", true),
            ("curl -u \"$U\":\"$P\" https://a.dev", false),
            ("curl -u \"x:$(cat /run/secrets/p)\" https://a.dev", false),
            ("curl -u \"x:${P:?}\" https://a.dev", false),
            ("export DB_PASSWORD=\"${A}${B:-}\"", false),
            ("mysql -p\"abc:$sw0rd\"", true),
            ("export DB_PASSWORD=abc:$sw0rd", true),
            ("export DB_PASSWORD=\"$sw0rd;\"", true),
            ("curl -uabc:def:$sw0rd https://a.dev", true),
            ("skopeo copy --src-creds b:abc:$sw0rd x y", true),
            ("curl -H \"X-Api-Key: abc:$sw0rd\" https://a.dev", true),
            ("openssl passwd abc:$sw0rd", true),
            ("ENV DB_PASSWORD abc:$sw0rd", true),
            ("curl -u \"$a:$b:$sw0rd\" https://a.dev", true),
            ("echo $x", false),
        ] {
            assert_eq!(holds_literal(text), expected, "{text}");
        }
    }
}
