//! The commands of one instruction in, the downloaded files whose checksum or signature they check out.

use std::collections::BTreeSet;

use super::{
    command::{Command, HOLE, RedirectKind, Word, is_hole},
    download::base,
    outcome::Outcomes,
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
        if !commands.iter().any(checks) {
            return this;
        }
        let outcomes = Outcomes::of(commands, only_prints);
        for (at, command) in commands.iter().enumerate().filter(|(at, command)| checks(command) && outcomes.matters(*at)) {
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
