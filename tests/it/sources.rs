//! Every place that an image is read from: one small image in all of them gives one report, and what cannot be read says why.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    aws_replay::{self, Scenario},
    docker_api::{DockerApi, Manner},
    program::{Run, plimsoll, plimsoll_with, root, testdata},
};

/// An entry of a tar.
enum Entry {
    File(Vec<u8>),
    Link(&'static str),
}

/// The members of an archive in their order.
type Members = Vec<(String, Entry)>;

fn tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, entry) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        match entry {
            Entry::File(bytes) => {
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, name, bytes.as_slice()).expect("member");
            }
            Entry::Link(target) => {
                header.set_size(0);
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, name, target).expect("link");
            }
        }
    }
    builder.into_inner().expect("tar")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().expect("digest").replace(':', "/");
    fs::read(layout.join("blobs").join(digest)).expect("blob")
}

/// An image of `testdata/images`, taken apart.
struct Image {
    manifest: Value,
    config: Vec<u8>,
    layers: Vec<Vec<u8>>,
    layout: Members,
}

impl Image {
    fn read(name: &str) -> Self {
        let layout = testdata("images").join(name);
        let index = json_of(&fs::read(layout.join("index.json")).expect("index"));
        let manifest = json_of(&blob(&layout, &index["manifests"][0]));
        let layers = manifest["layers"].as_array().expect("layers").iter().map(|layer| blob(&layout, layer)).collect();
        let mut members = Members::new();
        for entry in ["index.json", "oci-layout"] {
            members.push((entry.to_owned(), Entry::File(fs::read(layout.join(entry)).expect("file"))));
        }
        let mut blobs: Vec<PathBuf> =
            fs::read_dir(layout.join("blobs/sha256")).expect("blobs").map(|entry| entry.expect("blob").path()).collect();
        blobs.sort();
        for path in blobs {
            let name = format!("blobs/sha256/{}", path.file_name().expect("name").to_string_lossy());
            members.push((name, Entry::File(fs::read(path).expect("blob"))));
        }
        Self { config: blob(&layout, &manifest["config"]), manifest, layers, layout: members }
    }

    /// `index.json`, `oci-layout` and blobs.
    fn oci_archive(self) -> Members {
        self.layout
    }

    /// As `docker save` writes it since version 25: a layout with a `manifest.json`.
    fn new_docker_archive(self) -> Members {
        let path = |descriptor: &Value| format!("blobs/{}", descriptor["digest"].as_str().expect("digest").replace(':', "/"));
        let layers: Vec<String> = self.manifest["layers"].as_array().expect("layers").iter().map(path).collect();
        let listing = json!([{ "Config": path(&self.manifest["config"]), "RepoTags": ["harbour/app:v1"], "Layers": layers }]);
        let mut members = self.layout;
        members.push(("manifest.json".to_owned(), Entry::File(listing.to_string().into_bytes())));
        members
    }

    /// As older versions write it: a folder per layer, one of them behind a link. Layers are as in the layout, or plain.
    fn old_docker_archive(self, plain: bool) -> Members {
        let mut members = Members::new();
        let mut names = Vec::new();
        for (place, layer) in self.layers.into_iter().enumerate() {
            let bytes = if plain { inflated(&layer) } else { layer };
            let name = format!("{place:064}/layer.tar");
            if place == 0 {
                members.push(("shared/layer.tar".to_owned(), Entry::File(bytes)));
                members.push((name.clone(), Entry::Link("../shared/layer.tar")));
            } else {
                members.push((name.clone(), Entry::File(bytes)));
            }
            names.push(name);
        }
        let listing = json!([{ "Config": "config.json", "RepoTags": ["harbour/app:v1"], "Layers": names }]);
        members.push(("config.json".to_owned(), Entry::File(self.config)));
        members.push(("repositories".to_owned(), Entry::File(b"{}".to_vec())));
        members.push(("manifest.json".to_owned(), Entry::File(listing.to_string().into_bytes())));
        members
    }
}

fn inflated(layer: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match layer {
        [0x1f, 0x8b, ..] => {
            flate2::read::MultiGzDecoder::new(layer).read_to_end(&mut out).expect("gzip");
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            zstd::stream::read::Decoder::new(layer).expect("zstd").read_to_end(&mut out).expect("zstd");
        }
        plain => out = plain.to_vec(),
    }
    out
}

