//! `untrusted-frontend`: a syntax directive names a frontend that is not Docker's own.

use std::sync::Arc;

use crate::model::{
    finding::Finding,
    location::{Location, Span},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    detect::Frontend,
    rule::{Dockerfile, Rule},
    trusted::Origin,
};

const META: RuleMeta = RuleMeta {
    id: "untrusted-frontend",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A syntax directive names a frontend other than docker/dockerfile and docker/dockerfile-upstream.",
    help: r#"The frontend is a program that runs the whole build: an unknown one can put anything into the image, whatever the lines below say. Nothing that is read in the file is certain then. BuildKit reads `# syntax=` and `// syntax=` at the head of the file, also behind a `#!` line, and `syntax` of a file that is a JSON object; `--build-arg BUILDKIT_SYNTAX=...` goes before all of them. Frontends of your own are listed in the policy (`rules.settings.untrusted-frontend`).

Fails:

```dockerfile
# syntax=frontends.example.org/dockerfile:1
FROM alpine:3.22
```

Clean:

```dockerfile
# syntax=docker/dockerfile:1
FROM alpine:3.22
```
"#,
};

/// A syntax directive names a frontend other than docker/dockerfile and docker/dockerfile-upstream.
pub(super) struct UntrustedFrontend;

impl Rule for UntrustedFrontend {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let Some(Frontend { reference: frontend, line, is_argument, .. }) = &dockerfile.directives.syntax else { return Vec::new() };
        let listed = || Origin::of(frontend).is_in(&dockerfile.settings.trusted_frontends) == Some(true);
        if is_docker(frontend) || listed() {
            return Vec::new();
        }
        let location = Location::Dockerfile(Span::lines(Arc::clone(&dockerfile.file), *line, *line));
        let who = if *is_argument { ", by --build-arg BUILDKIT_SYNTAX" } else { "" };
        vec![Finding::of_rule(&META, META.severity, format!("the build runs in the frontend {frontend}{who}"), location)]
    }
}

/// Whether the reference is Docker's own frontend, at any tag, channel or digest.
fn is_docker(frontend: &str) -> bool {
    let name = frontend.split('@').next().unwrap_or_default();
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host.to_ascii_lowercase(), path),
        _ => ("docker.io".to_owned(), name),
    };
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let repository = path.split(':').next().unwrap_or_default();
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
        && matches!(repository, "docker/dockerfile" | "docker/dockerfile-upstream")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dockerfile::{LintInput, lint};

    #[test]
    fn dockers_own_frontends_are_known_in_every_spelling() {
        let table = [
            ("docker/dockerfile", true),
            ("docker/dockerfile:1", true),
            ("docker/dockerfile:1.7-labs", true),
            ("docker/dockerfile-upstream:master-labs", true),
            ("docker.io/docker/dockerfile:1", true),
            ("docker.io:443/docker/dockerfile:1", true),
            ("docker/dockerfile:1@sha256:00", true),
            ("docker/dockerfile2:1", false),
            ("dockerfile:1", false),
            ("evil/dockerfile:1", false),
            ("evil.example/docker/dockerfile:1", false),
            ("localhost:5000/docker/dockerfile:1", false),
            ("docker.io@evil/docker/dockerfile", false),
        ];
        for (frontend, expected) in table {
            assert_eq!(is_docker(frontend), expected, "{frontend}");
        }
    }

    #[test]
    fn a_build_argument_goes_before_the_directive() {
        let titles = |text: &str, argument: &str| {
            let build_args = BTreeMap::from([("BUILDKIT_SYNTAX".to_owned(), argument.to_owned())]);
            let report = lint(&LintInput { build_args: &build_args, ..LintInput::new("Dockerfile", text.as_bytes()) });
            let found = report.findings.into_iter().filter(|finding| finding.id == META.id);
            found.map(|finding| (finding.title, finding.locations)).collect::<Vec<_>>()
        };
        let own = "FROM scratch\n";
        let foreign = "# check=skip=all\n# syntax=evil/dockerfile:1\nFROM scratch\n";
        let on = |line| vec![Location::Dockerfile(Span::lines("Dockerfile", line, line))];
        let told = "the build runs in the frontend evil/other:2, by --build-arg BUILDKIT_SYNTAX".to_owned();
        assert_eq!(titles(own, "evil/other:2"), [(told.clone(), on(1))]);
        assert_eq!(titles(foreign, " evil/other:2 --x"), [(told, on(2))]);
        assert_eq!(titles(foreign, "docker/dockerfile:1"), []);
        // An empty one is none.
        assert_eq!(titles(foreign, ""), [("the build runs in the frontend evil/dockerfile:1".to_owned(), on(2))]);
    }
}
