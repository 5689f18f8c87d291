//! Distributions and lock files at paths of made-up images.

use super::*;
use crate::{
    inventory::{Interests, archive, fixture},
    layers::{fixture as layers_fixture, walk},
};

const HOME: &str = "usr/lib/python3/dist-packages";

#[test]
fn metadata_is_read() {
    let found = fixture::catalog(
        &Pypi,
        &[
            (&format!("{HOME}/Sample_Pkg-1.0.dist-info/METADATA"), "pypi/METADATA"),
            (&format!("{HOME}/old-2.0.egg-info"), "pypi/PKG-INFO"),
            (&format!("{HOME}/METADATA"), "pypi/malformed"),
        ],
    );
    assert_eq!(fixture::purls(&found), ["pkg:pypi/old@2.0", "pkg:pypi/sample-pkg@1.0"]);
    assert!(found.gaps.is_empty());
    assert_eq!(found.packages.iter().map(|package| package.licences.join(" ")).collect::<Vec<_>>(), ["BSD", "Apache-2.0 OR MIT"]);
}

#[test]
fn purls_have_normal_names() {
    for (name, expected) in [("Zope.Interface", "zope-interface"), ("a__b-.c", "a-b-c"), ("X", "x")] {
        assert_eq!(purl(name, "1", &BTreeMap::new()).as_str(), format!("pkg:pypi/{expected}@1"));
    }
}

#[test]
fn damaged_metadata_is_told() {
    let found = fixture::catalog(&Pypi, &[("x/a.dist-info/METADATA", "pypi/malformed")]);
    assert!(found.packages.is_empty());
    assert_eq!(found.gaps.len(), 1);
}

#[test]
fn distributions_without_metadata_are_told() {
    let gaps = |files: &[(&str, &str)]| fixture::catalog(&Pypi, files).gaps.into_iter().map(|gap| gap.subject).collect::<Vec<_>>();
    assert_eq!(gaps(&[("x/a.dist-info/RECORD", "pypi/malformed"), ("x/a.dist-info/WHEEL", "pypi/malformed")]), ["x/a.dist-info"]);
    assert_eq!(gaps(&[("x/site-packages/a-1.egg", "pypi/malformed")]), ["x/site-packages/a-1.egg"]);
    let whole = [("x/a.dist-info/RECORD", "pypi/malformed"), ("x/a.dist-info/METADATA", "pypi/METADATA"), ("x/a.egg", "pypi/malformed")];
    assert!(gaps(&whole).is_empty());
    assert_eq!(gaps(&[("x/site-packages/a.egg-link", "pypi/link.egg-link")]), ["x/site-packages/a.egg-link"]);
    assert!(
        gaps(&[("x/site-packages/a.egg-link", "pypi/link.egg-link"), ("srv/quay/src/a.egg-info/PKG-INFO", "pypi/PKG-INFO")]).is_empty()
    );
}

#[test]
fn zipped_eggs_are_read() {
    let metadata = fixture::read("pypi/PKG-INFO");
    let egg = |name: &str| archive::fixture::archive(&[archive::fixture::deflated(name, &metadata), archive::fixture::stored("a.py", "")]);
    let (view, layers) = fixture::image(&[&[
        ("usr/lib/python3/site-packages/old-2.0-py3.egg", egg("EGG-INFO/PKG-INFO")),
        ("usr/lib/python3/site-packages/none-1.egg", egg("else/PKG-INFO")),
    ]]);
    let found = Pypi.catalog(&Context { view: &view, layers: &layers, distro: None });
    assert_eq!(fixture::purls(&found), ["pkg:pypi/old@2.0"]);
    let gaps: Vec<_> = found.gaps.iter().map(|gap| (gap.subject.as_str(), gap.reason.as_str())).collect();
    assert_eq!(gaps, [("usr/lib/python3/site-packages/none-1.egg", "is an egg without EGG-INFO/PKG-INFO")]);
    let crate::model::location::Location::Image { path, .. } = &found.packages[0].locations[0] else { panic!("no path") };
    assert_eq!(path, "usr/lib/python3/site-packages/old-2.0-py3.egg!/EGG-INFO/PKG-INFO");
}

#[test]
fn repositories_are_noted_without_passwords() {
    let found =
        fixture::catalog(&Pypi, &[("x/a.dist-info/METADATA", "pypi/METADATA"), ("x/a.dist-info/direct_url.json", "pypi/direct_url.json")]);
    assert_eq!(fixture::purls(&found), ["pkg:pypi/sample-pkg@1.0?vcs_url=git%2Bhttps:%2F%2Fcode.example%2Fquay%2Fsample.git%400123abc"]);
}

