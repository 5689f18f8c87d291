//! The repositories of Amazon Linux (advisories.md A1 to A3). In: the base of its public layout, or of a mirror in the layout of our own folder; out: the list
//! of updates of each repository, with the digest that its index names, under `amazon/`. The releases of Amazon Linux 2023 do not change once they are
//! published, so that `latest` is read and never an image's own. Amazon Linux 1 is not fetched: it is served over plain http alone.

use std::{collections::BTreeSet, io::BufReader};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::{
    AMAZON, Answers, Context, Outcome,
    folder::io,
    transfer::{Answer, Known, Place, Received},
};
use crate::{
    advisory::{
        Error,
        sources::alas::{FAILED, FOLDER, MANIFEST, Repository, UPDATES, check_updates, manifest_entry, repomd},
    },
    model::digest::{Algorithm, Digest},
};

/// The architectures that containers are made for.
const ARCHES: [&str; 2] = ["aarch64", "x86_64"];
/// The host that mirror lists name.
const PUBLIC_HOST: &str = "cdn.amazonlinux.com";
/// Mirror lists, indexes and catalogues are pages of text.
const MAX_TEXT: u64 = 4 << 20;
/// A packed list of updates.
const MAX_UPDATES: u64 = 256 << 20;
/// Extras of one architecture.
const MAX_EXTRAS: usize = 500;
/// Repositories that are asked at the same time.
const TOGETHER: usize = 8;

/// Where Amazon Linux comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The layout of the public host.
    Public(Place),
    /// The layout of our own folder.
    Mirror(Place),
}

/// Brings every repository up to date.
pub(super) async fn update(context: &Context<'_>, source: &Source) -> Answers {
    match source {
        Source::Public(base) => public(context, base).await,
        Source::Mirror(base) => mirror(context, base).await,
    }
}

fn name_of(repository: &Repository) -> String {
    let Repository { release, name, arch } = repository;
    format!("{FOLDER}/{release}/{name}/{arch}")
}

async fn public(context: &Context<'_>, base: &Place) -> Answers {
    let mut results = Vec::new();
    let mut wanted = BTreeSet::new();
    let before = known(context);
    for arch in ARCHES {
        for release in ["2", "2023"] {
            wanted.insert(Repository { release: release.to_owned(), name: "core".to_owned(), arch: arch.to_owned() });
        }
        let extra = |name: &str| Repository { release: "2".to_owned(), name: name.to_owned(), arch: arch.to_owned() };
        match extras(context, base, arch).await {
            Ok(names) => wanted.extend(names.iter().map(|name| extra(name))),
            Err(error) => {
                // The extras that are known already are asked all the same. Without any, the manifest names the catalogue itself, so that the coverage
                // of the release says that its extras are not there.
                let known: Vec<_> = before.iter().filter(|one| one.release == "2" && one.arch == arch).cloned().collect();
                if known.iter().all(|one| one.name == "core") {
                    wanted.insert(extra("extras-catalog"));
                }
                wanted.extend(known);
                results.push((format!("{FOLDER}/2/extras-catalog/{arch}"), Err(error)));
            }
        }
    }
    let asked = wanted.iter().filter(|repository| repository.name != "extras-catalog").map(|repository| async move {
        let result = repository_of(context, base, repository).await;
        (repository.clone(), result)
    });
    let answers: Vec<_> = stream::iter(asked).buffer_unordered(TOGETHER).collect().await;
    for (repository, result) in answers {
        // A repository without updates of its own is not missed.
        if matches!(result, Ok(Outcome::Missing)) {
            wanted.remove(&repository);
        }
        results.push((name_of(&repository), result));
    }
    finish(context, wanted, &before, results)
}

