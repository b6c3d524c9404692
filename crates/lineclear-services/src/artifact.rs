//! ArtifactService: what `upload-artifact` and `download-artifact` from version 4 on call.
//!
//! A job may list, read and delete the artifacts of its own run, whichever job made them; others it cannot name (trap 91).

use lineclear_event::Timestamp;
use lineclear_store::{ArtifactMeta, DAY_MS, NewArchive, check_artifact_name};
use serde_json::{Value, json};

use crate::services::Shared;
use crate::session::Session;
use crate::signed_url::Action;
use crate::time::parse_rfc_3339;
use crate::twirp::{Code, Fault, Fields};
use crate::upload::{NotBegun, Purpose, Upload};

/// What an artifact is when the client does not say: older clients know only this.
const ZIP: &str = "application/zip";

pub(crate) fn method(
    shared: &Shared,
    session: &Session,
    method: &str,
    fields: &Fields,
) -> Option<Result<Value, Fault>> {
    let carry_out = match method {
        "CreateArtifact" => create,
        "FinalizeArtifact" => finalize,
        "ListArtifacts" => list,
        "GetSignedArtifactURL" => signed_url,
        "DeleteArtifact" => delete,
        _ => return None,
    };
    Some(check_run(session, fields).and_then(|()| carry_out(shared, session, fields)))
}

/// The call must be about the token's own run.
fn check_run(session: &Session, fields: &Fields) -> Result<(), Fault> {
    let run = fields.text("workflow_run_backend_id")?;
    if run == session.backend.run {
        return Ok(());
    }
    Err(Fault::new(Code::PermissionDenied, format!("the token is of another run than `{run}`")))
}

/// What is written is written by the token's own job.
fn check_job(session: &Session, fields: &Fields) -> Result<(), Fault> {
    let job = fields.text("workflow_job_run_backend_id")?;
    if job == session.backend.job {
        return Ok(());
    }
    Err(Fault::new(Code::PermissionDenied, format!("the token is of another job than `{job}`")))
}

fn create(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    check_job(session, fields)?;
    let name = fields.text("name")?;
    check_artifact_name(name)?;
    if let Some(existing) = find(shared, session, name)?
        && !session.is_of_an_earlier_attempt(&existing)
    {
        return Err(exists(name));
    }
    let now = shared.now();
    let purpose = Purpose::Artifact {
        run: session.run(),
        name: name.to_owned(),
        content_type: content_type(fields)?,
        retention_days: retention_days(fields, now, shared.config.limits.retention_days)?,
    };
    let upload = begin_upload(shared, session, purpose, now).map_err(|error| match error {
        BeginError::Store(fault) => fault,
        BeginError::NotBegun(_) => too_many(),
    })?;
    Ok(json!({ "ok": true, "signed_upload_url": upload_url(shared, &upload, now) }))
}

