//! The table of requirements, through a registry that listens by itself.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lineclear_event::Timestamp;
use lineclear_oci::RepositoryName;
use lineclear_registry_server::{Caller, Deed, Denial, Grants, Registry, Settings};
use lineclear_services::{Doorkeeper, Limits, RegistryServer, RegistryServerConfig, Visitor};
use lineclear_store_folder::FolderStore;
use tempfile::TempDir;

use crate::http;
use crate::requirements::{Answer, Client, check_all};

/// Users by number; each has the rights of a request of the table.
#[derive(Debug, Default)]
struct Door(Mutex<Vec<Grants>>);

impl Doorkeeper for Door {
    fn knows(&self, user: &str, password: &str) -> bool {
        user.parse::<usize>().is_ok_and(|user| user < self.0.lock().expect("no poison").len()) && password == "right"
    }

    fn may(&self, visitor: &Visitor, deed: Deed, repository: &RepositoryName) -> Result<(), Denial> {
        let Visitor::User(user) = visitor else { return Err(Denial::WhoAsks) };
        let user: usize = user.parse().map_err(|_| Denial::WhoAsks)?;
        self.0.lock().expect("no poison")[user].may(deed, repository)
    }

    fn is_open(&self) -> bool {
        false
    }

    fn lets_anonymous_in(&self) -> bool {
        false
    }
}

struct Served {
    _folder: TempDir,
    server: RegistryServer,
    door: Arc<Door>,
}

impl Served {
    fn new(settings: &Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(FolderStore::open(folder.path()).expect("a store"));
        let door = Arc::new(Door::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let config = RegistryServerConfig {
            registry: Registry::new(store, settings.clone()),
            door: door.clone(),
            clock: Arc::new(|| Timestamp(1_795_248_930_123)),
            limits: Limits::default(),
            warn: Arc::new(|message| panic!("nothing is wrong here: {message}")),
        };
        let server = RegistryServer::start(listener, config).expect("a server");
        Self { _folder: folder, server, door }
    }

    fn send_as(&self, authorization: Option<&str>, method: &str, target: &str) -> Answer {
        let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", *value)).collect();
        http::send(&self.server.address().to_string(), method, target, &headers, b"")
    }

    fn user(&self, grants: &Grants) -> usize {
        let mut users = self.door.0.lock().expect("no poison");
        users.push(grants.clone());
        users.len() - 1
    }
}

fn basic(user: usize, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl Client for Served {
    fn send(&self, caller: &Grants, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let authorization = (!caller.is_anonymous).then(|| basic(self.user(caller), "right"));
        let mut headers = headers.to_vec();
        headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
        http::send(&self.server.address().to_string(), method, target, &headers, body)
    }
}

#[test]
fn every_requirement_of_the_distribution_specification_is_kept_over_http() {
    check_all(Served::new);
}

#[test]
fn a_bearer_token_speaks_for_who_asked_for_it() {
    let served = Served::new(&Settings::default());
    let reader = served.user(&Grants::of("**", [Deed::Pull]));
    let refused = served.send_as(None, "GET", "/v2/");
    assert_eq!(refused.status, 401);
    let challenges: Vec<&str> = refused
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(
        challenges[0].starts_with("Basic ") && challenges[1].starts_with("Bearer realm=\"http://127.0.0.1"),
        "{challenges:?}"
    );
    assert_eq!(served.send_as(Some(&basic(reader, "wrong")), "GET", "/v2/_token").status, 401);
    assert_eq!(served.send_as(None, "GET", "/v2/_token").status, 401);
    let answer = served.send_as(
        Some(&basic(reader, "right")),
        "GET",
        "/v2/_token?service=lineclear&scope=repository:a:pull,push",
    );
    let token: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    assert_eq!(served.send_as(Some(&bearer), "GET", "/v2/").status, 200);
    assert_eq!(served.send_as(Some(&bearer), "GET", "/v2/a/tags/list").status, 404);
    assert_eq!(served.send_as(Some(&bearer), "POST", "/v2/a/blobs/uploads/").status, 403);
    assert_eq!(served.send_as(Some("Bearer 0123"), "GET", "/v2/").status, 401);
}
