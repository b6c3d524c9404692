//! `lineclear image attest`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use lineclear_deliver::signing::{attest as attach, attest_provenance};
use lineclear_event::Statement;
use lineclear_oci::Reference;
use lineclear_registry::Client;
use lineclear_sigstore::{PROVENANCE, Provenance, predicate_type};
use serde_json::Value;

use super::{Here, Reached, digest_of};
use crate::command::image::Failure;
use crate::command::image::connection::ConnectionArgs;
use crate::delivery::provenance::{Unexplained, provenance as explain};
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  lineclear image attest ghcr.io/me/app:1 --provenance
                                                  run and commit, as the ledger knows them
  lineclear image attest ghcr.io/me/app:1 --predicate app.spdx.json --type spdx
  lineclear image attest ghcr.io/me/app@sha256:… --predicate review.json --type https://example.org/review/v1

Types: spdx, cyclonedx, vuln, openvex, custom, or an address. More: docs/signing.md";

/// Largest predicate: a list of contents.
const MAX_BYTES: u64 = 20 << 20;

/// Arguments of `image attest`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AttestArgs {
    /// The image: best `name@sha256:…`. Of a tag, the digest that it stands for now is meant.
    image: Reference,

    /// What is said of it: a file with one JSON object.
    #[arg(long, value_name = "FILE", requires = "kind", required_unless_present = "provenance")]
    predicate: Option<PathBuf>,

    /// The type of what is said.
    #[arg(long = "type", value_name = "TYPE", id = "kind", value_parser = super::predicate_kind)]
    kind: Option<String>,

    /// Say how it was built: from what the ledger knows of its run.
    #[arg(long, conflicts_with_all = ["predicate", "kind"])]
    provenance: bool,

    /// Whose word the provenance is, an address. [default: Lineclear's own, with its version]
    #[arg(long, value_name = "ADDRESS", requires = "provenance")]
    builder: Option<String>,

    /// The key: the name of one that is kept, a file, or env://VARIABLE. [default: LINECLEAR_SIGNING_KEY, `[signing] key`, or the only one
    /// that is kept]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image attest`.
pub(crate) fn attest(args: &AttestArgs) -> Result<String, Failure> {
    let mut here = Here::open()?;
    let said = args.predicate.as_deref().map(object).transpose()?;
    let policy = here.policy.signing.clone();
    let key = here.keys.private(args.key.as_deref(), &policy).map_err(Failure::Input)?;
    let Reached { client, at, name, .. } = &Reached::of(&args.image.or_latest(), &args.connection)?;
    let digest = digest_of(at)?;
    let (place, shown) = (at.only_at(digest.clone()), name.only_at(digest.clone()).familiar());
    let now = settings::now();
    if let Some(said) = said {
        let kind = predicate_type(args.kind.as_deref().unwrap_or_default());
        if kind == PROVENANCE {
            let advice = "a provenance says what the ledger knows: give `--provenance` instead of a file";
            return Err(Failure::Input(advice.to_owned()));
        }
        let attested = attach(client, &place, &name.name(), &key, kind, said, now)?;
        return Ok(format!("attested {shown}\n{kind} by {}\n{}\n", attested.key, attested.attached));
    }
    let provenance = provenance(&here, client, &place, args.builder.as_deref())?;
    let statement = attest_provenance(client, &place, &name.name(), &key, &provenance, now)?;
    let text = format!(
        "attested {shown}\nbuilt from {} by {}\nwith key {}\n",
        statement.commit, provenance.invocation, statement.key
    );
    Ok(text + &here.state(vec![(digest, Statement::Provenance(statement))])?)
}

/// What the ledger and the run's record know of how the image was built.
fn provenance(here: &Here, client: &Client, place: &Reference, builder: Option<&str>) -> Result<Provenance, Failure> {
    let digest = digest_of(place)?;
    let ledger = here.ledger().ok_or_else(|| Failure::Input("this folder is of no repository".to_owned()))?;
    let known = explain(&here.history.store, &ledger, client, place, &digest, builder);
    known.map_err(|error| match error {
        Unexplained::NoRun { .. } => Failure::Refused(error.to_string()),
        Unexplained::Ledger(why) => Failure::Input(why),
        Unexplained::Registry(error) => error.into(),
    })
}

/// The one JSON object of a file.
fn object(path: &Path) -> Result<Value, Failure> {
    let wrong = |error: String| Failure::Input(format!("`{}` is no predicate: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(format!("it has more than {MAX_BYTES} bytes")));
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(wrong("expected one JSON object".to_owned())) }
}
