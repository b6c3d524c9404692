//! `lineclear image verify`.

use clap::Args;
use lineclear_deliver::signing::{Examined, Proof, examine};
use lineclear_event::{ProvenanceStatement, Statement};
use lineclear_oci::Reference;
use lineclear_sigstore::{Claim, PROVENANCE, ProvenanceFacts, SIGNATURE, TrustedKeys, predicate_type};
use serde_json::{Value, json};

use super::{Here, Reached, digest_of};
use crate::command::history::Shape;
use crate::command::image::Failure;
use crate::command::image::connection::ConnectionArgs;
use crate::signing_keys;

const EXAMPLES: &str = "\
Examples:
  lineclear image verify ghcr.io/me/app:1         with the keys of `[signing] keys`; what verified is stated in the ledger
  lineclear image verify --key release.pub ghcr.io/me/app@sha256:…
  lineclear image verify --attestation provenance --format json ghcr.io/me/app:1
                                                  what was said of it, once it was verified

Signatures of cosign and of Lineclear alike, as bundles and under cosign's tags. Types of attestations: provenance, spdx, cyclonedx, vuln, openvex,
or an address. Exit codes: 0 verified, 1 not, 2 wrong input. More: docs/signing.md";

/// Arguments of `image verify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The image: `name@sha256:…`, or a tag, which is looked up once.
    image: Reference,

    /// A public key that counts: a file, env://VARIABLE, or the name of a key that is kept; may be repeated. [default: `[signing] keys` of
    /// lineclear.toml]
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,

    /// Ask for an attestation of this type, and not for a signature.
    #[arg(long, value_name = "TYPE", value_parser = super::predicate_kind)]
    attestation: Option<String>,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image verify`.
pub(crate) fn verify(args: &VerifyArgs) -> Result<String, Failure> {
    let mut here = Here::open()?;
    let trusted = keys(args, &mut here)?;
    let Reached { client, at, name, .. } = &Reached::of(&args.image.or_latest(), &args.connection)?;
    let digest = digest_of(at)?;
    let examined = examine(client, &at.only_at(digest.clone()), &trusted)?;
    let place = name.only_at(digest.clone());
    let wanted = args.attestation.as_deref().map(predicate_type);
    let is_wanted = |proof: &&Proof| match (&proof.verified.claim, wanted) {
        (Claim::Signature, None | Some(SIGNATURE)) => true,
        (Claim::Statement(statement), Some(wanted)) => statement.predicate_type == wanted,
        (Claim::Signature, Some(_)) | (Claim::Statement(_), None) => false,
    };
    let proofs: Vec<&Proof> = examined.proofs.iter().filter(is_wanted).collect();
    if proofs.is_empty() {
        return Err(Failure::Refused(refusal(&place, wanted, &examined, &trusted)));
    }
    // With keys that somebody named for once, nothing is proven to a gate.
    let stated = if args.key.is_empty() {
        here.state(proofs.iter().filter_map(|proof| Some((digest.clone(), statement(proof)?))).collect())?
    } else {
        String::new()
    };
    if args.format == Shape::Json {
        return Ok(format!("{:#}\n", document(&place, &proofs, &examined)));
    }
    let mut text = format!("verified {}\n", place.familiar());
    for proof in proofs {
        let what = match &proof.verified.claim {
            Claim::Signature => "signature".to_owned(),
            Claim::Statement(statement) => statement.predicate_type.clone(),
        };
        text.push_str(&format!("  {what} by {} ({})\n", proof.verified.key, proof.form.as_str()));
    }
    Ok(text + &stated)
}

fn keys(args: &VerifyArgs, here: &mut Here) -> Result<TrustedKeys, Failure> {
    let trusted = if args.key.is_empty() {
        let (policy, root) = (here.policy.signing.clone(), here.root().to_owned());
        let read = |path: &str| signing_keys::file(&root.join(path));
        here.keys.trusted(&policy, &read).and_then(|trusted| trusted.keys).map_err(Failure::Input)?
    } else {
        let named = args.key.iter().map(|named| here.keys.public(named));
        TrustedKeys::new(named.collect::<Result<_, _>>().map_err(Failure::Input)?)
    };
    if trusted.keys().is_empty() {
        let advice = "no key counts: name one with `--key`, or in `[signing] keys` of lineclear.toml";
        return Err(Failure::Input(advice.to_owned()));
    }
    Ok(trusted)
}

/// What the ledger keeps of a proof. Attestations of other types are no evidence of their own.
fn statement(proof: &Proof) -> Option<Statement> {
    match &proof.verified.claim {
        Claim::Signature => Some(Statement::Signature(proof.signature_statement())),
        Claim::Statement(statement) if statement.predicate_type == PROVENANCE => {
            let facts = ProvenanceFacts::read(&statement.predicate).ok()?;
            Some(Statement::Provenance(ProvenanceStatement {
                predicate: PROVENANCE.to_owned(),
                builder: facts.builder,
                commit: facts.commit?,
                key: proof.verified.key.clone(),
                attached: Some(proof.attached.to_string()),
            }))
        }
        Claim::Statement(_) => None,
    }
}

fn refusal(place: &Reference, wanted: Option<&str>, examined: &Examined, trusted: &TrustedKeys) -> String {
    let what = wanted.map_or_else(|| "signature".to_owned(), |wanted| format!("attestation of type {wanted}"));
    let ids: Vec<String> = trusted.keys().iter().map(lineclear_sigstore::PublicKey::id).collect();
    let mut text = format!("{} has no {what} by {}", place.familiar(), ids.join(", "));
    for refused in &examined.refused {
        text.push_str(&format!("\n  {} ({}): {}", refused.attached, refused.form.as_str(), refused.why));
    }
    for proof in &examined.proofs {
        let said = match &proof.verified.claim {
            Claim::Signature => SIGNATURE,
            Claim::Statement(statement) => statement.predicate_type.as_str(),
        };
        text.push_str(&format!("\n  {} verifies, and says {said}", proof.attached));
    }
    text
}

fn document(place: &Reference, proofs: &[&Proof], examined: &Examined) -> Value {
    let proven = |proof: &&Proof| {
        let (kind, predicate) = match &proof.verified.claim {
            Claim::Signature => (SIGNATURE, &Value::Null),
            Claim::Statement(statement) => (statement.predicate_type.as_str(), &statement.predicate),
        };
        json!({"type": kind, "key": proof.verified.key, "form": proof.form.as_str(),
               "attached": proof.attached.to_string(), "predicate": predicate})
    };
    let refused = |one: &lineclear_deliver::signing::Refused| json!({"attached": one.attached.to_string(), "form": one.form.as_str(), "why": one.why});
    json!({
        "version": 1,
        "image": place.familiar(),
        "digest": place.digest().map(ToString::to_string),
        "verified": proofs.iter().map(proven).collect::<Vec<_>>(),
        "refused": examined.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}
