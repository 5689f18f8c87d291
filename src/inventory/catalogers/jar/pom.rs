//! `Pom`: what Maven leaves of an artifact in its archive, `pom.properties` and `pom.xml`
//! (<https://maven.apache.org/shared/maven-archiver/#pom-properties-content>, <https://maven.apache.org/pom.html>).

use std::collections::BTreeMap;

/// Most bytes of a group, a name or a version.
const VALUE_BYTES: usize = 256;
/// Most properties of one `pom.xml` that are remembered, and licences that are listed.
const PROPERTIES: usize = 500;
const LICENCES: usize = 20;
/// How often a property may lead to another one.
const HOPS: usize = 5;

/// An artifact as Maven names it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Pom {
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
    pub(super) licences: Vec<String>,
}

impl Pom {
    /// Takes from `other` what this one lacks.
    pub(super) fn complete(&mut self, other: Self) {
        self.group = self.group.take().or(other.group);
        self.artifact = self.artifact.take().or(other.artifact);
        self.version = self.version.take().or(other.version);
        self.licences = other.licences;
    }

    /// Group and artifact from the folder, where the files do not say them.
    fn or_folder(mut self, folder: &str) -> Self {
        let mut parts = folder.rsplit('/');
        let (artifact, group) = (parts.next().and_then(clean), parts.next().and_then(clean));
        self.artifact = self.artifact.or(artifact);
        self.group = self.group.or(group);
        self
    }
}

/// A group, name or version as it may stand in a package URL; `None` for nothing, place-holders and what cannot be one.
pub(super) fn clean(text: &str) -> Option<String> {
    let text = text.trim();
    let is_place_holder = text.contains("${") || text.strip_prefix('@').is_some_and(|rest| rest.ends_with('@'));
    let is_foreign = |ch: char| ch.is_control() || ch.is_whitespace() || matches!(ch, '/' | ':' | '\\' | '"' | '<' | '>' | '\u{fffd}');
    let is_good = (1..=VALUE_BYTES).contains(&text.len()) && !is_place_holder && !text.contains(is_foreign);
    is_good.then(|| text.to_owned())
}

/// Reads `pom.properties` of this folder, in the format of Java's properties.
pub(super) fn parse_properties(bytes: &[u8], folder: &str) -> Pom {
    let text = String::from_utf8_lossy(bytes);
    let mut pom = Pom::default();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', '!']) {
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else { continue };
        let value = value.replace('\\', "");
        match key.trim() {
            "groupId" => pom.group = clean(&value),
            "artifactId" => pom.artifact = clean(&value),
            "version" => pom.version = clean(&value),
            _ => {}
        }
    }
    pom.or_folder(folder)
}

/// Reads `pom.xml` of this folder, as far as group, artifact, version and licences go; its parent stands in for what it leaves out.
pub(super) fn parse_xml(bytes: &[u8], folder: &str) -> Pom {
    let text = String::from_utf8_lossy(bytes);
    let (mut values, mut licences) = (BTreeMap::new(), Vec::new());
    elements(&text, &mut |path, text| {
        let text = unescape(text.trim());
        match path {
            ["project", "licenses", "license", "name"] if licences.len() < LICENCES && text.len() <= VALUE_BYTES && !text.is_empty() => {
                licences.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            ["project", key @ ("groupId" | "artifactId" | "version")] => {
                values.insert(format!("project.{key}"), text);
            }
            ["project", "parent", key @ ("groupId" | "version")] => {
                values.insert(format!("project.parent.{key}"), text);
            }
            ["project", "properties", key] if values.len() < PROPERTIES && text.len() <= VALUE_BYTES => {
                values.entry((*key).to_owned()).or_insert(text);
            }
            _ => {}
        }
    });
    for key in ["groupId", "version"] {
        if !values.contains_key(&format!("project.{key}"))
            && let Some(parent) = values.get(&format!("project.parent.{key}")).cloned()
        {
            values.insert(format!("project.{key}"), parent);
        }
    }
    let value = |key: &str| values.get(key).and_then(|value| resolve(value, &values)).and_then(|value| clean(&value));
    let pom = Pom { group: value("project.groupId"), artifact: value("project.artifactId"), version: value("project.version"), licences };
    pom.or_folder(folder)
}

/// Replaces `${…}` by properties, as far as these are known.
fn resolve(value: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut value = value.to_owned();
    for _ in 0..HOPS {
        if !value.contains("${") {
            return Some(value);
        }
        let mut done = String::new();
        let mut rest = value.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}')?;
            let known = values.get(name).or_else(|| {
                // The older forms of the same names.
                let name = name.strip_prefix("pom.").unwrap_or(name);
                values.get(&format!("project.{name}"))
            });
            done.push_str(before);
            done.push_str(known?);
            if done.len() > VALUE_BYTES {
                return None;
            }
            rest = behind;
        }
        done.push_str(rest);
        value = done;
    }
    None
}

