//! Lock files and records of other scanners' tests, read as one image. Needs the folder in `PLIMSOLL_CORPUS`.

use std::{env, fs, io::Read as _, path::PathBuf};

use super::{CATALOGERS, Context, catalog, fixture};
use crate::{
    layers::{FileView, Limits, Want, fixture as layer, walk},
    model::{image::Layer, package::Basis},
};

/// What Python's own reader of TOML finds in these.
const EXPECTED: &[(&str, usize)] = &[
    ("anchore+syft/syft/pkg/cataloger/python/testdata/poetry/case-sensitivity/poetry.lock", 3),
    ("anchore+syft/syft/pkg/cataloger/python/testdata/poetry/conflicting-with-extras/poetry.lock", 21),
    ("anchore+syft/syft/pkg/cataloger/python/testdata/poetry/multiple-extras/poetry.lock", 15),
    ("anchore+syft/syft/pkg/cataloger/python/testdata/poetry/nested-extras/poetry.lock", 39),
    ("anchore+syft/syft/pkg/cataloger/python/testdata/poetry/simple-deps/poetry.lock", 5),
    ("anchore+syft/syft/pkg/cataloger/python/testdata/pypi-remote/poetry.lock", 1),
    ("aquasecurity+trivy/integration/testdata/fixtures/repo/poetry/poetry.lock", 3),
    ("aquasecurity+trivy/pkg/fanal/analyzer/language/python/poetry/testdata/happy-v2/poetry.lock", 16),
    ("aquasecurity+trivy/pkg/fanal/analyzer/language/python/poetry/testdata/happy/poetry.lock", 11),
    ("aquasecurity+trivy/pkg/fanal/analyzer/language/python/poetry/testdata/with-groups/poetry.lock", 22),
    ("aquasecurity+trivy/pkg/fanal/analyzer/testdata/post-apps/poetry/happy/poetry.lock", 1),
];
/// These are damaged on purpose.
const DAMAGED: &[&str] = &[
    "anchore+syft/syft/pkg/cataloger/python/testdata/glob-paths/src/Pipfile.lock",
    "anchore+syft/syft/pkg/cataloger/python/testdata/glob-paths/src/poetry.lock",
    "anchore+syft/syft/pkg/cataloger/python/testdata/glob-paths/src/uv.lock",
];

fn corpus(wants: &(dyn Fn(&str) -> Want + Sync)) -> Option<(FileView, Vec<Layer>)> {
    let Some(file) =
        env::var_os("PLIMSOLL_CORPUS").map(|root| PathBuf::from(root).join("corpus/pkgdb.tar.gz")).filter(|file| file.is_file())
    else {
        eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        return None;
    };
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(fs::read(file).unwrap().as_slice()).read_to_end(&mut tar).unwrap();
    let input = layer::input(0, &tar);
    let layers = vec![input.layer.clone()];
    Some((walk(vec![input], &|path: &str| wants(path), &Limits::default()).unwrap(), layers))
}

/// Put where no test data of others would stand.
#[test]
fn lock_files_of_the_corpus_give_what_is_known() {
    let Some((view, _)) = corpus(&|path| if path.ends_with(".lock") { Want::Bytes } else { Want::No }) else { return };
    let pypi = CATALOGERS.iter().find(|cataloger| cataloger.id() == "pypi").unwrap();
    for (path, expected) in EXPECTED.iter().map(|(path, count)| (*path, Some(*count))).chain(DAMAGED.iter().map(|path| (*path, None))) {
        let file = view.lookup(&format!("pkgdb/{path}")).expect(path);
        let place = format!("app/{}", path.rsplit('/').next().unwrap());
        let (image, layers) = fixture::image(&[&[(place.as_str(), file.bytes().into_owned())]]);
        let found = pypi.catalog(&Context { view: &image, layers: &layers, distro: None });
        assert_eq!(found.packages.len(), expected.unwrap_or(0), "{path} {:?}", found.gaps);
        assert!(found.packages.iter().all(|package| package.basis == Basis::Declared));
        assert_eq!(found.gaps.len(), usize::from(expected.is_none()), "{path}");
    }
}

#[test]
fn the_corpus_as_an_image_is_read_to_its_end() {
    let Some((view, layers)) = corpus(&super::wants) else { return };
    let inventory = catalog(&view, &layers);
    let found: Vec<&str> =
        inventory.packages.iter().filter(|package| package.found_by == "pypi").map(|package| package.purl.as_str()).collect();
    for expected in ["annotated-types@0.7.0", "click@8.0.0", "distlib@0.3.1", "flask@2.0.0", "setuptools@51.3.3", "typing-extensions@4.4.0"]
    {
        assert!(found.contains(&format!("pkg:pypi/{expected}").as_str()), "{expected} {found:?}");
    }
}
