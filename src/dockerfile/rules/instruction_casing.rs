//! `instruction-casing`: instruction keywords differ in case from the majority.

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
    id: "instruction-casing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["ConsistentInstructionCasing"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "Instruction keywords differ in case from the majority.",
    help: r#"Instruction words in one case are easier to find; by custom they are in capitals.

Fails:

```dockerfile
FROM alpine:3.22
run make
```

Clean:

```dockerfile
FROM alpine:3.22
RUN make
```
"#,
};

/// Instruction keywords differ in case from the majority.
pub(super) struct InstructionCasing;

impl Rule for InstructionCasing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let is_lower = |instruction: &Instruction| instruction.word == instruction.keyword.to_lowercase();
        let is_upper = |instruction: &Instruction| instruction.word == instruction.keyword;
        // What stands before the first FROM does not vote, nor do words that mix cases.
        let in_stages = || dockerfile.instructions.iter().filter(|instruction| instruction.stage.is_some());
        let lower = in_stages().filter(|instruction| is_lower(instruction)).count();
        let wants_lower = lower > in_stages().filter(|instruction| is_upper(instruction)).count();
        let mut findings = Vec::new();
        for instruction in &dockerfile.instructions {
            let wanted = if wants_lower { instruction.keyword.to_lowercase() } else { instruction.keyword.clone() };
            if instruction.word == wanted {
                continue;
            }
            let part = instruction.at..instruction.at + instruction.word.len();
            let title = format!("`{}` is not in the case of the others: `{wanted}`", instruction.word);
            let finding = dockerfile.finding_at(&META, META.severity, instruction, &part, title);
            findings.push(match dockerfile.edit_in(instruction, &part, wanted) {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}
