//! A bill of materials in the place of an image: its packages are judged as an image's would be; what only the image could tell is a Gap.

use std::collections::BTreeMap;

use super::{Facted, Inputs, Looked, add_reports, add_state, inventory_details, judge, lint};
use crate::{
    Error, inventory,
    model::{
        coverage::{Completeness, Gap, SourceId, SourceState},
        evidence::SourceReport,
        package::Inventory,
        report::ScanReport,
    },
};

/// A bill of materials to judge.
#[derive(Debug, Clone)]
pub struct DocumentInput {
    /// The reference as the user named it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Runs the stages that a bill of materials is enough for, and judges what they found. `inputs` name no image.
///
/// # Errors
/// When the bytes are no document that can be read.
pub fn run_document(inputs: &Inputs, document: &DocumentInput) -> Result<ScanReport, Error> {
    let mut facts = Facted::default();
    lint::read(inputs, inputs.dockerfiles.iter(), Vec::new(), &mut facts);
    let found = inventory::sbom::read_document(&document.bytes, &inputs.limits)
        .map_err(|source| Error::Document { name: document.name.clone(), source })?;
    let mut details = inventory_details(&found);
    details.insert("document".to_owned(), document.name.clone());
    add_state(&mut facts, SourceId::Inventory, &found.gaps, details);
    if inputs.stages.contains(&SourceId::ImageConfig) {
        let gap = Gap::new(SourceId::ImageConfig, "no-image", document.name.clone(), "a bill of materials holds no image configuration");
        add_state(&mut facts, SourceId::ImageConfig, &[gap], BTreeMap::new());
    }
    add_reports(&mut facts, ask_sources(inputs, document, &found), Some(&found));
    Ok(judge(inputs, facts, Some(Looked { image: None, inventory: Some(found), verification: None })))
}

/// Asks those sources that need nothing but packages. The others were wanted, and could not be asked.
fn ask_sources(inputs: &Inputs, document: &DocumentInput, found: &Inventory) -> Vec<(SourceId, SourceReport)> {
    let ask = |id: SourceId, report: Option<SourceReport>| {
        report.unwrap_or_else(|| {
            let reason = "a bill of materials does not know the digest of the image's manifest in a registry";
            let gap = Gap::new(id, "unknown-digest", document.name.clone(), reason).with_hint("name the image in its registry, by digest");
            SourceReport {
                state: SourceState { source: id, completeness: Completeness::Incomplete, asked: true, details: BTreeMap::new() },
                observations: Vec::new(),
                gaps: vec![gap],
            }
        })
    };
    inputs.sources.iter().map(|source| (source.id(), ask(source.id(), source.report_on(found)))).collect()
}
