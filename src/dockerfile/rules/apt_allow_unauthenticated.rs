//! `apt-allow-unauthenticated`: apt-get --allow-unauthenticated or APT::Get::AllowUnauthenticated.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apt-allow-unauthenticated",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_8"],
    also: &["CIS-4.11"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apt-get --allow-unauthenticated or APT::Get::AllowUnauthenticated.",
    help: r#"The signature is what says that a package comes from the distribution. Without it any mirror or man in the middle installs what he likes.

Fails:

```dockerfile
FROM debian:12
RUN apt-get install -y --allow-unauthenticated curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
```
"#,
};

/// Apt-get --allow-unauthenticated or APT::Get::AllowUnauthenticated.
pub(super) struct AptAllowUnauthenticated;

impl Rule for AptAllowUnauthenticated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run(&META, is_faulty, "apt installs packages without checking their signatures")
    }
}

fn is_faulty(command: &Command) -> bool {
    match command.name.as_str() {
        "apt" | "apt-get" | "aptitude" => {
            let arguments = Arguments::of(command);
            arguments.has_long("--allow-unauthenticated") || arguments.options.iter().any(|option| option.value.is_some_and(allows))
        }
        "echo" | "printf" => {
            let somewhere =
                command.written_files().any(|path| path.contains("apt.conf")) || command.pipes.iter().any(|pipe| pipe.position == 0);
            somewhere && command.arguments().iter().any(|word| allows(&word.text))
        }
        _ => false,
    }
}

/// Whether an option or a line of configuration switches the check off.
fn allows(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.split_once("apt::get::allowunauthenticated").is_some_and(|(_, rest)| {
        let value = rest.trim_start_matches([' ', '=', '"', '\'']);
        ["true", "1", "yes", "on"].iter().any(|yes| value.starts_with(yes))
    })
}