/// Runs `plimsoll inventory IMAGE --output json` with a standard input.
fn inventory(image: &str, environment: &[(&str, &str)], input: Stdio, feed: Option<&[u8]>) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["inventory", image, "--output", "json"])
        .current_dir(root())
        .env_clear()
        .env("HOME", root().join("no-home"))
        .env("SOURCE_DATE_EPOCH", "1795000000")
        .envs(environment.iter().copied())
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary that cargo built starts");
    if let (Some(bytes), Some(mut pipe)) = (feed, child.stdin.take()) {
        let bytes = bytes.to_vec();
        // The program may stop reading, which is what some tests are about.
        std::thread::spawn(move || pipe.write_all(&bytes));
    }
    let output = child.wait_with_output().expect("the program ends");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A report without what names where the image was read from.
fn comparable(report: &str) -> String {
    let mut value = json_of(report.as_bytes());
    value["image"].as_object_mut().expect("image").remove("reference");
    serde_json::to_string_pretty(&value).expect("JSON")
}

/// The same without what a daemon's archive does not know: the manifest, and how layers were compressed.
fn comparable_content(report: &str) -> String {
    let value = json_of(report.as_bytes());
    let mut text = comparable(report);
    for layer in value["image"]["layers"].as_array().expect("layers") {
        text = text.replace(layer["digest"].as_str().expect("digest"), layer["diffId"].as_str().expect("digest"));
    }
    let mut value = json_of(text.as_bytes());
    let image = value["image"].as_object_mut().expect("image");
    image.remove("digest");
    image.remove("mediaType");
    for layer in image["layers"].as_array_mut().expect("layers") {
        layer.as_object_mut().expect("layer").retain(|key, _| key != "mediaType" && key != "size");
    }
    for source in value["sources"].as_array_mut().expect("sources") {
        if let Some(details) = source["details"].as_object_mut() {
            details.remove("bytes");
        }
    }
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn reference_report() -> String {
    plimsoll(&["inventory", "oci:testdata/images/vulnerable:v1", "--output", "json"]).expect(0).stdout
}

fn image() -> Image {
    Image::read("vulnerable")
}

#[test]
fn every_archive_gives_the_report_of_the_layout() {
    let expected = reference_report();
    let folder = tempfile::tempdir().expect("folder");
    let read = |scheme: &str, bytes: &[u8]| {
        let path = folder.path().join("image");
        fs::write(&path, bytes).expect("archive");
        inventory(&format!("{scheme}:{}", path.display()), &[], Stdio::null(), None).expect(0).stdout
    };
    let (oci, new) = (tar(&image().oci_archive()), tar(&image().new_docker_archive()));
    for (scheme, bytes) in [("oci-archive", &oci), ("docker-archive", &oci), ("docker-archive", &new), ("oci-archive", &new)] {
        assert_eq!(comparable(&read(scheme, bytes)), comparable(&expected), "{scheme}");
        assert_eq!(comparable(&read(scheme, &gzip(bytes))), comparable(&expected), "{scheme}, gzip");
    }
    for plain in [false, true] {
        let old = tar(&image().old_docker_archive(plain));
        for bytes in [old.clone(), gzip(&old), [gzip(&old[..2_000]), gzip(&old[2_000..])].concat()] {
            let report = read("docker-archive", &bytes);
            assert_eq!(comparable_content(&report), comparable_content(&expected), "layers plain: {plain}");
        }
    }
}

#[test]
fn standard_input_gives_the_report_of_the_layout() {
    let expected = reference_report();
    let (oci, new) = (tar(&image().oci_archive()), tar(&image().new_docker_archive()));
    for bytes in [oci.clone(), gzip(&oci), new.clone(), gzip(&new)] {
        let piped = inventory("-", &[], Stdio::piped(), Some(&bytes)).expect(0);
        assert_eq!(comparable(&piped.stdout), comparable(&expected));
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(&bytes).expect("archive");
        std::io::Seek::rewind(&mut file).expect("archive");
        let redirected = inventory("-", &[], file.into(), None).expect(0);
        assert_eq!(piped.stdout, redirected.stdout);
    }
    let old = inventory("docker-archive:-:v1", &[], Stdio::piped(), Some(&tar(&image().old_docker_archive(true)))).expect(0);
    assert_eq!(comparable_content(&old.stdout), comparable_content(&expected));
}

#[test]
fn standard_input_that_is_no_archive_is_an_error() {
    let oci = tar(&image().oci_archive());
    for (bytes, message) in [
        (&b""[..], "standard input is no image archive: it is empty"),
        (b"FROM scratch\n", "standard input is no image archive: it is no tar file"),
        (&gzip(b"text"), "standard input is no image archive: it is no tar file"),
        (&gzip(&oci)[..1_000], "standard input is damaged: its gzip data cannot be read to the end"),
        (&oci[..oci.len() / 2], "standard input is damaged: it is cut short"),
        (&tar(&vec![("etc/os-release".to_owned(), Entry::File(Vec::new()))]), "neither a `manifest.json` nor an OCI layout"),
    ] {
        inventory("-", &[], Stdio::piped(), Some(bytes)).expect(2).complains(message);
    }
    let both = plimsoll(&["gate", "-", "--dockerfile", "-", "--no-offline"]);
    both.expect(2).complains("cannot both come from standard input");
}

/// A pipe that nobody writes to and nobody closes ends at the deadline.
#[test]
fn standard_input_that_never_ends_is_given_up() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["inventory", "-", "--registry-timeout", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary that cargo built starts");
    let pipe = child.stdin.take();
    let output = child.wait_with_output().expect("the program ends");
    drop(pipe);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("reading standard input did not end within 1 s"), "{text}");
}