/// Calls `visit` with the path of each innermost element, at most four names deep, and its text.
fn elements(text: &str, visit: &mut dyn FnMut(&[&str], &str)) {
    const DEEPEST: usize = 4;
    let mut path: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    let mut content = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        if content.len() + before.len() <= 4 * VALUE_BYTES {
            content.push_str(before);
        }
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
        } else if let Some(data) = after.strip_prefix("![CDATA[") {
            let (data, behind) = data.split_once("]]>").unwrap_or((data, ""));
            if content.len() + data.len() <= 4 * VALUE_BYTES {
                content.push_str(data);
            }
            rest = behind;
        } else {
            let Some((tag, behind)) = after.split_once('>') else { return };
            rest = behind;
            if tag.starts_with(['!', '?']) {
                continue;
            }
            if let Some(_closed) = tag.strip_prefix('/') {
                if depth <= DEEPEST && depth == path.len() {
                    visit(&path, &content);
                    path.pop();
                }
                depth = depth.saturating_sub(1);
            } else if !tag.ends_with('/') {
                depth += 1;
                if depth <= DEEPEST {
                    let name = tag.split_whitespace().next().unwrap_or_default();
                    path.push(name.rsplit(':').next().unwrap_or(name));
                }
            }
            content.clear();
        }
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "META-INF/maven/folder.group/folder-artifact";

    fn told(pom: &Pom) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} {} {} {}", text(&pom.group), text(&pom.artifact), text(&pom.version), pom.licences.join("|")).trim_end().to_owned()
    }

    #[test]
    fn properties_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(told(&parse_properties(text.as_bytes(), FOLDER)), expected, "{text:?}");
        check("#Generated by Maven\nversion=1.0\ngroupId=g\nartifactId=a\n", "g a 1.0");
        check("version: 1.0\r\ngroupId : g\r\n  artifactId = a\r\n", "g a 1.0");
        check("version=1\\:0\ngroupId=g", "g folder-artifact -");
        check("version=${project.version}\ngroupId=g\nartifactId=a", "g a -");
        check("version=1.0\ngroupId=${g}\nartifactId=@a@", "folder.group folder-artifact 1.0");
        check("version=1 0", "folder.group folder-artifact -");
        check("", "folder.group folder-artifact -");
        check(&format!("version={}", "1".repeat(300)), "folder.group folder-artifact -");
    }

    #[test]
    fn project_models_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(told(&parse_xml(text.as_bytes(), FOLDER)), expected, "{text:?}");
        check("<?xml version=\"1.0\"?><project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>", "g a 1");
        check(
            "<project xmlns=\"x\"><parent><groupId>pg</groupId><artifactId>p</artifactId><version>2</version></parent><artifactId> a\n</artifactId></project>",
            "pg a 2",
        );
        check(
            "<project><!-- <version>9</version> --><artifactId>a</artifactId><version>${revision}-${tail}</version>\
             <properties><tail>x${more}</tail><revision>3</revision><more>y</more></properties>\
             <dependencies><dependency><version>7</version><groupId>other</groupId></dependency></dependencies></project>",
            "folder.group a 3-xy",
        );
        check("<project><version>${nothing}</version></project>", "folder.group folder-artifact -");
        check("<project><version>${a}</version><properties><a>${a}</a></properties></project>", "folder.group folder-artifact -");
        check(
            "<project><version>1</version><licenses><license><name>A &amp; B</name><url>u</url></license><license><name><![CDATA[C]]></name></license></licenses></project>",
            "folder.group folder-artifact 1 A & B|C",
        );
        check("<m:project><m:version>1</m:version></m:project>", "folder.group folder-artifact 1");
        check("<notproject><version>1</version></notproject>", "folder.group folder-artifact -");
        check("<project><a/><version>1</version", "folder.group folder-artifact -");
        check("</a></b><project><version>1</version>", "folder.group folder-artifact 1");
        check(&format!("{}<project>", "<a>".repeat(100_000)), "folder.group folder-artifact -");
        check("<", "folder.group folder-artifact -");
    }
}
