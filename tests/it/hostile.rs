//! Hostile images: everything about them may lie, and each ends as its row says: read (as if nothing were wrong), gap (the inventory says what
//! could not be read and holds the rest) or refuse (these are not the promised bytes). The images of the list are built outside of this
//! repository: `PLIMSOLL_HOSTILE` is the folder with `hostile.tsv` and `oci/`, and `PLIMSOLL_IMAGES` has five more. The others are made here.

mod archives;
mod cases;
pub(crate) mod layout;
mod limits;
pub(crate) mod tars;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use plimsoll::{
    Error,
    model::{
        coverage::{Gap, SourceId},
        image::Platform,
        location::Location,
        reference::ImageReference,
        report::ScanReport,
    },
    pipeline::{self, ImageInput, Inputs, Limits, Platforms, Wanted},
    policy,
    progress::{SharedProgress, Silent},
    registry,
};

use layout::{Layout, Lies, base, gzip};
use tars::Tar;

/// How an image ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Read,
    Gap,
    Refuse,
}

/// One image and what becomes of it.
struct Case {
    name: &'static str,
    ends: Ends,
    /// What a Gap or the error has to say; empty where nothing is said.
    says: &'static str,
    /// Names of packages that must be found, and of those that must not.
    found: &'static str,
    absent: &'static str,
    limits: fn(&mut Limits),
    write: fn(&Layout),
}

const fn read(name: &'static str, found: &'static str, absent: &'static str, write: fn(&Layout)) -> Case {
    Case { name, ends: Ends::Read, says: "", found, absent, limits: |_| {}, write }
}

const fn gap(name: &'static str, says: &'static str, found: &'static str, absent: &'static str, write: fn(&Layout)) -> Case {
    Case { name, ends: Ends::Gap, says, found, absent, limits: |_| {}, write }
}

const fn refuse(name: &'static str, says: &'static str, write: fn(&Layout)) -> Case {
    Case { name, ends: Ends::Refuse, says, found: "", absent: "", limits: |_| {}, write }
}

/// What became of an image.
struct Ended {
    ends: Ends,
    names: BTreeSet<String>,
    gaps: Vec<Gap>,
    /// The error and its causes, or all Gaps.
    says: String,
}

impl Ended {
    fn of(result: Result<ScanReport, Error>) -> Self {
        match result {
            Err(error) => {
                let mut says = error.to_string();
                let mut cause = error.source();
                while let Some(error) = cause {
                    says = format!("{says}: {error}");
                    cause = error.source();
                }
                Self { ends: Ends::Refuse, names: BTreeSet::new(), gaps: Vec::new(), says }
            }
            Ok(report) => {
                let gaps: Vec<Gap> = report.verdict.gaps.iter().map(|judged| judged.gap.clone()).collect();
                let names = report.inventory.iter().flat_map(|inventory| &inventory.packages).map(|package| package.name.clone());
                let says = gaps.iter().map(|gap| format!("{} {}: {}\n", gap.kind, gap.subject, gap.reason)).collect();
                Self { ends: if gaps.is_empty() { Ends::Read } else { Ends::Gap }, names: names.collect(), gaps, says }
            }
        }
    }

    /// What is not as it should be.
    fn misses(&self, ends: Ends, says: &str, found: &str, absent: &str) -> Option<String> {
        let as_said = self.ends == ends
            && self.says.contains(says)
            && found.split_whitespace().all(|name| self.names.contains(name))
            && !absent.split_whitespace().any(|name| self.names.contains(name));
        (!as_said).then(|| {
            format!(
                "expected {ends:?} `{says}` with {found} without {absent}, ended as {:?} with {:?}\n{}",
                self.ends, self.names, self.says
            )
        })
    }
}

/// Takes the inventory of a layout as the command line does.
fn inventory(layout: &Path, limits: Limits) -> Result<ScanReport, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let progress: SharedProgress = Arc::new(Silent);
    let reference = ImageReference::OciLayout { path: layout.to_owned(), tag: None };
    runtime.block_on(async {
        let source = registry::open(&reference, &registry::Options::default(), progress.clone()).await?;
        let host = Platform::parse("linux/amd64").expect("platform");
        pipeline::run(Inputs {
            command: "inventory",
            stages: BTreeSet::from([SourceId::Image, SourceId::Inventory]),
            image: Some(ImageInput {
                reference,
                source,
                platforms: Platforms::Host(host),
                inventory: Wanted::Yes,
                cache: None,
                base: None,
            }),
            dockerfiles: Vec::new(),
            sources: Vec::new(),
            verifier: None,
            signer_fingerprints: BTreeMap::new(),
            policy: policy::load::load(&["builtin:baseline".to_owned()])?,
            now: jiff::Timestamp::UNIX_EPOCH,
            source_date: Some(jiff::Timestamp::UNIX_EPOCH),
            files: Wanted::No,
            limits,
            progress,
        })
        .await
        .map(|reports| reports.into_iter().next().expect("one report"))
    })
}

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let layout = Layout::new();
        (case.write)(&layout);
        let mut limits = Limits::default();
        (case.limits)(&mut limits);
        let begin = Instant::now();
        let ended = Ended::of(inventory(layout.path(), limits));
        eprintln!("{:<28} {:?} {} ms", case.name, ended.ends, begin.elapsed().as_millis());
        wrong.extend(ended.misses(case.ends, case.says, case.found, case.absent).map(|miss| format!("{}: {miss}", case.name)));
    }
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "every case has a name of its own");
    assert!(wrong.is_empty(), "{} of {} not as expected\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn images_made_here_end_as_their_rows_say() {
    check(cases::CASES);
}

