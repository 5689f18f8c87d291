//! `missing-user`: no USER anywhere in the final stage's chain, so the base image decides.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    expand::Value,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "missing-user",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV_DOCKER_3", "fd54f200", "missing-user", "missing-user-entrypoint"],
    also: &["CIS-4.1", "CIS-DI-0001", "DS-0002"],
    needs: &[Need::Ast, Need::Stages, Need::Network],
    fix: None,
    summary: "No USER anywhere in the final stage's chain, so the base image decides.",
    help: r#"Without USER the base image decides, and almost every base image says root. Set a user, or start from a base that sets one.

Fails:

```dockerfile
FROM alpine:3.22
CMD ["app"]
```

Clean:

```dockerfile
FROM alpine:3.22
USER 10001
CMD ["app"]
```
"#,
};

/// No USER anywhere in the final stage's chain, so the base image decides.
pub(super) struct MissingUser;

impl Rule for MissingUser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let graph = &dockerfile.graph;
        let Some(last) = graph.final_stage else { return Vec::new() };
        let has_user = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "USER");
        if let Some(index) = graph.last_in_chain(last, has_user) {
            let value = graph.values.get(index).and_then(|values| values.first());
            let untold = value.is_some_and(|value| !value.is_decided() || value.text.trim().is_empty());
            let instruction =
                dockerfile.instructions.get(index).filter(|user| untold && !takes_user_of_dotnet(user, graph.root_image(last)));
            let title = "nobody can tell the user of this image: its last USER takes a variable that this file does not set";
            return instruction.map(|user| dockerfile.finding(&META, META.severity, user, title.to_owned())).into_iter().collect();
        }
        let from = graph.stages.get(last).and_then(|stage| dockerfile.instructions.get(stage.from));
        let Some(from) = from else { return Vec::new() };
        let base = match graph.root_image(last) {
            None => "scratch, which means root".to_owned(),
            Some(image) if names_a_user(&image.text) => return Vec::new(),
            Some(image) if image.text.is_empty() => "its base image".to_owned(),
            Some(image) => format!("its base image {}", image.text),
        };
        vec![dockerfile.finding(&META, META.severity, from, format!("no USER in the final stage: the image runs as the user of {base}"))]
    }
}

/// Whether USER takes the variable that the images of .NET set to the number of their user, `app`:
/// <https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/app-user>.
fn takes_user_of_dotnet(user: &Instruction, base: Option<&Value>) -> bool {
    let [written] = user.args.as_slice() else { return false };
    matches!(written.text.as_str(), "$APP_UID" | "${APP_UID}")
        && base.is_some_and(|base| base.text.to_ascii_lowercase().starts_with("mcr.microsoft.com/dotnet/"))
}

/// Whether the reference itself says that the image has a user.
fn names_a_user(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    // <https://github.com/dotnet/dotnet-docker/blob/main/documentation/distroless.md>: they run as `app`.
    let is_app = image.starts_with("mcr.microsoft.com/dotnet/") && ["-chiseled", "-distroless"].iter().any(|word| image.contains(word));
    is_app || ["nonroot", "non-root", "rootless", "unprivileged"].iter().any(|word| image.contains(word))
}
