//! Git's own objects: blobs, trees, commits, tags.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::commits::unverified;
use super::contents::{base64_lines, plain};
use super::merging::bot;
use super::{not_offered, refs, releases};
use crate::call::{Answer, Call, Fields, Refusal, named_node};
use crate::git::{Commit, Entry, Git, NewCommit, Object, Person, TreeChange, is_object_id, is_ref_name};

/// Above this size GitHub gives no blob.
const MAX_BLOB: u64 = 100 << 20;
/// GitHub lists no more entries of a deep tree, and says that there are more.
const MAX_ENTRIES: usize = 100_000;

pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["blobs", id]) => get_blob(call, id),
        ("POST", ["blobs"]) => create_blob(call),
        ("GET", ["trees", name @ ..]) if !name.is_empty() => get_tree(call, &name.join("/")),
        ("POST", ["trees"]) => create_tree(call),
        ("GET", ["commits", id]) => {
            let found = if is_object_id(id) { call.git()?.commit(id)? } else { None };
            Ok(ApiResponse::json(200, &commit(call, &found.ok_or_else(Refusal::not_found)?)))
        }
        ("POST", ["commits"]) => create_commit(call),
        ("GET", ["tags", id]) => Ok(ApiResponse::json(200, &tag(call, id)?)),
        ("POST", ["tags"]) => create_tag(call),
        (_, ["ref" | "refs" | "matching-refs", ..]) => refs::route(call, method, rest),
        _ => not_offered(call),
    }
}

fn object(git: &Git, id: &str, kind: &str) -> Result<Object, Refusal> {
    let found = if is_object_id(id) { git.object(id)? } else { None };
    found.filter(|found| found.kind == kind).ok_or_else(Refusal::not_found)
}

fn get_blob(call: &Call<'_>, id: &str) -> Answer {
    let git = call.git()?;
    let found = object(git, id, "blob")?;
    if found.size > MAX_BLOB {
        return Err(Refusal::said(
            403,
            "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.",
        ));
    }
    let content = git.blob(id)?;
    if call.request.header("accept").is_some_and(|accept| accept.contains(".raw")) {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.raw; charset=utf-8".into())];
        return Ok(ApiResponse { status: 200, headers, body: content });
    }
    let shown = json!({
        "sha": id,
        "node_id": named_node(NodeKind::Blob, id),
        "size": found.size,
        "url": call.api(&format!("git/blobs/{id}")),
        "content": base64_lines(&content),
        "encoding": "base64",
    });
    Ok(ApiResponse::json(200, &shown))
}

fn create_blob(call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let text = fields.text("content")?.ok_or_else(|| Refusal::invalid("Blob", "content", "missing_field"))?;
    let content = decoded(text, fields.text("encoding")?.unwrap_or("utf-8"))?;
    let id = call.git()?.write_blob(&content)?;
    Ok(ApiResponse::json(201, &json!({"sha": id, "url": call.api(&format!("git/blobs/{id}"))})))
}

fn decoded(text: &str, encoding: &str) -> Result<Vec<u8>, Refusal> {
    match encoding {
        "utf-8" => Ok(text.as_bytes().to_vec()),
        "base64" => {
            let packed: String = text.split_ascii_whitespace().collect();
            STANDARD.decode(packed).map_err(|_| Refusal::said(422, "content is not valid Base64"))
        }
        _ => Err(Refusal::invalid("Blob", "encoding", "invalid")),
    }
}

fn get_tree(call: &Call<'_>, name: &str) -> Answer {
    let git = call.git()?;
    let tree = git.resolve_tree(name)?.ok_or_else(Refusal::not_found)?;
    // Any value counts, as on GitHub: `recursive=0`, too.
    let deep = call.query("recursive").is_some_and(|text| !text.is_empty());
    let entries = git.entries(&tree, deep)?;
    Ok(ApiResponse::json(200, &tree_view(call, &tree, &entries)))
}

