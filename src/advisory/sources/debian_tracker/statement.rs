//! The tracker's JSON: package, then problem, then release. In: the file as a stream; out: one statement for each of the three, sorted by problem. What
//! stands in a place that is not known is passed over; a state that is not known is kept as such.

use std::{collections::BTreeMap, fmt, io::Read};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Statements of one file; the published one has some hundred thousand.
const MAX_STATEMENTS: usize = 20_000_000;
/// Descriptions are cut here, in characters.
const MAX_DESCRIPTION: usize = 4000;

/// Everything that the tracker says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tracker {
    /// Sorted by problem, package and release.
    pub(super) statements: Vec<Statement>,
    /// What a problem is about.
    pub(super) descriptions: BTreeMap<String, String>,
}

/// What the tracker says about one problem in one package of one release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Statement {
    /// `CVE-2026-90001`, or the tracker's own `TEMP-...`.
    pub(super) problem: String,
    /// The source package.
    pub(super) package: String,
    /// `12`.
    pub(super) release: &'static str,
    pub(super) state: State,
    /// The tracker's word; `not yet assigned` is none.
    pub(super) urgency: Option<String>,
}

/// How a problem stands in a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It never had the problem.
    NotAffected,
    /// Nobody has found out yet.
    Undetermined,
    /// Affected and not fixed; why there is no advisory for it: `no-dsa`, `postponed`, `ignored`.
    Open(Option<&'static str>),
    /// Affected, and the package is not looked after any more.
    EndOfLife,
    /// Fixed in this version.
    Fixed(String),
    /// A word that this version does not know, as written.
    Unknown(String),
}

/// Codenames and their releases: <https://wiki.debian.org/DebianReleases>.
const RELEASES: &[(&str, &str)] = &[
    ("bookworm", "12"),
    ("bullseye", "11"),
    ("buster", "10"),
    ("duke", "15"),
    ("etch", "4.0"),
    ("forky", "14"),
    ("jessie", "8"),
    ("lenny", "5.0"),
    ("sarge", "3.1"),
    ("squeeze", "6.0"),
    ("stretch", "9"),
    ("trixie", "13"),
    ("wheezy", "7"),
];

/// Reads the whole file.
pub(super) fn read(input: impl Read) -> Result<Tracker, String> {
    let mut read = serde_json::Deserializer::from_reader(input);
    let Document(mut tracker) = Document::deserialize(&mut read).map_err(|error| error.to_string())?;
    read.end().map_err(|error| error.to_string())?;
    if tracker.statements.is_empty() {
        return Err("the file says nothing about any release".to_owned());
    }
    tracker.statements.sort_unstable();
    tracker.statements.dedup();
    Ok(tracker)
}

struct Document(Tracker);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Packages;
        impl<'de> Visitor<'de> for Packages {
            type Value = Tracker;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a member for each source package")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tracker, A::Error> {
                let mut tracker = Tracker::default();
                while let Some(package) = map.next_key::<String>()? {
                    let OrList(problems) = map.next_value::<OrList<Problem>>()?;
                    for (problem, entry) in problems {
                        tracker.add(&package, problem, entry).map_err(serde::de::Error::custom)?;
                    }
                }
                Ok(tracker)
            }
        }
        deserializer.deserialize_map(Packages).map(Self)
    }
}

#[derive(Deserialize)]
struct Problem {
    description: Option<String>,
    releases: Option<OrList<Release>>,
}

#[derive(Deserialize)]
struct Release {
    status: Option<String>,
    fixed_version: Option<String>,
    urgency: Option<String>,
    nodsa: Option<String>,
    nodsa_reason: Option<String>,
}

/// An object, which the tracker writes as an empty list when it has no members.
struct OrList<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, or an empty list in its place")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    members.insert(key, value);
                }
                Ok(members)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(BTreeMap::new()),
                    Some(_) => Err(serde::de::Error::custom("a list that is not empty in the place of an object")),
                }
            }
        }
        deserializer.deserialize_any(Members(std::marker::PhantomData)).map(Self)
    }
}

impl Tracker {
    fn add(&mut self, package: &str, problem: String, entry: Problem) -> Result<(), String> {
        for (codename, release) in entry.releases.map(|OrList(releases)| releases).unwrap_or_default() {
            // `sid` has no number, and a release that is younger than this program has no image that it knows.
            let Some((_, number)) = RELEASES.iter().find(|(name, _)| *name == codename) else { continue };
            if self.statements.len() == MAX_STATEMENTS {
                return Err("too many statements".to_owned());
            }
            self.statements.push(Statement {
                problem: problem.clone(),
                package: package.to_owned(),
                release: number,
                urgency: release.urgency(),
                state: release.state(),
            });
        }
        if let Some(text) = entry.description.filter(|text| !text.is_empty()) {
            self.descriptions.entry(problem).or_insert_with(|| text.chars().take(MAX_DESCRIPTION).collect());
        }
        Ok(())
    }
}

