//! Files of releases.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{not_offered, number};
use crate::call::{Answer, Call, Refusal, encoded, encoded_path, node, time};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::record::{Asset, Release};

/// The largest file of a release, in bytes, as on GitHub.
const MAX_SIZE: usize = 2 << 30;

/// `rest` is what stands behind `releases/assets/`.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    let [id] = rest else { return not_offered(call) };
    let mut asset: Asset = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
    let release: Release = memory.get(asset.release).ok_or_else(Refusal::not_found)?;
    match method {
        "GET" if call.request.header("accept").is_some_and(|accept| accept.contains("octet-stream")) => {
            let body = call.forge.blobs().read(&asset.digest);
            let body = body.map_err(|fault| Refusal::said(500, &format!("cannot read the asset: {fault}")))?;
            let disposition = format!("attachment; filename*=UTF-8''{}", encoded(&asset.name));
            let headers =
                vec![("content-type".into(), asset.content_type), ("content-disposition".into(), disposition)];
            Ok(ApiResponse { status: 200, headers, body })
        }
        "GET" => Ok(ApiResponse::json(200, &shown(call, &release, &asset))),
        "PATCH" => {
            let fields = call.fields()?;
            if let Some(name) = fields.text("name")? {
                asset.name = checked_name(name)?;
                refuse_taken(memory, &asset)?;
            }
            if fields.has("label") {
                asset.label = fields.owned("label")?;
            }
            memory.put(&asset);
            Ok(ApiResponse::json(200, &shown(call, &release, &asset)))
        }
        "DELETE" => {
            memory.remove::<Asset>(asset.id);
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_release(call: &Call<'_>, memory: &mut Transaction, method: &str, release: &Release) -> Answer {
    match method {
        "GET" => {
            let all: Vec<Asset> =
                memory.all::<Asset>().into_iter().filter(|asset| asset.release == release.id).collect();
            Ok(call.page(&all, |asset| shown(call, release, asset)))
        }
        "POST" => upload(call, memory, release),
        _ => not_offered(call),
    }
}

fn upload(call: &Call<'_>, memory: &mut Transaction, release: &Release) -> Answer {
    let missing = || Refusal::invalid("ReleaseAsset", "name", "missing_field");
    let name = checked_name(call.query("name").filter(|name| !name.is_empty()).ok_or_else(missing)?)?;
    let body = &call.request.body;
    if body.is_empty() {
        return Err(Refusal::said(400, "Bad Content-Length: the asset is empty"));
    }
    if body.len() > MAX_SIZE {
        return Err(Refusal::custom("ReleaseAsset", "size must be less than 2 GiB"));
    }
    let fault = |fault| Refusal::said(500, &format!("cannot keep the asset: {fault}"));
    let mut asset = Asset {
        id: memory.new_id(),
        release: release.id,
        name,
        label: call.query("label").filter(|label| !label.is_empty()).map(str::to_owned),
        content_type: call.request.header("content-type").unwrap_or("application/octet-stream").to_owned(),
        size: body.len() as u64,
        digest: String::new(),
        user: BOT.into(),
        created: call.now,
    };
    refuse_taken(memory, &asset)?;
    asset.digest = call.forge.blobs().keep(body).map_err(fault)?;
    memory.put(&asset);
    Ok(ApiResponse::json(201, &shown(call, release, &asset)))
}

/// A name without a path; what GitHub does not take becomes a dot, as there.
fn checked_name(name: &str) -> Result<String, Refusal> {
    let kept = |character: char| character.is_ascii_alphanumeric() || "-_.+@~".contains(character);
    let name: String = name.chars().map(|character| if kept(character) { character } else { '.' }).collect();
    if name.is_empty() || name.len() > 255 || name.chars().all(|character| character == '.') {
        return Err(Refusal::invalid("ReleaseAsset", "name", "invalid"));
    }
    Ok(name)
}

fn refuse_taken(memory: &Transaction, asset: &Asset) -> Result<(), Refusal> {
    let taken = |other: &Asset| other.release == asset.release && other.name == asset.name && other.id != asset.id;
    if memory.all::<Asset>().iter().any(taken) {
        return Err(Refusal::invalid("ReleaseAsset", "name", "already_exists"));
    }
    Ok(())
}

pub(super) fn shown(call: &Call<'_>, release: &Release, asset: &Asset) -> Value {
    let download = format!("releases/download/{}/{}", encoded_path(&release.tag), encoded(&asset.name));
    json!({
        "url": call.api(&format!("releases/assets/{}", asset.id)),
        "id": asset.id,
        "node_id": node(NodeKind::Asset, asset.id),
        "name": asset.name,
        "label": asset.label,
        "uploader": call.user(&asset.user),
        "content_type": asset.content_type,
        "state": "uploaded",
        "size": asset.size,
        "digest": format!("sha256:{}", asset.digest),
        "download_count": 0,
        "created_at": time(asset.created),
        "updated_at": time(asset.created),
        "browser_download_url": call.html(&download),
    })
}
