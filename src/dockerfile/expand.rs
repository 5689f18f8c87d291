//! Text with `$variables` in, the expanded text and how certain it is out. Reference: `frontend/dockerfile/shell/lex.go`.

use super::source::slice;

/// How deep `${a:-${b:-...}}` is followed.
const MAX_DEPTH: usize = 32;
/// The longest expansion that is known, in bytes: Linux hands no longer variable to a program.
const MAX_LENGTH: usize = 1 << 17;
/// The most characters of a value times those of a pattern that are compared.
const MAX_COMPARED: usize = 1 << 16;

/// How certain a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// The file alone, or a build argument of this run, decides.
    Known,
    /// A default that a caller may change.
    Default,
    /// Declared without a value: empty, unless a caller gives one.
    Unset,
    /// Nothing here says what it is.
    Unknown,
}

/// A value and how certain it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// The text; unknown parts are empty.
    pub(super) text: String,
    /// How certain it is.
    pub(super) certainty: Certainty,
}

impl Value {
    /// Whether the text can be judged.
    pub(super) fn is_decided(&self) -> bool {
        self.certainty <= Certainty::Default
    }

    /// The value of a variable that is declared and not set.
    pub(super) const fn unset() -> Self {
        Self { text: String::new(), certainty: Certainty::Unset }
    }

    /// A value that the file decides.
    pub(super) fn known(text: impl Into<String>) -> Self {
        Self { text: text.into(), certainty: Certainty::Known }
    }

    /// A value that nothing decides.
    pub(super) const fn unknown() -> Self {
        Self { text: String::new(), certainty: Certainty::Unknown }
    }
}

/// What to do with quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// They go, as in words of instructions.
    Remove,
    /// They are text, as in heredoc bodies.
    Keep,
}

/// Expands `text`; `lookup` gives `None` for a name that is certainly not set.
///
/// # Errors
/// BuildKit's words for a bad substitution or an open quote.
pub(super) fn expand(text: &str, escape: char, quotes: Quotes, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<Value, String> {
    let mut out = Value::known("");
    Expander { escape, quotes, lookup, depth: 0 }.run(text, &mut out)?;
    Ok(out)
}

struct Expander<'a> {
    escape: char,
    quotes: Quotes,
    lookup: &'a dyn Fn(&str) -> Option<Value>,
    depth: usize,
}

