//! Whose shards a run judges by: with a signer demanded, what nobody trusted has signed never decides, wherever it lies and whatever it says of itself.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    program::{Run, plimsoll, plimsoll_with, root, testdata},
    real_registry::{Access, RealRegistry},
};

/// The id that an honest database finds.
const ID: &str = "PLIM-2026-8001";

/// A registry with a signed database, and one that somebody else made, which calls itself newer and knows nothing.
struct World {
    registry: RealRegistry,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Option<Self> {
        let registry = RealRegistry::start(Access::Plain)?;
        let world = Self { registry, folder: tempfile::tempdir().expect("folder") };
        world.build("honest", "2026-10-01T00:00:00Z", "left-anchor");
        world.build("evil", "2026-11-20T00:00:00Z", "right-anchor");
        let document = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            { "type": "library", "name": "left-anchor", "version": "1.0.0", "purl": "pkg:npm/left-anchor@1.0.0", "bom-ref": "a" },
        ] });
        fs::write(world.path("bom.cdx.json"), document.to_string()).expect("document");
        let key = testdata("verify/keys/p256.key").display().to_string();
        plimsoll(&["db", "push", &world.place("127.0.0.1"), "--key", &key, "--db", &world.text("honest")]).expect(0).says("signed");
        Some(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The artifact by one of the registry's names; it is signed as the one with the address.
    fn place(&self, name: &str) -> String {
        format!("{}/team/db:v1", self.registry.host.replace("127.0.0.1", name))
    }

    fn build(&self, name: &str, modified: &str, package: &str) {
        let feeds = self.path(&format!("feeds-{name}"));
        fs::create_dir_all(feeds.join("npm")).expect("folder");
        let mut archive = zip::ZipWriter::new(fs::File::create(feeds.join("npm/all.zip")).expect("archive"));
        archive.start_file(format!("{ID}.json"), zip::write::SimpleFileOptions::default()).expect("member");
        let record = json!({ "id": ID, "modified": modified, "affected": [{
            "package": { "ecosystem": "npm", "name": package },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "9.0.0" }] }],
        }] });
        archive.write_all(record.to_string().as_bytes()).expect("record");
        archive.finish().expect("archive");
        plimsoll(&["db", "build", "--from", &feeds.display().to_string(), "--db", &self.text(name)]).expect(0);
    }

    /// A fresh folder with the signed database.
    fn pulled(&self, name: &str) -> String {
        let folder = self.text(name);
        plimsoll(&["db", "pull", &self.place("127.0.0.1"), "--signed-by", &key(), "--db", &folder]).expect(0).says("signed by");
        folder
    }

    /// Puts the other shards in the place of those that are there, as anybody could who may write.
    fn plant(&self, folder: &str) {
        for entry in fs::read_dir(self.path("evil")).expect("folder") {
            let entry = entry.expect("entry");
            if entry.file_name().to_string_lossy().contains(".plim") {
                fs::copy(entry.path(), Path::new(folder).join(entry.file_name())).expect("copy");
            }
        }
    }

    fn scan(&self, options: &[&str], environment: &[(&str, &str)]) -> Run {
        let document = format!("sbom:{}", self.text("bom.cdx.json"));
        let mut args = vec!["scan", document.as_str(), "--output", "json", "--registry-timeout", "20"];
        args.extend_from_slice(options);
        plimsoll_with(&args, environment, &root())
    }
}

fn key() -> String {
    testdata("verify/keys/p256.pub").display().to_string()
}

/// Whether the run found the problem, and the Gaps that it reported.
#[track_caller]
fn outcome(run: &Run) -> (bool, String) {
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no report: {}", run.stderr));
    (report["findings"].to_string().contains(ID), report["gaps"].to_string())
}

#[test]
fn shards_that_nobody_trusted_signed_never_decide() {
    let Some(world) = World::new() else { return };
    let (place, key) = (world.place("127.0.0.1"), key());
    let folder = world.text("db");
    let signed = ["--db-from", &place, "--db-signed-by", &key, "--db", &folder];
    let down = ["--db-from", "127.0.0.1:1/team/db:v1", "--db-signed-by", &key, "--db", &folder];
    assert!(outcome(&world.scan(&signed, &[])).0);
    assert!(outcome(&world.scan(&down, &[])).0, "no registry answers: what is signed serves");
    world.plant(&folder);
    let run = world.scan(&down, &[]);
    let (found, gaps) = outcome(&run);
    assert!(!found && gaps.contains("untrusted-database") && run.code != 0, "{gaps}");
    assert!(!run.stdout.contains("database.signature"), "nothing that was used is signed");
    assert!(outcome(&world.scan(&signed, &[])).0, "it calls itself newer, and is replaced");
    // A shard that the artifact lacks is nobody's, either.
    world.plant(&folder);
    fs::rename(Path::new(&folder).join("npm.plimdb"), Path::new(&folder).join("extra.plimdb")).expect("rename");
    let (found, gaps) = outcome(&world.scan(&signed, &[]));
    assert!(!found && gaps.contains("extra"), "{gaps}");
    fs::remove_file(Path::new(&folder).join("extra.plimdb")).expect("remove");
    world.plant(&folder);
    plimsoll(&["db", "pull", &place, "--signed-by", &key, "--db", &folder]).expect(0).says("fetched     npm");
    plimsoll(&["db", "verify", "--signed-by", &key, "--db", &folder]).expect(0).says("ok    npm");
    // Who allows it gets it, and the report does not call it signed.
    world.plant(&folder);
    let run = world.scan(&["--db-from", &place, "--db-signed-by", &key, "--allow-unsigned-db", "--db", &folder], &[]);
    assert!(!outcome(&run).0 && run.stdout.contains("not of this artifact, and not checked: npm"), "{}", run.stdout);
}

