//! Which artifacts an archive is: what Maven left in it counts first, then its manifest, then its file name; what is inferred is marked.

use std::collections::{BTreeMap, btree_map};

use crate::inventory::catalogers::jar::{
    examine::extension_of,
    extract::Artifact,
    file_name::{self, FileName},
    groups,
    manifest::Manifest,
    pom::{Pom, clean},
};

/// Group of Jenkins plugins that name none.
const JENKINS: &str = "org.jenkins-ci.plugins";
/// Vendor ids that parents of many projects pass on: no group of an artifact.
const SHARED_VENDORS: &[&str] = &["org.apache", "com.sun", "com.oracle", "org.eclipse", "com.ibm", "com.google", "org.jboss"];
/// Archives inside of Android ones that are no artifacts of their own.
const ANDROID_PARTS: &[&str] = &["classes.jar", "api.jar", "lint.jar", "r-classes.jar", "proguard.jar"];

/// Everything that says something about one archive.
pub(super) struct Known<'a> {
    /// Of the file, or inside of the archive around it.
    pub(super) path: &'a str,
    pub(super) manifest: Manifest,
    pub(super) poms: Vec<Pom>,
    pub(super) holds_classes: bool,
    pub(super) holds_archives: bool,
    /// Whether another archive is around it.
    pub(super) is_inner: bool,
}

/// The artifacts; `true` stands beside the one that the archive itself is. Several are there when they were merged into one archive.
pub(super) fn identify(known: &Known<'_>) -> Vec<(Artifact, bool)> {
    let guess = Guess::of(known);
    let own = own_pom(known, &guess);
    let (mut found, mut places): (Vec<(Artifact, bool)>, BTreeMap<_, usize>) = (Vec::new(), BTreeMap::new());
    for (place, pom) in known.poms.iter().enumerate() {
        let is_own = own == Some(place);
        let version = pom.version.clone().or_else(|| guess.version.clone().filter(|_| is_own));
        let artifact = Artifact {
            group: pom.group.clone(),
            name: pom.artifact.clone().unwrap_or_default(),
            is_guessed: pom.version.is_none() || pom.group.is_none(),
            version: version.unwrap_or_default(),
            licences: pom.licences.clone(),
            ..Artifact::default()
        };
        // Where two tools left their files, the same artifact may be there twice.
        let key = (artifact.group.clone(), artifact.name.clone(), artifact.version.clone());
        match places.entry(key) {
            btree_map::Entry::Vacant(place) => {
                place.insert(found.len());
                found.push((artifact, is_own));
            }
            btree_map::Entry::Occupied(place) => {
                if let Some((_, was_own)) = found.get_mut(*place.get()) {
                    *was_own |= is_own;
                }
            }
        }
    }
    if own.is_none() {
        found.extend(plugin(known).or_else(|| guess.artifact(known)).map(|artifact| (artifact, true)));
    }
    found
}

/// The place of the one that is about the archive itself.
fn own_pom(known: &Known<'_>, guess: &Guess<'_>) -> Option<usize> {
    // `_`, `-` and `.` are written for one another.
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    let by_name = |name: &str| {
        let plain_name = plain(name);
        let exact = known.poms.iter().position(|pom| pom.artifact.as_deref() == Some(name));
        exact.or_else(|| known.poms.iter().position(|pom| pom.artifact.as_deref().is_some_and(|artifact| plain(artifact) == plain_name)))
    };
    let stem = known.path.rsplit('/').next().unwrap_or(known.path);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let by_version = || {
        // `name-version`, however the version is written.
        known.poms.iter().position(|pom| {
            let rest = pom.artifact.as_deref().and_then(|artifact| stem.strip_prefix(artifact)?.strip_prefix('-'));
            pom.version.as_deref().is_some_and(|version| rest.is_some_and(|rest| rest.starts_with(version)))
        })
    };
    let alone = || match known.poms.as_slice() {
        // The file was renamed, unless its name or its manifest says that it is something else which this one was merged into.
        [pom] => {
            let agrees = |told: Option<&str>| told.is_none_or(|told| pom.version.as_deref().is_none_or(|version| is_alike(told, version)));
            (agrees(guess.file.version) && agrees(guess.told.as_deref())).then_some(0)
        }
        _ => None,
    };
    let by_title = || guess.title.as_deref().and_then(by_name);
    by_name(stem).or_else(by_version).or_else(|| by_name(guess.file.name)).or_else(by_title).or_else(alone)
}

