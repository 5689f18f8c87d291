//! What a package's record says of its licence in, an SPDX identifier or expression out where it is one (SPDX 2.3, annex D:
//! <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>), else the text as it is. Nothing is guessed: a name counts for an
//! identifier only where it is the SPDX list's own name of exactly one licence.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// The version of the SPDX list (<https://spdx.org/licenses/>, CC0-1.0) that `licences.tsv` (identifiers, and names that one licence alone has)
/// and `exceptions.txt` hold.
pub(crate) const LIST_VERSION: &str = "3.28";

/// Longer texts, or expressions of more words, are taken as text.
const LONGEST: usize = 4_096;
const MOST_WORDS: usize = 256;

/// What the record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Licence {
    /// One identifier of the SPDX list, as the list spells it.
    Id(&'static str),
    /// A valid expression of identifiers of the list and `LicenseRef-` names.
    Expression(Expression),
    /// Anything else.
    Text(String),
}

/// A valid SPDX expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expression {
    /// The expression, identifiers as the list spells them, one blank between words.
    pub(crate) text: String,
    /// Whether it is one licence without operators, so that it needs no brackets inside another expression.
    pub(crate) is_simple: bool,
    /// The `LicenseRef-` names in it.
    pub(crate) references: BTreeSet<String>,
}

/// Identifiers of licences and exceptions, and unique names of licences, by their lower-case form.
static LICENCES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let ids = lines(include_str!("licences.tsv")).map(|line| line.split('\t').next().unwrap_or(line));
    ids.map(|id| (id.to_ascii_lowercase(), id)).collect()
});
static NAMES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let named = lines(include_str!("licences.tsv")).filter_map(|line| line.split_once('\t'));
    named.map(|(id, name)| (name.to_ascii_lowercase(), id)).collect()
});
static EXCEPTIONS: LazyLock<BTreeMap<String, &'static str>> =
    LazyLock::new(|| lines(include_str!("exceptions.txt")).map(|id| (id.to_ascii_lowercase(), id)).collect());

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty())
}

impl Licence {
    /// Reads what a record says; `None` when it says nothing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        if trimmed.len() > LONGEST {
            return Some(Self::Text(text.to_owned()));
        }
        let lower = trimmed.to_ascii_lowercase();
        if let Some(id) = LICENCES.get(&lower) {
            return Some(Self::Id(id));
        }
        if let Some(expression) = expression(trimmed) {
            return Some(Self::Expression(expression));
        }
        Some(NAMES.get(&lower).map_or_else(|| Self::Text(text.to_owned()), |id| Self::Id(id)))
    }
}

/// Whether the text is an identifier of the list or an expression of such identifiers; the names that the list gives its licences are none.
pub(crate) fn is_expression(text: &str) -> bool {
    text.len() <= LONGEST && (LICENCES.contains_key(&text.to_ascii_lowercase()) || expression(text).is_some())
}

/// Reads an expression word by word: an operand is wanted, or an operator.
fn expression(text: &str) -> Option<Expression> {
    let (mut words, mut references): (Vec<&str>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    let (mut depth, mut operand_wanted, mut after_licence, mut operators) = (0_usize, true, false, 0_usize);
    let mut plus = Vec::new();
    let tokens = tokens(text)?;
    let mut rest = tokens.iter().copied();
    while let Some(token) = rest.next() {
        match (operand_wanted, token) {
            (true, "(") => depth += 1,
            (true, _) => {
                let (name, has_plus) = licence(token)?;
                if is_reference(name) {
                    references.insert(name.to_owned());
                }
                words.push(name);
                plus.push((words.len(), has_plus));
                (operand_wanted, after_licence) = (false, true);
                continue;
            }
            (false, ")") => {
                depth = depth.checked_sub(1)?;
                after_licence = false;
            }
            (false, "WITH" | "with") if after_licence => {
                words.push("WITH");
                words.push(EXCEPTIONS.get(&rest.next()?.to_ascii_lowercase())?);
                after_licence = false;
                continue;
            }
            (false, "AND" | "and" | "OR" | "or") => {
                words.push(if token.eq_ignore_ascii_case("and") { "AND" } else { "OR" });
                (operand_wanted, after_licence) = (true, false);
                operators += 1;
                continue;
            }
            (false, _) => return None,
        }
        words.push(token);
    }
    if operand_wanted || depth != 0 {
        return None;
    }
    let with_plus: BTreeSet<usize> = plus.into_iter().filter(|(_, has_plus)| *has_plus).map(|(at, _)| at).collect();
    let mut out = String::with_capacity(text.len());
    for (at, word) in words.iter().enumerate() {
        if !out.is_empty() && *word != ")" && !out.ends_with('(') {
            out.push(' ');
        }
        out.push_str(word);
        if with_plus.contains(&(at + 1)) {
            out.push('+');
        }
    }
    Some(Expression { text: out, is_simple: operators == 0, references })
}

/// Words and brackets; `None` when there are too many.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    for word in text.split_ascii_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let end = rest.find(['(', ')']).map_or(rest.len(), |at| at.max(1));
            let (token, tail) = rest.split_at_checked(end)?;
            tokens.push(token);
            rest = tail;
        }
        if tokens.len() > MOST_WORDS {
            return None;
        }
    }
    Some(tokens)
}