/// Begins an upload in the store and in the table.
pub(crate) fn begin_upload(
    shared: &Shared,
    session: &Session,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Upload, BeginError> {
    let archives = &shared.config.archives;
    let id = archives.begin_upload(now).map_err(|error| BeginError::Store(error.into()))?;
    match shared.uploads.begin(id.clone(), session.id, purpose, now, &shared.config.limits) {
        Ok((upload, replaced)) => {
            for id in replaced {
                // What stays goes with the next prune.
                let _ = archives.abandon_upload(&id);
            }
            Ok(upload)
        }
        Err(error) => {
            let _ = archives.abandon_upload(&id);
            Err(BeginError::NotBegun(error))
        }
    }
}

/// Why no upload was begun.
pub(crate) enum BeginError {
    Store(Fault),
    NotBegun(NotBegun),
}

pub(crate) fn too_many() -> Fault {
    Fault::new(Code::ResourceExhausted, "this job has begun too many uploads without ending them")
}

pub(crate) fn upload_url(shared: &Shared, upload: &Upload, now: Timestamp) -> String {
    let path = format!("/_blob/upload/{}", upload.id.0);
    shared.urls.sign(&shared.base, &path, Action::Write, now, shared.config.limits.upload_url)
}

fn content_type(fields: &Fields) -> Result<String, Fault> {
    let given = fields.text("mime_type")?;
    let is_plain = given.len() <= 255 && given.contains('/') && given.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    match given {
        "" => Ok(ZIP.to_owned()),
        _ if is_plain => Ok(given.to_owned()),
        _ => Err(Fault::new(Code::InvalidArgument, "`mime_type` is no content type")),
    }
}

/// Days until `expires_at`, at least one and at most `most`.
fn retention_days(fields: &Fields, now: Timestamp, most: u32) -> Result<Option<u32>, Fault> {
    let text = fields.text("expires_at")?;
    if text.is_empty() {
        return Ok(None);
    }
    let expires = parse_rfc_3339(text)
        .ok_or_else(|| Fault::new(Code::InvalidArgument, "`expires_at` is no time as `2026-11-21T08:15:30Z`"))?;
    let days = expires.millis_since(now).div_ceil(DAY_MS.unsigned_abs());
    Ok(Some(u32::try_from(days).unwrap_or(u32::MAX).clamp(1, most.max(1))))
}

fn finalize(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    check_job(session, fields)?;
    let name = fields.text("name")?;
    let is_it = |upload: &Upload| matches!(&upload.purpose, Purpose::Artifact { name: known, .. } if known == name);
    let upload = shared
        .uploads
        .find(session.id, is_it)
        .ok_or_else(|| Fault::new(Code::NotFound, format!("this job uploads no artifact named `{name}`")))?;
    if let Some(id) = upload.kept {
        return Ok(json!({ "ok": true, "artifact_id": id.to_string() }));
    }
    let Purpose::Artifact { run, content_type, retention_days, .. } = upload.purpose else {
        return Err(not_uploaded());
    };
    let content = upload.content.ok_or_else(not_uploaded)?;
    check_size(fields.number("size")?, content.size)?;
    let digest = fields.text("hash")?;
    let overwrite = find(shared, session, name)?.is_some_and(|existing| session.is_of_an_earlier_attempt(&existing));
    let kept = shared.config.archives.keep_artifact(&NewArchive {
        run,
        name: name.to_owned(),
        upload: upload.id.clone(),
        content_type,
        digest: (!digest.is_empty()).then(|| digest.to_owned()),
        overwrite,
        retention_days,
        now: shared.now(),
    })?;
    shared.uploads.change(&upload.id.0, |upload| upload.kept = Some(kept.id));
    Ok(json!({ "ok": true, "artifact_id": kept.id.to_string() }))
}

pub(crate) fn not_uploaded() -> Fault {
    Fault::new(Code::FailedPrecondition, "the upload has not been ended with a list of its blocks")
}

/// What the client says it sent has to be what came.
pub(crate) fn check_size(said: u64, came: u64) -> Result<(), Fault> {
    if said == came {
        return Ok(());
    }
    Err(Fault::new(
        Code::InvalidArgument,
        format!("the client says that it sent {said} bytes, but {came} bytes came; upload again"),
    ))
}

fn list(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let name = fields.text("name_filter")?;
    let id = fields.number("id_filter")?;
    let artifacts: Vec<Value> = shared
        .config
        .artifacts
        .list(session.run())?
        .iter()
        .filter(|artifact| name.is_empty() || artifact.name == name)
        .filter(|artifact| id == 0 || artifact.id == id)
        .map(|artifact| listed(shared, session, artifact))
        .collect();
    Ok(json!({ "artifacts": artifacts }))
}

fn listed(shared: &Shared, session: &Session, artifact: &ArtifactMeta) -> Value {
    let mut item = json!({
        "workflow_run_backend_id": session.backend.run,
        "workflow_job_run_backend_id": session.backend.job,
        "database_id": artifact.id.to_string(),
        "name": artifact.name,
        "size": artifact.size.to_string(),
        "created_at": artifact.created.to_string(),
    });
    // The digest of kept files is not that of the zip that will be made of them, and clients compare it with what they get.
    if artifact.content_type.is_some() {
        item["digest"] = artifact.digest.as_str().into();
    } else if let Ok(open) = shared.config.archives.open_artifact(artifact.run, &artifact.name) {
        item["size"] = open.size.to_string().into();
        if let Some(digest) = open.digest {
            item["digest"] = digest.into();
        }
    }
    item
}

fn signed_url(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let name = fields.text("name")?;
    let artifact = find(shared, session, name)?.ok_or_else(|| no_artifact(name))?;
    Ok(json!({ "signed_url": shared.artifact_url(artifact.run, &artifact.name) }))
}

fn delete(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let name = fields.text("name")?;
    let artifact = find(shared, session, name)?.ok_or_else(|| no_artifact(name))?;
    shared.config.artifacts.delete(artifact.run, name)?;
    Ok(json!({ "ok": true, "artifact_id": artifact.id.to_string() }))
}

fn find(shared: &Shared, session: &Session, name: &str) -> Result<Option<ArtifactMeta>, Fault> {
    Ok(shared.config.artifacts.list(session.run())?.into_iter().find(|artifact| artifact.name == name))
}

fn no_artifact(name: &str) -> Fault {
    Fault::new(Code::NotFound, format!("the run has no artifact named `{name}`"))
}

fn exists(name: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("an artifact named `{name}` already exists in this run; set `overwrite: true` or choose another name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_is_counted_in_days_within_its_limits() {
        let days = |text: &str| {
            let fields = Fields::parse(json!({ "expires_at": text }).to_string().as_bytes()).expect("fields");
            retention_days(&fields, Timestamp(0), 90)
        };
        assert_eq!(days(""), Ok(None));
        assert_eq!(days("1970-01-06T00:00:00.000Z"), Ok(Some(5)));
        assert_eq!(days("1970-01-06T00:00:00.001Z"), Ok(Some(6)));
        assert_eq!(days("1960-01-01T00:00:00Z"), Ok(Some(1)));
        assert_eq!(days("2400-01-01T00:00:00Z"), Ok(Some(90)));
        assert!(days("soon").is_err());
    }
}
