//! TOML as tools generate it in lock files in, its tables out, one at a time. Specification: <https://toml.io/en/v1.0.0>.
//! Texts and small inline tables are kept; of lists, numbers and dates only that they are there, since no lock file says there what matters.

use std::collections::BTreeMap;

use crate::{inventory::CatalogError, layers::Limits};

/// Keys of one table that are kept.
const KEYS: usize = 200;
/// Bytes of one text that is kept.
const TEXT_BYTES: usize = 16 * 1024;

/// One table: what stands between one header and the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The header's keys, joined by dots; empty above the first header.
    pub name: String,
    /// Whether the header begins a new item of a list (`[[name]]`).
    pub is_item: bool,
    values: BTreeMap<String, Value>,
}

/// A value as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// The texts of an inline table.
    Table(BTreeMap<String, String>),
    /// Anything else.
    Other,
}

impl Table {
    /// The text of this key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The texts of the inline table of this key.
    pub(super) fn table(&self, key: &str) -> Option<&BTreeMap<String, String>> {
        match self.values.get(key) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }
}

/// Hands over each table in order.
///
/// # Errors
/// When the bytes are no TOML that could be understood; what came before was handed over.
pub(super) fn each_table(bytes: &[u8], limits: &Limits, mut take: impl FnMut(Table)) -> Result<(), CatalogError> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
        .map_err(|_| CatalogError("is no UTF-8, and so no TOML".to_owned()))?;
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, depth: limits.json_depth };
    let mut table = Table::default();
    let fault = |reader: &Reader<'_>| {
        let before = reader.bytes.get(..reader.at).unwrap_or(reader.bytes);
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        CatalogError(format!("line {line} is no TOML that could be understood"))
    };
    while let Some(byte) = reader.next_line_start() {
        if byte == b'[' {
            take(std::mem::take(&mut table));
            table = reader.header().ok_or_else(|| fault(&reader))?;
        } else {
            let (key, value) = reader.pair().ok_or_else(|| fault(&reader))?;
            if table.values.len() < KEYS {
                table.values.insert(key, value);
            }
        }
        reader.end_of_line().ok_or_else(|| fault(&reader))?;
    }
    take(table);
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        (self.peek()? == expected).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Over blanks, comments and empty lines.
    fn gap(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'#') => self.comment(),
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn next_line_start(&mut self) -> Option<u8> {
        self.gap();
        self.peek()
    }

    fn end_of_line(&mut self) -> Option<()> {
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b'\r') => Some(()),
            Some(b'#') => {
                self.comment();
                Some(())
            }
            _ => None,
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    fn header(&mut self) -> Option<Table> {
        self.take(b'[')?;
        let is_item = self.take(b'[').is_some();
        let name = self.key()?;
        self.take(b']')?;
        if is_item {
            self.take(b']')?;
        }
        Some(Table { name, is_item, values: BTreeMap::new() })
    }

    fn pair(&mut self) -> Option<(String, Value)> {
        let key = self.key()?;
        self.take(b'=')?;
        self.blanks();
        Some((key, self.value()?))
    }

    /// Keys, joined by dots, with the blanks around them.
    fn key(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            self.blanks();
            match self.peek()? {
                quote @ (b'"' | b'\'') => name.push_str(&self.text(quote)?),
                _ => {
                    let from = self.at;
                    while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
                        self.at += 1;
                    }
                    let part = self.bytes.get(from..self.at).filter(|part| !part.is_empty())?;
                    name.push_str(std::str::from_utf8(part).ok()?);
                }
            }
            self.blanks();
            if name.len() > TEXT_BYTES || self.take(b'.').is_none() {
                return (name.len() <= TEXT_BYTES).then_some(name);
            }
            name.push('.');
        }
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.peek()? {
            quote @ (b'"' | b'\'') => Value::Text(self.text(quote)?).fit(),
            b'{' => self.inline_table()?,
            b'[' => {
                self.list(0)?;
                Value::Other
            }
            _ => {
                self.plain()?;
                Value::Other
            }
        })
    }

    /// A number, a date, or a truth value.
    fn plain(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-_.:".contains(&byte)) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn inline_table(&mut self) -> Option<Value> {
        self.take(b'{')?;
        let mut texts = BTreeMap::new();
        loop {
            self.gap();
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(Value::Table(texts));
                }
                b',' => self.at += 1,
                _ => {
                    let key = self.key()?;
                    self.take(b'=')?;
                    self.blanks();
                    match self.peek()? {
                        quote @ (b'"' | b'\'') => {
                            let text = self.text(quote)?;
                            if texts.len() < KEYS && text.len() <= TEXT_BYTES {
                                texts.insert(key, text);
                            }
                        }
                        _ => self.skip(1)?,
                    }
                }
            }
        }
    }

    /// Over a value inside another one.
    fn skip(&mut self, depth: usize) -> Option<()> {
        if depth > self.depth {
            return None;
        }
        match self.peek()? {
            quote @ (b'"' | b'\'') => self.text(quote).map(|_| ()),
            b'[' => self.list(depth),
            b'{' => {
                self.at += 1;
                loop {
                    self.gap();
                    match self.peek()? {
                        b'}' => {
                            self.at += 1;
                            return Some(());
                        }
                        b',' => self.at += 1,
                        _ => {
                            self.key()?;
                            self.take(b'=')?;
                            self.blanks();
                            self.skip(depth + 1)?;
                        }
                    }
                }
            }
            _ => self.plain(),
        }
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        loop {
            self.gap();
            match self.peek()? {
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => self.skip(depth + 1)?,
            }
        }
    }

    /// A text in one of the four forms.
    fn text(&mut self, quote: u8) -> Option<String> {
        let is_long = self.bytes.get(self.at..self.at + 3) == Some(&[quote; 3]);
        self.at += if is_long { 3 } else { 1 };
        if is_long && self.peek() == Some(b'\n') {
            self.at += 1;
        }
        let mut out = Vec::new();
        loop {
            let byte = self.peek()?;
            if byte == quote && !is_long {
                self.at += 1;
                break;
            }
            if byte == quote && self.bytes.get(self.at..self.at + 3) == Some(&[quote; 3]) {
                self.at += 3;
                // Up to two quotes may stand right before the end.
                while self.peek() == Some(quote) {
                    out.push(quote);
                    self.at += 1;
                }
                break;
            }
            if byte == b'\n' && !is_long {
                return None;
            }
            self.at += 1;
            if byte == b'\\' && quote == b'"' {
                self.escape(&mut out)?;
            } else {
                out.push(byte);
            }
        }
        String::from_utf8(out).ok()
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        let plain = match byte {
            b'b' => Some(8),
            b't' => Some(b'\t'),
            b'n' => Some(b'\n'),
            b'f' => Some(12),
            b'r' => Some(b'\r'),
            b'"' | b'\\' => Some(byte),
            _ => None,
        };
        if let Some(plain) = plain {
            out.push(plain);
            return Some(());
        }
        let digits = match byte {
            b'u' => 4,
            b'U' => 8,
            // A backslash at the end of a line takes the break and the blanks behind it away.
            b'\n' | b'\r' | b' ' | b'\t' => {
                while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
                    self.at += 1;
                }
                return Some(());
            }
            _ => return None,
        };
        let hex = std::str::from_utf8(self.bytes.get(self.at..self.at + digits)?).ok()?;
        let ch = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
        self.at += digits;
        out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }
}

