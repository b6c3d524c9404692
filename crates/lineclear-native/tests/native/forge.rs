//! A forge that remembers what it was asked, for native actions and, over HTTP, for scripts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use lineclear_event::{JobKey, RunId};
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use serde_json::{Value, json};

use crate::bench::Bench;

/// Pull request 7 of `octo/App` with its comments, and set answers for everything else.
#[derive(Debug, Default)]
pub(crate) struct RecordingForge(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<(String, Value, ApiRequest)>,
    comments: Vec<Value>,
    next_id: u64,
    answers: BTreeMap<String, Vec<(u16, Value)>>,
    lists: BTreeMap<String, Vec<Value>>,
}

const COMMENTS: &str = "/repos/octo/App/issues/7/comments";

impl RecordingForge {
    /// Answers `call` (`GET /path`) so: each answer once, the last of them for ever.
    pub(crate) fn answer(&self, call: &str, status: u16, body: Value) -> &Self {
        self.0.lock().expect("no panics").answers.entry(call.into()).or_default().push((status, body));
        self
    }

    /// Answers `GET path` with pages of a list.
    pub(crate) fn list(&self, path: &str, entries: Vec<Value>) -> &Self {
        self.0.lock().expect("no panics").lists.insert(path.into(), entries);
        self
    }

    /// Texts of the comments there are.
    pub(crate) fn comments(&self) -> Vec<String> {
        let state = self.0.lock().expect("no panics");
        state.comments.iter().map(|comment| comment["body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What was asked: `POST /path`, without queries.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().expect("no panics").calls.iter().map(|(call, ..)| call.clone()).collect()
    }

    /// The body of the last such call.
    #[track_caller]
    pub(crate) fn body(&self, call: &str) -> Value {
        let state = self.0.lock().expect("no panics");
        let found = state.calls.iter().rev().find(|(known, ..)| known == call);
        found.unwrap_or_else(|| panic!("no `{call}` in {:?}", state.calls)).1.clone()
    }

    #[track_caller]
    pub(crate) fn request(&self, call: &str) -> ApiRequest {
        let state = self.0.lock().expect("no panics");
        let found = state.calls.iter().rev().find(|(known, ..)| known == call);
        found.unwrap_or_else(|| panic!("no `{call}` in {:?}", state.calls)).2.clone()
    }
}

impl ForgeApi for RecordingForge {
    fn call(&self, _caller: &Caller, request: &ApiRequest) -> ApiResponse {
        let mut state = self.0.lock().expect("no panics");
        let name = format!("{} {}", request.method, request.path);
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        state.calls.push((name.clone(), body.clone(), request.clone()));
        if let Some(answers) = state.answers.get_mut(&name) {
            let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            return if body.is_null() { ApiResponse::empty(status) } else { ApiResponse::json(status, &body) };
        }
        if let ("GET", Some(list)) = (request.method.as_str(), state.lists.get(&request.path)) {
            return page(request, list);
        }
        if name == format!("GET {COMMENTS}") {
            return page(request, &state.comments);
        }
        if name == format!("POST {COMMENTS}") {
            state.next_id += 1;
            let id = state.next_id;
            let comment = json!({ "id": id, "node_id": format!("IC_{id}"), "html_url": format!("https://forge/{id}"),
                "body": body["body"], "user": { "login": "github-actions[bot]", "type": "Bot" } });
            state.comments.push(comment.clone());
            return ApiResponse::json(201, &comment);
        }
        if let Some(id) = request.path.strip_prefix("/repos/octo/App/issues/comments/") {
            let found = state.comments.iter().position(|comment| comment["id"].as_u64() == id.parse().ok());
            let Some(index) = found else { return ApiResponse::error(404, "Not Found") };
            if request.method == "DELETE" {
                state.comments.remove(index);
                return ApiResponse::empty(204);
            }
            state.comments[index]["body"] = body["body"].clone();
            return ApiResponse::json(200, &state.comments[index]);
        }
        ApiResponse::error(404, "Not Found")
    }
}

fn page(request: &ApiRequest, list: &[Value]) -> ApiResponse {
    let query = |name: &str, default: usize| {
        let found = request.query.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.parse().ok()).unwrap_or(default)
    };
    let (size, number) = (query("per_page", 30).max(1), query("page", 1).max(1));
    let entries: Vec<Value> = list.iter().skip((number - 1) * size).take(size).cloned().collect();
    let mut response = ApiResponse::json(200, &Value::Array(entries));
    if number * size < list.len() {
        let host = request.header("host").unwrap_or("forge");
        let next = format!("http://{host}/api/v3{}?per_page={size}&page={}", request.path, number + 1);
        response.headers.push(("link".into(), format!("<{next}>; rel=\"next\"")));
    }
    response
}

/// The forge over HTTP, at `/api/v3`.
#[derive(Debug)]
pub(crate) struct Served {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn new(forge: Arc<RecordingForge>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    // Whoever goes away early has no answer.
                    let _ = serve(&forge, stream);
                }
            }
        });
        Self { address, stop, thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/api/v3", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

fn serve(forge: &RecordingForge, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path.strip_prefix("/api/v3").or_else(|| path.strip_prefix("/api")).unwrap_or(path).to_owned();
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let caller = Caller {
        repository: "octo/App".into(),
        run: RunId(42),
        job: JobKey::new("job"),
        actor: "octocat".into(),
        permissions: BTreeMap::new(),
    };
    let response = forge.call(&caller, &ApiRequest { method, path, query, headers, body });
    let mut head = format!(
        "HTTP/1.1 {} Said\r\nconnection: close\r\ncontent-length: {}\r\n",
        response.status,
        response.body.len()
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&response.body)
}

/// A bench whose next job is about pull request 7, and its forge.
pub(crate) fn pull_request(files: &[(&str, &str)]) -> (Bench, Arc<RecordingForge>) {
    let mut bench = Bench::without_git(files);
    let forge = Arc::new(RecordingForge::default());
    bench.forge = forge.clone();
    bench.about("refs/pull/7/merge");
    bench.github["event_name"] = "pull_request".into();
    bench.github["base_ref"] = "main".into();
    bench.github["head_ref"] = "feature/x".into();
    bench.github["event"]["number"] = 7.into();
    bench.github["event"]["pull_request"] = json!({
        "number": 7,
        "head": { "ref": "feature/x", "sha": "1111111111111111111111111111111111111111" },
        "base": { "ref": "main", "sha": "2222222222222222222222222222222222222222" },
        "labels": [],
    });
    (bench, forge)
}

/// The same, with the forge also over HTTP.
pub(crate) fn served_pull_request(files: &[(&str, &str)]) -> (Bench, Arc<RecordingForge>, Served) {
    let (mut bench, forge) = pull_request(files);
    let served = Served::new(forge.clone());
    bench.github["api_url"] = served.base().into();
    bench.github["graphql_url"] = served.base().replace("/v3", "/graphql").into();
    (bench, forge, served)
}
