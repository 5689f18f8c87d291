//! `$x` or `${x...}` as it is written in, its name and what stands behind it out. Reference: POSIX.1-2024, Shell Command Language, 2.6.2.

use super::source::slice;

/// One `$x` or `${x...}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    /// The name, or one special character.
    pub(super) name: &'t str,
    /// What stands behind the name in braces.
    pub(super) modifier: &'t str,
    /// Whether it is `${#x}`.
    pub(super) is_length: bool,
    /// Whether it is all of an array.
    pub(super) is_array: bool,
}

impl<'t> Reference<'t> {
    /// Reads it as it is written.
    pub(super) fn of(text: &'t str) -> Self {
        let bare = text.strip_prefix('$').unwrap_or(text);
        let inner = bare.strip_prefix('{').map(|inner| inner.strip_suffix('}').unwrap_or(inner));
        let inner = inner.unwrap_or(bare);
        let is_length = inner.len() > 1 && inner.starts_with('#');
        let named = if inner.len() > 1 { inner.strip_prefix(['#', '!']).unwrap_or(inner) } else { inner };
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let length = match named.bytes().position(|b| !is_name(b)) {
            Some(0) => named.chars().next().map_or(0, char::len_utf8),
            Some(length) => length,
            None => named.len(),
        };
        let is_array = inner.starts_with('@') || (!inner.starts_with('#') && inner.contains("[@]"));
        Self { name: slice(named, 0..length), modifier: slice(named, length..named.len()), is_length, is_array }
    }

    /// What stands behind the name and the index.
    pub(super) fn operator(&self) -> &'t str {
        match self.modifier.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((_, rest)) => rest,
            None => self.modifier,
        }
    }

    /// Whether it says itself what is to be where nothing is set.
    pub(super) fn is_guarded(&self) -> bool {
        let operator = self.operator();
        operator.strip_prefix(':').unwrap_or(operator).starts_with(['-', '+', '=', '?'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let table = [
            ("$x", "x", "", false),
            ("${x}", "x", "", false),
            ("${x:-a}", "x", ":-a", true),
            ("${x[1]+a}", "x", "[1]+a", true),
            ("${x%?}", "x", "%?", false),
            ("${x:1:2}", "x", ":1:2", false),
            ("${#x}", "x", "", false),
            ("${!x}", "x", "", false),
            ("$#", "#", "", false),
            ("${#}", "#", "", false),
            ("$1", "1", "", false),
            ("${@:2}", "@", ":2", false),
            ("${é}", "é", "", false),
            ("${}", "", "", false),
        ];
        for (text, name, modifier, guarded) in table {
            let reference = Reference::of(text);
            assert_eq!((reference.name, reference.modifier, reference.is_guarded()), (name, modifier, guarded), "{text}");
        }
    }
}
