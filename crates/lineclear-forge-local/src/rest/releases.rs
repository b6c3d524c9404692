//! Releases.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{assets, merging, not_offered, number, reactions};
use crate::call::{Answer, Call, Fields, Refusal, encoded, encoded_path, node, time};
use crate::git::{Log, is_ref_name};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::{Asset, Release};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let mut all = memory.all::<Release>();
            all.sort_by_key(|release| (release.draft, release.created, release.id));
            all.reverse();
            Ok(call.page(&all, |release| shown(call, memory, release)))
        }
        ("POST", []) => create(call, memory),
        ("POST", ["generate-notes"]) => notes(call, memory),
        ("GET", ["latest"]) => {
            let found = latest(memory).ok_or_else(Refusal::not_found)?;
            Ok(ApiResponse::json(200, &shown(call, memory, &found)))
        }
        ("GET", ["tags", tag @ ..]) if !tag.is_empty() => {
            let tag = tag.join("/");
            let found = memory.all::<Release>().into_iter().rev().find(|release| release.tag == tag && !release.draft);
            Ok(ApiResponse::json(200, &shown(call, memory, &found.ok_or_else(Refusal::not_found)?)))
        }
        (_, ["assets", rest @ ..]) => assets::route(call, memory, method, rest),
        ("GET", [id]) => Ok(ApiResponse::json(200, &shown(call, memory, &known(memory, id)?))),
        ("PATCH", [id]) => edit(call, memory, known(memory, id)?),
        ("DELETE", [id]) => {
            let gone = known(memory, id)?.id;
            for asset in assets_of(memory, gone) {
                memory.remove::<Asset>(asset.id);
            }
            memory.remove::<Release>(gone);
            memory.unposted(call.caller, "release", gone);
            Ok(ApiResponse::empty(204))
        }
        (_, [id, "assets"]) => {
            let release = known(memory, id)?;
            assets::of_release(call, memory, method, &release)
        }
        (_, [id, "reactions", rest @ ..]) => {
            let release = known(memory, id)?;
            reactions::route(call, memory, method, &format!("release/{}", release.id), rest)
        }
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, id: &str) -> Result<Release, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn assets_of(memory: &Transaction, release: u64) -> Vec<Asset> {
    memory.all::<Asset>().into_iter().filter(|asset| asset.release == release).collect()
}

fn latest(memory: &Transaction) -> Option<Release> {
    let fits = |release: &Release| !release.draft && !release.prerelease && release.may_be_latest;
    memory.all::<Release>().into_iter().filter(fits).max_by_key(|release| (release.published, release.id))
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let tag = fields.required("Release", "tag_name")?.to_owned();
    let mut release = Release {
        id: memory.new_id(),
        tag: String::new(),
        target: call.facts().default_branch.clone(),
        name: None,
        body: None,
        draft: false,
        prerelease: false,
        may_be_latest: true,
        user: BOT.into(),
        created: call.now,
        published: None,
    };
    release.tag = tag;
    take(call, memory, &mut release, &fields)?;
    if fields.flag("generate_release_notes")? == Some(true) {
        let notes = generated(call, memory, &release.tag, None, None)?;
        let body = release.body.take().filter(|body| !body.is_empty()).map(|body| format!("{body}\n\n{notes}"));
        release.body = Some(body.unwrap_or(notes));
        release.name.get_or_insert_with(|| release.tag.clone());
    }
    finish(call, memory, release, 201, PostedAction::Created)
}

fn edit(call: &Call<'_>, memory: &mut Transaction, mut release: Release) -> Answer {
    take(call, memory, &mut release, &call.fields()?)?;
    finish(call, memory, release, 200, PostedAction::Updated)
}

fn take(call: &Call<'_>, memory: &Transaction, release: &mut Release, fields: &Fields) -> Result<(), Refusal> {
    if let Some(tag) = fields.text("tag_name")? {
        tag.clone_into(&mut release.tag);
    }
    if !is_ref_name(&release.tag) {
        return Err(Refusal::custom("Release", "tag_name is not a valid tag"));
    }
    if let Some(target) = fields.text("target_commitish")?.filter(|target| !target.is_empty()) {
        if call.git()?.resolve(target)?.is_none() {
            return Err(Refusal::invalid("Release", "target_commitish", "invalid"));
        }
        target.clone_into(&mut release.target);
    }
    if fields.has("name") {
        release.name = fields.owned("name")?;
    }
    if fields.has("body") {
        const MAX: usize = 125_000;
        release.body = fields.owned("body")?;
        if release.body.as_ref().is_some_and(|body| body.chars().count() > MAX) {
            return Err(Refusal::custom("Release", &format!("body is too long (maximum is {MAX} characters)")));
        }
    }
    release.draft = fields.flag("draft")?.unwrap_or(release.draft);
    release.prerelease = fields.flag("prerelease")?.unwrap_or(release.prerelease);
    // GitHub writes this flag as a text.
    match fields.value("make_latest") {
        Value::Null => {}
        Value::String(text) => release.may_be_latest = text != "false",
        Value::Bool(flag) => release.may_be_latest = *flag,
        _ => return Err(Refusal::invalid("Release", "make_latest", "invalid")),
    }
    let taken = |other: &Release| other.id != release.id && other.tag == release.tag && !other.draft;
    if !release.draft && memory.all::<Release>().iter().any(taken) {
        return Err(Refusal::invalid("Release", "tag_name", "already_exists"));
    }
    Ok(())
}

