//! Text from images, registries and policy files in, text that cannot lie on a screen out: control, ANSI, bidirectional and invisible
//! characters are shown as `\u{..}` (Unicode Standard Annex 9, <https://www.unicode.org/reports/tr9/>; Trojan Source).
//! For JSON the same characters become `\uXXXX` escapes of the file's own syntax, which lose nothing when parsed back.

use std::{borrow::Cow, fmt::Write as _, io};

use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

/// Whether a character acts on a terminal or on the order of text instead of being seen.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a text has no character that is ever shown as another, told in one quick pass over its bytes: most texts of a report have none.
fn is_plain_ascii(text: &str) -> bool {
    text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'))
}

/// The text on one line with every hidden character shown as `\u{..}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape_if(text, is_hidden)
}

/// As [`visible`], and everything outside ASCII shown the same way.
pub(crate) fn ascii(text: &str) -> Cow<'_, str> {
    escape_if(text, |character| !character.is_ascii() || is_hidden(character))
}

fn escape_if(text: &str, hide: impl Fn(char) -> bool) -> Cow<'_, str> {
    if is_plain_ascii(text) || !text.contains(&hide) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hide(character) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// At most `limit` characters of the text; what is cut is said.
pub(crate) fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let (head, tail) = text.split_at(at);
            Cow::Owned(format!("{head}... ({} more characters)", tail.chars().count()))
        }
    }
}

/// The text for HTML and XML content and attributes; characters that XML 1.0 forbids are already shown by [`visible`].
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// The text for XML content and attributes that a program reads: hidden characters as references, which lose nothing; those that XML 1.0
/// forbids even so are shown by [`visible`].
pub(crate) fn xml_lossless(text: &str) -> Cow<'_, str> {
    let is_plain = |character: char| !matches!(character, '&' | '<' | '>' | '"' | '\'' | '\u{fffe}' | '\u{ffff}') && !is_hidden(character);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        let _ = match character {
            '&' => write!(out, "&amp;"),
            '<' => write!(out, "&lt;"),
            '>' => write!(out, "&gt;"),
            '"' => write!(out, "&quot;"),
            '\'' => write!(out, "&#39;"),
            '\t' | '\n' | '\r' | '\u{7f}'..='\u{10ffff}' if is_hidden(character) => write!(out, "&#x{:x};", u32::from(character)),
            '\u{fffe}' | '\u{ffff}' => write!(out, "\u{fffd}"),
            other if is_hidden(other) => write!(out, "\\u{{{:x}}}", u32::from(other)),
            other => write!(out, "{other}"),
        };
    }
    Cow::Owned(out)
}

/// The text for Markdown prose and table cells, made inert: no markup, HTML, mention, reference or autolink survives.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A numeric reference shows the character and cannot start a mention, an issue reference or a link.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    // GitHub links bare `www.` too.
    out.replace("www.", "www&#46;")
}

/// JSON as [`PrettyFormatter`] writes it, with hidden characters as `\uXXXX`, so that a report is safe to print and parses back unchanged.
pub(crate) struct JsonFormatter(PrettyFormatter<'static>);

impl JsonFormatter {
    pub(crate) fn new() -> Self {
        Self(PrettyFormatter::new())
    }
}

impl Formatter for JsonFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain_ascii(fragment) || !fragment.contains(is_hidden) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0_u16; 2];
        let mut bytes = [0_u8; 4];
        for character in fragment.chars() {
            if is_hidden(character) {
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(character.encode_utf8(&mut bytes).as_bytes())?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, char_escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, char_escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// Serialises `value` with [`JsonFormatter`] and a final line feed.
pub(crate) fn write_json(value: &impl serde::Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, JsonFormatter::new())).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_shown() {
        let check = |input: &str, expected: &str| assert_eq!(visible(input), expected);
        check("plain text, é, 漢字, \\", "plain text, é, 漢字, \\");
        check("a\u{202e}b", "a\\u{202e}b");
        check("\u{1b}[31mred\u{1b}[0m\r\n", "\\u{1b}[31mred\\u{1b}[0m\\u{d}\\u{a}");
        check("\u{0}\u{7f}\u{9b}\u{feff}\u{e0041}", "\\u{0}\\u{7f}\\u{9b}\\u{feff}\\u{e0041}");
        assert_eq!(ascii("é→x"), "\\u{e9}\\u{2192}x");
    }

    #[test]
    fn markup_is_inert() {
        assert_eq!(markdown("[a](http://x) `@me` <b>|#1"), "\\[a\\]\\(http&#58;//x\\) \\`&#64;me\\` &lt;b&gt;\\|&#35;1");
        assert_eq!(xml("<a b='\"&\u{1}"), "&lt;a b=&#39;&quot;&amp;\\u{1}");
        assert_eq!(xml_lossless("<a b='\"&\u{1}\n\u{202e}é"), "&lt;a b=&#39;&quot;&amp;\\u{1}&#xa;&#x202e;é");
    }

    #[test]
    fn json_escapes_lose_nothing() {
        let text = "\u{202e}\u{e0041}\u{1b}\"\\é\u{7f}";
        let mut out = Vec::new();
        write_json(&vec![text], &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(!written.trim_end().replace('\n', "").contains(is_hidden), "{written}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [text]);
    }

    #[test]
    fn shortening_says_what_is_gone() {
        assert_eq!(shortened("äbc", 3), "äbc");
        assert_eq!(shortened("äbcde", 3), "äbc... (2 more characters)");
    }
}
