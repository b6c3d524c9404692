//! Actions that look images and folders through for known vulnerabilities, by what was imported on this machine.
//!
//! The real ones download a scanner and its database. Here both are Lineclear's own: an image is looked at by its digest, the record is told
//! of all that was found in it, and what the inputs leave out is left out of the report alone. What they ask for and is not carried out here
//! fails the step by name: a scan that was not done must not pass for one. Before anything was imported, the real actions are taken.

mod ignore_file;
mod looked;
mod report;
mod scan_action;
mod taken;
mod trivy;

use std::fmt;
use std::sync::Arc;

use lineclear_runner::native::{NativeAction, NativeError};
use lineclear_vulnerability::{Database, Ignore};

/// What is known of vulnerabilities on this machine.
pub trait Vulnerabilities: Send + Sync + fmt::Debug {
    /// Whether anything was imported.
    fn is_there(&self) -> bool;

    /// What was imported.
    ///
    /// # Errors
    /// A sentence, for what is not there or damaged.
    fn database(&self) -> Result<Arc<Database>, String>;

    /// What somebody took responsibility for, with whether its day is over.
    fn ignores(&self) -> Vec<Ignore>;
}

/// The actions that need it.
pub fn scanning(known: &Arc<dyn Vulnerabilities>) -> Vec<Box<dyn NativeAction>> {
    vec![
        Box::new(trivy::Trivy { known: Arc::clone(known) }),
        Box::new(scan_action::ScanAction { known: Arc::clone(known) }),
    ]
}

/// Whether an action is one of these, of which the real one is taken before anything was imported.
pub fn is_scanner(owner: &str, repo: &str) -> bool {
    [trivy::NAME, scan_action::NAME].iter().any(|name| format!("{owner}/{repo}").eq_ignore_ascii_case(name))
}

/// What is asked for and not carried out here.
fn refused(what: &str) -> NativeError {
    NativeError(format!(
        "{what} is not carried out here: leave it out, or run the real action with `--no-native-actions`"
    ))
}
