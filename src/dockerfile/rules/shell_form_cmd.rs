//! `shell-form-cmd`: CMD, ENTRYPOINT or HEALTHCHECK CMD in shell form.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

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
    help: r#"In shell form a shell is process 1: it does not pass signals on, so that the container is killed instead of stopped.

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
        for keyword in ["CMD", "ENTRYPOINT"] {
            for (_, instruction) in dockerfile.with_keyword(keyword).filter(|(_, instruction)| !instruction.json && !instruction.rest.is_empty()) {
                if dockerfile.sets_shell(instruction) {
                    continue;
                }
                let finding = dockerfile.finding(&META, META.severity, instruction, format!("{keyword} in shell form: signals do not reach the program"));
                let part = instruction.rest_at..instruction.rest_at + instruction.rest.len();
                let edit = array(&instruction.rest).and_then(|array| dockerfile.edit_in(instruction, &part, array));
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

/// Plain words as a JSON array; nothing where a shell is needed.
fn array(text: &str) -> Option<String> {
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || " _-./:=,@%+".contains(ch);
    if !text.chars().all(is_plain) || text.split(' ').next().is_some_and(|first| first.contains('=') || first == "exec") {
        return None;
    }
    let words: Vec<String> = text.split(' ').filter(|word| !word.is_empty()).map(|word| format!("\"{word}\"")).collect();
    Some(format!("[{}]", words.join(", ")))
}
