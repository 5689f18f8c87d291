//! Core metadata of one distribution in, a package out. Specification: <https://packaging.python.org/en/latest/specifications/core-metadata/>.

use super::{Limits, Package, package};
use crate::inventory::CatalogError;

/// Bytes of a licence that is kept; some projects put the whole text there.
const LICENCE_BYTES: usize = 200;

/// Reads the headers, which end at the first empty line: descriptions below it may say `Name:` again.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    let (mut name, mut version, mut licence, mut expression) = (None, None, None, None);
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        if line.len() > limits.line_bytes {
            return Err(CatalogError(format!("a header line exceeds the limit of {} bytes", limits.line_bytes)));
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':').filter(|_| !line.starts_with(b" ") && !line.starts_with(b"\t")) else {
            continue;
        };
        let (field, value) = line.split_at(colon);
        let value =
            || Some(String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned()).filter(|value| !value.is_empty());
        // The first of several counts, as Python's own reader has it.
        if field.eq_ignore_ascii_case(b"name") {
            name = name.or_else(value);
        } else if field.eq_ignore_ascii_case(b"version") {
            version = version.or_else(value);
        } else if field.eq_ignore_ascii_case(b"license-expression") {
            expression = expression.or_else(value);
        } else if field.eq_ignore_ascii_case(b"license") {
            licence = licence.or_else(value);
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(CatalogError("holds no Name and Version".to_owned()));
    };
    let licence = expression.or(licence).filter(|licence| licence != "UNKNOWN" && licence.len() <= LICENCE_BYTES);
    Ok(Package { licences: licence.into_iter().collect(), ..package(name, version) })
}
