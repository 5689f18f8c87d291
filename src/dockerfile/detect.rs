//! The head of a Dockerfile in, the frontend and the check options that it names out: `# syntax=`, `// syntax=`, or a file that is a JSON object
//! with `syntax`, each also behind a `#!` line.
//! Reference: BuildKit's `DetectSyntax` and `ParseDirective` in `frontend/dockerfile/parser/directives.go` (<https://github.com/moby/buildkit>).

use std::{collections::BTreeMap, ops::Range};

use super::{
    instruction::without_lone_surrogates,
    source::{number, offset_in, slice},
};

/// The longest line that BuildKit's scanner takes; it reads no directive from there on.
const MAX_LINE: usize = 65_535;
/// The largest file that is read as JSON. A larger one that is no Dockerfile is refused as such, instruction by instruction.
const MAX_JSON: usize = 1 << 20;

/// The image that runs a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frontend {
    /// Its reference.
    pub(super) reference: String,
    /// The line that names it.
    pub(super) line: u32,
    /// Where the reference stands in the file; `None` where it stands there in other words, or not at all.
    pub(super) range: Option<Range<usize>>,
    /// Whether a build argument names it, and not the file.
    pub(super) is_argument: bool,
}

/// The frontend that runs the build: a build argument goes before what the file asks for, and stands on the line of that, or on the first one.
pub(super) fn chosen(asked: Option<Frontend>, build_args: &BTreeMap<String, String>) -> Option<Frontend> {
    // What stands behind the first space are options, as in the file.
    let named = build_args.get("BUILDKIT_SYNTAX").and_then(|value| value.trim().split(' ').next()).filter(|name| !name.is_empty());
    let Some(named) = named else { return asked };
    Some(Frontend { reference: named.to_owned(), line: asked.map_or(1, |asked| asked.line), range: None, is_argument: true })
}

/// The frontend that the file asks for.
pub(super) fn frontend(text: &str) -> Option<Frontend> {
    let head = Head::of(text);
    let written = head.directive("#", "syntax").or_else(|| head.directive("//", "syntax"));
    match written {
        Some((value, line)) => {
            // What stands behind the first space are options.
            let reference = value.split(' ').next().unwrap_or_default();
            let at = offset_in(text, reference)?;
            let range = Some(at..at + reference.len());
            (!reference.is_empty()).then(|| Frontend { reference: reference.to_owned(), line, range, is_argument: false })
        }
        None => head.json(),
    }
}

/// The value of `# name=` at the head of the file, and its line.
pub(super) fn directive(text: &str, name: &str) -> Option<(String, u32)> {
    Head::of(text).directive("#", name).map(|(value, line)| (value.to_owned(), line))
}

/// A file from where its directives may begin.
struct Head<'a> {
    whole: &'a str,
    text: &'a str,
    /// How many lines stand before.
    before: usize,
}

impl<'a> Head<'a> {
    fn of(whole: &'a str) -> Self {
        let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
        match text.strip_prefix("#!") {
            Some(rest) => Self { whole, text: rest.split_once('\n').map_or("", |(_, rest)| rest), before: 1 },
            None => Self { whole, text, before: 0 },
        }
    }

    /// The first directive of this name among those that open the file behind this mark.
    fn directive(&self, mark: &str, wanted: &str) -> Option<(&'a str, u32)> {
        let mut seen: Vec<String> = Vec::new();
        for (index, line) in self.text.split('\n').enumerate() {
            let (name, value) = parts(line.strip_prefix(mark).filter(|_| line.len() <= MAX_LINE)?)?;
            let name = name.to_ascii_lowercase();
            // One that is unknown ends them, and so does one that was there before.
            if !matches!(name.as_str(), "syntax" | "check" | "escape") || seen.contains(&name) {
                return None;
            }
            if name == wanted {
                return Some((value, number(self.before + index + 1)));
            }
            seen.push(name);
        }
        None
    }

    /// The frontend of a file that is one JSON object.
    fn json(&self) -> Option<Frontend> {
        if !self.text.trim_start().starts_with('{') || self.text.len() > MAX_JSON {
            return None;
        }
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&without_lone_surrogates(self.text)).ok()?;
        let reference = object.get("syntax")?.as_str().filter(|reference| !reference.is_empty())?.to_owned();
        let quoted = format!("\"{reference}\"");
        let key = self.text.find("\"syntax\"");
        let place = key.and_then(|key| Some(key + self.text.get(key..)?.find(&quoted)?));
        // Another key may have the same words for its value.
        let is_only = self.text.matches("\"syntax\"").count() == 1 && self.text.matches(&quoted).count() == 1;
        let before = self.whole.len() - self.text.len();
        let range = place.filter(|_| is_only).map(|at| before + at + 1..before + at + 1 + reference.len());
        let line = place.or(key).map_or(0, |at| slice(self.text, 0..at).matches('\n').count());
        Some(Frontend { reference, line: number(self.before + line + 1), range, is_argument: false })
    }
}

