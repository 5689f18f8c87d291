//! JSON in, the values that somebody asks for out, one at a time: documents may be large, and little of them matters.
//! Specification: <https://www.rfc-editor.org/rfc/rfc8259>.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::{
    inventory::{CatalogError, json::is_deeper_than},
    layers::Limits,
};

/// Bytes of one text that is taken out.
const TEXT_BYTES: usize = 64 * 1024;

/// A place in a document that was checked to be JSON. Whoever is given one takes the value that stands there, or leaves it; then it is skipped.
pub(super) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    /// The start of a document that is JSON and not nested too deep.
    pub(super) fn check(bytes: &'a [u8], limits: &Limits) -> Result<Self, CatalogError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if is_deeper_than(bytes, limits.json_depth) {
            return Err(CatalogError(format!("JSON is nested deeper than the limit of {}", limits.json_depth)));
        }
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| CatalogError(format!("is no readable JSON: {error}")))?;
        Ok(Self { bytes, at: 0 })
    }

    /// Hands over each key of the object here, standing at its value. Nothing happens when something else stands here.
    pub(super) fn each_key(&mut self, mut take: impl FnMut(&mut Self, &str)) {
        if self.peek() != Some(b'{') {
            return self.skip();
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let key = self.string();
                    if self.peek() == Some(b':') {
                        self.at += 1;
                    }
                    self.value(|json| take(json, &key));
                }
                b'}' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Hands over each item of the list here.
    pub(super) fn each_item(&mut self, mut take: impl FnMut(&mut Self)) {
        if self.peek() != Some(b'[') {
            return self.skip();
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return;
                }
                _ => self.value(&mut take),
            }
        }
    }

    /// The text here, without blanks around it; `None` when it is empty, very long, or something else.
    pub(super) fn text(&mut self) -> Option<String> {
        if self.peek() != Some(b'"') {
            self.skip();
            return None;
        }
        let text = self.string();
        let trimmed = text.trim();
        (!trimmed.is_empty() && trimmed.len() <= TEXT_BYTES).then(|| trimmed.to_owned())
    }

    /// The bytes of the value here.
    pub(super) fn raw(&mut self) -> &'a [u8] {
        self.peek();
        let from = self.at;
        self.skip();
        self.bytes.get(from..self.at).unwrap_or_default()
    }

    /// The number here, as it is written.
    pub(super) fn number(&mut self) -> Option<String> {
        self.peek().filter(|byte| byte.is_ascii_digit() || *byte == b'-')?;
        Some(String::from_utf8_lossy(self.raw()).into_owned())
    }

    /// Whether a list stands here.
    pub(super) fn is_list(&mut self) -> bool {
        self.peek() == Some(b'[')
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Lets `take` have the value here, and skips it if it was left.
    fn value(&mut self, take: impl FnOnce(&mut Self)) {
        self.peek();
        let start = self.at;
        take(self);
        if self.at == start {
            self.skip();
        }
    }

    /// The string here, decoded. Stands behind it afterwards.
    fn string(&mut self) -> Cow<'a, str> {
        let from = self.at;
        self.skip();
        let token = self.bytes.get(from..self.at).unwrap_or_default();
        if token.contains(&b'\\') {
            // A lone surrogate is no text; it is then read as it is written.
            if let Ok(text) = serde_json::from_slice::<String>(token) {
                return Cow::Owned(text);
            }
        }
        String::from_utf8_lossy(token.get(1..token.len().saturating_sub(1)).unwrap_or_default())
    }

    /// Goes behind the value here, and by at least one byte where there is any.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' | b':' => {}
                _ => {
                    while self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        let mut escaped = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_found_and_the_rest_skipped() {
        let text = r#" { "a" : [1, "x", {"y":[{}]}, "z"], "b": {"c\u0041": "d\n", "n": -1.5e3}, "e": true, "f": null, "a": "last" } "#;
        let mut seen = Vec::new();
        Json::check(text.as_bytes(), &Limits::default()).unwrap().each_key(|json, key| match key {
            "a" if json.is_list() => json.each_item(|json| seen.extend(json.text())),
            "b" => json.each_key(|json, key| seen.push(format!("{key}={}", json.number().or_else(|| json.text()).unwrap_or_default()))),
            "f" => seen.extend(json.text()),
            _ => seen.push(format!("{key}?")),
        });
        assert_eq!(seen, ["x", "z", "cA=d", "n=-1.5e3", "e?", "a?"]);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        let limits = Limits::default();
        for text in ["", "{", "{\"a\":}", "[1,]", "{} x", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
            assert!(Json::check(text.as_bytes(), &limits).is_err(), "{text}");
        }
        for text in ["1", "\"x\"", "[]", "{}", "\u{feff}{}"] {
            let mut json = Json::check(text.as_bytes(), &limits).unwrap();
            json.each_key(|_, key| panic!("{key}"));
        }
        assert!(!is_deeper_than(br#""[[[\"[[[""#, 2));
    }
}
