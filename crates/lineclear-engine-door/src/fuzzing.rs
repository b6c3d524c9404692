//! The pure part of a door, for hostile input: heads, bodies and the rewriting of requests.

use std::io::Read as _;
use std::path::PathBuf;

use lineclear_backend::{Credentials, labels};
use lineclear_oci::Routes;
use serde_json::Value;

use crate::http::{Body, Inbound, RequestHead, Target};
use crate::names::Names;
use crate::rewrite::{Answer, Decision, Found, ImageFound, Job, Machine, Refusal, find};
use crate::settings::View;

/// A machine with one container, network, volume and image of the job, and one of each that is another's.
#[derive(Debug)]
pub(crate) struct Fixture(pub(crate) Job);

const OWN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

impl Fixture {
    pub(crate) fn new() -> Self {
        let mut routes = Routes::default();
        // Cannot fail: the text is a route.
        let _added = routes.add("ghcr.io=127.0.0.1:5000/ghcr.io");
        Self(Job {
            owner: "owner".into(),
            run: "7".into(),
            tracking_id: "github_own".into(),
            names: Names::of("owner", "github_own"),
            view: View::Own,
            is_confined: false,
            has_network: true,
            folders: vec![PathBuf::from("/home/me/lc/jobs/own/work")],
            seen: vec![(PathBuf::from("/tmp"), PathBuf::from("/home/me/lc/jobs/own/work/tmp"))],
            protected: vec![PathBuf::from("/home/me/lc")],
            engine_sockets: vec![PathBuf::from("/run/engine.sock")],
            socket: PathBuf::from("/home/me/lc/jobs/own/door/docker.sock"),
            routes,
            registry: Some(Credentials { username: "job".into(), password: "token".into() }),
        })
    }

    fn found(&self, name: &str) -> Vec<Found> {
        let own =
            Found { id: OWN.into(), names: vec![self.0.names.engine(name)], job: Some(self.0.tracking_id.clone()) };
        let other = Found { id: OTHER.into(), names: vec!["theirs".into()], job: Some("github_other".into()) };
        vec![own, other]
    }
}

impl Machine for Fixture {
    fn containers(&self) -> Result<Vec<Found>, Refusal> {
        Ok(self.found("db").into_iter().take(1).collect())
    }

    fn networks(&self) -> Result<Vec<Found>, Refusal> {
        Ok(self.found("backend"))
    }

    fn volume(&self, name: &str) -> Result<Option<Found>, Refusal> {
        let volumes = self.found("data").into_iter().map(|found| Found { id: found.names[0].clone(), ..found });
        Ok(volumes.into_iter().find(|found| found.id == name))
    }

    fn image(&self, name: &str) -> Result<Option<ImageFound>, Refusal> {
        let app =
            ImageFound { id: format!("sha256:{OWN}"), tags: vec!["app:latest".into()], volumes: vec!["/data".into()] };
        let postgres =
            ImageFound { id: format!("sha256:{OTHER}"), tags: vec!["postgres:15".into()], volumes: Vec::new() };
        let known = [app, postgres];
        let is_it = |image: &&ImageFound| {
            image.id == name || image.tags.iter().any(|tag| tag == name || tag.strip_suffix(":latest") == Some(name))
        };
        Ok(known.iter().find(is_it).cloned())
    }

    fn exec(&self, id: &str) -> Result<Option<String>, Refusal> {
        Ok(match id {
            "own" => Some(OWN.into()),
            "other" => Some(OTHER.into()),
            _ => None,
        })
    }

    fn is_own_container(&self, id: &str) -> bool {
        id == OWN
    }

    fn tagged(&self, name: &str) -> Option<String> {
        (name == "docker.io/library/app:latest").then(|| format!("sha256:{OWN}"))
    }

    fn made(&self, id: &str) -> bool {
        id == format!("sha256:{OWN}")
    }

    fn seen_in_containers(&self) -> Result<Vec<(String, String)>, Refusal> {
        Ok(vec![("/__w".into(), "/home/me/lc/jobs/own/work".into())])
    }

    fn real_path(&self, path: &str) -> String {
        path.replace("/link/", "/home/me/lc/")
    }
}

/// Reads bytes as a request and decides on it, as a door does.
///
/// # Panics
/// If a request is passed on that could make something without the job's labels, or reach what is another's.
pub fn request(bytes: &[u8]) {
    let mut inbound = Inbound::new(bytes);
    let Ok(Some(head)) = inbound.head() else { return };
    let Ok(head) = RequestHead::parse(&head) else { return };
    let (Ok(target), Ok(framing)) = (Target::parse(&head.target), head.framing()) else { return };
    let mut body = Vec::new();
    if Body::new(&mut inbound, framing).take(1 << 20).read_to_end(&mut body).is_err() {
        return;
    }
    let Ok((endpoint, name)) = find(&head.method, &target) else { return };
    let fixture = Fixture::new();
    let Ok(Decision::Pass(pass)) = endpoint.decide(target, name, &body, &fixture.0, &fixture) else { return };
    let path: Vec<&str> = pass.target.path.iter().map(String::as_str).collect();
    let rewritten = Target::parse(&pass.target.write());
    assert_eq!(rewritten.ok().as_ref(), Some(&pass.target), "a target is read as it was written");
    assert!(
        !path.contains(&OTHER) && !path.contains(&"theirs") || path[0] == "images" || path[0] == "distribution",
        "{path:?}"
    );
    if path.last() == Some(&"create") && path[0] != "images" {
        let made = pass.body.as_ref().and_then(|body| body.pointer("/Labels"));
        let label = made.and_then(|labels| labels.get(labels::JOB)).and_then(Value::as_str);
        assert_eq!(label, Some("github_own"), "what is made is marked");
    }
    if path == ["containers", "create"] {
        let host = pass.body.as_ref().and_then(|body| body.get("HostConfig")).cloned().unwrap_or_default();
        for bind in host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(!bind.starts_with("/run/engine.sock") && !bind.starts_with("/home/me/lc/jobs/other"), "{bind}");
        }
    }
    if path.last() == Some(&"prune") {
        let filters = pass.target.get("filters").unwrap_or_default();
        assert!(filters.contains("org.lineclear.job=github_own"), "a prune goes as far as the job's own: {filters}");
    }
    if pass.answer == Answer::Tunnel {
        assert!(matches!(path[0], "containers" | "exec" | "session" | "grpc"), "{path:?}");
    }
}
