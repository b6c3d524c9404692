//! Workflow files that were read before.
//!
//! The jobs of a run share one file; reading it once for all of them keeps the cost of a job from growing with the file.

use std::fmt;
use std::sync::{Arc, Mutex};

use lineclear_source::Source;
use lineclear_workflow::{Read, Workflow};

use crate::ports::lock;

/// How many files are remembered. A run knows few at a time: its own and those it calls.
const REMEMBERED: usize = 16;

/// Remembers the models of the last workflow files. Clones share their memory.
#[derive(Clone, Default)]
pub struct Readings(Arc<Mutex<Vec<Remembered>>>);

#[derive(Clone)]
struct Remembered {
    name: String,
    text: Arc<str>,
    read: Arc<Read<Workflow>>,
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(lock(&self.0).iter().map(|known| &known.name)).finish()
    }
}

impl Readings {
    /// The model of `text`, read now unless the same text was read before under the same name.
    pub fn workflow(&self, name: &str, text: &Arc<str>) -> Arc<Read<Workflow>> {
        let is_it = |known: &&Remembered| known.name == name && (Arc::ptr_eq(&known.text, text) || known.text == *text);
        if let Some(known) = lock(&self.0).iter().find(is_it) {
            return Arc::clone(&known.read);
        }
        // Read outside the lock: two jobs may then read the same file at once, which costs time but never waits.
        let read = Arc::new(Workflow::read(&Source::new(name, Arc::clone(text))));
        let mut known = lock(&self.0);
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push(Remembered { name: name.to_owned(), text: Arc::clone(text), read: Arc::clone(&read) });
        read
    }
}
