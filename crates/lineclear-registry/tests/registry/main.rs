//! The client against Debian's `docker-registry`, through lines that break, and against servers that lie.

mod faults;
mod lists;
mod login;
mod proxy;
mod real;
mod server;
mod transfers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lineclear_oci::{AnyManifest, Descriptor, ManifestParts, MediaType, Reference};
use lineclear_registry::{Client, ClientSettings, ProgressEvent, RetryPolicy};

/// Settings with which failures are tried again at once.
fn hasty() -> ClientSettings {
    let retry = RetryPolicy {
        attempts: 5,
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(20),
        total: Duration::from_secs(5),
    };
    ClientSettings { retry, idle_timeout: Duration::from_secs(20), ..ClientSettings::default() }
}

fn client() -> Client {
    Client::new(hasty()).expect("nothing in these settings can fail")
}

fn reference(text: &str) -> Reference {
    text.parse().expect(text)
}

/// A layer and a configuration with a manifest of them, brought into a repository under the reference's tag.
fn push_small(client: &Client, to: &Reference, content: &str) -> AnyManifest {
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"User\":\"app\",\"Labels\":{{\"content\":\"{content}\"}}}}}}"
    );
    let manifest = small_manifest(&config, content);
    client.push_bytes(to, &Descriptor::of(MediaType::OciConfig, config.as_bytes()), config.as_bytes()).expect("pushed");
    client
        .push_bytes(to, &Descriptor::of(MediaType::OciLayer, content.as_bytes()), content.as_bytes())
        .expect("pushed");
    client.push_manifest(to, &manifest).expect("pushed");
    manifest
}

fn small_manifest(config: &str, content: &str) -> AnyManifest {
    let layers = vec![Descriptor::of(MediaType::OciLayer, content.as_bytes())];
    ManifestParts::new(Descriptor::of(MediaType::OciConfig, config.as_bytes()), layers).write().into()
}

/// Bytes that look random, the same for the same length.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Keeps why something was tried again.
fn telling(settings: ClientSettings) -> (Client, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    let progress = move |event: ProgressEvent<'_>| {
        if let ProgressEvent::Retry { reason, .. } = event {
            keep.lock().expect("nobody panics here").push(reason.to_owned());
        }
    };
    let settings = ClientSettings { progress: Some(Arc::new(progress)), ..settings };
    (Client::new(settings).expect("nothing in these settings can fail"), told)
}
