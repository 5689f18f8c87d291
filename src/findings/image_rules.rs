//! What there is to say about each rule that looks at a built image; the Dockerfile's rules that apply to an image as well are the Dockerfile's.

use crate::model::{
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

/// The rules, sorted by id.
pub const RULES: &[&RuleMeta] = &[
    &CREDENTIAL_IN_LAYER,
    &DUPLICATE_UID,
    &EMPTY_PASSWORD,
    &PACKAGE_CACHE_LEFT,
    &PRIVATE_KEY_IN_LAYER,
    &RUNTIME_END_OF_LIFE,
    &SETUID_FILE,
    &TOOLS_IN_IMAGE,
    &UNNEEDED_FILE,
];

/// The rule with this id or alias, in any case.
#[must_use]
pub fn rule(id_or_alias: &str) -> Option<&'static RuleMeta> {
    let wanted = id_or_alias.trim();
    let all = || RULES.iter().copied();
    all()
        .find(|meta| meta.id.eq_ignore_ascii_case(wanted))
        .or_else(|| all().find(|meta| meta.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(wanted))))
}

/// A token or password in a file.
pub(super) const CREDENTIAL_IN_LAYER: RuleMeta = RuleMeta {
    id: "credential-in-layer",
    group: Group::Security,
    severity: Severity::Critical,
    default_on: true,
    aliases: &[
        "aws-access-key-id",
        "aws-secret-access-key",
        "gcp-service-account",
        "github-oauth",
        "github-pat",
        "gitlab-pat",
        "npm-access-token",
        "pypi-upload-token",
        "sendgrid-api-token",
        "slack-access-token",
        "stripe-secret-token",
    ],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "A layer of the image holds a token or password.",
    help: r#"Whoever can pull the image reads every file of every layer, also of those that a later instruction deletes or replaces. Revoke the credential first; then build without it.

Found are tokens that can be told by their format (checksum, length and alphabet) in any text of up to 1 MiB, and values in files that are made to hold credentials (`.npmrc`, `.netrc`, `.pypirc`, `.git-credentials`, `.env`, Docker's `config.json`, `.aws/credentials`, kubeconfigs and others). Passed over are files of OS packages, tests, examples and documentation. At most four characters of a token are ever shown.

Fails:

```dockerfile
FROM node:22
COPY .npmrc /app/
RUN npm ci && rm .npmrc
```

Clean:

```dockerfile
FROM node:22
RUN --mount=type=secret,id=npmrc,target=/app/.npmrc npm ci
```
"#,
};

/// Two accounts with one number.
pub(super) const DUPLICATE_UID: RuleMeta = RuleMeta {
    id: "duplicate-uid",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DKL-LI-0002"],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "Two accounts of the image share a user id.",
    help: r#"What one of them owns, the other owns too. With the number 0 it is root under another name, which is rated high. Give each account a number of its own; delete those that nobody needs.

Fails: `admin:x:0:0::/:/bin/sh` beside `root` in `/etc/passwd`.

Clean: each number once.
"#,
};

/// An account without a password.
pub(super) const EMPTY_PASSWORD: RuleMeta = RuleMeta {
    id: "empty-password",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["DKL-LI-0001"],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "An account of the image has an empty password.",
    help: r#"Everybody may become this account: with `su` from inside, and from outside as soon as something lets people log in. Lock it: `passwd -l NAME`, or `!` in the second field of `/etc/shadow`. An account whose shell lets nobody in is rated low.

Fails: `root::19000:0:::::` in `/etc/shadow`.

Clean: `root:*:19000:0:::::`.
"#,
};

/// What package managers downloaded.
pub(super) const PACKAGE_CACHE_LEFT: RuleMeta = RuleMeta {
    id: "package-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "A package manager's downloads are still in the image.",
    help: r#"They make the image larger and go out of date. Deleting them in a later instruction does not make the layer smaller: delete them in the instruction that made them, or keep them out with a cache mount.

Fails:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
```
"#,
};

/// A private key in a file.
pub(super) const PRIVATE_KEY_IN_LAYER: RuleMeta = RuleMeta {
    id: "private-key-in-layer",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["asymmetric-private-key", "private-key"],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "A layer of the image holds a private key.",
    help: r#"Whoever can pull the image has the key, also if a later instruction deletes it. Replace the key and revoke its certificate; then mount the new one when the container starts, or for one build step. A key under a passphrase is rated medium: passphrases are guessed at leisure.

Only keys whose content has the structure of one are found (PKCS#1, PKCS#8, SEC 1, OpenSSH, PGP, PuTTY). Passed over are files of OS packages, tests, examples and documentation, public keys, certificates, and RSA keys too short to protect anything.

Fails:

```dockerfile
FROM alpine:3.22
COPY id_rsa /root/.ssh/id_rsa
RUN git clone git@git.acme.example:app && rm /root/.ssh/id_rsa
```

Clean:

```dockerfile
FROM alpine:3.22
RUN --mount=type=ssh git clone git@git.acme.example:app
```
"#,
};

/// A runtime that gets no more fixes.
pub(super) const RUNTIME_END_OF_LIFE: RuleMeta = RuleMeta {
    id: "runtime-end-of-life",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "A runtime in the image gets no more security fixes.",
    help: r#"New faults in it are published and never repaired. Move to a release that is still supported. Runtimes that an OS package owns are the distribution's, which repairs them as long as it lives itself; `end_of_life.distro` of the policy judges that.

Fails: an image with Node.js 18 in 2026.

Clean: the same with Node.js 24.
"#,
};

/// A file that runs with somebody else's rights.
pub(super) const SETUID_FILE: RuleMeta = RuleMeta {
    id: "setuid-file",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CIS-4.8", "CIS-DI-0008"],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "A file of the image is setuid or setgid, or gives capabilities.",
    help: r#"Whoever runs the file has the rights of its owner: a fault in it makes root of anybody in the container. Files that an OS package brings (`su`, `passwd`, `mount`) are rated negligible and told together; all others are medium. Remove the bits of what nobody needs, or start containers with `no-new-privileges`.

Fails:

```dockerfile
FROM debian:12
COPY --chmod=4755 helper /usr/local/bin/helper
```

Clean:

```dockerfile
FROM debian:12
COPY --chmod=755 helper /usr/local/bin/helper
RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +
```
"#,
};

/// What helps whoever gets in.
pub(super) const TOOLS_IN_IMAGE: RuleMeta = RuleMeta {
    id: "tools-in-image",
    group: Group::Size,
    severity: Severity::Negligible,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "The image holds shells, package managers, network tools or login servers.",
    help: r#"A service seldom needs them; whoever breaks in does. Nearly every image has some, so that this is only noted; a policy that wants images without them says `rules: { set: { tools-in-image: fail } }`.

Clean: a final stage from a distroless or static base image, or from `scratch`.
"#,
};

/// What nobody needs in a container.
pub(super) const UNNEEDED_FILE: RuleMeta = RuleMeta {
    id: "unneeded-file",
    group: Group::Size,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DKL-LI-0003"],
    also: &[],
    needs: &[Need::Image],
    fix: None,
    summary: "The image holds files that nobody needs in a container.",
    help: r#"Repositories, build files, what editors and package managers left behind, and the histories of shells make the image larger, and tell whoever has it more than they should know: a repository holds every version that there ever was. Name them in `.dockerignore`, or copy only what the program needs. Files that a package brought are passed over.

Fails:

```dockerfile
FROM node:22
COPY . /app
```

with `.git` and the Dockerfile beside it.

Clean:

```dockerfile
FROM node:22
COPY package.json package-lock.json src /app/
```
"#,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sorted_and_found() {
        assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id));
        for meta in RULES {
            assert!(meta.aliases.windows(2).all(|pair| pair[0] < pair[1]), "{}", meta.id);
            assert!(meta.summary.ends_with('.') && meta.help.contains("Clean"), "{}", meta.id);
            assert_eq!(rule(&meta.id.to_uppercase()), Some(*meta));
        }
        assert_eq!(rule("cis-di-0008").map(|meta| meta.id), Some("setuid-file"));
        assert_eq!(rule("root-user"), None);
    }
}
