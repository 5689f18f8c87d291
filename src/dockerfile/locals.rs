//! Assignments of shell code in, the value of a variable at one place of it out.

use super::{
    command::{Command, HOLE},
    shell::Walker,
    wrapper,
};

impl Walker<'_> {
    /// `None`: nothing sets it; `Some(None)`: set to something that is not known.
    pub(super) fn variable(&self, name: &str) -> Option<Option<String>> {
        if let Some(local) = self.locals.get(name) {
            // A value that doubles the one before it reaches any length in a few lines.
            return Some(local.clone().filter(|text| self.spend(text.len())));
        }
        let value = self.scope.lookup(name)?;
        Some(value.is_decided().then_some(value.text))
    }

    /// Notes what a command assigns.
    pub(super) fn note_assignments(&mut self, command: &Command) {
        if command.words.is_empty() {
            for assignment in &command.assignments {
                self.locals.insert(assignment.name.clone(), assignment.value.known().map(str::to_owned));
            }
        }
        let Some(program) = command.words.first() else { return };
        for word in command.arguments() {
            match (program.text.as_str(), word.text.split_once('=')) {
                ("export" | "declare" | "local" | "readonly" | "typeset", Some((name, value))) => {
                    self.locals.insert(name.to_owned(), (!value.contains(HOLE)).then(|| value.to_owned()));
                }
                ("read", None) if wrapper::is_name(&word.text) => {
                    self.locals.insert(word.text.clone(), None);
                }
                _ => {}
            }
        }
    }
}
