//! `download-not-verified`: A downloaded file is executed, unpacked or installed with no checksum or signature check.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, HOLE},
    download::{Download, base, is_loopback},
    expand::glob,
    rule::{Dockerfile, Rule},
    verification::Verification,
};

const META: RuleMeta = RuleMeta {
    id: "download-not-verified",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A downloaded file is executed, unpacked or installed with no checksum or signature check.",
    help: r#"Whoever controls the server, or its name, decides what is run or installed here: nobody compares the file with what its makers published. Check a checksum that is written in the Dockerfile (`sha256sum -c`), or a signature (`gpg --verify`, `cosign verify-blob`), in the same RUN; or fetch it with `ADD --checksum`. A check counts where its failure ends the build: not before `|| true`, and before `;` only with `set -e`. A checksum that is printed counts where another command compares it.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsSLo /tmp/tool.tgz https://example.com/tool.tgz && tar xzf /tmp/tool.tgz -C /usr/local
```

Clean:

```dockerfile
FROM debian:12
RUN curl -fsSLo /tmp/tool.tgz https://example.com/tool.tgz \
    && echo '24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  /tmp/tool.tgz' | sha256sum -c - \
    && tar xzf /tmp/tool.tgz -C /usr/local
```
"#,
};

/// A downloaded file is executed, unpacked or installed with no checksum or signature check.
pub(super) struct DownloadNotVerified;

impl Rule for DownloadNotVerified {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let mut pending = BTreeMap::<&str, &Command>::new();
            let mut matches = MOST_MATCHES;
            for index in stage.instructions.clone() {
                let (Some(outer), Some(commands)) = (dockerfile.instructions.get(index), dockerfile.commands.get(index)) else { continue };
                if commands.is_empty() || outer.trigger.as_deref().unwrap_or(outer).keyword != "RUN" {
                    continue;
                }
                let is_any = !pending.is_empty() || commands.iter().any(|command| Download::of(command).is_some());
                if !is_any {
                    continue;
                }
                let verification = Verification::of(commands);
                if verification.is_any() {
                    pending.retain(|file, _| !verification.covers(file));
                }
                for (download, file, use_) in unverified(commands, &verification, &mut pending, &mut matches) {
                    let name = file.replace(HOLE, "...");
                    let name = if name.trim_matches('.').is_empty() { "the file" } else { name.as_str() };
                    let title =
                        format!("{name} that {} downloads is {use_}, and nothing checks a checksum or signature of it", download.name);
                    findings.push(dockerfile.finding_in(&META, META.severity, download, title));
                }
            }
        }
        findings
    }
}

/// The most files of a stage that are waited for.
const MOST_PENDING: usize = 64;
/// How often the patterns of a stage are held against the name of a file.
const MOST_MATCHES: usize = 10_000;

/// The downloads that one instruction uses without a check: the command, the file, and what becomes of it.
fn unverified<'a>(
    commands: &'a [Command],
    verification: &Verification<'_>,
    pending: &mut BTreeMap<&'a str, &'a Command>,
    matches: &mut usize,
) -> Vec<(&'a Command, &'a str, &'static str)> {
    let mut found = Vec::new();
    let mut piped = BTreeMap::<usize, &Command>::new();
    for command in commands {
        if let Some(download) = Download::of(command) {
            if download.urls.iter().all(|url| is_of_this_machine(url)) {
                continue;
            }
            for file in &download.files {
                if !verification.covers(file) && pending.len() < MOST_PENDING {
                    pending.insert(*file, command);
                }
            }
            if download.is_printed && download.files.is_empty() && !verification.is_any() {
                piped.extend(command.pipes.iter().map(|pipe| (pipe.id, command)));
            }
            continue;
        }
        if !piped.is_empty()
            && unpacks_input(command)
            && let Some((id, download)) = command.pipes.iter().find_map(|pipe| Some((pipe.id, *piped.get(&pipe.id)?)))
        {
            piped.remove(&id);
            found.push((download, "", "unpacked"));
            continue;
        }
        if pending.is_empty() {
            continue;
        }
        // The program itself may be what was downloaded.
        if let Some((file, download)) = command.words.first().and_then(|word| pending.remove_entry(base(&word.text))) {
            found.push((download, file, "run"));
            continue;
        }
        let Some(use_) = use_of(command) else { continue };
        for word in command.arguments() {
            let name = base(&word.text);
            if let Some((file, download)) = pending.remove_entry(name).or_else(|| by_pattern(pending, name, matches)) {
                found.push((download, file, use_));
            }
        }
    }
    found
}

fn by_pattern<'a>(pending: &mut BTreeMap<&'a str, &'a Command>, name: &str, matches: &mut usize) -> Option<(&'a str, &'a Command)> {
    // A mere `*` says nothing about the file.
    if !name.contains('*') || name.trim_matches(['*', '.']).is_empty() {
        return None;
    }
    *matches = matches.checked_sub(pending.len())?;
    let file = pending.keys().find(|file| glob(name, file)).copied()?;
    pending.remove_entry(file)
}

fn is_of_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    url.starts_with("file:") || is_loopback(rest.split(['/', '?']).next().unwrap_or_default())
}

/// What a command does with the files that it names; `None` where that is neither running nor unpacking nor installing.
fn use_of(command: &Command) -> Option<&'static str> {
    let says = |words: &[&str]| command.arguments().iter().any(|word| words.contains(&word.text.as_str()));
    match command.name.as_str() {
        "tar" | "bsdtar" | "gtar" => extracts(command).then_some("unpacked"),
        "unzip" | "gunzip" | "bunzip2" | "unxz" | "unlzma" | "unzstd" | "uncompress" | "unsquashfs" | "zcat" | "bzcat" | "xzcat" => {
            Some("unpacked")
        }
        "gzip" | "bzip2" | "xz" | "zstd" | "lzma" => says(&["-d", "--decompress", "-dc", "-dk", "-df", "-kd"]).then_some("unpacked"),
        "7z" | "7za" | "7zr" | "unrar" => says(&["x", "e"]).then_some("unpacked"),
        "jar" => command.arguments().first().is_some_and(|word| word.text.contains('x')).then_some("unpacked"),
        "ar" | "cpio" => Some("unpacked"),
        "dpkg" => says(&["-i", "--install", "-x", "--unpack", "--extract"]).then_some("installed"),
        "dpkg-deb" => says(&["-x", "-X", "--extract", "-R"]).then_some("unpacked"),
        "rpm" | "rpm2cpio" => Some("installed").filter(|_| !says(&["--import", "-K", "--checksig"])),
        "apt" | "apt-get" | "gdebi" => says(&["install"]).then_some("installed"),
        "yum" | "dnf" | "microdnf" | "tdnf" | "zypper" => says(&["install", "localinstall", "in", "-i"]).then_some("installed"),
        // Without it apk checks signatures itself.
        "apk" => says(&["--allow-untrusted"]).then_some("installed"),
        "pip" | "pip3" | "npm" | "gem" | "conda" | "luarocks" | "R" => says(&["install", "i"]).then_some("installed"),
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "." | "source" | "perl" | "php" | "node" | "ruby" | "java" | "python"
        | "python2" | "python3" | "pypy3" | "lua" | "Rscript" | "msiexec" => Some("run"),
        "chmod" => command.arguments().iter().any(|word| makes_executable(&word.text)).then_some("made executable"),
        "install" => Some("installed"),
        "mv" | "cp" | "ln" => {
            let target = command.arguments().last().map_or("", |word| word.text.trim_end_matches('/'));
            let folder = target.rsplit_once('/').map_or("", |(folder, _)| folder);
            [target, folder].iter().any(|path| path.ends_with("/bin") || path.ends_with("/sbin")).then_some("installed")
        }
        _ => None,
    }
}

/// Whether a mode gives anybody leave to run a file.
fn makes_executable(mode: &str) -> bool {
    let is_octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let is_symbolic = mode.split(['+', '=']).nth(1).is_some_and(|rights| rights.contains(['x', 'X'])) && !mode.contains('/');
    is_symbolic || (is_octal && mode.bytes().rev().take(3).any(|digit| digit % 2 == 1))
}

fn extracts(command: &Command) -> bool {
    let mut words = command.arguments().iter().map(|word| word.text.as_str());
    let is_old_form =
        words.clone().next().is_some_and(|first| !first.starts_with('-') && first.contains('x') && !first.contains(['/', '.']));
    is_old_form
        || words
            .any(|word| matches!(word, "--extract" | "--get") || (word.starts_with('-') && !word.starts_with("--") && word.contains('x')))
}

/// Whether a command unpacks what it reads from its input.
fn unpacks_input(command: &Command) -> bool {
    match command.name.as_str() {
        "tar" | "bsdtar" | "gtar" => extracts(command),
        "cpio" | "gunzip" | "bunzip2" | "unxz" | "unzstd" | "zcat" | "bzcat" | "xzcat" | "unlzma" | "funzip" => true,
        "gzip" | "bzip2" | "xz" | "zstd" => {
            command.arguments().iter().any(|word| word.text.starts_with("-d") || word.text == "--decompress")
        }
        "unzip" | "jar" => command.has_argument("-") || command.has_argument("/dev/stdin") || command.has_argument("x"),
        _ => false,
    }
}
