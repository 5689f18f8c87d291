//! `inline-ignore-without-reason`: An in-file ignore gives no reason.

use crate::model::{
    finding::Finding,
    policy::Exception,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    ignore::Written,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "inline-ignore-without-reason",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "An in-file ignore gives no reason.",
    help: r#"Nobody can tell later whether an ignore without a reason still holds. Where the policy asks for reasons (`rules.inline_ignores`), one without has no effect. Each dialect has a place for it: `reason=` in ours, a second `#` in hadolint's, the text behind the ids in BuildKit's and Checkov's; Trivy's has none. No comment silences this rule.

Fails:

```dockerfile
FROM alpine:3.22
# hadolint ignore=DL3004
RUN sudo make
```

Clean:

```dockerfile
FROM alpine:3.22
# hadolint ignore=DL3004 # the base image has no other way to become root
RUN sudo make
```
"#,
};

/// An in-file ignore gives no reason.
pub(super) struct InlineIgnoreWithoutReason;

impl Rule for InlineIgnoreWithoutReason {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, _: &Dockerfile<'_>) -> Vec<Finding> {
        Vec::new()
    }

    fn review(&self, dockerfile: &Dockerfile<'_>, _: &[Finding], ignores: &[Exception]) -> Vec<Finding> {
        let groups = &dockerfile.settings.ignores_with_reason;
        let lacks = |written: &Written<'_>| written.reason.trim().is_empty();
        dockerfile.faulty_ignores(&META, ignores, groups, lacks, "no reason is given, and the policy asks for one with rules of")
    }
}
