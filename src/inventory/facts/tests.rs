//! Images made of a few files with permissions, and what is said of them besides packages.

use super::*;
use crate::{
    inventory::{Interests, catalog},
    layers::{Limits, fixture, walk},
    model::facts::ToolUse,
};

const DPKG: &str = "Package: util-linux\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.38.1-5\n\nPackage: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n";
const RELEASE: &str = "ID=debian\nVERSION_ID=12\n";

fn found(layers: &[&[(&str, u32, &str)]]) -> ImageFacts {
    let files = |layer: &&[(&str, u32, &str)]| -> Vec<(String, u32, Vec<u8>)> {
        layer.iter().map(|(path, mode, text)| ((*path).to_owned(), *mode, text.as_bytes().to_vec())).collect()
    };
    let tars = layers.iter().map(|layer| {
        let files = files(layer);
        let files: Vec<_> = files.iter().map(|(path, mode, bytes)| (path.as_str(), *mode, bytes.clone())).collect();
        fixture::tar_with_modes(&files)
    });
    let inputs: Vec<_> = tars.enumerate().map(|(index, tar)| fixture::input(index, &tar)).collect();
    let layers: Vec<Layer> = inputs.iter().map(|input| input.layer.clone()).collect();
    let view = walk(inputs, &Interests, &Limits { scanned_file_bytes: 1 << 20, ..Limits::default() }).unwrap();
    let inventory = catalog(&view, &layers);
    facts(&view, &layers, &inventory)
}

fn debian() -> Vec<(&'static str, u32, &'static str)> {
    vec![
        ("etc/os-release", 0o644, RELEASE),
        ("var/lib/dpkg/status", 0o644, DPKG),
        ("var/lib/dpkg/info/util-linux.list", 0o644, "/.\n/bin/su\n/etc/app.conf\n/opt/x/token.txt\n"),
        ("usr/bin/su", 0o4755, "x"),
    ]
}

#[test]
fn permissions_come_with_the_package_that_brought_them() {
    let mut base = debian();
    base.extend([("dev/null", 0o666, ""), ("tmp/", 0o1777, ""), ("srv/open/", 0o777, ""), ("usr/bin/helper", 0o2755, "x")]);
    let found = found(&[&base, &[("app/world", 0o666, "x")]]);
    let modes: Vec<_> = found.modes.iter().map(|fact| (fact.path.as_str(), fact.mode, fact.owner.as_deref())).collect();
    assert_eq!(
        modes,
        [
            ("app/world", 0o666, None),
            ("srv/open", 0o777, None),
            ("usr/bin/helper", 0o2755, None),
            ("usr/bin/su", 0o4755, Some("util-linux"))
        ]
    );
    assert!(matches!(found.modes[0].location, Location::Image { index: 1, .. }));
    assert_eq!(found.tools.iter().map(|tool| (tool.use_, tool.name.as_str())).collect::<Vec<_>>(), [(ToolUse::Shell, "bash")]);
}

#[test]
fn credentials_are_found_in_every_layer_and_not_in_packages() {
    let token = "DB_PASSWORD=kz7Rw4qvT\n";
    let mut base = debian();
    base.extend([("app/.env", 0o644, token), ("srv/.env", 0o644, token), ("srv/kept/.env", 0o644, token)]);
    let top: &[(&str, u32, &str)] = &[("app/.wh..env", 0o644, ""), ("srv/.env", 0o644, "DEBUG=1\n")];
    let found = found(&[&base, top, &[("srv/kept/.env", 0o644, token)]]);
    let secrets: Vec<_> = found.secrets.iter().map(|fact| (fact.path.as_str(), fact.fate, fact.locations.len())).collect();
    assert_eq!(secrets, [("app/.env", Fate::Hidden, 1), ("srv/.env", Fate::Hidden, 1), ("srv/kept/.env", Fate::Visible, 2)]);
    assert!(!format!("{:?}", found.secrets).contains("kz7"), "nothing of the value is kept");
    let owned = concat!("token: glpat-", "a8Zk2Lq9Xw3Nv7Bt5Rc1\n");
    let mut base = debian();
    base.extend([("opt/x/token.txt", 0o644, owned), ("etc/app.conf", 0o644, owned), ("srv/token.txt", 0o644, owned)]);
    let found = self::found(&[&base]);
    assert_eq!(found.secrets.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(), ["etc/app.conf", "srv/token.txt"]);
    assert!(found.secrets.iter().all(|fact| fact.shown == "glpa"));
}

