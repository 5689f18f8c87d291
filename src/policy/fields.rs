//! Values of a policy file in, checked Rust values out; everything that does not fit is an error at its line and column.

use jiff::civil::Date;

use crate::{
    model::{
        policy::{Comparison, Worth},
        severity::Severity,
    },
    policy::{
        Error, Place,
        yaml::{Node, Value},
    },
};

/// Longest single text of a policy, keys aside.
const MAX_TEXT: usize = 16 * 1024;

/// The keys of one map: those that are judged, and those that the full format has but this version refuses.
pub(super) struct Keys {
    /// Keys that are read.
    pub(super) known: &'static [&'static str],
    /// Keys of the full format that are refused by name.
    pub(super) later: &'static [&'static str],
}

/// A map whose keys have been checked.
pub(super) struct Fields<'n> {
    /// Where the map begins.
    pub(super) place: &'n Place,
    entries: &'n [(Node, String, Node)],
}

impl<'n> Fields<'n> {
    /// Checks that `node` is a map with no keys but `keys`; `what` names it in messages.
    pub(super) fn of(node: &'n Node, what: &str, keys: &Keys) -> Result<Self, Error> {
        let entries = map(node, what)?;
        for (key, name, _) in entries {
            if keys.later.contains(&name.as_str()) {
                return Err(Error::NotSupported { place: key.place.clone(), key: name.clone() });
            }
            if !keys.known.contains(&name.as_str()) {
                return Err(unknown(&key.place, &format!("unknown key `{name}` in {what}"), name, keys.known.iter().copied()));
            }
        }
        Ok(Self { place: &node.place, entries })
    }

    /// The value of `key`; a key without a value is an error, so that a forgotten value never means "default".
    pub(super) fn get(&self, key: &str) -> Result<Option<&'n Node>, Error> {
        match self.entries.iter().find(|(_, name, _)| name == key) {
            Some((at, _, node)) if node.value == Value::Null => Err(Error::at(at.place.clone(), format!("`{key}` has no value"))),
            Some((_, _, node)) => Ok(Some(node)),
            None => Ok(None),
        }
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str, what: &str) -> Result<&'n Node, Error> {
        self.get(key)?.ok_or_else(|| Error::at(self.place.clone(), format!("{what} needs `{key}`")))
    }

    /// Reads the value of `key` with `read`, when the key is there.
    pub(super) fn read<T>(&self, key: &str, read: impl FnOnce(&'n Node) -> Result<T, Error>) -> Result<Option<T>, Error> {
        self.get(key)?.map(read).transpose()
    }

    /// Reads a list under `key`; no key is no item.
    pub(super) fn read_list<T>(&self, key: &str, read: impl FnMut(&'n Node) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.get(key)?.map_or_else(|| Ok(Vec::new()), |node| list(node)?.iter().map(read).collect())
    }
}

/// The first of the names that are nearest to a written one, if it is near enough to be what was meant.
pub fn nearest<'k>(written: &str, existing: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let named = existing.into_iter().map(|name| (edit_distance(written, name), name));
    let (distance, name) = named.min_by_key(|(distance, _)| *distance)?;
    (distance <= written.chars().count().max(3) / 2).then_some(name)
}

/// An error that names the nearest of `existing`.
pub(super) fn unknown<'k>(place: &Place, message: &str, written: &str, existing: impl Iterator<Item = &'k str>) -> Error {
    let all: Vec<&str> = existing.collect();
    let error = Error::at(place.clone(), message);
    match nearest(written, all.iter().copied()) {
        Some(name) => error.advise(format!("did you mean `{name}`?")),
        None => error.advise(format!("possible here: {}", all.join(", "))),
    }
}

/// The entries of a map.
pub(super) fn map<'n>(node: &'n Node, what: &str) -> Result<&'n [(Node, String, Node)], Error> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        _ => Err(Error::at(node.place.clone(), format!("{what} must be a map, not {}", node.describe()))),
    }
}

/// The items of a list.
pub(super) fn list(node: &Node) -> Result<&[Node], Error> {
    match &node.value {
        Value::List(items) => Ok(items),
        _ => Err(Error::at(node.place.clone(), format!("this must be a list, not {}", node.describe()))),
    }
}

/// One item or a list of items.
pub(super) fn one_or_many<T>(node: &Node, mut read: impl FnMut(&Node) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    match &node.value {
        Value::List(items) if items.is_empty() => Err(Error::at(node.place.clone(), "this list must not be empty")),
        Value::List(items) => items.iter().map(read).collect(),
        _ => Ok(vec![read(node)?]),
    }
}

