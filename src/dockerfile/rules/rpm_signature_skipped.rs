//! `rpm-signature-skipped`: rpm --nosignature, --nodigest, --noverify or --nofiledigest.

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
    id: "rpm-signature-skipped",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_10"],
    also: &["CIS-4.11"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Rpm --nosignature, --nodigest, --noverify or --nofiledigest.",
    help: r#"The signature is what says that a package comes from its vendor. Import the vendor's key instead.

Fails:

```dockerfile
FROM rockylinux:9
RUN rpm -i --nosignature https://example.com/app.rpm
```

Clean:

```dockerfile
FROM rockylinux:9
RUN rpm --import https://example.com/key && rpm -i app.rpm
```
"#,
};

/// Rpm --nosignature, --nodigest, --noverify or --nofiledigest.
pub(super) struct RpmSignatureSkipped;

impl Rule for RpmSignatureSkipped {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run(&META, is_faulty, "rpm installs a package without checking its signature")
    }
}

fn is_faulty(command: &Command) -> bool {
    if command.name != "rpm" {
        return false;
    }
    let arguments = Arguments::of(command);
    // Queries and checks install nothing.
    let installs = ['i', 'U', 'F'].iter().any(|letter| arguments.has_short(*letter))
        || ["--install", "--upgrade", "--freshen", "--reinstall"].iter().any(|name| arguments.has_long(name));
    let reads = ['q', 'V', 'K'].iter().any(|letter| arguments.has_short(*letter))
        || ["--query", "--verify", "--checksig"].iter().any(|name| arguments.has_long(name));
    installs && !reads && ["--nosignature", "--nodigest", "--noverify", "--nofiledigest"].iter().any(|name| arguments.has_long(name))
}
