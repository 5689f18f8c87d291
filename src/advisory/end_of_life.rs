//! When the support of a release ends, for the coverage table. In: an OSV ecosystem string; out: the last day. The dates are those of
//! [`crate::model::end_of_life`]; paid support is another matter, and its ecosystems have no day here.

use jiff::civil::Date;

use crate::model::end_of_life::{Supported, last_day};

/// The last day of free security support of the release that an ecosystem string names; `None` for languages, and when it is not known.
#[must_use]
pub fn of_text(text: &str) -> Option<Date> {
    let (ecosystem, release) = text.split_once(':')?;
    let (id, release) = match ecosystem {
        "AlmaLinux" => ("almalinux", release.to_owned()),
        "Alpine" => ("alpine", release.strip_prefix('v')?.to_owned()),
        "Amazon Linux" => ("amzn", if release == "1" { "2018" } else { release }.to_owned()),
        "Debian" => ("debian", release.to_owned()),
        "Red Hat" => ("rhel", release.strip_prefix("enterprise_linux:")?.split([':', '.']).next()?.to_owned()),
        "Rocky Linux" => ("rocky", release.to_owned()),
        "SUSE" => ("sles", suse(release.strip_prefix("Linux Enterprise Server ")?)?),
        // Certified and extended versions name themselves before the release.
        "Ubuntu" => ("ubuntu", release.strip_suffix(":LTS").unwrap_or(release).to_owned()),
        "openSUSE" => ("opensuse-leap", release.strip_prefix("Leap ")?.to_owned()),
        _ => return None,
    };
    last_day(Supported::Distribution, id, &release)?.parse().ok()
}

/// `15 SP5` is 15.5, the first one has no service pack.
fn suse(release: &str) -> Option<String> {
    let (major, pack) = release.split_once(" SP").unwrap_or((release, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match major.contains('.') {
        true => digits(major).then(|| major.to_owned()),
        false => (digits(major) && digits(pack)).then(|| format!("{major}.{pack}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_the_day_of_their_distribution() {
        for (text, expected) in [
            ("Debian:12", Some("2028-06-30")),
            ("Alpine:v3.20", Some("2026-04-01")),
            ("Alpine:edge", None),
            ("Amazon Linux:1", Some("2023-12-31")),
            ("Amazon Linux:2", Some("2026-06-30")),
            ("SUSE:Linux Enterprise Server 15 SP5", Some("2024-12-31")),
            ("AlmaLinux:8", Some("2029-05-31")),
            ("Ubuntu:Pro:18.04:LTS", None),
            ("npm", None),
            ("Debian:99", None),
        ] {
            assert_eq!(of_text(text).map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
        assert!(of_text("Ubuntu:22.04:LTS").is_some() && of_text("Red Hat:enterprise_linux:8::appstream").is_some());
        assert!(of_text("openSUSE:Leap 15.5").is_some() && of_text("Rocky Linux:9").is_some());
    }
}