#[test]
fn java_archives_end_as_their_rows_say() {
    check(archives::CASES);
}

#[test]
fn every_limit_is_told_with_its_number() {
    check(limits::CASES);
}

#[test]
fn images_of_the_list_end_as_it_says() {
    let Some(folder) = folder("PLIMSOLL_HOSTILE") else { return };
    let list = fs::read_to_string(folder.join("hostile.tsv")).expect("hostile.tsv");
    let rows = list.lines().map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, outcome, found, absent, _] = cells.as_slice() else { panic!("not five cells: {line}") };
        let ends = match *outcome {
            "read" => Ends::Read,
            "gap" => Ends::Gap,
            "refuse" => Ends::Refuse,
            other => panic!("unknown outcome {other}"),
        };
        (*name, ends, found.trim_matches('-'), absent.trim_matches('-'))
    });
    check_built(&folder, rows);
}

#[test]
fn hostile_images_beside_the_real_ones_end_as_designed() {
    let Some(folder) = folder("PLIMSOLL_IMAGES").filter(|folder| folder.join("oci/hostile-names").is_dir()) else {
        eprintln!("skipped: PLIMSOLL_IMAGES holds no hostile images");
        return;
    };
    // An image of nothing but zeros is read, and then it is a gap of another kind that no package is in it.
    let rows = [
        ("hostile-names", Ends::Gap, "dup folded", "noversion half bad"),
        ("hostile-gzipbomb", Ends::Read, "", ""),
        ("hostile-digest", Ends::Refuse, "", ""),
        ("hostile-short", Ends::Refuse, "", ""),
        ("hostile-digest-valid", Ends::Refuse, "", ""),
    ];
    check_built(&folder, rows.into_iter());
}

fn check_built<'a>(folder: &Path, rows: impl Iterator<Item = (&'a str, Ends, &'a str, &'a str)>) {
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, ends, found, absent) in rows {
        let begin = Instant::now();
        let mut ended = Ended::of(inventory(&folder.join("oci").join(name), Limits::default()));
        eprintln!("{name:<28} {:?} {} ms {}", ended.ends, begin.elapsed().as_millis(), ended.says.trim_end());
        if ended.names.is_empty() && ended.gaps.iter().all(|gap| gap.kind == "nothing-inventoried") && ended.ends == Ends::Gap {
            ended.ends = Ends::Read;
        }
        count += 1;
        wrong.extend(ended.misses(ends, "", found, absent).map(|miss| format!("{name}: {miss}")));
    }
    assert!(wrong.is_empty(), "{} of {count} not as listed\n{}", wrong.len(), wrong.join("\n"));
}

fn folder(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    if path.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    path
}

#[test]
fn a_foreign_layer_below_shifts_no_package_to_another_layer() {
    let layout = Layout::new();
    let lies = Lies {
        config: |config| config["rootfs"]["diff_ids"].as_array_mut().unwrap().insert(0, format!("sha256:{}", "2".repeat(64)).into()),
        manifest: |manifest| {
            let foreign = serde_json::json!({
                "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                "digest": format!("sha256:{}", "1".repeat(64)), "size": 10, "urls": ["https://example.invalid/layer"],
            });
            manifest["layers"].as_array_mut().unwrap().insert(0, foreign);
        },
        ..Lies::default()
    };
    let own = layout.image_with(&[base(), gzip(Tar::new().npm("good").end())], &lies);
    let report = inventory(layout.path(), Limits::default()).expect("readable image");
    let found = report.inventory.expect("inventory");
    let place = |name: &str| {
        let package = found.packages.iter().find(|package| package.name == name).expect(name);
        match package.locations.as_slice() {
            [Location::Image { layer, index, .. }] => (*index, layer.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let digest = |place: usize| own[place]["digest"].as_str().unwrap().to_owned();
    assert_eq!(place("musl"), (1, digest(0)));
    assert_eq!(place("good"), (2, digest(1)));
}

/// A layer cut anywhere, and a layer with any byte changed, is still a layer to which an answer is given.
#[test]
fn damage_anywhere_gets_an_answer() {
    use plimsoll::{
        inventory, layers,
        layers::LayerInput,
        model::digest::Digest,
        model::image::{Descriptor, Layer},
    };
    let whole = layout::alpine()
        .npm("good")
        .pax(&[("path", b"node_modules/pax/package.json")])
        .file("x", tars::manifest("pax"))
        .long(b'L', b"node_modules/long/package.json")
        .file("x", tars::manifest("long"))
        .symlink("srv", "opt")
        .hardlink(&tars::record("hard"), &tars::record("good"))
        .folder("opt")
        .file("opt/.wh.x", "")
        .end();
    let answer = |bytes: Vec<u8>| {
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
        let layer = Layer { index: 0, descriptor, diff_id: digest, history: None, origin: None };
        let input = LayerInput { layer: layer.clone(), reader: Box::new(std::io::Cursor::new(bytes)) };
        // An error is an answer too: bytes that look compressed hash to something else than the diff id.
        layers::walk(vec![input], &inventory::wants, &Limits { threads: 1, ..Limits::default() })
            .map(|view| inventory::catalog(&view, &[layer]).packages.len())
    };
    assert_eq!(answer(whole.clone()).ok(), Some(5));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        let _ = answer(changed);
        if at % 3 == 0 {
            let _ = answer(whole[..at].to_vec());
        }
    }
}
