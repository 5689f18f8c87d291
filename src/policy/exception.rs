//! Exceptions against findings, gaps and requirements: what an exception covers, whether it is in force today, and what is wrong with it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::{
    coverage::Gap,
    finding::Finding,
    image::ResolvedImage,
    location::Location,
    policy::{Exception, ExceptionOrigin, ExceptionPolicy},
    severity::Severity,
};

use super::{
    clause::rank,
    pattern::{WithoutPurl, fits_owner, fits_package, fits_path, glob},
    rating::latest,
};

/// Whether a dated permission is in force today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// It is.
    Running,
    /// It is, and its end is near: that many days.
    Soon(i64),
    /// Its last day is over.
    Expired,
    /// It ends later than the policy lets any permission end.
    TooLong,
    /// Its owner is none that the policy knows.
    Owner,
}

impl Term {
    /// Judges a permission by its owner and its last day, which is inclusive and in UTC.
    pub(super) fn of(owner: Option<&str>, expires: Option<Date>, policy: &ExceptionPolicy, today: Date) -> Self {
        let Some(expires) = expires else { return Self::Expired };
        if expires < today {
            return Self::Expired;
        }
        if latest(today, policy.max_days).is_some_and(|latest| expires > latest) {
            return Self::TooLong;
        }
        let known = owner.is_some_and(|owner| policy.owners.is_empty() || policy.owners.iter().any(|pattern| fits_owner(pattern, owner)));
        if !known {
            return Self::Owner;
        }
        let left = today.until(expires).map_or(0, |span| i64::from(span.get_days()));
        if left <= policy.soon_days { Self::Soon(left) } else { Self::Running }
    }

    /// Whether the permission has an effect.
    pub(super) const fn in_force(self) -> bool {
        matches!(self, Self::Running | Self::Soon(_))
    }

    /// The id of the finding that reports it and the word for the exception's state.
    pub(super) const fn fault(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Running => None,
            Self::Soon(_) => Some(("exception-soon", "soon")),
            Self::Expired => Some(("exception-expired", "expired")),
            Self::TooLong => Some(("exception-too-long", "too-long")),
            Self::Owner => Some(("exception-owner", "owner")),
        }
    }
}

/// Whether an exception names this image; one without an image pattern names all.
pub(super) fn covers_image(exception: &Exception, image: Option<&ResolvedImage>) -> bool {
    let Some(pattern) = &exception.image else { return true };
    image.is_some_and(|image| fits_image(pattern, image))
}

/// Whether an image's `registry/repository` fits a checked pattern; images without a registry fit none.
pub(super) fn fits_image(pattern: &str, image: &ResolvedImage) -> bool {
    image.reference.registry().is_some_and(|reference| glob(pattern, &reference.name()))
}

/// Whether a policy exception covers a finding, its image aside.
pub(super) fn covers_finding(exception: &Exception, finding: &Finding) -> bool {
    finding.answers_to(&exception.id)
        && exception
            .package
            .as_ref()
            .is_none_or(|pattern| finding.package.as_ref().is_some_and(|package| fits_package(pattern, package, WithoutPurl::NoMatch)))
        && exception.path.as_ref().is_none_or(|pattern| {
            // Every place must be covered: a permission for one copy says nothing about the next.
            !finding.locations.is_empty()
                && finding.locations.iter().all(|location| location_path(location).is_some_and(|path| fits_path(pattern, path)))
        })
}

/// Whether an exception that covers a finding has ended for it: a fix is known, or it has become too bad.
pub(super) fn ended(exception: &Exception, finding: &Finding, severity: Severity, unknown_as: Severity) -> Option<&'static str> {
    if exception.until_fix && !finding.fixed.is_empty() {
        return Some("its exception ended when a fix became known");
    }
    let own = if severity == Severity::Unknown { unknown_as } else { severity };
    match exception.below {
        Some(below) if rank(own) >= rank(below) => Some("its exception ended when the severity reached its limit"),
        _ => None,
    }
}

/// Whether a policy exception covers a gap, its image aside.
pub(super) fn covers_gap(exception: &Exception, gap: &Gap) -> bool {
    let named = exception.id.eq_ignore_ascii_case(gap.kind)
        || exception.id.split_once('.').is_some_and(|(source, kind)| source == gap.source.name() && kind == gap.kind);
    named
        && exception.package.as_ref().is_none_or(|pattern| gap.subject.starts_with("pkg:") && glob(pattern, &gap.subject))
        && exception.path.as_ref().is_none_or(|pattern| !gap.subject.is_empty() && fits_path(pattern, &gap.subject))
}

