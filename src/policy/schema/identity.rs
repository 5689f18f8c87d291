//! `identity_pattern`: which regular expressions over keyless subjects are safe enough to take (`.github/ARCHITECTURE.md`, "Whom to trust").
//! A pattern that says less than it seems to is refused, with the pattern that was probably meant.

use regex::{Regex, RegexBuilder};

/// Why a pattern is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is wrong.
    pub(super) message: String,
    /// The pattern that was probably meant.
    pub(super) corrected: Option<String>,
}

/// Compiles a pattern that passed [`check`]; `None` when it does not compile or grows too large.
pub(crate) fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(1 << 20).nest_limit(32).build().ok()
}

/// Checks a pattern that was given outside of a policy file.
///
/// # Errors
/// What is wrong with it, and the pattern that was probably meant.
pub fn check_identity_pattern(pattern: &str) -> Result<(), (String, Option<String>)> {
    check(pattern).map_err(|fault| (fault.message, fault.corrected))
}

/// Checks one pattern.
pub(super) fn check(pattern: &str) -> Result<(), Fault> {
    let scan = Scan::of(pattern);
    let mut corrected = scan.dots_escaped.clone();
    if !scan.starts {
        corrected.insert(0, '^');
    }
    if !scan.ends {
        corrected.push('$');
    }
    let fault = |message: &str, corrected: Option<String>| Err(Fault { message: message.to_owned(), corrected });
    if !scan.starts || !scan.ends {
        return fault("identity_pattern is not anchored: it must start with `^` and end with `$`", Some(corrected));
    }
    if scan.bare_dot {
        return fault("identity_pattern has a `.` that stands for any character", Some(corrected));
    }
    if scan.top_level_or {
        return fault("identity_pattern has a `|` outside of a group, which undoes the anchors; put the alternatives into a group", None);
    }
    if scan.flags {
        return fault("identity_pattern changes flags with `(?`; only `(?:` is read", None);
    }
    if !has_literal_start(pattern) {
        return fault("scheme, host and first path segment of identity_pattern must be literal, e.g. `^https://github\\.com/acme/`", None);
    }
    if compile(pattern).is_none() {
        return fault("identity_pattern is not a regular expression, or too large a one", None);
    }
    Ok(())
}

/// The exact text that a pattern stands for, when it stands for one text only.
pub(crate) fn literal(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|c| !c.is_ascii_alphanumeric())?),
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '|' | '^' | '$' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// What one pass over a pattern sees.
struct Scan {
    starts: bool,
    ends: bool,
    bare_dot: bool,
    top_level_or: bool,
    flags: bool,
    dots_escaped: String,
}

impl Scan {
    fn of(pattern: &str) -> Self {
        let mut scan = Self {
            starts: pattern.starts_with('^'),
            ends: false,
            bare_dot: false,
            top_level_or: false,
            flags: false,
            dots_escaped: String::new(),
        };
        let (mut class, mut depth) = (0_u32, 0_u32);
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            scan.ends = false;
            match c {
                '\\' => {
                    scan.dots_escaped.push('\\');
                    if let Some(next) = chars.next() {
                        scan.dots_escaped.push(next);
                    }
                    continue;
                }
                '[' => class += 1,
                ']' => class = class.saturating_sub(1),
                _ if class > 0 => {}
                '(' => {
                    depth += 1;
                    if chars.peek() == Some(&'?') {
                        let mut ahead = chars.clone();
                        ahead.next();
                        scan.flags |= ahead.next() != Some(':');
                    }
                }
                ')' => depth = depth.saturating_sub(1),
                '|' if depth == 0 => scan.top_level_or = true,
                '$' => scan.ends = chars.peek().is_none(),
                '.' if !matches!(chars.peek(), Some('*' | '+' | '?' | '{')) => {
                    scan.bare_dot = true;
                    scan.dots_escaped.push('\\');
                }
                _ => {}
            }
            scan.dots_escaped.push(c);
        }
        scan
    }
}

/// Whether the pattern begins with a literal `scheme://host/segment/`; the slash after the segment may also be an `@` or the end.
fn has_literal_start(pattern: &str) -> bool {
    let mut text = String::new();
    let mut chars = pattern.trim_start_matches('^').chars().peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some(next) if !next.is_ascii_alphanumeric() => next,
                _ => break,
            },
            '.' | '[' | '(' | '{' | '|' | '*' | '+' | '?' | ')' | ']' | '}' => break,
            '$' => {
                text.push('/');
                break;
            }
            c => c,
        };
        // A quantifier makes the character before it anything but literal.
        if matches!(chars.peek(), Some('*' | '+' | '?' | '{')) {
            break;
        }
        text.push(c);
    }
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let mut parts = rest.splitn(3, '/');
    let (host, segment, more) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    !scheme.is_empty() && !host.is_empty() && !segment.is_empty() && more.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_patterns_are_refused_with_the_one_that_was_meant() {
        let check = |pattern: &str, corrected: Option<&str>| {
            let fault = check(pattern).expect_err(pattern);
            assert_eq!(fault.corrected.as_deref(), corrected, "{pattern}: {}", fault.message);
        };
        check(r"https://github\.com/acme/app/.*", Some(r"^https://github\.com/acme/app/.*$"));
        check(r"^https://github.com/acme/app/.*$", Some(r"^https://github\.com/acme/app/.*$"));
        check(r"^https://github\.com/acme/a$|^https://github\.com/evil/b$", None);
        check(r"^https://.*/acme/app$", None);
        check(r"^https://github\.com/.*$", None);
        check(r"^https://github\.com/acm.*$", None);
        check(r"^https://github\.com/acme?/x$", None);
        check(r"(?i)^https://github\.com/acme/x$", Some(r"^(?i)^https://github\.com/acme/x$"));
        check(r"^https://github\.com/acme/app\$", Some(r"^https://github\.com/acme/app\$$"));
        check(r"^https://github\.com/acme/(app$", None);
    }

    #[test]
    fn good_patterns_pass() {
        for pattern in [
            r"^https://github\.com/acme/app/\.github/workflows/release\.yml@refs/tags/v[0-9.]+$",
            r"^https://github\.com/acme/(app|lib)/.+$",
            r"^https://gitlab\.example/acme/(?:a|b)@refs/heads/main$",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_for_one_text_is_recognised() {
        assert_eq!(literal(r"^https://github\.com/acme/app$").as_deref(), Some("https://github.com/acme/app"));
        assert_eq!(literal(r"^https://github\.com/acme/v[0-9]$"), None);
        assert_eq!(literal(r"^https://github\.com/acme/\d$"), None);
    }
}
