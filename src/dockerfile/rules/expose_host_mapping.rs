//! `expose-host-mapping`: EXPOSE contains an IP address or a host port.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "expose-host-mapping",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["ExposeInvalidFormat"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Unsafe),
    summary: "EXPOSE contains an IP address or a host port.",
    help: r#"EXPOSE names ports of the container. Which address and port of the host they get is said when it starts: here it is ignored.

Fails:

```dockerfile
FROM alpine:3.22
EXPOSE 127.0.0.1:80:8080
```

Clean:

```dockerfile
FROM alpine:3.22
EXPOSE 8080
```
"#,
};

/// EXPOSE contains an IP address or a host port.
pub(super) struct ExposeHostMapping;

impl Rule for ExposeHostMapping {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("EXPOSE") {
            let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            for (argument, value) in instruction.args.iter().zip(values).filter(|(_, value)| value.is_decided()) {
                let part = argument.at..argument.at + argument.text.len();
                for port in value.text.split_whitespace() {
                    let Some((_, own)) = port.rsplit_once(':') else { continue };
                    let title = format!("only {own} counts: the host's part is ignored");
                    let finding = dockerfile.finding_at(&META, META.severity, instruction, &part, title);
                    let edit = (argument.text == port).then(|| dockerfile.edit_in(instruction, &part, own)).flatten();
                    findings.push(match edit {
                        Some(edit) => fixed_by(finding, FixKind::Unsafe, vec![edit]),
                        None => finding,
                    });
                }
            }
        }
        findings
    }
}
