//! The registry called directly.

use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_registry_server::{Body, Grants, Registry, Request, Settings};
use lineclear_store::Images;

use super::requirements::{Answer, Client};

pub(crate) struct Direct {
    registry: Registry,
}

impl Direct {
    pub(crate) fn over(images: Arc<dyn Images>, settings: &Settings) -> Self {
        Self { registry: Registry::new(images, settings.clone()) }
    }
}

impl Client for Direct {
    fn send(&self, caller: &Grants, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let length = body.len().to_string();
        let mut headers = headers.to_vec();
        headers.push(("content-length", &length));
        let request = Request { method, path, query, headers: &headers };
        let response = self.registry.answer(&request, &mut &*body, caller, Timestamp(1_795_248_930_123));
        let bytes = match response.body {
            Body::Empty => Vec::new(),
            Body::Bytes(bytes) => bytes,
            Body::Part(mut part) => {
                let mut bytes = vec![0; usize::try_from(part.length).expect("it is small")];
                let mut done = 0;
                while done < bytes.len() {
                    let read = part.content.read_at(part.first + done as u64, &mut bytes[done..]).expect("it is sound");
                    assert!(read > 0, "the part is as long as was said");
                    done += read;
                }
                bytes
            }
        };
        let headers = response.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Answer { status: response.status, headers, body: bytes }
    }
}
