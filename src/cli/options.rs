//! Groups of options that several commands share.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Failure;
use crate::{
    aws,
    findings::wait::WaitOptions,
    model::{image::Platform, reference::ImageReference},
    pipeline::Platforms,
    registry,
};

/// The policy of this folder.
const OWN_POLICY: &str = "plimsoll.yaml";

/// Which image, and how to reach it.
#[derive(Debug, Clone, Args)]
pub(super) struct ImageOptions {
    /// Image: `[HOST/]NAME[:TAG][@DIGEST]` in a registry, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:TAG]`,
    /// `docker-daemon:NAME[:TAG]` (DOCKER_HOST, else the docker context in use), `podman:NAME[:TAG]` (CONTAINER_HOST), `sbom:FILE` (a
    /// CycloneDX or SPDX document instead of an image; not for verify), or `-` for an archive on standard input.
    #[arg(value_name = "IMAGE")]
    pub(super) image: String,
    /// Platform to take from an index, as OS/ARCH[/VARIANT], or `all`: each is judged, layers that they share are read once, the worst verdict
    /// counts. Default: linux and this machine's processor.
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Option<String>,
    #[command(flatten)]
    pub(super) registry: RegistryOptions,
}

/// What the image was built on.
#[derive(Debug, Clone, Args)]
pub(super) struct BaseOptions {
    /// The image that IMAGE was built on, named like IMAGE, best by digest, or `auto` for the one in a registry that IMAGE's annotations name: its
    /// layers are the base's, all others the build's own. One whose layers are not the lowest of IMAGE is a gap.
    #[arg(long, value_name = "IMAGE|auto")]
    base: Option<String>,
}

/// How registries are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry options")]
pub(super) struct RegistryOptions {
    /// Talk plain http to this registry host, or to a daemon there (repeatable). Loopback hosts are plain http unless `--registry-ca` is given.
    #[arg(long = "insecure-registry", value_name = "HOST", value_parser = host)]
    insecure: Vec<String>,
    /// Ask MIRROR[/PATH] for the images of HOST, which keep their name; HOST itself is not asked (repeatable).
    #[arg(long = "registry-mirror", value_name = "HOST=MIRROR", value_parser = registry::Mirror::parse)]
    mirrors: Vec<registry::Mirror>,
    /// Trust this CA certificate for registries, PEM (repeatable).
    #[arg(long = "registry-ca", value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Docker configuration with registry credentials. Default, the first that there is: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or
    /// ~/.docker/config.json, $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json.
    #[arg(long, value_name = "FILE")]
    docker_config: Option<PathBuf>,
    /// Give up on a registry, a daemon or standard input after this many seconds in all.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    registry_timeout: u64,
    /// Keep at most this many GiB of a stream or compressed archive in a temporary file (in $TMPDIR) while it is read.
    #[arg(long, value_name = "GIB", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    spool_limit: u64,
}

/// AWS findings and credentials.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AWS options")]
pub(super) struct AwsOptions {
    /// Ask these AWS services for findings. Default: both when IMAGE is in Amazon ECR, none otherwise.
    #[arg(long = "aws", value_enum, value_delimiter = ',', value_name = "SERVICES")]
    pub(super) services: Vec<AwsService>,
    /// Never ask AWS for findings.
    #[arg(long, conflicts_with = "services")]
    pub(super) no_aws: bool,
    /// Account whose registry holds the image, when the reference does not say.
    #[arg(long = "aws-account", value_name = "ID")]
    pub(super) account: Option<String>,
    /// Region, when the reference does not say.
    #[arg(long = "aws-region", env = "AWS_REGION", value_name = "REGION")]
    pub(super) region: Option<String>,
    /// Repository name in ECR, when it differs from the reference's.
    #[arg(long = "aws-repository", value_name = "NAME")]
    pub(super) repository: Option<String>,
    /// Named profile of the AWS configuration.
    #[arg(long = "aws-profile", value_name = "NAME")]
    profile: Option<String>,
    /// Send AWS calls to this address instead of the region's own.
    #[arg(long = "endpoint-url", env = "AWS_ENDPOINT_URL", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Wait this many seconds at most for scans to finish.
    #[arg(long = "aws-wait", value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(..=86_400))]
    wait: u64,
    /// Wait this many seconds between two equal listings before a list counts as final.
    #[arg(long = "aws-settle", value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(..=86_400))]
    settle: u64,
    /// Try each AWS call this many times at most when it is throttled or fails on the way.
    #[arg(long = "aws-max-attempts", env = "AWS_MAX_ATTEMPTS", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=20))]
    max_attempts: u32,
}

