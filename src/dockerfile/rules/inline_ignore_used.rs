//! `inline-ignore-used`: An in-file ignore is used where the policy refuses it.

use crate::model::{
    finding::Finding,
    policy::Exception,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "inline-ignore-used",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL1001"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "An in-file ignore is used where the policy refuses it.",
    help: r#"Who may change a Dockerfile may then also change what is said of it. Where the policy refuses in-file ignores of a group of rules (`rules.inline_ignores`), such a comment has no effect and only looks as if it had; an exception of the policy, with an owner and an end, says the same to those who decide. No comment silences this rule.

Fails:

```dockerfile
FROM alpine:3.22
# hadolint ignore=DL3004
RUN sudo make
```

Clean:

```dockerfile
FROM alpine:3.22
RUN make
```
"#,
};

/// An in-file ignore is used where the policy refuses it.
pub(super) struct InlineIgnoreUsed;

impl Rule for InlineIgnoreUsed {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, _: &Dockerfile<'_>) -> Vec<Finding> {
        Vec::new()
    }

    fn review(&self, dockerfile: &Dockerfile<'_>, _: &[Finding], ignores: &[Exception]) -> Vec<Finding> {
        dockerfile.faulty_ignores(&META, ignores, &dockerfile.settings.ignores_refused, |_| true, "the policy refuses in-file ignores of")
    }
}
