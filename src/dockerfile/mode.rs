//! A file mode as `chmod` takes it in, what it gives out. Reference: POSIX.1-2024, `chmod`.

/// What a mode gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mode {
    /// The setuid bit.
    pub(super) setuid: bool,
    /// The setgid bit.
    pub(super) setgid: bool,
    /// The sticky bit.
    pub(super) sticky: bool,
    /// Everybody may write.
    pub(super) others_write: bool,
    /// The group may write, as on shared directories.
    pub(super) group_writes: bool,
}

impl Mode {
    /// Reads an octal or symbolic mode; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let bits = u32::from_str_radix(text, 8).ok()?;
            let has = |bit: u32| bits & bit != 0;
            return Some(Self {
                setuid: has(0o4000),
                setgid: has(0o2000),
                sticky: has(0o1000),
                others_write: has(0o2),
                group_writes: has(0o20),
            });
        }
        let mut mode = Self::default();
        for clause in text.split(',') {
            let at = clause.find(['+', '-', '='])?;
            let (who, rest) = clause.split_at_checked(at)?;
            if !who.bytes().all(|b| b"ugoa".contains(&b)) {
                return None;
            }
            let (operator, what) = rest.split_at_checked(1)?;
            if !what.bytes().all(|b| b"rwxXstugo".contains(&b)) {
                return None;
            }
            if operator == "-" {
                continue;
            }
            let everybody = who.contains('a');
            mode.setuid |= what.contains('s') && (who.is_empty() || everybody || who.contains('u'));
            mode.setgid |= what.contains('s') && (who.is_empty() || everybody || who.contains('g'));
            mode.sticky |= what.contains('t');
            // Without `who` the umask takes the right from the others.
            mode.others_write |= what.contains('w') && (everybody || who.contains('o'));
            mode.group_writes |= what.contains('w') && (everybody || who.contains('g'));
        }
        Some(mode)
    }

    /// Whether a word of `chmod` is an option and no mode: `-R`, but not `-x`.
    pub(super) fn is_option(word: &str) -> bool {
        word.starts_with("--") || (word.starts_with('-') && word.bytes().skip(1).all(|b| b"Rcfv".contains(&b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read() {
        let table = [
            ("777", (false, false, false, true)),
            ("1777", (false, false, true, true)),
            ("4755", (true, false, false, false)),
            ("02775", (false, true, false, false)),
            ("u+s", (true, false, false, false)),
            ("g+s", (false, true, false, false)),
            ("+s", (true, true, false, false)),
            ("u-s", (false, false, false, false)),
            ("a+w", (false, false, false, true)),
            ("+w", (false, false, false, false)),
            ("g=u", (false, false, false, false)),
            ("u=rwX,go=rX", (false, false, false, false)),
            ("ugo+rwx", (false, false, false, true)),
            ("a=rwxt", (false, false, true, true)),
        ];
        for (text, expected) in table {
            let mode = Mode::parse(text).expect(text);
            assert_eq!((mode.setuid, mode.setgid, mode.sticky, mode.others_write), expected, "{text}");
        }
        assert_eq!(Mode::parse("$MODE"), None);
        assert!(Mode::is_option("-R") && !Mode::is_option("-x"));
    }
}
