//! Shell code in, what the grammar of `brush_parser` would spend on it out, which grows exponentially with the depth of `case`, of brackets in
//! `((`, `[[` and arithmetic, and of the subscripts in `${a[${b[...]}]}`. The constants are measured, per nesting of each kind, and rounded up.

use std::cell::Cell;

use brush_parser::Token;

/// How much may be spent on the code of one file, in tenths of a microsecond.
const MOST_EFFORT: usize = 2_000_000;
/// A token one level down.
const TOKEN: usize = 6;
/// An expansion within another.
const EXPANSION: usize = 8;
/// A subscript in a word, and how many times as much one within another is.
const SUBSCRIPT: usize = 40;
const SUBSCRIPT_WITHIN: usize = 24;
/// So many brackets within each other cost no more than a `case`.
const CHEAP_BRACKETS: u32 = 4;

/// What is left of what may be spent on the code of one file.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MOST_EFFORT))
    }
}

impl Budget {
    /// Takes what some code costs; false, and nothing taken, where that is more than what is left.
    pub(super) fn affords(&self, effort: usize) -> bool {
        let left = self.0.get().checked_sub(effort);
        if let Some(left) = left {
            self.0.set(left);
        }
        left.is_some()
    }
}

/// What a script costs more than its length.
pub(super) fn of_script(tokens: &[Token]) -> usize {
    let (mut cases, mut brackets, mut cost) = (0_u32, 0_u32, 0_usize);
    // The depth of brackets outside the outermost `((`, in which `esac` may be a number.
    let mut arithmetic = None;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        match token {
            Token::Operator(operator, span) if operator == "(" => {
                let is_next =
                    |other: &Token| matches!(other, Token::Operator(operator, at) if operator == "(" && at.end.index == span.start.index);
                if arithmetic.is_none() && before.is_some_and(is_next) {
                    arithmetic = Some(brackets.saturating_sub(1));
                }
                brackets += 1;
            }
            Token::Operator(operator, _) if operator == ")" => {
                brackets = brackets.saturating_sub(1);
                arithmetic = arithmetic.filter(|outside| brackets > *outside);
            }
            Token::Operator(..) => {}
            Token::Word(word, _) => {
                if word == "case" && is_case(tokens.get(at + 1..).unwrap_or_default()) {
                    cases += 1;
                }
                if word == "esac" && arithmetic.is_none() && before.is_some_and(ends_command) {
                    cases = cases.saturating_sub(1);
                }
                // The grammar itself reads assignments, `a[${b[0]}]=c`, and tries every word as one.
                if word.contains('[') && word.contains("${") {
                    cost = cost.saturating_add(of_expansions(word));
                }
            }
        }
        let depth = cases + brackets.saturating_sub(CHEAP_BRACKETS);
        let level = 2_usize.checked_pow(depth).map_or(usize::MAX, |all| all - 1);
        cost = cost.saturating_add(level.saturating_mul(TOKEN));
    }
    cost
}

/// Whether what follows the word `case` is that of a clause: a word and `in`.
fn is_case(rest: &[Token]) -> bool {
    let mut words = rest.iter().skip(1).skip_while(|token| matches!(token, Token::Operator(operator, _) if operator == "\n"));
    matches!(words.next(), Some(Token::Word(word, _)) if word == "in")
}

/// Whether a command or a pattern may begin behind a token.
fn ends_command(token: &Token) -> bool {
    matches!(token, Token::Operator(operator, _) if matches!(operator.as_str(), ";" | ";;" | ";&" | ";;&" | "&" | "\n" | ")"))
}

/// What a word costs, or the text of a here-document.
pub(super) fn of_word(raw: &str) -> usize {
    let expansions = if raw.contains("${") { of_expansions(raw) } else { 0 };
    if !raw.contains("$[") && !raw.contains("$((") {
        return expansions;
    }
    // Each bracket is tried as a group and as text, whatever else closes.
    let brackets = raw.bytes().filter(|byte| *byte == b'(').count();
    let groups = 2_usize.saturating_pow(u32::try_from(brackets).unwrap_or(u32::MAX));
    expansions.max(1).saturating_mul(groups)
}

/// Where the reader of an expansion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Behind a name.
    Name,
    /// In a subscript, so many brackets deep.
    Subscript(usize),
    /// Behind a subscript.
    Subscripted,
}

