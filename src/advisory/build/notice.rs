//! Licence notices that travel in shards (advisories.md D7): whom the records are from, under which terms, and that we changed their form.

/// The notice of an ecosystem, by its OSV name; `None` where nobody states terms.
pub(in crate::advisory) fn notice(ecosystem: &str) -> Option<&'static str> {
    Some(match ecosystem {
        "AlmaLinux" => "AlmaLinux errata (https://errata.almalinux.org), MIT licence; compiled into another form",
        "Bitnami" => "Bitnami vulnerability database (https://github.com/bitnami/vulndb), Apache-2.0; compiled into another form",
        "CRAN" => "R advisory database (https://github.com/RConsortium/r-advisory-database), Apache-2.0; compiled into another form",
        "Chainguard" | "Wolfi" => {
            "Chainguard security advisories, CC-BY-NC-ND-4.0, and a licence of their own for commercial scanners; built on this machine for this machine, not to be passed on"
        }
        "Go" => {
            "Go vulnerability database (https://pkg.go.dev/vuln, CC-BY-4.0) and GitHub Advisory Database (https://github.com/advisories, CC-BY-4.0); compiled into another form"
        }
        "Hackage" => "Haskell security advisories (https://github.com/haskell/security-advisories), CC0-1.0",
        "Hex" | "Maven" | "NuGet" | "Packagist" | "Pub" | "RubyGems" | "SwiftURL" | "npm" => {
            "GitHub Advisory Database (https://github.com/advisories), CC-BY-4.0; records with MAL- ids: OpenSSF malicious packages (https://github.com/ossf/malicious-packages), Apache-2.0; compiled into another form"
        }
        "PyPI" => {
            "Python Packaging Advisory Database (https://github.com/pypa/advisory-database, CC-BY-4.0), PSF advisories (CC-BY-4.0) and GitHub Advisory Database (https://github.com/advisories, CC-BY-4.0); records with MAL- ids: OpenSSF malicious packages (Apache-2.0); compiled into another form"
        }
        "Red Hat" => "Red Hat security data (https://access.redhat.com/security/data), CC-BY-4.0; compiled into another form",
        "Rocky Linux" => "Rocky Linux errata (https://errata.rockylinux.org), BSD-3-Clause; compiled into another form",
        "SUSE" | "openSUSE" => "SUSE security data (https://www.suse.com/support/security), CC-BY-4.0; compiled into another form",
        "Ubuntu" => {
            "Ubuntu security notices and CVE data (https://github.com/canonical/ubuntu-security-notices), CC-BY-SA-4.0; compiled into another form; this shard as a whole is under CC-BY-SA-4.0, and whoever passes it on does so under the same terms"
        }
        "crates.io" => {
            "RustSec advisory database (https://rustsec.org, CC0-1.0; imported GitHub advisories CC-BY-4.0); compiled into another form"
        }
        "EPSS" => "EPSS scores by FIRST (https://www.first.org/epss); whoever uses them is asked to cite FIRST",
        "KEV" => "CISA catalogue of known exploited vulnerabilities (https://www.cisa.gov/kev), CC0-1.0",
        _ => return None,
    })
}
