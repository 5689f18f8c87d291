//! `Place`: the line that a person edits to be rid of a finding; from a finding and the report's Dockerfiles and layers.

use std::{borrow::Cow, fmt};

use crate::model::{
    digest::Digest,
    location::{Location, Span},
    mask::masked,
    origin::{Origin, Side},
    report::{DockerfileSummary, ScanReport},
    verdict::JudgedFinding,
};

/// Where a finding is mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place<'a> {
    /// An instruction of a Dockerfile or a line of a policy file.
    Line {
        /// The file.
        file: &'a str,
        /// The first line.
        line: u32,
        /// What there is to add.
        remark: Remark<'a>,
    },
    /// The final stage's FROM, because the base image brought the package, or nothing says which instruction did.
    Base {
        /// The Dockerfile.
        file: &'a str,
        /// Its line.
        line: u32,
        /// Its text.
        text: Option<&'a str>,
        /// Whether the base image is known to have brought it.
        certainty: Certainty,
    },
    /// A layer, when there is no Dockerfile.
    Layer {
        /// From 0.
        index: usize,
        /// Its digest.
        digest: &'a Digest,
    },
    /// An entry of the history, from 0.
    History(usize),
    /// The image as a whole.
    Image,
}

/// What is to be said of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remark<'a> {
    /// Nothing.
    None,
    /// It copies from this stage or image.
    CopiedFrom(&'a str),
    /// It stands in this stage, which is not the final one.
    InStage(&'a str),
    /// It may be another line.
    Uncertain,
}

/// How well something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// Nothing speaks against it.
    Certain,
    /// It is the best that there is.
    Uncertain,
}

impl<'a> Place<'a> {
    /// The place of one finding.
    pub(crate) fn of(judged: &'a JudgedFinding, report: &'a ScanReport) -> Self {
        let locations = &judged.finding.locations;
        if let Some(span) = locations.iter().find_map(span_of) {
            return Self::Line { file: &span.file, line: span.line, remark: Remark::None };
        }
        if judged.finding.package.is_some() {
            let origin = report.image.as_ref().and_then(|image| image.origin(locations));
            if let Some(place) = origin.and_then(|origin| Self::of_origin(origin, report)).or_else(|| Self::base(report)) {
                return place;
            }
        }
        locations
            .iter()
            .find_map(|location| match location {
                Location::Image { layer, index, .. } => Some(Self::Layer { index: *index, digest: layer }),
                Location::History { index, .. } => Some(Self::History(*index)),
                Location::Dockerfile(_) | Location::Policy(_) | Location::Config => None,
            })
            .unwrap_or(Self::Image)
    }

    /// The line that made a layer, when it is known.
    fn of_origin(origin: &'a Origin, report: &'a ScanReport) -> Option<Self> {
        let span = origin.span.as_ref()?;
        let (file, line) = (&*span.file, span.line);
        if origin.side == Some(Side::Base) && Self::stands_on_from(report, span) {
            let certainty = if origin.doubt.is_none() { Certainty::Certain } else { Certainty::Uncertain };
            return Some(Self::Base { file, line, text: instruction(report, file, line), certainty });
        }
        let remark = match (&origin.doubt, &origin.copied_from, &origin.stage) {
            (Some(_), _, _) => Remark::Uncertain,
            (None, Some(from), _) => Remark::CopiedFrom(from),
            (None, None, Some(stage)) => Remark::InStage(stage),
            (None, None, None) => Remark::None,
        };
        Some(Self::Line { file, line, remark })
    }

    /// Whether a line is a FROM.
    fn stands_on_from(report: &ScanReport, span: &Span) -> bool {
        let text = instruction(report, &span.file, span.line);
        text.and_then(|text| text.split_whitespace().next()).is_none_or(|word| word.eq_ignore_ascii_case("FROM"))
    }

    /// The final FROM of the image's Dockerfile: with several Dockerfiles nobody knows which one made the image, and one that explains none of its
    /// layers made another.
    pub(crate) fn base(report: &'a ScanReport) -> Option<Self> {
        let image = report.image.as_ref()?;
        let origins: Vec<&Origin> = image.layers.iter().filter_map(|layer| layer.origin.as_ref()).collect();
        if !origins.is_empty() && origins.iter().all(|origin| origin.span.is_none() && origin.side.is_none()) {
            return None;
        }
        match report.dockerfiles.as_slice() {
            [DockerfileSummary { file, final_from_line: Some(line), final_from, .. }] => {
                Some(Self::Base { file, line: *line, text: final_from.as_deref(), certainty: Certainty::Uncertain })
            }
            _ => None,
        }
    }

