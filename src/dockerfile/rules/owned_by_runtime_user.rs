//! `owned-by-runtime-user`: application code is owned by the user it runs as (--chown to the USER of the stage).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "owned-by-runtime-user",
    group: Group::Security,
    severity: Severity::Low,
    default_on: false,
    aliases: &["aa93e17f"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "Application code is owned by the user it runs as (--chown to the USER of the stage).",
    help: r#"A process that may write its own code can be made to keep a backdoor there. Leave code to root and let the user of the service read it; give away only the folders that hold data.

Fails:

```dockerfile
FROM node:22
WORKDIR /app
COPY --chown=node:node package.json server.js ./
USER node
```

Clean:

```dockerfile
FROM node:22
WORKDIR /app
COPY package.json server.js ./
USER node
```
"#,
};

/// Application code is owned by the user it runs as (--chown to the USER of the stage).
pub(super) struct OwnedByRuntimeUser;

impl Rule for OwnedByRuntimeUser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let Some(last) = dockerfile.graph.final_stage else { return Vec::new() };
        let is_user = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "USER");
        let user = dockerfile.graph.last_in_chain(last, is_user).and_then(|index| dockerfile.graph.values.get(index)?.first());
        let Some(user) = user.filter(|user| user.is_decided()) else { return Vec::new() };
        let user = name(&user.text);
        if user.is_empty() || matches!(user, "root" | "0") {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for stage in dockerfile.graph.chain(last).filter_map(|at| dockerfile.graph.stages.get(at)) {
            for index in stage.instructions.clone() {
                let Some(instruction) = dockerfile.instructions.get(index).filter(|it| matches!(it.keyword.as_str(), "ADD" | "COPY"))
                else {
                    continue;
                };
                let Some(owner) = instruction.flag("chown").map(name).filter(|owner| *owner == user) else { continue };
                if is_code(instruction) {
                    let title = format!("{owner}, as whom the container runs, owns its code and may change it");
                    findings.push(dockerfile.finding(&META, META.severity, instruction, title));
                }
            }
        }
        findings
    }
}

/// Ends of the names of files that are run or read as code.
const CODE: &[&str] = &[
    ".class", ".dll", ".ex", ".exs", ".go", ".jar", ".js", ".json", ".lua", ".mjs", ".php", ".pl", ".py", ".rb", ".rs", ".sh", ".so",
    ".ts", ".war", ".whl",
];
/// Names of folders that hold code.
const FOLDERS: &[&str] = &[
    ".",
    "app",
    "bin",
    "build",
    "dist",
    "lib",
    "node_modules",
    "out",
    "public",
    "publish",
    "scripts",
    "site-packages",
    "src",
    "target",
    "vendor",
    "venv",
    ".venv",
];
/// Names of folders that hold what a service writes.
const DATA: &[&str] =
    &["cache", "conf", "config", "data", "db", "log", "logs", "media", "run", "spool", "storage", "tmp", "uploads", "volumes"];

/// The user of `user:group`.
fn name(text: &str) -> &str {
    text.split(':').next().unwrap_or_default().trim_matches(['"', '\''])
}

fn is_code(instruction: &Instruction) -> bool {
    let Some((target, sources)) = instruction.args.split_last() else { return false };
    let is_state = |path: &str| path.starts_with("/var/") && !["/var/www", "/var/task"].iter().any(|code| path.starts_with(code));
    let is_data = |path: &str| is_state(path) || path.split('/').any(|part| DATA.contains(&part.to_ascii_lowercase().as_str()));
    if !instruction.heredocs.is_empty() || is_data(&target.text) {
        return false;
    }
    sources.iter().map(|source| source.text.as_str()).any(|path| {
        let last = path.trim_end_matches(['/', '*']).rsplit('/').find(|part| !part.is_empty()).unwrap_or(".").to_ascii_lowercase();
        !is_data(path) && (FOLDERS.contains(&last.as_str()) || CODE.iter().any(|end| last.ends_with(end)))
    })
}
