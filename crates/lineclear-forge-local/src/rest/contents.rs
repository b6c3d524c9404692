//! Files of the repository: read from git, written as commits into the forge's own repository.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::commits::commit as commit_view;
use super::git_data::person;
use super::merging::bot;
use super::not_offered;
use crate::call::{Answer, Call, Fields, Refusal, encoded_path};
use crate::git::{Entry, Git, NewCommit, TreeChange, is_ref_name};

/// Above this size GitHub gives a file's content only when it is asked for raw, and above the second not at all.
const MAX_INLINE: u64 = 1 << 20;
const MAX_RAW: u64 = 100 << 20;
/// GitHub lists no more entries of a folder.
const MAX_ENTRIES: usize = 1000;

pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    let path = plain(&rest.join("/"))?;
    match method {
        "GET" => get(call, &path),
        "PUT" if !path.is_empty() => write(call, &path),
        "DELETE" if !path.is_empty() => delete(call, &path),
        _ => not_offered(call),
    }
}

pub(super) fn readme(call: &Call<'_>, method: &str) -> Answer {
    if method != "GET" {
        return not_offered(call);
    }
    let (git, commit) = at(call)?;
    let tree = git.resolve_tree(&commit)?.ok_or_else(Refusal::not_found)?;
    let is_readme = |entry: &&Entry| {
        let name = entry.path.to_lowercase();
        entry.kind == "blob" && (name == "readme" || name.starts_with("readme."))
    };
    let found = git.entries(&tree, false)?.iter().find(is_readme).map(|entry| entry.path.clone());
    get(call, &found.ok_or_else(Refusal::not_found)?)
}

/// `GET …/tarball/{ref}`: the archive itself, where GitHub answers with a link to it.
pub(super) fn archive(call: &Call<'_>, method: &str, below: &[&str]) -> Answer {
    let (Some(kind), "GET") = (below.first(), method) else { return not_offered(call) };
    let name = below[1..].join("/");
    let git = call.git()?;
    let commit = git.resolve(if name.is_empty() { "HEAD" } else { &name })?.ok_or_else(Refusal::not_found)?;
    let facts = call.facts();
    let folder = format!("{}-{}-{}", facts.owner, facts.name, &commit[..7]);
    let (format, content_type, ending) =
        if *kind == "tarball" { ("tar.gz", "application/x-gzip", "tar.gz") } else { ("zip", "application/zip", "zip") };
    let headers = vec![
        ("content-type".into(), content_type.into()),
        ("content-disposition".into(), format!("attachment; filename={folder}.{ending}")),
    ];
    Ok(ApiResponse { status: 200, headers, body: git.archive(&commit, &folder, format)? })
}

/// A path inside the repository, without slashes at its ends.
///
/// # Errors
/// 422 for what could lead out of it or into git's own folder.
pub(super) fn plain(path: &str) -> Result<String, Refusal> {
    let path = path.trim_matches('/');
    let bad = |part: &str| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git");
    let sound =
        path.is_empty() || (!path.split('/').any(bad) && !path.chars().any(char::is_control) && path.len() <= 4096);
    if sound { Ok(path.to_owned()) } else { Err(Refusal::said(422, "path contains a malformed path component")) }
}

fn at<'c>(call: &Call<'c>) -> Result<(&'c Git, String), Refusal> {
    let git = call.git()?;
    let name = call.query("ref").filter(|name| !name.is_empty()).unwrap_or("HEAD");
    let missing = || {
        let shown: String = name.chars().take(100).collect();
        Refusal::said(404, &format!("No commit found for the ref {shown}"))
    };
    let commit = git.resolve(name)?.ok_or_else(missing)?;
    Ok((git, commit))
}

