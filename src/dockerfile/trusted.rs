//! Names of images and frontends in, whether a list of trusted registries and repositories holds them out.

use std::collections::BTreeSet;

use crate::model::{
    coverage::{Gap, SourceId},
    mask::masked,
};

use super::{expand::Value, instruction::Instruction, parse::image_name, rule::Dockerfile, source::slice};

/// Registry and repository of an image, in the one spelling that lists compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The host in lower case; Docker Hub is `docker.io`.
    pub(super) registry: String,
    /// The repository; `None` where it is not known.
    pub(super) repository: Option<String>,
}

impl Origin {
    /// The origin of a whole reference, tag and digest included.
    pub(super) fn of(reference: &str) -> Self {
        let name = image_name(reference);
        // The host may stand in the repository where the reference is unusual.
        let text = name.registry.map_or_else(|| name.repository.clone(), |registry| format!("{registry}/{}", name.repository));
        let text = text.split('@').next().unwrap_or_default();
        let (registry, repository) = split(text);
        let repository = slice(repository, 0..tag_at(repository).unwrap_or(repository.len()));
        let is_short = registry == HUB && !repository.contains('/');
        let repository = if is_short { format!("library/{repository}") } else { repository.to_owned() };
        Self { registry, repository: Some(repository) }
    }

    /// The origin of a reference as written whose variables are not all known: what stands before the first of them may say enough.
    pub(super) fn of_written(written: &str, value: &Value) -> Option<Self> {
        if value.is_decided() {
            return Some(Self::of(&value.text));
        }
        let head = slice(written, 0..written.find('$').unwrap_or(written.len()));
        let (first, rest) = match head.split_once('/') {
            Some((first, rest)) => (Some(first), rest),
            None => (None, head),
        };
        // A tag or digest that is not known leaves the repository as it is.
        if let Some(end) = tag_at(rest).or_else(|| rest.find('@')) {
            return Some(Self::of(slice(head, 0..head.len() - (rest.len() - end))));
        }
        first.map(|first| Self { registry: if is_host(first) { host(first) } else { HUB.to_owned() }, repository: None })
    }

    /// Whether the list holds the origin; `None` where that depends on the repository, which is not known.
    pub(super) fn is_in(&self, list: &BTreeSet<String>) -> Option<bool> {
        let mut is_open = false;
        for entry in list {
            match self.fits(entry) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => is_open = true,
            }
        }
        (!is_open).then_some(false)
    }

    fn fits(&self, entry: &str) -> Option<bool> {
        let stem = entry.strip_suffix("/*").or_else(|| entry.strip_suffix('/')).unwrap_or(entry);
        if entry == "*" {
            return Some(true);
        }
        if let Some(tail) = entry.strip_prefix('*') {
            return if tail.contains('/') {
                Some(format!("{}/{}", self.registry, self.repository.as_ref()?).ends_with(tail))
            } else {
                Some(self.registry.ends_with(&tail.to_ascii_lowercase()))
            };
        }
        if !stem.contains('/') && (is_host(stem.trim_end_matches('*')) || !entry.contains('/')) {
            // A host alone, with all of its repositories.
            return Some(match stem.strip_suffix('*') {
                Some(head) => self.registry.starts_with(&head.to_ascii_lowercase()),
                None => self.registry == host(stem),
            });
        }
        let (registry, path) = split(stem);
        if registry != self.registry {
            return Some(false);
        }
        let repository = self.repository.as_ref()?;
        Some(match path.strip_suffix('*') {
            Some(head) => repository.starts_with(head),
            // A folder of repositories is trusted with all that lies in it.
            None => repository.strip_prefix(path).is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && stem == entry)),
        })
    }
}

/// An image that an instruction names, and where it comes from as far as the file says.
pub(super) struct Named<'a> {
    /// The instruction.
    pub(super) instruction: &'a Instruction,
    /// The reference for messages.
    pub(super) shown: &'a str,
    /// Whether it is from a trusted place; `None`: nothing says it.
    pub(super) is_trusted: Option<bool>,
}

