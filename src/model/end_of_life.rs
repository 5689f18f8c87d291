//! The last day of free security support of distributions and runtimes. In: what it is, its id and its release; out: the day. The data is a dated
//! file, `end_of_life.tsv`; what is not in it is not known.

/// The table, with its date and sources.
const DATA: &str = include_str!("end_of_life.tsv");

/// What a row of the table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supported {
    /// A distribution, by the `ID` of its os-release.
    Distribution,
    /// A runtime, by a name of our own: `go`, `node`, `openjdk` ...
    Runtime,
}

/// The last day of free security support, as an ISO 8601 date; `None` when this version does not know it.
#[must_use]
pub fn last_day(what: Supported, id: &str, release: &str) -> Option<&'static str> {
    let what = match what {
        Supported::Distribution => "distro",
        Supported::Runtime => "runtime",
    };
    rows().find(|row| row.get(..3) == Some(&[what, id, release])).and_then(|row| row.get(3).copied())
}

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    DATA.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_dated_and_legal() {
        assert!(DATA.contains("\n# Data of 20"), "says of when it is");
        let mut seen = std::collections::BTreeSet::new();
        for row in rows() {
            let [what, id, release, day] = row.as_slice() else { panic!("{row:?}") };
            assert!(matches!(*what, "distro" | "runtime") && day.parse::<jiff::civil::Date>().is_ok(), "{row:?}");
            assert!(seen.insert((*what, *id, *release)), "{row:?} twice");
        }
        assert_eq!(last_day(Supported::Distribution, "debian", "12"), Some("2028-06-30"));
        assert_eq!(last_day(Supported::Runtime, "debian", "12"), None);
    }
}