impl Release {
    fn state(&self) -> State {
        let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        match (self.status.as_deref(), self.fixed_version.as_deref()) {
            // Fixed in version 0 is the tracker's way to say that the release was never affected.
            (Some("resolved"), Some("0")) => State::NotAffected,
            (Some("resolved"), Some(version)) if !version.is_empty() => State::Fixed(version.to_owned()),
            (Some("undetermined"), _) => State::Undetermined,
            (Some("open"), _) if self.urgency.as_deref() == Some("end-of-life") => State::EndOfLife,
            (Some("open"), _) if said(&self.nodsa) || said(&self.nodsa_reason) => State::Open(Some(match self.nodsa_reason.as_deref() {
                Some("postponed") => "postponed",
                Some("ignored") => "ignored",
                _ => "no-dsa",
            })),
            (Some("open"), _) => State::Open(None),
            (word, _) => State::Unknown(word.unwrap_or_default().chars().take(40).collect()),
        }
    }

    /// Stars mark what was set by hand or by rule, which says nothing about the problem.
    fn urgency(&self) -> Option<String> {
        let word = self.urgency.as_deref()?.trim_end_matches('*');
        (!matches!(word, "" | "not yet assigned")).then(|| word.chars().take(40).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(release: &str) -> Statement {
        let text = format!(r#"{{"keel":{{"CVE-2026-90001":{{"scope":"local","debianbug":1,"releases":{{"bookworm":{release}}}}}}}}}"#);
        let mut tracker = read(text.as_bytes()).unwrap();
        tracker.statements.pop().unwrap()
    }

    #[test]
    fn states_are_those_of_the_tracker() {
        for (release, state, urgency) in [
            (r#"{"status":"resolved","fixed_version":"1-2","urgency":"high**"}"#, State::Fixed("1-2".to_owned()), Some("high")),
            (r#"{"status":"resolved","fixed_version":"0","urgency":"unimportant"}"#, State::NotAffected, Some("unimportant")),
            (r#"{"status":"undetermined","urgency":"not yet assigned"}"#, State::Undetermined, None),
            (r#"{"status":"open","urgency":"end-of-life"}"#, State::EndOfLife, Some("end-of-life")),
            (r#"{"status":"open","nodsa":"Minor issue","nodsa_reason":""}"#, State::Open(Some("no-dsa")), None),
            (r#"{"status":"open","nodsa":"Minor","nodsa_reason":"postponed"}"#, State::Open(Some("postponed")), None),
            (r#"{"status":"open","nodsa":"Minor","nodsa_reason":"ignored"}"#, State::Open(Some("ignored")), None),
            (r#"{"status":"open","nodsa":null,"repositories":{"bookworm":"1-1"}}"#, State::Open(None), None),
            (r#"{"status":"resolved"}"#, State::Unknown("resolved".to_owned()), None),
            (r#"{"status":"pondered"}"#, State::Unknown("pondered".to_owned()), None),
            ("{}", State::Unknown(String::new()), None),
        ] {
            let statement = one(release);
            assert_eq!((statement.state, statement.urgency.as_deref(), statement.release), (state, urgency, "12"), "{release}");
        }
    }

    #[test]
    fn releases_are_numbers_and_empty_lists_are_nothing() {
        let text = r#"{"a":{"CVE-2026-1":{"releases":[]},"CVE-2026-2":{"description":"d","releases":{"sid":{"status":"open"},"ark":{"status":"open"},
            "trixie":{"status":"open"}}}},"b":[]}"#;
        let tracker = read(text.as_bytes()).unwrap();
        assert_eq!(tracker.statements.iter().map(|said| said.release).collect::<Vec<_>>(), ["13"]);
        assert_eq!(tracker.descriptions["CVE-2026-2"], "d");
    }

    #[test]
    fn what_is_cut_or_something_else_is_an_error() {
        for text in
            ["", "[]", "{}", r#"{"a":{"CVE-2026-1":{"releases":{"sid":{"status":"open"}}}}}"#, r#"{"a":[1]}"#, r#"{"a":{"C"#, "{}{}"]
        {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