/// Whether a policy exception covers a requirement that came out with `code`, its image aside; packages and paths are no part of one.
pub(super) fn covers_requirement(exception: &Exception, class: &str, id: &str, code: Option<&str>) -> bool {
    exception.package.is_none()
        && exception.path.is_none()
        && (exception.id == class || exception.id == id || code == Some(exception.id.as_str()))
}

/// In-file ignores by the file that they stand in and the rule that they name.
pub(super) struct Ignores<'a> {
    list: &'a [Exception],
    /// Per file, the places in the list by lower-case id, those with a `*` under that.
    files: BTreeMap<&'a str, BTreeMap<String, Vec<usize>>>,
}

impl<'a> Ignores<'a> {
    /// Orders the ignores of all files.
    pub(super) fn of(list: &'a [Exception]) -> Self {
        let mut files: BTreeMap<&str, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (i, ignore) in list.iter().enumerate() {
            let id = if ignore.id.contains('*') { "*".to_owned() } else { ignore.id.to_ascii_lowercase() };
            files.entry(&ignore.location.file).or_default().entry(id).or_default().push(i);
        }
        Self { list, files }
    }

    /// The ignores that cover a finding, in the order of the list.
    pub(super) fn covering(&self, finding: &Finding) -> impl Iterator<Item = &'a Exception> {
        let mut places = Vec::new();
        if let Some(Location::Dockerfile(span)) = finding.locations.first()
            && let Some(file) = self.files.get(&*span.file)
        {
            let named = finding.names().filter_map(|name| file.get(&name.to_ascii_lowercase()));
            let is_there = |i: &usize| self.list.get(*i).is_some_and(|ignore| covers_line(ignore, span.line));
            places.extend(named.chain(file.get("*")).flatten().copied().filter(is_there));
            places.sort_unstable();
            places.dedup();
        }
        places.into_iter().filter_map(|i| self.list.get(i)).filter(|ignore| covers_inline(ignore, finding))
    }
}

fn covers_line(ignore: &Exception, line: u32) -> bool {
    matches!(ignore.origin, ExceptionOrigin::Inline { first, last } if (first..=last).contains(&line))
}

/// Whether an in-file ignore covers a finding of the same file.
fn covers_inline(ignore: &Exception, finding: &Finding) -> bool {
    let named = if ignore.id.contains('*') {
        let pattern = ignore.id.to_ascii_lowercase();
        finding.names().any(|id| glob(&pattern, &id.to_ascii_lowercase()))
    } else {
        finding.answers_to(&ignore.id)
    };
    named
        && !finding.locations.is_empty()
        && finding.locations.iter().all(|location| {
            matches!(location, Location::Dockerfile(span) if span.file == ignore.location.file && covers_line(ignore, span.line))
        })
}

fn location_path(location: &Location) -> Option<&str> {
    match location {
        Location::Image { path, .. } => Some(path),
        Location::Dockerfile(span) => Some(&span.file),
        Location::Policy(_) | Location::History { .. } | Location::Config => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Worth;

    #[test]
    fn the_last_day_counts_and_no_day_more() {
        let policy = ExceptionPolicy {
            max_days: Some(90),
            owners: vec!["*@acme.example".to_owned()],
            unused: Worth::Warn,
            soon_days: 14,
            list: Vec::new(),
        };
        let today: Date = "2026-06-15".parse().expect("date");
        let check = |owner: &str, expires: &str, expected: Term| {
            assert_eq!(Term::of(Some(owner), expires.parse().ok(), &policy, today), expected, "{expires}");
        };
        check("jane@acme.example", "2026-06-14", Term::Expired);
        check("jane@acme.example", "2026-06-15", Term::Soon(0));
        check("jane@acme.example", "2026-06-29", Term::Soon(14));
        check("jane@acme.example", "2026-06-30", Term::Running);
        check("jane@acme.example", "2026-09-13", Term::Running);
        check("jane@acme.example", "2026-09-14", Term::TooLong);
        check("eve@evil.example", "2026-07-30", Term::Owner);
        assert_eq!(Term::of(Some("jane@acme.example"), None, &policy, today), Term::Expired);
    }
}