impl Value {
    /// A very long text is nothing that matters.
    fn fit(self) -> Self {
        match self {
            Self::Text(text) if text.len() > TEXT_BYTES => Self::Other,
            value => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Result<Vec<Table>, CatalogError> {
        let mut tables = Vec::new();
        each_table(text.as_bytes(), &Limits::default(), |table| tables.push(table))?;
        Ok(tables)
    }

    #[test]
    fn tables_come_in_order() {
        let text = r#"# a comment
version = 1
[[package]] # another
name = "a\tb\u0041"
files = [
    {file = "x", hash = "sha256:0"}, # with a comment
    ["y", """z
"""],
]
source = { registry = "https://example.test", n = 1, deep = { x = ["}"] } }
'quoted key' = 'C:\x'
long = """
one \
   two""""
[package.dependencies]
b = ">=1"
"c.d" = {version = "2"}
"#;
        let tables = tables(text).unwrap();
        let names: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.is_item)).collect();
        assert_eq!(names, [("", false), ("package", true), ("package.dependencies", false)]);
        let package = &tables[1];
        assert_eq!(package.text("name"), Some("a\tbA"));
        assert_eq!(package.text("quoted key"), Some("C:\\x"));
        assert_eq!(package.text("long"), Some("one two\""));
        assert_eq!(package.text("files"), None);
        assert_eq!(package.table("source").and_then(|source| source.get("registry")).map(String::as_str), Some("https://example.test"));
        assert_eq!(tables[2].text("b"), Some(">=1"));
        assert!(tables[2].table("c.d").is_some());
    }

    #[test]
    fn what_is_no_toml_is_refused() {
        for text in [
            "x",
            "x = ",
            "x = \"",
            "x = \"\n\"",
            "[a",
            "[[a]",
            "x = [",
            "x = {",
            "x = {y}",
            "a = 1 b = 2",
            "= 1",
            "x = \"\\q\"",
            "x=\"\\u00",
            "x=\"\\uD800\"",
        ] {
            assert!(tables(text).is_err(), "{text}");
        }
        let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(tables(&deep).is_err());
        assert!(each_table(b"x = \"\xff\"", &Limits::default(), |_| {}).is_err());
        assert_eq!(tables("").unwrap().len(), 1);
    }
}
