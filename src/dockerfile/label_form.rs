//! The value of a label in, whether it has the form that is asked of it out. References: RFC 3986 (URI), RFC 3339 (times),
//! <https://semver.org/spec/v2.0.0.html>, RFC 5322 `addr-spec` (addresses), `crate::model::licence` (SPDX).

use super::source::slice;
use crate::model::{licence, lint::LabelForm};

/// Longest address, as RFC 5321 has it.
const LONGEST_ADDRESS: usize = 254;

/// Whether a value has a form.
pub(super) fn has(form: LabelForm, value: &str) -> bool {
    match form {
        LabelForm::Text => true,
        LabelForm::Url => is_uri(value),
        LabelForm::Rfc3339 => is_time(value),
        LabelForm::Spdx => licence::is_expression(value),
        LabelForm::GitHash => matches!(value.len(), 7 | 40 | 64) && value.bytes().all(|b| b.is_ascii_hexdigit()),
        LabelForm::Semver => is_semver(value),
        LabelForm::Email => is_address(value),
    }
}

/// A scheme, a colon, and only the characters that a URI may have.
fn is_uri(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once(':') else { return false };
    let named =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    let escapes_hold = rest.match_indices('%').all(|(at, _)| {
        let digits = slice(rest, at + 1..at + 3);
        digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit())
    });
    let has_host = rest
        .strip_prefix("//")
        .is_none_or(|rest| scheme.eq_ignore_ascii_case("file") || !rest.starts_with(['/', '?', '#']) && !rest.is_empty());
    named && !rest.is_empty() && rest.bytes().all(legal) && rest.matches('#').count() <= 1 && escapes_hold && has_host
}

/// A date, `T`, a time with seconds, and an offset; a leap second is legal.
fn is_time(value: &str) -> bool {
    let number = |from: usize, to: usize| {
        let digits = value.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let sign = |at: usize, signs: &str| value.get(at..at + 1).is_some_and(|c| signs.contains(c));
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19)) else { return false };
    let signs = sign(4, "-") && sign(7, "-") && sign(10, "Tt") && sign(13, ":") && sign(16, ":");
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let tail = value.get(19..).unwrap_or_default();
    let offset = match tail.strip_prefix('.') {
        Some(fraction) => {
            let end = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if end == 0 {
                return false;
            }
            slice(fraction, end..fraction.len())
        }
        None => tail,
    };
    signs && (1..=days).contains(&day) && hour < 24 && minute < 60 && second <= 60 && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    if matches!(text, "Z" | "z") {
        return true;
    }
    let Some((hours, minutes)) = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) else { return false };
    let below =
        |text: &str, most: u32| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) && text.parse().is_ok_and(|n: u32| n < most);
    below(hours, 24) && below(minutes, 60)
}

