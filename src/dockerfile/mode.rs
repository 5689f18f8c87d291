//! A file mode as `chmod` takes it in, what it gives out, and the commands that set one. Reference: POSIX.1-2024, `chmod`, and that of GNU
//! coreutils, which takes octal numbers behind operators.

use super::{
    command::Command,
    options::{Arguments, Name},
};

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
        Self::default().changed(text)
    }

    /// What such a mode makes of this one; clauses have one or more operators, each with letters or, for everybody, an octal number.
    fn changed(mut self, text: &str) -> Option<Self> {
        if text.bytes().next()?.is_ascii_digit() {
            return Self::octal(text);
        }
        for clause in text.split(',') {
            let (who, mut rest) = clause.split_at_checked(clause.find(is_operator)?)?;
            if !who.bytes().all(|b| b"ugoa".contains(&b)) {
                return None;
            }
            while let Some(operator) = rest.chars().next() {
                let tail = rest.get(1..)?;
                let (what, next) = tail.split_at_checked(tail.find(is_operator).unwrap_or(tail.len()))?;
                if who.is_empty() && what.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
                    // Nothing but the next clause comes behind a number.
                    let given = Self::octal(what).filter(|_| next.is_empty())?;
                    self.apply(
                        operator,
                        &Self { setuid: true, setgid: true, sticky: true, others_write: true, group_writes: true },
                        &given,
                    );
                } else {
                    let (named, given) = Self::letters(who, what)?;
                    self.apply(operator, &named, &given);
                }
                rest = next;
            }
        }
        Some(self)
    }

    fn octal(text: &str) -> Option<Self> {
        let bits = u32::from_str_radix(text, 8).ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))?;
        let has = |bit: u32| bits & bit != 0;
        Some(Self { setuid: has(0o4000), setgid: has(0o2000), sticky: has(0o1000), others_write: has(0o2), group_writes: has(0o20) })
    }

    /// What the letters before an operator are about, and what of it those behind it say.
    fn letters(who: &str, what: &str) -> Option<(Self, Self)> {
        if !what.bytes().all(|b| b"rwxXstugo".contains(&b)) {
            return None;
        }
        let everybody = who.contains('a');
        let named = Self {
            setuid: who.is_empty() || everybody || who.contains('u'),
            setgid: who.is_empty() || everybody || who.contains('g'),
            sticky: true,
            // Without `who` the umask takes the right from the others.
            others_write: everybody || who.contains('o'),
            group_writes: everybody || who.contains('g'),
        };
        let given = Self {
            setuid: named.setuid && what.contains('s'),
            setgid: named.setgid && what.contains('s'),
            sticky: what.contains('t'),
            others_write: named.others_write && what.contains('w'),
            group_writes: named.group_writes && what.contains('w'),
        };
        Some((named, given))
    }

    /// Adds what is given, takes it away, or puts it in the place of all that is named.
    fn apply(&mut self, operator: char, named: &Self, given: &Self) {
        let apply = |now: &mut bool, named: bool, given: bool| {
            *now = match operator {
                '+' => *now || given,
                '-' => *now && !given,
                _ => given || (*now && !named),
            };
        };
        apply(&mut self.setuid, named.setuid, given.setuid);
        apply(&mut self.setgid, named.setgid, given.setgid);
        apply(&mut self.sticky, named.sticky, given.sticky);
        apply(&mut self.others_write, named.others_write, given.others_write);
        apply(&mut self.group_writes, named.group_writes, given.group_writes);
    }

    /// Whether a word of `chmod` is an option and no mode: `-R`, but not `-x`.
    pub(super) fn is_option(word: &str) -> bool {
        word.starts_with("--") || (word.starts_with('-') && word.bytes().skip(1).all(|b| b"RcfhvHLP".contains(&b)))
    }
}

fn is_operator(c: char) -> bool {
    matches!(c, '+' | '-' | '=')
}

/// A command that sets the mode of files or directories: `chmod`, `install -m`, `mkdir -m`.
#[derive(Debug)]
pub(super) struct ModeChange<'a> {
    /// The mode as written.
    pub(super) text: &'a str,
    /// What it gives.
    pub(super) mode: Mode,
    /// What it is about; empty where another program hands the paths on.
    pub(super) paths: Vec<&'a str>,
    /// Whether it makes the directories.
    pub(super) makes_directories: bool,
}

