//! Runs one cataloger, or all of them, over files of `testdata/inventory` put at paths of a made-up image of one layer. Tests only.

use std::{collections::BTreeMap, io::Cursor, path::PathBuf};

use crate::{
    inventory::{Cataloger, Context, Found, distro, wants},
    layers::{FileView, LayerInput, Limits, walk},
    model::{
        digest::Digest,
        image::{Descriptor, Layer},
        package::Package,
    },
};

/// The bytes of a fixture.
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/inventory").join(name)).expect(name)
}

/// An image whose layers hold these files.
pub(crate) fn image(layers: &[&[(&str, Vec<u8>)]]) -> (FileView, Vec<Layer>) {
    let mut inputs = Vec::new();
    for (index, files) in layers.iter().enumerate() {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, bytes) in *files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes.as_slice()).expect("writable archive");
        }
        let bytes = archive.into_inner().expect("finished archive");
        let digest = Digest::sha256_of(&bytes);
        let descriptor = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: bytes.len() as u64,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        };
        inputs.push(LayerInput { layer: Layer { index, descriptor, diff_id: digest, history: None }, reader: Box::new(Cursor::new(bytes)) });
    }
    let layers = inputs.iter().map(|input| input.layer.clone()).collect();
    (walk(inputs, &wants, &Limits::default()).expect("good layers"), layers)
}

/// What one cataloger finds in `(path in the image, fixture)` pairs.
pub(crate) fn catalog(cataloger: &dyn Cataloger, files: &[(&str, &str)]) -> Found {
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, name)| (*path, read(name))).collect();
    let (view, layers) = image(&[&files]);
    let distro = distro::read(&view);
    let mut found = cataloger.catalog(&Context { view: &view, layers: &layers, distro: distro.as_ref() });
    found.packages.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    assert!(found.packages.iter().all(|package| !package.locations.is_empty()), "every package has a location");
    found
}

/// The purls, in order.
pub(crate) fn purls(found: &Found) -> Vec<&str> {
    found.packages.iter().map(|package: &Package| package.purl.as_str()).collect()
}