/// Three numbers, then perhaps a pre-release and a build, each of parts with dots between.
fn is_semver(value: &str) -> bool {
    let (rest, build) = value.split_once('+').map_or((value, None), |(rest, build)| (rest, Some(build)));
    let (core, release) = rest.split_once('-').map_or((rest, None), |(core, release)| (core, Some(release)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let is_part = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_release = |text: &str| is_part(text) && (is_number(text) || text.bytes().any(|b| !b.is_ascii_digit()));
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && release.is_none_or(|text| text.split('.').all(is_release))
        && build.is_none_or(|text| text.split('.').all(is_part))
}

/// An `addr-spec`: no name beside it, no comments.
fn is_address(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_dotted = |text: &str| text.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_quoted = quoted.is_some_and(|inside| {
        let mut bytes = inside.bytes();
        while let Some(b) = bytes.next() {
            let legal =
                if b == b'\\' { bytes.next().is_some_and(|b| (b' '..=b'~').contains(&b)) } else { (b' '..=b'~').contains(&b) && b != b'"' };
            if !legal {
                return false;
            }
        }
        true
    });
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_literal =
        literal.is_some_and(|text| !text.is_empty() && text.bytes().all(|b| (b'!'..=b'~').contains(&b) && !b"[]\\".contains(&b)));
    let label = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !text.starts_with('-') && !text.ends_with('-')
    };
    value.len() <= LONGEST_ADDRESS && (is_dotted(local) || is_quoted) && (is_literal || domain.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_by_their_form() {
        let good = [
            (LabelForm::Text, "anything"),
            (LabelForm::Url, "https://example.org/a?b=c#d"),
            (LabelForm::Url, "mailto:a@example.org"),
            (LabelForm::Url, "file:///a%20b"),
            (LabelForm::Url, "https://[2001:db8::1]:8080/"),
            (LabelForm::Rfc3339, "2026-11-23T04:05:06Z"),
            (LabelForm::Rfc3339, "2026-11-23t04:05:06.123z"),
            (LabelForm::Rfc3339, "2016-12-31T23:59:60+00:00"),
            (LabelForm::Rfc3339, "2024-02-29T00:00:00-07:30"),
            (LabelForm::Spdx, "MIT"),
            (LabelForm::Spdx, "apache-2.0"),
            (LabelForm::Spdx, "(MIT OR Apache-2.0) AND BSD-3-Clause"),
            (LabelForm::Spdx, "GPL-2.0-or-later WITH Classpath-exception-2.0"),
            (LabelForm::Spdx, "LicenseRef-acme"),
            (LabelForm::GitHash, "1a2b3c4"),
            (LabelForm::GitHash, "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"),
            (LabelForm::GitHash, "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d1a2b"),
            (LabelForm::Semver, "1.0.0"),
            (LabelForm::Semver, "1.2.3-rc.1+build.05"),
            (LabelForm::Semver, "0.0.0-0a"),
            (LabelForm::Email, "a.b+c@example.org"),
            (LabelForm::Email, "\"a b\"@example.org"),
            (LabelForm::Email, "a@[192.0.2.1]"),
        ];
        let bad = [
            (LabelForm::Url, "example.org"),
            (LabelForm::Url, "https:"),
            (LabelForm::Url, "https://"),
            (LabelForm::Url, "https:///x"),
            (LabelForm::Url, "1http://x"),
            (LabelForm::Url, "https://a b"),
            (LabelForm::Url, "https://a/%2"),
            (LabelForm::Url, "https://a/#b#c"),
            (LabelForm::Rfc3339, "2026-11-23"),
            (LabelForm::Rfc3339, "2026-11-23 04:05:06Z"),
            (LabelForm::Rfc3339, "2026-11-23T04:05:06"),
            (LabelForm::Rfc3339, "2026-02-29T00:00:00Z"),
            (LabelForm::Rfc3339, "2026-13-01T00:00:00Z"),
            (LabelForm::Rfc3339, "2026-11-23T24:00:00Z"),
            (LabelForm::Rfc3339, "2026-11-23T04:05:06.Z"),
            (LabelForm::Rfc3339, "2026-11-23T04:05:06+0100"),
            (LabelForm::Rfc3339, "2026-11-2éT04:05:06Z"),
            (LabelForm::Spdx, "MIT License"),
            (LabelForm::Spdx, "MIT OR"),
            (LabelForm::Spdx, "GPLv3"),
            (LabelForm::GitHash, "1a2b3c"),
            (LabelForm::GitHash, "main123"),
            (LabelForm::Semver, "v1.0.0"),
            (LabelForm::Semver, "1.0"),
            (LabelForm::Semver, "01.0.0"),
            (LabelForm::Semver, "1.0.0-01"),
            (LabelForm::Semver, "1.0.0-"),
            (LabelForm::Semver, "1.0.0+"),
            (LabelForm::Email, "Jane <jane@example.org>"),
            (LabelForm::Email, "jane"),
            (LabelForm::Email, "a..b@example.org"),
            (LabelForm::Email, "a@-x.org"),
            (LabelForm::Email, "a b@example.org"),
        ];
        assert_eq!(good.iter().filter(|(form, value)| !has(*form, value)).collect::<Vec<_>>(), Vec::<&(LabelForm, &str)>::new());
        assert_eq!(bad.iter().filter(|(form, value)| has(*form, value)).collect::<Vec<_>>(), Vec::<&(LabelForm, &str)>::new());
    }
}
