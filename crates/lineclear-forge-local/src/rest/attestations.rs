//! Attestations: kept by what they are about. Their signatures are not checked here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::not_offered;
use crate::call::{Answer, Call, Refusal};
use crate::journal::Transaction;
use crate::record::Attestation;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => {
            let bundle = call.fields()?.value("bundle").clone();
            let invalid = || Refusal::invalid("Attestation", "bundle", "invalid");
            let payload = bundle["dsseEnvelope"]["payload"].as_str().ok_or_else(invalid)?;
            let statement = STANDARD.decode(payload).map_err(|_| invalid())?;
            let statement: Value = serde_json::from_slice(&statement).map_err(|_| invalid())?;
            let subjects = statement["subject"].as_array().into_iter().flatten();
            let digest = |subject: &Value| subject["digest"]["sha256"].as_str().map(|hex| format!("sha256:{hex}"));
            let subjects: Vec<String> = subjects.filter_map(digest).collect();
            if subjects.is_empty() {
                return Err(invalid());
            }
            let predicate_type = statement["predicateType"].as_str().unwrap_or_default().to_owned();
            let id = memory.new_id();
            memory.put(&Attestation { id, subjects, predicate_type, bundle });
            Ok(ApiResponse::json(201, &json!({"id": id})))
        }
        ("GET", [digest]) => {
            let mut found = memory.all::<Attestation>();
            found.retain(|one| {
                one.subjects.iter().any(|subject| subject == digest)
                    && call.query("predicate_type").is_none_or(|wanted| one.predicate_type == wanted)
            });
            let shown = |one: &Attestation| json!({"bundle": one.bundle, "repository_id": call.facts().id});
            Ok(call.page_in(&found, shown, |shown, _| json!({"attestations": shown})))
        }
        _ => not_offered(call),
    }
}
