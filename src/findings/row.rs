//! Inspector's rows, as ECR's enhanced view and as ListFindings write them, and what they say: one observation per package.
//! Shapes: `EnhancedImageScanFinding` of the ECR API, `Finding` of the Inspector API (<https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html>).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::{
    primitives::{DateTime, DateTimeFormat},
    types as ecr,
};
use aws_sdk_inspector2::types as inspector;

use crate::{
    findings::target::Target,
    model::{
        coverage::SourceId,
        evidence::{Observation, ObservedPackage, ObservedState},
        package::PackageKind,
        severity::{Rating, RatingAuthor, Severity},
    },
};

const MAX_TITLE: usize = 200;

/// Which of Inspector's two views a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// DescribeImageScanFindings on a registry with enhanced scanning.
    Ecr,
    /// ListFindings.
    Inspector,
}

impl View {
    const fn name(self) -> &'static str {
        match self {
            Self::Ecr => "ecr",
            Self::Inspector => "inspector",
        }
    }
}

/// One row of either view.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    arn: Option<&'a str>,
    id: Option<&'a str>,
    title: Option<&'a str>,
    description: Option<&'a str>,
    related: &'a [String],
    source: Option<&'a str>,
    source_url: Option<&'a str>,
    severity: Option<&'a str>,
    vendor_severity: Option<&'a str>,
    score: Option<f64>,
    score_vector: Option<&'a str>,
    cvss: Vec<(Option<&'a str>, f64, Option<&'a str>)>,
    status: Option<&'a str>,
    updated: Option<String>,
    fix_available: Option<&'a str>,
    exploit: Option<&'a str>,
    epss: Option<f64>,
    last_exploit: Option<String>,
    /// Image digests, or ARNs that end in one.
    resources: Vec<&'a str>,
    platform: Option<&'a str>,
    /// Push time, in seconds since 1970.
    pub(super) pushed_at: Option<i64>,
    packages: Vec<RowPackage<'a>>,
}

