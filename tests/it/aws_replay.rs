//! A replay server for Amazon ECR and Amazon Inspector: answers API calls from recorded or made files. It listens on 127.0.0.1 only, checks no signature and keeps no data.
//!
//! A scenario is `{"operations": {OPERATION: ANSWERS}}`. ANSWERS is a list, consumed one entry per call, whose last entry repeats; or an object of pages, keyed by the
//! request's `nextToken` (`""` is the first page). An entry of a list that is such an object is one listing: it advances when a call comes without a token.
//! An entry or page is a path below the root, or `{"inline": RESPONSE}`. Files below `errors/` hold `{status, headers, body | body_text}`; everything else is sent with
//! status 200. An operation that the scenario does not name is answered 501. `@digest@` in an answer becomes the hex digest that was asked about last.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// Answers of a test's own making: operation and request in, an entry out; `None` leaves the call to the scenario.
pub(crate) type Live = Arc<dyn Fn(&str, &Value) -> Option<Value> + Send + Sync>;

/// What a server answers.
#[derive(Clone)]
pub(crate) struct Scenario {
    /// Asked before `operations`.
    pub(crate) live: Option<Live>,
    /// Folder that the paths of answers start from.
    pub(crate) root: PathBuf,
    /// Answers by operation.
    pub(crate) operations: BTreeMap<String, Value>,
}

impl Scenario {
    /// A scenario of `testdata/findings/scenarios`, by name.
    pub(crate) fn testdata(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/findings");
        Self::read(&root, &format!("scenarios/{name}.json"))
    }

    /// A scenario file below `root`.
    pub(crate) fn read(root: &Path, file: &str) -> Self {
        let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let value: Value = serde_json::from_str(&text).expect("scenario JSON");
        Self::of(root, &value["operations"])
    }

    /// A scenario made in the test.
    pub(crate) fn of(root: &Path, operations: &Value) -> Self {
        let operations = operations.as_object().expect("operations").iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { live: None, root: root.to_owned(), operations }
    }

    /// The same scenario with another answer, unless it has one already.
    pub(crate) fn or(mut self, operation: &str, answers: Value) -> Self {
        self.operations.entry(operation.to_owned()).or_insert(answers);
        self
    }
}

/// One call that came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Operation.
    pub(crate) operation: String,
    /// Request body.
    pub(crate) request: Value,
}

/// A running server; it ends when this is dropped.
pub(crate) struct Replay {
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Replay {
    /// Every call seen so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.lock().expect("unpoisoned").log.clone()
    }

    /// How often an operation was called.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls().iter().filter(|call| call.operation == operation).count()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // One last connection wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

struct State {
    scenario: Scenario,
    position: BTreeMap<String, usize>,
    log: Vec<Call>,
    digest: String,
}

impl State {
    fn of(scenario: Scenario) -> Self {
        Self { scenario, position: BTreeMap::new(), log: Vec::new(), digest: "0".repeat(64) }
    }
}

/// Starts a server: the endpoint's URL, and the handle that keeps it running.
pub(crate) fn start(scenario: Scenario) -> (String, Replay) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("address");
    let state = Arc::new(Mutex::new(State::of(scenario)));
    let stop = Arc::new(AtomicBool::new(false));
    let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
    thread::spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let (shared, stopped) = (Arc::clone(&shared), Arc::clone(&stopped));
            thread::spawn(move || serve(stream, &shared, &stopped));
        }
    });
    (format!("http://{address}"), Replay { state, stop, address })
}

/// Answers the calls of one connection.
fn serve(stream: TcpStream, state: &Mutex<State>, stop: &AtomicBool) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    while !stop.load(Ordering::SeqCst) {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            break;
        }
        let path = line.split_whitespace().nth(1)?.to_owned();
        let (mut length, mut target) = (0_usize, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "x-amz-target" => target = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let reply = answer(state, &path, target.as_deref(), &body);
        writer.write_all(&reply).ok()?;
    }
    Some(())
}

fn answer(state: &Mutex<State>, path: &str, target: Option<&str>, body: &[u8]) -> Vec<u8> {
    let operation = match (target, path) {
        (Some(target), _) => target.rsplit('.').next().unwrap_or_default(),
        (None, "/findings/list") => "ListFindings",
        (None, "/coverage/list") => "ListCoverage",
        (None, "/findings/details/batch/get") => "BatchGetFindingDetails",
        (None, "/status/batch/get") => "BatchGetAccountStatus",
        (None, "/configuration/get") => "GetConfiguration",
        (None, other) => other,
    }
    .to_owned();
    let request: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut state = state.lock().expect("unpoisoned");
    if let Some(digest) = String::from_utf8_lossy(body).split("sha256:").nth(1).and_then(|rest| rest.get(..64)) {
        state.digest = digest.to_owned();
    }
    state.log.push(Call { operation: operation.clone(), request: request.clone() });
    let kind = if target.is_some() { "application/x-amz-json-1.1" } else { "application/json" };
    let headers = |kind: &str| BTreeMap::from([("Content-Type".to_owned(), kind.to_owned())]);
    let token = request["nextToken"].as_str().unwrap_or_default().to_owned();
    let live = state.scenario.live.clone().and_then(|live| live(&operation, &request));
    let Some(entry) = live.or_else(|| pick(&mut state, &operation, &token)) else {
        let name = if state.scenario.operations.contains_key(&operation) { "NoSuchPage" } else { "NotInScenario" };
        return reply(501, &headers(kind), &json!({"__type": name, "message": operation}).to_string());
    };
    let (value, is_error) = match &entry {
        Value::String(file) => {
            let text = fs::read_to_string(state.scenario.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let value = serde_json::from_str(&text.replace("@digest@", &state.digest)).unwrap_or_else(|error| panic!("{file}: {error}"));
            (value, file.starts_with("errors/"))
        }
        inline => (inline["inline"].clone(), inline["error"] == true),
    };
    if !is_error {
        return reply(200, &headers(kind), &value.to_string());
    }
    let headers = value["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let body = value["body_text"].as_str().map_or_else(|| value["body"].to_string(), str::to_owned);
    reply(u16::try_from(value["status"].as_u64().expect("status")).expect("small status"), &headers, &body)
}

fn pick(state: &mut State, operation: &str, token: &str) -> Option<Value> {
    let pages = |value: &Value| value.as_object().is_some_and(|object| !object.contains_key("inline"));
    let answers = state.scenario.operations.get(operation)?;
    let current = match answers {
        Value::Array(entries) => {
            let next = state.position.get(operation).map_or(0, |position| position + 1).min(entries.len().saturating_sub(1));
            let last = state.position.get(operation).copied().unwrap_or(0);
            let index = if !token.is_empty() && entries.get(last).is_some_and(pages) { last } else { next };
            state.position.insert(operation.to_owned(), index);
            entries.get(index)?.clone()
        }
        other => other.clone(),
    };
    if pages(&current) { current.get(token).cloned() } else { Some(current) }
}

fn reply(status: u16, headers: &BTreeMap<String, String>, body: &str) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {status} Replayed\r\nContent-Length: {}\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}
