//! A forge that is slow, broken, busy or lies.

use std::net::TcpListener;
use std::time::Duration;

use lineclear_forge::ApiRequest;
use lineclear_forge_remote::{ForgeKind, Limits};
use serde_json::{Value, json};

use crate::server::{Reaction, Server, answer, json};
use crate::{TOKEN, call, header, message, remote, remote_with};

fn get() -> ApiRequest {
    ApiRequest::new("GET", "/repos/o/r")
}

fn post() -> ApiRequest {
    ApiRequest::new("POST", "/repos/o/r/issues").json(&json!({ "title": "x" }))
}

fn raw(text: &str) -> Reaction {
    Reaction::Send(text.as_bytes().to_vec())
}

#[test]
fn a_forge_that_hangs_is_given_up() {
    let server = Server::start(|_, _| Reaction::Hang);
    let limits = Limits { call: Duration::from_millis(200), ..Limits::default() };
    let answer = call(&remote_with(ForgeKind::GitHub, &server.url, limits), &get());
    assert_eq!(answer.status, 504);
    assert!(message(&answer).contains("no answer in time"), "{}", message(&answer));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_forge_that_hangs_in_its_answer_is_given_up() {
    let server = Server::start(|_, _| raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    // The server closes after its half, so that this is a broken answer; a changing call is not made twice.
    let answer = call(&remote(ForgeKind::GitHub, &server.url), &post());
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_question_is_asked_again_after_a_broken_answer_and_a_change_is_not() {
    let react = |_: &_, number| match number {
        1 => raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        2 => raw(""),
        _ => json(200, &json!({ "id": 1 })),
    };
    let server = Server::start(react);
    let answer = call(&remote(ForgeKind::GitHub, &server.url), &get());
    assert_eq!((answer.status, answer.value()), (200, json!({ "id": 1 })));
    assert_eq!(server.seen().len(), 3);
    let server = Server::start(react);
    assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &post()).status, 502);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_busy_forge_is_asked_again_only_with_what_may_be_said_twice() {
    for status in [502, 503, 504] {
        let react = move |_: &_, number| {
            if number < 3 { json(status, &json!({ "message": "busy" })) } else { json(200, &json!({})) }
        };
        let server = Server::start(react);
        assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &get()).status, 200);
        assert_eq!(server.seen().len(), 3);
        let server = Server::start(react);
        assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &post()).status, status);
        assert_eq!(server.seen().len(), 1);
    }
    let server = Server::start(|_, _| json(503, &json!({ "message": "busy" })));
    assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &get()).status, 503);
    assert_eq!(server.seen().len(), 3);
}

/// The first try deleted it, and its answer was lost.
#[test]
fn what_is_gone_at_the_second_try_was_deleted() {
    let server =
        Server::start(
            |_, number| if number == 1 { raw("HTTP/1.1 2") } else { json(404, &json!({ "message": "Not Found" })) },
        );
    let answer =
        call(&remote(ForgeKind::GitHub, &server.url), &ApiRequest::new("DELETE", "/repos/o/r/issues/comments/1"));
    assert_eq!(answer.status, 204);
    let server = Server::start(|_, _| json(404, &json!({ "message": "Not Found" })));
    let answer =
        call(&remote(ForgeKind::GitHub, &server.url), &ApiRequest::new("DELETE", "/repos/o/r/issues/comments/1"));
    assert_eq!(answer.status, 404);
}

#[test]
fn a_forge_that_lies_about_lengths_or_speaks_no_http_is_told_of() {
    let long = "x".repeat(70 << 10);
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: nine\r\n\r\nx".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nshort".to_owned(),
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{long}"),
        "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {long}{long}\r\n\r\n"),
    ] {
        let reply = text.clone();
        let server = Server::start(move |_, _| raw(&reply));
        let answer = call(&remote(ForgeKind::GitHub, &server.url), &post());
        assert_eq!(answer.status, 502, "{} {}", &text[..text.len().min(80)], message(&answer));
    }
    let server = Server::start(|_, _| raw("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhithere"));
    assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &get()).body, b"hi");
}

#[test]
fn a_forge_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    drop(listener);
    let answer = call(&remote(ForgeKind::GitHub, &format!("http://{address}")), &get());
    assert_eq!(answer.status, 502);
    assert_eq!(message(&answer), format!("The forge {address} could not be asked: no connection: connection refused."));
}