#[test]
fn accounts_and_leftovers_are_read_where_links_lead() {
    let mut base = debian();
    base.extend([
        ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nadmin:x:0:0::/:/bin/sh\n"),
        ("etc/shadow", 0o640, "root::19000:0:::::\n"),
        ("var/lib/apt/lists/deb_dists_bookworm_InRelease", 0o644, "x"),
        ("var/lib/apt/lists/deb_dists_bookworm_main_binary-amd64_Packages", 0o644, "x"),
        ("var/lib/apt/lists/lock", 0o640, ""),
    ]);
    let found = found(&[&base]);
    assert_eq!(found.accounts.iter().map(|fact| fact.name.as_str()).collect::<Vec<_>>(), ["root", "admin"]);
    assert_eq!(found.leftovers.iter().map(|left| (left.manager, left.files)).collect::<Vec<_>>(), [("apt", 2)]);
    assert_eq!(self::found(&[&base, &[("var/lib/apt/.wh.lists", 0o644, "")]]).leftovers, []);
}

#[test]
fn files_that_nobody_needs_are_told_unless_a_package_brought_them() {
    let mut base = debian();
    base.extend([
        ("app/.git/HEAD", 0o644, "ref: refs/heads/main\n"),
        ("app/Dockerfile", 0o644, "FROM a\n"),
        ("opt/x/Dockerfile", 0o644, "FROM a\n"),
        ("app/node_modules/y/Dockerfile", 0o644, "FROM a\n"),
    ]);
    let list = ("var/lib/dpkg/info/util-linux.list", 0o644, "/.\n/bin/su\n/opt/x/Dockerfile\n");
    base.retain(|(path, _, _)| *path != list.0);
    base.push(list);
    let found = found(&[&base, &[("srv/.bash_history", 0o600, "ls\n")]]);
    assert_eq!(
        found.unneeded.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(),
        ["app/.git", "app/Dockerfile", "srv/.bash_history"]
    );
}

#[test]
fn what_was_written_over_a_package_is_not_the_packages() {
    let public = concat!("token: glpat-", "a8Zk2Lq9Xw3Nv7Bt5Rc1\n");
    let own = concat!("\n\ntoken: glpat-", "b9Zk2Lq9Xw3Nv7Bt5Rc2\n");
    let place = "opt/x/token.txt";
    let mut base = debian();
    base.push((place, 0o644, public));
    let check = |top: &[(&str, u32, &str)], secrets: &[(&str, usize)], su: Option<&str>| {
        let found = found(&[&base, top]);
        let layer = |location: &Location| if let Location::Image { index, .. } = location { *index } else { usize::MAX };
        let told: Vec<_> = found.secrets.iter().map(|fact| (fact.path.as_str(), layer(&fact.locations[0]))).collect();
        assert_eq!(told, secrets, "{top:?}");
        assert_eq!(found.modes.iter().map(|fact| fact.owner.as_deref()).collect::<Vec<_>>(), [su], "{top:?}");
    };
    check(&[], &[], Some("util-linux"));
    check(&[(place, 0o644, own)], &[(place, 1)], Some("util-linux"));
    // Copied up without a change, as chmod does.
    check(&[(place, 0o600, public)], &[], Some("util-linux"));
    check(&[("usr/bin/su", 0o4755, "another program")], &[], None);
    // Brought by a later version of the package.
    let upgraded = DPKG.replace("2.38.1-5", "2.38.1-6");
    let upgrade = [("var/lib/dpkg/status", 0o644, upgraded.as_str()), ("usr/bin/su", 0o4755, "y"), (place, 0o644, own)];
    check(&upgrade, &[], Some("util-linux"));
}