/// A published release has its tag: where there is none yet, it is made.
fn finish(
    call: &Call<'_>,
    memory: &mut Transaction,
    mut release: Release,
    status: u16,
    action: PostedAction,
) -> Answer {
    if !release.draft {
        release.published.get_or_insert(call.now);
        let git = call.git()?;
        let tag = format!("refs/tags/{}", release.tag);
        if git.at_ref(&tag)?.is_none() {
            match git.resolve(&release.target)? {
                Some(commit) => git.set_ref(&tag, &commit, None)?,
                None => return Err(Refusal::invalid("Release", "target_commitish", "invalid")),
            }
        }
    }
    memory.put(&release);
    let draft = if release.draft { " (draft)" } else { "" };
    let posting = Posting {
        kind: "release",
        object: release.id,
        title: format!("Release {}{draft}", release.name.as_deref().unwrap_or(&release.tag)),
        markdown: release.body.as_deref().unwrap_or_default(),
        url: page(call, &release),
        action,
    };
    memory.posted(call.caller, posting);
    Ok(ApiResponse::json(status, &shown(call, memory, &release)))
}

fn notes(call: &Call<'_>, memory: &Transaction) -> Answer {
    let fields = call.fields()?;
    let tag = fields.required("Release", "tag_name")?;
    let (before, target) = (fields.text("previous_tag_name")?, fields.text("target_commitish")?);
    let body = generated(call, memory, tag, before, target)?;
    Ok(ApiResponse::json(200, &json!({"name": tag, "body": body})))
}

/// "What's Changed": the merge commits and titles since the release before.
fn generated(
    call: &Call<'_>,
    memory: &Transaction,
    tag: &str,
    before: Option<&str>,
    target: Option<&str>,
) -> Result<String, Refusal> {
    const MOST: usize = 250;
    let git = call.git()?;
    let bad = |field: &str| Refusal::invalid("Release", field, "invalid");
    let to = match git.resolve(&format!("tags/{tag}"))? {
        Some(commit) => commit,
        None => git.resolve(target.unwrap_or("HEAD"))?.ok_or_else(|| bad("target_commitish"))?,
    };
    let before = match before {
        Some(name) => Some(name.to_owned()),
        None => latest(memory).filter(|release| release.tag != tag).map(|release| release.tag),
    };
    let from = match &before {
        Some(name) => Some(git.resolve(&format!("tags/{name}"))?.ok_or_else(|| bad("previous_tag_name"))?),
        None => None,
    };
    let log = Log { from: &to, without: from.as_deref(), most: MOST, ..Log::default() };
    let mut lines = vec!["## What's Changed".to_owned()];
    for commit in git.log(&log)?.iter().filter(|commit| commit.parents.len() < 2) {
        let title = commit.message.lines().next().unwrap_or_default();
        lines.push(format!("* {title} by {}", commit.author.0));
    }
    let range = before.map_or_else(|| format!("commits/{tag}"), |before| format!("compare/{before}...{tag}"));
    lines.push(format!("\n**Full Changelog**: {}", call.html(&range)));
    Ok(lines.join("\n"))
}

fn page(call: &Call<'_>, release: &Release) -> String {
    match release.draft {
        true => call.html(&format!("releases/tag/untagged-{:x}", release.id)),
        false => call.html(&format!("releases/tag/{}", encoded_path(&release.tag))),
    }
}

fn shown(call: &Call<'_>, memory: &Transaction, release: &Release) -> Value {
    let url = call.api(&format!("releases/{}", release.id));
    let uploads = &call.forge.addresses().uploads;
    let full_name = call.facts().full_name();
    let tag = encoded(&release.tag);
    let assets: Vec<Value> =
        assets_of(memory, release.id).iter().map(|asset| assets::shown(call, release, asset)).collect();
    json!({
        "url": url,
        "assets_url": format!("{url}/assets"),
        "upload_url": format!("{uploads}/repos/{full_name}/releases/{}/assets{{?name,label}}", release.id),
        "html_url": page(call, release),
        "id": release.id,
        "node_id": node(NodeKind::Release, release.id),
        "author": call.user(&release.user),
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.name,
        "draft": release.draft,
        "immutable": false,
        "prerelease": release.prerelease,
        "created_at": time(release.created),
        "updated_at": time(release.published.unwrap_or(release.created)),
        "published_at": release.published.map(time),
        "assets": assets,
        "tarball_url": call.api(&format!("tarball/{tag}")),
        "zipball_url": call.api(&format!("zipball/{tag}")),
        "body": release.body,
    })
}

/// Who tags when a job does.
pub(super) fn tagger(call: &Call<'_>) -> crate::git::Person {
    merging::bot(call)
}
