//! `apt-key-add`: apt-key add, or a key put in trusted.gpg(.d): valid for every repository.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    download::Download,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apt-key-add",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apt-key add, or a key put in trusted.gpg(.d): valid for every repository.",
    help: r#"A key in apt's own keyring signs for every source: whoever holds it can also replace packages of the distribution. Put it into a file of its own below /usr/share/keyrings and name that file by `signed-by` in the one source that it is for. apt 3 has no `apt-key` any more.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsSL https://repo.example.com/key.asc | apt-key add -
```

Clean:

```dockerfile
FROM debian:12
COPY example.gpg /usr/share/keyrings/
RUN echo 'deb [signed-by=/usr/share/keyrings/example.gpg] https://repo.example.com/debian stable main' > /etc/apt/sources.list.d/x.list
```
"#,
};

/// Apt-key add, or a key put in trusted.gpg(.d): valid for every repository.
pub(super) struct AptKeyAdd;

impl Rule for AptKeyAdd {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in dockerfile.scripts() {
            let mut faults = commands.iter().filter(|command| is_faulty(command)).peekable();
            let is_looked_at = faults.peek().is_some() && commands.iter().any(looks_at_key);
            for command in faults {
                let what = if command.name == "apt-key" { "apt-key" } else { "a key in trusted.gpg" };
                let but = if is_looked_at { ", however well its fingerprint is checked" } else { "" };
                findings.push(dockerfile.finding_in(
                    &META,
                    META.severity,
                    command,
                    format!("{what} makes a key valid for every source of apt{but}"),
                ));
            }
        }
        for keyword in ["ADD", "COPY"] {
            for (_, instruction) in dockerfile.with_keyword(keyword) {
                if instruction.args.last().is_some_and(|path| is_shared_keyring(&path.text)) {
                    let title = "a key in trusted.gpg makes it valid for every source of apt".to_owned();
                    findings.push(dockerfile.finding(&META, META.severity, instruction, title));
                }
            }
        }
        findings
    }
}

fn is_faulty(command: &Command) -> bool {
    let name = command.name.as_str();
    if name == "apt-key" {
        let adds = command.arguments().iter().any(|word| matches!(word.text.as_str(), "add" | "adv" | "net-update" | "update"));
        let only_shows = command.has_argument("--help") || command.has_argument("--list-keys") || command.has_argument("--fingerprint");
        // A keyring of its own is no shared one.
        return adds && !only_shows && !command.has_argument("--keyring");
    }
    if command.written_files().any(is_shared_keyring) {
        return true;
    }
    match name {
        // `rm` and the like name the folder, too.
        "cp" | "mv" | "install" | "ln" | "rsync" => command.arguments().last().is_some_and(|word| is_shared_keyring(&word.text)),
        "gpg" | "gpg2" => writes_to(command, &["-o", "--output", "--keyring", "--primary-keyring"]),
        "curl" | "wget" => {
            Download::of(command).is_some()
                && writes_to(command, &["-o", "--output", "-O", "--output-document", "-P", "--directory-prefix"])
        }
        _ => false,
    }
}

/// Whether one of the options, alone or at the end of a bundle, is followed by a shared keyring.
fn writes_to(command: &Command, options: &[&str]) -> bool {
    command.arguments().windows(2).any(|pair| {
        let [option, value] = pair else { return false };
        let is_bundle = option.text.starts_with('-') && !option.text.starts_with("--") && option.text.ends_with(['o', 'O', 'P']);
        (is_bundle || options.contains(&option.text.as_str())) && is_shared_keyring(&value.text)
    }) || command.arguments().iter().any(|word| {
        let value = word.text.split_once('=').filter(|(name, _)| options.contains(name)).map(|(_, value)| value);
        value.or_else(|| word.text.strip_prefix("-o")).is_some_and(is_shared_keyring)
    })
}

fn is_shared_keyring(path: &str) -> bool {
    path.contains("/etc/apt/trusted.gpg")
}

fn looks_at_key(command: &Command) -> bool {
    let shows = ["--fingerprint", "--with-fingerprint", "--show-keys", "--with-colons"];
    command.is_one_of(&["gpg", "gpg2", "apt-key"]) && command.arguments().iter().any(|word| shows.contains(&word.text.as_str()))
}
