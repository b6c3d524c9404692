//! `search(type: ISSUE)`: simple qualifiers, evaluated here, so that they mean the same on every forge.

use std::rc::Rc;

use serde_json::Value;

use super::{Ask, repository};
use crate::connection::connection;
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

/// One word of a search.
#[derive(Debug, PartialEq)]
struct Term {
    /// Empty for a plain word.
    qualifier: String,
    value: String,
    negated: bool,
}

const KNOWN: [&str; 16] = [
    "assignee",
    "author",
    "base",
    "created",
    "draft",
    "head",
    "in",
    "is",
    "label",
    "merged",
    "milestone",
    "no",
    "repo",
    "sort",
    "state",
    "updated",
];

pub(super) fn search(rest: &Rest, ask: &Ask) -> Result<Resolved, Failure> {
    if !matches!(ask.text("type"), Some("ISSUE" | "ISSUE_ADVANCED")) {
        return Err(Failure::unprocessable("Only issues and pull requests can be searched: `type: ISSUE`."));
    }
    let terms = terms(ask.text("query").unwrap_or_default());
    if let Some(term) = terms.iter().find(|term| !is_understood(term)) {
        let message = format!(
            "The search qualifier `{}:{}` is not understood here; known are: {}, type.",
            term.qualifier,
            term.value,
            KNOWN.join(", ")
        );
        return Err(Failure::unprocessable(message));
    }
    let repositories: Vec<&str> =
        terms.iter().filter(|term| term.qualifier == "repo" && !term.negated).map(|term| term.value.as_str()).collect();
    let name = match repositories.as_slice() {
        [] => rest.caller.repository.as_str(),
        [one] => one,
        _ => return Err(Failure::unprocessable("Only one repository can be searched at a time: give one `repo:`.")),
    };
    let Some(found) = repository::repository_named(rest, name)? else {
        let message = "The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.";
        return Err(Failure::unprocessable(message));
    };
    let sort =
        terms.iter().find(|term| term.qualifier == "sort").map(|term| term.value.as_str()).unwrap_or("created-desc");
    let (field, direction) = sort.split_once('-').unwrap_or((sort, "desc"));
    connection("SearchResultItemConnection", ask, |enough| {
        let path = found.route("/issues");
        let query = [("state", "all"), ("sort", field), ("direction", direction)];
        let mut wanted = enough;
        loop {
            let (items, complete) = rest.list(&path, &query, None, wanted)?;
            let read = items.len();
            let mut hits = Vec::new();
            for item in items {
                if fits_all(rest, &found.repository, &item, &terms)? {
                    let of = if repository::is_pull_request(&item) { "PullRequest" } else { "Issue" };
                    hits.push(Object::new(of, &found.repository, item));
                }
            }
            if complete || hits.len() >= enough {
                return Ok((hits, complete));
            }
            wanted = read.saturating_add(1);
        }
    })
}

/// The words of a search; quotes keep spaces together.
fn terms(query: &str) -> Vec<Term> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in query.chars().take(1024) {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    let term = |word: String| {
        let (negated, word) = word.strip_prefix('-').map_or((false, word.as_str()), |word| (true, word));
        let (qualifier, value) = word.split_once(':').unwrap_or(("", word));
        let qualifier = if qualifier == "type" { "is" } else { qualifier };
        Term { qualifier: qualifier.to_owned(), value: value.to_owned(), negated }
    };
    words.into_iter().filter(|word| !word.is_empty()).map(term).collect()
}

fn is_understood(term: &Term) -> bool {
    match term.qualifier.as_str() {
        "" => true,
        "is" => matches!(
            term.value.as_str(),
            "open"
                | "closed"
                | "merged"
                | "unmerged"
                | "draft"
                | "issue"
                | "pr"
                | "pull-request"
                | "public"
                | "private"
        ),
        "in" => term.value.split(',').all(|part| matches!(part, "title" | "body")),
        "no" => matches!(term.value.as_str(), "label" | "assignee" | "milestone"),
        known => KNOWN.contains(&known),
    }
}

