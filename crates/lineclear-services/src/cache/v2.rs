//! CacheService: what `@actions/cache` 4 and later, and BuildKit, call.

use serde_json::{Value, json};

use super::{cache_identity, commit, look_up, reserve};
use crate::artifact::upload_url;
use crate::services::Shared;
use crate::session::Session;
use crate::twirp::{Code, Fault, Fields};
use crate::upload::Purpose;

pub(crate) fn method(
    shared: &Shared,
    session: &Session,
    method: &str,
    fields: &Fields,
) -> Option<Result<Value, Fault>> {
    Some(match method {
        "CreateCacheEntry" => create(shared, session, fields),
        "FinalizeCacheEntryUpload" => finalize(shared, session, fields),
        "GetCacheEntryDownloadURL" => download_url(shared, session, fields),
        _ => return None,
    })
}

fn create(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let upload = reserve(shared, session, fields.text("key")?, fields.text("version")?)?;
    Ok(match upload {
        Some(upload) => json!({ "ok": true, "signed_upload_url": upload_url(shared, &upload, shared.now()) }),
        // Without a message, which newer clients would show as a warning: that a key is saved already is the usual case.
        None => json!({ "ok": false, "signed_upload_url": "" }),
    })
}

fn finalize(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let (key, version) = (fields.text("key")?, fields.text("version")?);
    let wanted = Purpose::Cache(cache_identity(session, key, version));
    let upload = shared.uploads.find(session.id, |upload| upload.purpose == wanted).ok_or_else(|| {
        Fault::new(Code::NotFound, format!("this job has not reserved the key `{key}`, or waited too long"))
    })?;
    Ok(match commit(shared, &upload, fields.number("size_bytes")?)? {
        Some(id) => json!({ "ok": true, "entry_id": id.to_string() }),
        None => json!({ "ok": false, "entry_id": "0", "message": format!("another job saved the key `{key}` first") }),
    })
}

fn download_url(shared: &Shared, session: &Session, fields: &Fields) -> Result<Value, Fault> {
    let mut keys = vec![fields.text("key")?.to_owned()];
    keys.extend(fields.texts("restore_keys")?);
    Ok(match look_up(shared, session, keys, fields.text("version")?)? {
        Some(found) => json!({ "ok": true, "signed_download_url": found.url, "matched_key": found.entry.key }),
        None => json!({ "ok": false, "signed_download_url": "", "matched_key": "" }),
    })
}
