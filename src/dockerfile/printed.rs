//! A command in, the text that it prints and the files that this becomes out.

use super::command::{Command, RedirectKind, Word};

/// How many commands behind one may write what it prints.
const FURTHEST: usize = 8;

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
        let mut parts = format.split("%s");
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            text.push_str(words.next().unwrap_or_default());
            text.push_str(part);
        }
        text
    } else {
        words.collect::<Vec<_>>().join(" ")
    };
    text.replace("\\n", "\n")
}

/// The files that a command writes, by itself or by those that its output runs through.
pub(super) fn targets(commands: &[Command], at: usize) -> impl Iterator<Item = &str> {
    let own = commands.get(at).into_iter().flat_map(outputs);
    let pipe = commands.get(at).and_then(|command| command.pipes.last());
    let behind = commands.get(at + 1..).unwrap_or_default().iter().take(FURTHEST);
    let readers = behind.filter(move |command| pipe.is_some_and(|pipe| command.pipes.iter().any(|other| other.id == pipe.id)));
    own.chain(readers.flat_map(outputs))
}

/// The files that one command writes.
fn outputs(command: &Command) -> impl Iterator<Item = &str> {
    let words = command.arguments().iter().map(|word| word.text.as_str());
    let of_install = words.clone().next_back().filter(|_| command.name == "install");
    let of_dd = words.filter(|_| command.name == "dd").filter_map(|word| word.strip_prefix("of="));
    command.written_files().chain(of_dd).chain(of_install)
}
