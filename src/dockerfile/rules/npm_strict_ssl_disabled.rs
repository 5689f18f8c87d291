//! `npm-strict-ssl-disabled`: npm, yarn or pnpm set strict-ssl to false.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "npm-strict-ssl-disabled",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_13"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Npm, yarn or pnpm set strict-ssl to false.",
    help: r#"Without certificate checks anybody on the way can answer in the registry's place.

Fails:

```dockerfile
FROM node:24
RUN npm config set strict-ssl false
```

Clean:

```dockerfile
FROM node:24
RUN npm ci
```
"#,
};

/// Npm, yarn or pnpm set strict-ssl to false.
pub(super) struct NpmStrictSslDisabled;

impl Rule for NpmStrictSslDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = "the package manager does not check the registry's certificate";
        dockerfile.where_run_with(&META, is_faulty, title, |command| switched_on(dockerfile, command))
    }
}

/// The words that switch the check off, with the opposite value.
fn switched_on(dockerfile: &Dockerfile<'_>, command: &Command) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for pair in command.words.windows(2) {
        let [before, word] = pair else { continue };
        match word.text.as_str() {
            "strict-ssl=false" => edits.push(dockerfile.other_word(word, "strict-ssl=true")?),
            "--strict-ssl=false" | "--no-strict-ssl" => edits.push(dockerfile.without_word(before, word)?),
            "false" if matches!(before.text.as_str(), "strict-ssl" | "--strict-ssl") => edits.push(dockerfile.other_word(word, "true")?),
            _ => {}
        }
    }
    Some(edits)
}

fn is_faulty(command: &Command) -> bool {
    let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
    let off = |text: &str| matches!(text.trim_matches('"'), "strict-ssl=false" | "--strict-ssl=false" | "--no-strict-ssl");
    if command.is_one_of(&["npm", "yarn", "pnpm", "npx"]) {
        let pair = words.windows(2).any(|pair| matches!(pair, ["strict-ssl" | "--strict-ssl", "false"]));
        return pair || words.iter().any(|word| off(word));
    }
    command.is_one_of(&["echo", "printf"])
        && command.written_files().any(|path| path.ends_with("npmrc"))
        && words.iter().any(|word| word.split_whitespace().any(off))
}
