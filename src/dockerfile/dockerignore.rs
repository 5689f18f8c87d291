//! `.dockerignore`: the text in, which paths of a build's folder stay behind out. The rules are those of the matcher that BuildKit uses
//! (<https://docs.docker.com/build/concepts/context/#dockerignore-files>, <https://pkg.go.dev/github.com/moby/patternmatcher>).

use super::source::slice;

/// Most patterns of one file, and the longest.
const MAX_PATTERNS: usize = 5_000;
const MAX_PATTERN: usize = 4_096;
/// Most signs of all patterns that are no plain text, and the longest path that is compared: their product bounds the time.
const MAX_SIGNS: usize = 32_768;
const MAX_PATH: usize = 1_024;

/// Why nothing can be said of an ignore file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoreFault {
    /// The builder refuses it, and with it the build.
    Refused(String),
    /// It is larger than what is read here.
    TooLarge(String),
}

/// The patterns of one ignore file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnorePatterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// `!`: what fits comes back in.
    is_negated: bool,
    /// What fits.
    matcher: Matcher,
    /// The text before the first sign with a meaning.
    head: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Matcher {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Signs(Vec<Sign>),
}

/// How a pattern is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Signs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sign {
    One(char),
    /// `?`: one character of a name.
    Any,
    /// `*`: a part of a name.
    Star,
    /// `**/`: any folders, or none.
    Folders,
    /// `**` at the end: everything.
    Rest,
    Class {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl IgnoreFault {
    fn on_line(self, line: usize) -> Self {
        match self {
            Self::Refused(fault) => Self::Refused(format!("line {line}: {fault}")),
            Self::TooLarge(fault) => Self::TooLarge(format!("line {line}: {fault}")),
        }
    }
}

impl IgnorePatterns {
    /// Reads an ignore file.
    ///
    /// # Errors
    /// When a pattern is one that the builder refuses, or there are too many; the words name the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, IgnoreFault> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            // Only a mark in the first column makes a comment.
            let trimmed = line.trim();
            if line.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            if patterns.len() == MAX_PATTERNS {
                return Err(IgnoreFault::TooLarge(format!("it has more than {MAX_PATTERNS} patterns")));
            }
            patterns.push(Pattern::parse(trimmed).map_err(|fault| fault.on_line(index + 1))?);
        }
        let this = Self { patterns };
        if this.signs() > MAX_SIGNS {
            return Err(IgnoreFault::TooLarge(format!("its patterns have more than {MAX_SIGNS} signs")));
        }
        Ok(this)
    }

    fn signs(&self) -> usize {
        self.patterns.iter().map(|pattern| if let Matcher::Signs(signs) = &pattern.matcher { signs.len() } else { 1 }).sum()
    }

    /// How many steps it takes at most to compare a path, for those who compare very many.
    #[must_use]
    pub fn cost(&self, path: &str) -> usize {
        self.signs().saturating_mul(path.len())
    }

    /// Whether the path is not too long to be compared.
    pub(super) fn compares(&self, path: &str) -> bool {
        path.len() <= MAX_PATH || self.patterns.is_empty()
    }

    /// The patterns of `--exclude` flags; one that the builder refuses fits nothing.
    pub(super) fn of<'t>(patterns: impl Iterator<Item = &'t str>) -> Self {
        Self { patterns: patterns.take(MAX_PATTERNS).filter_map(|text| Pattern::parse(text.trim()).ok()).collect() }
    }

    /// Whether the path, without `/` in front, stays behind: the last pattern that fits it or a folder above it says so.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        if path.len() > MAX_PATH {
            return false;
        }
        let mut is_excluded = false;
        for pattern in &self.patterns {
            if pattern.is_negated == is_excluded && pattern.fits_or_above(path) {
                is_excluded = !pattern.is_negated;
            }
        }
        is_excluded
    }

    /// Whether the folder and all that lies in it stay behind.
    #[must_use]
    pub fn prunes(&self, folder: &str) -> bool {
        let may_return = |pattern: &Pattern| {
            let head = pattern.head.as_str();
            let below = head.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            pattern.is_negated && (below || folder.starts_with(head) || head.is_empty())
        };
        self.excludes(folder) && !self.patterns.iter().any(may_return)
    }

    /// Whether nothing that COPY takes by this path is sent: it stays behind, and no pattern takes anything below it back in. The path may be a
    /// pattern of COPY itself, which is compared as text, as the builder's own check does.
    pub(super) fn keeps_out(&self, source: &str) -> bool {
        if !self.excludes(source) {
            return false;
        }
        let below = match source.find(['*', '?', '[', '\\']) {
            Some(at) => slice(source, 0..at).to_owned(),
            None => format!("{source}/"),
        };
        // All that lies below stays behind with it, unless a later pattern says otherwise.
        let last = self.patterns.iter().rposition(|pattern| !pattern.is_negated && pattern.fits_or_above(source));
        let later = self.patterns.get(last.unwrap_or_default()..).unwrap_or_default();
        !later.iter().any(|pattern| pattern.is_negated && pattern.may_fit_below(&below))
    }

    /// Whether a pattern takes something back in.
    fn has_negation(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_negated)
    }

    /// Whether a pattern fits every path at the top of the folder.
    pub(super) fn excludes_everything(&self) -> bool {
        let fits_all = |pattern: &Pattern| match &pattern.matcher {
            Matcher::Suffix(end) | Matcher::Prefix(end) => end.is_empty(),
            Matcher::Signs(signs) => matches!(signs.as_slice(), [Sign::Star | Sign::Rest] | [Sign::Folders, Sign::Star | Sign::Rest]),
            Matcher::Exact(_) => false,
        };
        !self.has_negation() && self.patterns.iter().any(fits_all)
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, IgnoreFault> {
        let (is_negated, body) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim()));
        if body.is_empty() {
            return Err(IgnoreFault::Refused("a `!` without a pattern".to_owned()));
        }
        if body.len() > MAX_PATTERN {
            return Err(IgnoreFault::TooLarge(format!("a pattern of more than {MAX_PATTERN} bytes")));
        }
        let body = clean(body);
        let body = if body.len() > 1 { body.strip_prefix('/').unwrap_or(&body) } else { &body };
        check_syntax(body).ok_or_else(|| IgnoreFault::Refused(format!("`{body}` is no pattern")))?;
        let head = slice(body, 0..body.find(['*', '?', '[', '\\']).unwrap_or(body.len())).to_owned();
        Ok(Self { is_negated, matcher: Matcher::of(body), head })
    }

    fn fits_or_above(&self, path: &str) -> bool {
        self.matcher.fits_or_above(path)
    }

    /// Whether it could fit a path that begins like this.
    fn may_fit_below(&self, start: &str) -> bool {
        let may_begin = |head: &str| head.starts_with(start) || start.starts_with(head);
        match &self.matcher {
            Matcher::Exact(text) => text.starts_with(start),
            Matcher::Prefix(text) => may_begin(text),
            Matcher::Suffix(_) => true,
            Matcher::Signs(_) => may_begin(&self.head),
        }
    }
}