#[test]
fn a_redirect_to_another_host_is_handed_over_without_the_token() {
    let other = Server::start(|_, _| answer(200, &[], "stolen"));
    let target = format!("{}/zip?signature=x", other.url);
    let location = target.clone();
    let server = Server::start(move |_, _| answer(302, &[("location", &location), ("x-ratelimit-remaining", "9")], ""));
    let forge = remote(ForgeKind::GitHub, &server.url);
    let moved = call(&forge, &ApiRequest::new("GET", "/repos/o/r/actions/artifacts/1/zip"));
    assert_eq!((moved.status, header(&moved, "location")), (302, Some(target.as_str())));
    assert_eq!(moved.headers.len(), 1);
    // A change is not sent after it, wherever it leads.
    let refused = call(&forge, &post());
    assert_eq!(refused.status, 421);
    assert!(other.seen().is_empty());
}

#[test]
fn a_redirect_within_the_forge_is_followed_with_the_token() {
    let server = Server::start(|seen, _| match seen.line.as_str() {
        "GET /api/v3/repos/o/r" => answer(301, &[("location", "/api/v3/repositories/5")], ""),
        _ => json(200, &json!({ "full_name": "o/new" })),
    });
    let answer = call(&remote(ForgeKind::GitHub, &server.url), &get());
    assert_eq!(answer.value()["full_name"], "o/new");
    assert_eq!(server.lines(), ["GET /api/v3/repos/o/r", "GET /api/v3/repositories/5"]);
    assert_eq!(server.seen()[1].header("authorization"), Some(format!("token {TOKEN}").as_str()));
}

#[test]
fn redirects_that_lead_nowhere_end() {
    let server = Server::start(|_, _| answer(302, &[("location", "/api/v3/repos/o/r")], ""));
    assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &get()).status, 502);
    for location in ["//evil.test/x", "ftp://x", "", "http:"] {
        let server = Server::start(move |_, _| answer(302, &[("location", location)], ""));
        let answer = call(&remote(ForgeKind::GitHub, &server.url), &get());
        assert_eq!(answer.status, 421, "{location}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn a_used_up_limit_is_told_and_kept() {
    for (status, headers) in [
        (429, vec![("retry-after", "3600")]),
        (403, vec![("retry-after", "3600")]),
        (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2000000000")]),
    ] {
        let sent = headers.clone();
        let server = Server::start(move |_, _| answer(status, &sent, "{\"message\":\"API rate limit exceeded\"}"));
        let forge = remote(ForgeKind::GitHub, &server.url);
        let first = call(&forge, &get());
        assert_eq!(first.status, status);
        let second = call(&forge, &post());
        assert_eq!((second.status, message(&second).as_str()), (status, "API rate limit exceeded"));
        assert!(
            header(&second, "retry-after").and_then(|text| text.parse::<u64>().ok()).is_some_and(|left| left > 30),
            "{second:?}"
        );
        assert_eq!(server.seen().len(), 1, "{headers:?}");
    }
}

#[test]
fn a_short_wait_is_waited_for() {
    let server = Server::start(|_, number| {
        if number == 1 { answer(429, &[("retry-after", "0")], "{}") } else { json(200, &json!({ "id": 1 })) }
    });
    assert_eq!(call(&remote(ForgeKind::GitHub, &server.url), &get()).value(), json!({ "id": 1 }));
    // Refused, which is no limit.
    let server = Server::start(|_, _| json(403, &json!({ "message": "Resource not accessible by integration" })));
    let forge = remote(ForgeKind::GitHub, &server.url);
    for _ in 0..2 {
        assert_eq!(call(&forge, &get()).status, 403);
    }
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_path_that_climbs_is_not_sent() {
    let server = Server::start(|_, _| json(200, &Value::Null));
    let forge = remote(ForgeKind::GitHub, &server.url);
    for path in ["/repos/o/r/../../user", "/repos/o/r/%2e%2e/x", "//evil.test/x", "/repos/o/r\r\nx: y", "repos", "/a?b"]
    {
        assert_eq!(call(&forge, &ApiRequest::new("GET", path)).status, 404, "{path}");
    }
    let bad = ApiRequest { method: "GET\r\nx: y".into(), ..get() };
    assert_eq!(call(&forge, &bad).status, 400);
    assert!(server.seen().is_empty());
}