#[test]
fn several_images_and_no_tag_are_listed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("two.tar");
    let (one, two) = (image(), Image::read("fixed"));
    let listing = json!([
        { "Config": "one.json", "RepoTags": ["harbour/app:one"], "Layers": [] },
        { "Config": "two.json", "RepoTags": ["harbour/app:two"], "Layers": [] },
    ]);
    let config = |name: &str| {
        let text = json!({ "os": "linux", "architecture": "amd64", "config": { "User": name } }).to_string();
        (format!("{name}.json"), Entry::File(text.into_bytes()))
    };
    let saved = tar(&vec![config("one"), config("two"), ("manifest.json".to_owned(), Entry::File(listing.to_string().into_bytes()))]);
    let mut entries = Vec::new();
    let mut members = Members::new();
    for (image, name) in [(one, "one"), (two, "two")] {
        let index = image.layout.iter().find_map(|(name, entry)| match entry {
            Entry::File(bytes) if name == "index.json" => Some(json_of(bytes)),
            _ => None,
        });
        let mut entry = index.expect("index")["manifests"][0].clone();
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        entries.push(entry);
        members.extend(image.layout.into_iter().filter(|(name, _)| name.starts_with("blobs/")));
    }
    members.push(("oci-layout".to_owned(), Entry::File(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())));
    let flat = json!({ "schemaVersion": 2, "manifests": entries }).to_string().into_bytes();
    // The same two images in an index that has no name itself: not one image for several platforms.
    let inner = json!({ "schemaVersion": 2, "manifests": entries }).to_string().into_bytes();
    let digest = plimsoll::model::digest::Digest::sha256_of(&inner).to_string();
    let nested = json!({ "schemaVersion": 2, "manifests": [
        { "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": inner.len() },
    ] });
    let nested = nested.to_string().into_bytes();
    members.push((format!("blobs/{}", digest.replace(':', "/")), Entry::File(inner)));
    let with_index = |index: Vec<u8>, members: &mut Members| {
        members.push(("index.json".to_owned(), Entry::File(index)));
        let bytes = tar(members);
        members.pop();
        bytes
    };
    for (scheme, bytes, names) in [
        ("docker-archive", saved, "harbour/app:one, harbour/app:two"),
        ("oci-archive", with_index(flat, &mut members), "one, two"),
        ("oci-archive", with_index(nested, &mut members), "one, two"),
    ] {
        fs::write(&path, &bytes).expect("archive");
        let name = format!("{scheme}:{}", path.display());
        inventory(&name, &[], Stdio::null(), None).expect(2).complains(&format!("name one of {names} after a colon"));
        inventory("-", &[], Stdio::piped(), Some(&bytes)).expect(2).complains("standard input holds several images");
        inventory(&format!("{name}:three"), &[], Stdio::null(), None).expect(2).complains(&format!("there is {names}"));
        let run = inventory(&format!("{name}:two"), &[], Stdio::null(), None);
        assert_ne!(run.code, 2, "{}", run.stderr);
        assert_eq!(inventory(&format!("{scheme}:-:two"), &[], Stdio::piped(), Some(&bytes)).code, run.code);
    }
}

