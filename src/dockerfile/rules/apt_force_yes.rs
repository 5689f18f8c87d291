//! `apt-force-yes`: apt-get --force-yes.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apt-force-yes",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_11"],
    also: &["CIS-4.11"],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Apt-get --force-yes.",
    help: r#"`--force-yes` answers yes to everything, also to packages without a valid signature. Say what is really meant: `--allow-downgrades`, `--allow-remove-essential`.

Fails:

```dockerfile
FROM debian:12
RUN apt-get install -y --force-yes curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get install -y curl
```
"#,
};

/// Apt-get --force-yes.
pub(super) struct AptForceYes;

impl Rule for AptForceYes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run_with(&META, is_faulty, "--force-yes installs packages without a valid signature too", |command| {
            let arguments = Arguments::of(command);
            if arguments.has_short('y') || ["--yes", "--assume-yes"].iter().any(|name| arguments.has_long(name)) {
                return dockerfile.without_option(command, None, "--force-yes");
            }
            let word = command.arguments().iter().find(|word| word.text == "--force-yes")?;
            Some(vec![dockerfile.other_word(word, "-y")?])
        })
    }
}

fn is_faulty(command: &Command) -> bool {
    command.is_one_of(&["apt", "apt-get", "aptitude"]) && Arguments::of(command).has_long("--force-yes")
}