/// Whether two versions may be one, written by different tools: `31.1-jre` and `31.1.0.jre`.
fn is_alike(one: &str, other: &str) -> bool {
    let number = |version: &str| {
        version.split(|ch: char| !ch.is_ascii_digit() && ch != '.').next().unwrap_or_default().trim_end_matches('.').to_owned()
    };
    let (one, other) = (number(one), number(other));
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    begins(&one, &other) || begins(&other, &one)
}

/// What the manifest of a Jenkins plugin says.
fn plugin(known: &Known<'_>) -> Option<Artifact> {
    if !matches!(extension_of(known.path), Some("hpi" | "jpi")) {
        return None;
    }
    let value = |key: &str| known.manifest.get(key).and_then(clean);
    let group = value("group-id");
    // A plugin that somebody built says so behind its version: `1.2 (private-…)`.
    let version = known.manifest.get("plugin-version").and_then(|version| clean(version.split_whitespace().next()?));
    Some(Artifact {
        is_guessed: group.is_none(),
        group: Some(group.unwrap_or_else(|| JENKINS.to_owned())),
        name: value("short-name")?,
        version: version?,
        licences: known.manifest.licences(),
        ..Artifact::default()
    })
}

/// What the manifest and the file name suggest.
struct Guess<'a> {
    file: FileName<'a>,
    version: Option<String>,
    /// The title, when it looks like the name of an artifact.
    title: Option<String>,
    /// The version in the manifest.
    told: Option<String>,
}

impl<'a> Guess<'a> {
    fn of(known: &Known<'a>) -> Self {
        let told = ["implementation-version", "bundle-version", "specification-version"]
            .iter()
            .find_map(|key| known.manifest.get(key).and_then(version_in));
        let file = file_name::split(known.path, told.as_deref());
        // `3.x` in a file name is a series of versions.
        let by_file = file.version.filter(|version| !version.ends_with(".x")).and_then(clean);
        let title = known.manifest.get("implementation-title").filter(|title| is_artifact_name(title)).map(str::to_owned);
        Self { version: by_file.or_else(|| told.clone()), told, title, file }
    }

    /// The artifact that the archive is likely to be.
    fn artifact(&self, known: &Known<'_>) -> Option<Artifact> {
        let name = self.name(known)?;
        if self.version.is_none() && !is_worth_naming(known) {
            return None;
        }
        Some(Artifact {
            group: self.version.as_deref().and_then(|version| repository_group(known.path, &name, version)).or_else(|| group(known, &name)),
            name,
            version: self.version.clone().unwrap_or_default(),
            is_guessed: true,
            licences: known.manifest.licences(),
            ..Artifact::default()
        })
    }

    fn name(&self, known: &Known<'_>) -> Option<String> {
        let by_file = clean(self.file.name);
        let title = self.title.as_deref().and_then(clean);
        let is_told_by_file = self.file.version.is_some() && self.file.version == self.version.as_deref();
        let name = if is_told_by_file { by_file.or(title) } else { title.or(by_file) }?;
        if groups::is_known(&name) {
            return Some(name);
        }
        // `Commons Collections` is how people write commons-collections.
        let spoken = known.manifest.get("implementation-title").map(|title| title.to_ascii_lowercase().replace(' ', "-"));
        if let Some(spoken) = spoken.filter(|spoken| groups::is_known(spoken)) {
            return Some(spoken);
        }
        // `org.bouncycastle.bcprov-jdk18on`: some tools put the group in front.
        let mut splits = name.match_indices('.').filter_map(|(at, _)| Some((name.get(..at)?, name.get(at + 1..)?)));
        if let Some((_, short)) = splits.find(|(group, short)| groups::group_of(short) == Some(*group)) {
            return Some(short.to_owned());
        }
        // `log4j-1.2` is log4j, in a distribution that has two series of it.
        if let Some((short, series)) = name.rsplit_once('-')
            && groups::is_known(short)
            && self.version.as_deref().is_some_and(|version| version.strip_prefix(series).is_some_and(|more| more.starts_with('.')))
        {
            return Some(short.to_owned());
        }
        Some(name)
    }
}

/// Whether an archive without a version is listed at all. One that only carries others is what its application happens to be packed in.
fn is_worth_naming(known: &Known<'_>) -> bool {
    let file = known.path.rsplit('/').next().unwrap_or(known.path);
    known.holds_classes
        && !known.holds_archives
        && known.poms.is_empty()
        && !(known.is_inner && ANDROID_PARTS.iter().any(|part| part.eq_ignore_ascii_case(file)))
}

