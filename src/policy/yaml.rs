//! YAML text in, a tree of values with their lines and columns out (YAML 1.2, core schema: <https://yaml.org/spec/1.2.2/#103-core-schema>).
//! Only the part of YAML that one reads at a glance is taken: one document, no tags, no merge keys, no duplicate keys, bounded depth and size.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle};

use crate::policy::{Error, error::Place};

/// Largest policy file in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting of lists and maps.
pub(super) const MAX_DEPTH: usize = 32;
/// Most values after anchors are copied in; far above any real policy, far below what hurts.
const MAX_NODES: usize = 200_000;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) place: Place,
    /// The value.
    pub(super) value: Value,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar; `plain` tells `true` from `"true"`.
    Scalar {
        /// The text after escapes.
        text: String,
        /// Whether it was written without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in file order; keys are unique.
    Map(Vec<(Node, String, Node)>),
}

impl Node {
    /// What the value is, for messages.
    pub(super) const fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Parses the one document of `text`; `file` is the name in messages.
///
/// # Errors
/// When the text is not YAML, or uses a part of YAML that policies do not have.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge { file: file.to_owned(), limit: MAX_BYTES });
    }
    let options = serde_saphyr::granit_parser::options! {
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_comments: false
    };
    Reader::new(file, text, options).document()
}

struct Reader<'t> {
    file: &'t str,
    parser: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn new(file: &'t str, text: &'t str, options: Options) -> Self {
        // A byte order mark is no content.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { file, parser: Parser::new_from_str_with_options(text, options), anchors: BTreeMap::new(), nodes: 0 }
    }

    fn document(mut self) -> Result<Node, Error> {
        let mut root = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => return Err(self.refuse(&place, "several documents in one file are not read")),
                Event::DocumentStart(..) => {
                    let (event, place) = self.next()?;
                    root = Some(if matches!(event, Event::DocumentEnd) {
                        Node { place, value: Value::Null }
                    } else {
                        self.node(event, place, 0)?
                    });
                }
                Event::StreamEnd => {
                    let start = Place { file: self.file.to_owned(), line: 1, column: 1 };
                    return Ok(root.unwrap_or(Node { place: start, value: Value::Null }));
                }
                _ => return Err(self.refuse(&place, "text outside the document")),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, place: Place, depth: usize) -> Result<Node, Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.refuse(&place, "more values than a policy can hold"));
        }
        if depth > MAX_DEPTH {
            return Err(self.refuse(&place, &format!("nested deeper than {MAX_DEPTH}")));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.no_tag(&place, tag.is_some())?;
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                (anchor, if null { Value::Null } else { Value::Scalar { text: text.into_owned(), plain } })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.no_tag(&place, tag.is_some())?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.no_tag(&place, tag.is_some())?;
                (anchor, self.map(depth)?)
            }
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node = node.ok_or_else(|| self.refuse(&place, "an alias inside its own anchor"))?;
                // A copy counts as much as what it copies, so that nested aliases cannot grow without bound.
                self.nodes += count(&node);
                if self.nodes > MAX_NODES || depth + height(&node) > MAX_DEPTH {
                    return Err(self.refuse(&place, "aliases make this larger or deeper than a policy can be"));
                }
                return Ok(Node { place, value: node.value });
            }
            _ => return Err(self.refuse(&place, "a value is missing here")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::List(items));
            }
            items.push(self.node(event, place, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Error> {
        let mut entries: Vec<(Node, String, Node)> = Vec::new();
        let mut seen = BTreeMap::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Map(entries));
            }
            let key = self.node(event, place, depth + 1)?;
            let Value::Scalar { text, plain } = &key.value else {
                return Err(self.refuse(&key.place, "a key must be a word"));
            };
            if *plain && text == "<<" {
                return Err(self.refuse(&key.place, "merge keys (`<<`) are not read"));
            }
            let name = text.clone();
            if let Some(first) = seen.insert(name.clone(), key.place.line) {
                return Err(self.refuse(&key.place, &format!("duplicate key `{name}`, first on line {first}")));
            }
            let (event, place) = self.next()?;
            let value = self.node(event, place, depth + 1)?;
            entries.push((key, name, value));
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Place), Error> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.place(&span.tag_start().unwrap_or(span.start)))),
            Some(Err(error)) => {
                let message = match error.info() {
                    text if text.is_empty() => "not valid YAML".to_owned(),
                    text => format!("not valid YAML: {text}"),
                };
                Err(Error::at(self.place(error.marker()), message))
            }
            None => Err(Error::at(Place { file: self.file.to_owned(), line: 1, column: 1 }, "the text ends too early")),
        }
    }

    fn no_tag(&self, place: &Place, tagged: bool) -> Result<(), Error> {
        if tagged { Err(self.refuse(place, "tags (`!word`) are not read")) } else { Ok(()) }
    }

    fn place(&self, mark: &Marker) -> Place {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: self.file.to_owned(), line: number(mark.line()).max(1), column: number(mark.col()).saturating_add(1) }
    }

    #[expect(clippy::unused_self, reason = "reads as the reader's own refusal at every call")]
    fn refuse(&self, place: &Place, message: &str) -> Error {
        Error::at(place.clone(), message)
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|(_, _, value)| 1 + count(value)).sum(),
        Value::Null | Value::Scalar { .. } => 0,
    }
}

fn height(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, _, value)| height(value)).max().unwrap_or(0),
        Value::Null | Value::Scalar { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse("p.yaml", text).map_or_else(|error| error.to_string(), |node| node.describe().to_owned())
    }

    #[test]
    fn only_plain_yaml_is_read() {
        let check = |text: &str, expected: &str| assert_eq!(message(text), expected, "{text}");
        check("", "nothing");
        check("a: 1\nb: [x, 'y']\n", "a map");
        check("a: 1\nb: 2\na: 3\n", "p.yaml:3:1: duplicate key `a`, first on line 1");
        check("a: &x {k: v}\nb: *x\n", "a map");
        check("a: {k: v}\nb:\n  <<: {k: v}\n", "p.yaml:3:3: merge keys (`<<`) are not read");
        check("a: !!str 1\n", "p.yaml:1:4: tags (`!word`) are not read");
        check("a: 1\n---\nb: 2\n", "p.yaml:2:1: several documents in one file are not read");
        check("[a]: 1\n", "p.yaml:1:1: a key must be a word");
    }

    #[test]
    fn bombs_end_early() {
        let deep = "[".repeat(2_000);
        assert!(parse("p", &deep).is_err());
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..20 {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(parse("p", &bomb).is_err());
        assert!(matches!(parse("p", &" ".repeat(MAX_BYTES + 1)), Err(Error::TooLarge { .. })));
    }
}
