//! Composer: the order of composer/semver (<https://github.com/composer/semver>), PHP's `version_compare` over normal forms: `v` and metadata
//! cut off, four numbers, and one word for each stability: `v1.0-beta1` is `1.0.0.0-beta1`, the branch `1.x-dev` is
//! `1.9999999.9999999.9999999-dev`. A branch without a number (`dev-main`) has no place among versions: Composer only tells whether it is the
//! same one, and that no advisory's range holds it. Such a text is none here, so that nobody reads "not affected" out of it.

use std::cmp::Ordering;

use super::digits;

/// The part of a branch that stands for any number.
const ANY: &str = "9999999";
const MAX_NUMBERS: usize = 4;
/// More digits than this in front are no version.
const MAX_FIRST: usize = 5;
/// Each word of stability and what it is called in normal forms; longer words come before their beginnings.
const STABILITIES: [(&str, &str); 9] = [
    ("stable", ""),
    ("beta", "-beta"),
    ("b", "-beta"),
    ("rc", "-RC"),
    ("alpha", "-alpha"),
    ("a", "-alpha"),
    ("patch", "-patch"),
    ("pl", "-patch"),
    ("p", "-patch"),
];

/// A parsed version: its normal form.
#[derive(Debug, Clone)]
pub(super) struct Version(String);

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        normalize(text).map(Self)
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        version_compare(&self.0, &other.0)
    }
}

/// The normal form of a version.
fn normalize(text: &str) -> Option<String> {
    let mut text = text.trim();
    if let Some((version, flag)) = text.rsplit_once('@')
        && ["stable", "rc", "beta", "alpha", "dev"].iter().any(|word| flag.eq_ignore_ascii_case(word))
    {
        text = version;
    }
    if text.contains(|ch: char| ch.is_whitespace() || ch == ',') || text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("dev-")) {
        return None;
    }
    if let Some((version, metadata)) = text.split_once('+')
        && !version.is_empty()
        && !metadata.is_empty()
    {
        text = version;
    }
    let plain = text.strip_prefix(['v', 'V']).unwrap_or(text);
    classical(plain).or_else(|| dated(plain)).or_else(|| branch(text))
}

/// `1.2.3.4` and its beginnings, with modifiers.
fn classical(text: &str) -> Option<String> {
    let (first, mut rest) = leading_digits(text);
    if !(1..=MAX_FIRST).contains(&first.len()) {
        return None;
    }
    let mut normal = String::with_capacity(text.len() + 12);
    normal.push_str(first);
    for _ in 1..MAX_NUMBERS {
        match rest.strip_prefix('.').map(leading_digits) {
            Some((number, after)) if !number.is_empty() => {
                normal.push('.');
                normal.push_str(number);
                rest = after;
            }
            _ => normal.push_str(".0"),
        }
    }
    modifiers(rest, &mut normal).then_some(normal)
}

/// `2010.01.02`, `20100102-203040` and the like, with modifiers: a year of four digits, one to six pairs of digits, and one to three digits more.
fn dated(text: &str) -> Option<String> {
    let year = text.get(..4).filter(|year| digits::are_all(year))?;
    let mut normal = String::with_capacity(text.len() + 12);
    normal.push_str(year);
    let mut rest = text.get(4..)?;
    let mut pairs = 0;
    while pairs < 6
        && let Some((group, after)) = date_group(rest, 2)
    {
        push_group(&mut normal, rest, group);
        rest = after;
        pairs += 1;
    }
    // What is left over after the pairs may be one group more, as long as the modifiers still fit behind it.
    for length in [3, 2, 1] {
        if let Some((group, after)) = date_group(rest, length) {
            let mut longer = normal.clone();
            push_group(&mut longer, rest, group);
            if modifiers(after, &mut longer) {
                return (pairs > 0).then_some(longer);
            }
        }
    }
    (pairs > 0 && modifiers(rest, &mut normal)).then_some(normal)
}

/// A group of so many digits behind at most one separator.
fn date_group(rest: &str, length: usize) -> Option<(&str, &str)> {
    let digits_on = rest.strip_prefix(['.', ':', '-']).unwrap_or(rest);
    let (group, after) = digits_on.split_at_checked(length)?;
    digits::are_all(group).then_some((group, after))
}

/// Separators become dots; groups that touch stay together.
fn push_group(normal: &mut String, rest: &str, group: &str) {
    if rest.starts_with(['.', ':', '-']) {
        normal.push('.');
    }
    normal.push_str(group);
}

/// Reads `[._-][stability[numbers]][[.-]dev]` to the end and puts it in normal form behind what is there; false when anything is left over.
fn modifiers(rest: &str, normal: &mut String) -> bool {
    let mut rest = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
    if let Some((word, name)) = STABILITIES.iter().find(|(word, _)| starts_with(rest, word)) {
        let numbers = rest.get(word.len()..).unwrap_or_default();
        let mut after = numbers;
        loop {
            let (number, behind) = leading_digits(after.strip_prefix(['.', '-']).unwrap_or(after));
            if number.is_empty() {
                break;
            }
            after = behind;
        }
        let numbers = numbers.get(..numbers.len() - after.len()).unwrap_or_default();
        rest = after;
        if name.is_empty() {
            // A stable version is nothing else, whatever follows the word.
            return rest.is_empty() || is_dev(rest);
        }
        normal.push_str(name);
        normal.push_str(numbers.trim_start_matches(['.', '-']));
    }
    if rest.is_empty() {
        return true;
    }
    if is_dev(rest) {
        normal.push_str("-dev");
        return true;
    }
    false
}

