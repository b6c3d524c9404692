//! What is not smart HTTP, and what is too much.

use std::io::{Cursor, Read};
use std::time::Duration;

use crate::Served;
use lineclear_git_server::{GitRequest, GitServer, Limits};

fn ask(server: &GitServer, method: &str, path: &str, query: &str) -> (u16, String) {
    let request = GitRequest {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: Vec::new(),
        body: Box::new(std::io::empty()),
        may_write: false,
    };
    let mut response = server.handle(request);
    let mut text = Vec::new();
    response.body.read_to_end(&mut text).expect("a refusal can be read");
    (response.status, String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn what_is_not_smart_http_is_refused() {
    let served = Served::new(false);
    for (method, path, query, status) in [
        ("GET", "/info/refs", "", 403),
        ("GET", "/info/refs", "service=git-upload-archive", 403),
        ("GET", "/info/refs", "service=upload-pack", 403),
        ("GET", "/HEAD", "", 403),
        ("GET", "/objects/info/packs", "", 403),
        ("GET", "/config", "", 404),
        ("GET", "/../user/.git/config", "", 400),
        ("GET", "/%2e%2e/config", "", 400),
        ("GET", "/info/../info/refs", "service=git-upload-pack", 400),
        ("POST", "/git-upload-archive", "", 404),
        ("GET", "/git-upload-pack", "", 405),
        ("POST", "/info/refs", "service=git-upload-pack", 405),
        ("POST", "/git-upload-pack", "", 415),
        ("POST", "/git-receive-pack", "", 403),
        ("GET", "/info/refs", "service=git-receive-pack", 403),
    ] {
        let (given, text) = ask(&served.server, method, path, query);
        assert_eq!((given, method, path), (status, method, path), "{text}");
        assert!(text.ends_with('\n'), "{text}");
    }
    assert_eq!(ask(&served.server, "GET", "/info/refs", "service=git-upload-pack").0, 200);
}

/// A request for objects, whose body the test gives.
fn post(server: &GitServer, encoding: Option<&str>, body: Box<dyn Read + Send>) -> (u16, String) {
    let mut headers = vec![("Content-Type".to_owned(), "application/x-git-upload-pack-request".to_owned())];
    headers.extend(encoding.map(|name| ("Content-Encoding".to_owned(), name.to_owned())));
    headers.push(("Git-Protocol".to_owned(), "version=2".to_owned()));
    let request = GitRequest {
        method: "POST".into(),
        path: "/git-upload-pack".into(),
        query: String::new(),
        headers,
        body,
        may_write: false,
    };
    let mut response = server.handle(request);
    let mut text = Vec::new();
    let end = response.body.read_to_end(&mut text);
    let said = String::from_utf8_lossy(&text).into_owned();
    (response.status, end.err().map_or(said, |error| error.to_string()))
}

#[test]
fn a_body_that_is_too_large_or_no_gzip_ends_the_request() {
    let served = Served::with(false, Limits { ask: 1000, ..Limits::default() });
    let large = || b"0014command=ls-refs\n".repeat(100);
    let (status, text) = post(&served.server, None, Box::new(Cursor::new(large())));
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("larger than allowed"), "{text}");
    // A bomb counts by its unpacked size.
    let mut bomb = Vec::new();
    flate2::read::GzEncoder::new(std::io::repeat(b'0').take(1 << 20), flate2::Compression::best())
        .read_to_end(&mut bomb)
        .expect("gzip");
    assert!(bomb.len() < 2000);
    let (status, text) = post(&served.server, Some("gzip"), Box::new(Cursor::new(bomb)));
    assert_eq!(status, 500, "{text}");
    let (status, text) = post(&served.server, Some("gzip"), Box::new(Cursor::new(b"not gzip at all".to_vec())));
    assert_eq!(status, 500, "{text}");
    assert_eq!(post(&served.server, Some("br"), Box::new(std::io::empty())).0, 415);
    // Garbage is answered, and the server lives on.
    let (status, _) = post(&served.server, None, Box::new(Cursor::new(b"zzzz not a packet line".to_vec())));
    assert_eq!(status, 500);
    assert_eq!(ask(&served.server, "GET", "/info/refs", "service=git-upload-pack").0, 200);
}

#[test]
fn a_client_that_sends_nothing_is_given_up() {
    /// A body that never comes, until the test ends.
    struct Never(std::sync::mpsc::Receiver<()>);
    impl Read for Never {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }
    let served = Served::with(false, Limits { idle: Duration::from_millis(200), ..Limits::default() });
    let (hold, never) = std::sync::mpsc::channel();
    let (status, text) = post(&served.server, None, Box::new(Never(never)));
    drop(hold);
    assert_eq!(status, 500, "{text}");
    assert!(text.contains("nothing moved for too long"), "{text}");
}

#[test]
fn too_many_requests_at_once_are_told_to_come_again() {
    let served = Served::with(false, Limits { at_once: 1, idle: Duration::from_millis(300), ..Limits::default() });
    served.server.git_dir().expect("the front opens");
    let request = |server: &GitServer| {
        server.handle(GitRequest {
            method: "GET".into(),
            path: "/info/refs".into(),
            query: "service=git-upload-pack".into(),
            headers: Vec::new(),
            body: Box::new(std::io::empty()),
            may_write: false,
        })
    };
    let first = request(&served.server);
    assert_eq!(first.status, 200);
    let second = request(&served.server);
    assert_eq!(second.status, 503);
    drop(first);
    assert_eq!(request(&served.server).status, 200);
}

#[test]
fn a_repository_that_is_gone_is_told() {
    let served = Served::new(false);
    std::fs::remove_dir_all(served.user().join(".git")).expect("it can be removed");
    let (status, text) = ask(&served.server, "GET", "/info/refs", "service=git-upload-pack");
    assert_eq!(status, 500);
    assert!(text.contains("rev-parse"), "{text}");
}
