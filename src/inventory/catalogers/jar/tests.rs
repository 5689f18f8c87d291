//! Java archives, whole and damaged, in images.

use crate::{
    inventory::{
        archive::fixture::{Width, Written, archive, archive_with, deflated, stored},
        cataloger::{Cataloger as _, Context, Found},
        catalogers::jar::Jar,
        fixture,
    },
    layers::Want,
    model::location::Location,
};

fn catalog(files: &[(&str, Vec<u8>)]) -> Found {
    let (view, layers) = fixture::image(&[files]);
    let mut found = Jar.catalog(&Context { view: &view, layers: &layers, distro: None });
    found.packages.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    found
}

/// `path purl basis` of each package, and what is told.
fn told(found: &Found) -> (Vec<String>, String) {
    let path = |location: &Location| match location {
        Location::Image { path, .. } => path.clone(),
        _ => String::new(),
    };
    let packages = found.packages.iter().map(|package| {
        let places: Vec<String> = package.locations.iter().map(path).collect();
        format!("{} {} {}", places.join(" "), package.purl, package.basis.name())
    });
    let gaps: Vec<String> = found.gaps.iter().map(|gap| format!("{} {}: {}", gap.kind, gap.subject, gap.reason)).collect();
    (packages.collect(), gaps.join("; "))
}

fn check(files: &[(&str, Vec<u8>)], expected: &[&str], says: &str) {
    let (packages, said) = told(&catalog(files));
    assert_eq!(packages, expected, "{said}");
    assert!(if says.is_empty() { said.is_empty() } else { said.contains(says) }, "`{says}` expected: {said}");
}

fn pom(group: &str, artifact: &str, version: &str) -> Written {
    deflated(
        &format!("META-INF/maven/{group}/{artifact}/pom.properties"),
        format!("version={version}\ngroupId={group}\nartifactId={artifact}\n"),
    )
}

#[test]
fn archives_are_told_by_their_names() {
    let check = |path: &str, expected: bool| assert_eq!(matches!(Jar.wants(path), Want::Examine(_)), expected, "{path}");
    for path in ["a.jar", "app/A.WAR", "x.ear", "x.par", "x.sar", "x.nar", "x.hpi", "x.jpi", "x.kar", "x.aar", "x.lpkg", "x.rar"] {
        check(path, true);
    }
    for path in ["jar", "a.jar/x", "a.zip", "a.jar.sha1"] {
        check(path, false);
    }
}

#[test]
fn fixtures_are_read() {
    let found = fixture::catalog(&Jar, &[("app/lib/left-pad-1.3.0.jar", "jar/plain.jar"), ("app/empty.jar", "jar/silent.jar")]);
    assert_eq!(told(&found).0, ["app/lib/left-pad-1.3.0.jar pkg:maven/org.example/left-pad@1.3.0 installed"]);
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let package = &found.packages[0];
    assert_eq!((package.name.as_str(), package.licences.join(" ").as_str()), ("org.example:left-pad", "Apache-2.0"));
    let hash = crate::model::digest::Digest::sha256_of(&fixture::read("jar/plain.jar"));
    assert_eq!(package.hashes, [hash]);
    let found = fixture::catalog(&Jar, &[("app/app.war", "jar/nested.war")]);
    assert_eq!(
        told(&found),
        (vec!["app/app.war!/WEB-INF/lib/left-pad-1.3.0.jar pkg:maven/org.example/left-pad@1.3.0 installed".to_owned()], String::new())
    );
    let found = fixture::catalog(&Jar, &[("app/x.jar", "jar/malformed.jar")]);
    assert!(found.packages.is_empty() && found.gaps.len() == 1, "{found:?}");
}

#[test]
fn archives_inside_archives_are_read() {
    let library = archive(&[pom("g", "lib", "1"), stored("X.class", "x")]);
    for (inner, outer) in [
        (stored("WEB-INF/lib/lib-1.jar", &library), stored("web.war", [])),
        (deflated("WEB-INF/lib/lib-1.jar", &library), deflated("web.war", [])),
    ] {
        let war = archive(&[inner, stored("WEB-INF/empty.jar", ""), stored("WEB-INF/data.rar", "Rar!")]);
        let ear = archive(&[if outer.method == 0 { stored("web.war", &war) } else { deflated("web.war", &war) }]);
        check(&[("app/all.ear", ear)], &["app/all.ear!/web.war!/WEB-INF/lib/lib-1.jar pkg:maven/g/lib@1 installed"], "");
    }
    let boot = archive_with(b"#!/bin/bash\nexit\n", &[pom("g", "app", "2"), stored("BOOT-INF/lib/lib.jar", &library)], b"", Width::Short);
    check(&[("app.jar", boot)], &["app.jar pkg:maven/g/app@2 installed", "app.jar!/BOOT-INF/lib/lib.jar pkg:maven/g/lib@1 installed"], "");
}

