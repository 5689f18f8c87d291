//! The identity of a bill of materials: a version 8 UUID (RFC 9562) of the image's digest, its platform and everything that is said of it.

use std::io;

use super::{Version, convert};
use crate::{
    model::digest::{Algorithm, Hasher},
    report::sbom::Materials,
};

/// The UUID, as text. It is that of the document of version 1.6, whatever is written.
pub(in crate::report) fn uuid(materials: &Materials<'_>) -> io::Result<String> {
    let identity = materials.image.map(|image| format!("{} {}\0", image.digest(), image.platform)).unwrap_or_else(|| "\0".to_owned());
    let mut hashed = Hashed(Hasher::new(Algorithm::Sha256));
    hashed.0.update(identity.as_bytes());
    serde_json::to_writer(&mut hashed, &convert::bom(materials, Version::V1_6))?;
    let digest = hashed.0.finish();
    let mut text = String::with_capacity(36);
    for (place, ch) in digest.hex().chars().take(32).enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(match (place, ch) {
            (12, _) => '8',
            (16, '0' | '4' | '8' | 'c') => '8',
            (16, '1' | '5' | '9' | 'd') => '9',
            (16, '2' | '6' | 'a' | 'e') => 'a',
            (16, _) => 'b',
            (_, ch) => ch,
        });
    }
    Ok(text)
}

/// Hashes what is written.
struct Hashed(Hasher);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
