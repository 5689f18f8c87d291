//! `docker-archive:FILE[:TAG]`, `oci-archive:FILE[:TAG]` and `-`: an image in a tar, as `docker save`, `podman save` and `skopeo copy` write it.
//! In: a tar, plain or gzip, in a file or a stream. Out: the image in it: an OCI layout where there is one, else what `manifest.json` lists.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    model::digest::Digest,
    progress::SharedProgress,
    registry::{
        Error, ImageSource, Options,
        cause::{NotArchive, Party},
        error::STANDARD_INPUT,
        layout::Layout,
    },
};

mod index;
mod recognise;
mod saved;
mod spool;

pub(super) use index::TarIndex;
pub use recognise::{Recognised, recognise};
pub(super) use saved::{Listing, same_name};
pub use spool::Spool;

/// What kind of archive is expected, which decides what a layout in it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// The output of `docker save`; an OCI layout is taken as well.
    Docker,
    /// An OCI layout in a tar.
    Oci,
    /// Either; told by content.
    Any,
    /// What a daemon sent, with the digests that it says the image has in registries.
    Daemon(Vec<Digest>),
}

/// Opens an archive in a file. The path may still hold a colon that belongs to the tag (`FILE:name:tag`), so the longest existing file counts.
pub(super) async fn open(
    path: &Path,
    tag: Option<&str>,
    form: Form,
    options: &Options,
    progress: SharedProgress,
) -> Result<Arc<dyn ImageSource>, Error> {
    let (path, tag) = split(path, tag);
    let spool = options.spool.clone();
    let opened = tokio::task::spawn_blocking(move || {
        // The kind is checked before opening, because opening a FIFO would wait for ever.
        let kind = std::fs::metadata(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        if !kind.is_file() {
            let cause = match recognise(&path) {
                Recognised::Layout => NotArchive::Layout,
                _ if kind.is_dir() => NotArchive::Folder,
                _ => NotArchive::Special,
            };
            return Err(Error::NotAnArchive { path, cause });
        }
        let file = File::open(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let task = progress.start("archive", Some(kind.len()));
        let file = spool::seekable(file, &path, &spool, task.as_ref())?;
        read(TarIndex::read(&path, file)?, tag.as_deref(), form)
    })
    .await;
    opened.map_err(|_| Error::SetUp("reading the archive was interrupted".to_owned()))?
}

/// Reads an archive of either form from standard input.
pub(super) async fn open_standard_input(
    tag: Option<&str>,
    options: &Options,
    progress: SharedProgress,
) -> Result<Arc<dyn ImageSource>, Error> {
    if io::stdin().is_terminal() {
        return Err(Error::NotAnArchive { path: STANDARD_INPUT.into(), cause: NotArchive::Terminal });
    }
    let (tag, spool) = (tag.map(str::to_owned), options.spool.clone());
    let work = move || {
        let path = Path::new(STANDARD_INPUT);
        let task = progress.start("archive", None);
        let file = match redirected_file() {
            Some(file) => spool::seekable(file, path, &spool, task.as_ref())?,
            None => spool::gather(&mut io::stdin().lock(), path, &spool, task.as_ref())?,
        };
        read(TarIndex::read(path, file)?, tag.as_deref(), Form::Any)
    };
    within(work, STANDARD_INPUT, options.deadline).await
}

/// Reads what a daemon sends. A stream that ends with `TimedOut` has used up the deadline.
pub(super) async fn open_stream(
    mut stream: impl Read + Send + 'static,
    name: &str,
    digests: Vec<Digest>,
    options: &Options,
    progress: SharedProgress,
) -> Result<Arc<dyn ImageSource>, Error> {
    let (path, spool) = (PathBuf::from(name), options.spool.clone());
    let work = move || {
        let task = progress.start("daemon", None);
        let file = spool::gather(&mut stream, &path, &spool, task.as_ref()).map_err(|error| match error {
            Error::Read { path, source } => Error::Broken { what: path.display().to_string(), source },
            error => error,
        })?;
        read(TarIndex::read(&path, file)?, None, Form::Daemon(digests))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Err(Error::Broken { source, .. })) if source.kind() == io::ErrorKind::TimedOut => {
            Err(Error::Deadline { what: name.to_owned(), seconds: options.deadline.as_secs(), party: Party::Daemon })
        }
        Ok(result) => result,
        Err(_) => Err(Error::SetUp(format!("reading {name} was interrupted"))),
    }
}

/// Does blocking work on a thread of its own, which is left behind when it does not end in time: a read that waits cannot be called off,
/// and the runtime would wait for its own threads.
async fn within<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    what: &str,
    deadline: Duration,
) -> Result<T, Error> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send(work());
    });
    match tokio::time::timeout(deadline, receiver).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::SetUp(format!("reading {what} was interrupted"))),
        Err(_) => Err(Error::Deadline { what: what.to_owned(), seconds: deadline.as_secs(), party: Party::Pipe }),
    }
}

