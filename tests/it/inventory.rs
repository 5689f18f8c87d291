//! Inventories of real images in OCI layouts, against what native tools say of them. The images are built outside of this repository:
//! `PLIMSOLL_IMAGES` is the folder that holds `oci/`, and `PLIMSOLL_TRUTH` holds `IMAGE.json` for each. `PLIMSOLL_SBOM_DIR` takes the bills of materials, for other tools to look at.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use plimsoll::{
    inventory,
    layers::{self, LayerInput, Limits},
    model::{
        digest::{Digest, Hasher},
        image::{Descriptor, ImageConfig, Layer, Manifest, Platform, PlatformChoice, ResolvedImage},
        package::Inventory,
        policy::Mode,
        reference::ImageReference,
        report::{PolicySummary, ScanReport},
        verdict::{Outcome, Verdict},
    },
    report::{CycloneDx, Reporter, Show, Style},
};
use serde_json::Value;

#[test]
fn real_images_hold_what_native_tools_list() {
    let (Some(images), Some(truth)) = (folder("PLIMSOLL_IMAGES"), folder("PLIMSOLL_TRUTH")) else { return };
    let only = env::var("PLIMSOLL_ONLY").ok();
    let explained = explained_differences();
    let mut wrong = Vec::new();
    for layout in layouts(&images) {
        let base = layout.file_name().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != base) || base.starts_with("hostile-") {
            continue;
        }
        for (place, manifest) in manifests(&layout).unwrap().into_iter().enumerate() {
            let name = if place == 0 { base.clone() } else { format!("{base}-{}", manifest.1) };
            let Ok(truth) = fs::read(truth.join(format!("{name}.json"))) else { continue };
            let truth: Value = serde_json::from_slice(&truth).unwrap();
            let begin = Instant::now();
            let image = resolve(&layout, &manifest.0).unwrap();
            let inventory = take(&layout, &image).unwrap();
            eprintln!("{name}: {} packages, {} ms", inventory.packages.len(), begin.elapsed().as_millis());
            for gap in &inventory.gaps {
                eprintln!("    {} {}: {}", gap.kind, gap.subject, gap.reason);
            }
            write_sbom(&name, image, &inventory);
            let expected = |kind: &str| matches!(kind, "apk" | "deb" | "rpm" | "npm" | "python");
            let ours: BTreeSet<_> = inventory.packages.iter().map(|p| key(p.kind.purl_type(), &p.name, &p.version)).collect();
            let native: BTreeSet<_> = truth["native"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|record| expected(record["type"].as_str().unwrap()))
                .map(|record| key(record["type"].as_str().unwrap(), record["name"].as_str().unwrap(), record["version"].as_str().unwrap()))
                .collect();
            wrong.extend(native.difference(&ours).map(|missing| format!("{name}: missing {missing:?}")));
            let extra = ours
                .difference(&native)
                .filter(|(kind, package, version)| !explained.contains(&(name.clone(), kind.clone(), package.clone(), version.clone())));
            wrong.extend(extra.map(|extra| format!("{name}: extra {extra:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Image, type, name and version of packages that are rightly listed although the native tool's list lacks them.
fn explained_differences() -> BTreeSet<(String, String, String, String)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/inventory/DIFFERENCES.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [image, kind, name, version, sentence] = cells.as_slice() else { panic!("not five cells: {line}") };
        assert!(!sentence.is_empty(), "{line}");
        ((*image).to_owned(), (*kind).to_owned(), (*name).to_owned(), (*version).to_owned())
    })
    .collect()
}

fn folder(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    if path.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    path
}

fn layouts(images: &Path) -> Vec<PathBuf> {
    let mut layouts: Vec<_> = fs::read_dir(images.join("oci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    layouts.sort();
    layouts
}

fn key(kind: &str, name: &str, version: &str) -> (String, String, String) {
    let kind = if kind == "python" { "pypi" } else { kind };
    let name = if kind == "pypi" { name.to_lowercase().replace(['_', '.'], "-") } else { name.to_owned() };
    (kind.to_owned(), name, version.to_owned())
}

fn blob(layout: &Path, descriptor: &Value, cap: u64) -> Result<Vec<u8>, String> {
    let digest = Digest::parse(descriptor["digest"].as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    let size = descriptor["size"].as_u64().unwrap_or_default();
    let path = layout.join("blobs").join(digest.algorithm().name()).join(digest.hex());
    if size > cap {
        return Err(format!("{size} bytes are too many for {digest}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    if bytes.len() as u64 != size || !digest.matches(&bytes) {
        return Err(format!("{digest} is not what it promises"));
    }
    Ok(bytes)
}

/// Digest and architecture of each image, through nested indexes.
fn manifests(layout: &Path) -> Result<Vec<(Value, String)>, String> {
    let index: Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let mut todo: Vec<(Value, usize)> =
        index["manifests"].as_array().cloned().unwrap_or_default().into_iter().rev().map(|d| (d, 1)).collect();
    let mut found = Vec::new();
    while let Some((descriptor, depth)) = todo.pop() {
        if depth > 4 {
            return Err("indexes are nested too deep".to_owned());
        }
        let body: Value = serde_json::from_slice(&blob(layout, &descriptor, 4 << 20)?).map_err(|e| e.to_string())?;
        if let Some(inner) = body["manifests"].as_array() {
            todo.extend(inner.iter().rev().map(|d| (d.clone(), depth + 1)));
            continue;
        }
        let config: Value = serde_json::from_slice(&blob(layout, &body["config"], 8 << 20)?).map_err(|e| e.to_string())?;
        if config["architecture"] != "unknown" {
            found.push((descriptor, config["architecture"].as_str().unwrap_or_default().to_owned()));
        }
    }
    Ok(found)
}

fn descriptor(value: &Value) -> Result<Descriptor, String> {
    Ok(Descriptor {
        media_type: value["mediaType"].as_str().unwrap_or_default().to_owned(),
        digest: Digest::parse(value["digest"].as_str().unwrap_or_default()).map_err(|error| error.to_string())?,
        size: value["size"].as_u64().unwrap_or_default(),
        urls: value["urls"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    })
}

fn resolve(layout: &Path, manifest: &Value) -> Result<ResolvedImage, String> {
    let body: Value = serde_json::from_slice(&blob(layout, manifest, 4 << 20)?).map_err(|e| e.to_string())?;
    let config: Value = serde_json::from_slice(&blob(layout, &body["config"], 8 << 20)?).map_err(|e| e.to_string())?;
    let layers: Vec<Descriptor> = body["layers"].as_array().into_iter().flatten().map(descriptor).collect::<Result<_, _>>()?;
    let diff_ids: Vec<Digest> = config["rootfs"]["diff_ids"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|id| Digest::parse(id.as_str().unwrap_or_default()).map_err(|e| e.to_string()))
        .collect::<Result<_, _>>()?;
    if layers.len() != diff_ids.len() {
        return Err(format!("{} layers, but {} diff ids", layers.len(), diff_ids.len()));
    }
    let platform = format!("{}/{}", config["os"].as_str().unwrap_or("linux"), config["architecture"].as_str().unwrap_or("amd64"));
    let own = descriptor(manifest)?;
    Ok(ResolvedImage {
        reference: ImageReference::parse(&format!("oci:{}", layout.file_name().unwrap().to_string_lossy())).unwrap(),
        index_digest: None,
        platform: Platform::parse(&platform).unwrap(),
        platform_choice: PlatformChoice::Only,
        layers: layers
            .iter()
            .zip(&diff_ids)
            .enumerate()
            .map(|(index, (d, id))| Layer { index, descriptor: d.clone(), diff_id: id.clone(), history: None, origin: None })
            .collect(),
        manifest: Manifest {
            digest: own.digest,
            media_type: own.media_type,
            size: own.size,
            config: descriptor(&body["config"])?,
            layers,
            annotations: BTreeMap::new(),
        },
        config: ImageConfig { created: config["created"].as_str().map(str::to_owned), diff_ids, ..ImageConfig::default() },
    })
}

fn take(layout: &Path, image: &ResolvedImage) -> Result<Inventory, String> {
    let inputs = image
        .layers
        .iter()
        .map(|layer| LayerInput { layer: layer.clone(), reader: Box::new(Blob::new(layout, &layer.descriptor)) })
        .collect();
    let view = layers::walk(inputs, &inventory::Interests, &Limits::default())
        .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)))?;
    Ok(inventory::catalog(&view, &image.layers))
}

/// A blob that is opened when it is first read, and checked at its end.
struct Blob {
    path: PathBuf,
    file: Option<File>,
    hasher: Option<Hasher>,
    digest: Digest,
    size: u64,
    read: u64,
}

impl Blob {
    fn new(layout: &Path, descriptor: &Descriptor) -> Self {
        let path = layout.join("blobs").join(descriptor.digest.algorithm().name()).join(descriptor.digest.hex());
        Self {
            path,
            file: None,
            hasher: Some(Hasher::new(descriptor.digest.algorithm())),
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            read: 0,
        }
    }
}

impl Read for Blob {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.file.is_none() {
            self.file = Some(File::open(&self.path)?);
        }
        let count = self.file.as_mut().unwrap().read(out)?;
        self.read += count as u64;
        if count > 0 {
            self.hasher.as_mut().unwrap().update(&out[..count]);
        } else if self.hasher.take().is_some_and(|hasher| self.read != self.size || hasher.finish() != self.digest) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is not what it promises", self.digest)));
        }
        Ok(count)
    }
}

fn write_sbom(name: &str, image: ResolvedImage, inventory: &Inventory) {
    let Some(folder) = env::var_os("PLIMSOLL_SBOM_DIR").map(PathBuf::from) else { return };
    let report = ScanReport {
        command: "scan",
        tool_version: env!("CARGO_PKG_VERSION"),
        evaluated_at: jiff::Timestamp::UNIX_EPOCH,
        source_date: None,
        policy: PolicySummary { name: String::new(), digest: Digest::sha256_of(b""), files: Vec::new(), mode: Mode::Enforce },
        image: Some(image),
        dockerfiles: Vec::new(),
        fixes: Vec::new(),
        inventory: Some(inventory.clone()),
        verification: None,
        sources: Vec::new(),
        verdict: Verdict {
            outcome: Outcome::Pass,
            findings: Vec::new(),
            gaps: Vec::new(),
            requirements: Vec::new(),
            exceptions: Vec::new(),
        },
        exit_code: 0,
    };
    let style = Style { colour: false, ascii: true, width: 80, show: Show::All };
    let mut out = Vec::new();
    CycloneDx::JSON.write(std::slice::from_ref(&report), &style, &mut out).unwrap();
    fs::write(folder.join(format!("{name}.cdx.json")), out).unwrap();
}

/// Databases of other scanners' tests with lists of what is in them.
#[test]
fn databases_of_the_corpus_hold_what_is_listed() {
    let Some(corpus) = folder("PLIMSOLL_CORPUS") else { return };
    let Ok(archive) = File::open(corpus.join("corpus/pkgdb.tar.gz")) else { return };
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(path, bytes);
    }
    let index: Value = serde_json::from_slice(&files["pkgdb/index.json"]).unwrap();
    let (mut checked, mut wrong) = (0, Vec::new());
    for record in index["entries"].as_array().unwrap() {
        let (kind, path) = (record["kind"].as_str().unwrap(), record["path"].as_str().unwrap());
        let place = match kind {
            "apk" => "lib/apk/db/installed",
            "dpkg" if path.contains("/status.d/") => "var/lib/dpkg/status.d/package",
            "dpkg" => "var/lib/dpkg/status",
            "python-metadata" => "lib/x.dist-info/METADATA",
            "rpm-sqlite-empty" => "var/lib/rpm/rpmdb.sqlite",
            _ => continue,
        };
        checked += 1;
        let inventory = inventory_of(&[(place, &files[&format!("pkgdb/{path}")])]);
        // The list holds every record; those without a version and those that dpkg says are gone are no installed packages.
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let gone = |row: &Value| matches!(text(&row["status"]).split(' ').nth(2), Some("config-files" | "not-installed"));
        let Some(expected) = record["expected"].as_array() else { continue };
        let expected: BTreeSet<_> = expected
            .iter()
            .filter(|row| row["version"] != "" && !gone(row))
            .map(|row| (text(&row["name"]), text(&row["version"]), text(&row["arch"])))
            .collect();
        let found: BTreeSet<_> = inventory
            .packages
            .iter()
            .map(|package| (package.name.clone(), package.version.clone(), package.arch.clone().unwrap_or_default()))
            .collect();
        if found != expected {
            wrong.push(format!("{path}: expected {expected:?}, found {found:?} and {:?}", inventory.gaps));
        }
    }
    eprintln!("{checked} databases, {} not as listed", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn inventory_of(files: &[(&str, &[u8])]) -> Inventory {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    let bytes = archive.into_inner().unwrap();
    let digest = Digest::sha256_of(&bytes);
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size: 0,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    };
    let layer = Layer { index: 0, descriptor, diff_id: digest, history: None, origin: None };
    let input = LayerInput { layer: layer.clone(), reader: Box::new(io::Cursor::new(bytes)) };
    inventory::catalog(&layers::walk(vec![input], &inventory::wants, &Limits::default()).unwrap(), &[layer])
}