#[test]
fn merged_archives_give_all_their_artifacts() {
    let jar = archive(&[
        stored("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n"),
        pom("g", "a", "1"),
        pom("h", "b", "2"),
        stored(
            "META-INF/maven/i/c/pom.xml",
            "<project><artifactId>c</artifactId><parent><groupId>i</groupId><version>3</version></parent></project>",
        ),
        stored("META-INF/versions/9/META-INF/maven/h/b/pom.properties", "version=9\n"),
        stored("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Version: 1\n"),
    ]);
    let found = catalog(&[("a-1.jar", jar)]);
    assert_eq!(
        told(&found),
        (
            vec!["a-1.jar pkg:maven/g/a@1 installed", "a-1.jar pkg:maven/h/b@2 installed", "a-1.jar pkg:maven/i/c@3 installed"]
                .into_iter()
                .map(str::to_owned)
                .collect(),
            String::new()
        )
    );
    assert_eq!(found.packages.iter().map(|package| package.hashes.len()).collect::<Vec<_>>(), [1, 0, 0]);
}

#[test]
fn what_cannot_be_read_is_told() {
    check(&[("x.jar", b"no archive".to_vec())], &[], "record-unreadable x.jar: is no zip archive");
    check(&[("x.jar", Vec::new()), ("x.rar", b"Rar!".to_vec())], &[], "");
    let broken = archive(&[stored("lib/a.jar", "no archive"), pom("g", "a", "1")]);
    check(&[("x.jar", broken)], &["x.jar pkg:maven/g/a@1 installed"], "record-unreadable x.jar!/lib/a.jar: is no zip archive");
    let big = archive(&[deflated("META-INF/maven/g/a/pom.properties", vec![b'\n'; 1 << 20])]);
    check(&[("x.jar", big)], &[], "file-limit x.jar: `META-INF/maven/g/a/pom.properties` in it has 1048576 bytes; the limit is 65536");
    let mut deep = archive(&[pom("g", "deepest", "1")]);
    for _ in 0..20 {
        deep = archive(&[stored("x.jar", deep)]);
    }
    check(&[("x.jar", deep)], &[], "x.jar!/x.jar!/x.jar!/x.jar!/x.jar!/x.jar!/x.jar!/x.jar: stands deeper than the limit of 8");
}

#[test]
fn unpacked_archives_are_read() {
    let record = "srv/ROOT/META-INF/maven/g/a/pom.properties";
    check(&[(record, b"version=1\n".to_vec())], &[&format!("{record} pkg:maven/g/a@1 installed")], "");
    check(&[(record, b"artifactId=a\n".to_vec())], &[], "record-unreadable srv/ROOT/META-INF/maven/g/a/pom.properties: names no");
    check(&[("srv/META-INF/maven/pom.properties", b"version=1\n".to_vec())], &[], "");
}

#[test]
fn an_archive_belongs_to_the_layer_since_which_it_is_the_same() {
    let (first, second) = (archive(&[pom("g", "a", "1")]), archive(&[pom("g", "a", "2")]));
    let layer = |jars: &[&Vec<u8>]| {
        let files: Vec<[(&str, Vec<u8>); 1]> = jars.iter().map(|jar| [("a.jar", (*jar).clone())]).collect();
        let slices: Vec<&[(&str, Vec<u8>)]> = files.iter().map(<[_; 1]>::as_slice).collect();
        let (view, layers) = fixture::image(&slices);
        let found = Jar.catalog(&Context { view: &view, layers: &layers, distro: None });
        match found.packages[0].locations[..] {
            [Location::Image { index, .. }] => index,
            _ => usize::MAX,
        }
    };
    assert_eq!(layer(&[&first, &first]), 0);
    assert_eq!(layer(&[&first, &second]), 1);
    assert_eq!(layer(&[&second, &first, &first]), 1);
}
