//! A loaded policy and a clock in; remarks out: clauses that can never match, exceptions near their end, patterns that an exact value could
//! replace, signers that nothing uses. Remarks change no verdict.

use std::{collections::BTreeSet, fmt};

use jiff::{Timestamp, tz::TimeZone};

use crate::model::{
    location::Span,
    policy::{Clause, Comparison, IdentityMatch, Policy, RuleSetting, Signer},
    severity::Severity,
};

use super::{clause::rank, codes, exception::Term, schema::literal_identity};

/// A remark on a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// Where, when it is about one place.
    pub location: Option<Span>,
    /// One line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Span { file, line, .. }) = &self.location {
            write!(f, "{file}:{line}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Looks for what a policy says in vain or could say better.
#[must_use]
pub fn check(policy: &Policy, now: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut add = |location: Option<&Span>, message: String, hint: Option<&str>| {
        notices.push(Notice { location: location.cloned(), message, hint: hint.map(str::to_owned) });
    };
    for clause in policy.fail.iter().chain(&policy.warn) {
        if let Some(why) = never(clause) {
            add(None, format!("clause `{}` can never match: {why}", clause.id), None);
        }
    }
    for (i, later) in policy.fail.iter().enumerate() {
        let earlier = policy.fail.iter().take(i).find(|earlier| covers(earlier, later));
        if let Some(earlier) = earlier {
            add(None, format!("clause `{}` adds nothing: `{}` fits whatever it fits", later.id, earlier.id), None);
        }
    }
    let used: BTreeSet<&String> = policy.signatures.iter().flat_map(|asked| &asked.of).collect();
    for (name, signer) in &policy.signers {
        if !used.contains(name) {
            add(None, format!("signer `{name}` is used by nothing"), Some("name it in `signatures`, or remove it"));
        }
        if let Signer::Keyless { identity: IdentityMatch::Pattern(pattern), .. } = signer {
            if let Some(exact) = literal_identity(pattern) {
                add(None, format!("the pattern of signer `{name}` fits one identity only"), Some(&format!("write identity: {exact}")));
            } else if let Signer::Keyless { extensions, .. } = signer
                && extensions.is_empty()
                && pattern.starts_with(r"^https://github\.com/")
            {
                add(
                    None,
                    format!("signer `{name}` trusts a pattern and nothing else"),
                    Some("prefer an exact `identity` and `github: { repository, ref }`"),
                );
            }
        }
    }
    for kind in policy.evidence.gaps.keys() {
        let known = codes::is_gap(kind) || kind.split_once('.').is_some_and(|(_, rest)| codes::is_gap(rest));
        if !known {
            add(None, format!("`evidence.gaps`: no source of this version reports a gap `{kind}`"), None);
        }
    }
    for (id, setting) in &policy.rules.set {
        if *setting == RuleSetting::Off {
            add(None, format!("rule `{id}` is off: what it finds is shown as suppressed"), None);
        }
    }
    for entry in &policy.rules.settings.trusted_registries {
        if entry != "*" && entry.ends_with('*') && !entry.contains('/') {
            let message = format!("`{entry}` also fits every other registry whose name begins like that");
            add(None, message, Some("end it with a slash and a star: registry.example.org/*"));
        }
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    let term_of = |owner: &Option<String>, expires| Term::of(owner.as_deref(), expires, &policy.exceptions, today);
    for exception in &policy.exceptions.list {
        let what = format!("exception for {}", exception.id);
        if let Some(message) = term_message(&what, term_of(&exception.owner, exception.expires)) {
            add(Some(&exception.location), message, None);
        }
    }
    for own in &policy.severity.overrides {
        let what = format!("own rating of {}", own.id);
        if let Some(message) = term_message(&what, term_of(&own.owner, own.expires)) {
            add(Some(&own.location), message, None);
        }
    }
    if policy.evidence.require.is_empty() {
        add(
            None,
            "`evidence.require` is empty: a source that nobody asks for is not missed".to_owned(),
            Some("extend builtin:baseline, or list the sources that must be heard"),
        );
    }
    notices.sort();
    notices
}

fn term_message(what: &str, term: Term) -> Option<String> {
    Some(match term {
        Term::Running => return None,
        Term::Soon(0) => format!("{what} ends today"),
        Term::Soon(days) => format!("{what} ends in {days} days"),
        Term::Expired => format!("{what} has expired and has no effect"),
        Term::TooLong => format!("{what} ends later than `exceptions.max_days` allows and has no effect"),
        Term::Owner => format!("{what} has an owner that `exceptions.owners` does not allow, and has no effect"),
    })
}

/// Why a clause can never match.
fn never(clause: &Clause) -> Option<&'static str> {
    match clause.severity {
        Some((Comparison::Above, Severity::Critical)) => return Some("nothing is above critical"),
        Some((Comparison::Below, Severity::Negligible)) => return Some("nothing is below negligible"),
        _ => {}
    }
    match clause.epss_millionths {
        Some((Comparison::Above, 1_000_000)) => return Some("no probability is above 1"),
        Some((Comparison::Below, 0)) => return Some("no probability is below 0"),
        _ => {}
    }
    matches!(clause.sources, Some((Comparison::Below, 0 | 1) | (Comparison::AtMost | Comparison::Equal, 0)))
        .then_some("every finding has a source")
}

/// Whether `wide` fits whatever `narrow` fits, judged by the conditions that order easily.
fn covers(wide: &Clause, narrow: &Clause) -> bool {
    let severity = match (wide.severity, narrow.severity) {
        (None, _) => true,
        (Some((Comparison::AtLeast, w)), Some((Comparison::AtLeast | Comparison::Above | Comparison::Equal, n))) => rank(w) <= rank(n),
        (w, n) => w == n,
    };
    severity
        && (wide.fix.is_none() || wide.fix == narrow.fix)
        && (wide.kev.is_none() || wide.kev == narrow.kev)
        && (wide.epss_millionths.is_none() || wide.epss_millionths == narrow.epss_millionths)
        && (wide.source.is_empty() || wide.source == narrow.source)
        && (wide.sources.is_none() || wide.sources == narrow.sources)
        && (wide.package.is_none() || wide.package == narrow.package)
        && (wide.finding.is_none() || wide.finding == narrow.finding)
        && (wide.kind.is_empty() || wide.kind == narrow.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::load;

    #[test]
    fn kinds_of_gap_that_nothing_reports_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.yaml");
        let kinds = "{ file-limit: warn, offline.stale: warn, required-source: warn, stael: warn, absent.signature: warn }";
        std::fs::write(&file, format!("version: 1\nextends: builtin:baseline\nevidence: {{ gaps: {kinds} }}\n")).unwrap();
        let policy = load::load(&[file.display().to_string()]).unwrap();
        let said: Vec<_> = check(&policy, Timestamp::UNIX_EPOCH).into_iter().map(|notice| notice.message).collect();
        let expected =
            ["absent.signature", "stael"].map(|kind| format!("`evidence.gaps`: no source of this version reports a gap `{kind}`"));
        assert_eq!(said, expected);
    }
}