/// `1.x-dev` and the like: a numeric branch.
fn branch(text: &str) -> Option<String> {
    let at = text.len().checked_sub(3)?;
    let (name, dev) = text.split_at_checked(at)?;
    if !dev.eq_ignore_ascii_case("dev") {
        return None;
    }
    let name = name.strip_suffix(['.', '-']).unwrap_or(name).trim();
    let name = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let mut parts = name.split('.');
    let mut normal = parts.next().filter(|first| digits::are_all(first))?.to_owned();
    for _ in 1..MAX_NUMBERS {
        normal.push('.');
        normal.push_str(match parts.next() {
            None | Some("x" | "X" | "*") => ANY,
            Some(number) if digits::are_all(number) => number,
            Some(_) => return None,
        });
    }
    normal.push_str("-dev");
    parts.next().is_none().then_some(normal)
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at_checked(text.bytes().take_while(u8::is_ascii_digit).count()).unwrap_or((text, ""))
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn is_dev(rest: &str) -> bool {
    rest.strip_prefix(['.', '-']).unwrap_or(rest).eq_ignore_ascii_case("dev")
}

/// PHP's `version_compare` (<https://www.php.net/manual/en/function.version-compare.php>), with numbers of any length.
pub(super) fn version_compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Parts(a.as_bytes()), Parts(b.as_bytes()));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            // The end is a place of its own: above pre-releases, below numbers and patches.
            (x, None) => x.map_or(0, place).cmp(&END),
            (None, y) => END.cmp(&y.map_or(0, place)),
            (Some(x), Some(y)) => match (x.first().is_some_and(u8::is_ascii_digit), y.first().is_some_and(u8::is_ascii_digit)) {
                (true, true) => digits::compare(x, y),
                _ => place(x).cmp(&place(y)),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

const END: u8 = 5;

/// Where a part stands among parts that are not both numbers: any other word, dev, alpha, beta, RC, the end, a number, a patch. Only how a word
/// begins counts, and only RC may be written large.
fn place(part: &[u8]) -> u8 {
    const WORDS: [(&str, u8); 6] = [("dev", 1), ("a", 2), ("b", 3), ("RC", 4), ("rc", 4), ("p", 7)];
    if part.first().is_some_and(u8::is_ascii_digit) {
        return 6;
    }
    WORDS.iter().find(|(word, _)| part.starts_with(word.as_bytes())).map_or(0, |(_, place)| *place)
}

/// The parts of a text: runs of digits, and runs of letters.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(u8::is_ascii_alphanumeric)?;
        let rest = self.0.get(start..)?;
        let number = rest.first()?.is_ascii_digit();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() && byte.is_ascii_digit() == number).count();
        let (part, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms() {
        for (text, normal) in [
            ("v1", "1.0.0.0"),
            ("1.2.3.4", "1.2.3.4"),
            (" V1.2+x.y ", "1.2.0.0"),
            ("1.0b2.1", "1.0.0.0-beta2.1"),
            ("1.0-rc.1", "1.0.0.0-RC1"),
            ("1.0.0-PL3", "1.0.0.0-patch3"),
            ("1.0-alpha-dev", "1.0.0.0-alpha-dev"),
            ("1.0.", "1.0.0.0"),
            ("1.0-stable2", "1.0.0.0"),
            ("1.0-stable-dev", "1.0.0.0"),
            ("1.0@RC", "1.0.0.0"),
            ("2.x-dev", "2.9999999.9999999.9999999-dev"),
            ("v2.1.*.dev", "2.1.9999999.9999999-dev"),
            ("20100102-203040", "20100102.203040"),
            ("2010-01-02.5", "2010.01.02.5"),
            ("2010-01-02-rc1", "2010.01.02-RC1"),
        ] {
            assert_eq!(normalize(text).as_deref(), Some(normal), "{text}");
        }
    }

    #[test]
    fn normal_forms_decide_and_not_the_texts() {
        use Ordering::{Equal, Greater, Less};
        // The first order is the one of `version_compare` over the texts.
        for (a, b, over_texts, ours) in [
            ("2.0", "2.0.0", Less, Equal),
            ("v2.5", "v2.5.0-beta", Less, Greater),
            ("v1.4-ALPHA2", "v1.4-BETA2", Equal, Less),
            ("v3.1pl2", "3.1-dev", Less, Greater),
        ] {
            assert_eq!(version_compare(a, b), over_texts, "{a} {b}");
            assert_eq!(Version::parse(a).unwrap().compare(&Version::parse(b).unwrap()), ours, "{a} {b}");
        }
    }
}
