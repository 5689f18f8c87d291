//! `port-out-of-range`: EXPOSE of a port above 65535.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "port-out-of-range",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["71bf8cf8", "AVD-DS-0008", "DL3011", "DS-0008", "DS008", "invalid-port"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "EXPOSE of a port above 65535.",
    help: r#"Ports end at 65535: BuildKit refuses the file.

Fails:

```dockerfile
FROM alpine:3.22
EXPOSE 80000
```

Clean:

```dockerfile
FROM alpine:3.22
EXPOSE 8000
```
"#,
};

/// EXPOSE of a port above 65535.
pub(super) struct PortOutOfRange;

impl Rule for PortOutOfRange {
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
                    let numbers = port.rsplit(':').next().unwrap_or(port).split('/').next().unwrap_or(port);
                    let is_high = |number: &str| {
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u16>().is_err()
                    };
                    if numbers.split('-').any(is_high) {
                        findings.push(dockerfile.finding_at(
                            &META,
                            META.severity,
                            instruction,
                            &part,
                            format!("no port is called {numbers}"),
                        ));
                    }
                }
            }
        }
        findings
    }
}