fn fits_all(rest: &Rest, repository: &Rc<str>, item: &Value, terms: &[Term]) -> Result<bool, Failure> {
    let places: Vec<&str> =
        terms.iter().filter(|term| term.qualifier == "in").flat_map(|term| term.value.split(',')).collect();
    let mut whole = None;
    for term in terms {
        // The list of issues does not tell branches.
        let facts = if matches!(term.qualifier.as_str(), "head" | "base") && repository::is_pull_request(item) {
            if whole.is_none() {
                let number = item["number"].as_u64().unwrap_or_default();
                whole = Some(rest.get(&format!("/repos/{repository}/pulls/{number}"))?);
            }
            whole.as_deref().unwrap_or(item)
        } else {
            item
        };
        if fits(facts, term, &places) == term.negated {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits(item: &Value, term: &Term, places: &[&str]) -> bool {
    let value = term.value.as_str();
    let login = |user: &Value| {
        user["login"]
            .as_str()
            .is_some_and(|login| login.eq_ignore_ascii_case(value.trim_start_matches('@').trim_start_matches("app/")))
    };
    let named = |list: &str, key: &str| {
        item[list]
            .as_array()
            .into_iter()
            .flatten()
            .any(|one| one[key].as_str().is_some_and(|name| name.eq_ignore_ascii_case(value)))
    };
    let pull = repository::is_pull_request(item);
    let merged_at = item.get("merged_at").filter(|at| at.is_string()).unwrap_or(&item["pull_request"]["merged_at"]);
    match term.qualifier.as_str() {
        "is" => match value {
            "issue" => !pull,
            "pr" | "pull-request" => pull,
            "merged" => merged_at.is_string(),
            "unmerged" => pull && !merged_at.is_string(),
            "draft" => item["draft"] == Value::Bool(true),
            // Of the repository, which was found.
            "public" | "private" => true,
            state => item["state"] == state,
        },
        "state" => item["state"] == value,
        "draft" => (item["draft"] == Value::Bool(true)).to_string() == value,
        "author" => login(&item["user"]),
        "assignee" => named("assignees", "login"),
        "label" => value.split(',').any(|label| {
            let names = item["labels"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
            names.into_iter().any(|name| name.eq_ignore_ascii_case(label))
        }),
        "milestone" => item["milestone"]["title"].as_str().is_some_and(|title| title.eq_ignore_ascii_case(value)),
        "no" => match value {
            "label" => item["labels"].as_array().is_none_or(Vec::is_empty),
            "assignee" => item["assignees"].as_array().is_none_or(Vec::is_empty),
            _ => item["milestone"].is_null(),
        },
        "head" => item["head"]["ref"] == value,
        "base" => item["base"]["ref"] == value,
        "created" => fits_date(&item["created_at"], value),
        "updated" => fits_date(&item["updated_at"], value),
        "merged" => fits_date(merged_at, value),
        "" => {
            let within = |place: &str| {
                item[place].as_str().is_some_and(|text| text.to_lowercase().contains(&value.to_lowercase()))
            };
            if places.is_empty() { within("title") || within("body") } else { places.iter().any(|place| within(place)) }
        }
        _ => true,
    }
}

/// `>=2026-01-01`, `2026-01-01..2026-02-01`, `2026-01-01`: dates in this form compare as texts.
fn fits_date(date: &Value, range: &str) -> bool {
    let Some(date) = date.as_str() else { return false };
    let at = |bound: &str| date.get(..bound.len()).unwrap_or(date).to_owned();
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || at(from).as_str() >= from) && (to == "*" || at(to).as_str() <= to);
    }
    if let Some(bound) = range.strip_prefix(">=") {
        at(bound).as_str() >= bound
    } else if let Some(bound) = range.strip_prefix("<=") {
        at(bound).as_str() <= bound
    } else if let Some(bound) = range.strip_prefix('>') {
        at(bound).as_str() > bound
    } else if let Some(bound) = range.strip_prefix('<') {
        at(bound).as_str() < bound
    } else {
        at(range) == range
    }
}
