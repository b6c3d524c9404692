//! The repository itself, and small lists about it.

use std::collections::BTreeMap;

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Map, Value, json};

use super::not_offered;
use crate::call::{Answer, Call, Refusal, named_node, time};
use crate::git::Log;
use crate::journal::Transaction;
use crate::record::Issue;

pub(super) fn route(call: &Call<'_>, memory: &Transaction, method: &str, rest: &[&str]) -> Answer {
    let list = |entries: &[Value]| Ok(call.page(entries, Value::clone));
    match (method, rest) {
        ("GET", []) => Ok(ApiResponse::json(200, &full(call, memory))),
        ("GET", ["topics"]) => Ok(ApiResponse::json(200, &json!({"names": call.facts().topics}))),
        ("GET", ["languages"]) => Ok(ApiResponse::json(200, &languages(call)?)),
        ("GET", ["hash-algorithm"]) => {
            let sha = call.git()?.resolve("HEAD")?.unwrap_or_default();
            Ok(ApiResponse::json(200, &json!({"hash_algorithm": if sha.len() == 64 { "sha256" } else { "sha1" }})))
        }
        ("GET", ["contributors"]) => contributors(call),
        ("GET", ["collaborators"]) => list(&[call.user(&call.facts().owner)]),
        ("GET", ["collaborators", login, "permission"]) => {
            let level = if login.eq_ignore_ascii_case(&call.facts().owner) { "admin" } else { "write" };
            let answer = json!({"permission": level, "role_name": level, "user": call.user(login)});
            Ok(ApiResponse::json(200, &answer))
        }
        ("GET", ["collaborators", login]) if login.eq_ignore_ascii_case(&call.facts().owner) => {
            Ok(ApiResponse::empty(204))
        }
        ("GET", ["collaborators", _]) => Err(Refusal::not_found()),
        ("GET", ["forks" | "stargazers" | "subscribers" | "rulesets" | "events"]) => list(&[]),
        ("GET", ["rules", "branches", ..]) => list(&[]),
        ("GET", ["license"]) => Err(Refusal::not_found()),
        _ => not_offered(call),
    }
}

/// What pull requests and statuses show of the repository.
pub(super) fn brief(call: &Call<'_>) -> Value {
    let facts = call.facts();
    let full_name = facts.full_name();
    let (url, html) = (call.api(""), call.html(""));
    json!({
        "id": facts.id,
        "node_id": named_node(NodeKind::Repository, &full_name),
        "name": facts.name,
        "full_name": full_name,
        "private": facts.private,
        "owner": call.user(&facts.owner),
        "html_url": html,
        "description": Some(&facts.description).filter(|text| !text.is_empty()),
        "fork": false,
        "url": url,
        "issues_url": format!("{url}/issues{{/number}}"),
        "pulls_url": format!("{url}/pulls{{/number}}"),
        "commits_url": format!("{url}/commits{{/sha}}"),
        "git_refs_url": format!("{url}/git/refs{{/sha}}"),
        "releases_url": format!("{url}/releases{{/id}}"),
        "statuses_url": format!("{url}/statuses/{{sha}}"),
        "contents_url": format!("{url}/contents/{{+path}}"),
        "compare_url": format!("{url}/compare/{{base}}...{{head}}"),
        "clone_url": format!("{html}.git"),
        "git_url": format!("git://{}.git", html.trim_start_matches("https://")),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "default_branch": facts.default_branch,
        "visibility": if facts.private { "private" } else { "public" },
        "archived": false,
        "disabled": false,
        "topics": facts.topics,
    })
}

/// Another repository, of which no more than its name is known: the head of a fork's pull request.
pub(super) fn other(call: &Call<'_>, full_name: &str) -> Value {
    let (owner, name) = full_name.split_once('/').unwrap_or(("", full_name));
    let addresses = call.forge.addresses();
    json!({
        "id": crate::person::number_of(full_name),
        "node_id": named_node(NodeKind::Repository, full_name),
        "name": name,
        "full_name": full_name,
        "private": false,
        "owner": call.user(owner),
        "fork": true,
        "url": format!("{}/repos/{full_name}", addresses.api),
        "html_url": format!("{}/{full_name}", addresses.server),
        "clone_url": format!("{}/{full_name}.git", addresses.server),
        "default_branch": call.facts().default_branch,
    })
}

