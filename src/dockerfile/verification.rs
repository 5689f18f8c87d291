//! The commands of one instruction in, the downloaded files whose checksum or signature they check out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    command::{Command, HOLE, Operator, RedirectKind},
    download::base,
    wrapper,
};

/// Programs that compare or print checksums.
const CHECKSUMS: &[&str] =
    &["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shasum", "b2sum", "b3sum", "sha256", "sha512"];
/// What the file of a signature is called beside the file that it signs.
const SIGNATURES: &[&str] = &[".asc", ".sig", ".sign", ".gpg", ".minisig", ".sha256", ".sha512", ".sha256sum", ".pem", ".bundle"];

/// A text that is not known at all.
const HOLE_TEXT: &str = "\u{0}";

/// The files that an instruction checks.
#[derive(Debug, Default)]
pub(super) struct Verification<'a> {
    /// Nothing says which files are checked: a list of checksums that is not known.
    is_of_all: bool,
    files: BTreeSet<&'a str>,
}

impl<'a> Verification<'a> {
    /// Looks for checks among the commands of one instruction.
    pub(super) fn of(commands: &'a [Command]) -> Self {
        let mut this = Self::default();
        let mut lasts = None;
        let has_functions = commands.iter().any(|command| command.in_function);
        for (at, command) in commands.iter().enumerate().filter(|(_, command)| checks(command)) {
            // A function that is defined may be the one that is called where a check fails.
            if is_lost(command, commands.get(at + 1..).unwrap_or_default()) && (!command.is_heeded || !has_functions) {
                continue;
            }
            if only_prints(command) {
                let lasts = lasts.get_or_insert_with(|| last_members(commands));
                if !is_printed_for_another(command, lasts) {
                    continue;
                }
            }
            let before = this.files.len();
            if command.is_one_of(CHECKSUMS) {
                this.read_checksums(command, commands.get(..at).unwrap_or_default());
            } else {
                this.add(command.arguments().iter().map(|word| word.text.as_str()));
            }
            // A check of nothing that is known may be one of anything.
            this.is_of_all |= this.files.len() == before && command.arguments().iter().all(|word| word.text.starts_with(['-', HOLE]));
        }
        this
    }

    /// Whether a file with this base name is checked.
    pub(super) fn covers(&self, file: &str) -> bool {
        self.is_of_all || self.files.contains(file)
    }

    /// Whether anything is checked.
    pub(super) fn is_any(&self) -> bool {
        self.is_of_all || !self.files.is_empty()
    }

    fn read_checksums(&mut self, command: &'a Command, before: &'a [Command]) {
        if !reads_list(command) {
            // What it prints is compared with something.
            self.add(command.arguments().iter().map(|word| word.text.as_str()));
            self.add(command.redirects.iter().map(|redirect| redirect.target.text.as_str()));
            return;
        }
        let documents = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text);
        let mut is_said = false;
        for document in documents {
            is_said = true;
            self.add_list(&document.target.text);
            self.is_of_all |= document.target.text.trim() == HOLE_TEXT;
        }
        if let Some(pipe) = command.pipes.iter().rfind(|pipe| pipe.position > 0) {
            // The members of a pipeline stand side by side.
            let earlier = before.iter().rev().take(16);
            for other in earlier.take_while(|other| other.pipes.iter().any(|at| at.id == pipe.id)) {
                match other.name.as_str() {
                    "echo" | "printf" => {
                        is_said = true;
                        for word in other.arguments() {
                            self.add_list(&word.text);
                        }
                        // The whole list is a variable.
                        let operands = other.arguments().iter().filter(|word| !word.text.starts_with(['-', '%']));
                        self.is_of_all |= operands.map(|word| word.text.as_str()).eq([HOLE_TEXT]);
                    }
                    // Shells and the like print what their own commands print.
                    _ if !wrapper::unwrap(other).is_empty() => {}
                    _ => self.is_of_all = true,
                }
            }
        }
        self.is_of_all |= !is_said;
    }

    /// Lines of a checksum and a file.
    fn add_list(&mut self, text: &'a str) {
        for line in text.lines() {
            let last = line.split_whitespace().next_back().unwrap_or_default();
            // `%s` of a format takes words that are added by themselves.
            self.is_of_all |= last.trim_start_matches('*') == HOLE_TEXT && line.split_whitespace().count() > 1;
            self.add(line.split_whitespace());
        }
    }

    fn add(&mut self, words: impl Iterator<Item = &'a str>) {
        for word in words {
            let file = base(word.trim_start_matches(['*', '<']));
            if file.is_empty() || file.starts_with('-') {
                continue;
            }
            self.files.insert(file);
            let signed = SIGNATURES.iter().find_map(|end| file.strip_suffix(end));
            self.files.extend(signed);
        }
    }
}

/// Whether a program of checksums compares those of a list with its files.
fn reads_list(command: &Command) -> bool {
    command.arguments().iter().any(|word| {
        let text = word.text.as_str();
        text == "--status"
            || (text.len() > 3 && "--check".starts_with(text))
            || (text.starts_with('-') && !text.starts_with("--") && text.contains('c'))
    })
}