impl Matcher {
    fn of(pattern: &str) -> Self {
        let mut signs = Vec::new();
        let mut kind = Kind::Exact;
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            let is_first = signs.is_empty();
            match c {
                '*' if chars.next_if_eq(&'*').is_some() => {
                    chars.next_if_eq(&'/');
                    let is_last = chars.peek().is_none();
                    kind = match (is_first, is_last, kind) {
                        (true, ..) => Kind::Suffix,
                        (false, true, Kind::Exact) => Kind::Prefix,
                        _ => Kind::Signs,
                    };
                    signs.push(if is_last { Sign::Rest } else { Sign::Folders });
                }
                '*' | '?' => {
                    kind = Kind::Signs;
                    signs.push(if c == '*' { Sign::Star } else { Sign::Any });
                }
                '\\' => {
                    kind = Kind::Signs;
                    signs.push(Sign::One(chars.next().unwrap_or('\\')));
                }
                '[' => {
                    kind = Kind::Signs;
                    let is_negated = chars.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while let Some(low) = class_char(&mut chars) {
                        let high = if chars.next_if_eq(&'-').is_some() { class_char(&mut chars).unwrap_or(low) } else { low };
                        ranges.push((low, high));
                    }
                    chars.next_if_eq(&']');
                    signs.push(Sign::Class { is_negated, ranges });
                }
                c => signs.push(Sign::One(c)),
            }
        }
        // The builder compares plain patterns as text: `**x` fits every path that ends like that.
        match kind {
            Kind::Exact => Self::Exact(pattern.to_owned()),
            Kind::Prefix => Self::Prefix(pattern.strip_suffix("**").unwrap_or(pattern).to_owned()),
            Kind::Suffix => Self::Suffix(slice(pattern, 2..pattern.len()).to_owned()),
            Kind::Signs => Self::Signs(signs),
        }
    }

    /// Whether it fits the path or a folder above it.
    fn fits_or_above(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path.strip_prefix(text.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            // What begins a folder's path begins those of all that lies in it.
            Self::Prefix(text) => path.starts_with(text.as_str()),
            Self::Suffix(text) => {
                let fits = |path: &str| path.ends_with(text.as_str()) || text.strip_prefix('/').is_some_and(|rest| path == rest);
                fits(path) || path.match_indices('/').any(|(at, _)| fits(slice(path, 0..at)))
            }
            Self::Signs(signs) => fit(signs, path),
        }
    }
}

