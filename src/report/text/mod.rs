//! Scan report in, text for people out: verdict first, then violations by the line to edit, requirements, Gaps,
//! what was left out and why, and what to do. Nothing is hidden silently: what is not shown is counted, with the option that shows it.

mod advice;
mod coverage;
mod findings;
mod fixes;
mod groups;
mod layout;
mod packages;
mod sections;

use std::io;

use crate::{
    model::{report::ScanReport, verdict::Effect},
    report::{Reporter, Show, Style},
};

/// The command whose report is a list of packages and no verdict.
const LISTING: &str = "inventory";

/// `--output text`.
#[derive(Debug, Clone, Copy)]
pub struct Text;

impl Reporter for Text {
    fn id(&self) -> &'static str {
        "text"
    }

    fn write(&self, reports: &[ScanReport], style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        if reports.len() > 1 {
            let mut layout = layout::Layout::new(*style);
            sections::platforms(reports, &mut layout);
            out.write_all(layout.finish().as_bytes())?;
            writeln!(out)?;
        }
        for (at, report) in reports.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            one(report, *style, out)?;
        }
        Ok(())
    }
}

fn one(report: &ScanReport, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut layout = layout::Layout::new(style);
    if let (LISTING, Some(inventory)) = (report.command, &report.inventory) {
        sections::subject(report, &mut layout);
        packages::tables(inventory, report.image.as_ref(), style, &mut layout);
        packages::summary(report, inventory, style, &mut layout);
        return out.write_all(layout.finish().as_bytes());
    }
    sections::subject(report, &mut layout);
    sections::head(report, &mut layout);
    fixes::section(report, style, &mut layout);
    findings::findings(report, style, &mut layout);
    if report.verdict.findings.iter().any(|judged| judged.decision.effect == Effect::Violation) || style.show > Show::Violations {
        layout.gap();
    }
    coverage::looked_at(report, style, &mut layout);
    sections::requirements(report, style, &mut layout);
    coverage::gaps(report, style, &mut layout);
    sections::left_out(report, style, &mut layout);
    sections::exceptions(report, &mut layout);
    advice::next(report, &mut layout);
    out.write_all(layout.finish().as_bytes())
}