/// Whether a command compares nothing by itself: it prints a checksum.
fn only_prints(command: &Command) -> bool {
    match command.name.as_str() {
        "cksum" => !reads_list(command),
        "openssl" => {
            !command.arguments().iter().any(|word| matches!(word.text.as_str(), "-verify" | "-prverify" | "-out" | "cms" | "smime"))
        }
        name => CHECKSUMS.contains(&name) && !reads_list(command),
    }
}

/// Whether somebody may read what a command prints: the next member of its pipeline, the command around its `$(...)`, who calls the function that it
/// stands in, or who opens a file. `lasts` is the last member of every pipeline.
fn is_printed_for_another(command: &Command, lasts: &BTreeMap<usize, (usize, &Command)>) -> bool {
    let is_piped = |(last, reader): &(usize, &Command), position| *last > position && (!only_shows(reader) || is_kept(reader));
    let is_read = || command.pipes.iter().any(|pipe| lasts.get(&pipe.id).is_some_and(|last| is_piped(last, pipe.position)));
    is_kept(command) || command.is_captured || command.in_function || is_read()
}

/// Whether what a command prints becomes a file.
fn is_kept(command: &Command) -> bool {
    command.redirects.iter().any(|redirect| redirect.kind == RedirectKind::Write && !redirect.target.text.starts_with("/dev/"))
}

/// Whether a command hands on what it reads, and fails for nothing in it.
fn only_shows(command: &Command) -> bool {
    match command.name.as_str() {
        "cat" | "column" | "cut" | "fold" | "head" | "nl" | "sort" | "tail" | "tr" => true,
        "tee" => command.arguments().is_empty(),
        _ => false,
    }
}

/// The last member of every pipeline, and its place.
fn last_members(commands: &[Command]) -> BTreeMap<usize, (usize, &Command)> {
    let mut lasts = BTreeMap::new();
    for command in commands {
        for pipe in &command.pipes {
            let last = lasts.entry(pipe.id).or_insert((pipe.position, command));
            if pipe.position >= last.0 {
                *last = (pipe.position, command);
            }
        }
    }
    lasts
}

/// Whether nothing comes of it where a command fails: `|| true`, or the next command of a shell without `set -e`.
fn is_lost(command: &Command, rest: &[Command]) -> bool {
    // What it prints, somebody may read later.
    if !command.is_heeded && !command.is_captured && !only_prints(command) && !is_kept(command) {
        return true;
    }
    let is_behind =
        |other: &&Command| command.pipes.iter().any(|pipe| other.pipes.iter().any(|at| at.id == pipe.id && at.position > pipe.position));
    let behind = rest.iter().take(MOST_MEMBERS).take_while(is_behind).count();
    let mut rest = rest.iter().skip(behind);
    let Some(next) = rest.next().filter(|next| next.joined == Operator::Or) else { return false };
    let only_tells = next.is_one_of(&["cat", "date", "echo", "logger", "ls", "printf", "sleep"]);
    succeeds(next) || (only_tells && !rest.take(MOST_AFTERMATH).any(may_end))
}

/// How many members of a pipeline are looked at behind the one that checks.
const MOST_MEMBERS: usize = 16;
/// How many commands behind a message are looked at for one that ends the script.
const MOST_AFTERMATH: usize = 8;

/// Whether a command does nothing but succeed.
fn succeeds(command: &Command) -> bool {
    match command.name.as_str() {
        "true" | ":" => command.arguments().is_empty(),
        "exit" | "return" => matches!(command.arguments(), [status] if status.text.bytes().all(|digit| digit == b'0')),
        _ => false,
    }
}

/// Whether a command may end the script, or what it is about, by itself or in a function.
fn may_end(command: &Command) -> bool {
    command.in_function || (command.is_one_of(&["break", "continue", "exit", "return", "false", "kill"]) && !succeeds(command))
}

/// Whether a command checks a checksum or a signature.
fn checks(command: &Command) -> bool {
    let says = |words: &[&str]| command.arguments().iter().any(|word| words.contains(&word.text.as_str()));
    match command.name.as_str() {
        name if CHECKSUMS.contains(&name) => true,
        "openssl" => says(&["dgst", "sha256", "sha512", "cms", "smime"]),
        "gpg" | "gpg2" => says(&["--verify", "--decrypt", "-d"]),
        "gpgv" | "gpgv2" | "minisign" | "signify" | "slsa-verifier" | "debsig-verify" | "cksum" => true,
        "cosign" | "notation" | "rekor-cli" | "sq" | "dpkg-sig" | "apk" => {
            says(&["verify", "verify-blob", "verify-attestation", "verify-blob-attestation", "verify-signature", "--verify"])
        }
        "gh" => says(&["attestation"]) && says(&["verify"]),
        "rpm" | "rpmkeys" => says(&["-K", "--checksig"]),
        "jarsigner" => says(&["-verify"]),
        "ssh-keygen" => says(&["-Y"]) && says(&["verify"]),
        _ => false,
    }
}
