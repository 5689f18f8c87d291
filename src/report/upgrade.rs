//! `Upgrade`: per package the version to move to and how many violations that clears; from the violations of a report.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::model::{
    coverage::{Gap, SourceId},
    finding::FindingKind,
    fix::{FixKind, FixRecord, FixSummary},
    location::Location,
    report::ScanReport,
    verdict::{Effect, JudgedFinding},
};

/// One package to move to another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upgrade<'a> {
    /// Names of the packages that move together: same installed version and same goal.
    pub(crate) names: Vec<&'a str>,
    /// Installed version.
    pub(crate) installed: &'a str,
    /// The highest of the fixed versions that its violations name.
    pub(crate) to: &'a str,
    /// How many violations that clears.
    pub(crate) clears: usize,
    /// Whether the distribution's package manager does it.
    pub(crate) os: bool,
}

/// What to do about the violations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Advice<'a> {
    /// Upgrades, those that clear the most first.
    pub(crate) upgrades: Vec<Upgrade<'a>>,
    /// Package violations for which no source names a fixed version.
    pub(crate) without_fix: usize,
    /// Rules to mend, with their numbers of violations.
    pub(crate) rules: BTreeMap<&'a str, usize>,
    /// Exceptions of the policy to mend.
    pub(crate) exceptions: usize,
    /// How many findings, violations or not, `lint --fix` mends.
    pub(crate) mended: usize,
}

impl<'a> Advice<'a> {
    pub(crate) fn of(report: &'a ScanReport) -> Self {
        let mut advice = Self { mended: mended(report), ..Self::default() };
        let mut goals: BTreeMap<(&str, &str), (&str, usize, bool)> = BTreeMap::new();
        for judged in violations(report) {
            let finding = &judged.finding;
            match (&finding.kind, &finding.package) {
                (FindingKind::Vulnerability, Some(package)) => {
                    match finding.fixed.iter().map(String::as_str).max_by(|a, b| natural_order(a, b)) {
                        Some(fixed) => {
                            let os = package.kind.is_some_and(crate::model::package::PackageKind::is_os);
                            let goal = goals.entry((&package.name, &package.version)).or_insert((fixed, 0, os));
                            if natural_order(fixed, goal.0).is_gt() {
                                goal.0 = fixed;
                            }
                            goal.1 += 1;
                        }
                        None => advice.without_fix += 1,
                    }
                }
                (FindingKind::Vulnerability, None) => advice.without_fix += 1,
                (FindingKind::Rule(_), _) => *advice.rules.entry(finding.id.as_str()).or_default() += 1,
                (FindingKind::Exception, _) => advice.exceptions += 1,
            }
        }
        let mut together: BTreeMap<(&str, &str, bool), (Vec<&str>, usize)> = BTreeMap::new();
        for ((name, installed), (to, clears, os)) in goals {
            // OS packages of one source move together; language packages of the same version only look alike.
            let key = (installed, to, os);
            if os {
                let entry = together.entry(key).or_default();
                entry.0.push(name);
                entry.1 += clears;
            } else {
                advice.upgrades.push(Upgrade { names: vec![name], installed, to, clears, os });
            }
        }
        advice.upgrades.extend(together.into_iter().map(|((installed, to, os), (names, clears))| Upgrade {
            names,
            installed,
            to,
            clears,
            os,
        }));
        advice
            .upgrades
            .sort_by(|a, b| b.clears.cmp(&a.clears).then_with(|| a.names.cmp(&b.names)).then_with(|| a.installed.cmp(b.installed)));
        advice
    }
}

