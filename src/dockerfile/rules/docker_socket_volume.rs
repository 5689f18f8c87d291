//! `docker-socket-volume`: VOLUME (or COPY target) names docker.sock or containerd.sock.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "docker-socket-volume",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["dockerfile-dockerd-socket-mount"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "VOLUME (or COPY target) names docker.sock or containerd.sock.",
    help: r#"Whoever can talk to the container engine's socket is root on the host.

Fails:

```dockerfile
FROM docker:28
VOLUME /var/run/docker.sock
```

Clean:

```dockerfile
FROM docker:28
VOLUME /var/lib/data
```
"#,
};

/// VOLUME (or COPY target) names docker.sock or containerd.sock.
pub(super) struct DockerSocketVolume;

impl Rule for DockerSocketVolume {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for keyword in ["VOLUME", "COPY", "ADD"] {
            for (index, instruction) in dockerfile.with_keyword(keyword) {
                let Some(values) = dockerfile.graph.values.get(index) else { continue };
                let targets = if keyword == "VOLUME" { values.as_slice() } else { values.last().map_or(&[][..], std::slice::from_ref) };
                if let Some(socket) = targets.iter().find(|value| is_socket(&value.text)) {
                    findings.push(dockerfile.finding(
                        &META,
                        META.severity,
                        instruction,
                        format!("{keyword} names the container engine's socket {}", socket.text),
                    ));
                }
            }
        }
        findings
    }
}

/// `/run` is `/var/run`; a directory of that name elsewhere is no socket.
fn is_socket(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let parts = parts.strip_prefix(&["var"]).unwrap_or(&parts);
    let name = parts.last().copied().unwrap_or_default();
    path.starts_with('/')
        && parts.first() == Some(&"run")
        && matches!(name, "docker.sock" | "containerd.sock" | "podman.sock" | "crio.sock")
}
