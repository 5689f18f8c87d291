//! `expose-protocol-casing`: EXPOSE protocol in capitals.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "expose-protocol-casing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["ExposeProtoCasing"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "EXPOSE protocol in capitals.",
    help: r#"Protocols are written in lower case.

Fails:

```dockerfile
FROM alpine:3.22
EXPOSE 53/UDP
```

Clean:

```dockerfile
FROM alpine:3.22
EXPOSE 53/udp
```
"#,
};

/// EXPOSE protocol in capitals.
pub(super) struct ExposeProtocolCasing;

impl Rule for ExposeProtocolCasing {
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
                    let Some((_, protocol)) = port.split_once('/') else { continue };
                    if protocol == protocol.to_lowercase() {
                        continue;
                    }
                    let finding =
                        dockerfile.finding_at(&META, META.severity, instruction, &part, format!("the protocol {protocol} in capitals"));
                    let edit = (argument.text == port).then(|| dockerfile.edit_in(instruction, &part, port.to_lowercase())).flatten();
                    findings.push(match edit {
                        Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                        None => finding,
                    });
                }
            }
        }
        findings
    }
}