/// Counts the findings that `lint --fix` mends: those with a safe fix that no exception covers and that this run did not withhold already. Of
/// a file that was not looked at whole it mends none.
fn mended(report: &ScanReport) -> usize {
    let is_safe = |fix: &FixRecord| fix.kind == FixKind::Safe;
    let is_tried =
        |summary: &&FixSummary| summary.applied.iter().any(is_safe) || summary.withheld.iter().any(|withheld| is_safe(&withheld.fix));
    let tried: BTreeSet<&str> = report.fixes.iter().filter(is_tried).map(|summary| summary.file.as_str()).collect();
    let is_cut = |gap: &&Gap| gap.source == SourceId::Dockerfile && gap.kind == "too-large";
    let cut: BTreeSet<&str> = report.verdict.gaps.iter().map(|judged| &judged.gap).filter(is_cut).map(|gap| gap.subject.as_str()).collect();
    let is_left = |file: &str| !tried.contains(file) && !cut.contains(file);
    let mends = |judged: &&JudgedFinding| {
        let is_mendable = judged.finding.fix.as_ref().is_some_and(|fix| fix.kind == FixKind::Safe)
            && !matches!(judged.decision.effect, Effect::Accepted | Effect::Suppressed);
        is_mendable && judged.finding.locations.iter().any(|place| matches!(place, Location::Dockerfile(span) if is_left(&span.file)))
    };
    report.verdict.findings.iter().filter(mends).count()
}

fn violations(report: &ScanReport) -> impl Iterator<Item = &JudgedFinding> {
    report.verdict.findings.iter().filter(|judged| judged.decision.effect == Effect::Violation)
}

/// Orders two fixed versions of one package for display: digits by value, `~` before the end, pre-release words before nothing.
/// Only chooses among versions that sources named as fixed; it never decides whether a package is affected.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let (epoch_a, rest_a) = epoch(a);
    let (epoch_b, rest_b) = epoch(b);
    epoch_a.cmp(&epoch_b).then_with(|| {
        let (mut left, mut right) = (tokens(rest_a).into_iter(), tokens(rest_b).into_iter());
        loop {
            match (left.next(), right.next()) {
                (None, None) => return a.cmp(b),
                (one, other) => {
                    let order = rank(one.as_ref()).cmp(&rank(other.as_ref())).then_with(|| compare(one.as_ref(), other.as_ref()));
                    if order != Ordering::Equal {
                        return order;
                    }
                }
            }
        }
    })
}

fn epoch(version: &str) -> (u64, &str) {
    version.split_once(':').and_then(|(epoch, rest)| Some((epoch.parse().ok()?, rest))).unwrap_or((0, version))
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Tilde,
    Word(&'a str),
    Number(&'a str),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'~' => 2,
        byte if byte.is_ascii_alphabetic() || !byte.is_ascii() => 3,
        _ => 0,
    };
    text.as_bytes()
        .chunk_by(|a, b| class(*a) == class(*b) && class(*a) != 2)
        .filter_map(|chunk| {
            let word = std::str::from_utf8(chunk).ok()?;
            match chunk.first().map(|byte| class(*byte)) {
                Some(1) => Some(Token::Number(word.trim_start_matches('0'))),
                Some(2) => Some(Token::Tilde),
                Some(3) => Some(Token::Word(word)),
                _ => None,
            }
        })
        .collect()
}

fn rank(token: Option<&Token<'_>>) -> u8 {
    match token {
        Some(Token::Tilde) => 0,
        Some(Token::Word(word))
            if matches!(
                word.to_ascii_lowercase().as_str(),
                "a" | "alpha" | "b" | "beta" | "c" | "rc" | "pre" | "preview" | "dev" | "snapshot"
            ) =>
        {
            1
        }
        None => 2,
        Some(Token::Word(_)) => 3,
        Some(Token::Number(_)) => 4,
    }
}

fn compare(a: Option<&Token<'_>>, b: Option<&Token<'_>>) -> Ordering {
    match (a, b) {
        (Some(Token::Number(a)), Some(Token::Number(b))) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Some(Token::Word(a)), Some(Token::Word(b))) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_versions_are_ordered_for_display() {
        for (lower, higher) in [
            ("1.9", "1.10"),
            ("3.0.11-1~deb12u2", "3.0.11-1"),
            ("3.0.11-1~deb12u2", "3.0.15-1~deb12u1"),
            ("9.0", "1:0.1"),
            ("2.0.0-rc1", "2.0.0"),
            ("2.0.0rc1", "2.0.0"),
            ("0.0.0-20210101", "0.0.0-20220101"),
            ("1.1.1k-r0", "1.1.1l-r0"),
            ("99999999999999999999998", "99999999999999999999999"),
            ("1.2", "1.2.1"),
        ] {
            assert_eq!(natural_order(lower, higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(natural_order(higher, lower), Ordering::Greater, "{higher} {lower}");
            assert_eq!(natural_order(lower, lower), Ordering::Equal);
        }
    }
}
