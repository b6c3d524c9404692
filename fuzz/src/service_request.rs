//! Any request to the services gets an answer, without a panic, and none of the server's own faults.
//!
//! The first line is the request: a method and a target, as `POST /twirp/…`. `~` at the beginning of a target stands for the
//! address of an upload that is going on. Lines up to an empty one are headers; the rest is the body. The request has the tokens of
//! an open job, so that hostile texts come past the door.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use lineclear_event::{JobContexts, JobKey, JobSpec, RunId, Timestamp, WorkflowOrigin};
use lineclear_forge::NoForge;
use lineclear_services::{JobAccess, JobIdentity, Services, ServicesConfig};
use lineclear_store::MemoryStore;
use tokio::runtime::{Builder, Runtime};

struct Target {
    runtime: Runtime,
    services: Services,
    access: JobAccess,
    upload: String,
    requests: u32,
}

impl Target {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(|| Timestamp(1_800_000_000_000));
        let state = std::env::temp_dir().join("lineclear-fuzz-services");
        let mut config = ServicesConfig::new(store.clone(), store.clone(), Arc::new(NoForge), state, clock);
        config.caches = Some(store);
        config.limits.archive = 1 << 16;
        let services = Services::embedded(config, "http://127.0.0.1:1").expect("services");
        let github = serde_json::json!({ "repository": "o/r", "ref": "refs/heads/main" });
        let spec = JobSpec {
            run: RunId(1),
            run_number: 1,
            attempt: 1,
            job: JobKey::new("j"),
            id: "j".into(),
            name: "j".into(),
            file: WorkflowOrigin::Local { path: "w.yml".into() },
            text: "".into(),
            contexts: JobContexts { github: Arc::new(github), ..JobContexts::default() },
            runs_on: Vec::new(),
            runner_group: None,
            environment: None,
            timeout_minutes: 60.0,
            permissions: [("contents".to_owned(), "write".to_owned())].into(),
            secret_passages: Vec::new(),
        };
        let access = services.open_job(JobIdentity::of_job(&spec)).expect("a job");
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let mut target = Self { runtime, services, access, upload: String::new(), requests: 0 };
        let begin = "POST /twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry\n\n{\"key\":\"fuzz\",\"version\":\"v\"}";
        let answer = target.send(begin).expect("an answer");
        let address = answer.1.split("\"signed_upload_url\":\"").nth(1).and_then(|rest| rest.split('"').next());
        target.upload = address.expect("an address").trim_start_matches("http://127.0.0.1:1").to_owned();
        target
    }

    /// Status and body; `None` for a text that is no request.
    fn send(&mut self, text: &str) -> Option<(StatusCode, String)> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, target) = lines.next()?.split_once(' ')?;
        let target = match target.strip_prefix('~') {
            Some(rest) => format!("{}{rest}", self.upload),
            None => target.to_owned(),
        };
        let token = if target.starts_with("/api") || target.starts_with("/git") || target.starts_with("/graphql") {
            &self.access.forge_token
        } else {
            &self.access.runtime_token
        };
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "127.0.0.1:1")
            .header("authorization", format!("Bearer {token}"));
        for line in lines {
            let (name, value) = line.split_once(':')?;
            request = request.header(name.trim(), value.trim());
        }
        let request = request.body(Body::from(body.to_owned())).ok()?;
        let service = TowerToHyperService::new(self.services.router());
        Some(self.runtime.block_on(async move {
            let Ok(response) = service.call(request).await;
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.expect("a whole body");
            (status, String::from_utf8_lossy(&body).into_owned())
        }))
    }
}

thread_local! {
    static TARGET: RefCell<Option<Target>> = const { RefCell::new(None) };
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lineclear_services::fuzzing::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    TARGET.with_borrow_mut(|kept| {
        let target = kept.get_or_insert_with(Target::new);
        target.requests += 1;
        if let Some((status, body)) = target.send(text) {
            // A forge that is not there answers 503.
            assert!(status.as_u16() < 500 || status == StatusCode::SERVICE_UNAVAILABLE, "{status}: {body}");
        }
        // What was uploaded fills the memory in time.
        if target.requests > 20_000 {
            *kept = None;
        }
    });
});
