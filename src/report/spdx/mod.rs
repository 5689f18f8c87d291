//! `spdx-json`: the inventory as an SPDX 2.3 document. Specification: <https://spdx.github.io/spdx-spec/v2.3/>. The same image and tool
//! version give the same bytes; what is not known is `NOASSERTION`, never invented.

mod convert;
mod extracted;
mod wire;

use std::io;

use crate::{
    model::report::ScanReport,
    report::{Reporter, Style, cyclonedx::uuid, escape, sbom::Materials},
};

/// SPDX 2.3 in JSON: packages with purl, version, licence, hashes and, as annotations, layer, path, owner and basis; Gaps as annotations of the
/// document.
#[derive(Debug, Clone, Copy)]
pub struct Spdx;

impl Reporter for Spdx {
    fn id(&self) -> &'static str {
        "spdx-json"
    }

    fn joins_platforms(&self) -> bool {
        false
    }

    fn lists_packages(&self) -> bool {
        true
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let materials = Materials::of(reports)?;
        let extracted = extracted::extracted(&materials);
        let document = convert::document(&materials, &extracted, &uuid(&materials)?);
        escape::write_json(&document, out)
    }
}

#[cfg(test)]
mod tests;