/// Name and value of what stands behind the mark of a comment: `name = value`.
pub(super) fn parts(comment: &str) -> Option<(&str, &str)> {
    let (name, value) = comment.trim_start().split_once('=')?;
    let (name, value) = (name.trim_end(), value.trim());
    let is_legal = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_legal && !value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontends_are_found_where_buildkit_finds_them() {
        for (text, expected) in [
            ("# syntax=a/b:1\nFROM x\n", Some(("a/b:1", 1))),
            ("#syntax = a/b:1 option\r\nFROM x\r\n", Some(("a/b:1", 1))),
            ("\u{feff}# SyNtAx=a/b:1\nFROM x\n", Some(("a/b:1", 1))),
            ("# escape=`\n# check=skip=all\n# syntax=a/b:1\nFROM x\n", Some(("a/b:1", 3))),
            ("# syntax=a/b:1\n# syntax=c/d:1\nFROM x\n", Some(("a/b:1", 1))),
            ("# escape=`\n# escape=`\n# syntax=a/b:1\n", None),
            ("# note=x\n# syntax=a/b:1\nFROM x\n", None),
            ("\n# syntax=a/b:1\nFROM x\n", None),
            (" # syntax=a/b:1\nFROM x\n", None),
            ("# note\n# syntax=a/b:1\nFROM x\n", None),
            ("#!/usr/bin/env x\n# syntax=a/b:1\nFROM x\n", Some(("a/b:1", 2))),
            ("//syntax=a/b:1\n{}\n", Some(("a/b:1", 1))),
            ("// syntax = a/b:1 x\nFROM x\n", Some(("a/b:1", 1))),
            ("#!/usr/bin/env x\n//syntax=a/b:1\n", Some(("a/b:1", 2))),
            ("# escape=`\n// syntax=a/b:1\nFROM x\n", None),
            ("FROM x\n// syntax=a/b:1\n", None),
            ("{\"syntax\":\"a/b:1\"}", Some(("a/b:1", 1))),
            (" \n{\n \"x\": [1, {}],\n \"syntax\": \"a/b:1\"\n}\n", Some(("a/b:1", 4))),
            ("#!/usr/bin/env x\n{\"syntax\": \"a\\/b:1\"}\n", Some(("a/b:1", 2))),
            ("{\"syntax\":\"c/d:1\",\"syntax\":\"a/b:1\"}", Some(("a/b:1", 1))),
            ("{\"x\":\"\\ud800\",\"syntax\":\"a/b:1\"}", Some(("a/b:1", 1))),
            ("{\"Syntax\":\"a/b:1\"}", None),
            ("{\"syntax\":1}", None),
            ("{\"syntax\":\"a/b:1\"}\nFROM x\n", None),
            ("[\"syntax\", \"a/b:1\"]", None),
            ("FROM x\n", None),
            ("", None),
        ] {
            let found = frontend(text);
            assert_eq!(found.as_ref().map(|found| (found.reference.as_str(), found.line)), expected, "{text:?}");
            if let Some((range, found)) = found.and_then(|found| Some((found.range.clone()?, found))) {
                assert_eq!(text.get(range), Some(found.reference.as_str()), "{text:?}");
            }
        }
        let long = format!("# check={}\n# syntax=a/b:1\nFROM x\n", "x".repeat(MAX_LINE));
        assert_eq!(frontend(&long), None);
    }

    #[test]
    fn a_reference_in_other_words_has_no_place() {
        for text in ["{\"syntax\":\"a\\/b\"}", "{\"x\":\"a/b\",\"syntax\":\"a/b\"}", "{\"syntax\":\"c\",\"syntax\":\"a/b\"}"] {
            assert_eq!(frontend(text).expect("a frontend").range, None, "{text}");
        }
    }

    #[test]
    fn checks_are_only_found_behind_a_hash() {
        assert_eq!(
            directive("#!/x\n# syntax=y\n# check=skip=all;error=true because\nFROM a", "check"),
            Some(("skip=all;error=true because".to_owned(), 3))
        );
        assert_eq!(directive("// check=skip=all\nFROM a", "check"), None);
    }
}