impl Expander<'_> {
    fn run(&self, text: &str, out: &mut Value) -> Result<(), String> {
        if self.depth > MAX_DEPTH {
            return Err("substitution is nested too deeply".to_owned());
        }
        let mut rest = text;
        let mut double = false;
        while let Some(c) = rest.chars().next() {
            if out.text.len() > MAX_LENGTH {
                *out = Value::unknown();
            }
            let after = slice(rest, c.len_utf8()..rest.len());
            rest = match c {
                '\'' if self.quotes == Quotes::Remove && !double => {
                    let end = after.find('\'').ok_or("unexpected end of statement while looking for matching single-quote")?;
                    out.text.push_str(slice(after, 0..end));
                    slice(after, end + 1..after.len())
                }
                '"' if self.quotes == Quotes::Remove => {
                    double = !double;
                    after
                }
                '$' => self.dollar(after, out)?,
                c if c == self.escape => {
                    let Some(next) = after.chars().next() else {
                        if self.quotes == Quotes::Keep || double {
                            out.text.push(c);
                        }
                        break;
                    };
                    let special = matches!(next, '"' | '$') || next == self.escape;
                    if (double || self.quotes == Quotes::Keep) && !special {
                        out.text.push(c);
                    }
                    out.text.push(next);
                    slice(after, next.len_utf8()..after.len())
                }
                c => {
                    out.text.push(c);
                    after
                }
            };
        }
        if double {
            return Err("unexpected end of statement while looking for matching double-quote".to_owned());
        }
        if out.text.len() > MAX_LENGTH {
            *out = Value::unknown();
        }
        Ok(())
    }

    /// Expands what follows a `$` and gives what comes after it.
    fn dollar<'t>(&self, rest: &'t str, out: &mut Value) -> Result<&'t str, String> {
        if let Some(body) = rest.strip_prefix('{') {
            return self.braces(body, out);
        }
        let length = name_length(rest);
        if length == 0 {
            out.text.push('$');
            return Ok(rest);
        }
        if let Some(value) = (self.lookup)(slice(rest, 0..length)) {
            push(out, &value);
        }
        Ok(slice(rest, length..rest.len()))
    }

    fn braces<'t>(&self, body: &'t str, out: &mut Value) -> Result<&'t str, String> {
        let length = name_length(body);
        if length == 0 {
            return Err("syntax error: bad substitution".to_owned());
        }
        let name = slice(body, 0..length);
        let tail = slice(body, length..body.len());
        let value = (self.lookup)(name);
        if let Some(after) = tail.strip_prefix('}') {
            if let Some(value) = value {
                push(out, &value);
            }
            return Ok(after);
        }
        let end = closing_brace(tail, self.escape).ok_or("syntax error: missing '}'")?;
        let after = slice(tail, end + 1..tail.len());
        let inner = slice(tail, 0..end);
        let (colon, operation) = inner.strip_prefix(':').map_or((false, inner), |rest| (true, rest));
        let operator = operation.chars().next().unwrap_or_default();
        let set = value.as_ref().is_some_and(|value| match value.certainty {
            Certainty::Unset => false,
            // A default stands for what nobody may have set, except where every image sets it.
            Certainty::Unknown => operator != '-' || name == "PATH",
            Certainty::Known | Certainty::Default => !colon || !value.text.is_empty(),
        });
        // A caller may set what is only declared, a base image what is not.
        let is_open = |certainty: Certainty| matches!(certainty, Certainty::Unset | Certainty::Unknown);
        let caller = if value.as_ref().is_some_and(|value| is_open(value.certainty)) { Certainty::Default } else { Certainty::Known };
        let word = slice(operation, operator.len_utf8()..operation.len());
        let nested = Self { escape: self.escape, quotes: self.quotes, lookup: self.lookup, depth: self.depth + 1 };
        match operator {
            '-' if set => push(out, &value.unwrap_or_else(Value::unknown)),
            '-' => {
                nested.run(word, out)?;
                let known = value.map_or(Certainty::Known, |value| value.certainty);
                out.certainty = out.certainty.max(if is_open(known) { caller } else { known });
            }
            '+' if set => {
                nested.run(word, out)?;
                out.certainty = out.certainty.max(value.map_or(Certainty::Known, |value| value.certainty));
            }
            '+' => out.certainty = out.certainty.max(caller),
            '?' if set => push(out, &value.unwrap_or_else(Value::unknown)),
            '?' => {
                let mut message = Value::known("");
                nested.run(word, &mut message)?;
                return Err(format!("{name}: {}", if message.text.is_empty() { "is not allowed to be unset" } else { &message.text }));
            }
            '#' | '%' | '/' if !colon => {
                let mut pattern = Value::known("");
                nested.run(word.strip_prefix(operator).unwrap_or(word), &mut pattern)?;
                let mut value = value.unwrap_or_else(|| Value::known(""));
                let certainty = value.certainty.max(pattern.certainty);
                value = match trim_pattern(&value.text, operator, word.starts_with(operator), &pattern.text) {
                    Some(text) => Value { text, certainty },
                    None => Value::unknown(),
                };
                push(out, &value);
            }
            _ if colon => return Err(format!("unsupported modifier (:{operator}) in substitution")),
            _ => return Err(format!("unsupported modifier ({operator}) in substitution")),
        }
        Ok(after)
    }
}

fn push(out: &mut Value, value: &Value) {
    out.text.push_str(&value.text);
    out.certainty = out.certainty.max(value.certainty);
}

/// The length of a variable's name: letters, or digits only, or one special character.
pub(super) fn name_length(text: &str) -> usize {
    match text.bytes().next() {
        Some(b) if b.is_ascii_alphabetic() || b == b'_' => text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count(),
        Some(b) if b.is_ascii_digit() => text.bytes().take_while(u8::is_ascii_digit).count(),
        Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => 1,
        _ => 0,
    }
}

fn closing_brace(text: &str, escape: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == escape => {
                chars.next();
            }
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What is left of a value; `None` where that is too much to find out.
fn trim_pattern(text: &str, operator: char, doubled: bool, pattern: &str) -> Option<String> {
    if operator == '/' {
        let (find, replacement) = pattern.split_once('/').unwrap_or((pattern, ""));
        if find.is_empty() {
            return Some(text.to_owned());
        }
        let most = if doubled { usize::MAX } else { 1 };
        let count = text.matches(find).take(most).count();
        let fits = count.saturating_mul(replacement.len()).saturating_add(text.len()) <= MAX_LENGTH;
        return fits.then(|| text.replacen(find, replacement, count));
    }
    let mut pieces = pieces(pattern);
    if text.len().saturating_mul(pieces.len()) > MAX_COMPARED {
        return None;
    }
    let from_end = operator == '%';
    let cut = if from_end {
        pieces.reverse();
        cut(&pieces, text.chars().rev(), doubled)
    } else {
        cut(&pieces, text.chars(), doubled)
    };
    let Some(cut) = cut else { return Some(text.to_owned()) };
    let kept = if from_end { 0..text.len() - cut } else { cut..text.len() };
    Some(slice(text, kept).to_owned())
}

/// One element of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut chars = pattern.chars();
    let mut pieces = Vec::new();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            c => Piece::Char(c),
        });
    }
    pieces
}

