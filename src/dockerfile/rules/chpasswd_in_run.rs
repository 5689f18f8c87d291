//! `chpasswd-in-run`: a password is set or removed in RUN (chpasswd, passwd -d, usermod -p).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, Word},
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "chpasswd-in-run",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_17"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A password is set or removed in RUN (chpasswd, passwd -d, usermod -p).",
    help: r#"A password in a layer can be read or cracked by everyone who can pull the image, and it is the same in every container. A password that comes out of a generator in the same pipeline is known to nobody and is no finding.

Fails:

```dockerfile
FROM debian:12
RUN echo 'app:hunter22' | chpasswd
```

Clean:

```dockerfile
FROM debian:12
RUN useradd app && passwd -l app
```
"#,
};

/// A password is set or removed in RUN (chpasswd, passwd -d, usermod -p).
pub(super) struct ChpasswdInRun;

impl Rule for ChpasswdInRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in dockerfile.scripts() {
            for (at, command) in commands.iter().enumerate() {
                let Some(what) = sets_password(command).filter(|_| !is_random(commands, at)) else { continue };
                findings.push(dockerfile.finding_in(&META, META.severity, command, what.to_owned()));
            }
        }
        findings
    }
}

/// Whether the password comes out of a generator in the same pipeline: nobody knows it, so that it locks the account as far as passwords go.
fn is_random(commands: &[Command], at: usize) -> bool {
    // A pipeline into chpasswd is short; those before it are not searched for ever.
    const NEAR: usize = 16;
    let Some(pipe) = commands.get(at).and_then(|command| command.pipes.last()) else { return false };
    let makes_random = |command: &Command| match command.name.as_str() {
        "openssl" => command.arguments().first().is_some_and(|word| word.text == "rand"),
        "pwgen" | "mkpasswd" | "uuidgen" | "apg" => true,
        _ => {
            let names_device = |word: &Word| word.text.ends_with("/dev/urandom") || word.text.ends_with("/dev/random");
            command.arguments().iter().any(names_device) || command.redirects.iter().any(|redirect| names_device(&redirect.target))
        }
    };
    let before = commands.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
    before.iter().filter(|feeder| feeder.pipes.last().is_some_and(|its| its.id == pipe.id && its.position < pipe.position)).any(|feeder| {
        let mut inner = feeder.words.iter().filter_map(|word| commands.get(word.inner.clone())).flatten().take(NEAR);
        makes_random(feeder) || inner.any(makes_random)
    })
}

fn sets_password(command: &Command) -> Option<&'static str> {
    let arguments = Arguments::of(command);
    let asks = arguments.has_long("--help") || arguments.has_long("--version");
    match command.name.as_str() {
        _ if asks => None,
        "chpasswd" => Some("chpasswd sets a password in the image"),
        "passwd" if arguments.has_short('l') || arguments.has_long("--lock") => None,
        "passwd" if arguments.has_short('d') || arguments.has_long("--delete") => Some("passwd -d removes a password: anybody may log in"),
        "passwd" if arguments.has_long("--stdin") || command.pipes.iter().any(|pipe| pipe.position > 0) => {
            Some("passwd sets a password in the image")
        }
        "usermod" | "useradd" => {
            let mut words = command.arguments().iter();
            while let Some(word) = words.next() {
                let value = match word.text.as_str() {
                    "-p" | "--password" => words.next().map_or("", |word| word.text.as_str()),
                    text => match text.strip_prefix("--password=") {
                        Some(value) => value,
                        None => continue,
                    },
                };
                // `*` and `!` are no passwords: nobody can log in with them.
                if !value.starts_with(['*', '!']) {
                    return Some("a password is set in the image");
                }
            }
            None
        }
        _ => None,
    }
}
