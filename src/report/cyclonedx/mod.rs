//! `cyclonedx-json`, `cyclonedx-xml` and their `-1.5`: the inventory as a CycloneDX bill of materials of version 1.6 or 1.5.
//! Specification: <https://cyclonedx.org/docs/1.6/json/>, <https://cyclonedx.org/docs/1.6/xml/>. The same image and tool version give the
//! same bytes, and the same serial number in every version and syntax: it is one bill of materials.

mod convert;
mod serial;
mod wire;
mod xml;

use std::io;

use crate::{
    model::report::ScanReport,
    report::{Reporter, Style, escape, sbom::Materials},
};

pub(super) use self::serial::uuid;

/// A version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1_5,
    V1_6,
}

impl Version {
    const fn number(self) -> &'static str {
        match self {
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
        }
    }
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Json,
    Xml,
}

/// Components with purl, version, licences, hashes, layer, path, owner and basis; Gaps as an incomplete composition.
#[derive(Debug, Clone, Copy)]
pub struct CycloneDx {
    id: &'static str,
    version: Version,
    syntax: Syntax,
}

impl CycloneDx {
    /// CycloneDX 1.6 in JSON.
    pub const JSON: Self = Self { id: "cyclonedx-json", version: Version::V1_6, syntax: Syntax::Json };
    /// CycloneDX 1.5 in JSON.
    pub const JSON_1_5: Self = Self { id: "cyclonedx-json-1.5", version: Version::V1_5, syntax: Syntax::Json };
    /// CycloneDX 1.6 in XML.
    pub const XML: Self = Self { id: "cyclonedx-xml", version: Version::V1_6, syntax: Syntax::Xml };
    /// CycloneDX 1.5 in XML.
    pub const XML_1_5: Self = Self { id: "cyclonedx-xml-1.5", version: Version::V1_5, syntax: Syntax::Xml };
}

impl Reporter for CycloneDx {
    fn id(&self) -> &'static str {
        self.id
    }

    fn joins_platforms(&self) -> bool {
        false
    }

    fn lists_packages(&self) -> bool {
        true
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let materials = Materials::of(reports)?;
        let mut bom = convert::bom(&materials, self.version);
        bom.serial_number = format!("urn:uuid:{}", uuid(&materials)?);
        match self.syntax {
            Syntax::Json => escape::write_json(&bom, out),
            Syntax::Xml => xml::write(&bom, out),
        }
    }
}

#[cfg(test)]
mod tests;
