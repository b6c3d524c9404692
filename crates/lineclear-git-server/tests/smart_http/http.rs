//! A small HTTP/1.1 server for tests: a thread per connection, one request each, and answers that can go wrong on purpose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use lineclear_git_server::{GitRequest, GitServer};

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a test wants to happen to a request. Each test binary uses some of them.
#[allow(dead_code, reason = "shared by the tests of two crates, each of which uses a part")]
pub(crate) enum Reply {
    /// The server answers the path below its repository.
    Git { server: Arc<GitServer>, path: String, may_write: bool },
    /// The same, but the connection breaks after so many bytes of the body.
    Cut { server: Arc<GitServer>, path: String, after: usize },
    /// The same, but nothing comes after so many bytes of the body, until the client goes away.
    Stall { server: Arc<GitServer>, path: String, after: usize },
    /// The same with writing allowed, but the request breaks after so many bytes.
    Broken { server: Arc<GitServer>, path: String, after: u64 },
    /// The same, with the body changed.
    Changed { server: Arc<GitServer>, path: String, change: fn(Vec<u8>) -> Vec<u8> },
    /// As an old server: the first protocol, and nothing that no ref names.
    Old { server: Arc<GitServer>, path: String },
    /// A status, with headers and words.
    Status(u16, Vec<(String, String)>, String),
    /// Nothing, until the client goes away.
    Hang,
}

/// A server that ends with the test.
pub(crate) struct Http {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Head>>>,
    stop: Arc<AtomicBool>,
}

impl Http {
    pub(crate) fn start(decide: impl Fn(&Head) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the listener has an address");
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (heads, stopping, decide) = (Arc::clone(&seen), Arc::clone(&stop), Arc::new(decide));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (heads, decide) = (Arc::clone(&heads), Arc::clone(&decide));
                if let Ok(stream) = stream {
                    // A client that goes away is no fault of the server.
                    thread::spawn(move || drop(answer(stream, &heads, &*decide)));
                }
            }
        });
        Self { address, seen, stop }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn seen(&self) -> Vec<Head> {
        self.seen.lock().expect("no thread panicked").clone()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(stream: TcpStream, seen: &Mutex<Vec<Head>>, decide: &dyn Fn(&Head) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let Some(head) = read_head(&mut reader)? else { return Ok(()) };
    seen.lock().expect("no thread panicked").push(head.clone());
    let reply = decide(&head);
    if head.header("expect").is_some() && !matches!(reply, Reply::Hang) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body: Box<dyn Read + Send> = match head.header("content-length").and_then(|text| text.parse::<u64>().ok()) {
        Some(length) => Box::new(Whole { inner: reader, left: length }),
        None if head.header("transfer-encoding") == Some("chunked") => {
            Box::new(Chunks { inner: reader, left: 0, end: false })
        }
        None => Box::new(std::io::empty()),
    };
    match reply {
        Reply::Git { server, path, may_write } => {
            send(&mut stream, &server, request(head, path, may_write, body), usize::MAX)
        }
        Reply::Cut { server, path, after } => send(&mut stream, &server, request(head, path, false, body), after),
        Reply::Stall { server, path, after } => {
            send(&mut stream, &server, request(head, path, false, body), after)?;
            stream.read(&mut [0]).map(drop)
        }
        Reply::Broken { server, path, after } => {
            let body = Box::new(Whole { inner: body.take(after), left: u64::MAX });
            send(&mut stream, &server, request(head, path, true, body), usize::MAX)
        }
        Reply::Changed { server, path, change } => {
            let mut response = server.handle(request(head, path, false, body));
            let mut bytes = Vec::new();
            response.body.read_to_end(&mut bytes)?;
            write_head(&mut stream, response.status, &response.headers)?;
            chunk(&mut stream, &change(bytes))?;
            stream.write_all(b"0\r\n\r\n")
        }
        Reply::Old { server, path } => {
            let mut head = head;
            head.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("git-protocol"));
            let mut response = server.handle(request(head, path, false, body));
            let mut bytes = Vec::new();
            response.body.read_to_end(&mut bytes)?;
            // Names of abilities that no client knows, of the same length.
            for name in [&b"allow-tip-sha1-in-want"[..], b"allow-reachable-sha1-in-want"] {
                if let Some(at) = bytes.windows(name.len()).position(|part| part == name) {
                    bytes[at] = b'x';
                }
            }
            write_head(&mut stream, response.status, &response.headers)?;
            chunk(&mut stream, &bytes)?;
            stream.write_all(b"0\r\n\r\n")
        }
        Reply::Status(status, headers, words) => {
            let headers: Vec<(&str, String)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            write_head(&mut stream, status, &headers)?;
            chunk(&mut stream, words.as_bytes())?;
            stream.write_all(b"0\r\n\r\n")
        }
        Reply::Hang => stream.read(&mut [0]).map(drop),
    }
}

fn request(head: Head, path: String, may_write: bool, body: Box<dyn Read + Send>) -> GitRequest {
    GitRequest { method: head.method, path, query: head.query, headers: head.headers, body, may_write }
}

fn send(stream: &mut TcpStream, server: &GitServer, request: GitRequest, limit: usize) -> std::io::Result<()> {
    let mut response = server.handle(request);
    write_head(stream, response.status, &response.headers)?;
    let (mut buffer, mut sent) = (vec![0; 32 * 1024], 0);
    loop {
        // An error of git breaks the connection: the last chunk is missing.
        let count = response.body.read(&mut buffer)?;
        if count == 0 {
            return stream.write_all(b"0\r\n\r\n");
        }
        if sent + count > limit {
            return chunk(stream, &buffer[..limit - sent]);
        }
        chunk(stream, &buffer[..count])?;
        sent += count;
    }
}

fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
    stream.write_all(bytes)?;
    stream.write_all(b"\r\n")
}

fn write_head(stream: &mut TcpStream, status: u16, headers: &[(&str, String)]) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} Told\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes())
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head = Head { method: method.into(), path: path.into(), query: query.into(), headers: Vec::new() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => head.headers.push((name.to_owned(), value.trim().to_owned())),
            None => return Ok(Some(head)),
        }
    }
}

/// A body of known length; fewer bytes are an error.
struct Whole<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// A body in chunks.
struct Chunks<R> {
    inner: R,
    left: usize,
    end: bool,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.end {
            return Ok(0);
        }
        if self.left == 0 {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.inner.read_line(&mut line)? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
            }
            self.left = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                self.end = true;
                return Ok(0);
            }
        }
        let most = self.left.min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        self.left -= count;
        if count == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
    }
}
