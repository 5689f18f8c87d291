//! `download-piped-to-shell`: a download is piped or substituted into a shell or interpreter.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, Word},
    rule::{Dockerfile, Rule},
    wrapper::takes_value,
};

const META: RuleMeta = RuleMeta {
    id: "download-piped-to-shell",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A download is piped or substituted into a shell or interpreter.",
    help: r#"What the server sends at that moment runs at once, as root: nobody looked at it, nothing was checked, and a broken connection runs half of it. A version in the URL changes nothing. Download, check a checksum, then run.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsSL https://example.com/install.sh | sh
```

Clean:

```dockerfile
FROM debian:12
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/install.sh /tmp/
RUN sh /tmp/install.sh
```
"#,
};

/// A download is piped or substituted into a shell or interpreter.
pub(super) struct DownloadPipedToShell;

impl Rule for DownloadPipedToShell {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in dockerfile.scripts() {
            // The interpreter's own words run too, so one download must not be told twice.
            let mut told = BTreeSet::new();
            let downloads = piped_downloads(commands);
            for command in commands {
                let Some(program) = interpreter(command) else { continue };
                let download = from_pipe(&downloads, command).or_else(|| from_words(commands, command));
                let Some(download) = download.filter(|download| !told.contains(download)) else { continue };
                told.insert(download);
                let name = commands.get(download).map_or("", |command| command.name.as_str());
                findings.push(dockerfile.finding_in(
                    &META,
                    META.severity,
                    command,
                    format!("{name} feeds {program} with what it downloads"),
                ));
            }
        }
        findings
    }
}

/// The program, when it runs code that it reads from its input or words.
fn interpreter(command: &Command) -> Option<&str> {
    let name = command.name.as_str();
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let known = matches!(
        bare,
        "sh" | "bash"
            | "dash"
            | "ash"
            | "ksh"
            | "csh"
            | "tcsh"
            | "mksh"
            | "rbash"
            | "zsh"
            | "fish"
            | "pwsh"
            | "pypy"
            | "deno"
            | "bun"
            | "tclsh"
            | "groovy"
            | "su"
            | "python"
            | "perl"
            | "ruby"
            | "node"
            | "php"
            | "lua"
            | "source"
            | "eval"
            | "Rscript"
    ) || name == ".";
    known.then_some(name)
}

fn is_download(command: &Command) -> bool {
    command.is_one_of(&["curl", "wget", "fetch", "aria2c"])
}

/// Per pipeline, its first download: which member it is, and its place among the commands.
fn piped_downloads(commands: &[Command]) -> BTreeMap<usize, (usize, usize)> {
    let mut first = BTreeMap::new();
    for (at, command) in commands.iter().enumerate().filter(|(_, command)| is_download(command)) {
        for pipe in &command.pipes {
            let found = (pipe.position, at);
            first.entry(pipe.id).and_modify(|earliest| *earliest = found.min(*earliest)).or_insert(found);
        }
    }
    first
}

/// A download earlier in a pipeline that this command reads as code.
fn from_pipe(downloads: &BTreeMap<usize, (usize, usize)>, command: &Command) -> Option<usize> {
    let earlier = command.pipes.iter().filter_map(|pipe| downloads.get(&pipe.id).filter(|(position, _)| *position < pipe.position));
    earlier.map(|&(_, at)| at).min().filter(|_| reads_input(command))
}

/// Whether the interpreter takes its code from standard input: no script file and no `-c`.
fn reads_input(command: &Command) -> bool {
    let mut words = command.arguments().iter().map(|word| word.text.as_str());
    if command.is_one_of(&["su"]) {
        // Its operand is a user, and the shell of that user reads on.
        return !words.any(|word| word.starts_with("-c") || word.starts_with("--command") || word.starts_with("--session-command"));
    }
    while let Some(word) = words.next() {
        match word {
            "-" | "-s" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => return true,
            word if takes_value(word) => {
                words.next();
            }
            "-c" | "-e" | "-m" if !matches!(command.name.as_str(), "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh") => return false,
            word if word.starts_with("--") => {}
            word if word.starts_with('-') && word.contains('c') => return false,
            word if word.starts_with('-') && word.contains('s') => return true,
            word if word.starts_with(['-', '+']) => {}
            _ => return false,
        }
    }
    true
}

/// A download in a `$(...)` or `<(...)` that the interpreter runs.
fn from_words(commands: &[Command], command: &Command) -> Option<usize> {
    let code = |word: &Word| word.is_process || command.is_one_of(&["eval"]) || gives_code(command);
    let words = command.arguments().iter().filter(|word| code(word));
    let inputs = command
        .redirects
        .iter()
        .map(|redirect| &redirect.target)
        .filter(|target| target.is_process || (!target.inner.is_empty() && reads_input(command)));
    words.chain(inputs).flat_map(|word| word.inner.clone()).find(|&at| commands.get(at).is_some_and(is_download))
}

/// Whether an option of the program holds code.
fn gives_code(command: &Command) -> bool {
    let option = match command.name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "perl" | "ruby" | "node" | "lua" | "bun" | "Rscript" => "-e",
        "php" => "-r",
        _ => return command.has_argument("-c") || bundles_c(command),
    };
    command.has_argument(option)
}

fn bundles_c(command: &Command) -> bool {
    command.arguments().first().is_some_and(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c'))
}
