//! `ssh-port-exposed`: EXPOSE of port 22.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "ssh-port-exposed",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0004", "CKV_DOCKER_1", "DS-0004", "DS004"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "EXPOSE of port 22.",
    help: r#"An image that expects SSH connections is looked after by hand, and has keys and passwords to steal. Use `docker exec` or `kubectl exec`.

Fails:

```dockerfile
FROM alpine:3.22
EXPOSE 22
```

Clean:

```dockerfile
FROM alpine:3.22
EXPOSE 8080
```
"#,
};

/// EXPOSE of port 22.
pub(super) struct SshPortExposed;

impl Rule for SshPortExposed {
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
                    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
                    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
                    let holds = first.parse::<u16>().is_ok_and(|first| first <= 22) && last.parse::<u16>().is_ok_and(|last| last >= 22);
                    if holds && protocol.eq_ignore_ascii_case("tcp") {
                        findings.push(dockerfile.finding_at(&META, META.severity, instruction, &part, "port 22 is that of SSH".to_owned()));
                    }
                }
            }
        }
        findings
    }
}
