//! `inline-ignore-unused`: An in-file ignore silences nothing, or names no rule.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    policy::Exception,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "inline-ignore-unused",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "An in-file ignore silences nothing, or names no rule.",
    help: r#"An ignore that nothing needs any more hides the next real finding on its lines, and one with a typing error never did what it says. Ids of rules that did not run, or could not look at what they need, are left alone, and so are ids of other tools that no rule here knows. The fix takes the comment out, or the id.

An ignore is a comment `# plimsoll ignore=ID,ID until=YYYY-MM-DD reason=WHY` above an instruction or between its lines, also `# plimsoll: ignore=...`; `ignore-stage` and `ignore-file` silence to the end of the stage and in the whole file; `until`, its last day, and `reason`, which runs to the end of the line or of its quotes, may be left out. A comment that begins with `plimsoll` and speaks of ignoring in another form silences nothing, and this rule says so.

Fails:

```dockerfile
FROM alpine:3.22
# plimsoll ignore=sudo-in-run
RUN make
```

Clean:

```dockerfile
FROM alpine:3.22
# plimsoll ignore=sudo-in-run reason=the build host asks for it
RUN sudo make
```
"#,
};

/// An in-file ignore silences nothing, or names no rule.
pub(super) struct InlineIgnoreUnused;

impl Rule for InlineIgnoreUnused {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, _: &Dockerfile<'_>) -> Vec<Finding> {
        Vec::new()
    }

    fn review(&self, dockerfile: &Dockerfile<'_>, findings: &[Finding], _: &[Exception]) -> Vec<Finding> {
        dockerfile.unused_ignores(&META, findings)
    }
}
