//! Which version of an action a step used, for the run's record: comparisons of runs read it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use lineclear_event::{Fact, UsedKind, hexadecimal};
use lineclear_workflow::Runs;
use sha2::{Digest, Sha256};

use crate::action::{Body, LoadedAction};

/// Of a file, so much counts; the rest of a larger one is not read.
const MOST: u64 = 16 << 20;

/// What is kept of an action that a step calls.
pub(crate) fn fact(action: &LoadedAction) -> Fact {
    Fact::Used { kind: UsedKind::Action, name: action.reference.clone(), version: version(action) }
}

/// The commit; without one, `files:` and a digest of the metadata and of the scripts that it names. A built-in action has the
/// version of Lineclear.
fn version(action: &LoadedAction) -> String {
    if matches!(action.body, Body::Native(_)) {
        return format!("built in {}", env!("CARGO_PKG_VERSION"));
    }
    if let Some(sha) = &action.sha {
        return sha.clone();
    }
    let mut digest = Sha256::new();
    for name in ["action.yml", "action.yaml"] {
        add(&mut digest, &action.folder.join(name));
    }
    if let Runs::JavaScript { main, pre, post, .. } = &action.metadata.runs {
        for script in [Some(main), pre.as_ref(), post.as_ref()].into_iter().flatten() {
            add(&mut digest, &action.folder.join(script));
        }
    }
    format!("files:{}", &hexadecimal(&digest.finalize())[..16])
}

/// A file that cannot be read counts as an empty one: whether the action works is not decided here.
fn add(digest: &mut Sha256, path: &Path) {
    let read = File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    });
    let bytes = read.unwrap_or_default();
    digest.update((bytes.len() as u64).to_le_bytes());
    digest.update(&bytes);
}