/// Standard input itself, when it is a file from its beginning (`< image.tar`), so that nothing need be copied.
#[cfg(unix)]
fn redirected_file() -> Option<File> {
    use std::{
        io::Seek as _,
        os::fd::{AsFd as _, OwnedFd},
    };
    let descriptor: OwnedFd = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let mut file = File::from(descriptor);
    let is_whole = file.metadata().is_ok_and(|kind| kind.is_file()) && file.stream_position().is_ok_and(|at| at == 0);
    is_whole.then_some(file)
}

#[cfg(not(unix))]
fn redirected_file() -> Option<File> {
    None
}

fn split(path: &Path, tag: Option<&str>) -> (PathBuf, Option<String>) {
    let whole = (path.to_owned(), tag.map(str::to_owned));
    let Some(text) = path.to_str().filter(|_| !path.exists()) else { return whole };
    let candidates = text.rmatch_indices(':').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    for (file, rest) in candidates {
        if Path::new(file).is_file() {
            let tag = tag.map_or_else(|| rest.to_owned(), |tag| format!("{rest}:{tag}"));
            return (PathBuf::from(file), Some(tag));
        }
    }
    whole
}

/// Finds out what an indexed tar is, and opens the image in it.
fn read(index: TarIndex, tag: Option<&str>, form: Form) -> Result<Arc<dyn ImageSource>, Error> {
    let there = |name: &str| index.find(name).map(|found| found.is_some());
    let is_layout = there("index.json")? && (there("oci-layout")? || form == Form::Oci);
    let is_saved = there("manifest.json")?;
    match form {
        Form::Oci if !is_layout => {
            let cause = if is_saved { NotArchive::Docker } else { NotArchive::Bare };
            Err(Error::NotAnArchive { path: index.path().to_owned(), cause })
        }
        Form::Oci => Ok(Arc::new(Layout::of_oci_archive(index, tag)?)),
        Form::Any if is_layout && !is_saved => Ok(Arc::new(Layout::of_oci_archive(index, tag)?)),
        Form::Docker | Form::Any if is_layout => Ok(Arc::new(Layout::of_saved_archive(index, tag)?)),
        Form::Daemon(digests) if is_layout => Ok(Arc::new(Layout::of_daemon(index, digests)?)),
        Form::Docker | Form::Any | Form::Daemon(_) => Ok(Arc::new(saved::Archive::read(index, tag)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{image::Platform, reference::ImageReference},
        progress::Silent,
        registry::resolve,
    };

    enum Member<'a> {
        File(&'a [u8]),
        Link(&'a str),
    }

    fn tar_of(folder: &Path, members: &[(&str, Member<'_>)]) -> PathBuf {
        let path = folder.join("saved.tar");
        let mut builder = tar::Builder::new(File::create(&path).expect("file"));
        for (name, member) in members {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            match member {
                Member::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, *bytes).expect("member");
                }
                Member::Link(target) => {
                    header.set_size(0);
                    header.set_entry_type(tar::EntryType::Symlink);
                    builder.append_link(&mut header, name, target).expect("link");
                }
            }
        }
        builder.finish().expect("tar");
        path
    }

    fn config(layers: &[&[u8]]) -> String {
        let ids: Vec<_> = layers.iter().map(|layer| Digest::sha256_of(layer).to_string()).collect();
        serde_json::json!({ "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": ids } }).to_string()
    }

    async fn resolved(path: &Path, tag: Option<&str>) -> Result<(Vec<Vec<u8>>, String), Error> {
        let reference = ImageReference::DockerArchive { path: path.to_owned(), tag: tag.map(str::to_owned) };
        let source = open(path, tag, Form::Docker, &Options::default(), Arc::new(Silent)).await?;
        let host = Platform::parse("linux/amd64").expect("platform");
        let image = resolve(source.as_ref(), &reference, None, &host).await?;
        let mut layers = Vec::new();
        for layer in &image.layers {
            let mut bytes = Vec::new();
            let mut reader = source.open_blob(&layer.descriptor).await?;
            reader.read_to_end(&mut bytes).map_err(|source| Error::Read { path: path.to_owned(), source })?;
            layers.push(bytes);
        }
        Ok((layers, image.digest().to_string()))
    }

    #[tokio::test]
    async fn reads_old_archives_with_links_and_makes_the_same_manifest_every_time() {
        let folder = tempfile::tempdir().expect("folder");
        let long = format!("{}/layer.tar", "d".repeat(150));
        let listing = format!(r#"[{{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar","{long}"]}}]"#);
        let config = config(&[b"one", b"one", b"two"]);
        let path = tar_of(
            folder.path(),
            &[
                ("a/layer.tar", Member::File(b"one")),
                ("b/layer.tar", Member::Link("../a/layer.tar")),
                (&long, Member::File(b"two")),
                ("c.json", Member::File(config.as_bytes())),
                ("manifest.json", Member::File(listing.as_bytes())),
            ],
        );
        let (layers, digest) = resolved(&path, None).await.expect("image");
        assert_eq!(layers, [b"one".to_vec(), b"one".to_vec(), b"two".to_vec()]);
        for tag in ["1", "app:1", "docker.io/library/app:1"] {
            assert_eq!(resolved(&path, Some(tag)).await.expect(tag).1, digest);
        }
        assert!(matches!(resolved(&path, Some("2")).await, Err(Error::NotFound { there, .. }) if there == ["app:1"]));
        let with_name = PathBuf::from(format!("{}:app", path.display()));
        assert_eq!(resolved(&with_name, Some("1")).await.expect("name and tag").1, digest);
    }

    #[tokio::test]
    async fn exchanged_layers_and_loops_are_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let listing = r#"[{"Config":"c.json","Layers":["l.tar"]}]"#;
        let config = config(&[b"one"]);
        let files =
            |layer| [("c.json", Member::File(config.as_bytes())), ("manifest.json", Member::File(listing.as_bytes())), ("l.tar", layer)];
        let exchanged = resolved(&tar_of(folder.path(), &files(Member::File(b"two"))), None).await;
        assert!(matches!(exchanged, Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::InvalidData));
        let counted = resolved(
            &tar_of(
                folder.path(),
                &[
                    ("c.json", Member::File(config.as_bytes())),
                    ("manifest.json", Member::File(br#"[{"Config":"c.json","Layers":["l.tar","l.tar"]}]"#)),
                    ("l.tar", Member::File(b"one")),
                ],
            ),
            None,
        )
        .await;
        assert!(matches!(counted, Err(Error::LayerCount { layers: 2, diff_ids: 1, .. })));
        let looped = resolved(&tar_of(folder.path(), &files(Member::Link("l.tar"))), None).await;
        assert!(matches!(looped, Err(Error::Incomplete { .. })));
        let outside = resolved(&tar_of(folder.path(), &files(Member::Link("../../../../etc/passwd"))), None).await;
        assert!(matches!(outside, Err(Error::Incomplete { .. })));
    }

    #[tokio::test]
    async fn a_listing_in_two_cases_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let config = config(&[b"one"]);
        for more in [r#""config":"d.json""#, r#""layers":["m.tar"]"#, r#""repotags":[]"#, r#""Layer\u017f":[]"#] {
            let listing = format!(r#"[{{"Config":"c.json","RepoTags":["app:1"],"Layers":["l.tar"],{more}}}]"#);
            let path = tar_of(
                folder.path(),
                &[
                    ("c.json", Member::File(config.as_bytes())),
                    ("l.tar", Member::File(b"one")),
                    ("manifest.json", Member::File(listing.as_bytes())),
                ],
            );
            let refused = resolved(&path, None).await;
            assert!(matches!(&refused, Err(Error::Malformed { reason, .. }) if reason.contains("is not spelled")), "{more}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_archive_is_told_plainly_and_with_a_way_out() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |bytes: &[u8]| {
            let path = folder.path().join("file");
            std::fs::write(&path, bytes).expect("file");
            path
        };
        let check = async |path: &Path, reason: &str| {
            let error = resolved(path, None).await.expect_err(reason);
            assert_eq!(error.to_string(), format!("{} is no image archive: {reason}", path.display()));
            assert!(error.hint().is_some_and(|hint| hint.contains("docker save") && hint.contains("oci-archive:FILE")));
        };
        for bytes in [&b"FROM scratch\n"[..], &[b'x'; 2_000], &[0; 100]] {
            check(&file(bytes), "it is no tar file").await;
        }
        check(&file(b""), "it is empty").await;
        check(folder.path(), "it is a folder").await;
        let exported = tar_of(folder.path(), &[("etc/os-release", Member::File(b"ID=x"))]);
        check(&exported, "the tar has neither a `manifest.json` nor an OCI layout in it").await;
    }

    #[tokio::test]
    async fn several_images_need_a_tag() {
        let folder = tempfile::tempdir().expect("folder");
        let config = config(&[]);
        let listing = r#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":[]},{"Config":"c.json","RepoTags":["b:1"],"Layers":null}]"#;
        let path =
            tar_of(folder.path(), &[("c.json", Member::File(config.as_bytes())), ("manifest.json", Member::File(listing.as_bytes()))]);
        assert!(matches!(resolved(&path, None).await, Err(Error::Ambiguous { there, .. }) if there == ["a:1", "b:1"]));
        assert!(resolved(&path, Some("b:1")).await.is_ok());
    }
}
