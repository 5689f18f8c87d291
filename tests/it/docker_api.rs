//! A container engine's API as far as an image is asked for: answers on a Unix socket or on loopback, well or badly.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpListener,
    os::unix::net::UnixListener,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use serde_json::json;

/// How the engine behaves.
pub(crate) enum Manner {
    /// It has one image.
    Serves { name: &'static str, archive: Vec<u8>, digests: Vec<String> },
    /// It has every image and cannot give it out.
    Fails,
    /// It ends in the middle of an image.
    Cuts { archive: Vec<u8>, after: usize },
    /// It promises an image and never sends it.
    Hangs,
}

/// A running API. Its threads end with the test program.
pub(crate) struct DockerApi {
    pub(crate) address: String,
    pub(crate) folder: tempfile::TempDir,
}

impl DockerApi {
    /// Listens on a socket in a folder of its own.
    pub(crate) fn on_socket(name: &str, manner: Manner) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("/"))).expect("folder");
        let listener = UnixListener::bind(&path).expect("socket");
        let manner = Arc::new(manner);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manner = Arc::clone(&manner);
                let reader = stream.try_clone().expect("stream");
                thread::spawn(move || answer(reader, stream, &manner));
            }
        });
        Self { address: format!("unix://{}", path.display()), folder }
    }

    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn on_tcp(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = format!("tcp://{}", listener.local_addr().expect("address"));
        let manner = Arc::new(manner);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manner = Arc::clone(&manner);
                let reader = stream.try_clone().expect("stream");
                thread::spawn(move || answer(reader, stream, &manner));
            }
        });
        Self { address, folder: tempfile::tempdir().expect("folder") }
    }
}

/// Answers requests on one connection until it ends.
fn answer(reader: impl Read, mut writer: impl Write, manner: &Manner) {
    let mut lines = BufReader::new(reader).lines();
    while let Some(Ok(request)) = lines.next() {
        // The headers say nothing that matters here.
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let asked = path.strip_prefix("/images/").and_then(|path| path.rsplit_once('/'));
        let sent = match (asked, manner) {
            (Some((_, "get")), Manner::Fails) => send(&mut writer, "500 Internal Server Error", br#"{"message":"disk on fire"}"#),
            (Some((_, "get")), Manner::Hangs) => {
                let begun = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n");
                thread::sleep(Duration::from_secs(60));
                begun
            }
            (Some((_, "get")), Manner::Cuts { archive, after }) => {
                let _ = stream(&mut writer, archive.get(..*after).unwrap_or(archive));
                return;
            }
            (Some((name, "get")), Manner::Serves { name: own, archive, .. }) if name == *own => {
                stream(&mut writer, archive).and_then(|()| writer.write_all(b"0\r\n\r\n"))
            }
            (Some((name, "json")), Manner::Serves { name: own, digests, .. }) if name == *own => {
                send(&mut writer, "200 OK", json!({ "Id": "sha256:0", "RepoDigests": digests }).to_string().as_bytes())
            }
            (Some((_, "json")), Manner::Fails | Manner::Cuts { .. } | Manner::Hangs) => {
                send(&mut writer, "200 OK", br#"{"RepoDigests":null}"#)
            }
            _ => send(&mut writer, "404 Not Found", br#"{"message":"No such image"}"#),
        };
        if sent.is_err() {
            return;
        }
    }
}

fn send(writer: &mut impl Write, status: &str, body: &[u8]) -> std::io::Result<()> {
    write!(writer, "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
    writer.write_all(body)
}

/// Begins a body in chunks, as Docker sends archives.
fn stream(writer: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for chunk in bytes.chunks(4_000) {
        write!(writer, "{:x}\r\n", chunk.len())?;
        writer.write_all(chunk)?;
        writer.write_all(b"\r\n")?;
    }
    Ok(())
}
