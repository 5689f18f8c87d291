//! A distribution in, the last day of its free security support out. Data of 2026-11, from the distributions' own release pages:
//! <https://wiki.debian.org/LTS>, <https://alpinelinux.org/releases/>, <https://ubuntu.com/about/release-cycle>,
//! <https://aws.amazon.com/amazon-linux-2/faqs/>, <https://wiki.almalinux.org/release-notes/>, <https://wiki.rockylinux.org/rocky/version/>.

use crate::model::package::Distro;

/// `ID`, release, last day as an ISO 8601 date. Debian with its long-term support, which its advisories cover.
const LAST_DAYS: &[(&str, &str, &str)] = &[
    ("almalinux", "8", "2029-05-31"),
    ("almalinux", "9", "2032-05-31"),
    ("almalinux", "10", "2035-05-31"),
    ("alpine", "3.10", "2021-05-01"),
    ("alpine", "3.11", "2021-11-01"),
    ("alpine", "3.12", "2022-05-01"),
    ("alpine", "3.13", "2022-11-01"),
    ("alpine", "3.14", "2023-05-01"),
    ("alpine", "3.15", "2023-11-01"),
    ("alpine", "3.16", "2024-05-23"),
    ("alpine", "3.17", "2024-11-22"),
    ("alpine", "3.18", "2025-05-09"),
    ("alpine", "3.19", "2025-11-01"),
    ("alpine", "3.20", "2026-04-01"),
    ("alpine", "3.21", "2026-11-01"),
    ("alpine", "3.22", "2027-05-01"),
    ("amzn", "2", "2026-06-30"),
    ("amzn", "2023", "2029-06-30"),
    ("debian", "8", "2020-06-30"),
    ("debian", "9", "2022-06-30"),
    ("debian", "10", "2024-06-30"),
    ("debian", "11", "2026-08-31"),
    ("debian", "12", "2028-06-30"),
    ("debian", "13", "2030-06-30"),
    ("rocky", "8", "2029-05-31"),
    ("rocky", "9", "2032-05-31"),
    ("ubuntu", "16.04", "2021-04-30"),
    ("ubuntu", "18.04", "2023-05-31"),
    ("ubuntu", "20.04", "2025-05-31"),
    ("ubuntu", "22.04", "2027-06-01"),
    ("ubuntu", "24.04", "2029-05-31"),
];

/// The last day of free security support, as an ISO 8601 date; `None` when this version does not know it.
#[must_use]
pub fn last_day(distro: &Distro) -> Option<&'static str> {
    let version = distro.version_id.as_deref()?;
    let mut parts = version.split('.');
    let major = parts.next().unwrap_or_default();
    let release = match distro.id.as_str() {
        "alpine" | "ubuntu" => format!("{major}.{}", parts.next()?),
        _ => major.to_owned(),
    };
    LAST_DAYS.iter().find(|(id, known, _)| *id == distro.id && *known == release).map(|(_, _, day)| *day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_known_by_their_own_numbers() {
        let check =
            |id: &str, version: &str| last_day(&Distro { id: id.to_owned(), version_id: Some(version.to_owned()), ..Distro::default() });
        assert_eq!(check("alpine", "3.10.9"), Some("2021-05-01"));
        assert_eq!(check("alpine", "3.1"), None);
        assert_eq!(check("debian", "12"), Some("2028-06-30"));
        assert_eq!(check("almalinux", "8.10"), Some("2029-05-31"));
        assert_eq!(check("debian", "sid"), None);
        assert!(LAST_DAYS.iter().all(|(_, _, day)| day.parse::<jiff::civil::Date>().is_ok()));
    }
}
