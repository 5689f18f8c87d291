//! The text of a Dockerfile in, its instructions as logical lines out: parser directives, comments, continuations, the bodies of heredocs.
//! Reference: BuildKit 73ed682, `frontend/dockerfile/parser` (<https://github.com/moby/buildkit>).

use std::{collections::BTreeMap, ops::Range};

use super::{
    detect::{self, Frontend},
    source::{Logical, Source, number},
};

/// The longest physical line that BuildKit's scanner takes, in bytes.
const MAX_LINE: usize = 65_535;

/// The parser directives at the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directives {
    /// `\` or a backtick.
    pub(super) escape: char,
    /// The frontend that the file asks for.
    pub(super) syntax: Option<Frontend>,
    /// The value of `# check=` and its line.
    pub(super) check: Option<(String, u32)>,
}

/// One comment outside heredocs, `#` and surrounding blanks removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    /// Its line.
    pub(super) line: u32,
    /// Its text.
    pub(super) text: String,
    /// Whether it stands between the lines of a continued instruction.
    pub(super) inside: bool,
}

/// A message and the line that it is about.
pub(super) type LineFault = (u32, String);

/// Reads logical lines one after the other; heredoc bodies are asked for in between.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    source: &'a Source,
    next: usize,
    directives_open: bool,
    /// Where each text stands as a line, as it is and without leading tabs; empty until it is needed.
    ends: [BTreeMap<&'a str, Vec<usize>>; 2],
    /// What the head of the file says.
    pub(super) directives: Directives,
    /// Every comment so far.
    pub(super) comments: Vec<Comment>,
    /// What BuildKit's parser refuses at this level.
    pub(super) faults: Vec<LineFault>,
}