/// Docker's classic store loads what `manifest.json` names, other tools what `index.json` names.
#[test]
fn an_archive_that_names_two_images_at_once_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("two-faced.tar");
    let mut members = image().new_docker_archive();
    let other = Image::read("fixed").new_docker_archive();
    members.retain(|(name, _)| name != "manifest.json");
    members.extend(other.into_iter().filter(|(name, _)| name == "manifest.json" || name.starts_with("blobs/")));
    let bytes = tar(&members);
    fs::write(&path, &bytes).expect("archive");
    let refused = inventory(&format!("docker-archive:{}", path.display()), &[], Stdio::null(), None).expect(2);
    refused.complains("depends on the tool which image is loaded");
    inventory("-", &[], Stdio::piped(), Some(&bytes)).expect(2);
    let chosen = inventory(&format!("oci-archive:{}", path.display()), &[], Stdio::null(), None).expect(0);
    assert_eq!(comparable(&chosen.stdout), comparable(&reference_report()));
}

#[test]
fn archives_of_the_other_kind_say_so() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("saved.tar");
    fs::write(&path, tar(&image().old_docker_archive(false))).expect("archive");
    inventory(&format!("oci-archive:{}", path.display()), &[], Stdio::null(), None).expect(2).complains("write docker-archive:");
    fs::write(&path, b"\x28\xb5\x2f\xfd....").expect("archive");
    inventory(&format!("oci-archive:{}", path.display()), &[], Stdio::null(), None).expect(2).complains("zstd -d");
}

#[test]
fn daemons_give_the_report_of_the_layout() {
    let expected = reference_report();
    for scheme in ["docker-daemon", "podman"] {
        let variable = if scheme == "podman" { "CONTAINER_HOST" } else { "DOCKER_HOST" };
        for (archive, exact) in [
            (tar(&image().old_docker_archive(true)), false),
            (tar(&image().old_docker_archive(false)), false),
            (tar(&image().new_docker_archive()), true),
        ] {
            let api = DockerApi::on_socket("docker.sock", Manner::Serves { name: "harbour/app:v1", archive, digests: Vec::new() });
            let report = inventory(&format!("{scheme}:harbour/app:v1"), &[(variable, &api.address)], Stdio::null(), None).expect(0).stdout;
            assert_eq!(comparable_content(&report), comparable_content(&expected), "{scheme}");
            assert!(!exact || comparable(&report) == comparable(&expected), "{scheme}");
        }
    }
}

#[test]
fn daemons_are_found_at_their_usual_sockets_and_on_tcp() {
    let serves = || Manner::Serves { name: "harbour/app:v1", archive: tar(&image().new_docker_archive()), digests: Vec::new() };
    for (scheme, socket) in [("docker-daemon", "docker.sock"), ("podman", "podman/podman.sock")] {
        let api = DockerApi::on_socket(socket, serves());
        let folder = api.folder.path().display().to_string();
        let name = format!("{scheme}:harbour/app:v1");
        // Docker's system-wide socket comes first, and may be there where this test runs.
        if scheme == "podman" || !Path::new("/var/run/docker.sock").exists() {
            inventory(&name, &[("XDG_RUNTIME_DIR", &folder)], Stdio::null(), None).expect(0);
        }
    }
    let api = DockerApi::on_tcp(serves());
    inventory("docker-daemon:harbour/app:v1", &[("DOCKER_HOST", &api.address)], Stdio::null(), None).expect(0);
    let open_net = [("DOCKER_HOST", "tcp://docker.example:2375")];
    inventory("docker-daemon:app", &open_net, Stdio::null(), None).expect(2).complains("--insecure-registry docker.example:2375");
    for (address, hint) in [
        ("ssh://host", "let docker go that way: `docker save NAME | plimsoll ... -`"),
        ("npipe:////./pipe/docker_engine", "let docker go that way"),
        ("/var/run/docker.sock", "write DOCKER_HOST=unix://PATH"),
        ("docker:2375", "DOCKER_HOST is unix://PATH or tcp://HOST:PORT"),
    ] {
        inventory("docker-daemon:app", &[("DOCKER_HOST", address)], Stdio::null(), None).expect(2).complains(hint);
    }
    inventory("podman:app", &[("CONTAINER_HOST", "ssh://host/podman.sock")], Stdio::null(), None)
        .expect(2)
        .complains("`podman save NAME |");
}

