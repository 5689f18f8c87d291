//! JSON records of packages: bytes in, values out, with nesting, counts and the length of messages bounded. What does not matter is skipped while it
//! is read, so that it costs no memory. Specification: <https://www.rfc-editor.org/rfc/rfc8259>.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    inventory::{CatalogError, lockfile},
    layers::Limits,
};

/// Most entries of one object or list that are kept.
const ENTRIES: usize = 100_000;
/// How many texts of one list are kept.
const TEXTS: usize = 20;
/// Most characters of the reader's own words in a Gap, because it repeats what it read.
const WORDS: usize = 200;

/// Reads a whole record; `what` names its format in the error.
pub(super) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limits: &Limits, what: &str) -> Result<T, CatalogError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_deeper_than(bytes, limits.json_depth) {
        return Err(CatalogError(format!("JSON is nested deeper than the limit of {}", limits.json_depth)));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let words = lockfile::readable(&error.to_string(), WORDS);
        CatalogError(format!("is no readable {what}: {words}"))
    })
}

/// Counts open brackets outside strings, because the JSON reader skips unknown fields at any depth.
pub(super) fn is_deeper_than(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// A value as far as it matters in records of packages.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text.
    Text(String),
    /// The texts of a list, and the `type` of each object in it; of an object alone as well.
    Texts(Vec<String>),
    /// `true`.
    True,
    /// Anything else.
    Other,
}

impl Shape {
    /// The text, trimmed; `None` for an empty one and for anything else.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) if text.trim().len() == text.len() => Some(text).filter(|text| !text.is_empty()),
            Self::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// All texts in it.
    pub(super) fn into_texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Texts(texts) => texts,
            Self::True | Self::Other => Vec::new(),
        }
    }
}

/// The text of an optional value.
pub(super) fn text(value: Option<Shape>) -> Option<String> {
    value.and_then(Shape::into_text)
}

/// Licences out of the fields that may hold some, sorted.
pub(super) fn licences(fields: impl IntoIterator<Item = Option<Shape>>) -> Vec<String> {
    let mut licences: Vec<String> = fields.into_iter().flatten().flat_map(Shape::into_texts).filter(|text| !text.is_empty()).collect();
    licences.sort();
    licences.dedup();
    licences
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(if value { Shape::True } else { Shape::Other })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut texts = Vec::new();
        while texts.len() < TEXTS {
            let Some(shape) = list.next_element::<Shape>()? else { return Ok(Shape::Texts(texts)) };
            texts.extend(shape.into_texts());
        }
        texts.truncate(TEXTS);
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Shape::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Shape, A::Error> {
        let mut texts = Vec::new();
        while let Some(key) = object.next_key::<String>()? {
            if key == "type" && texts.is_empty() {
                if let Shape::Text(text) = object.next_value::<Shape>()? {
                    texts.push(text);
                }
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Shape::Texts(texts))
    }
}

/// The entries of an object, or the elements of a list with empty names, in their order: PHP writes an empty object as a list.
#[derive(Debug)]
pub(super) struct Entries<T> {
    /// Name and value of each.
    pub items: Vec<(String, T)>,
    /// Whether there are more than are kept.
    pub is_cut: bool,
}

impl<T> Entries<T> {
    /// Words for a Gap when there are more than are kept.
    pub(super) fn cut(&self) -> Option<String> {
        self.is_cut.then(|| format!("has more than the limit of {ENTRIES} entries; the others were not read"))
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_cut: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or a list")
    }

    fn visit_unit<E>(self) -> Result<Entries<T>, E> {
        Ok(Entries::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Entries::default();
        while entries.items.len() < ENTRIES {
            let Some(value) = list.next_element()? else { return Ok(entries) };
            entries.items.push((String::new(), value));
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            entries.is_cut = true;
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Entries::default();
        while entries.items.len() < ENTRIES {
            let Some(entry) = object.next_entry()? else { return Ok(entries) };
            entries.items.push(entry);
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            entries.is_cut = true;
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_keep_what_matters() {
        let check = |json: &str, expected: Shape| assert_eq!(parse::<Shape>(json.as_bytes(), &Limits::default(), "x").unwrap(), expected);
        check("\u{feff}\"a\"", Shape::Text("a".to_owned()));
        check(r#"["a",{"type":"b","c":[1]},null,1.5,-1]"#, Shape::Texts(vec!["a".to_owned(), "b".to_owned()]));
        check("true", Shape::True);
        check("{}", Shape::Texts(Vec::new()));
        check("false", Shape::Other);
        assert_eq!(Shape::Text(" a ".to_owned()).into_text().as_deref(), Some("a"));
        assert_eq!(Shape::Text(" ".to_owned()).into_text(), None);
    }

    #[test]
    fn entries_are_those_of_objects_and_lists() {
        let check = |json: &str, expected: &[&str], cut: bool| {
            let entries: Entries<Shape> = parse(json.as_bytes(), &Limits::default(), "x").unwrap();
            assert_eq!(entries.items.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), expected);
            assert_eq!(entries.is_cut, cut);
        };
        check(r#"{"b":1,"a":2,"b":3}"#, &["b", "a", "b"], false);
        check("[]", &[], false);
        check("null", &[], false);
        check("[1,2]", &["", ""], false);
        let many = format!("[{}0]", "0,".repeat(ENTRIES));
        let entries: Entries<Shape> = parse(many.as_bytes(), &Limits::default(), "x").unwrap();
        assert!(entries.is_cut && entries.cut().is_some() && entries.items.len() == ENTRIES);
    }

    #[test]
    fn messages_and_depth_are_bounded() {
        let long = format!("{{\"a\":\"{}\"", "x".repeat(10_000));
        assert!(parse::<Entries<u8>>(long.as_bytes(), &Limits::default(), "x").is_err_and(|error| error.0.len() < 300));
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(parse::<Shape>(deep.as_bytes(), &Limits::default(), "x").is_err());
        assert!(!is_deeper_than(br#""[[[\"[[[""#, 2));
    }
}