/// A licence of the list, or a `LicenseRef-` name, and whether later versions are meant.
fn licence(token: &str) -> Option<(&str, bool)> {
    if let Some(id) = LICENCES.get(&token.to_ascii_lowercase()) {
        return Some((id, false));
    }
    if is_reference(token) {
        return Some((token, false));
    }
    let id = LICENCES.get(&token.strip_suffix('+').filter(|rest| !rest.ends_with('+'))?.to_ascii_lowercase())?;
    Some((id, true))
}

fn is_reference(token: &str) -> bool {
    token
        .strip_prefix("LicenseRef-")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_list_knows_becomes_an_identifier() {
        let check = |text: &str, expected: &str| {
            let said = match Licence::read(text) {
                None => "none".to_owned(),
                Some(Licence::Id(id)) => format!("id {id}"),
                Some(Licence::Expression(expression)) => format!("expression {}", expression.text),
                Some(Licence::Text(text)) => format!("text {text}"),
            };
            assert_eq!(said, expected, "{text}");
        };
        check("", "none");
        check("  ", "none");
        check("mit", "id MIT");
        check(" Apache-2.0 ", "id Apache-2.0");
        check("MIT License", "id MIT");
        check("GPL-2.0+", "id GPL-2.0+");
        check("Apache-2.0+", "expression Apache-2.0+");
        check("MIT OR Apache-2.0", "expression MIT OR Apache-2.0");
        check("(mit or  ( apache-2.0 AND bsd-3-clause ))", "expression (MIT OR (Apache-2.0 AND BSD-3-Clause))");
        check("GPL-2.0-or-later WITH Classpath-exception-2.0", "expression GPL-2.0-or-later WITH Classpath-exception-2.0");
        check("LicenseRef-acme AND MIT", "expression LicenseRef-acme AND MIT");
        for text in [
            "BSD",
            "GPLv2+",
            "GPLv2+ and MIT",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "()",
            "MIT MIT",
            "MIT WITH MIT",
            "(MIT) WITH LLVM-exception",
            "MIT And Apache-2.0",
            "LicenseRef-",
            "LicenseRef-a_b",
            "DocumentRef-x:LicenseRef-y",
            "MIT/Apache-2.0",
            "GPL-2.0++",
            "é",
            "MIT,BSD",
            "GNU General Public License v2.0 only",
        ] {
            check(text, &format!("text {text}"));
        }
        let deep = format!("{}MIT{}", "(".repeat(200), ")".repeat(200));
        check(&deep, &format!("text {deep}"));
        let long = vec!["MIT"; 200].join(" OR ");
        check(&long, &format!("text {long}"));
    }

    #[test]
    fn the_list_is_sorted_and_holds_the_usual() {
        assert!(LICENCES.len() > 700 && EXCEPTIONS.len() > 80 && NAMES.len() > 650);
        let ids: Vec<_> = lines(include_str!("licences.tsv")).map(|line| line.split('\t').next().unwrap().to_ascii_lowercase()).collect();
        assert!(ids.is_sorted());
        assert_eq!(expression("LicenseRef-a OR LicenseRef-b").map(|found| found.references.len()), Some(2));
    }
}