#[derive(Debug)]
struct RowPackage<'a> {
    name: &'a str,
    epoch: i32,
    version: &'a str,
    release: Option<&'a str>,
    arch: Option<&'a str>,
    manager: Option<&'a str>,
    path: Option<&'a str>,
    layer: Option<&'a str>,
    fixed: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// A row of ECR's enhanced view.
    pub(super) fn of_ecr(finding: &'a ecr::EnhancedImageScanFinding) -> Self {
        let details = finding.package_vulnerability_details();
        let images = || finding.resources().iter().filter_map(|resource| resource.details()?.aws_ecr_container_image());
        let score = finding.score_details().and_then(ecr::ScoreDetails::cvss);
        Self {
            arn: finding.finding_arn(),
            id: details.and_then(|details| details.vulnerability_id()),
            title: finding.title(),
            description: finding.description(),
            related: details.map(|details| details.related_vulnerabilities()).unwrap_or_default(),
            source: details.and_then(|details| details.source()),
            source_url: details.and_then(|details| details.source_url()),
            severity: finding.severity(),
            vendor_severity: details.and_then(|details| details.vendor_severity()),
            score: score.map(ecr::CvssScoreDetails::score).or_else(|| Some(finding.score()).filter(|score| *score > 0.0)),
            score_vector: score.and_then(ecr::CvssScoreDetails::scoring_vector),
            cvss: details
                .map(|details| details.cvss())
                .unwrap_or_default()
                .iter()
                .map(|cvss| (cvss.source(), cvss.base_score(), cvss.scoring_vector()))
                .collect(),
            status: finding.status(),
            updated: finding.updated_at().and_then(rfc3339),
            fix_available: finding.fix_available(),
            exploit: finding.exploit_available(),
            epss: None,
            last_exploit: None,
            resources: finding
                .resources()
                .iter()
                .filter_map(ecr::Resource::id)
                .chain(images().filter_map(|image| image.image_hash()))
                .collect(),
            platform: images().find_map(ecr::AwsEcrContainerImageDetails::platform),
            pushed_at: images().find_map(|image| image.pushed_at()).map(DateTime::secs),
            packages: details.map(|details| details.vulnerable_packages()).unwrap_or_default().iter().map(RowPackage::of_ecr).collect(),
        }
    }

    /// A row of ListFindings.
    pub(super) fn of_inspector(finding: &'a inspector::Finding) -> Self {
        let details = finding.package_vulnerability_details();
        let images = || finding.resources().iter().filter_map(|resource| resource.details()?.aws_ecr_container_image());
        let score = finding.inspector_score_details().and_then(|details| details.adjusted_cvss());
        Self {
            arn: Some(finding.finding_arn()),
            id: details.map(|details| details.vulnerability_id()),
            title: finding.title(),
            description: Some(finding.description()),
            related: details.map(|details| details.related_vulnerabilities()).unwrap_or_default(),
            source: details.map(|details| details.source()),
            source_url: details.and_then(|details| details.source_url()),
            severity: Some(finding.severity().as_str()),
            vendor_severity: details.and_then(|details| details.vendor_severity()),
            score: finding.inspector_score(),
            score_vector: score.map(|score| score.scoring_vector()),
            cvss: details
                .map(|details| details.cvss())
                .unwrap_or_default()
                .iter()
                .map(|cvss| (Some(cvss.source()), cvss.base_score(), Some(cvss.scoring_vector())))
                .collect(),
            status: Some(finding.status().as_str()),
            updated: finding.updated_at().and_then(rfc3339),
            fix_available: finding.fix_available().map(inspector::FixAvailable::as_str),
            exploit: finding.exploit_available().map(inspector::ExploitAvailable::as_str),
            epss: finding.epss().map(inspector::EpssDetails::score),
            last_exploit: finding.exploitability_details().and_then(|details| details.last_known_exploit_at()).and_then(rfc3339),
            resources: finding.resources().iter().map(|resource| resource.id()).chain(images().map(|image| image.image_hash())).collect(),
            platform: images().find_map(|image| image.platform()),
            pushed_at: images().find_map(|image| image.pushed_at()).map(DateTime::secs),
            packages: details
                .map(|details| details.vulnerable_packages())
                .unwrap_or_default()
                .iter()
                .map(RowPackage::of_inspector)
                .collect(),
        }
    }

    /// Whether the row is about another image: it names digests, and none is this image's.
    pub(super) fn is_of_another_image(&self, target: &Target) -> bool {
        let named: Vec<bool> = self.resources.iter().filter_map(|resource| target.is_me(resource)).collect();
        !named.is_empty() && !named.contains(&true)
    }

    /// One observation per package; one without a package when the row names none.
    pub(super) fn observations(&self, target: &Target, view: View) -> Vec<Observation> {
        let base = Observation {
            source: SourceId::Inspector,
            id: self.id.or(self.title).or(self.arn).unwrap_or("(no id)").to_owned(),
            aliases: self.related.iter().filter(|id| !id.is_empty()).cloned().collect(),
            title: self.description.or(self.title).and_then(first_line),
            package: None,
            ratings: self.ratings(),
            fixed: Vec::new(),
            says_no_fix: self.fix_available.is_some_and(|word| word.eq_ignore_ascii_case("NO")),
            state: self.state(),
            link: self.source_url.map(str::to_owned),
            updated: self.updated.clone(),
            attributes: self.attributes(view),
        };
        if self.packages.is_empty() {
            return vec![base];
        }
        let of_package = |package: &RowPackage<'_>| {
            let fixed: Vec<String> = package.fixed.and_then(fixed_version).into_iter().collect();
            let mut attributes = base.attributes.clone();
            for (key, value) in
                [("arch", package.arch), ("layer", package.layer), ("package_manager", package.manager), ("path", package.path)]
            {
                if let Some(value) = value {
                    attributes.insert(key.to_owned(), value.to_owned());
                }
            }
            let location = package.layer.zip(package.path).and_then(|(layer, path)| target.place(layer, path));
            Observation {
                says_no_fix: fixed.is_empty() && (base.says_no_fix || package.fixed.is_some()),
                fixed,
                attributes,
                package: Some(ObservedPackage {
                    kind: kind_of(package.manager, self.platform),
                    name: package.name.to_owned(),
                    version: compose(package.epoch, package.version, package.release),
                    locations: location.into_iter().collect(),
                    path: package.path.map(|path| path.trim_start_matches('/').to_owned()),
                }),
                ..base.clone()
            }
        };
        self.packages.iter().map(of_package).collect()
    }

    fn state(&self) -> ObservedState {
        match self.status {
            Some("SUPPRESSED") => ObservedState::Suppressed,
            Some("CLOSED") => ObservedState::Closed,
            // A word that we do not know must not hide anything.
            _ => ObservedState::Open,
        }
    }

    /// Inspector's own rating, the vendor's word and every CVSS score, each with its author.
    fn ratings(&self) -> Vec<Rating> {
        let mut ratings = BTreeSet::new();
        let os = self.packages.iter().any(|package| package.manager.is_none_or(|manager| manager == "OS"));
        if let Some(word) = self.severity {
            // A score beside a word that rates nothing is not Inspector's judgement.
            let rates = Severity::from_word(word) != Severity::Unknown;
            ratings.insert(Rating {
                author: RatingAuthor::Inspector,
                word: Some(word.to_owned()),
                vector: self.score_vector.filter(|_| rates).map(str::to_owned),
                score_tenths: self.score.filter(|_| rates).and_then(tenths),
            });
        }
        if let Some(word) = self.vendor_severity.filter(|word| !word.is_empty()) {
            let author = if os { RatingAuthor::Vendor } else { self.author(self.source.unwrap_or_default(), false) };
            ratings.insert(Rating { author, word: Some(word.to_owned()), vector: None, score_tenths: None });
        }
        for (source, score, vector) in &self.cvss {
            let author = self.author(source.unwrap_or_default(), os);
            ratings.insert(Rating { author, word: None, vector: vector.map(str::to_owned), score_tenths: tenths(*score) });
        }
        ratings.into_iter().collect()
    }

    /// Whose score it is: NIST's, GitHub's, or that of the distribution that the row is about.
    fn author(&self, source: &str, os: bool) -> RatingAuthor {
        let source = source.to_ascii_uppercase();
        if source.contains("NVD") || source.contains("NIST") || source.is_empty() {
            RatingAuthor::Nvd
        } else if source.contains("GITHUB") || source.contains("GHSA") {
            RatingAuthor::Ghsa
        } else if os && self.source.is_some_and(|own| own.eq_ignore_ascii_case(&source)) {
            RatingAuthor::Vendor
        } else {
            RatingAuthor::Nvd
        }
    }

    fn attributes(&self, view: View) -> BTreeMap<String, String> {
        let epss = self.epss.filter(|score| (0.0..=1.0).contains(score)).map(|score| score.to_string());
        let facts = [
            ("arn", self.arn.map(str::to_owned)),
            ("epss", epss),
            ("exploit", self.exploit.map(str::to_owned)),
            ("exploit_last_known_at", self.last_exploit.clone()),
            ("fix_available", self.fix_available.map(str::to_owned)),
            ("severity", self.severity.map(str::to_owned)),
            ("source", self.source.map(str::to_owned)),
            ("status", self.status.map(str::to_owned)),
            ("view", Some(view.name().to_owned())),
        ];
        facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

impl<'a> RowPackage<'a> {
    fn of_ecr(package: &'a ecr::VulnerablePackage) -> Self {
        Self {
            name: package.name().unwrap_or_default(),
            epoch: package.epoch().unwrap_or_default(),
            version: package.version().unwrap_or_default(),
            release: package.release(),
            arch: package.arch(),
            manager: package.package_manager(),
            path: package.file_path(),
            layer: package.source_layer_hash(),
            fixed: package.fixed_in_version(),
        }
    }

    fn of_inspector(package: &'a inspector::VulnerablePackage) -> Self {
        Self {
            name: package.name(),
            epoch: package.epoch(),
            version: package.version(),
            release: package.release(),
            arch: package.arch(),
            manager: package.package_manager().map(inspector::PackageManager::as_str),
            path: package.file_path(),
            layer: package.source_layer_hash(),
            fixed: package.fixed_in_version(),
        }
    }
}

/// A time as RFC 3339 text.
pub(super) fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}

