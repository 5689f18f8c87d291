//! `shell-unassigned-variable`: A variable is read that nothing sets.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    instruction::Instruction,
    rule::{Dockerfile, Rule},
    slip::SlipKind,
};

const META: RuleMeta = RuleMeta {
    id: "shell-unassigned-variable",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2154"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: None,
    summary: "A variable is read that nothing sets.",
    help: r#"Neither the script nor an ENV or ARG that holds here sets the variable, so it is empty. Often its name is misspelt, or an ARG before the first FROM has not been declared again in the stage. Names in capitals are taken for variables of the environment, and `${x:-}` says itself what is to be. Unlike hadolint with ShellCheck's SC2154, it does not look at the code of Windows images, which no POSIX shell reads.

Fails:

```dockerfile
FROM debian:12
RUN verison=1.2 && tar xf "app-$version.tar"
```

Clean:

```dockerfile
FROM debian:12
RUN version=1.2 && tar xf "app-$version.tar"
```
"#,
};

/// A variable is read that nothing sets.
pub(super) struct ShellUnassignedVariable;

impl Rule for ShellUnassignedVariable {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |name: &str| format!("nothing sets ${name} here");
        dockerfile.where_slipped(&META, SlipKind::UnassignedVariable, title, |instruction, slip| {
            is_set_below(dockerfile, instruction, &slip.name)
        })
    }
}

/// Whether the image below sets the variable.
fn is_set_below(dockerfile: &Dockerfile<'_>, instruction: &Instruction, name: &str) -> bool {
    let base = instruction.stage.and_then(|stage| dockerfile.graph.root_image(stage));
    let known = base.and_then(|base| dockerfile.bases.get(&base.text));
    known.is_some_and(|image| image.env.iter().any(|(set, _)| set == name))
}
