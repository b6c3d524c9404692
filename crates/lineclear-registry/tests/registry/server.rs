//! A server that answers what it is told to, also what no registry should.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The length that is announced, when it is not that of the body. `None` within: none is, and the body ends with the connection.
    announced: Option<Option<usize>>,
    delay: Duration,
    endless: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), announced: None, delay: Duration::ZERO, endless: false }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn announcing(self, length: Option<usize>) -> Self {
        Self { announced: Some(length), ..self }
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The body again and again.
    pub(crate) fn endlessly(self) -> Self {
        Self { endless: true, announced: Some(None), ..self }
    }
}

type Answering = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server on a port of its own. Its thread ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_over(answer, |stream, serve| serve(Box::new(stream)))
    }

    /// One whose connections are made into others first.
    pub(crate) fn start_over(
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &dyn Fn(Box<dyn Line>)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answering> = Arc::new(answer);
        let wrap = Arc::new(wrap);
        let keep = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, keep, wrap) = (Arc::clone(&answer), Arc::clone(&keep), Arc::clone(&wrap));
                std::thread::spawn(move || wrap(stream, &|line| serve(line, &*answer, &keep)));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn reference(&self, rest: &str) -> lineclear_oci::Reference {
        super::reference(&format!("{}/{rest}", self.address))
    }

    /// Everything that was asked until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panics here").clone()
    }
}

/// A connection.
pub(crate) trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

fn serve(line: Box<dyn Line>, answer: &Answering, keep: &Mutex<Vec<Asked>>) {
    let mut line = BufReader::new(line);
    let mut first = String::new();
    if line.read_line(&mut first).is_err() {
        return;
    }
    let mut words = first.split_whitespace();
    let mut asked = Asked {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        ..Asked::default()
    };
    loop {
        let mut header = String::new();
        match line.read_line(&mut header) {
            Ok(length) if length > 2 => {
                let (name, value) = header.trim_end().split_once(':').expect("a header has a colon");
                asked.headers.push((name.to_owned(), value.trim().to_owned()));
            }
            Ok(_) => break,
            Err(_) => return,
        }
    }
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    asked.body = vec![0; length];
    if line.read_exact(&mut asked.body).is_err() {
        return;
    }
    keep.lock().expect("nobody panics here").push(asked.clone());
    let reply = answer(&asked);
    std::thread::sleep(reply.delay);
    let mut head = format!("HTTP/1.1 {} Status\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = reply.announced.unwrap_or(Some(reply.body.len())) {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    let line = line.get_mut();
    // A client that went away is what some tests are about.
    let mut sent = line.write_all(head.as_bytes());
    if asked.method != "HEAD" {
        sent = sent.and_then(|()| line.write_all(&reply.body));
        while reply.endless && sent.is_ok() {
            sent = line.write_all(&reply.body);
        }
    }
    let _gone = sent.and_then(|()| line.flush());
}
