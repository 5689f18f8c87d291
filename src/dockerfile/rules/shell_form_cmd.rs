//! `shell-form-cmd`: CMD, ENTRYPOINT or HEALTHCHECK CMD in shell form.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    instruction::Instruction,
    rule::{Dockerfile, Rule, fixed_by},
};

const META: RuleMeta = RuleMeta {
    id: "shell-form-cmd",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3025", "JSONArgsRecommended", "b86987e1", "prefer-json-notation"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Unsafe),
    summary: "CMD, ENTRYPOINT or HEALTHCHECK CMD in shell form.",
    help: r#"In shell form a shell is process 1: it does not pass signals on, so that the container is killed instead of stopped. A HEALTHCHECK in shell form starts a shell for every check, which the image must have; BuildKit's JSONArgsRecommended does not look there, hadolint does.

Fails:

```dockerfile
FROM alpine:3.22
CMD server --port 80
```

Clean:

```dockerfile
FROM alpine:3.22
CMD ["server", "--port", "80"]
```
"#,
};

/// CMD, ENTRYPOINT or HEALTHCHECK CMD in shell form.
pub(super) struct ShellFormCmd;

impl Rule for ShellFormCmd {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for keyword in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
            for (_, instruction) in dockerfile.with_keyword(keyword).filter(|(_, instruction)| !instruction.json) {
                let Some((text, at)) = shell_code(instruction).filter(|_| !dockerfile.sets_shell(instruction)) else { continue };
                let title = match keyword {
                    "HEALTHCHECK" => "HEALTHCHECK in shell form: every check starts a shell first".to_owned(),
                    _ => format!("{keyword} in shell form: signals do not reach the program"),
                };
                let finding = dockerfile.finding(&META, META.severity, instruction, title);
                let edit = array(text).and_then(|array| dockerfile.edit_in(instruction, &(at..at + text.len()), array));
                findings.push(match edit {
                    Some(edit) => fixed_by(finding, FixKind::Unsafe, vec![edit]),
                    None => finding,
                });
            }
        }
        findings.sort_by_key(|finding| finding.locations.clone());
        findings
    }
}

/// What the shell runs, and where it starts; nothing for an empty instruction and for `HEALTHCHECK NONE`.
fn shell_code(instruction: &Instruction) -> Option<(&str, usize)> {
    if instruction.keyword != "HEALTHCHECK" {
        return (!instruction.rest.is_empty()).then_some((instruction.rest.as_str(), instruction.rest_at));
    }
    match instruction.args.as_slice() {
        [kind, code] if kind.text.eq_ignore_ascii_case("CMD") && !code.text.is_empty() => Some((code.text.as_str(), code.at)),
        _ => None,
    }
}

/// Commands that a shell has built in and no program does as well, and words of its grammar.
const OF_SHELL: &[&str] = &[
    ".",
    ":",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "case",
    "cd",
    "command",
    "compgen",
    "complete",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "do",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "for",
    "function",
    "getopts",
    "hash",
    "help",
    "history",
    "if",
    "jobs",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "time",
    "times",
    "trap",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "until",
    "wait",
    "while",
];

/// Plain words as a JSON array; nothing where a shell is needed.
fn array(text: &str) -> Option<String> {
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || " _-./:=,@%+".contains(ch);
    let first = text.split(' ').find(|word| !word.is_empty())?;
    if !text.chars().all(is_plain) || first.contains('=') || first.starts_with(['%', '-']) || OF_SHELL.contains(&first) {
        return None;
    }
    let words: Vec<String> = text.split(' ').filter(|word| !word.is_empty()).map(|word| format!("\"{word}\"")).collect();
    Some(format!("[{}]", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_and_plain_words_become_an_array() {
        for (text, expected) in [
            ("server --port 80", Some(r#"["server", "--port", "80"]"#)),
            ("  /usr/bin/server  -x=1 ", Some(r#"["/usr/bin/server", "-x=1"]"#)),
            ("echo hello", Some(r#"["echo", "hello"]"#)),
            ("cd /app", None),
            ("source env.sh", None),
            (". env.sh", None),
            ("export A=1", None),
            ("exec server", None),
            ("ulimit -n 1024", None),
            (": nothing", None),
            (" exec server", None),
            ("time server", None),
            ("A=1 server", None),
            ("server $PORT", None),
            ("server && other", None),
            ("server; other", None),
            ("server | tee log", None),
            ("server > log", None),
            ("server *.conf", None),
            ("server ~/x", None),
            ("server 'a b'", None),
            ("server {a,b}", None),
            ("server # note", None),
            ("! server", None),
            ("%1", None),
            ("   ", None),
        ] {
            assert_eq!(array(text).as_deref(), expected, "{text}");
        }
    }
}