fn full(call: &Call<'_>, memory: &Transaction) -> Value {
    let mut shown = brief(call);
    let open = memory.all::<Issue>().iter().filter(|issue| issue.open).count();
    let holds = |scope: &str, level: &str| call.caller.permissions.get(scope).is_some_and(|held| held == level);
    for (name, value) in [
        ("created_at", json!(time(lineclear_event::Timestamp(0)))),
        ("updated_at", json!(time(call.now))),
        ("pushed_at", json!(time(call.now))),
        ("homepage", Value::Null),
        ("size", json!(0)),
        ("stargazers_count", json!(0)),
        ("watchers_count", json!(0)),
        ("forks_count", json!(0)),
        ("open_issues_count", json!(open)),
        ("language", Value::Null),
        ("license", Value::Null),
        ("is_template", json!(false)),
        ("has_issues", json!(true)),
        ("has_projects", json!(false)),
        ("has_wiki", json!(false)),
        ("has_pages", json!(false)),
        ("has_discussions", json!(false)),
        ("allow_squash_merge", json!(true)),
        ("allow_merge_commit", json!(true)),
        ("allow_rebase_merge", json!(true)),
        (
            "permissions",
            json!({
                "admin": false,
                "maintain": false,
                "push": holds("contents", "write"),
                "triage": holds("issues", "write"),
                "pull": true,
            }),
        ),
    ] {
        shown[name] = value;
    }
    shown
}

/// Bytes by language, told from the names of files.
fn languages(call: &Call<'_>) -> Result<Value, Refusal> {
    let git = call.git()?;
    let Some(tree) = git.resolve_tree("HEAD")? else { return Ok(json!({})) };
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in git.entries(&tree, true)? {
        let language = entry.path.rsplit_once('.').and_then(|(_, ending)| language(ending));
        if let (Some(language), Some(size)) = (language, entry.size) {
            *bytes.entry(language).or_default() += size;
        }
    }
    let mut sorted: Vec<(&str, u64)> = bytes.into_iter().collect();
    sorted.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Ok(Value::Object(sorted.into_iter().map(|(name, size)| (name.to_owned(), json!(size))).collect::<Map<_, _>>()))
}

fn language(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "rs" => "Rust",
        "py" => "Python",
        "js" | "mjs" | "cjs" | "jsx" => "JavaScript",
        "ts" | "tsx" | "mts" => "TypeScript",
        "go" => "Go",
        "java" => "Java",
        "kt" | "kts" => "Kotlin",
        "rb" => "Ruby",
        "php" => "PHP",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" => "C++",
        "cs" => "C#",
        "swift" => "Swift",
        "sh" | "bash" => "Shell",
        "html" | "htm" => "HTML",
        "css" => "CSS",
        "scss" => "SCSS",
        "vue" => "Vue",
        "tf" => "HCL",
        _ => return None,
    })
}

fn contributors(call: &Call<'_>) -> Answer {
    const MOST: usize = 1000;
    let git = call.git()?;
    let Some(head) = git.resolve("HEAD")? else { return Ok(ApiResponse::empty(204)) };
    let mut counted: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for commit in git.log(&Log { from: &head, most: MOST, ..Log::default() })? {
        let (name, mail, _) = commit.author;
        counted.entry(mail).or_insert((name, 0)).1 += 1;
    }
    let mut sorted: Vec<(String, (String, u64))> = counted.into_iter().collect();
    sorted.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
    Ok(call.page(&sorted, |(mail, (name, count))| {
        let login = super::commits::login_of(mail).unwrap_or(name);
        let mut user = call.user(login);
        user["contributions"] = json!(count);
        user
    }))
}
