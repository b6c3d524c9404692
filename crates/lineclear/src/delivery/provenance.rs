//! How an image was built, from what the ledger and the run's record know. Nobody's word counts here but the engine's.

use std::collections::BTreeMap;

use lineclear_event::{Witness, with_causes};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{Digest, Reference, annotation};
use lineclear_registry::{Client, RegistryClientError};
use lineclear_sigstore::{Dependency, Provenance};
use lineclear_store::Store;
use serde_json::Value;

use crate::history::decisions;

/// Why nothing can be said of how an image was built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unexplained {
    #[error(
        "the ledger of {repository} knows no run that built {digest}; what is attested has to be known: build it with `lineclear run`"
    )]
    NoRun { repository: String, digest: String },
    /// The ledger cannot be read.
    #[error("{0}")]
    Ledger(String),
    #[error(transparent)]
    Registry(#[from] RegistryClientError),
}

/// What is known of how `digest` was built, which lies at `place`. `builder` is whose word it is, an address; Lineclear's own without one.
pub(crate) fn provenance(
    store: &dyn Store,
    ledger: &LedgerOf,
    client: &Client,
    place: &Reference,
    digest: &Digest,
    builder: Option<&str>,
) -> Result<Provenance, Unexplained> {
    let index = ledger.index().map_err(|error| Unexplained::Ledger(with_causes(&error)))?;
    let unknown = || Unexplained::NoRun { repository: ledger.repository().to_owned(), digest: digest.to_string() };
    let origins = index.origins(digest.as_str());
    let origin = origins.first().ok_or_else(unknown)?;
    let Witness::Run(run) = &origin.entry.evidence.by else { return Err(unknown()) };
    // The record may have been removed since; the ledger stays.
    let request = decisions::request(store, run.run).ok();
    let inputs = request.as_ref().and_then(|request| request.inputs.as_object());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let server = std::env::var("GITHUB_SERVER_URL").ok().filter(|url| !url.is_empty());
    let server = server.unwrap_or_else(|| "https://github.com".to_owned());
    Ok(Provenance {
        builder: builder.map_or_else(own_builder, str::to_owned),
        repository: format!("{}/{}", server.trim_end_matches('/'), ledger.repository()),
        reference: request.as_ref().map(|request| request.event.reference.clone()).unwrap_or_default(),
        workflow: run.file.clone(),
        commit: origin.commit.to_owned(),
        event: run.event.clone(),
        inputs: inputs.map_or_else(BTreeMap::new, |inputs| {
            inputs.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        }),
        dependencies: base(client, place)?.into_iter().collect(),
        invocation: format!("{}/attempts/{}", run.run, run.attempt),
        started: None,
        finished: Some(origin.entry.evidence.at.to_string()),
    })
}

/// Whose word it is, where nobody says otherwise.
fn own_builder() -> String {
    format!("{}@v{}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"))
}

/// The image that it was built on, where its manifest says so by digest.
fn base(client: &Client, place: &Reference) -> Result<Option<Dependency>, RegistryClientError> {
    let manifest = client.manifest(place)?;
    let said = |key: &str| manifest.annotations().get(key).cloned();
    let digest = said(annotation::BASE_DIGEST).and_then(|digest| Digest::parse(&digest).ok());
    Ok(digest.map(|digest| Dependency {
        uri: format!("oci://{}", said(annotation::BASE_NAME).unwrap_or_default()),
        digest: (digest.algorithm().as_str().to_owned(), digest.hex().to_owned()),
    }))
}
