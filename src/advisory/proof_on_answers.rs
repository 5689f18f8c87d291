//! Recorded answers of a public matcher, all ecosystems of them, against ours over the corpus: every difference is one that is explained there
//! (advisories.md B2), or one of the few that were settled by hand here.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use crate::{
        advisory::{
            Database, build,
            ecosystem::{of_text, shard_name},
            matcher::match_inventory,
            proof::tests::{built_from, inventory, now, package},
            proof_on_corpus::{corpus, json},
        },
        model::package::{Package, PackageKind},
    };

    /// Query, record, and why we say something else than the explanation does.
    const SETTLED: &[(usize, &str, &str)] = &[(
        94,
        "UBUNTU-CVE-2016-20013",
        "asked as Ubuntu:22.04; an image that calls itself 22.04 is the release Ubuntu:22.04:LTS, which has the row, and the recorded answer has it, too",
    )];

    /// The question as a distribution and a package, or why it is none.
    fn asked(query: &Value) -> Result<(Option<(&'static str, String)>, Package), &'static str> {
        let (Some(ecosystem), Some(name), Some(version)) =
            (query["package"]["ecosystem"].as_str(), query["package"]["name"].as_str(), query["version"].as_str())
        else {
            return Err("by commit");
        };
        let (base, release) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
        let deb = || package(PackageKind::Deb, name, version);
        Ok(match base {
            "Alpine" => (
                Some(("alpine", release.trim_start_matches('v').to_owned() + ".0")),
                built_from(PackageKind::Apk, name, version, name, None),
            ),
            "Debian" => (Some(("debian", release.to_owned())), deb()),
            "Ubuntu" => (Some(("ubuntu", release.trim_end_matches(":LTS").to_owned())), deb()),
            "openSUSE" => {
                let leap = release.trim_start_matches("Leap ").to_owned();
                (Some(("opensuse-leap", leap)), built_from(PackageKind::Rpm, name, version, name, Some(version)))
            }
            "GIT" => return Err("by commit"),
            language => {
                let kind = of_text(language).map(|ecosystem| ecosystem.kind);
                (None, package(kind.unwrap_or_else(|| panic!("{language} is not known")), name, version))
            }
        })
    }

    fn is_covered(database: &Database, ecosystem: &str) -> bool {
        [ecosystem.to_owned(), format!("{ecosystem}:LTS")].iter().any(|text| shard_name(text).is_some() && database.shard(text).is_some())
    }

    #[test]
    fn corpus_recorded_answers_are_explained() {
        let Some(corpus) = corpus() else { return };
        let out = tempfile::tempdir().unwrap();
        build(&corpus.join("sample"), out.path(), now()).unwrap();
        let database = Database::open(out.path()).unwrap();
        let answers = json(&corpus.join("ground-truth/osv-api-answers.json"));
        let explained = json(&corpus.join("ground-truth/osv-api-explained.json"));
        let set = |value: &Value| -> BTreeSet<String> {
            value.as_array().into_iter().flatten().map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        let reasons = |value: &Value| -> BTreeMap<String, String> {
            value.as_object().into_iter().flatten().map(|(id, reason)| (id.clone(), reason.as_str().unwrap().to_owned())).collect()
        };
        let rows: BTreeMap<u64, &Value> =
            explained["rows"].as_array().unwrap().iter().map(|row| (row["query"].as_u64().unwrap(), row)).collect();
        let (mut counts, mut wrong) = (BTreeMap::<String, usize>::new(), Vec::new());
        let mut count = |what: &str, many: usize| *counts.entry(what.to_owned()).or_default() += many;
        for (number, answer) in answers.as_array().unwrap().iter().enumerate() {
            let query = &answer["query"];
            let (distro, subject) = match asked(query) {
                Ok(asked) => asked,
                Err(_) => {
                    count("skipped: by commit", 1);
                    continue;
                }
            };
            count("queries", 1);
            let distro = distro.as_ref().map(|(id, version)| (*id, version.as_str()));
            let (observations, gaps) = match_inventory(&database, &inventory(distro, vec![subject]));
            let ours: BTreeSet<String> = observations.iter().map(|o| o.attributes["advisory"].clone()).collect();
            let theirs = set(&answer["vulns"]);
            let row = rows.get(&(number as u64)).copied().unwrap_or(&Value::Null);
            let (mut found, mut absent, extra) = (set(&row["found"]), reasons(&row["absent"]), reasons(&row["extra"]));
            for (_, id, _) in SETTLED.iter().filter(|(query, ..)| *query == number) {
                count("settled by hand", 1);
                absent.remove(*id);
                found.insert((*id).to_owned());
            }
            let label = format!("{number} {} {} {}", query["package"]["ecosystem"], query["package"]["name"], query["version"]);
            count("found in both", ours.intersection(&theirs).count());
            count("extra", ours.difference(&theirs).count());
            for (id, reason) in &absent {
                count(&format!("absent: {}", reason.split(" for ").next().unwrap()), 1);
                if ours.contains(id) {
                    wrong.push(format!("{label}: {id} is found, and {reason}"));
                }
            }
            let agreed: BTreeSet<String> = ours.intersection(&theirs).cloned().collect();
            let ours_alone: BTreeSet<String> = ours.difference(&theirs).cloned().collect();
            let alone: BTreeSet<String> = extra.into_keys().collect();
            if agreed != found || ours_alone != alone {
                wrong.push(format!("{label}: found {ours:?}, wanted {found:?} and {}", row["extra"]));
            }
            // An ecosystem or release that is not covered is a Gap, one that is covered is none.
            let covered = is_covered(&database, query["package"]["ecosystem"].as_str().unwrap());
            count(if covered { "asked of what is covered" } else { "asked of what is not covered" }, 1);
            // That a release is past its end is told, and is another matter than not being covered.
            let kinds: BTreeSet<&str> = gaps.iter().map(|gap| gap.kind).collect();
            let expected: BTreeSet<&str> = if covered { BTreeSet::new() } else { BTreeSet::from(["no-advisories"]) };
            if kinds != expected {
                wrong.push(format!("{label}: {gaps:?}"));
            }
        }
        println!("recorded answers: {counts:#?}");
        assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
        let number = |what: &str| counts.get(what).copied().unwrap_or(0);
        assert_eq!((number("queries"), number("found in both"), number("extra"), number("skipped: by commit")), (957, 442, 61, 14));
        assert_eq!((number("absent: not in the corpus"), number("absent: the corpus copy has no row")), (721, 6));
    }
}