/// Writes a context as `docker context create NAME --docker host=HOST` does.
fn write_context(folder: &Path, name: &str, host: &str) {
    let id = plimsoll::model::digest::Digest::sha256_of(name.as_bytes());
    let place = folder.join("contexts/meta").join(id.hex());
    fs::create_dir_all(&place).expect("folder");
    let meta = json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": { "Host": host, "SkipTLSVerify": false } } });
    fs::write(place.join("meta.json"), meta.to_string()).expect("meta");
}

#[test]
fn the_docker_context_in_use_says_which_daemon_is_meant() {
    let serves = || Manner::Serves { name: "harbour/app:v1", archive: tar(&image().new_docker_archive()), digests: Vec::new() };
    let (socket, tcp) = (DockerApi::on_socket("docker.sock", serves()), DockerApi::on_tcp(serves()));
    let folder = tempfile::tempdir().expect("folder");
    for (name, host) in
        [("socket", socket.address.as_str()), ("tcp", &tcp.address), ("net", "tcp://docker.example:2375"), ("away", "ssh://me@host")]
    {
        write_context(folder.path(), name, host);
    }
    write_context(folder.path(), "dead", "unix:///nonexistent/docker.sock");
    let config = folder.path().display().to_string();
    let run = |current: &str, more: &[(&str, &str)]| {
        fs::write(folder.path().join("config.json"), json!({ "currentContext": current }).to_string()).expect("config");
        let environment = [&[("DOCKER_CONFIG", config.as_str())], more].concat();
        inventory("docker-daemon:harbour/app:v1", &environment, Stdio::null(), None)
    };
    for (current, more) in [
        ("socket", &[][..]),
        ("tcp", &[]),
        // The environment counts before the file, and an address before any context.
        ("absent", &[("DOCKER_CONTEXT", "socket")]),
        ("absent", &[("DOCKER_HOST", socket.address.as_str())]),
        ("dead", &[("DOCKER_CONTEXT", "away"), ("DOCKER_HOST", &tcp.address)]),
    ] {
        assert_eq!(comparable(&run(current, more).expect(0).stdout), comparable(&reference_report()), "{current} {more:?}");
    }
    for (current, message) in [
        ("absent", "cannot read the docker context `absent`: there is no such context"),
        (
            "away",
            "cannot use `ssh://me@host` (docker context `away`) as the address of the Docker daemon: ssh connections are not supported",
        ),
        ("net", "hint: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or allow it with --insecure-registry docker.example:2375"),
        ("dead", "cannot reach the Docker daemon at /nonexistent/docker.sock (docker context `dead`): there is no such socket"),
    ] {
        run(current, &[]).expect(2).complains(message);
    }
    fs::write(folder.path().join("config.json"), "{").expect("config");
    let broken = inventory("docker-daemon:app", &[("DOCKER_CONFIG", &config)], Stdio::null(), None).expect(2);
    broken.complains("config.json is not valid (line 1, column 1)");
    // Podman has no such contexts, and images of registries have nothing to do with them.
    inventory("podman:app", &[("DOCKER_CONFIG", &config)], Stdio::null(), None).expect(2).complains("Podman daemon");
}