/// What the expansions in a word cost, one within another, and their subscripts.
fn of_expansions(raw: &str) -> usize {
    // Of so many of the open ones it is not sure that a `}` closes them: it may stand in quotes.
    let (mut open, mut unsure) = (Vec::new(), 0);
    let (mut subscripts, mut cost) = (0_u32, 0_usize);
    let (mut before, mut is_head) = (b' ', true);
    for byte in raw.bytes() {
        let is_named = before.is_ascii_alphanumeric() || matches!(before, b'_' | b'!' | b'#' | b'@' | b'*');
        match byte {
            b'{' if before == b'$' => {
                open.push(Inside::Name);
                let level = 2_usize.saturating_pow(u32::try_from(open.len()).unwrap_or(u32::MAX));
                let within = SUBSCRIPT_WITHIN.saturating_pow(subscripts);
                cost = cost.saturating_add(level.saturating_sub(2).saturating_mul(EXPANSION).saturating_mul(within));
            }
            // At the head of a word, it is that of an assignment.
            b'[' if is_named && (!open.is_empty() || is_head) => {
                if let Some(last) = open.last_mut() {
                    *last = match *last {
                        Inside::Subscript(brackets) => Inside::Subscript(brackets + 1),
                        _ => Inside::Subscript(0),
                    };
                }
                cost = cost.saturating_add(SUBSCRIPT.saturating_mul(SUBSCRIPT_WITHIN.saturating_pow(subscripts)));
                subscripts += 1;
            }
            b']' => {
                if let Some(last) = open.last_mut()
                    && let Inside::Subscript(brackets) = *last
                {
                    *last = brackets.checked_sub(1).map_or(Inside::Subscripted, Inside::Subscript);
                }
            }
            b'}' if open.len() > unsure && !matches!(open.last(), Some(Inside::Subscript(_))) => {
                subscripts = subscripts.saturating_sub(u32::from(open.pop() == Some(Inside::Subscripted)));
            }
            b'"' | b'\'' | b'\\' | b'`' | b'(' | b'[' => unsure = unsure.max(open.len()),
            _ => {}
        }
        before = byte;
        is_head &= byte.is_ascii_alphanumeric() || byte == b'_';
    }
    cost
}

#[cfg(test)]
mod tests {
    use brush_parser::tokenize_str;

    use super::*;
    use crate::dockerfile::{LintInput, lint};

    #[test]
    fn depth_is_what_costs() {
        let script = |text: &str| of_script(&tokenize_str(text).expect("tokens"));
        for text in ["a b | c && d", "(a; (b))", "echo in case of b", "a='case a in'", "[ a ] && { b; }", "a $(( (b + c) * 2 ))", "a[0]=b"]
        {
            assert_eq!(script(text), 0, "{text}");
        }
        let once = script("case a in b) c;; esac; d");
        assert!((1..200).contains(&once), "{once}");
        assert_eq!(script("case a in b) c;; esac; d; case a in b) c;; esac; d"), 2 * once, "one behind the other");
        for opener in ["case a in b) ", "case a in (b) echo esac; ", "case a in b) for ((;esac;esac)); do ", "case a\nin b) > esac "] {
            assert!(script(&opener.repeat(20)) > MOST_EFFORT, "{opener}");
        }
        for opener in ["(", "(( ( ", "[[ a =~ ("] {
            assert!(script(&opener.repeat(24)) > MOST_EFFORT, "{opener}");
        }
        for (word, most) in [
            ("${a}[0]", 0),
            ("${a[0]}", 50),
            ("\"${a[0]} ${a[1]} ${a[2]} ${#a[@]}\"", 200),
            ("${a[${b[0]}]}", 1_500),
            ("$(( (a + b) * (c + d) ))", 20),
            ("\"$((a)) ${b[0]}\"", 200),
        ] {
            assert!(of_word(word) <= most, "{word}: {}", of_word(word));
        }
        for opener in ["${a[", "${a[${b", "${!a[\"}\"", "a[${a:${b[", "a[}${a[", "a[%${a:"] {
            assert!(of_word(&opener.repeat(6)) > MOST_EFFORT, "{opener}");
        }
        for opener in ["${a##", "'${a#'", "${a##'}'", "${a##\\}", "${a#$(b })", "${a#[}]", "${a:-"] {
            assert!(of_word(&opener.repeat(24)) > MOST_EFFORT, "{opener}");
        }
        assert_eq!(of_word(&"${a:-b} ${c}".repeat(10_000)), 0);
        assert!(of_word(&"${a:-\"${b:-c}\"}".repeat(10)) < 100_000);
        for opener in ["$[<( a ", "$[ ) (", "$((", "${a[$[("] {
            assert!(of_word(&opener.repeat(24)) > MOST_EFFORT, "{opener}");
        }
    }

    #[test]
    fn what_costs_too_much_is_a_gap() {
        let nested = |opener: &str, middle: &str, closer: &str, times: usize| opener.repeat(times) + middle + &closer.repeat(times);
        let codes = [
            nested("case a in b) x; ", "y", "; esac", 22),
            nested("a ${a[", "", "]}", 12),
            nested("\"${a[${b}", "", "]}\"", 9),
            nested("a[${a[", "b", "]}]=c", 9),
            nested("(", "", "", 24),
            nested("(( (", ";", ") ))", 11),
            nested("a $[<( b ", "c", "]", 22),
            nested("(( '${a##$'", "", "", 1) + &"'${a##$'".repeat(22),
            nested("a=a[%${a:", "b", "]", 1) + &"a[%${a:".repeat(20),
        ];
        for code in codes {
            let text = format!("FROM debian:12\n{}RUN curl -k https://x.dev\n", format!("RUN {code}\n").repeat(50));
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            assert!(report.gaps.iter().any(|gap| gap.kind == "unread-shell"), "{code}: {:?}", report.gaps);
            assert!(report.findings.iter().any(|finding| finding.id == "curl-insecure"), "{code}");
        }
        let usual = "RUN case \"$(uname -m)\" in x86_64) case $A in b) a=${b[${i}]};; esac ;; *) exit 1 ;; esac; a=$(( ((1 + 2) * 3) ))\n"
            .repeat(100);
        let text = format!("FROM debian:12\nSHELL [\"/bin/bash\", \"-c\"]\n{usual}");
        let gaps = lint(&LintInput::new("Dockerfile", text.as_bytes())).gaps;
        assert!(gaps.is_empty(), "{gaps:?}");
    }
}
