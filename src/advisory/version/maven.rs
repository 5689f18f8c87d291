//! Maven: the order of `ComparableVersion` (<https://maven.apache.org/pom.html#version-order-specification>).
//!
//! A version is a list of numbers and words; a dash, and every change between digits and letters, opens a list inside the list, which is always
//! its last item. So `1.0-rc2-beta` is `[1, 0, [rc, [2, [beta]]]]`. Items at the end that say nothing (0, `final`) go. Lists compare item by item:
//! words are below lists, lists below numbers, and each is above or below the end of the other list by what it says.
//!
//! That tool's order is no order for some texts: by it `1` < `1.sp.1` < `1-alpha` < `1`. Here, what is below the end of the other list is below
//! what is above it, and only then does the kind of an item count. That breaks the circles, and keeps every recorded answer of the tool.

use std::{cmp::Ordering, ops::Range};

use super::digits;

/// A parsed version.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// The text in lower case, for the items that point into it.
    text: Box<str>,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A number.
    Number(Range<u16>),
    /// A word, by its place among the known ones; all others have the last place.
    Word(u8, Range<u16>),
    /// Everything after this is in a list of its own.
    Open,
}

impl Item {
    /// The place of the kind among the kinds.
    const fn kind(&self) -> u8 {
        match self {
            Self::Word(..) => 0,
            Self::Open => 1,
            Self::Number(_) => 2,
        }
    }
}

/// The known words in their order. The empty one is a release.
const WORDS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE: u8 = 5;
const OTHER: u8 = 7;

impl Version {
    /// Parses a version. The tool takes every text for one; empty ones, ones that hold other than printable ASCII, and properties that nobody
    /// filled in (`${revision}`) say nothing about a release.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains("${") {
            return None;
        }
        let text = text.to_ascii_lowercase().into_boxed_str();
        let items = items(&text);
        Some(Self { text, items })
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        List { text: self.text.as_bytes(), items: &self.items }.compare(List { text: other.text.as_bytes(), items: &other.items })
    }
}

/// Cuts a text in lower case into items and drops those that say nothing.
fn items(text: &str) -> Vec<Item> {
    let bytes = text.as_bytes();
    let mut reader = Reader { bytes, items: Vec::with_capacity(8), at_start: true };
    let mut start = 0;
    let mut in_digits = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'.' | b'-' => {
                reader.item(start, at, in_digits);
                if *byte == b'-' {
                    reader.open();
                }
                start = at + 1;
            }
            b'0'..=b'9' => {
                if !in_digits && at > start {
                    reader.word_before_digits(start, at);
                    start = at;
                }
                in_digits = true;
            }
            _ => {
                if in_digits && at > start {
                    reader.number(start, at);
                    reader.open();
                    start = at;
                }
                in_digits = false;
            }
        }
    }
    if bytes.len() > start {
        // The last word means the same after a dot as after a dash.
        if !in_digits {
            reader.open_unless_at_start();
        }
        reader.item(start, bytes.len(), in_digits);
    }
    trim(&mut reader.items, bytes);
    reader.items
}

struct Reader<'a> {
    bytes: &'a [u8],
    items: Vec<Item>,
    /// The list that is open has no item yet.
    at_start: bool,
}

impl Reader<'_> {
    /// Takes what stands before a separator or the end.
    fn item(&mut self, start: usize, end: usize, in_digits: bool) {
        if in_digits || start == end {
            self.number(start, end);
        } else {
            self.push(self.word(start, end, false));
        }
    }

    fn word_before_digits(&mut self, start: usize, end: usize) {
        self.open_unless_at_start();
        self.push(self.word(start, end, true));
        self.open();
    }

    /// Takes digits; none are 0.
    fn number(&mut self, start: usize, end: usize) {
        self.push(Item::Number(range(start, end)));
    }

    fn word(&self, start: usize, end: usize, before_digits: bool) -> Item {
        let word: &[u8] = match self.bytes.get(start..end).unwrap_or_default() {
            b"a" if before_digits => b"alpha",
            b"b" if before_digits => b"beta",
            b"m" if before_digits => b"milestone",
            b"ga" | b"final" | b"release" => b"",
            b"cr" => b"rc",
            word => word,
        };
        let place = WORDS.iter().position(|known| known.as_bytes() == word).and_then(|place| u8::try_from(place).ok());
        Item::Word(place.unwrap_or(OTHER), range(start, end))
    }

    fn push(&mut self, item: Item) {
        self.items.push(item);
        self.at_start = false;
    }

    fn open_unless_at_start(&mut self) {
        if !self.at_start {
            self.open();
        }
    }

    fn open(&mut self) {
        self.items.push(Item::Open);
        self.at_start = true;
    }
}