/// The first line of a text, shortened.
pub(super) fn first_line(text: &str) -> Option<String> {
    let line: String =
        text.lines().map(str::trim).find(|line| !line.is_empty())?.chars().filter(|ch| !ch.is_control()).take(MAX_TITLE).collect();
    Some(line)
}

/// `epoch:version-release`; an epoch of 0 is not written.
fn compose(epoch: i32, version: &str, release: Option<&str>) -> String {
    let epoch = if epoch > 0 { format!("{epoch}:") } else { String::new() };
    let release = release.filter(|release| !release.is_empty()).map(|release| format!("-{release}")).unwrap_or_default();
    format!("{epoch}{version}{release}")
}

/// A version that fixes, without an epoch of 0; `None` for the words that mean "none".
fn fixed_version(text: &str) -> Option<String> {
    let text = text.trim();
    let none = text.is_empty() || ["NotAvailable", "None Provided", "None"].iter().any(|word| text.eq_ignore_ascii_case(word));
    (!none).then(|| text.strip_prefix("0:").unwrap_or(text).to_owned())
}

/// A CVSS score in tenths; `None` outside 0 to 10.
fn tenths(score: f64) -> Option<u16> {
    (0.0..=10.0).contains(&score).then(|| format!("{:.0}", score * 10.0).parse().ok()).flatten()
}