/// The next character of a class; `None` at its end.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.peek()? {
        ']' => None,
        '\\' => {
            chars.next();
            chars.next()
        }
        _ => chars.next(),
    }
}

/// Whether the signs fit the path or a folder above it: all ways are followed side by side, so that the time is the product of both lengths.
fn fit(signs: &[Sign], path: &str) -> bool {
    let mut open = vec![false; signs.len() + 1];
    reach(signs, &mut open, 0);
    let mut next = vec![false; signs.len() + 1];
    for c in path.chars() {
        if c == '/' && open.last().copied().unwrap_or_default() {
            return true;
        }
        next.fill(false);
        for (at, sign) in signs.iter().enumerate() {
            if !open.get(at).copied().unwrap_or_default() {
                continue;
            }
            match sign {
                Sign::One(wanted) if *wanted == c => reach(signs, &mut next, at + 1),
                Sign::Any if c != '/' => reach(signs, &mut next, at + 1),
                Sign::Star if c != '/' => reach(signs, &mut next, at),
                Sign::Rest => reach(signs, &mut next, at),
                Sign::Folders => {
                    // Inside of it the way on is open only behind a slash.
                    if let Some(here) = next.get_mut(at) {
                        *here = true;
                    }
                    if c == '/' {
                        reach(signs, &mut next, at + 1);
                    }
                }
                Sign::Class { is_negated, ranges } if ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *is_negated => {
                    reach(signs, &mut next, at + 1);
                }
                _ => {}
            }
        }
        std::mem::swap(&mut open, &mut next);
    }
    open.last().copied().unwrap_or_default()
}

/// Opens a place, and those behind signs that may fit nothing.
fn reach(signs: &[Sign], open: &mut [bool], at: usize) {
    let mut at = at;
    loop {
        let Some(here) = open.get_mut(at) else { return };
        if std::mem::replace(here, true) && !matches!(signs.get(at), Some(Sign::Folders)) {
            return;
        }
        if !matches!(signs.get(at), Some(Sign::Star | Sign::Folders | Sign::Rest)) {
            return;
        }
        at += 1;
    }
}

