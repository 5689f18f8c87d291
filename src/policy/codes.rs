//! What every reason code and every kind of gap means, for `explain`. The codes are permanent.

use crate::model::policy::Worth;

/// The meaning of `id`, in any case.
#[must_use]
pub fn find(id: &str) -> Option<(&'static str, &'static str)> {
    CODES.iter().find(|(code, _)| code.eq_ignore_ascii_case(id)).copied()
}

/// Whether a Gap can be of this kind: the codes that are none speak of signatures and of exceptions.
#[must_use]
pub fn is_gap(kind: &str) -> bool {
    let of_another_thing = ["absent.", "invalid.", "unmet.", "exception-"];
    CODES.iter().any(|(code, _)| *code == kind) && !of_another_thing.iter().any(|start| kind.starts_with(start))
}

/// Kinds of Gap that do not stop the gate unless a policy says so. Feeds that never list unfixed problems say so on every run; a history holds what
/// others built, in whatever shell.
pub const LOWERED: [(&str, Worth); 3] = [("stale-soon", Worth::Warn), ("unfixed-unknown", Worth::Ignore), ("unread-history", Worth::Warn)];

/// Code and meaning, sorted by code.
pub const CODES: &[(&str, &str)] = &[
    (
        "absent.signature",
        "Every place where a signature could be was read, and there is none. Sign the image (`cosign sign`) before the gate, or look at another digest.",
    ),
    ("archived", "ECR says that the image is archived and not scanned. Restore it, or push it again."),
    (
        "base-differs",
        "The image is not built on the one that `--base` names: its lowest layers are others. Name the very image that the build stood on, by digest; a tag may have moved since.",
    ),
    (
        "base-unread",
        "The image that `--base`, or with `--base auto` the image's annotations, names could not be read, so nothing says which layers are the base's; or an image that a Dockerfile builds on, of which a rule or `lint --pin` asked.",
    ),
    ("component-unidentified", "A bill of materials names something without a package URL or a version, so that it cannot be looked up."),
    (
        "context-unread",
        "The folder of the build, or its `.dockerignore`, was not read whole, or there are more paths and patterns than are compared, so files in it may be copied that no rule saw. Make it smaller, or name a smaller one with `--context`.",
    ),
    (
        "credentials",
        "AWS refused the credentials as expired, unknown or made for another region. Renew them and check the region in the registry's host name.",
    ),
    ("damaged", "A shard of the advisory database does not hold what its checksums promise. Build the database again."),
    (
        "denied",
        "AWS refused a call; the reason names the action. Grant it, or take the source out of `evidence.require` and do not ask for it.",
    ),
    (
        "dockerfile-differs",
        "The Dockerfile ends with another user than the image has, so the image was not built from it, and what was said of the Dockerfile is not said of the image.",
    ),
    ("document-unclear", "Something in a bill of materials was not understood, or it says of itself that it is incomplete."),
    (
        "epss-data",
        "A clause of the policy asks for EPSS scores and no source of this run carries them. Build the database with `epss_scores-current.csv.gz` beside the dumps, or lower this Gap in `evidence.gaps`.",
    ),
    ("error", "A source failed in a way that has no code of its own; the reason says how."),
    (
        "exception-expired",
        "An exception of the policy has ended and has no effect. Renew it with a new date and reason, or mend what it covered.",
    ),
    ("exception-owner", "An exception has an owner whom the policy does not allow, and has no effect."),
    ("exception-redundant", "An exception matched only findings that something else had already cleared. Remove it."),
    ("exception-soon", "An exception ends within the number of days that the policy announces (`exceptions.soon`)."),
    ("exception-too-long", "An exception lasts longer than `exceptions.max_days` allows, and has no effect. Give it an earlier end."),
    ("exception-unused", "An exception matched nothing in a run in which everything it could match was looked at. Remove it."),
    (
        "expired",
        "Inspector no longer scans the image because it is too old or unused; what it knew is not current. Push the image again or extend the scan duration.",
    ),
    ("failed", "The scan failed on the AWS side."),
    (
        "file-limit",
        "A file that a cataloger wanted is larger than the limit, or all of them together are; the number stands in the reason.",
    ),
    ("file-not-kept", "A file that a cataloger wanted was not kept because the image holds more such bytes than the limit allows."),
    (
        "foreign-layer",
        "A layer is said to be somewhere else and is never fetched from there. Push the image with its foreign layers included.",
    ),
    (
        "frozen",
        "The feed has stopped looking after this release, or the release has reached the end of its life and the policy ignores that (`end_of_life.distro`): what was found since is not in its advisories. Move to a release that is looked after.",
    ),
    (
        "ignore-file",
        "`.dockerignore` holds a pattern that the builder refuses, so nothing says which files a build sends. Mend the pattern.",
    ),
    (
        "incomplete",
        "A list of findings could not be confirmed to be whole: pages do not add up, it still grew, or nobody can say whether an empty list is final. The hint names the permission that would settle it.",
    ),
    (
        "invalid.certificate-time",
        "The signing certificate was not valid at any authenticated time. A signature without a log entry or timestamp cannot be dated.",
    ),
    ("invalid.chain", "The signing certificate does not lead to an authority of the trusted root."),
    ("invalid.claim-type", "The signed payload is not a cosign image signature."),
    ("invalid.digest", "The signature is genuine, but for another image: the signed digest is not this one. It was copied."),
    ("invalid.log-entry", "The transparency log's entry is about another signature, or its signed timestamp does not hold."),
    ("invalid.log-key", "The entry comes from a log that the trusted root does not know."),
    ("invalid.log-proof", "The proof that the log holds the entry does not lead to its signed checkpoint."),
    (
        "invalid.payload",
        "What is signed, or the manifest that carries it, cannot be read strictly: wrong shape, duplicate keys, trailing data.",
    ),
    ("invalid.payload-type", "The signed envelope does not hold an in-toto statement."),
    ("invalid.proof-missing", "The bundle has no proof of inclusion in a transparency log."),
    (
        "invalid.reference",
        "The signature names another repository than the one the image was read from. For a mirror, say so in the policy's `references` or with --signed-as.",
    ),
    ("invalid.sct", "The certificate does not carry a valid certificate-transparency timestamp."),
    ("invalid.signature", "A signature is there and no trusted key verifies it: wrong key, or changed bytes."),
    ("invalid.subject", "The signed statement is about another image, or names none by SHA-256."),
    ("invalid.timestamp", "The RFC 3161 timestamp does not hold."),
    (
        "kev-data",
        "A clause of the policy asks whether a finding is known to be exploited and no source of this run carries CISA's list. Build the database with `known_exploited_vulnerabilities.json` beside the dumps, or lower this Gap in `evidence.gaps`.",
    ),
    ("layer-compression", "A layer's compressed data is damaged, ends early, or is followed by something else."),
    ("layer-format", "A layer is compressed in a form that is not read (gzip, zstd and plain tar are)."),
    ("layer-limit", "The image or a layer is larger, or takes longer to read, than a limit allows; the number stands in the reason."),
    ("layer-tar", "A layer's tar is damaged or ends early; what stood before it was read."),
    ("limit", "AWS refused because a quota is used up."),
    ("link-loop", "A layer writes a record into a folder that is a link in a circle, or one to nowhere; where it stands is not known."),
    ("link-target", "A link leads to a record that is not in the image."),
    (
        "no-advisories",
        "The database holds no advisories for this distribution release; the nearest release is never taken instead. Get a database that has it (`plimsoll db update`, `db pull`, or `db build` with its dump), use a release that is covered, or lower this Gap in `evidence.gaps`.",
    ),
    (
        "no-database",
        "There is no offline advisory database, or none that could be fetched and read. Pull one with `plimsoll db pull REF`, build one with `plimsoll db build --from DIR`, or name one with --db or --advisories.",
    ),
    (
        "no-distro",
        "There are packages, but nothing says which distribution they are of, so that no feed can be chosen. Keep the os-release file in the image, or lower this Gap in `evidence.gaps` where another source (Inspector) judges the image.",
    ),
    ("no-image", "A bill of materials stands in the place of the image, and does not say what the image alone could tell."),
    ("not-found", "ECR does not know the image or its repository. Push it first, or check account, region and repository."),
    ("not-scanned", "AWS has not scanned the image, and is not going to by itself. Turn on scanning for the repository."),
    ("nothing-inventoried", "No package was found in the image at all; that is not the same as none being there."),
    ("path-escape", "An entry of a layer leaves the image's root by `..` and was not placed."),
    ("pending", "The AWS scan was still running at the deadline. Wait longer with --aws-wait, or run the gate later."),
    ("record-unreadable", "A package record or database could not be read; the reason says where it breaks."),
    (
        "refused-instruction",
        "BuildKit refuses an instruction of the Dockerfile, or the file as a whole; what it refuses was not judged. The reason has BuildKit's words.",
    ),
    ("required-source", "The policy requires a source (`evidence.require`) that did not complete in this run."),
    ("rpmdb-several", "The image has rpm databases in several formats that do not say the same; the reason says which one was used."),
    (
        "rule-unjudged",
        "The policy names a rule about Dockerfiles, to fail or to warn, and the rule cannot judge without the folder of the build (--context), what a registry says of the base image, or settings of its own; the reason says which. Give it that, or take the rule out of `rules.set`.",
    ),
    (
        "shellcheck-failed",
        "The rule `shellcheck` is on, and ShellCheck was not there, failed, or gave no answer about a RUN in time. Install it, name it with `lint --shellcheck=PATH`, or leave the rule off.",
    ),
    (
        "stale",
        "Advisory data is older than `evidence.database_max_age`, counted from the data's own date. Build the database again from newer feeds.",
    ),
    ("stale-soon", "Advisory data is older than two days, and not yet older than `evidence.database_max_age`. Update the database."),
    ("throttled", "AWS kept refusing calls as too many; retries are used up."),
    ("too-large", "Something is larger than the limit for reading it."),
    ("unavailable", "ECR says that the findings are not available."),
    ("unchecked.blob-digest", "A blob beside the image is not what its digest promises; nothing in it was used."),
    ("unchecked.limit", "There is more beside the image than the limits allow to read (number or size of signatures)."),
    ("unchecked.registry", "The registry did not answer a question about signatures, so their absence is not known."),
    ("unchecked.revocation", "Whether the signer was revoked could not be asked."),
    ("unchecked.source", "The image was read from a place that cannot hold signatures (an archive of a daemon)."),
    ("unchecked.timeout", "Looking for signatures took longer than allowed."),
    ("unchecked.trust-root", "A keyless signature is there and no trusted root was given to judge it by, or a signer's key was not given."),
    (
        "unchecked.unsupported",
        "Something beside the image is in a form that this version does not read; it might be the signature asked for.",
    ),
    (
        "undecidable",
        "A version or an advisory cannot be compared; that is never taken for \"not affected\". The reason names it: rebuild the package with a proper version, or lower this Gap in `evidence.gaps`.",
    ),
    ("unfixed-unknown", "The feed of this distribution lists fixed problems only; whether others are open is not known."),
    (
        "unknown-digest",
        "The image was read from a daemon or an archive that does not know the digest of its manifest in a registry, and AWS knows images by that digest. Name the image in its registry.",
    ),
    ("unknown-status", "AWS answered with a status that this version does not know; the reason has the word."),
    ("unknown-target", "--target names a stage that the Dockerfile does not have."),
    ("unmet.annotation", "The signature is genuine and does not carry the signed annotation that is asked for."),
    ("unmet.extension", "The certificate's extensions (repository, ref, trigger ...) are not those that the policy names."),
    ("unmet.identity", "The signature is genuine, but not by anybody whom the requirement names."),
    ("unmet.issuer", "The certificate was given on the word of another OIDC issuer than the policy names."),
    ("unmet.log", "The signature is genuine and no transparency log vouches for it, which the signer requires (`log: require`)."),
    ("unmet.threshold", "Fewer distinct signers signed than the requirement asks for."),
    (
        "unread-file",
        "A file that looks like a Dockerfile was found in a folder and could not be read, or a folder could not, or the index of git, which tells the files that count although `.gitignore` names them.",
    ),
    (
        "unread-history",
        "Code in the image's history is in a shell or form that the rules do not read, or is too long. Give the Dockerfile, which says more, or lower this Gap in `evidence.gaps`.",
    ),
    ("unread-shell", "A RUN instruction is in a shell or form that the shell rules do not read."),
    (
        "unresolved-base",
        "An image that the Dockerfile names depends on a variable whose value is not known, so it was not compared with the trusted registries. Give it with `--build-arg`.",
    ),
    ("unsupported", "AWS does not scan images of this kind."),
    (
        "unsupported-ecosystem",
        "Packages of this kind were found, and this version has no advisories or no reader for them. Ask another source as well (Inspector), or lower this Gap in `evidence.gaps`.",
    ),
    (
        "untrusted-database",
        "The advisory database, or a shard of it, is not signed by whom it must be (--db-signed-by), or not what the pinned artifact holds (--db-digest), and was not used. Pull it from its publisher, or correct whom you trust.",
    ),
];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CODES.is_sorted_by(|left, right| left.0 < right.0));
    }

    /// Every literal in the sources that has the form of a code, or stands where a Gap's kind stands, is explained.
    #[test]
    fn every_code_in_the_sources_is_explained() {
        let mut files = Vec::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        let mut missing = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let flat = code.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut found: Vec<&str> = flat
                .split('"')
                .filter(|word| ["absent.", "invalid.", "unmet.", "unchecked.", "exception-"].iter().any(|start| word.starts_with(start)))
                .filter(|word| !word.ends_with(['.', '-']) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-'))
                .collect();
            for call in flat.split("Gap::new(").skip(1) {
                let kind = call.split(',').nth(1).unwrap_or_default().trim();
                found.extend(kind.strip_prefix('"').and_then(|kind| kind.strip_suffix('"')));
            }
            missing.extend(found.into_iter().filter(|code| find(code).is_none()).map(|code| format!("{code} in {}", file.display())));
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