fn tree_view(call: &Call<'_>, tree: &str, entries: &[Entry]) -> Value {
    let shown = entries.iter().take(MAX_ENTRIES).map(|entry| {
        let mut shown = json!({"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.id});
        if let Some(size) = entry.size {
            shown["size"] = json!(size);
        }
        if entry.kind != "commit" {
            shown["url"] = json!(call.api(&format!("git/{}s/{}", entry.kind, entry.id)));
        }
        shown
    });
    json!({
        "sha": tree,
        "node_id": named_node(NodeKind::Tree, tree),
        "url": call.api(&format!("git/trees/{tree}")),
        "tree": shown.collect::<Vec<_>>(),
        "truncated": entries.len() > MAX_ENTRIES,
    })
}

fn create_tree(call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let git = call.git()?;
    let base = match fields.text("base_tree")? {
        None => None,
        Some(name) => {
            let found = git.resolve_tree(name)?;
            Some(found.ok_or_else(|| Refusal::said(422, "base_tree is not a valid tree"))?)
        }
    };
    let missing = || Refusal::invalid("Tree", "tree", "missing_field");
    let entries = fields.value("tree").as_array().ok_or_else(missing)?;
    if entries.is_empty() && base.is_none() {
        return Err(Refusal::said(422, "Invalid tree info"));
    }
    let mut changes = Vec::new();
    for entry in entries {
        changes.push(tree_change(git, &Fields(entry.clone()))?);
    }
    let tree = git.write_tree(base.as_deref(), &changes)?;
    Ok(ApiResponse::json(201, &tree_view(call, &tree, &git.entries(&tree, false)?)))
}

fn tree_change(git: &Git, entry: &Fields) -> Result<TreeChange, Refusal> {
    let path = plain(entry.required("Tree", "path")?)?;
    if path.is_empty() {
        return Err(Refusal::said(422, "tree.path contains a malformed path component"));
    }
    let mode = entry.text("mode")?.unwrap_or("100644").to_owned();
    let kind = match mode.as_str() {
        "100644" | "100755" | "120000" => "blob",
        "040000" => "tree",
        "160000" => "commit",
        _ => return Err(Refusal::said(422, "tree.mode must be one of 100644, 100755, 040000, 160000, 120000")),
    };
    if let Some(content) = entry.text("content")? {
        let id = git.write_blob(content.as_bytes())?;
        return Ok(TreeChange { path, object: Some((mode, id)) });
    }
    // A sha of null removes what is there.
    let Some(id) = entry.text("sha")? else { return Ok(TreeChange { path, object: None }) };
    // A submodule's commit lives elsewhere.
    if !is_object_id(id) || (kind != "commit" && object(git, id, kind).is_err()) {
        return Err(Refusal::said(422, &format!("tree.sha {id} is not a valid {kind}")));
    }
    Ok(TreeChange { path, object: Some((mode, id.to_owned())) })
}

/// A person of a body; what it does not say is as in `usual`.
///
/// # Errors
/// 422 for what git could not write into a commit.
pub(super) fn person(given: &Value, usual: &Person) -> Result<Person, Refusal> {
    let wrong =
        || Refusal::said(422, "Invalid request.\n\nauthor and committer have a name, an email and perhaps a date.");
    let text = |name: &str, other: &str| match &given[name] {
        Value::Null => Ok(other.to_owned()),
        Value::String(text) if !text.chars().any(|c| c.is_control() || "<>".contains(c)) => Ok(text.clone()),
        _ => Err(wrong()),
    };
    let person = Person {
        name: text("name", &usual.name)?,
        email: text("email", &usual.email)?,
        date: text("date", &usual.date)?,
    };
    let dated =
        person.date.len() >= 10 && person.date.chars().all(|c| c.is_ascii_alphanumeric() || "-+:. ".contains(c));
    if person.name.trim().is_empty() || !dated { Err(wrong()) } else { Ok(person) }
}

fn create_commit(call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let git = call.git()?;
    let message = fields.text("message")?.ok_or_else(|| Refusal::invalid("Commit", "message", "missing_field"))?;
    let tree = fields.required("Commit", "tree")?;
    object(git, tree, "tree").map_err(|_| Refusal::said(422, "Tree SHA does not exist"))?;
    let parents = fields.texts("parents")?.unwrap_or_default();
    for parent in &parents {
        object(git, parent, "commit")
            .map_err(|_| Refusal::said(422, "Parent SHA does not exist or is not a commit object"))?;
    }
    let author = person(fields.value("author"), &bot(call))?;
    let committer = person(fields.value("committer"), &author)?;
    let new = NewCommit { tree, parents: &parents, message, author: &author, committer: &committer };
    let refused = |_| Refusal::said(422, "git does not take this commit: see its author, committer and dates");
    let id = git.write_commit(&new).map_err(refused)?;
    let made = git.commit(&id)?.ok_or_else(Refusal::not_found)?;
    Ok(ApiResponse::json(201, &commit(call, &made)))
}

pub(super) fn commit(call: &Call<'_>, commit: &Commit) -> Value {
    let person = |(name, email, date): &(String, String, String)| json!({"name": name, "email": email, "date": date});
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|parent| {
            let url = call.api(&format!("git/commits/{parent}"));
            json!({"sha": parent, "url": url, "html_url": call.html(&format!("commit/{parent}"))})
        })
        .collect();
    json!({
        "sha": commit.sha,
        "node_id": named_node(NodeKind::Commit, &commit.sha),
        "url": call.api(&format!("git/commits/{}", commit.sha)),
        "html_url": call.html(&format!("commit/{}", commit.sha)),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
        "tree": {"sha": commit.tree, "url": call.api(&format!("git/trees/{}", commit.tree))},
        "message": commit.message,
        "parents": parents,
        "verification": unverified(),
    })
}

fn create_tag(call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let git = call.git()?;
    let name = fields.required("Tag", "tag")?;
    if !is_ref_name(name) {
        return Err(Refusal::invalid("Tag", "tag", "invalid"));
    }
    let message = fields.text("message")?.unwrap_or_default();
    let about = fields.required("Tag", "object")?;
    let kind = fields.text("type")?.unwrap_or("commit");
    object(git, about, kind).map_err(|_| Refusal::invalid("Tag", "object", "invalid"))?;
    let by = person(fields.value("tagger"), &releases::tagger(call))?;
    // The date of a tag object is in seconds: that of the moment, whatever the body says.
    let seconds = call.now.0.div_euclid(1000);
    let text = format!(
        "object {about}\ntype {kind}\ntag {name}\ntagger {} <{}> {seconds} +0000\n\n{message}\n",
        by.name, by.email
    );
    let id = git.write_tag(&text)?;
    Ok(ApiResponse::json(201, &tag(call, &id)?))
}

fn tag(call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let git = call.git()?;
    object(git, id, "tag")?;
    let raw = git.raw("tag", id)?;
    let (head, message) = raw.split_once("\n\n").unwrap_or((&raw, ""));
    let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim_start);
    let (about, kind) = (line("object "), line("type "));
    let (name, mail) = line("tagger ").split_once(" <").unwrap_or_default();
    let (mail, date) = mail.split_once("> ").unwrap_or_default();
    let seconds: i64 = date.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let date = crate::call::time(lineclear_event::Timestamp(seconds.saturating_mul(1000)));
    Ok(json!({
        "node_id": named_node(NodeKind::Tag, id),
        "tag": line("tag "),
        "sha": id,
        "url": call.api(&format!("git/tags/{id}")),
        "message": message.trim_end_matches('\n'),
        "tagger": {"name": name, "email": mail, "date": date},
        "object": {"type": kind, "sha": about, "url": call.api(&format!("git/{kind}s/{about}"))},
        "verification": unverified(),
    }))
}