/// Refuses what the builder refuses: for Go's `filepath.Match` open or empty classes and a dangling escape, and what is no regular expression when
/// the pattern is made into one, ranges that run backwards and escapes that do not exist.
fn check_syntax(pattern: &str) -> Option<()> {
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escaped(&mut chars).map(drop)?,
            '[' => {
                chars.next_if_eq(&'^');
                let mut count = 0_usize;
                while count == 0 || chars.next_if_eq(&']').is_none() {
                    let low = class_end(&mut chars)?;
                    let high = if chars.next_if_eq(&'-').is_some() { class_end(&mut chars)? } else { low };
                    if low > high {
                        return None;
                    }
                    count += 1;
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// One end of a range in a class.
fn class_end(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        ']' | '-' => None,
        '\\' => escaped(chars),
        c => Some(c),
    }
}

/// The character behind a backslash. Of letters and digits Go's regular expressions know only some.
fn escaped(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    chars.next().filter(|c| !c.is_ascii_alphanumeric() || "ABDPQSWabdfnprstvwxz0".contains(*c))
}

/// The shortest path that says the same, as Go's `filepath.Clean`.
pub(super) fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(patterns: &str, path: &str) -> bool {
        IgnorePatterns::parse(patterns.as_bytes()).expect("patterns").excludes(path)
    }

    #[test]
    fn one_pattern_fits_as_it_does_for_the_builder() {
        let table = [
            ("**", "a", true),
            ("**", "a/b", true),
            ("**/", "a/b", true),
            ("**/**", "a/b", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/a/b", true),
            ("dir/**", "dirs/a", false),
            ("**/dir", "dir", true),
            ("**/dir", "a/b/dir", true),
            ("**/dir", "a/bdir", false),
            ("**/dir", "dir/file", true),
            ("**dir", "adir", true),
            ("**dir*", "adir", false),
            ("**dir*", "a/dirs", true),
            ("**/dir/**", "a/dir/f", true),
            ("**/dir/**", "a/dir", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a/**b", "a/xb", false),
            ("a**/*.txt", "abc/x.txt", true),
            ("*.md", "x.md", true),
            ("*.md", "d/x.md", false),
            ("*/*.md", "d/x.md", true),
            ("**/*.md", "x.md", true),
            ("**/*.md", "d/e/x.md", true),
            ("*", "d/e", true),
            (".*", ".git/config", true),
            (".*", "a", false),
            ("?.c", "a.c", true),
            ("?.c", "/.c", false),
            ("[a-c].c", "b.c", true),
            ("[^a-c].c", "b.c", false),
            ("[^a-c].c", "d.c", true),
            ("[\\]a].c", "].c", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a.b", "axb", false),
            ("a+(b)|{c}$", "a+(b)|{c}$", true),
            ("dir", "dir/a/b", true),
            ("dir", "dirs", false),
            ("./dir", "dir", true),
            ("/dir", "dir", true),
            ("//dir/", "dir/x", true),
            ("a/../b", "b", true),
            ("../x", "x", false),
            ("é*", "éa", true),
            (" dir ", "dir", true),
            (" # x", "# x", true),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        let wrong: Vec<_> = table.iter().filter(|(pattern, path, expected)| excluded(pattern, path) != *expected).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn the_last_pattern_that_fits_says() {
        let table = [
            ("*\n!keep", "keep", false),
            ("*\n!keep", "keep/a", false),
            ("!keep\n*", "keep", true),
            ("**\n!src/**", "src/a", false),
            ("dir\n!dir/a\ndir/a/b", "dir/a/c", false),
            ("dir\n!dir/a\ndir/a/b", "dir/a/b", true),
            ("dir\n!dir/a\ndir/a/b", "dir/z", true),
            ("# *\n\n", "a", false),
            ("\u{feff}a", "a", true),
            ("a\r\nb\r\n", "a", true),
            ("*.pem\n! ca.pem", "ca.pem", false),
            ("!/inverted", "inverted", false),
        ];
        let wrong: Vec<_> = table.iter().filter(|(patterns, path, expected)| excluded(patterns, path) != *expected).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn what_the_builder_refuses_is_refused() {
        for wrong in ["!", "a\n!  ", "[", "[]", "[a", "[^]", "[-a]", "[a-]", "a\\", "[a\\"] {
            assert!(IgnorePatterns::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        for wrong in ["[z-a]", "x[b-a]*", "[a-cz-y]", "\\e", "[\\y]"] {
            assert!(matches!(IgnorePatterns::parse(wrong.as_bytes()), Err(IgnoreFault::Refused(_))), "{wrong}");
        }
        assert_eq!(IgnorePatterns::parse(b"a\n[").expect_err("open"), IgnoreFault::Refused("line 2: `[` is no pattern".to_owned()));
        assert!(IgnorePatterns::parse("a\n".repeat(6_000).as_bytes()).is_err());
        assert!(IgnorePatterns::parse("*aaaaaaaaaaaaaaa\n".repeat(4_000).as_bytes()).is_err());
    }

    #[test]
    fn a_folder_is_passed_over_only_when_nothing_in_it_can_come_back() {
        let prunes = |patterns: &str, folder: &str| IgnorePatterns::parse(patterns.as_bytes()).expect("patterns").prunes(folder);
        assert!(prunes("node_modules", "node_modules"));
        assert!(prunes("node_modules\n!src", "node_modules"));
        assert!(!prunes("node_modules\n!node_modules/x", "node_modules"));
        assert!(!prunes("node_modules\n!**/x", "node_modules"));
        assert!(!prunes("*\n!node*/x", "node_modules"));
        assert!(!prunes("other", "node_modules"));
    }

    #[test]
    fn a_path_is_kept_out_when_nothing_below_it_comes_back() {
        for (patterns, source, expected) in [
            ("dist", "dist", true),
            ("dist\n!src", "dist", true),
            ("dist\n!dist/a", "dist", false),
            ("dist\n!dist/a\ndist", "dist", true),
            ("dist\n!dist", "dist", false),
            ("dist\n!dist/a", "dist/b", true),
            ("dist\n!dist/a", "dist/a", false),
            ("*\n!src", "package.json", true),
            ("*\n!src/**", "src", false),
            ("*\n!src/**", "src/a", false),
            ("*\n!src/*.c", "src", false),
            ("*\n!src/*.c", "docs", true),
            ("*\n!**/keep", "docs", false),
            ("*\n!src/a.c", "src/*.c", false),
            ("*\n!src/a.c", "lib/*.c", true),
            ("*\n!application", "app", true),
            ("a", "b", false),
        ] {
            assert_eq!(IgnorePatterns::parse(patterns.as_bytes()).expect("patterns").keeps_out(source), expected, "{patterns:?} {source}");
        }
    }

    #[test]
    fn everything_is_known_when_it_is_excluded() {
        let all = |patterns: &str| IgnorePatterns::parse(patterns.as_bytes()).expect("patterns").excludes_everything();
        assert!(all("*") && all("**") && all("**/*") && all("a\n*"));
        assert!(!all(".*") && !all("*\n!a") && !all("a") && !all(""));
    }
}