/// Writes down what there is and what failed. A repository of which there is a list, and which its origin has no more, is missed and stays.
fn finish(context: &Context<'_>, mut wanted: BTreeSet<Repository>, before: &BTreeSet<Repository>, mut results: Answers) -> Answers {
    for repository in before.difference(&wanted.clone()).filter(|repository| context.folder.has(&name_of(repository))) {
        wanted.insert(repository.clone());
        results.push((name_of(repository), Ok(Outcome::Missing)));
    }
    let failed = results.iter().filter(|(name, result)| match result {
        Ok(outcome) => *outcome == Outcome::Missing && context.folder.has(name),
        Err(_) => true,
    });
    let mut failed: Vec<&str> = failed.filter_map(|(name, _)| name.strip_prefix(FOLDER)?.strip_prefix('/')).collect();
    failed.sort_unstable();
    failed.retain(|line| manifest_entry(line).is_some());
    let failed: String = failed.iter().map(|line| format!("{line}\n")).collect();
    let text: String = wanted.iter().map(|Repository { release, name, arch }| format!("{release}/{name}/{arch}\n")).collect();
    for (name, text) in [(MANIFEST, text), (FAILED, failed)] {
        if let Err(error) = write_list(context, name, &text) {
            results.push((format!("{FOLDER}/{name}"), Err(error)));
        }
    }
    results.sort_by(|a, b| a.0.cmp(&b.0));
    results
}

/// Names of the extras of one architecture.
async fn extras(context: &Context<'_>, base: &Place, arch: &str) -> Result<Vec<String>, Error> {
    let place = base.join(&["2", &format!("extras-catalog-{arch}.json")])?;
    let failed = |reason: &str| Error::Fetch { url: place.text(), reason: reason.to_owned() };
    let bytes = context.transfer.bytes(&place, MAX_TEXT).await?.ok_or_else(|| failed("there is no catalogue of extras"))?;
    extras_in(&bytes).map_err(|reason| failed(&reason))
}

/// The catalogue has a list of topics; each is an object with its name in `n`, and other members that do not matter here.
fn extras_in(bytes: &[u8]) -> Result<Vec<String>, String> {
    let catalogue: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let topics = catalogue.get("topics").and_then(Value::as_array).ok_or("the catalogue has no list of topics")?;
    let mut names = BTreeSet::new();
    for topic in topics {
        let name = topic.get("n").or_else(|| topic.get("name")).unwrap_or(topic).as_str().unwrap_or_default();
        if manifest_entry(&format!("2/{name}/x")).is_none() {
            return Err(format!("the catalogue names an extra `{name:.60}`"));
        }
        names.insert(name.to_owned());
    }
    if names.is_empty() || names.len() > MAX_EXTRAS {
        return Err(format!("the catalogue names {} extras", names.len()));
    }
    Ok(names.into_iter().collect())
}

async fn repository_of(context: &Context<'_>, base: &Place, repository: &Repository) -> Result<Outcome, Error> {
    let name = name_of(repository);
    let Repository { release, name: own, arch } = repository;
    let list = match (release.as_str(), own.as_str()) {
        ("2", "core") => base.join(&["2", "core", "latest", arch, "mirror.list"])?,
        ("2", extra) => base.join(&["2", "extras", extra, "latest", arch, "mirror.list"])?,
        _ => base.join(&[&format!("al{release}"), own, "mirrors", "latest", arch, "mirror.list"])?,
    };
    let failed = |place: &Place, reason: &str| Error::Fetch { url: place.text(), reason: reason.to_owned() };
    let bytes = context.transfer.bytes(&list, MAX_TEXT).await?.ok_or_else(|| failed(&list, "there is no mirror list"))?;
    let root = root_of(&bytes, base).map_err(|reason| failed(&list, &reason))?;
    let index = root.join(&["repodata", "repomd.xml"])?;
    let bytes = context.transfer.bytes(&index, MAX_TEXT).await?.ok_or_else(|| failed(&index, "there is no index"))?;
    let Some(updates) = repomd::update_list(&bytes).map_err(|reason| failed(&index, &reason))? else {
        // An extra need not have updates; one that had some has them still.
        if own == "core" || context.folder.has(&name) {
            return Err(failed(&index, "the index names no list of updates"));
        }
        return Ok(Outcome::Missing);
    };
    let place = root.join(&updates.href.split('/').collect::<Vec<_>>())?;
    if !updates.href.ends_with(".gz") {
        return Err(failed(&place, "only lists of updates that are packed with gzip are read by this version"));
    }
    let file = format!("{name}/{UPDATES}");
    // The address of a repository changes with every release, and its list of updates often not.
    let stays = Place::Url(url_of(&list, &updates.digest).map_err(|reason| failed(&list, &reason))?);
    if !context.fresh && context.folder.known(&file, &stays).is_some() {
        return Ok(Outcome::Unchanged);
    }
    context.say(&name);
    match context.transfer.file(&place, &Known::default(), MAX_UPDATES).await? {
        Answer::Here(received) => {
            let found = match updates.digest.algorithm() {
                Algorithm::Sha256 => received.digest == updates.digest,
                Algorithm::Sha512 => {
                    std::fs::read(&received.path).map_err(io("read", &received.path)).map(|bytes| updates.digest.matches(&bytes))?
                }
            };
            if !found {
                return Err(failed(&place, &format!("the file has the digest {}, its index names {}", received.digest, updates.digest)));
            }
            keep(context, &file, &stays, received).await
        }
        Answer::Missing | Answer::Unchanged => Err(failed(&place, "the list of updates is not there")),
    }
}

