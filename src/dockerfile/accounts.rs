//! The commands of a stage and those below it in, the accounts that have the number of root out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    command::{Command, HOLE},
    options::{Arguments, Name},
    printed::{Targets, documents, printed_text},
    rule::Dockerfile,
    source::slice,
};

/// The file that says which number an account has, as the names on its path.
const ACCOUNTS: [&str; 2] = ["etc", "passwd"];
/// Where a system has this name at all, it is root spelled backwards.
const REVERSED: &str = "toor";

impl Dockerfile<'_> {
    /// The accounts besides root that may have its number at the end of a stage, as far as the file gives it to them.
    pub(super) fn roots(&self, stage: usize) -> BTreeSet<String> {
        let mut accounts = Accounts::default();
        let mut stages: Vec<usize> = self.graph.chain(stage).collect();
        stages.reverse();
        for index in stages.into_iter().filter_map(|at| self.graph.stages.get(at)).flat_map(|stage| stage.instructions.clone()) {
            let (Some(instruction), Some(commands)) = (self.instructions.get(index), self.commands.get(index)) else { continue };
            let values = self.graph.values.get(index).map(Vec::as_slice).unwrap_or_default();
            match instruction.keyword.as_str() {
                "WORKDIR" => accounts.enter(values.first().filter(|value| value.is_decided()).map(|value| value.text.as_str())),
                "RUN" => accounts.run(commands),
                "ADD" | "COPY" if !instruction.heredocs.is_empty() => {
                    let Some(destination) = values.last().map(|value| value.text.as_str()) else { continue };
                    let is_file = accounts.is_at(destination);
                    for heredoc in &instruction.heredocs {
                        // A folder takes the name of the heredoc for the file.
                        if is_file || accounts.is_at(&format!("{destination}/{}", heredoc.name)) {
                            accounts.read(slice(&self.source.text, heredoc.body.clone()));
                        }
                    }
                }
                _ => {}
            }
        }
        accounts.is_root.entry(REVERSED.to_owned()).or_insert(true);
        accounts.is_root.into_iter().filter(|(_, is_root)| *is_root).map(|(name, _)| name).collect()
    }
}

/// What is known of the accounts.
#[derive(Default)]
struct Accounts {
    /// Whether an account ever has the number of root, by its name: what gives it another may stand in another branch.
    is_root: BTreeMap<String, bool>,
    /// The working folder, as the names on its path.
    folder: Vec<String>,
}

impl Accounts {
    /// Follows a WORKDIR, to a folder that nobody knows if its value is not known.
    fn enter(&mut self, path: Option<&str>) {
        let path = path.map_or("/\0", |path| path.trim_matches(['"', '\'']));
        if path.starts_with('/') {
            self.folder.clear();
        }
        for name in names(path) {
            if name == ".." {
                self.folder.pop();
            } else {
                self.folder.push(name.to_owned());
            }
        }
    }

    /// Whether a path, from the working folder, is the file of accounts.
    fn is_at(&self, path: &str) -> bool {
        let mut above = if path.starts_with('/') { 0 } else { self.folder.len() };
        let mut below = Vec::new();
        for name in names(path) {
            if name != ".." {
                below.push(name);
            } else if below.pop().is_none() {
                above = above.saturating_sub(1);
            }
        }
        self.folder.iter().take(above).map(String::as_str).chain(below).eq(ACCOUNTS)
    }

    fn run(&mut self, commands: &[Command]) {
        let written = {
            let targets = Targets::of(commands, |path| self.is_at(path).then_some(()));
            (0..commands.len()).map(|at| targets.of_command(at).is_some()).collect::<Vec<_>>()
        };
        commands.iter().zip(written).for_each(|(command, is_written)| self.run_one(command, is_written));
    }

    /// Follows a command and whether what it prints becomes the file of accounts.
    fn run_one(&mut self, command: &Command, is_written: bool) {
        match command.name.as_str() {
            "useradd" | "adduser" => {
                let arguments = Arguments::of(command);
                match (arguments.operands.as_slice(), number(&arguments)) {
                    ([name, ..], Some(number)) => self.set(&name.text, is_zero(number)),
                    ([name], None) => self.set(&name.text, false),
                    // `adduser NAME GROUP` makes nobody.
                    _ => {}
                }
            }
            "usermod" => {
                let arguments = Arguments::of(command);
                let Some(name) = arguments.operands.first().map(|word| word.text.as_str()) else { return };
                let new = value(&arguments, 'l', "--login").unwrap_or(name);
                let was = name == "root" || self.is_root.get(name).copied().unwrap_or(name == REVERSED);
                self.set(new, number(&arguments).map_or(was, is_zero));
            }
            "echo" | "printf" if is_written => self.read(&printed_text(command)),
            "cat" | "tee" if is_written => documents(command).for_each(|document| self.read(&document.text)),
            _ => {}
        }
    }

    /// Reads lines `name:password:number:...`.
    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let mut fields = line.trim().split(':');
            if let (Some(name), Some(_), Some(number), Some(_)) = (fields.next(), fields.next(), fields.next(), fields.next()) {
                self.set(name, is_zero(number));
            }
        }
    }

    fn set(&mut self, name: &str, is_root: bool) {
        if !name.is_empty() && name != "root" && !name.contains(HOLE) {
            *self.is_root.entry(name.to_owned()).or_default() |= is_root;
        }
    }
}

/// The names on a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !matches!(*name, "" | "."))
}

fn number<'a>(arguments: &Arguments<'a>) -> Option<&'a str> {
    value(arguments, 'u', "--uid")
}

fn value<'a>(arguments: &Arguments<'a>, short: char, long: &str) -> Option<&'a str> {
    let is_wanted = |name: Name<'_>| name == Name::Short(short) || name == Name::Long(long);
    arguments.options.iter().rev().find(|option| is_wanted(option.name)).and_then(|option| option.value)
}

fn is_zero(number: &str) -> bool {
    number.parse::<u64>() == Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_from_the_working_folder() {
        let table: [(&[Option<&str>], &str, bool); 13] = [
            (&[], "/etc/passwd", true),
            (&[], "etc/passwd", true),
            (&[], "passwd", false),
            (&[], "//etc/./x/../passwd", true),
            (&[Some("/etc")], "passwd", true),
            (&[Some("/etc")], "./passwd", true),
            (&[Some("/etc")], "etc/passwd", false),
            (&[Some("/etc"), Some("ssl")], "../passwd", true),
            (&[Some("/etc"), Some("..")], "passwd", false),
            (&[Some("\"/etc\"")], "passwd", true),
            (&[None], "../etc/passwd", true),
            (&[None], "etc/passwd", false),
            (&[Some("/etc"), None], "passwd", false),
        ];
        for (folders, path, expected) in table {
            let mut accounts = Accounts::default();
            folders.iter().for_each(|folder| accounts.enter(*folder));
            assert_eq!(accounts.is_at(path), expected, "{folders:?} {path}");
        }
    }

    #[test]
    fn the_last_of_many_accounts_is_known() {
        let mut accounts = Accounts::default();
        accounts.read(&((0..5_000).map(|at| format!("u{at}:x:{}:0::/:\n", at + 1)).collect::<String>() + "app:x:0:0::/:"));
        assert_eq!(accounts.is_root.into_iter().filter(|(_, is_root)| *is_root).collect::<Vec<_>>(), [("app".to_owned(), true)]);
    }
}