fn get(call: &Call<'_>, path: &str) -> Answer {
    let (git, commit) = at(call)?;
    let name = call.query("ref").filter(|name| !name.is_empty()).unwrap_or(&call.facts().default_branch);
    let accept = call.request.header("accept").unwrap_or_default();
    let tree = git.resolve_tree(&commit)?.ok_or_else(Refusal::not_found)?;
    let found = if path.is_empty() { git.object(&tree)? } else { git.at_path(&commit, path)? };
    // A submodule's commit is not in this repository, so nothing is found there.
    let found = found.ok_or_else(Refusal::not_found)?;
    if found.kind == "tree" {
        let mut entries = git.entries(&found.id, false)?;
        entries.truncate(MAX_ENTRIES);
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let shown: Vec<Value> =
            entries.iter().map(|entry| listed(call, entry, &format!("{below}{}", entry.path), name)).collect();
        return Ok(ApiResponse::json(
            200,
            &if accept.contains(".object") {
                json!({"type": "dir", "path": path, "sha": found.id, "entries": shown})
            } else {
                Value::Array(shown)
            },
        ));
    }
    if found.size > MAX_RAW {
        return Err(Refusal::said(
            403,
            "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.",
        ));
    }
    if accept.contains(".raw") {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.raw; charset=utf-8".into())];
        return Ok(ApiResponse { status: 200, headers, body: git.blob(&found.id)? });
    }
    let entry = Entry {
        mode: String::new(),
        kind: "blob".into(),
        id: found.id.clone(),
        size: Some(found.size),
        path: path.rsplit('/').next().unwrap_or(path).to_owned(),
    };
    let mut shown = listed(call, &entry, path, name);
    let (content, encoding) =
        if found.size > MAX_INLINE { (String::new(), "none") } else { (base64_lines(&git.blob(&found.id)?), "base64") };
    shown["content"] = json!(content);
    shown["encoding"] = json!(encoding);
    Ok(ApiResponse::json(200, &shown))
}

/// As GitHub writes it: 60 characters on a line.
pub(super) fn base64_lines(content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for line in text.as_bytes().chunks(60) {
        lines.extend(line.iter().map(|byte| char::from(*byte)));
        lines.push('\n');
    }
    lines
}

fn listed(call: &Call<'_>, entry: &Entry, path: &str, reference: &str) -> Value {
    let kind = match (entry.kind.as_str(), entry.mode.as_str()) {
        ("tree", _) => "dir",
        ("commit", _) => "submodule",
        (_, "120000") => "symlink",
        _ => "file",
    };
    let url = call.api(&format!("contents/{}?ref={}", encoded_path(path), crate::call::encoded(reference)));
    let git_kind = if kind == "dir" { "trees" } else { "blobs" };
    let git_url = call.api(&format!("git/{git_kind}/{}", entry.id));
    let page = if kind == "dir" { "tree" } else { "blob" };
    let html = call.html(&format!("{page}/{}/{}", encoded_path(reference), encoded_path(path)));
    let download =
        (kind == "file").then(|| call.html(&format!("raw/{}/{}", encoded_path(reference), encoded_path(path))));
    json!({
        "type": kind,
        "size": entry.size.unwrap_or(0),
        "name": entry.path,
        "path": path,
        "sha": entry.id,
        "url": url,
        "git_url": git_url,
        "html_url": html,
        "download_url": download,
        "_links": {"self": url, "git": git_url, "html": html},
    })
}

fn write(call: &Call<'_>, path: &str) -> Answer {
    let fields = call.fields()?;
    let message = fields.required("Content", "message")?;
    let missing = || Refusal::invalid("Content", "content", "missing_field");
    let packed: String = fields.text("content")?.ok_or_else(missing)?.split_ascii_whitespace().collect();
    let content = STANDARD.decode(packed).map_err(|_| Refusal::said(422, "content is not valid Base64"))?;
    let git = call.git()?;
    let place = Place::find(call, git, &fields, path)?;
    let earlier = place.earlier.clone();
    match (fields.text("sha")?, &earlier) {
        (None, Some(_)) => return Err(Refusal::said(422, "Invalid request.\n\n\"sha\" wasn't supplied.")),
        (Some(sha), Some(known)) if sha != known => {
            return Err(Refusal::said(409, &format!("{path} does not match {sha}")));
        }
        (Some(sha), None) => return Err(Refusal::said(409, &format!("{path} does not match {sha}"))),
        _ => {}
    }
    let blob = git.write_blob(&content)?;
    let change = TreeChange { path: path.to_owned(), object: Some(("100644".into(), blob)) };
    let commit = place.commit(call, git, &fields, message, change)?;
    let status = if earlier.is_some() { 200 } else { 201 };
    answered(call, git, &place, path, &commit, status)
}

