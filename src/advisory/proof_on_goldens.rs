//! Findings that Trivy's own tests expect of its fixture database, against ours over the same rows (advisories.md B4). The adapter from that
//! database to records is here, for tests alone.

#[cfg(test)]
mod tests {
    use std::{cmp::Ordering, collections::BTreeMap};

    use serde_json::{Value, json};

    use crate::{
        advisory::{
            ecosystem::of_text,
            matcher::match_inventory,
            proof::tests::{built_from, database_of, inventory, package},
            proof_on_corpus::{corpus, json as read_json, text},
            version::Scheme,
        },
        model::package::{Package, PackageKind},
    };

    /// Findings that are not reproduced: by type or by id, and why.
    const EXPLAINED: &[(&str, &str)] = &[
        ("cbl-mariner", "CBL-Mariner is none of the distributions that are matched: a Gap"),
        ("centos", "CentOS has no advisories of its own; rows of Red Hat's content sets are not lent to it: a Gap"),
        ("cocoapods", "no advisories for CocoaPods are built: a Gap"),
        ("conan", "no advisories for Conan are built: a Gap"),
        ("kubernetes", "parts of a cluster are no packages of an image"),
        ("oracle", "Oracle Linux is none of the distributions that are matched: a Gap"),
        ("photon", "Photon OS is none of the distributions that are matched: a Gap"),
        ("CVE-2017-20165", "the fixture database has no row for it"),
    ];

    /// The OSV ecosystem string of a bucket of the fixture database.
    fn ecosystem(bucket: &str) -> Option<String> {
        let rest = |prefix: &str| bucket.strip_prefix(prefix);
        if let Some(release) = rest("alma ") {
            return Some(format!("AlmaLinux:{release}"));
        }
        if let Some(release) = rest("alpine ") {
            return Some(if release == "edge" { "Alpine:edge".to_owned() } else { format!("Alpine:v{release}") });
        }
        if let Some(release) = rest("amazon linux ") {
            return Some(format!("Amazon Linux:{release}"));
        }
        if let Some(release) = rest("debian ") {
            return Some(format!("Debian:{release}"));
        }
        if let Some(release) = rest("ubuntu ") {
            return Some(format!("Ubuntu:{release}:LTS"));
        }
        if let Some(release) = rest("rocky ") {
            return Some(format!("Rocky Linux:{release}"));
        }
        if let Some(release) = rest("openSUSE ") {
            return Some(format!("openSUSE:{release}"));
        }
        Some(
            match bucket.split_once("::")?.0 {
                "cargo" => "crates.io",
                "composer" => "Packagist",
                "erlang" => "Hex",
                "go" => "Go",
                "maven" => "Maven",
                "npm" => "npm",
                "nuget" => "NuGet",
                "pip" => "PyPI",
                "pub" => "Pub",
                "rubygems" => "RubyGems",
                "swift" => "SwiftURL",
                _ => return None,
            }
            .to_owned(),
        )
    }

