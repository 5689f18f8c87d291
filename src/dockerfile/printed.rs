//! A command in, the text that it prints and the files that this becomes out.

use std::collections::BTreeMap;

use super::command::{Command, RedirectKind, Word};

/// The texts that are given to a command by here-documents and here-strings.
pub(super) fn documents(command: &Command) -> impl Iterator<Item = &Word> {
    command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target)
}

/// What echo and printf print, as far as it is known.
pub(super) fn printed_text(command: &Command) -> String {
    let mut words = command.arguments().iter().map(|word| word.text.as_str()).peekable();
    while words
        .next_if(|word| word.len() > 1 && word.starts_with('-') && word.bytes().skip(1).all(|byte| byte.is_ascii_alphabetic()))
        .is_some()
    {}
    let text = if command.name == "printf" {
        let format = words.next().unwrap_or_default();
        let mut text = String::with_capacity(format.len());
        let mut parts = format.split('%');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            if let Some(rest) = part.strip_prefix(['s', 'b']) {
                text.push_str(words.next().unwrap_or_default());
                text.push_str(rest);
            } else {
                text.push('%');
                text.push_str(part);
            }
        }
        text
    } else {
        words.collect::<Vec<_>>().join(" ")
    };
    text.replace("\\n", "\n")
}

/// The files that the commands of an instruction write, those of them that fit.
pub(super) struct Targets<'c, T, F> {
    commands: &'c [Command],
    fits: F,
    /// Per pipeline, the member that is the last to write such a file, and what it is.
    last: BTreeMap<usize, (usize, T)>,
}

impl<'c, T: Copy, F: Fn(&str) -> Option<T>> Targets<'c, T, F> {
    pub(super) fn of(commands: &'c [Command], fits: F) -> Self {
        let mut last = BTreeMap::new();
        for command in commands.iter().filter(|command| !command.pipes.is_empty()) {
            if let Some(found) = outputs(command).find_map(&fits) {
                last.extend(command.pipes.iter().map(|pipe| (pipe.id, (pipe.position, found))));
            }
        }
        Self { commands, fits, last }
    }

    /// What fits of the files that a command writes, by itself or by those that its output runs through.
    pub(super) fn of_command(&self, at: usize) -> Option<T> {
        let command = self.commands.get(at)?;
        let piped = || {
            let pipe = command.pipes.last()?;
            self.last.get(&pipe.id).filter(|(position, _)| *position > pipe.position).map(|(_, found)| *found)
        };
        outputs(command).find_map(&self.fits).or_else(piped)
    }
}

/// The files that one command writes.
fn outputs(command: &Command) -> impl Iterator<Item = &str> {
    let words = command.arguments().iter().map(|word| word.text.as_str());
    let of_install = words.clone().next_back().filter(|_| command.name == "install");
    let of_dd = words.filter(|_| command.name == "dd").filter_map(|word| word.strip_prefix("of="));
    command.written_files().chain(of_dd).chain(of_install)
}