/// Texts are far shorter than the bound of the type.
fn range(start: usize, end: usize) -> Range<u16> {
    u16::try_from(start).unwrap_or(u16::MAX)..u16::try_from(end).unwrap_or(u16::MAX)
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u16>) -> &'a [u8] {
    bytes.get(usize::from(range.start)..usize::from(range.end)).unwrap_or_default()
}

/// Drops what says nothing at the end of each list: zeros, releases and empty lists.
fn trim(items: &mut Vec<Item>, bytes: &[u8]) {
    let mut at_end = true;
    for at in (0..items.len()).rev() {
        let Some(item) = items.get(at) else { return };
        if matches!(item, Item::Open) {
            at_end = true;
            // Nothing was kept behind it.
            if at + 1 == items.len() {
                items.truncate(at);
            }
        } else if at_end && says_nothing(item, bytes) {
            items.remove(at);
        } else {
            at_end = false;
        }
    }
}

fn says_nothing(item: &Item, bytes: &[u8]) -> bool {
    match item {
        Item::Number(at) => digits::are_zero(slice(bytes, at)),
        Item::Word(place, _) => *place == RELEASE,
        Item::Open => false,
    }
}

/// A list, or what is left of it.
#[derive(Clone, Copy)]
struct List<'a> {
    text: &'a [u8],
    items: &'a [Item],
}

impl List<'_> {
    fn compare(mut self, mut other: Self) -> Ordering {
        loop {
            let order = match (self.items.first(), other.items.first()) {
                (None, None) => return Ordering::Equal,
                (Some(_), None) => return self.against_nothing(),
                (None, Some(_)) => return other.against_nothing().reverse(),
                (Some(a), Some(b)) => match (a, b) {
                    (Item::Open, Item::Open) => Ordering::Equal,
                    (Item::Number(x), Item::Number(y)) => digits::compare(slice(self.text, x), slice(other.text, y)),
                    (Item::Word(OTHER, x), Item::Word(OTHER, y)) => slice(self.text, x).cmp(slice(other.text, y)),
                    (Item::Word(x, _), Item::Word(y, _)) => x.cmp(y),
                    (a, b) => return self.against_nothing().cmp(&other.against_nothing()).then(a.kind().cmp(&b.kind())),
                },
            };
            if order != Ordering::Equal {
                return order;
            }
            self.items = self.items.get(1..).unwrap_or_default();
            other.items = other.items.get(1..).unwrap_or_default();
        }
    }

    /// Whether what is left is above or below the end of a list.
    fn against_nothing(self) -> Ordering {
        let item = self.items.iter().find(|item| !matches!(item, Item::Open) && !says_nothing(item, self.text));
        match item {
            Some(Item::Word(place, _)) => place.cmp(&RELEASE),
            Some(_) => Ordering::Greater,
            None => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Version::parse(a).unwrap().compare(&Version::parse(b).unwrap())
    }

    #[test]
    fn what_the_tool_puts_in_a_circle_is_in_a_line() {
        for line in [["1-alpha", "1", "1.sp.1"], ["1.0.0.alpha.1", "1", "1-1"], ["1-0-alpha", "1", "1-sp"]] {
            for (a, b) in [(0, 1), (1, 2), (0, 2)] {
                assert_eq!(compare(line[a], line[b]), Ordering::Less, "{line:?}");
                assert_eq!(compare(line[b], line[a]), Ordering::Greater, "{line:?}");
            }
        }
    }

    #[test]
    fn items_that_say_nothing_go() {
        for text in ["1.0", "1-0", "1--", "1..", "1.0-0.0-final", "1.ga", "1-Final.0", "01"] {
            assert_eq!(compare(text, "1"), Ordering::Equal, "{text}");
        }
        for text in [".", "-", "0", "final", "...-"] {
            assert_eq!(compare(text, "0"), Ordering::Equal, "{text}");
        }
    }
}
