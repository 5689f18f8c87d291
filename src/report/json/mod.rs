//! Scan report in, JSON of schema `plimsoll/report/1` out (`policies/report.schema.json`); several in, `plimsoll/reports/1` out, which holds them. Everything that is known is in it, sorted;
//! absent is absent, numbers are integers or decimal strings, and `evaluatedAt` is the only value from a clock.

mod convert;
mod evidence;
mod wire;

use std::io;

use crate::{
    model::report::ScanReport,
    report::{Reporter, Style, escape, platforms::worst},
};

/// `--output json`.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Reporter for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        match (reports, worst(reports)) {
            ([report], _) => escape::write_json(&convert::report(report), out),
            (_, Some(worst)) => escape::write_json(&convert::reports(reports, worst), out),
            (_, None) => Ok(()),
        }
    }
}
