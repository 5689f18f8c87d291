//! `wget-without-progress`: wget fills the log with its progress bar.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    expand::Value,
    options::Arguments,
    package_manager::{Action, Manager},
    parse::image_name,
    rule::{Dockerfile, Rule, fixed_by, is_run},
    trusted::Origin,
};

const META: RuleMeta = RuleMeta {
    id: "wget-without-progress",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3047"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Wget fills the log with its progress bar.",
    help: r#"wget's progress bar fills the log of a build with thousands of lines.

Fails:

```dockerfile
FROM debian:12
RUN wget https://example.com/x.tar.gz
```

Clean:

```dockerfile
FROM debian:12
RUN wget -nv https://example.com/x.tar.gz
```
"#,
};

/// Wget fills the log with its progress bar.
pub(super) struct WgetWithoutProgress;

impl Rule for WgetWithoutProgress {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut programs = Programs::of(dockerfile);
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| is_run(instruction)) {
            for (at, command) in commands.iter().enumerate().filter(|(_, command)| command.name == "wget" && is_loud(command)) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "wget draws a progress bar into the log".to_owned());
                let caller = at.checked_sub(1).and_then(|at| commands.get(at)).filter(|caller| caller.range == command.range);
                let program = match caller.map(|caller| caller.name.as_str()) {
                    Some("busybox") => Some(Program::BusyBox),
                    Some("toybox") => None,
                    _ => instruction.stage.and_then(|stage| programs.at(dockerfile, stage, command)),
                };
                let word = command.words.first().filter(|word| dockerfile.is_plain(word));
                findings.push(match word.zip(program) {
                    Some((word, program)) => {
                        fixed_by(finding, FixKind::Safe, vec![dockerfile.edit(word.range.end..word.range.end, program.quiet())])
                    }
                    None => finding,
                });
            }
        }
        findings
    }
}

/// Whose wget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// GNU's.
    Gnu,
    /// That of BusyBox, or one that replaces it.
    BusyBox,
}

impl Program {
    /// What keeps the bar away; the wget of BusyBox has no `--progress`.
    const fn quiet(self) -> &'static str {
        match self {
            Self::Gnu => " --progress=dot:giga",
            Self::BusyBox => " -q",
        }
    }

    /// The one that an image has or that its own package manager installs; `None` where nothing says it.
    fn of_image(image: &Value) -> Option<Self> {
        if !image.is_decided() {
            return None;
        }
        if image.text.contains("alpine") || image.text.contains("busybox") {
            return Some(Self::BusyBox);
        }
        let origin = Origin::of(&image.text);
        let repository = origin.repository.filter(|_| origin.registry == "docker.io")?;
        let name = repository.strip_prefix("library/").unwrap_or(&repository);
        // Languages come on several systems, which the tag tells.
        let is_gnu =
            GNU.contains(&name) || (LANGUAGES.contains(&name) && (image_name(&image.text).tag.is_some() || !image.text.contains('@')));
        is_gnu.then_some(Self::Gnu)
    }
}

/// Images whose package manager knows no other wget than GNU's.
const GNU: &[&str] = &[
    "almalinux",
    "amazonlinux",
    "buildpack-deps",
    "centos",
    "debian",
    "fedora",
    "opensuse/leap",
    "opensuse/tumbleweed",
    "oraclelinux",
    "rockylinux",
    "rockylinux/rockylinux",
    "ubuntu",
];

/// Images of languages that are one of those, unless their tag says Alpine.
const LANGUAGES: &[&str] = &[
    "eclipse-temurin",
    "elixir",
    "erlang",
    "gcc",
    "golang",
    "gradle",
    "maven",
    "node",
    "openjdk",
    "perl",
    "php",
    "python",
    "ruby",
    "rust",
    "swift",
];

/// Whose wget the stages of a file have.
struct Programs {
    /// Per stage, where the first wget is installed that can be no other than GNU's.
    installed: BTreeMap<usize, usize>,
    /// Whether nothing is installed for Alpine: else the file may be for several systems.
    is_plain: bool,
    /// Per stage, what it starts with.
    first: BTreeMap<usize, Option<Program>>,
}

impl Programs {
    fn of(dockerfile: &Dockerfile<'_>) -> Self {
        let managers = [Manager::Apt, Manager::Dnf, Manager::Microdnf, Manager::Yum, Manager::Zypper];
        let mut installed = BTreeMap::new();
        for (instruction, command, call) in dockerfile.invocations(&managers) {
            let has_wget = || call.packages.iter().any(|package| package.text.split('=').next() == Some("wget"));
            if let Some(stage) = instruction.stage.filter(|_| call.action == Action::Install && has_wget()) {
                installed.entry(stage).or_insert(command.range.start);
            }
        }
        Self { installed, is_plain: dockerfile.invocations(&[Manager::Apk]).next().is_none(), first: BTreeMap::new() }
    }

    /// Whose wget a command of the stage runs.
    fn at(&mut self, dockerfile: &Dockerfile<'_>, stage: usize, command: &Command) -> Option<Program> {
        let first = *self.first.entry(stage).or_insert_with(|| {
            let is_installed = || self.is_plain && dockerfile.graph.chain(stage).skip(1).any(|below| self.installed.contains_key(&below));
            dockerfile.graph.root_image(stage).and_then(Program::of_image).or_else(|| is_installed().then_some(Program::Gnu))
        });
        let is_installed = || self.is_plain && self.installed.get(&stage).is_some_and(|at| *at < command.range.start);
        first.or_else(|| is_installed().then_some(Program::Gnu))
    }
}

/// Whether nothing keeps the bar away.
fn is_loud(command: &Command) -> bool {
    let arguments = Arguments::of(command);
    let is_long = ["--progress", "--quiet", "--output-file", "--append-output", "--no-verbose"].iter().any(|name| arguments.has_long(name));
    !is_long && !['q', 'o', 'a'].iter().any(|letter| arguments.has_short(*letter)) && !command.has_argument("-nv")
}