/// The kind that a package manager and a platform stand for; `None` for words that we do not know.
fn kind_of(manager: Option<&str>, platform: Option<&str>) -> Option<PackageKind> {
    match manager? {
        "NPM" | "NODEPKG" | "YARN" | "PNPM" => Some(PackageKind::Npm),
        "PIP" | "PYTHONPKG" | "PIPENV" | "POETRY" => Some(PackageKind::Pypi),
        "JAR" | "POM" => Some(PackageKind::Maven),
        "GOMOD" | "GOBINARY" => Some(PackageKind::Golang),
        "BUNDLER" | "GEMSPEC" => Some(PackageKind::Gem),
        "CARGO" => Some(PackageKind::Cargo),
        "COMPOSER" => Some(PackageKind::Composer),
        "NUGET" | "DOTNET_CORE" => Some(PackageKind::Nuget),
        "OS" => {
            let platform = platform?.to_ascii_uppercase();
            let is = |words: &[&str]| words.iter().any(|word| platform.starts_with(word));
            if is(&["DEBIAN", "UBUNTU"]) {
                Some(PackageKind::Deb)
            } else if is(&["ALPINE", "WOLFI", "CHAINGUARD", "MINIMOS"]) {
                Some(PackageKind::Apk)
            } else if is(&[
                "AMAZON",
                "RHEL",
                "REDHAT",
                "RED_HAT",
                "CENTOS",
                "FEDORA",
                "ORACLE",
                "ROCKY",
                "ALMA",
                "SUSE",
                "SLES",
                "OPENSUSE",
                "PHOTON",
                "BOTTLEROCKET",
                "AZURE",
                "MARINER",
            ]) {
                Some(PackageKind::Rpm)
            } else {
                None
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_composed() {
        for (epoch, version, release, expected) in [
            (0, "2.38.1", Some("5+b1"), "2.38.1-5+b1"),
            (1, "1.2.13.dfsg", Some("1"), "1:1.2.13.dfsg-1"),
            (0, "2023.5.7", None, "2023.5.7"),
            (0, "2023.5.7", Some(""), "2023.5.7"),
        ] {
            assert_eq!(compose(epoch, version, release), expected);
        }
    }

    #[test]
    fn words_are_no_fixed_versions() {
        for text in ["", "NotAvailable", "None Provided", " none "] {
            assert_eq!(fixed_version(text), None, "{text}");
        }
        assert_eq!(fixed_version("0:2.38.1-5+deb12u1").as_deref(), Some("2.38.1-5+deb12u1"));
        assert_eq!(fixed_version("1:2.0").as_deref(), Some("1:2.0"));
    }

    #[test]
    fn scores_outside_the_scale_rate_nothing() {
        for (score, expected) in
            [(9.8, Some(98)), (10.0, Some(100)), (0.0, Some(0)), (-1.0, None), (10.1, None), (f64::NAN, None), (f64::INFINITY, None)]
        {
            assert_eq!(tenths(score), expected, "{score}");
        }
    }
}
