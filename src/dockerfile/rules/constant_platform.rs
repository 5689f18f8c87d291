//! `constant-platform`: FROM --platform with a constant.

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
    id: "constant-platform",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3029", "FromPlatformFlagConstDisallowed", "avoid-platform-with-from", "b16e8501"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "FROM --platform with a constant.",
    help: r#"A constant platform builds the same image on every machine, and a foreign one under emulation elsewhere. Leave the flag out, or take the platform from `BUILDPLATFORM` or `TARGETPLATFORM`.

Fails:

```dockerfile
FROM --platform=linux/amd64 alpine:3.22
```

Clean:

```dockerfile
FROM --platform=$BUILDPLATFORM alpine:3.22
```
"#,
};

/// FROM --platform with a constant.
pub(super) struct ConstantPlatform;

impl Rule for ConstantPlatform {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let is_constant = |instruction: &Instruction| {
            instruction.flag("platform").is_some_and(|platform| !platform.contains('$') && !platform.is_empty())
        };
        let found = dockerfile.with_keyword("FROM").filter(|(_, instruction)| is_constant(instruction) && !says_platform(instruction));
        found
            .map(|(_, instruction)| {
                let platform = instruction.flag("platform").unwrap_or_default();
                dockerfile.finding(&META, META.severity, instruction, format!("the platform of this stage is always {platform}"))
            })
            .collect()
    }
}

/// Whether the stage's name says for which platform it is: then it is meant.
fn says_platform(from: &Instruction) -> bool {
    let (Some(platform), [_, _, name]) = (from.flag("platform"), from.args.as_slice()) else { return false };
    let name = name.text.to_lowercase();
    platform.split('/').any(|part| !part.is_empty() && name.contains(&part.to_lowercase()))
}
