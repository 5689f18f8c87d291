//! `whole-filesystem-copied`: COPY --from=stage / / takes a stage's whole file system.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "whole-filesystem-copied",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3067"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "COPY --from=stage / / takes a stage's whole file system.",
    help: r#"A stage that is copied whole brings along everything that the build left in it, secrets of earlier layers' files included, and the image no longer says on which base it stands. Unlike hadolint's DL3067, images that are copied whole are let pass: they are bundles of files made for that.

Fails:

```dockerfile
FROM debian:12 AS build
RUN make
FROM scratch
COPY --from=build / /
```

Clean:

```dockerfile
FROM debian:12 AS build
RUN make
FROM gcr.io/distroless/static-debian12
COPY --from=build /out/app /app
```
"#,
};

/// COPY --from=stage / / takes a stage's whole file system.
pub(super) struct WholeFilesystemCopied;

impl Rule for WholeFilesystemCopied {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("COPY") {
            let [source, target] = instruction.args.as_slice() else { continue };
            // An image that is copied whole is a bundle of files for that purpose.
            let is_stage = |name: &&str| {
                dockerfile.graph.stages.iter().any(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str()))
                    || name.parse::<usize>().is_ok()
            };
            if let Some(from) = instruction.flag("from").filter(is_stage).filter(|_| source.text == "/" && target.text == "/") {
                let title =
                    format!("the whole file system of `{from}` is copied: what the build left in it, and no word of its base image");
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}