/// A text that is not blank. Numbers and words like `true` must be quoted, so that a text never changes under another YAML reader.
pub(super) fn text(node: &Node) -> Result<String, Error> {
    let text = scalar(node)?;
    if matches!(&node.value, Value::Scalar { plain: true, .. }) && is_number_or_bool(text) {
        return Err(Error::at(node.place.clone(), format!("`{text}` must be a text")).advise(format!("put it in quotes: \"{text}\"")));
    }
    if text.trim().is_empty() {
        return Err(Error::at(node.place.clone(), "this text must not be empty"));
    }
    if text.len() > MAX_TEXT {
        return Err(Error::at(node.place.clone(), format!("this text is longer than {MAX_TEXT} bytes")));
    }
    Ok(text.to_owned())
}

/// One of `words`.
pub(super) fn word<T: Copy>(node: &Node, what: &str, words: &[(&'static str, T)]) -> Result<T, Error> {
    let written = scalar(node)?;
    words
        .iter()
        .find_map(|(name, value)| (*name == written).then_some(*value))
        .ok_or_else(|| unknown(&node.place, &format!("`{written}` is no {what}"), written, words.iter().map(|(name, _)| *name)))
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node) -> Result<bool, Error> {
    match &node.value {
        Value::Scalar { text, plain: true } if text == "true" => Ok(true),
        Value::Scalar { text, plain: true } if text == "false" => Ok(false),
        _ => Err(Error::at(node.place.clone(), "this must be true or false")),
    }
}

/// A whole number from 0 to `most`.
pub(super) fn number(node: &Node, most: u64) -> Result<u64, Error> {
    let wrong = || Error::at(node.place.clone(), format!("this must be a whole number from 0 to {most}"));
    match &node.value {
        Value::Scalar { text, plain: true } if text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0')) => {
            text.parse().ok().filter(|n| *n <= most).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// A date that exists, as `YYYY-MM-DD`.
pub(super) fn date(node: &Node) -> Result<Date, Error> {
    let text = scalar(node)?;
    let shape = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    let date = if shape { text.parse().ok() } else { None };
    date.ok_or_else(|| Error::at(node.place.clone(), format!("`{text}` is no date that exists")).advise("write YYYY-MM-DD"))
}

/// A duration in seconds, as `12h`, `7d` or `2w`.
pub(super) fn seconds(node: &Node) -> Result<i64, Error> {
    let text = scalar(node)?;
    let wrong =
        || Error::at(node.place.clone(), format!("`{text}` is no duration")).advise("write a whole number and a unit: 12h, 7d or 2w");
    let unit = match text.chars().last() {
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some('w') => 604_800,
        _ => return Err(wrong()),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse::<i64>().map(|n| n * unit).map_err(|_| wrong())
}

/// A duration of whole days, in days.
pub(super) fn days(node: &Node) -> Result<i64, Error> {
    let hours = scalar(node)?.ends_with('h');
    let seconds = seconds(node)?;
    if hours {
        Err(Error::at(node.place.clone(), "this must be a whole number of days").advise("write 14d or 2w"))
    } else {
        Ok(seconds / 86_400)
    }
}

/// `ignore`, `warn` or `fail`.
pub(super) fn worth(node: &Node) -> Result<Worth, Error> {
    word(node, "worth", &[("fail", Worth::Fail), ("warn", Worth::Warn), ("ignore", Worth::Ignore)])
}

/// A severity from `negligible` to `critical`.
pub(super) fn severity(node: &Node) -> Result<Severity, Error> {
    word(node, "severity", &SEVERITIES)
}

/// `">= high"` or `high`.
pub(super) fn severity_comparison(node: &Node) -> Result<(Comparison, Severity), Error> {
    let (comparison, rest) = comparison(node)?;
    let found = SEVERITIES.iter().find_map(|(name, value)| (*name == rest).then_some(*value));
    let found =
        found.ok_or_else(|| unknown(&node.place, &format!("`{rest}` is no severity"), rest, SEVERITIES.iter().map(|(name, _)| *name)))?;
    Ok((comparison, found))
}

/// `">= 0.5"`, a probability in millionths.
pub(super) fn probability_comparison(node: &Node) -> Result<(Comparison, u32), Error> {
    let (comparison, rest) = comparison(node)?;
    let wrong = || {
        Error::at(node.place.clone(), format!("`{rest}` is no probability"))
            .advise("write a number from 0 to 1 with at most six decimals, e.g. \">= 0.5\"")
    };
    let (whole, decimals) = rest.split_once('.').unwrap_or((rest, ""));
    let dangling = rest.ends_with('.');
    if dangling || !matches!(whole, "0" | "1") || decimals.len() > 6 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let millionths = format!("{whole}{decimals:0<6}").parse::<u32>().map_err(|_| wrong())?;
    if millionths > 1_000_000 { Err(wrong()) } else { Ok((comparison, millionths)) }
}

/// `">= 2"`, a small count.
pub(super) fn count_comparison(node: &Node) -> Result<(Comparison, u32), Error> {
    let (comparison, rest) = comparison(node)?;
    let good = !rest.is_empty() && rest.len() <= 2 && rest.bytes().all(|b| b.is_ascii_digit());
    let count = if good { rest.parse().ok() } else { None };
    count
        .map(|count| (comparison, count))
        .ok_or_else(|| Error::at(node.place.clone(), format!("`{rest}` is no count")).advise("write e.g. \">= 2\""))
}

const SEVERITIES: [(&str, Severity); 5] = [
    ("negligible", Severity::Negligible),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

fn comparison(node: &Node) -> Result<(Comparison, &str), Error> {
    let text = scalar(node)?;
    // A bare number would mean "exactly", which hardly anybody wants to say.
    if matches!(&node.value, Value::Scalar { plain: true, .. }) && is_number_or_bool(text) {
        return Err(Error::at(node.place.clone(), format!("`{text}` has no comparison")).advise(format!("write \">= {text}\"")));
    }
    for (sign, comparison) in [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::Above),
        ("<", Comparison::Below),
        ("=", Comparison::Equal),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return Ok((comparison, rest.trim_start_matches(' ')));
        }
    }
    Ok((Comparison::Equal, text))
}

/// The text of any scalar.
pub(super) fn scalar(node: &Node) -> Result<&str, Error> {
    match &node.value {
        Value::Scalar { text, .. } => Ok(text),
        _ => Err(Error::at(node.place.clone(), format!("this must be a single value, not {}", node.describe()))),
    }
}

/// Whether a plain scalar is a number or truth value in YAML's core schema.
pub(super) fn is_number_or_bool(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        || (text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) && text.parse::<f64>().is_ok())
}

/// Levenshtein distance; keys are short, longer input is cut.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1) + 1;
            let before = next.last().copied().unwrap_or(usize::MAX - 1) + 1;
            let diagonal = row.get(j).copied().unwrap_or(usize::MAX - 1) + usize::from(a != *b);
            next.push(above.min(before).min(diagonal));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::yaml::parse;

    fn node(text: &str) -> Node {
        parse("p", text).expect("yaml")
    }

    #[test]
    fn units_and_dates_are_strict() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(seconds(&node(text)).ok(), expected, "{text}");
        check("12h", Some(43_200));
        check("7d", Some(604_800));
        check("2w", Some(1_209_600));
        for wrong in ["7", "7 d", "7m", "-7d", "1.5d", "d", "7D", "999999d"] {
            check(wrong, None);
        }
        assert!(date(&node("2026-02-28")).is_ok());
        for wrong in ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z", "tomorrow"] {
            assert!(date(&node(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn comparisons_are_strict() {
        let check =
            |text: &str, expected: Option<(Comparison, u32)>| assert_eq!(probability_comparison(&node(text)).ok(), expected, "{text}");
        check("'>= 0.5'", Some((Comparison::AtLeast, 500_000)));
        check("'< 1'", Some((Comparison::Below, 1_000_000)));
        check("'0.000001'", Some((Comparison::Equal, 1)));
        for wrong in ["'>= 50%'", "'>= 1.1'", "'>= .5'", "'>= 0.'", "'=> 0.5'", "'>= 0.0000001'"] {
            check(wrong, None);
        }
        assert_eq!(severity_comparison(&node("'>= high'")).ok(), Some((Comparison::AtLeast, Severity::High)));
        assert!(severity_comparison(&node("'>= unknown'")).is_err());
    }

    #[test]
    fn the_nearest_word_is_named() {
        let error = word(&node("enforse"), "mode", &[("enforce", 1), ("audit", 2)]).expect_err("wrong word");
        assert_eq!(error.hint().as_deref(), Some("did you mean `enforce`?"));
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