/// An AWS service that knows findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum AwsService {
    /// ECR image scan findings, basic or enhanced.
    Ecr,
    /// Amazon Inspector's own findings.
    Inspector,
}

/// Where advisories come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Advisory options")]
pub(super) struct AdvisoryOptions {
    /// Folder of the offline advisory database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long = "db", value_name = "DIR")]
    pub(super) db: Option<PathBuf>,
    /// Compile OSV dumps (`<Ecosystem>/all.zip`) from this folder for this run only, instead of a database.
    #[arg(long, value_name = "DIR", conflicts_with = "db")]
    pub(super) advisories: Option<PathBuf>,
    /// Do not match against the offline database.
    #[arg(long, conflicts_with_all = ["db", "advisories", "db_from"])]
    pub(super) no_offline: bool,
    /// Fetch the shards that the inventory needs from this artifact first, into the folder of --db (repeatable: tried in this order). Shards that
    /// are there already are not fetched again. Default: $PLIMSOLL_DB_FROM, comma-separated, unless --advisories or --no-offline is given.
    #[arg(long, value_name = "REF", conflicts_with = "advisories", value_delimiter = ',')]
    db_from: Vec<String>,
    /// Who must have signed the database: a PEM public key file, or the name of a signer of the policy (repeatable: any one of them). With
    /// --db-from a shard that is here counts only if such an artifact holds it; without, every shard of the folder must be of one.
    #[arg(long, value_name = "FILE|SIGNER", env = "PLIMSOLL_DB_SIGNED_BY", hide_env_values = true, value_delimiter = ',')]
    pub(super) db_signed_by: Vec<String>,
    /// The repository that the signature names, where the database was copied from it.
    #[arg(long, value_name = "REPOSITORY")]
    pub(super) db_signed_as: Option<String>,
    /// Accept the artifact with this digest and no other. Without --db-from: every shard that is here must be what it holds.
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["advisories", "no_offline"])]
    pub(super) db_digest: Option<String>,
    /// Take an artifact that is not signed, or by nobody who is trusted.
    #[arg(long)]
    pub(super) allow_unsigned_db: bool,
}

impl AdvisoryOptions {
    /// Where the database is fetched from: what is named, else what the environment names for every run that uses a database at all.
    pub(super) fn places(&self) -> Vec<String> {
        if !self.db_from.is_empty() || self.no_offline || self.advisories.is_some() {
            return self.db_from.clone();
        }
        let named = std::env::var("PLIMSOLL_DB_FROM").unwrap_or_default();
        named.split(',').map(str::trim).filter(|place| !place.is_empty()).map(str::to_owned).collect()
    }
}

/// Which policy judges.
#[derive(Debug, Clone, Args)]
pub(super) struct PolicyOptions {
    /// Policy: a file, or a built-in by name: `baseline`, `strict` (repeatable; later ones add, and may loosen what is not `final`).
    /// Default: plimsoll.yaml in this folder, else `baseline`.
    #[arg(long, short, value_name = "POLICY")]
    pub(super) policy: Vec<String>,
}

impl PolicyOptions {
    /// Whether there is a policy of the user's own.
    pub(super) fn is_own(&self) -> bool {
        !self.policy.is_empty() || std::path::Path::new(OWN_POLICY).is_file()
    }

    /// The policies to load, in order.
    pub(super) fn references(&self) -> Vec<String> {
        if !self.policy.is_empty() {
            return self.policy.clone();
        }
        vec![if self.is_own() { OWN_POLICY } else { "baseline" }.to_owned()]
    }
}