#[test]
fn a_folder_is_verified_where_a_signer_or_a_digest_is_demanded() {
    let Some(world) = World::new() else { return };
    let key = key();
    let folder = world.pulled("db");
    let run = world.scan(&["--db", &folder, "--db-signed-by", &key], &[]);
    assert!(outcome(&run).0 && run.stdout.contains("signed by"), "{}", run.stdout);
    let other = testdata("verify/keys/ed25519.pub").display().to_string();
    world.scan(&["--db", &folder, "--db-signed-by", &other], &[]).expect(2).complains("is not signed by whom it must be");
    world.scan(&["--db", &folder, "--db-signed-by", "absent.pub"], &[]).expect(2).complains("neither a file nor a signer");
    let provenance = Path::new(&folder).join("provenance.json");
    let text = fs::read_to_string(&provenance).expect("provenance");
    let record: Value = serde_json::from_str(&text).expect("JSON");
    let digest = record["shards"]["npm"]["artifact"].as_str().expect("digest").to_owned();
    assert!(outcome(&world.scan(&["--db", &folder, "--db-digest", &digest], &[])).0);
    world.plant(&folder);
    // The record of pulls is a file like any other.
    let status = plimsoll(&["db", "status", "--db", &folder, "--json"]).expect(0);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    let planted = status["shards"][0]["digest"].as_str().expect("digest");
    fs::write(&provenance, text.replace(record["shards"]["npm"]["digest"].as_str().expect("digest"), planted)).expect("provenance");
    world.scan(&["--db", &folder, "--db-digest", &digest], &[]).expect(2).complains("is pinned to");
    world.scan(&["--db", &folder, "--db-signed-by", &key], &[]).expect(2).complains("is not signed by whom it must be");
    world.scan(&["--db", &folder], &[("PLIMSOLL_DB_SIGNED_BY", &key)]).expect(2).complains("is not signed by whom it must be");
    let run = world.scan(&["--db", &folder], &[]);
    assert!(!outcome(&run).0 && !run.stdout.contains(&digest), "nobody says that it is of that artifact");
}

#[test]
fn a_copy_is_known_by_what_it_is_signed_as_and_the_environment_names_the_place() {
    let Some(world) = World::new() else { return };
    let (copy, key) = (world.place("localhost"), key());
    let name = format!("{}/team/db", world.registry.host);
    let environment = [("PLIMSOLL_DB_FROM", copy.as_str()), ("PLIMSOLL_DB_SIGNED_BY", key.as_str())];
    let (found, gaps) = outcome(&world.scan(&["--db", &world.text("a")], &environment));
    assert!(!found && gaps.contains("untrusted-database") && gaps.contains("invalid.reference"), "{gaps}");
    assert!(outcome(&world.scan(&["--db", &world.text("a"), "--db-signed-as", &name], &environment)).0);
    let policy = world.text("policy.yaml");
    let text = format!(
        "version: 1\nextends: builtin:baseline\nname: copies\nreferences:\n  \"{}/team/db\": \"{name}\"\n",
        copy.trim_end_matches("/team/db:v1")
    );
    fs::write(&policy, text).expect("policy");
    assert!(outcome(&world.scan(&["--db", &world.text("b"), "--policy", &policy], &environment)).0);
    // What does not use the database is not told to fetch one.
    world.scan(&["--no-offline"], &environment);
    world.scan(&["--db-from", "oci:absent", "--db-signed-by", &key], &[]).expect(2).complains("there is no `absent`");
    let run = plimsoll(&["db", "pull", &copy, "--signed-by", &key, "--registry-timeout", "18446744073709551615"]).expect(2);
    assert!(run.stderr.contains("18446744073709551615") && !run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_file_does_not_take_the_place_of_a_signer() {
    let Some(world) = World::new() else { return };
    let folder = world.pulled("db");
    let policy =
        format!("version: 1\nextends: builtin:baseline\nname: signers\nsigners:\n  acme: {{ key: \"{}\", log: allow-missing }}\n", key());
    fs::write(world.path("policy.yaml"), policy).expect("policy");
    let verify = |signer: &str| {
        plimsoll_with(&["db", "verify", "--policy", "policy.yaml", "--signed-by", signer, "--db", &folder], &[], world.folder.path())
    };
    verify("acme").expect(0).says("ok    npm");
    fs::copy(testdata("verify/keys/ed25519.pub"), world.path("acme")).expect("copy");
    verify("acme").expect(2).complains("both a signer of the policy and a file");
    verify("./acme").expect(1).says("BAD   npm");
}
