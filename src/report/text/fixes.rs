//! What `lint --fix` mended in the Dockerfiles, as text.

use std::collections::BTreeMap;

use crate::{
    model::report::ScanReport,
    report::{Show, Style, count::plural, escape},
};

use super::{
    layout::{Layout, Piece, faint, strong},
    sections::{LABEL, labelled},
};

/// Lines about fixes that are shown without `--show all`.
const ROWS: usize = 24;
/// Longest reason in characters.
const PROSE: usize = 300;

/// What was mended in the Dockerfiles, and what was not and why.
pub(super) fn section(report: &ScanReport, style: Style, layout: &mut Layout) {
    let touched: Vec<_> = report.fixes.iter().filter(|summary| !summary.applied.is_empty() || !summary.withheld.is_empty()).collect();
    if touched.is_empty() {
        return;
    }
    let applied: usize = touched.iter().map(|summary| summary.applied.len()).sum();
    let withheld: usize = touched.iter().map(|summary| summary.withheld.len()).sum();
    let files = touched.iter().filter(|summary| !summary.applied.is_empty()).count();
    let mut text = format!("{} in {}", plural(applied, "finding"), plural(files, "file"));
    if withheld > 0 {
        text.push_str(&format!(", {withheld} withheld"));
    }
    labelled(layout, "Fixed", vec![Piece::prose(text)]);
    let most = if style.show == Show::All { usize::MAX } else { ROWS };
    let mut left = most;
    for summary in &touched {
        let mut by_rule = BTreeMap::<(&str, &str), usize>::new();
        for fix in &summary.applied {
            *by_rule.entry((&fix.id, fix.kind.name())).or_default() += 1;
        }
        let rules = by_rule.into_iter().map(|((id, kind), count)| {
            let times = if count > 1 { format!("{count} times, {kind}") } else { kind.to_owned() };
            (summary.file.clone(), id, times)
        });
        let withheld = summary.withheld.iter().map(|withheld| {
            let reason = format!("not fixed: {}", escape::shortened(&withheld.reason, PROSE));
            (format!("{}:{}", summary.file, withheld.fix.line), withheld.fix.id.as_str(), reason)
        });
        for (place, id, text) in rules.chain(withheld).take(left) {
            left = left.saturating_sub(1);
            layout.line(LABEL, LABEL + 2, &[Piece::name(place), Piece::name(id).with(strong()), Piece::prose(text).with(faint())]);
        }
    }
    if left == 0 {
        layout.line(LABEL, LABEL + 2, &[Piece::prose("... --show all").with(faint())]);
    }
}
