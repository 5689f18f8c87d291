//! A real registry (`docker-registry`, the distribution project's server) on a loopback port, with images pushed by `skopeo`.
//! Tests that need it call [`RealRegistry::start`] and return when that gives `None`, which is said on standard error.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use plimsoll::model::digest::Digest;
use serde_json::json;

/// User and password of a registry with access control.
pub(crate) const USER: &str = "reader";
/// See [`USER`].
pub(crate) const PASSWORD: &str = "open sesame";

/// How the registry is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Plain HTTP for everybody.
    Plain,
    /// TLS with a certificate of its own authority, and Basic authentication.
    TlsBasic,
}

/// A running registry; it ends when this is dropped.
pub(crate) struct RealRegistry {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    access: Access,
    folder: tempfile::TempDir,
}

impl RealRegistry {
    /// Starts a registry, or says which program is missing.
    pub(crate) fn start(access: Access) -> Option<Self> {
        for program in ["docker-registry", "skopeo", "openssl", "htpasswd"] {
            let found =
                std::env::var_os("PATH").is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()));
            if !found {
                eprintln!("skipped: {program} is not installed");
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("free port").port();
        let host = format!("127.0.0.1:{port}");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: {host}\n",
            at("storage")
        );
        if access == Access::TlsBasic {
            certificates(folder.path());
            let output = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output().expect("htpasswd");
            fs::write(folder.path().join("htpasswd"), output.stdout).expect("htpasswd");
            config.push_str(&format!("  tls: {{certificate: {}, key: {}}}\n", at("leaf.pem"), at("leaf.key")));
            config.push_str(&format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", at("htpasswd")));
        }
        fs::write(folder.path().join("config.yml"), config).expect("config");
        let log = fs::File::create(folder.path().join("log")).expect("log");
        let mut command = Command::new("docker-registry");
        command.args(["serve", &at("config.yml")]).stdin(Stdio::null()).stdout(log.try_clone().expect("log")).stderr(log);
        let child = command.spawn().expect("docker-registry starts");
        let registry = Self { child, host, access, folder };
        for _ in 0..100 {
            if TcpStream::connect(&registry.host).is_ok() {
                return Some(registry);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("docker-registry does not listen: {}", fs::read_to_string(registry.folder.path().join("log")).unwrap_or_default());
    }

    /// The CA file, when TLS is spoken.
    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        (self.access == Access::TlsBasic).then(|| self.folder.path().join("certs/ca.crt"))
    }

    /// A docker `config.json` with the credentials for this registry.
    pub(crate) fn docker_config(&self) -> PathBuf {
        let path = self.folder.path().join("docker-config.json");
        let auths = json!({ "auths": { &self.host: { "username": USER, "password": PASSWORD } } });
        fs::write(&path, auths.to_string()).expect("docker config");
        path
    }

    /// Copies an image of any source that skopeo knows (`oci:DIR:TAG`) to `name` (`app:v1`), all platforms, digests kept.
    pub(crate) fn push(&self, source: &str, name: &str) {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests"]);
        match self.access {
            Access::Plain => command.arg("--dest-tls-verify=false"),
            Access::TlsBasic => {
                let certs = self.folder.path().join("certs");
                command.arg("--dest-cert-dir").arg(certs).arg("--dest-creds").arg(format!("{USER}:{PASSWORD}"))
            }
        };
        let output = command.arg(source).arg(format!("docker://{}/{name}", self.host)).output().expect("skopeo");
        assert!(output.status.success(), "skopeo: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate authority and a certificate for 127.0.0.1 by it.
fn certificates(folder: &Path) {
    fs::create_dir_all(folder.join("certs")).expect("folder");
    fs::write(folder.join("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("extensions");
    let openssl = |line: &str| {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().expect("openssl");
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out certs/ca.crt -days 2 -subj /CN=test-authority",
    );
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=127.0.0.1");
    openssl("x509 -req -in leaf.csr -CA certs/ca.crt -CAkey ca.key -CAcreateserial -out leaf.pem -days 2 -extfile ext");
}

/// Writes an OCI layout with one image of one gzip layer, tagged `v1`, for each architecture given; gives back the root digest.
pub(crate) fn small_layout(folder: &Path, architectures: &[&str]) -> Digest {
    let blob = |bytes: &[u8], media_type: &str| {
        let digest = Digest::sha256_of(bytes);
        let path = folder.join("blobs").join("sha256");
        fs::create_dir_all(&path).expect("folder");
        fs::write(path.join(digest.hex()), bytes).expect("blob");
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let mut images = Vec::new();
    for architecture in architectures {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        let content = format!("hello from {architecture}\n").repeat(5_000);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, "hello", content.as_bytes()).expect("member");
        let tar = builder.into_inner().expect("tar");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).expect("gzip");
        let layer = blob(&gzip.finish().expect("gzip"), "application/vnd.oci.image.layer.v1.tar+gzip");
        let config = json!({ "os": "linux", "architecture": architecture, "config": {}, "rootfs": { "type": "layers", "diff_ids": [Digest::sha256_of(&tar).to_string()] } });
        let config = blob(config.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
        let body =
            json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer] });
        let mut image = blob(body.to_string().as_bytes(), "application/vnd.oci.image.manifest.v1+json");
        image["platform"] = json!({ "os": "linux", "architecture": architecture });
        images.push(image);
    }
    let mut root = match images.as_slice() {
        [only] => only.clone(),
        several => {
            let body = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": several });
            blob(body.to_string().as_bytes(), "application/vnd.oci.image.index.v1+json")
        }
    };
    root["annotations"] = json!({ "org.opencontainers.image.ref.name": "v1" });
    fs::write(folder.join("index.json"), json!({ "schemaVersion": 2, "manifests": [root] }).to_string()).expect("index");
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("oci-layout");
    Digest::parse(root["digest"].as_str().expect("text")).expect("digest")
}
