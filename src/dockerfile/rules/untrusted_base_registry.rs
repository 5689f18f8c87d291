//! `untrusted-base-registry`: An image comes from a registry or repository that is not on the list.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "untrusted-base-registry",
    group: Group::Security,
    severity: Severity::High,
    default_on: false,
    aliases: &["CIS-4.2", "DL3026"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Config],
    fix: None,
    summary: "An image comes from a registry or repository that is not on the list.",
    help: r#"Whoever made the base image decided what is in every layer below yours. Where the policy lists trusted registries (`rules.settings.untrusted-base-registry`), every image that FROM, `COPY --from` and mounts of RUN name must be from one of them; no registry in a name means docker.io. A name that is not known because of a variable is a gap, never a pass.

Fails:

```dockerfile
FROM quay.io/somebody/app:1.4
```

Clean:

```dockerfile
FROM registry.acme.example/base/debian:12
```
"#,
};

/// An image comes from a registry or repository that is not on the list.
pub(super) struct UntrustedBaseRegistry;

impl Rule for UntrustedBaseRegistry {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let strange = dockerfile.named_images().filter(|named| named.is_trusted == Some(false));
        strange
            .map(|named| {
                let title = format!("`{}` is from none of the trusted registries", named.shown);
                dockerfile.finding(&META, META.severity, named.instruction, title)
            })
            .collect()
    }
}