/// The group, where something points at one.
fn group(known: &Known<'_>, artifact: &str) -> Option<String> {
    let value = |key: &str| known.manifest.get(key).and_then(|value| clean(value.split(';').next()?));
    let above = |key: &str| value(key).and_then(|dotted| without_artifact(&dotted, artifact));
    let vendor = || value("implementation-vendor-id").filter(|vendor| vendor.contains('.') && !SHARED_VENDORS.contains(&vendor.as_str()));
    value("group-id")
        .or_else(|| groups::group_of(artifact).map(str::to_owned))
        .or_else(|| above("bundle-symbolicname"))
        .or_else(vendor)
        .or_else(|| above("automatic-module-name"))
}

/// The group in the path of a file in a Maven repository, `…/repository/GROUP/ARTIFACT/VERSION/FILE`, or in Gradle's store of them,
/// `…/files-2.1/GROUP/ARTIFACT/VERSION/CHECKSUM/FILE`.
fn repository_group(path: &str, artifact: &str, version: &str) -> Option<String> {
    let folders: Vec<&str> = path.split('/').collect();
    match folders.as_slice() {
        [.., "files-2.1", group, name, of, _, _] if *name == artifact && *of == version => clean(group),
        [above @ .., name, of, _] if *name == artifact && *of == version => {
            let root = above.iter().rposition(|folder| matches!(*folder, "repository" | "maven-repo" | "maven2"))?;
            clean(&above.get(root + 1..)?.join("."))
        }
        _ => None,
    }
}

/// `org.yaml.snakeyaml` without `snakeyaml`.
fn without_artifact(dotted: &str, artifact: &str) -> Option<String> {
    let (group, _) = [artifact.to_owned(), artifact.replace('-', "."), artifact.replace('-', "_")]
        .iter()
        .find_map(|end| dotted.strip_suffix(end.as_str())?.strip_suffix('.').map(|group| (group, ())))?;
    Some(group.to_owned()).filter(|group| !group.is_empty())
}

fn version_in(text: &str) -> Option<String> {
    let version = clean(text.split_whitespace().next()?.trim_matches('"'))?;
    let digits = version.strip_prefix('v').unwrap_or(&version);
    digits.starts_with(|ch: char| ch.is_ascii_digit()).then_some(version)
}

