//! What is passed on, and how it comes back.

use lineclear_forge::ApiRequest;
use lineclear_forge_remote::{ForgeKind, RemoteForge, Settings, Token};
use serde_json::json;

use crate::server::{Server, answer, json};
use crate::{LOCAL, TOKEN, call, header, message, remote};

#[test]
fn a_call_arrives_as_it_was_made_with_the_token_of_lineclear() {
    let server = Server::start(|_, _| json(201, &json!({ "id": 1 })));
    let forge = remote(ForgeKind::GitHub, &server.url);
    let mut request =
        ApiRequest::new("POST", "/repos/o/r/issues/7/comments").query("a b", "c&d/é").json(&json!({ "body": "hi" }));
    request.headers.extend([
        ("accept".to_owned(), "application/vnd.github.raw".to_owned()),
        ("cookie".into(), "x=y".into()),
        ("x-github-api-version".into(), "2022-11-28".into()),
    ]);
    let answer = call(&forge, &request);
    assert_eq!((answer.status, answer.value()), (201, json!({ "id": 1 })));
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /api/v3/repos/o/r/issues/7/comments?a%20b=c%26d%2F%C3%A9");
    assert_eq!(seen.header("authorization"), Some(format!("token {TOKEN}").as_str()));
    assert_eq!(seen.header("accept"), Some("application/vnd.github.raw"));
    assert_eq!(seen.header("x-github-api-version"), Some("2022-11-28"));
    assert_eq!(seen.header("cookie"), None);
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("lineclear/")));
    assert_eq!(seen.json(), json!({ "body": "hi" }));
}

#[test]
fn addresses_come_back_as_local_ones() {
    let server = Server::start(|seen, _| {
        let base = format!("http://{}", seen.header("host").unwrap_or_default());
        let link = format!("<{base}/api/v3/repositories/5/issues?per_page=1&page=2>; rel=\"next\"");
        let body = json!([{ "url": format!("{base}/api/v3/repos/o/r/issues/1"), "upload_url": format!("{base}/api/uploads/repos/o/r/releases/1/assets{{?name}}") }]);
        answer(
            200,
            &[
                ("content-type", "application/json"),
                ("link", &link),
                ("set-cookie", "a=b"),
                ("x-oauth-scopes", "repo"),
                ("etag", "\"x\""),
            ],
            &body.to_string(),
        )
    });
    let forge = remote(ForgeKind::GitHub, &server.url);
    let answer = call(&forge, &ApiRequest::new("GET", "/repos/o/r/issues"));
    let expected = json!([{ "url": format!("{LOCAL}/repos/o/r/issues/1"), "upload_url": format!("{LOCAL}/repos/o/r/releases/1/assets{{?name}}") }]);
    assert_eq!(answer.value(), expected);
    assert_eq!(
        header(&answer, "link"),
        Some(format!("<{LOCAL}/repos/o/r/issues?per_page=1&page=2>; rel=\"next\"").as_str())
    );
    assert_eq!(header(&answer, "etag"), Some("\"x\""));
    assert_eq!((header(&answer, "set-cookie"), header(&answer, "x-oauth-scopes")), (None, None));
}

#[test]
fn assets_go_to_the_host_of_uploads() {
    let server = Server::start(|_, _| json(201, &json!({ "id": 3 })));
    let forge = remote(ForgeKind::GitHub, &server.url);
    let mut request = ApiRequest::new("POST", "/repos/o/r/releases/1/assets").query("name", "a.bin");
    request.headers.push(("content-type".into(), "application/octet-stream".into()));
    request.body = vec![0, 255, 10];
    assert_eq!(call(&forge, &request).status, 201);
    assert_eq!(server.lines(), ["POST /api/uploads/repos/o/r/releases/1/assets?name=a.bin"]);
    assert_eq!(server.seen()[0].body, [0, 255, 10]);
}

#[test]
fn a_refused_token_is_explained_and_a_missing_one_too() {
    let server = Server::start(|_, _| json(401, &json!({ "message": "Bad credentials" })));
    let answer = call(&remote(ForgeKind::GitHub, &server.url), &ApiRequest::new("GET", "/repos/o/r"));
    assert_eq!(answer.status, 401);
    assert!(message(&answer).contains("expired or revoked"), "{}", message(&answer));
    let settings = Settings {
        url: server.url.clone(),
        kind: ForgeKind::GitHub,
        token: None,
        local_base: LOCAL.into(),
        limits: Default::default(),
    };
    let forge = RemoteForge::new(settings).expect("the address is one");
    let answer = call(&forge, &ApiRequest::new("GET", "/repos/o/r"));
    assert!(message(&answer).contains("was given none"), "{}", message(&answer));
    assert_eq!(server.seen()[1].header("authorization"), None);
}

#[test]
fn what_is_refused_by_the_forge_comes_back_unchanged() {
    let body =
        json!({ "message": "Validation Failed", "errors": [{ "message": "A pull request already exists for o:b." }] });
    let reply = body.clone();
    let server = Server::start(move |_, _| json(422, &reply));
    let answer =
        call(&remote(ForgeKind::GitHub, &server.url), &ApiRequest::new("POST", "/repos/o/r/pulls").json(&json!({})));
    assert_eq!((answer.status, answer.value()), (422, body));
}

#[test]
fn the_login_of_the_token_is_told() {
    let server = Server::start(|_, _| json(200, &json!({ "login": "mona" })));
    assert_eq!(remote(ForgeKind::GitHub, &server.url).login().as_deref(), Some("mona"));
    let server = Server::start(|_, _| json(403, &json!({ "message": "Resource not accessible by integration" })));
    assert_eq!(remote(ForgeKind::GitHub, &server.url).login(), None);
}

/// S4-67.
#[test]
fn a_token_is_in_no_text() {
    let token = Token::new(TOKEN).expect("the token is one");
    let settings = Settings {
        url: "https://github.com".into(),
        kind: ForgeKind::GitHub,
        token: Some(token),
        local_base: LOCAL.into(),
        limits: Default::default(),
    };
    assert!(!format!("{settings:?}").contains(TOKEN));
    for wrong in ["", "  ", "a b", "a\nb", "ä"] {
        assert!(Token::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(Token::new(" abc\n").is_ok());
}

/// S4-67: a forge that repeats what it was sent gives nothing away.
#[test]
fn a_token_that_the_forge_repeats_is_masked() {
    let server = Server::start(|seen, number| {
        let said = seen.header("authorization").unwrap_or_default();
        match number {
            1 => answer(200, &[("content-type", "text/plain"), ("etag", said)], &format!("{said} and {said}!")),
            2 => json(500, &json!({ "message": said })),
            _ => answer(302, &[("location", &format!("https://elsewhere.test/?t={}", said.replace("token ", "")))], ""),
        }
    });
    let forge = remote(ForgeKind::GitHub, &server.url);
    let first = call(&forge, &ApiRequest::new("GET", "/repos/o/r"));
    assert_eq!(String::from_utf8_lossy(&first.body), "token *** and token ***!");
    assert_eq!(header(&first, "etag"), Some("token ***"));
    assert_eq!(message(&call(&forge, &ApiRequest::new("GET", "/repos/o/r"))), "token ***");
    let moved = call(&forge, &ApiRequest::new("GET", "/repos/o/r"));
    assert_eq!(header(&moved, "location"), Some("https://elsewhere.test/?t=***"));
}