    /// What stands at the place, when it is known.
    pub(crate) fn text(&self, report: &'a ScanReport) -> Option<Cow<'a, str>> {
        match self {
            Self::Line { file, line, .. } => instruction(report, file, *line).map(Cow::Borrowed),
            Self::Base { text, .. } => text.map(Cow::Borrowed),
            Self::Layer { index, .. } => {
                let image = report.image.as_ref()?;
                let layer = image.layers.iter().find(|layer| layer.index == *index)?;
                image.config.history.get(layer.history?).map(|entry| history_text(&entry.created_by))
            }
            Self::History(index) => report.image.as_ref()?.config.history.get(*index).map(|entry| history_text(&entry.created_by)),
            Self::Image => None,
        }
    }

    /// Why the finding stands here, when it is not the line itself.
    pub(crate) fn remark(&self) -> Cow<'static, str> {
        match self {
            Self::Base { certainty: Certainty::Certain, .. } => Cow::Borrowed("base image"),
            Self::Base { .. } => Cow::Borrowed("base image, or layer not attributed"),
            Self::Line { remark: Remark::CopiedFrom(stage), .. } => Cow::Owned(format!("from {stage}")),
            Self::Line { remark: Remark::InStage(stage), .. } => Cow::Owned(format!("in {stage}")),
            Self::Line { remark: Remark::Uncertain, .. } => Cow::Borrowed("uncertain"),
            Self::Line { .. } | Self::Layer { .. } | Self::History(_) | Self::Image => Cow::Borrowed(""),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line, .. } | Self::Base { file, line, .. } => write!(f, "{file}:{line}"),
            Self::Layer { index, digest } => write!(f, "layer {index} {}:{}", digest.algorithm().name(), digest.short()),
            Self::History(index) => write!(f, "history entry {index}"),
            Self::Image => f.write_str("image"),
        }
    }
}

/// The lines a location names, if it names lines.
pub(crate) const fn span_of(location: &Location) -> Option<&Span> {
    match location {
        Location::Dockerfile(span) | Location::Policy(span) => Some(span),
        Location::Image { .. } | Location::History { .. } | Location::Config => None,
    }
}

/// The instruction that starts on a line of a Dockerfile.
pub(crate) fn instruction<'a>(report: &'a ScanReport, file: &str, line: u32) -> Option<&'a str> {
    // Files mostly come in order; where they do not, each is looked at.
    let ordered =
        report.dockerfiles.binary_search_by(|summary| summary.file.as_str().cmp(file)).ok().and_then(|at| report.dockerfiles.get(at));
    let summary = ordered.or_else(|| report.dockerfiles.iter().find(|summary| summary.file == file))?;
    let known = summary.instructions.get(&line).map(String::as_str);
    known.or_else(|| (summary.final_from_line == Some(line)).then_some(summary.final_from.as_deref()).flatten())
}

/// A history text as reports show it: without credentials and without the values of build arguments.
pub(crate) fn history_text(created_by: &str) -> Cow<'_, str> {
    masked(without_arguments(created_by))
}

/// A history text without the values of build arguments (`|2 TOKEN=... /bin/sh -c make`), which may be secrets.
fn without_arguments(created_by: &str) -> &str {
    let text = created_by.strip_prefix("RUN ").unwrap_or(created_by);
    if !text.starts_with('|') {
        return created_by;
    }
    text.split_once("/bin/sh -c ").map_or("RUN (with build arguments)", |(_, command)| command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_arguments_are_not_shown() {
        let check = |input: &str, expected: &str| assert_eq!(without_arguments(input), expected);
        check("/bin/sh -c make", "/bin/sh -c make");
        check("|1 TOKEN=secret /bin/sh -c make # buildkit", "make # buildkit");
        check("RUN |1 TOKEN=secret /bin/sh -c make", "make");
        check("|1 TOKEN=secret powershell x", "RUN (with build arguments)");
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(history_text("ENV DB_PASSWORD=hunter22"), "ENV DB_PASSWORD=***");
        assert_eq!(history_text("|1 T=x /bin/sh -c curl -u bot:hunter22 x"), "curl -u *** x");
    }
}
