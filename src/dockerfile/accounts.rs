//! The commands of a stage and those below it in, the accounts that have the number of root out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    command::{Command, HOLE},
    options::{Arguments, Name},
    printed::{documents, printed_text, targets},
    rule::Dockerfile,
    source::slice,
};

/// The file that says which number an account has.
const ACCOUNTS: &str = "/etc/passwd";
/// How many lines of a text are looked at.
const MOST_LINES: usize = 2_000;

impl Dockerfile<'_> {
    /// The accounts besides root that have its number at the end of a stage, as far as the file gives it to them.
    pub(super) fn roots(&self, stage: usize) -> BTreeSet<String> {
        // Where a system has this name at all, it is root spelled backwards.
        let mut accounts = Accounts(BTreeMap::from([("toor".to_owned(), true)]));
        let mut stages: Vec<usize> = self.graph.chain(stage).collect();
        stages.reverse();
        for index in stages.into_iter().filter_map(|at| self.graph.stages.get(at)).flat_map(|stage| stage.instructions.clone()) {
            let (Some(instruction), Some(commands)) = (self.instructions.get(index), self.commands.get(index)) else { continue };
            match instruction.keyword.as_str() {
                "RUN" => (0..commands.len()).for_each(|at| accounts.run(commands, at)),
                "ADD" | "COPY" if instruction.args.last().is_some_and(|destination| destination.text == ACCOUNTS) => {
                    instruction.heredocs.iter().for_each(|heredoc| accounts.read(slice(&self.source.text, heredoc.body.clone())));
                }
                _ => {}
            }
        }
        accounts.0.into_iter().filter(|(_, is_root)| *is_root).map(|(name, _)| name).collect()
    }
}

/// Whether an account has the number of root, by its name; the last word counts.
struct Accounts(BTreeMap<String, bool>);

impl Accounts {
    fn run(&mut self, commands: &[Command], at: usize) {
        let Some(command) = commands.get(at) else { return };
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
                let was = name == "root" || self.0.get(name).copied().unwrap_or_default();
                self.set(new, number(&arguments).map_or(was, is_zero));
            }
            "echo" | "printf" if targets(commands, at).any(|path| path == ACCOUNTS) => self.read(&printed_text(command)),
            "cat" | "tee" if targets(commands, at).any(|path| path == ACCOUNTS) => {
                documents(command).for_each(|document| self.read(&document.text));
            }
            _ => {}
        }
    }

    /// Reads lines `name:password:number:...`.
    fn read(&mut self, text: &str) {
        for line in text.lines().take(MOST_LINES) {
            let mut fields = line.trim().split(':');
            if let (Some(name), Some(_), Some(number), Some(_)) = (fields.next(), fields.next(), fields.next(), fields.next()) {
                self.set(name, is_zero(number));
            }
        }
    }

    fn set(&mut self, name: &str, is_root: bool) {
        if !name.is_empty() && name != "root" && !name.contains(HOLE) {
            self.0.insert(name.to_owned(), is_root);
        }
    }
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
