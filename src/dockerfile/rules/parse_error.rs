//! `parse-error`: the file is refused where BuildKit refuses it.

use std::sync::Arc;

use crate::model::{
    finding::Finding,
    location::{Location, Span},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "parse-error",
    group: Group::Correctness,
    severity: Severity::High,
    default_on: true,
    aliases: &["DL1000"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "The file is refused where BuildKit refuses it.",
    help: r#"BuildKit refuses the file, so no image can come from it; what stands on that line was not judged. hadolint's DL1000 says what hadolint cannot parse, which is more and less than that: heredocs with flags and some quoting build well, and a base image that becomes empty does not.

Fails:

```dockerfile
FROM alpine:3.22
ENV A
```

Clean:

```dockerfile
FROM alpine:3.22
ENV A=b
```
"#,
};

/// The file is refused where BuildKit refuses it.
pub(super) struct ParseError;

impl Rule for ParseError {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for refusal in &dockerfile.refusals {
            // What a caller can cure is no fault of the file alone.
            let severity = if refusal.needs_argument { Severity::Low } else { META.severity };
            let advice = if refusal.needs_argument { " unless a build argument says more" } else { "" };
            let title = format!("BuildKit refuses this{advice}: {}", refusal.message);
            let location = Location::Dockerfile(Span::lines(Arc::clone(&dockerfile.file), refusal.line, refusal.end_line));
            findings.push(Finding::of_rule(&META, severity, title, location));
        }
        findings
    }
}