/// The address under which a list of updates is remembered: that of the mirror list, with the digest.
fn url_of(list: &Place, digest: &Digest) -> Result<url::Url, String> {
    match list {
        Place::Url(url) => {
            let mut url = url.clone();
            url.set_fragment(Some(&digest.to_string()));
            Ok(url)
        }
        Place::Path(_) => Err("the public layout is served over http".to_owned()),
    }
}

/// The first address of a mirror list. One on the public host is looked for below `base`, which may be a mirror of it; none may change to another scheme.
fn root_of(bytes: &[u8], base: &Place) -> Result<Place, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the mirror list is no text".to_owned())?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).ok_or("the mirror list is empty")?;
    let found = url::Url::parse(line).map_err(|error| format!("`{line:.80}`: {error}"))?;
    let Place::Url(base) = base else { return Err("the public layout is served over http".to_owned()) };
    if found.host_str() == Some(PUBLIC_HOST) && base.host_str() != Some(PUBLIC_HOST) {
        let parts: Vec<&str> = found.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect()).unwrap_or_default();
        return Place::Url(base.clone()).join(&parts).map_err(|error| error.to_string());
    }
    if found.scheme() != base.scheme() {
        return Err(format!("the mirror list leads from {} to {}", base.scheme(), found.scheme()));
    }
    Ok(Place::Url(found))
}

/// Puts a list into its place when it can be read to its end.
async fn keep(context: &Context<'_>, file: &str, place: &Place, received: Received) -> Result<Outcome, Error> {
    let path = received.path.clone();
    let failed = |reason: String| Error::Fetch { url: place.text(), reason };
    let checked = tokio::task::spawn_blocking(move || {
        let input = std::fs::File::open(path).map_err(|error| error.to_string())?;
        check_updates(BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(input))))
    });
    checked.await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    context.folder.put(file, place, received, context.now)?;
    Ok(Outcome::Whole)
}

/// A mirror in our own layout: the manifest says what there is. Without one the mirror has no Amazon Linux.
async fn mirror(context: &Context<'_>, base: &Place) -> Answers {
    let list = async |name: &str| -> Result<Option<BTreeSet<Repository>>, Error> {
        let place = base.join(&[FOLDER, name])?;
        let failed = |reason: String| Error::Fetch { url: place.text(), reason };
        let bytes = context.transfer.bytes(&place, MAX_TEXT).await?;
        bytes.map(|bytes| repositories_in(&bytes).map_err(failed)).transpose()
    };
    let wanted = match list(MANIFEST).await {
        Ok(Some(wanted)) if wanted.is_empty() => {
            let reason = "the mirror names no repository of Amazon Linux".to_owned();
            return vec![(AMAZON.to_owned(), Err(Error::Fetch { url: base.text(), reason }))];
        }
        Ok(Some(wanted)) => wanted,
        Ok(None) => return vec![(AMAZON.to_owned(), Ok(Outcome::Missing))],
        Err(error) => return vec![(AMAZON.to_owned(), Err(error))],
    };
    // What the mirror could not have is of before there, and no newer here.
    let old = match list(FAILED).await {
        Ok(old) => old.unwrap_or_default(),
        Err(error) => return vec![(AMAZON.to_owned(), Err(error))],
    };
    let old = &old;
    let asked = wanted.iter().map(|repository| async move {
        let name = name_of(repository);
        let result = async {
            let file = format!("{name}/{UPDATES}");
            let place = base.join(&file.split('/').collect::<Vec<_>>())?;
            let known = if context.fresh { None } else { context.folder.known(&file, &place) }.unwrap_or_default();
            match context.transfer.file(&place, &known, MAX_UPDATES).await? {
                Answer::Unchanged => Ok(Outcome::Unchanged),
                Answer::Missing => Err(Error::Fetch { url: place.text(), reason: "the mirror names it and does not have it".to_owned() }),
                Answer::Here(received) => keep(context, &file, &place, received).await,
            }
        };
        let result = match result.await {
            Ok(_) if old.contains(repository) => {
                Err(Error::Fetch { url: base.text(), reason: "the mirror could not fetch it and has an older copy".to_owned() })
            }
            result => result,
        };
        (name.clone(), result)
    });
    let results: Vec<_> = stream::iter(asked).buffer_unordered(TOGETHER).collect().await;
    let before = known(context);
    finish(context, wanted.clone(), &before, results)
}

