//! `sensitive-context-copied`: The whole folder of the build is copied with credentials or the history of git in it.

use crate::model::{
    build_context::BuildContext,
    finding::Finding,
    fix::Edit,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    copies::{Budget, MAX_SENSITIVE, is_of_history},
    dockerignore::IgnorePatterns,
    instruction::Instruction,
    rule::{Dockerfile, Rule, fixed_by},
    secret_file::suspect,
};

const META: RuleMeta = RuleMeta {
    id: "sensitive-context-copied",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Context],
    fix: Some(FixKind::Unsafe),
    summary: "The whole folder of the build is copied with credentials or the history of git in it.",
    help: r#"`COPY . .` takes everything that `.dockerignore` does not name: the history in `.git` with all that was ever committed, `.env` files, keys. It stays in the layer for everybody who can pull the image. Name such files in `.dockerignore`, or copy by name what the image needs. The folder of the build must be given (`--context`); only files that are really there count.

Fails:

```dockerfile
# .git and .env lie beside this file, and there is no .dockerignore
FROM node:22
COPY . /app
```

Clean:

```dockerfile
# .dockerignore holds: .git and .env
FROM node:22
COPY . /app
```
"#,
};

/// The whole folder of the build is copied with credentials or the history of git in it.
pub(super) struct SensitiveContextCopied;

impl Rule for SensitiveContextCopied {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let (Some(context), Some(ignored)) = (dockerfile.context, &dockerfile.ignored) else { return Vec::new() };
        let built_upon = dockerfile.graph.built_upon();
        let mut budget = Budget::new();
        let mut sent: Option<Vec<String>> = None;
        let mut findings = Vec::new();
        for copied in dockerfile.copies() {
            if !copied.takes_everything() {
                continue;
            }
            let sent = sent.get_or_insert_with(|| sensitive(context, ignored, &mut budget));
            let left_out = copied.left_out();
            // What is not compared any more counts as taken.
            let is_taken = |path: &&str| !budget.spend(&left_out, path) || !left_out.excludes(path);
            let taken: Vec<&str> = sent.iter().map(String::as_str).filter(is_taken).collect();
            let title = match taken.as_slice() {
                [] => continue,
                [one] => format!("the whole folder of the build is copied, with `{one}` in it"),
                [one, two] => format!("the whole folder of the build is copied, with `{one}` and `{two}` in it"),
                [one, two, rest @ ..] => {
                    format!("the whole folder of the build is copied, with `{one}`, `{two}` and {} more in it", rest.len())
                }
            };
            // What a stage that is only copied from holds is in no image, but in every cache of the build.
            let severity = if copied.stage.is_none_or(|stage| built_upon.contains(&stage)) { META.severity } else { Severity::Low };
            let finding = dockerfile.finding(&META, severity, copied.instruction, title);
            findings.push(match left_out_by_flags(dockerfile, copied.instruction, &taken) {
                Some(edit) => fixed_by(finding, FixKind::Unsafe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}

/// Most paths that a fix names.
const MAX_NAMED: usize = 8;

/// What the builder is sent and nobody should see, sorted.
fn sensitive(context: &BuildContext, ignored: &IgnorePatterns, budget: &mut Budget) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut has_history = false;
    for (path, entry) in &context.entries {
        let in_history = path.starts_with(".git/");
        // In a working tree of its own `.git` is a file without anything in it.
        let is_first = is_of_history(path) && !entry.is_folder && !has_history;
        if is_first && budget.spend(ignored, path) && !ignored.excludes(path) {
            has_history = true;
            found.push(".git".to_owned());
        }
        if in_history || found.len() == MAX_SENSITIVE {
            continue;
        }
        let Some(suspect) = suspect(path).filter(|_| !entry.is_folder) else { continue };
        if !budget.spend(ignored, path) {
            break;
        }
        if entry.content.as_deref().is_none_or(|bytes| suspect.is_confirmed(bytes)) && !ignored.excludes(path) {
            found.push(path.clone());
        }
    }
    found.sort_unstable();
    found
}

/// `--exclude` for each of the paths, where the frontend of the file surely knows the flag.
fn left_out_by_flags(dockerfile: &Dockerfile<'_>, instruction: &Instruction, paths: &[&str]) -> Option<Edit> {
    let is_plain = |path: &&str| path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    let knows = dockerfile.directives.syntax.as_ref().is_none_or(|frontend| frontend.reference == "docker/dockerfile:1");
    if !knows || paths.len() > MAX_NAMED || !paths.iter().all(is_plain) {
        return None;
    }
    let flags: String = paths.iter().map(|path| format!("--exclude={path} ")).collect();
    dockerfile.edit_in(instruction, &(instruction.rest_at..instruction.rest_at), flags)
}
