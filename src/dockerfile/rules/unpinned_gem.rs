//! `unpinned-gem`: gem install without a version.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "unpinned-gem",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["22cd11f7", "DL3028"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Gem install without a version.",
    help: r#"Without a version gem takes whatever was published last. Bundler with a lock file installs what was tested. Unlike hadolint's DL3028, a gem that is a file of the build (`app-*.gem`) has its version.

Fails:

```dockerfile
FROM ruby:3.4
RUN gem install rails
```

Clean:

```dockerfile
FROM ruby:3.4
RUN gem install rails:8.0.2
```
"#,
};

/// Gem install without a version.
pub(super) struct UnpinnedGem;

impl Rule for UnpinnedGem {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Gem], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.manager != Manager::Gem || invocation.action != Action::Install || invocation.has(&["v", "--version"]) {
        return Vec::new();
    }
    // What stands behind `--` is for the build of extensions.
    let is_unpinned = |name: &&str| !name.contains(':') && !name.ends_with(".gem") && !name.starts_with('-');
    invocation.packages.iter().map(|word| word.text.as_str()).filter(is_unpinned).collect()
}
