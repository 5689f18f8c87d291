//! `apt-source-trusted`: an apt source with [trusted=yes] or allow-insecure.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, RedirectKind},
    options::Arguments,
    rule::{Dockerfile, Rule},
    source::slice,
};

const META: RuleMeta = RuleMeta {
    id: "apt-source-trusted",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "An apt source with [trusted=yes] or allow-insecure.",
    help: r#"With `trusted=yes` apt installs what the source sends without a look at its signature, and `allow-insecure` accepts a source that has none. Put the key of the source into a keyring and name it by `signed-by`.

Fails:

```dockerfile
FROM debian:12
RUN echo 'deb [trusted=yes] https://repo.example.com/debian stable main' > /etc/apt/sources.list.d/x.list
```

Clean:

```dockerfile
FROM debian:12
COPY example.gpg /usr/share/keyrings/
RUN echo 'deb [signed-by=/usr/share/keyrings/example.gpg] https://repo.example.com/debian stable main' > /etc/apt/sources.list.d/x.list
```
"#,
};

/// An apt source with [trusted=yes] or allow-insecure.
pub(super) struct AptSourceTrusted;

impl Rule for AptSourceTrusted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.all_commands() {
            if let Some((severity, what)) = judge(command) {
                findings.push(dockerfile.finding_in(&META, severity, command, title(what)));
            }
        }
        for keyword in ["ADD", "COPY"] {
            for (index, instruction) in dockerfile.with_keyword(keyword) {
                let Some(outer) = dockerfile.instructions.get(index).filter(|outer| !outer.heredocs.is_empty()) else { continue };
                if !instruction.args.last().is_some_and(|path| is_source_list(&path.text)) {
                    continue;
                }
                let bodies = outer.heredocs.iter().map(|heredoc| slice(&dockerfile.source.text, heredoc.body.clone()));
                if let Some((severity, what)) = bodies.filter_map(source).max_by_key(|(severity, _)| *severity == META.severity) {
                    findings.push(dockerfile.finding(&META, severity, instruction, title(what)));
                }
            }
        }
        findings
    }
}

fn title(what: &str) -> String {
    format!("{what} lets apt install from a source without checking its signature")
}

fn judge(command: &Command) -> Option<(Severity, &'static str)> {
    match command.name.as_str() {
        "apt" | "apt-get" | "aptitude" => {
            let arguments = Arguments::of(command);
            let is_set = arguments.options.iter().filter_map(|option| option.value).any(allows_insecure);
            let is_given = arguments.has_long("--allow-insecure-repositories");
            (is_set || is_given).then_some((META.severity, "AllowInsecureRepositories"))
        }
        "add-apt-repository" | "apt-add-repository" => command.arguments().iter().find_map(|word| source(&word.text)),
        "echo" | "printf" | "cat" | "tee" | "sed" | "dd" => {
            let documents =
                command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target);
            let texts = command.arguments().iter().chain(documents).map(|word| word.text.as_str());
            let found = texts
                .filter_map(|text| source(text).or_else(|| allows_insecure(text).then_some((META.severity, "AllowInsecureRepositories"))));
            found.max_by_key(|(severity, _)| *severity == META.severity)
        }
        _ => None,
    }
}

fn is_source_list(path: &str) -> bool {
    path.contains("sources.list")
}

fn allows_insecure(text: &str) -> bool {
    const SETTING: &str = "acquire::allow";
    let text = text.to_ascii_lowercase();
    text.match_indices(SETTING).any(|(at, _)| {
        let name = slice(&text, at + SETTING.len()..text.len());
        let rest = name.strip_prefix("insecurerepositories").or_else(|| name.strip_prefix("weakrepositories"));
        rest.is_some_and(|rest| {
            let value = rest.trim_start_matches([' ', '=', '"', '\'', '\\']);
            ["true", "1", "yes", "on"].iter().any(|yes| value.starts_with(yes))
        })
    })
}

/// How far behind a bracket its end and the address are looked for, in bytes.
const LONGEST: usize = 512;

/// The worst source in a text that is trusted whatever it sends: its severity, and the words that say so.
fn source(text: &str) -> Option<(Severity, &'static str)> {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("trusted") && !lower.contains("allow-insecure") {
        return None;
    }
    let of_own = |rest: &str| {
        rest.trim_start().starts_with("file:") || rest.trim_start().starts_with("copy:") || rest.trim_start().starts_with("cdrom:")
    };
    let mut worst: Option<(Severity, &'static str)> = None;
    for line in lower.lines() {
        // One line: `deb [options] address suite`, also several of them in the expression of sed.
        for (at, _) in line.match_indices('[') {
            // The pattern of sed, which is what goes.
            if slice(line, 0..at).ends_with('\\') {
                continue;
            }
            let end = line.floor_char_boundary(at + LONGEST);
            let Some((options, rest)) = slice(line, at + 1..end).split_once(']') else { continue };
            let Some(what) = options.split([' ', '\t', '\\']).find_map(trusts) else { continue };
            let severity = if of_own(rest) { Severity::Medium } else { META.severity };
            if worst.is_none_or(|(before, _)| before != META.severity) {
                worst = Some((severity, what));
            }
        }
    }
    // Several lines: `Trusted: yes` in a paragraph of its own.
    for paragraph in lower.split("\n\n") {
        let field = |name: &str| {
            paragraph.lines().find_map(|line| line.trim_start().strip_prefix(name)?.trim_start().strip_prefix(':').map(str::trim))
        };
        for (name, what) in [("trusted", "`Trusted: yes`"), ("allow-insecure", "`Allow-Insecure: yes`")] {
            if field(name).is_some_and(is_yes) && worst.is_none_or(|(before, _)| before != META.severity) {
                let severity = if field("uris").is_some_and(of_own) { Severity::Medium } else { META.severity };
                worst = Some((severity, what));
            }
        }
    }
    worst
}

fn trusts(option: &str) -> Option<&'static str> {
    let (name, value) = option.split_once('=')?;
    match name {
        "trusted" => is_yes(value).then_some("`trusted=yes`"),
        "allow-insecure" => is_yes(value).then_some("`allow-insecure=yes`"),
        _ => None,
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value, "yes" | "true" | "1" | "on" | "with" | "enable")
}
