//! `Severity` and `Rating`: how bad a finding is and who says so.

use std::fmt;

/// How bad a finding is. `Unknown` is a class of its own: it has no place in the order, so the type has none;
/// compare with [`Severity::at_least`], sort with [`Severity::report_order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// No real-world harm.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 and up.
    Critical,
    /// Nobody rated it.
    Unknown,
}

impl Severity {
    /// Every severity in the order of reports.
    pub const ALL: [Self; 6] = [Self::Critical, Self::High, Self::Medium, Self::Unknown, Self::Low, Self::Negligible];

    /// The lower-case word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a source's word in any case; synonyms of the feeds are known, words that rate nothing give `Unknown`.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" => Self::Low,
            "negligible" | "unimportant" | "informational" | "minimal" => Self::Negligible,
            _ => Self::Unknown,
        }
    }

    /// The class of a CVSS base score in tenths (0 to 100); 0 rates nothing.
    #[must_use]
    pub const fn from_cvss_tenths(tenths: u16) -> Self {
        match tenths {
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            90..=100 => Self::Critical,
            _ => Self::Unknown,
        }
    }

    /// Whether this is at least `threshold`, `Unknown` on either side counting as `unknown_as`.
    #[must_use]
    pub const fn at_least(self, threshold: Self, unknown_as: Self) -> bool {
        self.rank(unknown_as) >= threshold.rank(unknown_as)
    }

    /// The place in reports: critical 0, high 1, medium 2, unknown 3, low 4, negligible 5.
    #[must_use]
    pub const fn report_order(self) -> u8 {
        match self {
            Self::Critical => 0,
            Self::High => 1,
            Self::Medium => 2,
            Self::Unknown => 3,
            Self::Low => 4,
            Self::Negligible => 5,
        }
    }

    const fn rank(self, unknown_as: Self) -> u8 {
        match self {
            Self::Negligible => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Critical => 4,
            Self::Unknown => match unknown_as {
                Self::Unknown | Self::Critical => 4,
                Self::High => 3,
                Self::Medium => 2,
                Self::Low => 1,
                Self::Negligible => 0,
            },
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One author's rating of one finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating {
    /// Who rates.
    pub author: RatingAuthor,
    /// The author's own word, as written.
    pub word: Option<String>,
    /// The CVSS vector, as written.
    pub vector: Option<String>,
    /// The CVSS base score in tenths, computed or as given.
    pub score_tenths: Option<u16>,
}

impl Rating {
    /// The severity this rating stands for: the word if it rates, else the score, else `Unknown`.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.word.as_deref().map(Severity::from_word) {
            Some(severity) if severity != Severity::Unknown => severity,
            _ => self.score_tenths.map_or(Severity::Unknown, Severity::from_cvss_tenths),
        }
    }
}

/// Who rates, in the order in which the default policy believes them (policy.md 2.2): the first author that really rates decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RatingAuthor {
    /// The distribution that ships the package.
    Vendor,
    /// Amazon Inspector.
    Inspector,
    /// GitHub's advisory database.
    Ghsa,
    /// Another OSV database.
    Osv,
    /// NIST's national vulnerability database, or a bare CVSS vector.
    Nvd,
    /// ECR basic scanning.
    EcrBasic,
    /// A rule of ours.
    Plimsoll,
    /// The policy's own `severity.override`.
    Policy,
}

impl RatingAuthor {
    /// The id in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Inspector => "inspector",
            Self::Ghsa => "ghsa",
            Self::Osv => "osv",
            Self::Nvd => "nvd",
            Self::EcrBasic => "ecr-basic",
            Self::Plimsoll => "plimsoll",
            Self::Policy => "policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_compared_as_the_policy_says() {
        assert!(Severity::Unknown.at_least(Severity::Medium, Severity::Medium));
        assert!(!Severity::Unknown.at_least(Severity::High, Severity::Medium));
        assert!(Severity::Unknown.at_least(Severity::Critical, Severity::Unknown));
        assert!(Severity::Critical.at_least(Severity::High, Severity::Negligible));
        assert!(!Severity::Low.at_least(Severity::Medium, Severity::Critical));
    }

    #[test]
    fn words_that_rate_nothing_are_unknown() {
        for word in ["", "none", "UNTRIAGED", "UNDEFINED", "not yet assigned"] {
            assert_eq!(Severity::from_word(word), Severity::Unknown, "{word}");
        }
        assert_eq!(Severity::from_word("Important"), Severity::High);
    }
}
