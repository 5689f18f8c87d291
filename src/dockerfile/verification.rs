//! The commands of one instruction in, the downloaded files whose checksum or signature they check out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    command::{Command, HOLE, Operator, RedirectKind, Word, is_hole},
    download::base,
    wrapper,
};

/// Programs that compare or print checksums.
const CHECKSUMS: &[&str] =
    &["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shasum", "b2sum", "b3sum", "sha256", "sha512"];
/// What the file of a signature is called beside the file that it signs.
const SIGNATURES: &[&str] = &[".asc", ".sig", ".sign", ".gpg", ".minisig", ".sha256", ".sha512", ".sha256sum", ".pem", ".bundle"];

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
        let script = Script::of(commands);
        for (at, command) in commands.iter().enumerate().filter(|(_, command)| checks(command)) {
            if !script.minds(at, command) {
                continue;
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
            self.is_of_all |= document.target.is_unknown();
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
                        let mut operands = other.arguments().iter().filter(|word| !word.text.starts_with(['-', '%']));
                        self.is_of_all |= operands.next().is_some_and(Word::is_unknown) && operands.next().is_none();
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
            self.is_of_all |= is_hole(last.trim_start_matches('*')) && line.split_whitespace().count() > 1;
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
        "openssl" => !command.arguments().iter().any(|word| matches!(word.text.as_str(), "-verify" | "-prverify" | "cms" | "smime")),
        name => CHECKSUMS.contains(&name) && !reads_list(command),
    }
}

/// Whether a command hands on what it reads, and fails for nothing in it.
fn only_shows(command: &Command) -> bool {
    matches!(command.name.as_str(), "cat" | "column" | "cut" | "fold" | "head" | "nl" | "sort" | "tail" | "tee" | "tr")
}

/// Whether a command that names a file does not look into it.
fn never_looks(command: &Command) -> bool {
    command.is_one_of(&["chmod", "chown", "cp", "echo", "ls", "mkdir", "mv", "printf", "rm", "touch"])
}

/// How many members of a pipeline are looked at behind the one that checks.
const MOST_MEMBERS: usize = 16;
/// How many commands behind a message are looked at for one that ends the script.
const MOST_AFTERMATH: usize = 8;
/// How many commands are looked at for one that reads a file.
const MOST_READERS: usize = 32;
/// How many of the files of a command are looked for.
const MOST_WRITTEN: usize = 4;

/// The commands of one instruction, asked what comes of one of them.
struct Script<'a> {
    commands: &'a [Command],
    has_functions: bool,
    /// The last member of every pipeline, and its place.
    lasts: BTreeMap<usize, (usize, &'a Command)>,
}

impl<'a> Script<'a> {
    fn of(commands: &'a [Command]) -> Self {
        let mut lasts = BTreeMap::new();
        // Most instructions check nothing.
        if commands.iter().any(checks) {
            for command in commands {
                for pipe in &command.pipes {
                    let last = lasts.entry(pipe.id).or_insert((pipe.position, command));
                    if pipe.position >= last.0 {
                        *last = (pipe.position, command);
                    }
                }
            }
        }
        Self { commands, has_functions: commands.iter().any(|command| command.in_function), lasts }
    }

    /// The commands behind a place.
    fn behind(&self, at: usize) -> &'a [Command] {
        self.commands.get(at + 1..).unwrap_or_default()
    }

    /// Whether it matters to the rest what a check finds: its failure is noticed, or somebody reads what it prints.
    fn minds(&self, at: usize, command: &Command) -> bool {
        !self.is_forgiven(at, command) && (self.tells(command) || self.is_read_from_file(at, command))
    }

    /// Whether what a command finds is noticed where it stands: by its status, by the last member of its pipeline, as the value of a `$(...)`, or
    /// by who calls the function that it is in.
    fn tells(&self, command: &Command) -> bool {
        let by_status = |command: &Command| command.is_heeded && !only_prints(command) && !only_shows(command);
        let reader = |position, id| self.lasts.get(&id).filter(|(last, _)| *last > position).map(|(_, reader)| *reader);
        by_status(command)
            || command.is_captured
            || command.in_function
            || command.pipes.iter().filter_map(|pipe| reader(pipe.position, pipe.id)).any(by_status)
    }

    /// Whether what a command prints becomes a file that one behind it looks into.
    fn is_read_from_file(&self, at: usize, command: &Command) -> bool {
        let names = |other: &Command, file: &str| {
            let redirects = other.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Read).map(|redirect| &redirect.target);
            other.arguments().iter().chain(redirects).any(|word| base(&word.text) == file)
        };
        let readers = || (at + 1..).zip(self.behind(at)).take(MOST_READERS).filter(|(_, other)| !never_looks(other));
        let is_read = |file: &str| readers().any(|(at, other)| names(other, file) && !self.is_forgiven(at, other) && self.tells(other));
        let members = self.behind(at).iter().take(MOST_MEMBERS).take_while(|other| is_fed(other, command));
        std::iter::once(command).chain(members).flat_map(kept_files).take(MOST_WRITTEN).any(is_read)
    }

    /// Whether a failure of a command is passed over: `|| true`, or `|| echo` and what is behind it goes on.
    fn is_forgiven(&self, at: usize, command: &Command) -> bool {
        let behind = self.behind(at);
        let members = behind.iter().take(MOST_MEMBERS).take_while(|other| is_fed(other, command)).count();
        let mut behind = behind.iter().skip(members);
        let Some(next) = behind.next().filter(|next| next.joined == Operator::Or) else { return false };
        // A function may be the one that ends the script.
        let only_tells = !self.has_functions && next.is_one_of(&["cat", "date", "echo", "logger", "ls", "printf", "sleep"]);
        succeeds(next) || (only_tells && !behind.take(MOST_AFTERMATH).any(may_end))
    }
}

/// Whether a command stands behind another in a pipeline of both.
fn is_fed(other: &Command, command: &Command) -> bool {
    command.pipes.iter().any(|pipe| other.pipes.iter().any(|at| at.id == pipe.id && at.position > pipe.position))
}

/// The base names of the files that what a command prints becomes.
fn kept_files(command: &Command) -> impl Iterator<Item = &str> {
    let is_digest = command.name == "openssl";
    let options = command.arguments().windows(2).filter_map(move |words| match words {
        [option, file] if is_digest && option.text == "-out" => Some(file.text.as_str()),
        _ => None,
    });
    command.written_files().chain(options).filter(|file| !file.starts_with("/dev/")).map(base)
}

/// Whether a command does nothing but succeed.
fn succeeds(command: &Command) -> bool {
    match command.name.as_str() {
        "true" | ":" => command.arguments().is_empty(),
        "exit" | "return" => matches!(command.arguments(), [status] if status.text.bytes().all(|digit| digit == b'0')),
        _ => false,
    }
}

/// Whether a command may end the script, or what it is about.
fn may_end(command: &Command) -> bool {
    command.is_one_of(&["break", "continue", "exit", "return", "false", "kill"]) && !succeeds(command)
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
