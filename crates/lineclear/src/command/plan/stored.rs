//! What the stores of secrets and variables have to do with a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineclear_plan::Files;
use lineclear_secrets::RepositoryName;

use crate::local_event::Checkout;
use crate::output;
use crate::planning::Planning;
use crate::preflight::{self, Given};
use crate::secret_stores::{self, Known, SecretStores};
use crate::session::values::VarsOfRun;
use crate::settings;

/// The records of the stores, as `run` would read them.
pub(super) struct Stored {
    known: Known,
    repository: RepositoryName,
    given: BTreeMap<String, String>,
}

impl Stored {
    /// Reads the stores; where there is no home there is nothing in them.
    ///
    /// # Errors
    /// A sentence: a store is there and cannot be read.
    pub(super) fn read(checkout: &Checkout, given: &[(String, String)]) -> Result<Self, String> {
        let named = std::env::var_os(secret_stores::VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let known = match settings::home() {
            Ok(home) => SecretStores::new(&home, named.as_deref()).read()?,
            Err(_) => Known::default(),
        };
        let repository = secret_stores::repository_of(checkout)?;
        Ok(Self { known, repository, given: given.iter().cloned().collect() })
    }

    /// The `vars` context: what is stored, and above it what was given.
    pub(super) fn vars(&self) -> BTreeMap<String, String> {
        VarsOfRun::new(&self.known, &self.repository, &self.given).of_run().clone()
    }

    /// Tells what the planned jobs would miss. Secrets that will be given with `run` are not known here.
    pub(super) fn note_lacks(&self, planning: &Planning, files: &dyn Files) {
        let vars = self.given.keys().map(|name| name.to_ascii_uppercase()).collect();
        let given = Given { vars, ..Given::default() };
        let checked = preflight::check(planning, &planning.plan, files, &self.known, &self.repository, &given);
        for (at, line) in preflight::lines(&checked.lacks, preflight::EMPTY).iter().enumerate() {
            output::complain(&if at == 0 { format!("note: {line}") } else { line.clone() });
        }
    }
}