impl BaseOptions {
    /// Whether the image itself says what it was built on.
    pub(super) fn is_annotated(&self) -> bool {
        self.base.as_deref() == Some("auto")
    }

    /// The parsed reference, if there is one.
    pub(super) fn reference(&self) -> Result<Option<ImageReference>, Failure> {
        self.base.as_deref().map(parse_reference).transpose()
    }

    /// Refuses a base image beside something that has no layers.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        match self.base {
            Some(_) => {
                Err(Failure::new("--base compares layers, and a bill of materials has none").hint("leave --base out, or name the image"))
            }
            None => Ok(()),
        }
    }
}

impl ImageOptions {
    /// The parsed reference.
    pub(super) fn reference(&self) -> Result<ImageReference, Failure> {
        parse_reference(&self.image)
    }

    /// Refuses a bill of materials in the place of an image.
    pub(super) fn refuse_document(&self, command: &str) -> Result<(), Failure> {
        match self.reference()? {
            ImageReference::Sbom { .. } => {
                Err(Failure::new(format!("{command} needs an image, and `{}` is a bill of materials", self.image))
                    .hint("name the image that it was made of, as its registry or file has it"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the image comes from standard input, which can be read once.
    pub(super) fn is_standard_input(&self) -> bool {
        matches!(ImageReference::parse(&self.image), Ok(ImageReference::StandardInput { .. }))
    }

    /// Which of an index's images are meant.
    pub(super) fn platforms(&self) -> Result<Platforms, Failure> {
        match self.platform.as_deref() {
            None => Ok(Platforms::Host(host_platform())),
            Some("all") => Ok(Platforms::All),
            Some(text) => Platform::parse(text).map(Platforms::One).ok_or_else(|| {
                Failure::new(format!("cannot read platform `{text}`"))
                    .hint("write OS/ARCH[/VARIANT], for example linux/arm64, or `all` for every platform of an index")
            }),
        }
    }
}

/// Reads an image reference, and says what to write instead of what other tools take.
fn parse_reference(image: &str) -> Result<ImageReference, Failure> {
    if image != "-" && !image.contains("://") && std::path::Path::new(image).exists() {
        let path = std::path::Path::new(image);
        let hint = match registry::recognise(path).scheme() {
            Some(scheme) => format!("write {scheme}:{image}"),
            None if path.is_file() && path.extension().is_some_and(|end| end == "json" || end == "spdx") => {
                format!("write sbom:{image} for a bill of materials")
            }
            None if path.is_dir() => "it is no image layout: that is a folder with an `index.json`".to_owned(),
            None => format!("it is no image archive; a Dockerfile is judged by `plimsoll lint {image}`"),
        };
        return Err(Failure::new(format!("`{image}` is a path, not an image reference")).hint(hint));
    }
    ImageReference::parse(image).map_err(|error| {
        let failure = Failure::new(format!("cannot read image reference `{image}`: {error}"));
        // Other tools name registries and daemons in these ways.
        let (scheme, rest) = image.split_once(':').unwrap_or_default();
        let bare = rest.trim_start_matches('/');
        let named = matches!(ImageReference::parse(bare), Ok(ImageReference::Registry(_)));
        if named && matches!(scheme, "docker" | "http" | "https") && bare != rest {
            return failure.hint(format!("write {bare}"));
        }
        if named && scheme == "docker" {
            return failure.hint(format!("write docker-daemon:{bare} for an image of the local Docker, {bare} for one in a registry"));
        }
        failure.hint("use NAME[:TAG], HOST/NAME@sha256:..., oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, podman:NAME, sbom:FILE or -")
    })
}

/// linux and this machine's processor: what an index without `--platform` is asked for.
pub(super) fn host_platform() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    };
    Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None, os_version: None }
}

impl RegistryOptions {
    /// Options for the registry stage; `aws` is used for ECR logins.
    pub(super) fn build(&self, aws: aws::Settings) -> Result<registry::Options, Failure> {
        registry::check_mirrors(&self.mirrors).map_err(|error| Failure::new(error.to_string()))?;
        Ok(registry::Options {
            docker_config: self.docker_config.clone().or_else(default_docker_config),
            insecure_registries: self.insecure.clone(),
            mirrors: self.mirrors.clone(),
            ca_files: self.ca.clone(),
            deadline: Duration::from_secs(self.registry_timeout),
            daemons: daemons(),
            spool: registry::Spool { folder: Some(std::env::temp_dir()), bytes: self.spool_limit << 30 },
            aws,
            ..registry::Options::default()
        })
    }
}

impl AwsOptions {
    /// Client settings; the region is the caller's to say, because an ECR reference's own region wins over AWS_REGION.
    pub(super) fn settings(&self) -> aws::Settings {
        aws::Settings {
            region: None,
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            max_attempts: self.max_attempts,
            ..aws::Settings::default()
        }
    }

    /// How long to wait for scans, and for a list to settle.
    pub(super) fn waits(&self) -> WaitOptions {
        let defaults = WaitOptions::default();
        let deadline = Duration::from_secs(self.wait);
        let stability = Duration::from_secs(self.settle);
        // A short deadline or settling time is asked for in tests and by people in a hurry; polling must fit into it.
        let first_poll = defaults.first_poll.min(stability.max(Duration::from_millis(100)));
        WaitOptions { deadline, stability, first_poll, patience: defaults.patience.min(deadline), ..defaults }
    }
}

/// A host with or without a port, and nothing else: anything else would never match.
fn host(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        Err("write HOST or HOST:PORT, without http:// and without a path".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Where Docker keeps its configuration.
fn docker_folder() -> Option<PathBuf> {
    let set = std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
    set.or_else(|| home().map(|home| home.join(".docker")))
}

fn default_docker_config() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = docker_folder().map(|folder| folder.join("config.json"));
    let below = |folder: Option<PathBuf>, path: &str| folder.map(|folder| folder.join(path));
    // Podman's files have the same form. The one that somebody named wins; the others count where Docker was never logged in.
    let named = set("REGISTRY_AUTH_FILE");
    let podman = [below(set("XDG_RUNTIME_DIR"), "containers/auth.json"), below(home(), ".config/containers/auth.json")];
    named.into_iter().chain(docker).chain(podman.into_iter().flatten()).find(|file| file.is_file())
}

/// Where Docker's daemon and Podman's service are: where the environment or the docker context says, else their usual sockets, rootless ones
/// included.
fn daemons() -> registry::Daemons {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let below = |folder: &Option<PathBuf>, path: &str| folder.as_ref().map(|folder| folder.join(path));
    let home = home();
    let docker = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below(&runtime, "docker.sock"),
        below(&home, ".docker/run/docker.sock"),
        below(&home, ".docker/desktop/docker.sock"),
        below(&home, ".colima/default/docker.sock"),
    ];
    let podman = [below(&runtime, "podman/podman.sock"), Some(PathBuf::from("/run/podman/podman.sock"))];
    let certificates =
        text("DOCKER_TLS_VERIFY").and_then(|_| text("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| below(&home, ".docker")));
    registry::Daemons {
        docker: registry::DaemonHost {
            address: text("DOCKER_HOST"),
            contexts: docker_folder().map(|folder| registry::Contexts { folder, name: text("DOCKER_CONTEXT") }),
            sockets: docker.into_iter().flatten().collect(),
            certificates,
        },
        podman: registry::DaemonHost {
            address: text("CONTAINER_HOST"),
            contexts: None,
            sockets: podman.into_iter().flatten().collect(),
            certificates: None,
        },
    }
}

/// Where the database lives when nobody says.
pub(super) fn default_database() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("PLIMSOLL_DB").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(data.or_else(|| home().map(|home| home.join(".local/share")))?.join("plimsoll/db"))
}

pub(super) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The time written into reports instead of the clock's and the image's: SOURCE_DATE_EPOCH, when it is set.
pub(super) fn source_date() -> Result<Option<Timestamp>, Failure> {
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    text.to_str()
        .and_then(|text| text.parse::<i64>().ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(Some)
        .ok_or_else(|| Failure::new("SOURCE_DATE_EPOCH is not a number of seconds"))
}
