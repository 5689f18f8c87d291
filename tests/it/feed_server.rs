//! A local server with the public layout of the feeds: an OSV bucket, Amazon Linux, KEV and EPSS, and everything that can go wrong with them on the way.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use futures_util::{StreamExt as _, stream};
use plimsoll::model::digest::Digest;
use serde_json::json;

/// What goes wrong with one file.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status, so many times; with `Retry-After` if there is one.
    Status(u16, usize, Option<u64>),
    /// The first half, then the connection ends.
    Cut,
    /// The first half, as if that were all.
    Half,
    /// A bit is wrong, and the header names the checksum of the right bytes.
    Flipped,
    /// In pieces with pauses between them.
    Slow(Duration),
    /// Somewhere else.
    Redirect(String),
}

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) status: u16,
}

#[derive(Default)]
struct Inside {
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, Fault>,
    asked: Vec<Asked>,
}

/// The server; it ends with the value.
pub(crate) struct FeedServer {
    inside: Arc<Mutex<Inside>>,
    pub(crate) url: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl FeedServer {
    /// A server without files.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let inside = Arc::new(Mutex::new(Inside::default()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let router = axum::Router::new().fallback(answer).with_state(inside.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { inside, url, runtime: Some(runtime) }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }

    /// Puts a file there.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.inside().files.insert(path.to_owned(), bytes.into());
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, path: &str) {
        self.inside().files.remove(path);
    }

    /// Makes something go wrong with a file, or lets it go right again.
    pub(crate) fn fault(&self, path: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.inside().faults.insert(path.to_owned(), fault),
            None => self.inside().faults.remove(path),
        };
    }

    /// What was asked for since the last look.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.inside().asked)
    }

    /// Publishes the records of an ecosystem: archive, listing and single records.
    pub(crate) fn publish(&self, ecosystem: &str, records: &[Record]) {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let mut listing: Vec<String> = Vec::new();
        for record in records {
            let text = record.json(ecosystem);
            archive.start_file(format!("{}.json", record.id), zip::write::SimpleFileOptions::default()).expect("entry");
            archive.write_all(text.as_bytes()).expect("entry");
            listing.push(format!("{},{}\n", record.modified, record.id));
            self.put(&format!("/{ecosystem}/{}.json", record.id), text);
        }
        listing.sort();
        listing.reverse();
        self.put(&format!("/{ecosystem}/all.zip"), archive.finish().expect("archive").into_inner());
        self.put(&format!("/{ecosystem}/modified_id.csv"), listing.concat());
    }

    /// Publishes the list of updates of a repository of Amazon Linux, with its mirror list at `list`.
    pub(crate) fn publish_updates(&self, list: &str, root: &str, updates: &str) {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(updates.as_bytes()).expect("gzip");
        let packed = encoder.finish().expect("gzip");
        let index = format!(
            "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><data type=\"updateinfo\"><checksum type=\"sha256\">{}</checksum>\
             <location href=\"repodata/updateinfo.xml.gz\"/></data></repomd>",
            Digest::sha256_of(&packed).hex()
        );
        self.put(list, format!("{}{root}/\n", self.url));
        self.put(&format!("{root}/repodata/repomd.xml"), index);
        self.put(&format!("{root}/repodata/updateinfo.xml.gz"), packed);
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One invented record about one package.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) package: String,
    pub(crate) fixed: String,
    pub(crate) modified: String,
}

impl Record {
    pub(crate) fn new(id: &str, package: &str, fixed: &str, modified: &str) -> Self {
        let text = str::to_owned;
        Self { id: text(id), package: text(package), fixed: text(fixed), modified: text(modified) }
    }

    fn json(&self, ecosystem: &str) -> String {
        let events = json!([{ "introduced": "0" }, { "fixed": self.fixed }]);
        let ranges = json!([{ "type": "SEMVER", "events": events }]);
        let affected = json!([{ "package": { "ecosystem": ecosystem, "name": self.package }, "ranges": ranges }]);
        json!({ "id": self.id, "modified": self.modified, "summary": "made up", "affected": affected }).to_string()
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(inside): State<Arc<Mutex<Inside>>>, request: Request) -> Response<Body> {
    let path = request.uri().path().replace("%20", " ");
    let condition = request.headers().get(header::IF_NONE_MATCH).cloned();
    let (bytes, fault) = {
        let mut inside = lock(&inside);
        let fault = inside.faults.get(&path).cloned();
        if let Some(Fault::Status(status, times, after)) = &fault {
            let rest = times.saturating_sub(1);
            match rest {
                0 => inside.faults.remove(&path),
                _ => inside.faults.insert(path.clone(), Fault::Status(*status, rest, *after)),
            };
        }
        (inside.files.get(&path).cloned(), fault)
    };
    let note = |status: u16| lock(&inside).asked.push(Asked { path: path.clone(), status });
    let response = Response::builder();
    if let Some(Fault::Status(status, _, after)) = fault {
        note(status);
        let response = after.map_or_else(Response::builder, |after| Response::builder().header(header::RETRY_AFTER, after));
        return response.status(status).body(Body::from("no")).expect("response");
    }
    if let Some(Fault::Redirect(to)) = fault {
        note(302);
        return response.status(StatusCode::FOUND).header(header::LOCATION, to).body(Body::empty()).expect("response");
    }
    let Some(mut bytes) = bytes else {
        note(404);
        return response.status(StatusCode::NOT_FOUND).body(Body::empty()).expect("response");
    };
    let etag = format!("\"{}\"", Digest::sha256_of(&bytes).short());
    if condition.as_ref().is_some_and(|condition| condition.as_bytes() == etag.as_bytes()) {
        note(304);
        return response.status(StatusCode::NOT_MODIFIED).header(header::ETAG, etag).body(Body::empty()).expect("response");
    }
    note(200);
    let response = response.header(header::ETAG, etag);
    let half = bytes.len() / 2;
    let pieces =
        |bytes: Vec<u8>, count: usize| bytes.chunks(bytes.len().div_ceil(count).max(1)).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let (response, body) = match fault {
        Some(Fault::Cut) => {
            let response = response.header(header::CONTENT_LENGTH, bytes.len());
            bytes.truncate(half);
            let end = stream::iter([Err(std::io::Error::other("the connection ends"))]);
            (response, Body::from_stream(stream::iter([Ok(Bytes::from(bytes))]).chain(end)))
        }
        Some(Fault::Half) => {
            bytes.truncate(half);
            (response, Body::from(bytes))
        }
        Some(Fault::Flipped) => {
            let check = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, crc32c::crc32c(&bytes).to_be_bytes());
            if let Some(byte) = bytes.get_mut(half) {
                *byte ^= 1;
            }
            (response.header("x-goog-hash", format!("crc32c={check},md5=x")), Body::from(bytes))
        }
        Some(Fault::Slow(pause)) => {
            let slowly = stream::iter(pieces(bytes, 8)).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, Infallible>(piece)
            });
            (response, Body::from_stream(slowly))
        }
        _ => (response, Body::from(bytes)),
    };
    response.body(body).expect("response")
}