fn is_artifact_name(text: &str) -> bool {
    let is_part = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || matches!(ch, '-' | '_' | '.');
    (1..=100).contains(&text.len()) && text.starts_with(|ch: char| ch.is_ascii_lowercase()) && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, manifest: &str, poms: &[(&str, &str, &str)], contents: &str) -> String {
        let pom = |(group, artifact, version): &(&str, &str, &str)| Pom {
            group: clean(group),
            artifact: clean(artifact),
            version: clean(version),
            ..Pom::default()
        };
        let known = Known {
            path,
            manifest: Manifest::parse(manifest.as_bytes()),
            poms: poms.iter().map(pom).collect(),
            holds_classes: contents.contains('c'),
            holds_archives: contents.contains('a'),
            is_inner: contents.contains('i'),
        };
        let text = |(artifact, is_own): (Artifact, bool)| {
            let group = artifact.group.map(|group| format!("{group}:")).unwrap_or_default();
            let (own, guess) = (if is_own { "*" } else { "" }, if artifact.is_guessed { "?" } else { "" });
            format!("{own}{group}{}@{}{guess}", artifact.name, artifact.version)
        };
        identify(&known).into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_maven_left_counts_first() {
        let check = |path: &str, manifest: &str, poms: &[(&str, &str, &str)], expected: &str| {
            assert_eq!(told(path, manifest, poms, "c"), expected, "{path}");
        };
        let (a, b) = (("g", "a", "1.0"), ("h", "b", "2.0"));
        check("lib/a-1.0.jar", "Implementation-Version: 9\n", &[a], "*g:a@1.0");
        check("a.jar", "", &[a], "*g:a@1.0");
        check("renamed.jar", "", &[a], "*g:a@1.0");
        check("renamed-1.0.jar", "", &[a], "*g:a@1.0");
        check("renamed.jar", "Bundle-Version: 1.0.0.x\n", &[a], "*g:a@1.0");
        check("renamed.jar", "Bundle-Version: 4.2.3\n", &[a], "g:a@1.0 *renamed@4.2.3?");
        check("x-y-1.3-spec.jar", "", &[("g", "x-y_1.3_spec", "1.3")], "*g:x-y_1.3_spec@1.3");
        check("a.jar", "", &[a, b], "*g:a@1.0 h:b@2.0");
        check("a.jar", "", &[a, a], "*g:a@1.0");
        check("a-1.0-jar-with-dependencies.jar", "", &[a, b], "*g:a@1.0 h:b@2.0");
        check("app-3.0.jar", "", &[a], "g:a@1.0 *app@3.0?");
        check("app-3.0-all.jar", "", &[a, b], "g:a@1.0 h:b@2.0 *app@3.0?");
        check("app.jar", "Implementation-Title: b\n", &[a, b], "g:a@1.0 *h:b@2.0");
        check("app.jar", "", &[a, b], "g:a@1.0 h:b@2.0");
        check("a-7.jar", "", &[("g", "a", "")], "*g:a@7?");
        check("x-7.jar", "", &[("g", "a", ""), b], "g:a@? h:b@2.0 *x@7?");
        check("a-1.0.jar", "", &[("", "a", "1.0")], "*a@1.0?");
    }

    #[test]
    fn manifests_and_file_names_are_guesses() {
        let check = |path: &str, manifest: &str, contents: &str, expected: &str| {
            assert_eq!(told(path, manifest, &[], contents), expected, "{path}");
        };
        check("guava-31.1-jre.jar", "Bundle-Version: 31.1.0.jre\n", "c", "*com.google.guava:guava@31.1-jre?");
        check(
            "guava.jar",
            "Bundle-SymbolicName: com.google.guava\nBundle-Version: 31.1.0.jre\n",
            "c",
            "*com.google.guava:guava@31.1.0.jre?",
        );
        check(
            "y.jar",
            "Implementation-Title: snakey\nBundle-SymbolicName: org.x.snakey;singleton:=true\nBundle-Version: 1\n",
            "c",
            "*org.x:snakey@1?",
        );
        check("a-1.jar", "Implementation-Vendor-Id: org.apache\nAutomatic-Module-Name: org.x.a\n", "c", "*org.x:a@1?");
        check("a-1.jar", "Implementation-Vendor-Id: org.acme.tools\n", "c", "*org.acme.tools:a@1?");
        check("a-1.jar", "Bundle-SymbolicName: a\nAutomatic-Module-Name: a\n", "c", "*a@1?");
        check(
            "spring3-core-3.x.jar",
            "Implementation-Title: spring-core\nImplementation-Version: 4.3.30.RELEASE\n",
            "c",
            "*org.springframework:spring-core@4.3.30.RELEASE?",
        );
        check(
            "commons-collections3-3.2.2.jar",
            "Implementation-Title: Commons Collections\nImplementation-Version: 3.2.2\n",
            "c",
            "*commons-collections:commons-collections@3.2.2?",
        );
        check("log4j-1.2-1.2.17.jar", "Bundle-Version: 1.2.17\n", "c", "*log4j:log4j@1.2.17?");
        check("app.jar", "Implementation-Title: shop\nImplementation-Version: 1.0.0 (build 5)\n", "a", "*shop@1.0.0?");
        check("rt.jar", "Implementation-Title: Java Runtime Environment\nImplementation-Version: 1.8.0_392\n", "c", "*rt@1.8.0_392?");
        check("org.bouncycastle.bcprov-jdk18on-1.77.jar", "", "c", "*org.bouncycastle:bcprov-jdk18on@1.77?");
        check("root/.m2/repository/org/x/a/1.0/a-1.0.jar", "", "c", "*org.x:a@1.0?");
        check("root/.m2/repository/org/x/a/1.1/a-1.0.jar", "", "c", "*a@1.0?");
        check("root/.m2/repository/a/1.0/a-1.0.jar", "", "c", "*a@1.0?");
        check("caches/modules-2/files-2.1/org.x/a/1.0/0a1b/a-1.0.jar", "", "c", "*org.x:a@1.0?");
        check("a.jar", "Implementation-Version: ${project.version}\n", "c", "*a@?");
        check("a.jar", "", "c", "*a@?");
        check("a.jar", "", "", "");
        check("app.jar", "", "ca", "");
        check("web.war", "", "a", "");
        check("classes.jar", "", "ci", "");
        check("classes.jar", "", "c", "*classes@?");
        check("a b.jar", "", "c", "");
    }

    #[test]
    fn jenkins_plugins_name_themselves() {
        let check = |path: &str, manifest: &str, expected: &str| assert_eq!(told(path, manifest, &[], "a"), expected, "{path}");
        let named = "Short-Name: git\nPlugin-Version: 5.2.1\n";
        check("plugins/git.hpi", &format!("Group-Id: org.example\n{named}"), "*org.example:git@5.2.1");
        check("plugins/git.jpi", named, "*org.jenkins-ci.plugins:git@5.2.1?");
        check(
            "plugins/git.jpi",
            "Short-Name: git\nPlugin-Version: 5.2-SNAPSHOT (private-1)\n",
            "*org.jenkins-ci.plugins:git@5.2-SNAPSHOT?",
        );
        check("plugins/git.jar", named, "");
        check("plugins/git.jpi", "", "");
    }
}
