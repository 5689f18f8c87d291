//! An image's configuration in, findings about the user that it starts as out. The configuration is what a runtime obeys, so it is judged by the
//! Dockerfile's rules when no Dockerfile speaks for it (<https://github.com/opencontainers/image-spec/blob/main/config.md#properties>, `User`).

use crate::model::{
    coverage::{Gap, SourceId},
    finding::Finding,
    image::{ResolvedImage, is_root_user},
    location::Location,
    rule::RuleMeta,
    severity::Severity,
};

/// The ids of the rules about the user.
pub const RULES: [&str; 2] = ["missing-user", "root-user"];

/// Judges the user by the rules that `meta` knows.
pub fn judge(image: &ResolvedImage, meta: impl Fn(&str) -> Option<&'static RuleMeta>) -> Vec<Finding> {
    let user = image.config.user.as_str();
    let (id, severity, title) = match (user.is_empty(), runs_as_root(image)) {
        (true, true) => ("missing-user", Severity::High, "the image's configuration names no user, so it runs as root".to_owned()),
        (true, false) => ("missing-user", Severity::Medium, "the image's configuration names no user, so the system decides".to_owned()),
        (false, true) => ("root-user", Severity::High, format!("the image runs as root (User {} in its configuration)", short(user))),
        (false, false) => return Vec::new(),
    };
    meta(id).map(|meta| Finding::of_rule(meta, severity, title, Location::Config)).into_iter().collect()
}

/// Whether the image starts as the user who may do everything. Without a name that is root, except on Windows, where it depends on the base.
#[must_use]
pub fn runs_as_root(image: &ResolvedImage) -> bool {
    is_root_user(&image.config.user, image.platform.os == "windows")
}

/// A Gap when the Dockerfile ends with another user than the image has: then it says nothing about this image.
#[must_use]
pub fn differs(image: &ResolvedImage, file: &str, user: &str) -> Option<Gap> {
    let (ours, theirs) = (name(&image.config.user), name(user));
    let number = |name: &str| name.parse::<i64>().ok();
    let same = ours == theirs
        || (is_root_user(ours, false) && is_root_user(theirs, false))
        || number(ours).is_some_and(|uid| Some(uid) == number(theirs))
        || (image.platform.os == "windows" && ours.eq_ignore_ascii_case(theirs));
    (!same).then(|| {
        let there = if image.config.user.is_empty() { "names none".to_owned() } else { format!("says `{}`", short(&image.config.user)) };
        let reason = format!("its last USER is `{}`, but the image's configuration {there}: the image was not built from it", short(user));
        Gap::new(SourceId::ImageConfig, "dockerfile-differs", file, reason)
            .with_hint("give the Dockerfile, --target and --build-arg that this image was built with")
    })
}

/// A Gap when the Dockerfile says of the last layer what the image does not.
#[must_use]
pub fn unlike(file: &str, reason: &str) -> Gap {
    Gap::new(SourceId::ImageConfig, "dockerfile-differs", file, format!("{reason}: the image was not built from it"))
        .with_hint("give the Dockerfile, --target and --build-arg that this image was built with")
}

/// The user of `USER[:GROUP]`.
fn name(user: &str) -> &str {
    user.split(':').next().unwrap_or_default()
}

fn short(user: &str) -> String {
    user.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        digest::Digest,
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice},
        reference::ImageReference,
        rule::Group,
    };

    fn image(os: &str, user: &str) -> ResolvedImage {
        let digest = Digest::sha256_of(b"");
        let config = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: 0,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        };
        ResolvedImage {
            reference: ImageReference::parse("oci:x").expect("reference"),
            index_digest: None,
            platform: Platform::parse(&format!("{os}/amd64")).expect("platform"),
            platform_choice: PlatformChoice::Only,
            manifest: Manifest { digest, media_type: String::new(), size: 0, config, layers: Vec::new(), annotations: BTreeMap::new() },
            config: ImageConfig { user: user.to_owned(), ..ImageConfig::default() },
            layers: Vec::new(),
        }
    }

    fn meta(id: &str) -> Option<&'static RuleMeta> {
        const fn rule(id: &'static str) -> RuleMeta {
            RuleMeta::blank(id, Group::Security, Severity::Medium)
        }
        static METAS: [RuleMeta; 2] = [rule("missing-user"), rule("root-user")];
        METAS.iter().find(|meta| meta.id == id)
    }

    #[test]
    fn the_user_is_judged_as_a_runtime_reads_it() {
        for (os, user, expected) in [
            ("linux", "", Some(("missing-user", Severity::High))),
            ("linux", "root", Some(("root-user", Severity::High))),
            ("linux", "0", Some(("root-user", Severity::High))),
            ("linux", "0:10001", Some(("root-user", Severity::High))),
            ("linux", "00", Some(("root-user", Severity::High))),
            ("linux", "-0", Some(("root-user", Severity::High))),
            ("linux", ":1", Some(("root-user", Severity::High))),
            ("linux", "10001:0", None),
            ("linux", "app", None),
            ("windows", "", Some(("missing-user", Severity::Medium))),
            ("windows", "ContainerAdministrator", Some(("root-user", Severity::High))),
            ("windows", "ContainerUser", None),
        ] {
            let found = judge(&image(os, user), meta);
            assert_eq!(found.first().map(|one| (one.id.as_str(), one.severity)), expected, "{os} {user:?}");
            assert!(found.iter().all(|one| one.locations == [Location::Config] && RULES.contains(&one.id.as_str())));
        }
    }

    #[test]
    fn another_user_is_another_image() {
        for (config, dockerfile, same) in [
            ("10001", "10001", true),
            ("10001:10001", "10001", true),
            ("010001", "10001", true),
            ("", "root", true),
            ("0:0", "root", true),
            ("app", "app:staff", true),
            ("", "10001", false),
            ("root", "10001", false),
            ("10001", "root", false),
            ("app", "10001", false),
        ] {
            let gap = differs(&image("linux", config), "Dockerfile", dockerfile);
            assert_eq!(gap.is_none(), same, "{config:?} {dockerfile:?}");
            assert!(gap.is_none_or(|gap| gap.kind == "dockerfile-differs" && gap.reason.contains(dockerfile)));
        }
    }
}