/// The lines of a manifest; one that is none makes all of it useless.
fn repositories_in(bytes: &[u8]) -> Result<BTreeSet<Repository>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the list of repositories is no text".to_owned())?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| manifest_entry(line).ok_or_else(|| format!("the list of repositories has a line `{line:.80}`"))).collect()
}

/// The repositories that the kept manifest names.
fn known(context: &Context<'_>) -> BTreeSet<Repository> {
    let text = std::fs::read_to_string(context.folder.path(&format!("{FOLDER}/{MANIFEST}"))).unwrap_or_default();
    text.lines().filter_map(manifest_entry).collect()
}

/// Writes a list of repositories; an empty one is none.
fn write_list(context: &Context<'_>, file: &str, text: &str) -> Result<(), Error> {
    let name = format!("{FOLDER}/{file}");
    if text.is_empty() {
        return context.folder.remove(&name);
    }
    let path = context.folder.incoming().join(file);
    std::fs::write(&path, text).map_err(io("write", &path))?;
    let received = Received { path, digest: Digest::sha256_of(text.as_bytes()), etag: None, last_modified: None };
    context.folder.put(&name, &Place::Path(file.into()), received, context.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirror_lists_lead_to_a_repository() {
        let root = |list: &str, base: &str| root_of(list.as_bytes(), &Place::parse(base).unwrap()).map(|place| place.text());
        let public = "https://cdn.amazonlinux.com";
        assert_eq!(
            root("https://cdn.amazonlinux.com/2/core/2.0/x86_64/ab", public).unwrap(),
            "https://cdn.amazonlinux.com/2/core/2.0/x86_64/ab"
        );
        assert_eq!(
            root("\n https://cdn.amazonlinux.com/al/x/ \nhttps://b\n", "http://127.0.0.1:9/m").unwrap(),
            "http://127.0.0.1:9/m/al/x"
        );
        assert_eq!(root("http://127.0.0.1:9/x/", "http://127.0.0.1:9").unwrap(), "http://127.0.0.1:9/x/");
        assert!(root("http://packages.us-west-2.amazonaws.com/x", public).unwrap_err().contains("from https to http"));
        for list in ["", "\n\n", "/x", "<html>"] {
            assert!(root(list, public).is_err(), "{list}");
        }
        assert!(root_of(b"\xff", &Place::parse(public).unwrap()).is_err());
    }

    #[test]
    fn lists_name_repositories() {
        assert_eq!(repositories_in(b"2/core/x86_64\n\n 2023/core/aarch64 \n").unwrap().len(), 2);
        for text in ["<html>login</html>", "2/core/x86_64\n2/core", "2/../x86_64"] {
            assert!(repositories_in(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn catalogues_name_extras() {
        let catalogue = br#"{"motd":"","topics":[{"n":"php8.0","versions":["8.0"]},{"n":"docker"},{"n":"docker"}]}"#;
        assert_eq!(extras_in(catalogue).unwrap(), ["docker", "php8.0"]);
        for text in ["", "[]", r#"{"topics":[]}"#, r#"{"topics":[{"n":"../x"}]}"#, r#"{"topics":[{"x":1}]}"#] {
            assert!(extras_in(text.as_bytes()).is_err(), "{text}");
        }
    }
}
