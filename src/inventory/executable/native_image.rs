//! A GraalVM native image in, the components of the SBOM inside out: CycloneDX under gzip, where the symbols `sbom` and `sbom_length` say
//! (<https://www.graalvm.org/latest/security-guide/native-image/sbom/>).

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::{
    facts::Component,
    fields::Fields,
    object::{Format, Object, Part},
};
use crate::layers::Body;

/// Most bytes of the names of symbols, of the symbols, of the document as it is stored, and inflated.
const NAMES: u64 = 16 << 20;
const SYMBOLS: usize = 32 << 20;
const STORED: u64 = 16 << 20;
const INFLATED: usize = 32 << 20;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    components: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    group: String,
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    purl: String,
}

/// The components; none of a program that is no native image, or that holds no SBOM.
pub(super) fn read(object: &Object, body: &Body<'_>) -> Result<Vec<Component>, String> {
    let names = object.section(".dynstr").filter(|names| object.format == Format::Elf && names.size <= NAMES);
    let (Some(names), Some(symbols)) = (names, object.section(".dynsym")) else { return Ok(Vec::new()) };
    let Ok(names) = names.bytes(body, usize::try_from(NAMES).unwrap_or(usize::MAX)) else { return Ok(Vec::new()) };
    if !holds(&names, b"\0sbom_length\0") {
        return Ok(Vec::new());
    }
    let document = document(object, body, &names, symbols)?;
    let document: Document = serde_json::from_slice(&document).map_err(|error| format!("its SBOM is no CycloneDX document: {error}"))?;
    let component = |listed: Listed| Component { group: listed.group, name: listed.name, version: listed.version, purl: listed.purl };
    Ok(document.components.into_iter().map(component).collect())
}

fn document(object: &Object, body: &Body<'_>, names: &[u8], symbols: &Part) -> Result<Vec<u8>, String> {
    let lies = || "its SBOM points behind its end".to_owned();
    let table = symbols.bytes(body, SYMBOLS)?;
    let (width, names) = (object.width, Fields::new(names, object.order));
    let address = |wanted: &str| {
        table.chunks_exact(width.pick(24, 16)).find_map(|symbol| {
            let fields = Fields::new(symbol, object.order);
            let name = names.text(usize::try_from(fields.u32(0)?).ok()?, 16)?;
            if name == wanted { fields.word(width.pick(8, 4), width) } else { None }
        })
    };
    let (Some(start), Some(length)) = (address("sbom"), address("sbom_length")) else { return Ok(b"{}".to_vec()) };
    let (start, length) = object.place(start).zip(object.place(length)).ok_or_else(lies)?;
    let size = body.range(length, width.bytes()).and_then(|bytes| Fields::new(&bytes, object.order).word(0, width)).ok_or_else(lies)?;
    if size > STORED {
        return Err(format!("its SBOM has {size} bytes; the limit is {STORED}"));
    }
    let stored = body.part(start, size).ok_or_else(lies)?;
    let mut document = Vec::new();
    let read = GzDecoder::new(stored.reader()).take(INFLATED as u64 + 1).read_to_end(&mut document);
    if document.len() > INFLATED {
        return Err(format!("its SBOM has more bytes than the limit of {INFLATED}"));
    }
    read.map_err(|error| format!("its SBOM cannot be inflated: {error}"))?;
    Ok(document)
}

/// Whether `bytes` hold a short text.
fn holds(bytes: &[u8], text: &[u8]) -> bool {
    // Names are short, so that each is looked at as a whole.
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"\0").and_then(|text| text.strip_suffix(b"\0")).unwrap_or(text);
    bytes.split(|&byte| byte == 0).any(|name| name == text)
}