    fn strings(value: &Value) -> Vec<&str> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
    }

    /// Bounds of `>= 1, < 2` and `[1,2)`: from, to, whether the end is inside.
    fn bounds(expression: &str) -> (String, Option<(String, bool)>) {
        let (mut from, mut to) = ("0".to_owned(), None);
        if let Some(inner) = expression.strip_prefix('[') {
            let (low, high) = inner.split_once(',').unwrap();
            let high = high.trim();
            return (low.trim().to_owned(), Some((high.trim_end_matches([')', ']']).to_owned(), high.ends_with(']'))));
        }
        for part in expression.split(',').map(str::trim) {
            let number = part.trim_start_matches(['<', '>', '=', ' ']).to_owned();
            match part.trim_end_matches(|ch: char| !"<>=".contains(ch)) {
                ">=" | ">" => from = number,
                "=" => (from, to) = (number.clone(), Some((number, true))),
                "<=" => to = Some((number, true)),
                "<" => to = Some((number, false)),
                other => panic!("`{other}` of `{expression}`"),
            }
        }
        (from, to)
    }

    fn compare(scheme: Scheme, left: &str, right: &str) -> Ordering {
        scheme.parse_event(left).unwrap().compare(&scheme.parse_event(right).unwrap()).unwrap()
    }

    /// Ranges of a row of a language.
    fn ranges(scheme: Scheme, row: &Value) -> Vec<Value> {
        let (patched, vulnerable) = (strings(&row["PatchedVersions"]), strings(&row["VulnerableVersions"]));
        if vulnerable.is_empty() {
            // Only what is patched is told: everything else is affected.
            let mut holes: Vec<_> = patched.iter().map(|text| bounds(text)).collect();
            holes.sort_by(|a, b| compare(scheme, &a.0, &b.0));
            let mut events = vec![json!({"introduced": "0"})];
            for (from, to) in holes {
                events.push(json!({"fixed": from}));
                events.extend(to.map(|(to, _)| json!({"introduced": to})));
            }
            return vec![json!({"type": "ECOSYSTEM", "events": events})];
        }
        let range = |expression: &&str| {
            let (from, to) = bounds(expression);
            let mut events = vec![json!({"introduced": from})];
            if let Some((to, is_inside)) = to {
                let mut above: Vec<&&str> = patched.iter().filter(|patched| compare(scheme, patched, &to) != Ordering::Less).collect();
                above.sort_by(|a, b| compare(scheme, a, b));
                events.push(match (is_inside, above.first()) {
                    (false, _) => json!({"fixed": to}),
                    (true, Some(fixed)) => json!({"fixed": fixed}),
                    (true, None) => json!({"last_affected": to}),
                });
            }
            json!({"type": "ECOSYSTEM", "events": events})
        };
        vulnerable.iter().map(range).collect()
    }

    /// Rows of one distribution, as ranges, the word for the state, and the CVEs.
    fn plain(fixed: Option<&str>) -> Vec<Value> {
        let mut events = vec![json!({"introduced": "0"})];
        events.extend(fixed.map(|fixed| json!({"fixed": fixed})));
        vec![json!({"type": "ECOSYSTEM", "events": events})]
    }

    /// The database as OSV records, by feed and id.
    fn records(database: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
        let mut feeds: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let mut add = |ecosystem: &str, name: &str, id: &str, ranges: Vec<Value>, cves: &[&str], state: Option<&str>| {
            let feed = ecosystem.split_once(':').map_or(ecosystem, |(feed, _)| feed);
            let record = feeds
                .entry(feed.to_owned())
                .or_default()
                .entry(id.to_owned())
                .or_insert_with(|| json!({"id": id, "upstream": cves, "affected": []}));
            let specific = state.map_or_else(|| json!({}), |state| json!({"urgency": state}));
            let entry = json!({"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, "ecosystem_specific": specific});
            record["affected"].as_array_mut().unwrap().push(entry);
        };
        // Buckets of packages of buckets of rows.
        for bucket in database["db"].as_object().unwrap().values().flat_map(|file| file.as_array().unwrap()) {
            let name = text(bucket, "bucket");
            for package in bucket["pairs"].as_array().unwrap().iter().filter(|package| package["pairs"].is_array()) {
                for row in package["pairs"].as_array().unwrap() {
                    let (id, value) = (row["key"].as_str().unwrap_or_default(), &row["value"]);
                    let (package, fixed) = (text(package, "bucket"), value["FixedVersion"].as_str());
                    if name == "Red Hat" {
                        for entry in value["Entries"].as_array().unwrap() {
                            let cves: Vec<&str> =
                                entry["Cves"].as_array().into_iter().flatten().filter_map(|cve| cve["ID"].as_str()).collect();
                            // The two CPEs that the fixture names; the others are numbers without a name.
                            for (number, cpe) in [(857, "6::server"), (869, "7::server")] {
                                if entry["Affected"].as_array().unwrap().contains(&json!(number)) {
                                    let ecosystem = format!("Red Hat:enterprise_linux:{cpe}");
                                    add(&ecosystem, package, id, plain(entry["FixedVersion"].as_str()), &cves, None);
                                }
                            }
                        }
                    } else if let Some(ecosystem) = ecosystem(name) {
                        let known = of_text(&ecosystem).unwrap();
                        if known.kind.is_os() {
                            let state = if value["Status"] == 7 { Some("end-of-life") } else { value["State"].as_str() };
                            add(&ecosystem, package, id, plain(fixed), &[], state);
                        } else {
                            add(&ecosystem, package, id, ranges(known.scheme, value), &[], None);
                        }
                    }
                }
            }
        }
        feeds
    }

    /// What the goldens call by its binary name, and the feeds by its source.
    fn source(name: &str) -> &str {
        match name {
            "libcrypto1.1" | "libssl1.1" => "openssl",
            "musl-utils" => "musl",
            "e2fslibs" | "libcomerr2" | "libcom-err2" | "libss2" | "libext2fs2" => "e2fsprogs",
            "libidn2-0" => "libidn2",
            name => name,
        }
    }

    fn kind(word: &str) -> Option<PackageKind> {
        Some(match word {
            "alma"
            | "amazon"
            | "opensuse-leap"
            | "opensuse-tumbleweed"
            | "redhat"
            | "rocky"
            | "centos"
            | "oracle"
            | "photon"
            | "cbl-mariner" => PackageKind::Rpm,
            "alpine" => PackageKind::Apk,
            "bun" | "npm" | "pnpm" | "yarn" => PackageKind::Npm,
            "cargo" => PackageKind::Cargo,
            "cocoapods" => PackageKind::Cocoapods,
            "composer" | "composer-vendor" => PackageKind::Composer,
            "conan" => PackageKind::Conan,
            "debian" | "ubuntu" => PackageKind::Deb,
            "dotnet-core" | "nuget" | "packages-props" => PackageKind::Nuget,
            "gemspec" => PackageKind::Gem,
            "gomod" => PackageKind::Golang,
            "gradle" | "jar" | "pom" | "sbt" => PackageKind::Maven,
            "hex" => PackageKind::Hex,
            "pip" | "pipenv" | "poetry" | "pylock" | "python-pkg" | "uv" => PackageKind::Pypi,
            "pub" => PackageKind::Pub,
            "swift" => PackageKind::Swift,
            _ => return None,
        })
    }

    fn distro<'a>(os: &'a Value, kind: PackageKind) -> Option<(&'static str, &'a str)> {
        let name = os["Name"].as_str().filter(|_| kind.is_os())?;
        // This image is of the rolling release, which calls itself by the coming one's number; the golden has what its repositories say.
        let name = if name == "3.16" { "3.16.0_alpha20220328" } else { name };
        Some(match os["Family"].as_str()? {
            "alma" => ("almalinux", name),
            "alpine" => ("alpine", name),
            "amazon" => ("amzn", if name.contains("2018") { "2018.03" } else { "2" }),
            "debian" => ("debian", name.split('.').next()?),
            "opensuse-leap" => ("opensuse-leap", name),
            "opensuse-tumbleweed" => ("opensuse-tumbleweed", name),
            "redhat" => ("rhel", name),
            "rocky" => ("rocky", name),
            "ubuntu" => ("ubuntu", name.get(..5)?),
            _ => ("of another kind", name),
        })
    }

    fn installed(kind: PackageKind, name: &str, version: &str) -> Package {
        match kind {
            PackageKind::Deb | PackageKind::Apk => built_from(kind, name, version, source(name), None),
            PackageKind::Rpm => built_from(kind, name, version, name, Some(version)),
            _ => package(kind, name, version),
        }
    }

    #[test]
    fn corpus_trivy_goldens_are_reproduced() {
        let Some(corpus) = corpus() else { return };
        let feeds: Vec<(String, Vec<String>)> = records(&read_json(&corpus.join("ground-truth/trivy-fixture-db.json")))
            .into_iter()
            .map(|(feed, records)| (feed, records.values().map(Value::to_string).collect()))
            .collect();
        let feeds: Vec<(&str, Vec<String>)> = feeds.iter().map(|(feed, records)| (feed.as_str(), records.clone())).collect();
        let (_folder, database) = database_of(&feeds);
        let (mut all, mut reproduced, mut explained, mut wrong) = (0, 0, BTreeMap::<&str, usize>::new(), Vec::new());
        let goldens = read_json(&corpus.join("ground-truth/trivy-goldens.json"));
        for golden in goldens["goldens"].as_array().unwrap() {
            for finding in golden["findings"].as_array().unwrap() {
                all += 1;
                let (of, id, name, version) =
                    (text(finding, "type"), text(finding, "id"), text(finding, "pkg"), text(finding, "installed"));
                let fixed = finding["fixed"].as_str().unwrap_or_default();
                let said = kind(of)
                    .map(|kind| match_inventory(&database, &inventory(distro(&golden["os"], kind), vec![installed(kind, name, version)])));
                let hit = said.iter().flat_map(|(observations, _)| observations).find(|o| o.id == id || o.aliases.contains(id));
                // Theirs is the list of all fixes, ours the lowest one above the installed version.
                let fixes: Vec<&str> = fixed.split(", ").map(|fix| fix.trim_start_matches(['>', '<', '=', ' '])).collect();
                let agrees = hit.is_some_and(|o| match finding["status"].as_str() {
                    Some("fixed") => o.fixed.iter().any(|fix| fixes.contains(&fix.as_str())),
                    _ => o.fixed.is_empty() && o.says_no_fix,
                });
                let reason = EXPLAINED.iter().find(|(word, _)| *word == of || *word == id);
                match (agrees, reason) {
                    (true, _) => reproduced += 1,
                    (false, Some((word, _))) => *explained.entry(word).or_default() += 1,
                    (false, None) => wrong.push(format!("{of} {id} {name} {version} fixed `{fixed}`: {said:?}")),
                }
            }
        }
        for (word, count) in &explained {
            println!("{count} {word}: {}", EXPLAINED.iter().find(|(known, _)| known == word).unwrap().1);
        }
        println!("goldens: {reproduced} of {all} findings reproduced");
        assert!(wrong.is_empty(), "{} of {all} not explained:\n{}", wrong.len(), wrong.join("\n"));
        assert!(reproduced >= 108, "{reproduced}");
    }
}
