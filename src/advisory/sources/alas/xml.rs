//! A pull reader of XML for hostile files (<https://www.w3.org/TR/xml/>). In: bytes as a stream; out: elements with their path, text, ends. Depth,
//! number of attributes, size of every event and of the whole are bounded. A document type is refused, so nothing can be declared, expanded or
//! fetched; a reference to anything but a character or one of the five predefined entities is an error.

use std::io::{self, BufRead, Read};

use quick_xml::{
    XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
    reader::Reader,
};

/// Elements inside each other.
const MAX_DEPTH: usize = 16;
/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 64;
/// One tag, text, comment or section; the longest published descriptions have some hundred kilobytes.
const MAX_EVENT: u64 = 4 << 20;

/// What the reader came across.
pub(super) enum Node<'a> {
    /// An element begins.
    Start(&'a Attributes),
    /// A piece of its text; pieces follow each other.
    Text(&'a str),
    /// The element ends.
    End,
}

/// The attributes of one element, in file order.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of an attribute, whatever its namespace.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn of(element: &BytesStart<'_>) -> Result<Self, String> {
        let mut list = Vec::new();
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            if list.len() == MAX_ATTRIBUTES {
                return Err("an element has too many attributes".to_owned());
            }
            let value = attribute.normalized_value(XmlVersion::default()).map_err(|error| error.to_string())?;
            list.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        Ok(Self(list))
    }
}

/// Reads a whole document of at most `most` bytes. `on` gets every node with the names of the elements around it, its own last.
pub(super) fn read_document(
    input: impl BufRead,
    most: u64,
    on: &mut dyn FnMut(&[String], Node<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(Bounded { inner: input, event: MAX_EVENT, total: most });
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut buffer, mut roots) = (Vec::<String>::new(), Vec::new(), 0_usize);
    loop {
        buffer.clear();
        reader.get_mut().event = MAX_EVENT;
        let event = reader.read_event_into(&mut buffer).map_err(|error| error.to_string())?;
        match event {
            Event::Start(element) | Event::Empty(element) => {
                if path.len() == MAX_DEPTH {
                    return Err(format!("elements are nested deeper than {MAX_DEPTH}"));
                }
                roots += usize::from(path.is_empty());
                if roots > 1 {
                    return Err("the document has more than one root".to_owned());
                }
                path.push(element.local_name().as_ref().to_owned());
                on(&path, Node::Start(&Attributes::of(&element)?))?;
            }
            Event::End(_) => {
                on(&path, Node::End)?;
                path.pop();
            }
            Event::Text(text) => text_of(&path, &text.xml10_content(), on)?,
            Event::CData(text) => text_of(&path, &text.xml10_content(), on)?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?.map(String::from);
                let name = reference.xml10_content();
                match character.as_deref().or_else(|| resolve_predefined_entity(&name)) {
                    Some(text) => text_of(&path, text, on)?,
                    None => return Err(format!("entity `{name:.40}` is not declared")),
                }
            }
            Event::DocType(_) => return Err("a document type is not accepted".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match path.last() {
        Some(open) => Err(format!("the document ends inside `{open:.40}`")),
        None if roots == 0 => Err("the document is empty".to_owned()),
        None => Ok(()),
    }
}

/// Text outside the root is white space, or this is no XML.
fn text_of(path: &[String], text: &str, on: &mut dyn FnMut(&[String], Node<'_>) -> Result<(), String>) -> Result<(), String> {
    match path {
        [] if text.trim().trim_start_matches('\u{feff}').is_empty() => Ok(()),
        [] => Err("there is text outside the document".to_owned()),
        _ => on(path, Node::Text(text)),
    }
}

/// A stream that ends in an error when an event or the document grows too large.
struct Bounded<R> {
    inner: R,
    event: u64,
    total: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let most = usize::try_from(self.event.min(self.total)).unwrap_or(usize::MAX);
        let bytes = self.inner.fill_buf()?;
        if most == 0 && !bytes.is_empty() {
            return Err(io::Error::other("the document, or a part of it, is too large"));
        }
        Ok(bytes.get(..most).unwrap_or(bytes))
    }

    fn consume(&mut self, amount: usize) {
        let used = u64::try_from(amount).unwrap_or(u64::MAX);
        self.event = self.event.saturating_sub(used);
        self.total = self.total.saturating_sub(used);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(text: &str, most: u64) -> Result<String, String> {
        let mut out = String::new();
        read_document(text.as_bytes(), most, &mut |path, node| {
            match node {
                Node::Start(attributes) => out.push_str(&format!("<{} {:?}>", path.join("/"), attributes.0)),
                Node::Text(text) => out.push_str(text),
                Node::End => out.push('.'),
            }
            Ok(())
        })?;
        Ok(out)
    }

    #[test]
    fn elements_text_and_references_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- x --><a n:b='1 &amp; 2'><c/>x&lt;&#65;<![CDATA[<y>]]></a>\n";
        assert_eq!(listing(text, 1000).unwrap(), r#"<a [("b", "1 & 2")]><a/c []>.x<A<y>."#);
    }

    #[test]
    fn what_is_cut_nested_declared_or_too_large_is_an_error() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        let long = format!("<a>{}</a>", "x".repeat(usize::try_from(MAX_EVENT).unwrap() + 1));
        for (text, most, expected) in [
            ("<a><b>", 1000, "ends inside `b`"),
            ("<a>x</a", 1000, ""),
            ("<a></b>", 1000, ""),
            ("", 1000, "empty"),
            ("x<a/>", 1000, "outside"),
            ("<a/><b/>", 1000, "more than one root"),
            (deep.as_str(), 1000, "deeper"),
            ("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>", 1000, "document type"),
            ("<a>&e;</a>", 1000, "not declared"),
            ("<a b='&e;'/>", 1000, ""),
            ("<a>0123456789</a>", 10, "too large"),
            (long.as_str(), u64::MAX, "too large"),
        ] {
            let error = listing(text, most).unwrap_err();
            assert!(error.contains(expected), "{text:.60}: {error}");
        }
    }
}