impl<'a> Lines<'a> {
    /// Starts at the head of the file.
    pub(super) fn new(source: &'a Source) -> Self {
        let (syntax, check) = (detect::frontend(&source.text), detect::directive(&source.text, "check"));
        let directives = Directives { escape: '\\', syntax, check };
        Self {
            source,
            next: 0,
            directives_open: true,
            ends: [BTreeMap::new(), BTreeMap::new()],
            directives,
            comments: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The next instruction's lines, `None` at the end of the file.
    pub(super) fn next_logical(&mut self) -> Option<Logical> {
        loop {
            let (start, raw) = self.take()?;
            let trimmed = raw.trim_end_matches('\r').trim_start();
            let at = start + (raw.len() - raw.trim_start().len());
            let line = number(self.next);
            if self.directives_open && self.directive(trimmed, line) {
                continue;
            }
            if let Some(comment) = trimmed.strip_prefix('#') {
                self.comments.push(Comment { line, text: comment.trim().to_owned(), inside: false });
                continue;
            }
            let (content, mut open) = self.split_continuation(trimmed);
            if !open && content.is_empty() {
                continue;
            }
            let mut logical = Logical { text: content.to_owned(), segments: vec![(0, at)], line, end_line: line };
            while open {
                let Some((start, raw)) = self.take() else { break };
                logical.end_line = number(self.next);
                let body = raw.trim_end_matches('\r');
                let visible = body.trim_start();
                if let Some(comment) = visible.strip_prefix('#') {
                    self.comments.push(Comment { line: logical.end_line, text: comment.trim().to_owned(), inside: true });
                    continue;
                }
                if visible.is_empty() {
                    continue;
                }
                let (content, more) = self.split_continuation(body);
                if !content.is_empty() {
                    logical.segments.push((logical.text.len(), start));
                    logical.text.push_str(content);
                }
                open = more;
            }
            return Some(logical);
        }
    }

    /// The body of a heredoc whose end line is `name`: content and its original range, `None` when the end is missing.
    pub(super) fn heredoc(&mut self, name: &str, chomp: bool) -> Option<Range<usize>> {
        let first = self.next;
        let begin = self.source.physical(first).map_or(self.source.text.len(), |(start, _)| start);
        if let Some(end) = self.heredoc_end(name, chomp) {
            self.next = end + 1;
            return self.source.physical(end).map(|(start, _)| begin..start);
        }
        // One missing end must not hide the rest of the file: reading goes on at the next line that starts like an instruction.
        self.next = first;
        while let Some((_, raw)) = self.source.physical(self.next)
            && !starts_instruction(raw)
        {
            self.next += 1;
        }
        None
    }

    /// The first line from here on that ends a heredoc.
    fn heredoc_end(&mut self, name: &str, chomp: bool) -> Option<usize> {
        let form = |raw: &'a str| if chomp { raw.trim_end_matches('\r').trim_start_matches('\t') } else { raw.trim_end_matches('\r') };
        if let Some(ends) = self.ends.get(usize::from(chomp)).filter(|ends| !ends.is_empty()) {
            let lines = ends.get(name)?;
            return lines.get(lines.partition_point(|line| *line < self.next)).copied();
        }
        let mut at = self.next;
        while let Some((_, raw)) = self.source.physical(at) {
            if form(raw) == name {
                return Some(at);
            }
            at += 1;
        }
        // After the first search in vain no other one goes through the whole file again.
        let mut ends: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
        for line in self.next..at {
            if let Some((_, raw)) = self.source.physical(line) {
                ends.entry(form(raw)).or_default().push(line);
            }
        }
        if let Some(known) = self.ends.get_mut(usize::from(chomp)) {
            *known = ends;
        }
        None
    }

    /// The number of the line that was read last.
    pub(super) fn line(&self) -> u32 {
        number(self.next)
    }

    fn take(&mut self) -> Option<(usize, &'a str)> {
        let (start, raw) = self.source.physical(self.next)?;
        let (start, raw) = match raw.strip_prefix('\u{feff}') {
            Some(rest) if self.next == 0 => (start + '\u{feff}'.len_utf8(), rest),
            _ => (start, raw),
        };
        self.next += 1;
        if raw.len() > MAX_LINE {
            self.faults.push((number(self.next), format!("dockerfile line greater than maximum allowed size of {MAX_LINE}")));
        }
        Some((start, raw))
    }

    fn split_continuation<'t>(&self, line: &'t str) -> (&'t str, bool) {
        let bare = line.trim_end_matches([' ', '\t']);
        match bare.strip_suffix(self.directives.escape) {
            Some(content) if !content.ends_with(self.directives.escape) => (content, true),
            _ => (line, false),
        }
    }

    /// Reads a directive; the first line that is none ends them.
    fn directive(&mut self, line: &str, number: u32) -> bool {
        let Some((name, value)) = directive_parts(line) else {
            self.directives_open = false;
            return false;
        };
        match (name.as_str(), value) {
            ("escape", "\\") => self.directives.escape = '\\',
            ("escape", "`") => self.directives.escape = '`',
            ("escape", _) => self.faults.push((number, format!("invalid escape token '{value}' does not match ` or \\"))),
            // What they say is read by itself, since they are also found where no other directive is.
            ("syntax" | "check", _) => {}
            _ => {
                self.directives_open = false;
                return false;
            }
        }
        if self.comments.iter().any(|comment| directive_name(&comment.text) == name) {
            self.faults.push((number, format!("only one {name} parser directive can be used")));
        }
        self.comments.push(Comment { line: number, text: line.trim_start_matches('#').trim().to_owned(), inside: false });
        true
    }
}

fn starts_instruction(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    line.split_whitespace().next().is_some_and(|word| WORDS.contains(&word))
}

/// Name (lower case) and value of a line of the form `# name = value`.
fn directive_parts(line: &str) -> Option<(String, &str)> {
    let (name, value) = detect::parts(line.strip_prefix('#')?)?;
    Some((name.to_ascii_lowercase(), value))
}

fn directive_name(comment: &str) -> String {
    comment.split('=').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, u32, u32)>, Directives, usize) {
        let source = Source::new(text.as_bytes());
        let mut lines = Lines::new(&source);
        let mut out = Vec::new();
        while let Some(logical) = lines.next_logical() {
            out.push((logical.text, logical.line, logical.end_line));
        }
        (out, lines.directives, lines.faults.len())
    }

    #[test]
    fn lines_are_joined_as_buildkit_joins_them() {
        let table: &[(&str, &[(&str, u32, u32)])] = &[
            ("FROM a\nRUN x \\\n  y\n", &[("FROM a", 1, 1), ("RUN x   y", 2, 3)]),
            ("RUN x \\\n # c \\\n\n y\n", &[("RUN x  y", 1, 4)]),
            ("RUN x \\\\\n y\n", &[("RUN x \\\\", 1, 1), ("y", 2, 2)]),
            ("RUN x \\  \t\n y", &[("RUN x  y", 1, 2)]),
            ("RUN x \\\u{a0}\n y", &[("RUN x \\\u{a0}", 1, 1), ("y", 2, 2)]),
            ("RUN x \\", &[("RUN x ", 1, 1)]),
            ("\u{feff}# escape=`\r\nRUN x `\r\n y\r\n", &[("RUN x  y", 2, 3)]),
            ("\n# escape=`\nRUN x `\n y", &[("RUN x `", 3, 3), ("y", 4, 4)]),
            ("#!/x\n# escape=`\nRUN x `\n y", &[("RUN x `", 3, 3), ("y", 4, 4)]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&(t, a, b)| (t.to_owned(), a, b)).collect();
            assert_eq!(read(text).0, expected, "{text:?}");
        }
    }

    #[test]
    fn directives_are_read_once_and_only_at_the_head() {
        assert_eq!(read("# escape=`\n# escape=`\nFROM a").2, 1);
        assert_eq!(read("# escape=x\nFROM a").2, 1);
        assert_eq!(read("# syntax=a\n# check=skip=all\n# syntax=a\nFROM a").2, 1);
        assert_eq!(read("# check=skip=all\n# Check=skip=all\nFROM a").2, 1);
        let directives = read("#  SYNTAX = docker/dockerfile:1  # note\n# check=skip=all\nFROM a").1;
        assert_eq!(directives.syntax.map(|frontend| (frontend.reference, frontend.line)), Some(("docker/dockerfile:1".to_owned(), 1)));
        assert_eq!(directives.check, Some(("skip=all".to_owned(), 2)));
        assert_eq!(read(&format!("RUN {}", "x".repeat(MAX_LINE))).2, 1);
    }

    #[test]
    fn ends_of_heredocs_are_found_after_a_search_in_vain() {
        let source = Source::new(b"a\nE\nb\n\tF\nE\r\nc\n");
        let mut lines = Lines::new(&source);
        for (name, chomp, expected) in [
            ("X", false, None),
            ("E", false, Some((0, 2))),
            ("F", false, None),
            ("E", false, Some((4, 9))),
            ("X", true, None),
            ("F", true, None),
            ("c", true, Some((12, 12))),
        ] {
            // Where there is no end, reading would go on at the next instruction; here it stays.
            let next = lines.next;
            let found = lines.heredoc(name, chomp).map(|range| (range.start, range.end));
            if found.is_none() {
                lines.next = next;
            }
            assert_eq!(found, expected, "{name} {chomp}");
        }
    }

    #[test]
    fn columns_are_counted_in_characters_on_lines_of_any_length() {
        let text = format!("FROM a\nRUN {}x\nRUN {}", "é€a".repeat(1_000), "ü".repeat(600));
        let source = Source::new(text.as_bytes());
        for (at, line) in [(7, 2), (text.find('x').expect("x"), 2), (text.len() - 2, 3)] {
            let start = source.text.get(..at).expect("text").rfind('\n').map_or(0, |end| end + 1);
            let column = number(source.text.get(start..at).expect("text").chars().count() + 1);
            let span = source.span(&"f".into(), &(at..at + 1));
            assert_eq!((span.line, span.column), (line, Some(column)), "{at}");
        }
        assert_eq!(source.span(&"f".into(), &(text.len()..text.len())).column, Some(605));
    }

    #[test]
    fn offsets_lead_back_to_the_original() {
        let source = Source::new("FROM a\nRUN x \\\n  yé z\n".as_bytes());
        let mut lines = Lines::new(&source);
        lines.next_logical();
        let logical = lines.next_logical().expect("second");
        let at = logical.text.find('z').expect("z");
        let span = source.span(&"f".into(), &logical.range(&(at..at + 1)));
        assert_eq!((span.line, span.column, span.end_column), (3, Some(6), Some(6)));
    }
}
