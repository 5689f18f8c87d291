//! `plain-http-download`: curl, wget, ADD or a package index over http://.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    download::{Download, plain_host},
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
    verification::Verification,
};

const META: RuleMeta = RuleMeta {
    id: "plain-http-download",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Curl, wget, ADD or a package index over http://.",
    help: r#"Anybody between the build and the server can change what comes over plain HTTP. Use https; where a server has none, check a checksum that comes from elsewhere in the same RUN. Sources of apt and apk are signed, and are not meant here.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsSL http://example.com/tool.tar.gz | tar xz
```

Clean:

```dockerfile
FROM debian:12
RUN curl -fsSLO http://example.com/tool.tar.gz \
    && echo '24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  tool.tar.gz' | sha256sum -c -
```
"#,
};

/// Curl, wget, ADD or a package index over http://.
pub(super) struct PlainHttpDownload;

impl Rule for PlainHttpDownload {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts() {
            if instruction.trigger.as_deref().unwrap_or(instruction).keyword != "RUN" {
                continue;
            }
            let mut verification = None;
            for command in commands {
                if let Some(host) = index(command) {
                    let title = format!("{} asks {host} for packages over plain http", command.name);
                    findings.push(dockerfile.finding_in(&META, META.severity, command, title));
                    continue;
                }
                let Some(download) = Download::of(command) else { continue };
                let Some(host) = download.urls.iter().find_map(|url| plain_host(url)) else { continue };
                let verification = verification.get_or_insert_with(|| Verification::of(commands));
                let is_checked = !download.files.is_empty() && download.files.iter().all(|file| verification.covers(file));
                if !(is_checked || download.is_printed && verification.is_any()) {
                    let title = format!("{} downloads from {host} over plain http", command.name);
                    findings.push(dockerfile.finding_in(&META, META.severity, command, title));
                }
            }
        }
        for (index, instruction) in dockerfile.with_keyword("ADD") {
            if instruction.flag("checksum").is_some() {
                continue;
            }
            let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            let Some((_, sources)) = values.split_last() else { continue };
            if let Some(host) = sources.iter().find_map(|source| plain_host(&source.text)) {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("ADD downloads from {host} over plain http")));
            }
        }
        let is_index =
            |name: &str, value: &str| INDEXES.contains(&name) && value.split([',', ' ', '|']).any(|url| plain_host(url).is_some());
        findings.extend(dockerfile.where_set(&META, is_index, |name| format!("{name} asks for packages over plain http")));
        findings
    }
}

/// Variables that say where packages come from.
const INDEXES: &[&str] = &[
    "BUNDLE_MIRROR__ALL",
    "COMPOSER_REPO_PACKAGIST",
    "CRAN",
    "GOPROXY",
    "NPM_CONFIG_REGISTRY",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_INDEX_URL",
    "YARN_NPM_REGISTRY_SERVER",
    "YARN_REGISTRY",
    "npm_config_registry",
];

/// The host of an index without TLS that a command asks, or sets up, for packages that nobody signed.
fn index(command: &Command) -> Option<&str> {
    let invocation = Invocation::of(command)?;
    let options: &[&str] = match invocation.manager {
        Manager::Pip => &["-i", "i", "--index-url", "--extra-index-url", "f", "--find-links", "--index"],
        Manager::Npm | Manager::Pnpm | Manager::Yarn => &["--registry"],
        Manager::Gem => &["s", "--source", "a", "--add"],
        Manager::Cargo => &["--index", "--registry"],
        Manager::Composer => &["--repository", "--repository-url"],
        Manager::Apk if invocation.has(&["--allow-untrusted"]) => &["X", "--repository"],
        _ => &[],
    };
    if let Some(host) = invocation.values(options).find_map(plain_host) {
        return Some(host);
    }
    // `pip install http://...` and `npm i http://...` name the package itself.
    let is_named = invocation.action == Action::Install
        && matches!(
            invocation.manager,
            Manager::Pip | Manager::Npm | Manager::Pnpm | Manager::Yarn | Manager::Dnf | Manager::Microdnf | Manager::Yum
        );
    let is_setting = matches!(invocation.verb, "config" | "set" | "sources" | "source" | "repository-add" | "config-manager");
    let words = || command.arguments().iter().map(|word| word.text.as_str());
    if is_named || is_setting {
        return words().find_map(|word| plain_host(word).or_else(|| plain_host(word.split_once('=')?.1)));
    }
    None
}