#[test]
fn lock_files_are_read() {
    let check = |path: &str, name: &str, expected: &[&str], gaps: usize| {
        let found = fixture::catalog(&Pypi, &[(path, name)]);
        assert_eq!(fixture::purls(&found), expected, "{name}");
        assert_eq!(found.gaps.len(), gaps, "{name}: {:?}", found.gaps);
        assert!(found.packages.iter().all(|package| package.basis == crate::model::package::Basis::Declared));
    };
    check("app/poetry.lock", "pypi/poetry.lock", &["pkg:pypi/keel-son@1.0.0", "pkg:pypi/rope@2.1"], 0);
    check("app/uv.lock", "pypi/uv.lock", &["pkg:pypi/keelson@1.0.0"], 0);
    check("app/pdm.lock", "pypi/pdm.lock", &["pkg:pypi/keelson@1.0.0"], 0);
    check("app/pylock.toml", "pypi/pylock.toml", &["pkg:pypi/keelson@1.0.0"], 0);
    check("app/Pipfile.lock", "pypi/Pipfile.lock", &["pkg:pypi/keelson@1.0.0", "pkg:pypi/rope@2.1"], 1);
    check("app/requirements-dev.txt", "pypi/requirements.txt", &["pkg:pypi/keelson@1.0.0", "pkg:pypi/rope@2.1", "pkg:pypi/zip@3"], 0);
    for name in ["poetry.lock", "uv.lock", "Pipfile.lock"] {
        check(&format!("app/{name}"), "pypi/malformed.lock", &[], 1);
    }
    check("usr/lib/python3/site-packages/x/poetry.lock", "pypi/poetry.lock", &[], 0);
}

#[test]
fn lock_files_stand_back_where_something_is_installed() {
    let found = fixture::catalog(&Pypi, &[("app/poetry.lock", "pypi/poetry.lock"), ("app/venv/lib/a.dist-info/METADATA", "pypi/METADATA")]);
    assert_eq!(fixture::purls(&found), ["pkg:pypi/sample-pkg@1.0"]);
}

#[test]
fn lock_files_are_told_by_name() {
    let check = |path: &str, expected: bool| assert_eq!(locks::is_lock(path), expected, "{path}");
    check("requirements.txt", true);
    check("app/requirements-dev.txt", true);
    check("app/dev-requirements.txt", true);
    check("app/myrequirements.txt", false);
    check("app/requirements.in", false);
    check("app/pylock.dev.toml", true);
    check("app/Cargo.lock", false);
}

/// Whatever is cut off or put in, reading ends, and nothing panics.
#[test]
fn damaged_lock_files_end() {
    let (view, layers) = fixture::image(&[&[]]);
    let context = Context { view: &view, layers: &layers, distro: None };
    for name in ["poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "requirements.txt"] {
        let whole = fixture::read(&format!("pypi/{name}"));
        for at in 0..whole.len() {
            let _ = locks::parse(name, &whole[..at], &context);
            let mut bytes = whole.clone();
            bytes[at] = b"\"{}[]\\,=\n\xff"[at % 10];
            let _ = locks::parse(name, &bytes, &context);
        }
    }
}

#[test]
fn questions_of_deep_paths_take_bounded_steps() {
    let deep = "a/".repeat(30_000);
    let traces: Vec<_> = (0..20).map(|number| format!("{deep}x{number}.dist-info/RECORD")).collect();
    let mut files: Vec<(&str, Vec<u8>)> = traces.iter().map(|path| (path.as_str(), b"x".to_vec())).collect();
    files.push(("b/x.dist-info/METADATA", b"Name: x\nVersion: 1\n\n".to_vec()));
    let limits = Limits { link_steps: 20_000_000, ..Limits::default() };
    let inputs = vec![layers_fixture::input(0, &layers_fixture::tar(&files))];
    let layers: Vec<_> = inputs.iter().map(|input| input.layer.clone()).collect();
    let view = walk(inputs, &Interests, &limits).unwrap();
    assert_eq!(view.unfollowed(), None);
    let found = Pypi.catalog(&Context { view: &view, layers: &layers, distro: None });
    // What cannot be looked up any more is looked at where it says that it is.
    assert_eq!((found.packages.len(), found.gaps.len()), (1, 20));
    assert!(view.unfollowed().is_some_and(|gap| gap.reason.contains("20000000")));
    assert!(view.lookup("b/x.dist-info/METADATA").is_some() && view.resolve("b").is_none());
}