impl Dockerfile<'_> {
    /// Every image that FROM, COPY and mounts name, beside the list of trusted registries; none where there is no list.
    pub(super) fn named_images(&self) -> impl Iterator<Item = Named<'_>> {
        let list = &self.settings.trusted_registries;
        let images = if list.is_empty() { &[][..] } else { self.graph.images.as_slice() };
        images.iter().filter_map(move |image| {
            let instruction = self.instructions.get(image.instruction)?;
            let written =
                if instruction.keyword == "FROM" { instruction.args.first()?.text.as_str() } else { image.reference.text.as_str() };
            let shown = if image.reference.is_decided() { image.reference.text.as_str() } else { written };
            let is_trusted = Origin::of_written(written, &image.reference).and_then(|origin| origin.is_in(list));
            Some(Named { instruction, shown, is_trusted })
        })
    }

    /// A gap for each image of which nothing says whether it is from a trusted place.
    pub(super) fn unresolved_bases(&self) -> Vec<Gap> {
        let open = self.named_images().filter(|named| named.is_trusted.is_none());
        open.map(|named| {
            let subject = format!("{}:{}", self.file, named.instruction.line);
            let reason =
                format!("nothing says which image `{}` is, so it was not compared with the trusted registries", masked(named.shown));
            Gap::new(SourceId::Dockerfile, "unresolved-base", subject, reason)
                .with_hint("give the build's arguments: --build-arg NAME=VALUE")
        })
        .collect()
    }
}

const HUB: &str = "docker.io";

/// The registry of a name and the rest.
fn split(name: &str) -> (String, &str) {
    match name.split_once('/') {
        Some((first, rest)) if is_host(first) => (host(first), rest),
        _ => (HUB.to_owned(), name),
    }
}

fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

/// A host in the spelling that is compared.
fn host(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_suffix(":443").unwrap_or(&lower);
    if matches!(bare, "docker.io" | "index.docker.io" | "registry-1.docker.io" | "hub.docker.com") {
        HUB.to_owned()
    } else {
        bare.to_owned()
    }
}

/// Where a tag begins in a name without its host.
fn tag_at(name: &str) -> Option<usize> {
    let last = name.rfind('/').map_or(0, |at| at + 1);
    slice(name, last..name.len()).find(':').map(|at| last + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_normalised_and_compared() {
        let table = [
            ("alpine", "docker.io", true),
            ("alpine:3", "hub.docker.com", true),
            ("docker.io:443/alpine", "docker.io", true),
            ("library/alpine", "docker.io/library/alpine", true),
            ("alpine@sha256:00", "docker.io/library/*", true),
            ("acme/app:1", "docker.io/library/*", false),
            ("acme/app:1", "acme/*", true),
            ("acme/app:1", "acme", false),
            ("quay.io/a/b:1", "quay.io", true),
            ("quay.io/a/b:1", "QUAY.IO", true),
            ("quay.io/a/b:1", "quay.io/*", true),
            ("quay.io/a/b:1", "quay.io/a", true),
            ("quay.io/ab/b:1", "quay.io/a", false),
            ("quay.io/ab/b:1", "quay.io/a*", true),
            ("quay.io.evil.example/a", "quay.io", false),
            ("quay.io.evil.example/a", "quay.io/*", false),
            ("quay.io.evil.example/a", "quay.io*", true),
            ("x.acme.example/a", "*.acme.example", true),
            ("xacme.example/a", "*.acme.example", false),
            ("acme.example/a", "*.acme.example", false),
            ("evil.example/x.acme.example", "*.acme.example", false),
            ("r.example/a/base", "*/base", true),
            ("r.example/a/database", "*/base", false),
            ("r.example:5000/a:1", "r.example:5000", true),
            ("r.example:5000/a:1", "r.example", false),
            ("localhost/a", "localhost", true),
            ("anything", "*", true),
        ];
        for (reference, entry, expected) in table {
            let list = BTreeSet::from([entry.to_owned()]);
            assert_eq!(Origin::of(reference).is_in(&list), Some(expected), "{reference} {entry}");
        }
    }

    #[test]
    fn what_stands_before_a_variable_may_say_enough() {
        let table = [
            ("alpine:${TAG}", "docker.io/library/alpine", Some(true)),
            ("quay.io/a/b:${TAG}", "quay.io/a/b", Some(true)),
            ("quay.io/a/b@${DIGEST}", "quay.io/a/b", Some(true)),
            ("quay.io/${NAME}:1", "quay.io", Some(true)),
            ("quay.io/${NAME}:1", "quay.io/a", None),
            ("quay.io/${NAME}:1", "r.example/a", Some(false)),
            ("acme/${NAME}", "quay.io", Some(false)),
        ];
        for (written, entry, expected) in table {
            let list = BTreeSet::from([entry.to_owned()]);
            let origin = Origin::of_written(written, &Value::unknown()).expect("an origin");
            assert_eq!(origin.is_in(&list), expected, "{written} {entry}");
        }
        assert_eq!(Origin::of_written("${IMAGE}", &Value::unknown()), None);
        assert_eq!(Origin::of_written("alpine${SUFFIX}", &Value::unknown()), None);
    }
}