/// How many bytes from the start of the characters fit the whole pattern, the fewest or the most; all places of the pattern are followed at once.
fn cut(pieces: &[Piece], text: impl Iterator<Item = char>, longest: bool) -> Option<usize> {
    let mut now = vec![false; pieces.len() + 1];
    let mut found = None;
    let mut read = 0;
    if let Some(first) = now.first_mut() {
        *first = true;
    }
    pass_over_any(pieces, &mut now);
    let mut text = text;
    loop {
        if now.last() == Some(&true) {
            found = Some(read);
            if !longest {
                return found;
            }
        }
        let Some(c) = text.next() else { return found };
        read += c.len_utf8();
        let mut next = vec![false; now.len()];
        for (at, piece) in pieces.iter().enumerate().filter(|(at, _)| now.get(*at) == Some(&true)) {
            let to = match piece {
                Piece::Any => at,
                Piece::One => at + 1,
                Piece::Char(own) if *own == c => at + 1,
                Piece::Char(_) => continue,
            };
            if let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        pass_over_any(pieces, &mut next);
        now = next;
    }
}

/// A `*` may also stand for nothing.
fn pass_over_any(pieces: &[Piece], places: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if *piece == Piece::Any
            && places.get(at) == Some(&true)
            && let Some(next) = places.get_mut(at + 1)
        {
            *next = true;
        }
    }
}

/// Whether `*`, `?` and `\` patterns match; linear in the product of both lengths.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some('\\') if pattern.get(p + 1) == text.get(t) => (p, t) = (p + 2, t + 1),
            Some(c) if Some(c) == text.get(t) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_buildkit_does() {
        let lookup = |name: &str| match name {
            "A" => Some(Value::known("1.2.3")),
            "D" => Some(Value { text: "d".to_owned(), certainty: Certainty::Default }),
            "E" => Some(Value::known("")),
            "U" | "PATH" => Some(Value::unknown()),
            _ => None,
        };
        let known = |text: &str| Ok((text.to_owned(), Certainty::Known));
        let table: &[(&str, Result<(String, Certainty), ()>)] = &[
            ("x$A", known("x1.2.3")),
            ("${A%.*}", known("1.2")),
            ("${A%%.*}", known("1")),
            ("${A#*.}", known("2.3")),
            ("${A##*.}", known("3")),
            ("${A/./-}", known("1-2.3")),
            ("${A//./-}", known("1-2-3")),
            ("${A#?.}${A%.?}", known("2.31.2")),
            ("${A#*}|${A##*}|${A%*}|${A%%*}", known("1.2.3||1.2.3|")),
            ("${A%.[3]}${A#\\1}${A%3*}${A%%.*3}", known("1.2.3.2.31.2.1")),
            ("${X:-y}", known("y")),
            ("${E:-y}", known("y")),
            ("${E-y}", known("")),
            ("${U:-y}", Ok(("y".to_owned(), Certainty::Default))),
            ("${U-${A}}", Ok(("1.2.3".to_owned(), Certainty::Default))),
            ("${U:-$U}", Ok((String::new(), Certainty::Unknown))),
            ("${U:+y}", Ok(("y".to_owned(), Certainty::Unknown))),
            ("${PATH:-/bin}", Ok((String::new(), Certainty::Unknown))),
            ("${A:+y}", known("y")),
            ("${X:-${X:-z}}", known("z")),
            ("'$A' \"$A\" \\$A", known("$A 1.2.3 $A")),
            ("a\"b c\"", known("ab c")),
            ("$$ $", known("$")),
            ("${D}", Ok(("d".to_owned(), Certainty::Default))),
            ("a:$U", Ok(("a:".to_owned(), Certainty::Unknown))),
            ("${}", Err(())),
            ("${X:?need}", Err(())),
            ("${A:#x}", Err(())),
            ("'b", Err(())),
            ("${A", Err(())),
        ];
        for (text, expected) in table {
            let found = expand(text, '\\', Quotes::Remove, &lookup).map(|value| (value.text, value.certainty)).map_err(|_| ());
            if *text == "$$ $" {
                // `$$` is the process id, which nothing knows here.
                assert_eq!(found, Ok((" $".to_owned(), Certainty::Known)));
                continue;
            }
            assert_eq!(&found, expected, "{text}");
        }
    }

    #[test]
    fn what_grows_without_end_is_not_known() {
        let long = Value::known("ab".repeat(MAX_LENGTH / 3));
        let lookup = |_: &str| Some(long.clone());
        for text in ["$A$A", "${A//a/$A}", "${A##*c}", "${A%%b*}x$A"] {
            let value = expand(text, '\\', Quotes::Remove, &lookup).expect("legal");
            assert!(value.certainty == Certainty::Unknown && value.text.len() <= 2 * MAX_LENGTH, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let text = format!("{}x{}", "${A:-".repeat(10_000), "}".repeat(10_000));
        assert!(expand(&text, '\\', Quotes::Remove, &|_| None).is_err());
    }
}