#[test]
fn a_path_is_answered_with_the_reference_that_reads_it() {
    let folder = tempfile::tempdir().expect("folder");
    let (oci, saved) = (tar(&image().oci_archive()), tar(&image().old_docker_archive(false)));
    let at = |name: &str| folder.path().join(name).display().to_string();
    for (name, bytes) in [("oci.tar", &oci), ("saved.tar", &saved), ("cut.tar", &saved[..saved.len() / 2].to_vec())] {
        fs::write(folder.path().join(name), bytes).expect("archive");
        fs::write(folder.path().join(format!("{name}.gz")), gzip(bytes)).expect("archive");
    }
    fs::write(folder.path().join("short.tar.gz"), &gzip(&saved)[..1_000]).expect("archive");
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").expect("file");
    fs::write(folder.path().join("empty"), "").expect("file");
    let layout = testdata("images/vulnerable").display().to_string();
    for (path, hint) in [
        (at("oci.tar"), format!("hint: write oci-archive:{}", at("oci.tar"))),
        (at("oci.tar.gz"), format!("hint: write oci-archive:{}", at("oci.tar.gz"))),
        (at("saved.tar"), format!("hint: write docker-archive:{}", at("saved.tar"))),
        (at("saved.tar.gz"), format!("hint: write docker-archive:{}", at("saved.tar.gz"))),
        (layout.clone(), format!("hint: write oci:{layout}")),
        (at("Dockerfile"), format!("`plimsoll lint {}`", at("Dockerfile"))),
        (folder.path().display().to_string(), "it is no image layout: that is a folder with an `index.json`".to_owned()),
        // With the wrong scheme the right one is named as well.
        (format!("oci:{}", at("oci.tar")), format!("hint: write oci-archive:{}", at("oci.tar"))),
        (format!("oci:{}", at("saved.tar")), format!("hint: write docker-archive:{}", at("saved.tar"))),
        (format!("oci:{}", at("Dockerfile")), "is no image layout: it is a file".to_owned()),
        (format!("oci:{}", folder.path().display()), "is no image layout: it has no `index.json`".to_owned()),
        (format!("oci-archive:{}", at("saved.tar")), format!("hint: write docker-archive:{}", at("saved.tar"))),
        (format!("docker-archive:{layout}"), format!("hint: write oci:{layout}")),
        (format!("docker-archive:{}", at("empty")), "is no image archive: it is empty".to_owned()),
        (format!("docker-archive:{}", at("cut.tar")), "is damaged: it is cut short".to_owned()),
        (format!("docker-archive:{}", at("short.tar.gz")), "is damaged: its gzip data cannot be read to the end".to_owned()),
        ("docker://r.example/app:1".to_owned(), "hint: write r.example/app:1".to_owned()),
        ("https://r.example/app:1".to_owned(), "hint: write r.example/app:1".to_owned()),
        ("docker:app:1".to_owned(), "hint: write docker-daemon:app:1".to_owned()),
    ] {
        inventory(&path, &[], Stdio::null(), None).expect(2).complains(&hint);
    }
}

#[test]
fn an_archive_that_lacks_a_layer_says_which() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("image.tar");
    let mut oci = image().oci_archive();
    let layer = image().manifest["layers"][1]["digest"].as_str().expect("digest").to_owned();
    oci.retain(|(name, _)| *name != format!("blobs/{}", layer.replace(':', "/")));
    let mut saved = image().old_docker_archive(false);
    saved.retain(|(name, _)| *name != format!("{:064}/layer.tar", 1));
    for (scheme, members, part) in [
        ("oci-archive", oci, format!("is incomplete: it has no blob {layer}")),
        ("docker-archive", saved, format!("is incomplete: it has no `{:064}/layer.tar`", 1)),
    ] {
        fs::write(&path, tar(&members)).expect("archive");
        let run = inventory(&format!("{scheme}:{}", path.display()), &[], Stdio::null(), None).expect(2).complains(&part);
        assert!(run.stderr.contains("hint: push, save or copy the image again"), "{}", run.stderr);
    }
}

#[test]
fn a_daemon_that_gives_no_image_says_why_in_one_line() {
    let archive = tar(&image().old_docker_archive(true));
    let folder = tempfile::tempdir().expect("folder");
    let dead = folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("socket"));
    for (address, message) in [
        (format!("unix://{}", folder.path().join("absent.sock").display()), "there is no such socket"),
        (format!("unix://{}", dead.display()), "nobody listens there"),
    ] {
        let run = inventory("docker-daemon:app", &[("DOCKER_HOST", &address)], Stdio::null(), None).expect(2).complains(message);
        assert!(run.stderr.contains("cannot reach the Docker daemon at /") && run.stderr.contains("hint: start it"), "{}", run.stderr);
    }
    for (manner, message) in [
        (Manner::Serves { name: "other", archive: archive.clone(), digests: Vec::new() }, "no such image: app in the Docker daemon"),
        (Manner::Fails, "the Docker daemon gave no image for app (HTTP 500: disk on fire)"),
        (Manner::Cuts { archive: archive.clone(), after: archive.len() / 2 }, "reading app from the Docker daemon broke off"),
        (
            Manner::Serves { name: "app", archive: b"no tar".to_vec(), digests: Vec::new() },
            "app from the Docker daemon is no image archive",
        ),
    ] {
        let api = DockerApi::on_socket("docker.sock", manner);
        inventory("docker-daemon:app", &[("DOCKER_HOST", &api.address)], Stdio::null(), None).expect(2).complains(message);
    }
    let api = DockerApi::on_socket("docker.sock", Manner::Hangs);
    let late = plimsoll_with(&["inventory", "docker-daemon:app", "--registry-timeout", "1"], &[("DOCKER_HOST", &api.address)], &root());
    late.expect(2).complains("reading app from the Docker daemon did not end within 1 s");
}

