//! `base-platform-mismatch`: the base image has another platform than asked.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    expand::Quotes,
    rule::{Dockerfile, Rule},
    scope::{Scope, predefined},
    stages::Base,
    variables::used,
};

const META: RuleMeta = RuleMeta {
    id: "base-platform-mismatch",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["InvalidBaseImagePlatform"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Network],
    fix: None,
    summary: "The base image has another platform than asked.",
    help: r#"The registry has the image, but not for the platform that FROM asks for, so what is built does not run there, or only by emulation. Ask for a platform that the image is made for, or take another image.

Fails:

```dockerfile
FROM --platform=linux/arm64 example/only-amd64:1
```

Clean:

```dockerfile
FROM --platform=linux/amd64 example/only-amd64:1
```
"#,
};

/// The base image has another platform than asked.
pub(super) struct BasePlatformMismatch;

impl Rule for BasePlatformMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        if dockerfile.bases.is_empty() {
            return Vec::new();
        }
        let given = BTreeMap::new();
        let mut scope = Scope::global(dockerfile.directives.escape);
        for instruction in
            dockerfile.instructions.iter().take_while(|instruction| instruction.keyword != "FROM").filter(|it| it.keyword == "ARG")
        {
            for pair in instruction.pairs() {
                let default = pair.value.and_then(|value| scope.expand(value).ok());
                scope.declare(pair.name, default, &given, None);
            }
        }
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let Base::Image(image) = &stage.base else { continue };
            let Some(instruction) = dockerfile.instructions.get(stage.from) else { continue };
            let Some((base, asked)) = dockerfile.bases.get(&image.text).zip(instruction.flag("platform")) else { continue };
            // Which platform is built for is known to the caller alone.
            let names = used(asked, dockerfile.directives.escape, Quotes::Remove);
            if !image.is_decided() || names.iter().any(|name| predefined().any(|own| own == *name)) {
                continue;
            }
            let Some(asked) = scope.expand(asked).ok().filter(|asked| asked.is_decided()) else { continue };
            let (Some(asked), Some(found)) = (Platform::parse(&asked.text), Platform::of(&base.os, &base.architecture)) else { continue };
            if !asked.is(&found) {
                let title = format!("{} is made for {}/{}, and FROM asks for {}", image.text, found.os, found.architecture, asked.shown());
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}

/// An operating system and a processor, in the names of Go; empty where not said.
#[derive(Debug, PartialEq, Eq)]
struct Platform {
    os: String,
    architecture: String,
}

impl Platform {
    /// Reads `os/architecture/variant`, `os` or `architecture`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('/');
        let first = parts.next()?;
        match parts.next() {
            Some(second) => Self::of(first, second),
            None if is_architecture(&architecture(first)) => Some(Self { os: String::new(), architecture: architecture(first) }),
            None => (!first.is_empty()).then(|| Self { os: os(first), architecture: String::new() }),
        }
    }

    fn of(os_name: &str, architecture_name: &str) -> Option<Self> {
        let this = Self { os: os(os_name), architecture: architecture(architecture_name) };
        (!this.os.is_empty() && !this.architecture.is_empty()).then_some(this)
    }

    /// Whether an image is for what was asked, variants left aside.
    fn is(&self, found: &Self) -> bool {
        let fits = |asked: &str, found: &str| asked.is_empty() || asked == found;
        fits(&self.os, &found.os) && fits(&self.architecture, &found.architecture)
    }

    fn shown(&self) -> String {
        [self.os.as_str(), self.architecture.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

fn os(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    // Windows may have its version in brackets.
    let bare = lower.split('(').next().unwrap_or_default();
    if bare == "macos" { "darwin".to_owned() } else { bare.to_owned() }
}

fn architecture(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let name = match lower.as_str() {
        "x86_64" | "x86-64" => "amd64",
        "i386" | "i486" | "i586" | "i686" => "386",
        "aarch64" => "arm64",
        "armhf" | "armel" => "arm",
        other => other,
    };
    name.to_owned()
}

fn is_architecture(name: &str) -> bool {
    matches!(
        name,
        "386"
            | "amd64"
            | "arm"
            | "arm64"
            | "loong64"
            | "mips"
            | "mips64"
            | "mips64le"
            | "mipsle"
            | "ppc64"
            | "ppc64le"
            | "riscv64"
            | "s390x"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        dockerfile::{LintInput, read, rule::Rule},
        model::lint::BaseImage,
    };

    #[test]
    fn platforms_are_compared_in_their_usual_names() {
        for (asked, os, architecture, expected) in [
            ("linux/arm64", "linux", "amd64", 1),
            ("linux/arm64/v8", "linux", "arm64", 0),
            ("linux/x86_64", "linux", "amd64", 0),
            ("aarch64", "linux", "arm64", 0),
            ("aarch64", "linux", "amd64", 1),
            ("linux", "linux", "s390x", 0),
            ("windows/amd64", "linux", "amd64", 1),
            ("$TARGETPLATFORM", "linux", "s390x", 0),
            ("linux/$ARCH", "linux", "s390x", 1),
            ("linux/$NONE", "linux", "s390x", 0),
            ("linux/arm64", "", "", 0),
        ] {
            let image = BaseImage { os: os.to_owned(), architecture: architecture.to_owned(), ..BaseImage::default() };
            let bases = BTreeMap::from([("debian:12".to_owned(), image)]);
            let text = format!("ARG ARCH=riscv64\nARG NONE\nFROM --platform={asked} debian:12\n");
            let (dockerfile, _) = read(&LintInput { bases: &bases, ..LintInput::new("Dockerfile", text.as_bytes()) });
            assert_eq!(super::BasePlatformMismatch.check(&dockerfile).len(), expected, "{asked} of {os}/{architecture}");
        }
    }
}