fn delete(call: &Call<'_>, path: &str) -> Answer {
    // octokit sends these in the query; others in a body.
    let mut fields = call.fields()?;
    for name in ["message", "sha", "branch"] {
        if let (false, Some(value)) = (fields.has(name), call.query(name)) {
            fields.0[name] = json!(value);
        }
    }
    let message = fields.required("Content", "message")?.to_owned();
    let git = call.git()?;
    let place = Place::find(call, git, &fields, path)?;
    let known = place.earlier.clone().ok_or_else(Refusal::not_found)?;
    if fields.required("Content", "sha")? != known {
        return Err(Refusal::said(409, &format!("{path} does not match the given sha")));
    }
    let commit = place.commit(call, git, &fields, &message, TreeChange { path: path.to_owned(), object: None })?;
    let made = git.commit(&commit)?.ok_or_else(Refusal::not_found)?;
    Ok(ApiResponse::json(200, &json!({"content": null, "commit": commit_view(call, &made)})))
}

fn answered(call: &Call<'_>, git: &Git, place: &Place, path: &str, commit: &str, status: u16) -> Answer {
    let made = git.commit(commit)?.ok_or_else(Refusal::not_found)?;
    let object = git.at_path(commit, path)?.ok_or_else(Refusal::not_found)?;
    let entry = Entry {
        mode: "100644".into(),
        kind: "blob".into(),
        id: object.id,
        size: Some(object.size),
        path: path.rsplit('/').next().unwrap_or(path).to_owned(),
    };
    let content = listed(call, &entry, path, &place.branch);
    Ok(ApiResponse::json(status, &json!({"content": content, "commit": commit_view(call, &made)})))
}

/// Where a file is written: a branch with its tip, and the blob that is there.
struct Place {
    branch: String,
    tip: Option<String>,
    earlier: Option<String>,
}

impl Place {
    fn find(call: &Call<'_>, git: &Git, fields: &Fields, path: &str) -> Result<Self, Refusal> {
        let branch = fields.text("branch")?.unwrap_or(&call.facts().default_branch);
        let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned();
        let missing = || Refusal::said(404, &format!("Branch {branch} not found"));
        if !is_ref_name(&branch) {
            return Err(missing());
        }
        let tip = git.resolve(&format!("refs/heads/{branch}"))?;
        // In an empty repository the first file makes the default branch.
        if tip.is_none() && branch != call.facts().default_branch {
            return Err(missing());
        }
        let earlier = match &tip {
            Some(tip) => git.at_path(tip, path)?,
            None => None,
        };
        if earlier.as_ref().is_some_and(|object| object.kind != "blob") {
            return Err(Refusal::said(422, &format!("{path} is a folder")));
        }
        Ok(Self { branch, tip, earlier: earlier.map(|object| object.id) })
    }

    fn commit(
        &self,
        call: &Call<'_>,
        git: &Git,
        fields: &Fields,
        message: &str,
        change: TreeChange,
    ) -> Result<String, Refusal> {
        let tree = match &self.tip {
            Some(tip) => git.resolve_tree(tip)?,
            None => None,
        };
        let tree = git.write_tree(tree.as_deref(), &[change])?;
        let committer = person(fields.value("committer"), &bot(call))?;
        let author = person(fields.value("author"), &committer)?;
        let parents: Vec<String> = self.tip.iter().cloned().collect();
        let new = NewCommit { tree: &tree, parents: &parents, message, author: &author, committer: &committer };
        let commit = git.write_commit(&new)?;
        let none = "0".repeat(commit.len());
        git.set_ref(&format!("refs/heads/{}", self.branch), &commit, Some(self.tip.as_deref().unwrap_or(&none)))?;
        Ok(commit)
    }
}