/// A daemon knows neither signatures nor, mostly, the digest in the registry: whoever asks for them hears that nobody looked.
#[test]
fn what_cannot_be_tied_to_a_registry_is_a_gap() {
    let fixed = || Image::read("fixed");
    let digest = fixed().layout.iter().find_map(|(name, entry)| match entry {
        Entry::File(bytes) if name == "index.json" => json_of(bytes)["manifests"][0]["digest"].as_str().map(str::to_owned),
        _ => None,
    });
    let known = vec![format!("harbour/app@{}", digest.expect("digest"))];
    let (url, _replay) = aws_replay::start(Scenario::testdata("basic-clean"));
    for (archive, digests, code) in [
        (tar(&fixed().old_docker_archive(true)), known.clone(), 3),
        (tar(&fixed().new_docker_archive()), Vec::new(), 3),
        (tar(&fixed().new_docker_archive()), known, 0),
    ] {
        let api = DockerApi::on_socket("docker.sock", Manner::Serves { name: "harbour/app:v1", archive, digests });
        let image = "docker-daemon:harbour/app:v1";
        let mut args = vec!["gate", image, "--no-offline", "--policy", "testdata/images/aws-policy.yaml", "--aws", "ecr"];
        args.extend(["--aws-account", "111122223333", "--aws-region", "eu-central-1", "--aws-repository", "acme/app"]);
        args.extend(["--aws-wait", "3", "--aws-settle", "0", "--endpoint-url", &url, "--show", "all"]);
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTESTTEST"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_EC2_METADATA_DISABLED", "true")];
        let environment = [&keys[..], &[("DOCKER_HOST", api.address.as_str())]].concat();
        let run = plimsoll_with(&args, &environment, &root()).expect(code);
        assert_eq!(run.stdout.contains("unknown-digest"), code == 3, "{}", run.stdout);
        let verify = ["verify", image, "--key", "testdata/images/demo.pub.pem"];
        plimsoll_with(&verify, &environment, &root()).expect(3).says("unchecked.source");
    }
}

/// An OCI layout in a tar with one manifest, which `change` may change; the other blobs are those of the image.
fn repacked(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut image = image();
    change(&mut image.manifest);
    let body = image.manifest.to_string().into_bytes();
    let descriptor = json!({
        "mediaType": image.manifest["mediaType"],
        "digest": plimsoll::model::digest::Digest::sha256_of(&body).to_string(),
        "size": body.len(),
    });
    let index = json!({ "schemaVersion": 2, "manifests": [&descriptor] });
    let mut members = image.layout;
    members.retain(|(name, _)| name != "index.json");
    members.push(("index.json".to_owned(), Entry::File(index.to_string().into_bytes())));
    let name = format!("blobs/{}", descriptor["digest"].as_str().expect("digest").replace(':', "/"));
    members.push((name, Entry::File(body)));
    tar(&members)
}

#[test]
fn docker_manifests_are_read_like_those_of_oci() {
    let archive = repacked(|manifest| {
        manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json".into();
        manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json".into();
        for layer in manifest["layers"].as_array_mut().expect("layers") {
            // What the media type says of the compression is not believed in any case.
            layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip".into();
        }
    });
    let run = inventory("-", &[], Stdio::piped(), Some(&archive)).expect(0);
    assert_eq!(comparable_content(&run.stdout), comparable_content(&reference_report()));
}

#[test]
fn a_foreign_layer_is_a_gap_and_is_never_fetched() {
    for (media_type, urls) in [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", json!([])),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", json!([])),
        ("application/vnd.oci.image.layer.v1.tar+gzip", json!(["http://127.0.0.1:9/layer"])),
    ] {
        let archive = repacked(|manifest| {
            manifest["layers"][4]["mediaType"] = media_type.into();
            manifest["layers"][4]["urls"] = urls.clone();
        });
        let run = inventory("-", &[], Stdio::piped(), Some(&archive)).expect(3);
        assert!(run.stdout.contains("foreign-layer"), "{media_type}: {}", run.stdout);
    }
}
