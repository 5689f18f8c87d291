//! An image that passes must not go on to pass when the database that it passed by is not what it was (advisories.md B6): a shard is gone, too old,
//! or differs by one byte.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::program::{Run, plimsoll};

const IMAGE: &str = "oci:testdata/images/fixed:v1";
const POLICY: &str = "testdata/images/unsigned-policy.yaml";
/// The shards that the image needs.
const NEEDED: [&str; 4] = ["debian-12", "kev", "npm", "pypi"];

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("temporary folder") };
        plimsoll(&["db", "build", "--from", "testdata/advisory/osv", "--db", world.text(&world.database())]).expect(0);
        world
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    fn text<'a>(&self, path: &'a Path) -> &'a str {
        path.to_str().expect("UTF-8")
    }

    fn gate(&self, policy: &str) -> Run {
        plimsoll(&["gate", IMAGE, "--db", self.text(&self.database()), "--policy", policy, "-o", "json"])
    }

    /// Every file of the database that the gate may read.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.database()).expect("database");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("entry").path()).filter(|path| path.is_file()).collect();
        files.sort();
        files
    }
}

#[test]
fn a_missing_shard_never_passes() {
    let world = World::new();
    world.gate(POLICY).expect(0);
    for name in NEEDED {
        let shard = world.database().join(format!("{name}.plimdb"));
        let bytes = fs::read(&shard).expect("shard");
        fs::remove_file(&shard).expect("shard");
        let run = world.gate(POLICY);
        assert!(matches!(run.code, 2 | 3), "without {name}: exit {}\n{}{}", run.code, run.stdout, run.stderr);
        fs::write(&shard, bytes).expect("shard");
    }
    world.gate(POLICY).expect(0);
}

#[test]
fn old_data_never_passes() {
    let world = World::new();
    let policy = world.folder.path().join("policy.yaml");
    fs::write(&policy, "version: 1\nextends: builtin:baseline\nname: young\n").expect("policy");
    world.gate(world.text(&policy)).expect(3).says("\"stale\"");
}

#[test]
fn no_flipped_byte_passes_with_another_report() {
    let world = World::new();
    let sound = world.gate(POLICY).expect(0).stdout;
    let mut refused = 0;
    for file in world.files() {
        let bytes = fs::read(&file).expect("file");
        for at in (0..bytes.len()).step_by(61) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            fs::write(&file, damaged).expect("file");
            let run = world.gate(POLICY);
            assert!(run.code != 0 || run.stdout == sound, "byte {at} of {}: exit 0 and another report\n{}", file.display(), run.stdout);
            refused += usize::from(run.code != 0);
        }
        fs::write(&file, bytes).expect("file");
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(world.gate(POLICY).expect(0).stdout, sound);
}
