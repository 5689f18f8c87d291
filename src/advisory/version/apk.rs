//! apk: Alpine's version order, as apk-tools 2.14 has it
//! (<https://gitlab.alpinelinux.org/alpine/apk-tools/-/blob/v2.14.4/src/version.c>). That tool compares any two texts, so [`compare`] does
//! too; only texts of the documented grammar are versions, though: `digits{.digits}[letter]{_suffix[digits]}[-rdigits]`. Packages like opensmtpd
//! (`6.6.4p1-r0`) go on with numbers after the letter, which the tool reads as it looks, so that this is a version, too.

use std::cmp::Ordering;

const PRE_SUFFIXES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];
/// More digits than this overflow the tool's integers; it calls such a version invalid.
const MAX_DIGITS: usize = 17;

/// A text that follows the grammar.
#[derive(Debug, Clone)]
pub(super) struct Version(String);

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        is_valid(text).then(|| Self(text.to_owned()))
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

/// The kinds of tokens, in the tool's order, which is part of the version order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Invalid,
    DigitOrZero,
    Digit,
    Letter,
    Suffix,
    SuffixNumber,
    Revision,
    End,
}

/// Compares any two texts as `apk version -t` does.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    let (mut x, mut y) = (0, 0);
    while a.token == b.token && !matches!(a.token, Token::End | Token::Invalid) && x == y {
        x = a.value();
        y = b.value();
    }
    if x != y {
        return x.cmp(&y);
    }
    if a.token == b.token {
        return Ordering::Equal;
    }
    // Equal so far: the one that goes on is greater, unless it goes on with a suffix of a pre-release.
    if a.token == Token::Suffix && a.clone().value() < 0 {
        return Ordering::Less;
    }
    if b.token == Token::Suffix && b.clone().value() < 0 {
        return Ordering::Greater;
    }
    b.token.cmp(&a.token)
}

#[derive(Debug, Clone)]
struct Reader<'a> {
    token: Token,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { token: Token::Digit, rest: text.as_bytes() }
    }

    /// Reads the value of the current token and moves to the next one.
    fn value(&mut self) -> i64 {
        if self.rest.is_empty() {
            self.token = Token::End;
            return 0;
        }
        let zeros = self.rest.iter().take_while(|byte| **byte == b'0').count();
        let (value, length, next) = match self.token {
            // A part with leading zeros is a fraction: more zeros, smaller value.
            Token::DigitOrZero if zeros > 0 => (i64::try_from(zeros).map_or(i64::MIN, |zeros| -zeros), zeros, Some(Token::Digit)),
            Token::DigitOrZero | Token::Digit | Token::SuffixNumber | Token::Revision => {
                let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits > MAX_DIGITS {
                    return self.invalid();
                }
                let value = self.rest.iter().take(digits).fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
                (value, digits, None)
            }
            Token::Letter => (self.rest.first().map_or(0, |byte| i64::from(*byte)), 1, None),
            Token::Suffix => match suffix(self.rest) {
                Some((value, length)) => (value, length, None),
                None => return self.invalid(),
            },
            Token::Invalid | Token::End => return self.invalid(),
        };
        self.skip(length);
        self.token = match next {
            _ if self.rest.is_empty() => Token::End,
            Some(token) => token,
            None => self.next_token(),
        };
        value
    }

    fn next_token(&mut self) -> Token {
        let (first, second) = (self.rest.first().copied(), self.rest.get(1).copied());
        let token = match (self.token, first) {
            (_, None) => Token::End,
            (Token::Digit | Token::DigitOrZero, Some(byte)) if byte.is_ascii_lowercase() => Token::Letter,
            (Token::Letter, Some(byte)) if byte.is_ascii_digit() => Token::Digit,
            (Token::Suffix, Some(byte)) if byte.is_ascii_digit() => Token::SuffixNumber,
            (_, Some(byte)) => {
                self.skip(1);
                match byte {
                    b'.' => Token::DigitOrZero,
                    b'_' => Token::Suffix,
                    b'-' if second == Some(b'r') => {
                        self.skip(1);
                        Token::Revision
                    }
                    _ => Token::Invalid,
                }
            }
        };
        let backwards_is_fine = matches!(
            (token, self.token),
            (Token::DigitOrZero, Token::Digit) | (Token::Suffix, Token::SuffixNumber) | (Token::Digit, Token::Letter)
        );
        if token < self.token && !backwards_is_fine { Token::Invalid } else { token }
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn invalid(&mut self) -> i64 {
        self.token = Token::Invalid;
        -1
    }
}

/// The value and length of the suffix at the start: below zero for pre-releases.
fn suffix(rest: &[u8]) -> Option<(i64, usize)> {
    let find =
        |list: &[&str]| list.iter().position(|name| rest.starts_with(name.as_bytes())).and_then(|at| Some((at, list.get(at)?.len())));
    if let Some((at, length)) = find(&PRE_SUFFIXES) {
        return Some((i64::try_from(at).ok()? - 4, length));
    }
    find(&POST_SUFFIXES).and_then(|(at, length)| Some((i64::try_from(at).ok()?, length)))
}

fn is_valid(text: &str) -> bool {
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.as_bytes();
    loop {
        let length = digits(rest);
        if length == 0 || length > MAX_DIGITS {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix(b".") {
            rest = after;
            continue;
        }
        if !rest.first().is_some_and(u8::is_ascii_lowercase) {
            break;
        }
        rest = rest.get(1..).unwrap_or_default();
        if digits(rest) == 0 {
            break;
        }
    }
    while let Some(after) = rest.strip_prefix(b"_") {
        let Some((_, length)) = suffix(after) else { return false };
        rest = after.get(length..).unwrap_or_default();
        let length = digits(rest);
        if length > MAX_DIGITS {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    rest.is_empty()
        || rest
            .strip_prefix(b"-r")
            .is_some_and(|digits_only| (1..=MAX_DIGITS).contains(&digits_only.len()) && digits(digits_only) == digits_only.len())
}
