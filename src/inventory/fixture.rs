//! Runs one cataloger, or all of them, over files of `testdata/inventory` put at paths of a made-up image of one layer. Tests only.

use std::{fs, path::PathBuf};

use crate::{
    inventory::{Cataloger, Context, Found, Interests, distro},
    layers::{FileView, LayerInput, Limits, fixture, walk},
    model::{image::Layer, package::Package},
};

/// The bytes of a fixture.
pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/inventory").join(name)).expect(name)
}

/// An image whose layers hold these files.
pub(crate) fn image(layers: &[&[(&str, Vec<u8>)]]) -> (FileView, Vec<Layer>) {
    walked(layers.iter().enumerate().map(|(index, files)| fixture::input(index, &fixture::tar(files))).collect())
}

/// The image of these layers.
pub(crate) fn walked(inputs: Vec<LayerInput>) -> (FileView, Vec<Layer>) {
    let layers = inputs.iter().map(|input| input.layer.clone()).collect();
    (walk(inputs, &Interests, &Limits::default()).expect("good layers"), layers)
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
