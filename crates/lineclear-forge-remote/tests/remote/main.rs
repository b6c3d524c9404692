//! Against a server on loopback that answers, hangs, lies, breaks off and redirects.

mod faults;
mod gitea;
mod passing;
mod server;
mod tls;

use std::time::Duration;

use lineclear_event::{JobKey, RunId};
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use lineclear_forge_remote::{ForgeKind, Limits, RemoteForge, Settings, Token};

const TOKEN: &str = "ghp_verysecretverysecretverysecret1234";
const LOCAL: &str = "http://127.0.0.1:9/api/v3";

fn remote(kind: ForgeKind, url: &str) -> RemoteForge {
    let limits = Limits {
        connect: Duration::from_secs(20),
        call: Duration::from_secs(20),
        pause: Duration::from_millis(1),
        answer: 64 << 10,
        ..Limits::default()
    };
    remote_with(kind, url, limits)
}

fn remote_with(kind: ForgeKind, url: &str, limits: Limits) -> RemoteForge {
    let token = Some(Token::new(TOKEN).expect("the token is one"));
    RemoteForge::new(Settings { url: url.into(), kind, token, local_base: LOCAL.into(), limits })
        .expect("the address is one")
}

fn caller() -> Caller {
    Caller {
        repository: "o/r".into(),
        run: RunId(1),
        job: JobKey::new("job"),
        actor: "mona".into(),
        permissions: Default::default(),
    }
}

fn call(forge: &RemoteForge, request: &ApiRequest) -> ApiResponse {
    let answer = forge.call(&caller(), request);
    // S4-67: whatever happens.
    let shown = format!("{answer:?} {forge:?} {}", String::from_utf8_lossy(&answer.body));
    assert!(!shown.contains(TOKEN), "the token is shown");
    answer
}

fn message(answer: &ApiResponse) -> String {
    answer.value()["message"].as_str().unwrap_or_default().to_owned()
}

fn header<'a>(answer: &'a ApiResponse, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
