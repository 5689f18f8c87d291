//! rpm: the order of librpm's labels, `[epoch:]version[-release]` (<https://rpm-software-management.github.io/rpm/man/rpm-version.7>).
//! A missing epoch is 0.

use std::cmp::Ordering;

/// A parsed label.
#[derive(Debug, Clone)]
pub(super) struct Version {
    epoch: Option<String>,
    version: String,
    release: Option<String>,
}

impl Version {
    /// Parses a label; only an empty text, or one that holds blanks or control characters, is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().any(|ch| ch.is_whitespace() || ch.is_control()) {
            return None;
        }
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some(if epoch.is_empty() { "0" } else { epoch }), rest)
            }
            _ => (None, text),
        };
        let (version, release) = rest.rsplit_once('-').map_or((rest, None), |(version, release)| (version, Some(release)));
        Some(Self { epoch: epoch.map(str::to_owned), version: version.to_owned(), release: release.map(str::to_owned) })
    }

    /// Compares two labels.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let epoch = |label: &Self| label.epoch.clone().unwrap_or_else(|| "0".to_owned());
        segments(&epoch(self), &epoch(other)).then_with(|| segments(&self.version, &other.version)).then_with(|| {
            match (&self.release, &other.release) {
                (Some(a), Some(b)) => segments(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            }
        })
    }
}

/// librpm's `rpmvercmp`.
fn segments(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        a = without_separators(a);
        b = without_separators(b);
        match (a.strip_prefix(b"~"), b.strip_prefix(b"~")) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix(b"^"), b.strip_prefix(b"^")) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            // The caret is above the bare version and below any longer one.
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        let (Some(first), false) = (a.first(), b.is_empty()) else { break };
        let numeric = first.is_ascii_digit();
        let of_kind = |byte: &u8| if numeric { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
        let (x, rest_a) = split(a, of_kind);
        let (y, rest_b) = split(b, of_kind);
        if y.is_empty() {
            // Numbers are newer than letters.
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let order = if numeric {
            let (x, y) = (without_zeros(x), without_zeros(y));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    (!a.is_empty()).cmp(&!b.is_empty())
}

fn without_separators(text: &[u8]) -> &[u8] {
    split(text, |byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^')).1
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    split(digits, |byte| *byte == b'0').1
}

fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| belongs(byte)).count())
}