impl<'a> ModeChange<'a> {
    /// Reads a command; `None` for one that sets no mode, or one that is not known.
    pub(super) fn of(command: &'a Command) -> Option<Self> {
        if command.name == "chmod" {
            let mut words = command.arguments().iter().map(|word| word.text.as_str()).filter(|word| !Mode::is_option(word));
            let text = words.next()?;
            return Some(Self { text, mode: Mode::parse(text)?, paths: words.collect(), makes_directories: false });
        }
        if !command.is_one_of(&["install", "mkdir"]) {
            return None;
        }
        let arguments = Arguments::of(command);
        let value = |short: char, long: &str| {
            let given = arguments.options.iter().filter(|option| option.name == Name::Short(short) || option.name == Name::Long(long));
            given.filter_map(|option| option.value).next_back()
        };
        let text = value('m', "--mode")?;
        let makes_directories = makes_directories(command);
        // A directory that mkdir makes has all rights before the mode is applied.
        let is_open = command.name == "mkdir";
        let mode = Mode { others_write: is_open, group_writes: is_open, ..Mode::default() }.changed(text)?;
        let mut paths: Vec<&str> = arguments.operands.iter().map(|word| word.text.as_str()).collect();
        if !makes_directories {
            let target = value('t', "--target-directory").or_else(|| paths.pop());
            paths = target.into_iter().collect();
        }
        Some(Self { text, mode, paths, makes_directories })
    }
}

/// Whether a command makes directories: `mkdir`, `install -d`.
pub(super) fn makes_directories(command: &Command) -> bool {
    let arguments = || Arguments::of(command);
    command.name == "mkdir" || (command.name == "install" && (arguments().has_short('d') || arguments().has_long("--directory")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::command::Word;

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
            ("=777", (false, false, false, true)),
            ("+777", (false, false, false, true)),
            ("-777", (false, false, false, false)),
            ("=4755", (true, false, false, false)),
            ("+4000", (true, false, false, false)),
            ("a+w,-2", (false, false, false, false)),
            ("a-x+w", (false, false, false, true)),
            ("a+r+w", (false, false, false, true)),
            ("u+x+s", (true, false, false, false)),
            ("a+w-w", (false, false, false, false)),
            ("a=rwx,o-w", (false, false, false, false)),
            ("u+s,u=rwx", (false, false, false, false)),
        ];
        for (text, expected) in table {
            let mode = Mode::parse(text).expect(text);
            assert_eq!((mode.setuid, mode.setgid, mode.sticky, mode.others_write), expected, "{text}");
        }
        for text in ["$MODE", "", "789", "u+777", "+777-1", "+78", "777x", "a", "z+w", "a+q"] {
            assert_eq!(Mode::parse(text), None, "{text}");
        }
        assert!(Mode::is_option("-R") && !Mode::is_option("-x"));
    }

    #[test]
    fn commands_that_set_modes_are_read() {
        let table: &[(&str, Option<(&str, bool, &[&str])>)] = &[
            ("chmod -R 777 /a /b", Some(("777", true, &["/a", "/b"]))),
            ("chmod 755", Some(("755", false, &[]))),
            ("chmod --reference=a b", None),
            ("install -Dm777 a /b", Some(("777", true, &["/b"]))),
            ("install -Dm 777 a /b", Some(("777", true, &["/b"]))),
            ("install --mode=a+rwx a b /c/", Some(("a+rwx", true, &["/c/"]))),
            ("install --mode 777 -t /c a b", Some(("777", true, &["/c"]))),
            ("install -o m -g m a /b", None),
            ("install -dm777 /x /y", Some(("777", true, &["/x", "/y"]))),
            ("mkdir -pm777 /x", Some(("777", true, &["/x"]))),
            ("mkdir -m o-w /x", Some(("o-w", false, &["/x"]))),
            ("mkdir -m g+s /x", Some(("g+s", true, &["/x"]))),
            ("mkdir -p /x", None),
            ("cp -m 777 /x", None),
        ];
        for (line, expected) in table {
            let words: Vec<Word> = line.split(' ').map(Word::literal).collect();
            let command = Command { name: words[0].text.clone(), words, ..Command::default() };
            let found = ModeChange::of(&command).map(|change| (change.text, change.mode.others_write, change.paths));
            assert_eq!(found, expected.map(|(text, writes, paths)| (text, writes, paths.to_vec())), "{line}");
        }
    }
}
