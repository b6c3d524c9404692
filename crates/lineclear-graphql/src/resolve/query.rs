//! Where a query begins.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Ask, repository_named, search};
use crate::failure::Failure;
use crate::node;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

/// The app in whose name jobs act on GitHub.
pub(crate) const APP: &str = "github-actions[bot]";

/// GitHub's limit of ids in one `nodes`.
const MAX_NODES: usize = 100;

pub(super) fn field(rest: &Rest, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let resolved = match ask.field {
        "viewer" => viewer(rest),
        "repository" => {
            let (owner, name) = (ask.text("owner").unwrap_or_default(), ask.text("name").unwrap_or_default());
            let found = repository_named(rest, &format!("{owner}/{name}"))?;
            let missing =
                || Failure::not_found(format!("Could not resolve to a Repository with the name '{owner}/{name}'."));
            Resolved::Object(found.ok_or_else(missing)?)
        }
        "node" => Resolved::Object(node::load(rest, ask.text("id").unwrap_or_default())?),
        "nodes" => {
            let ids = ask.texts("ids").unwrap_or_default();
            if ids.len() > MAX_NODES {
                let message =
                    format!("You may not provide more than {MAX_NODES} node ids; you provided {}.", ids.len());
                return Err(Failure::new("ARGUMENT_LIMIT", message));
            }
            // What is not there is null; an error of one would hide the others.
            Resolved::Objects(ids.iter().map(|id| node::load(rest, id).ok()).collect())
        }
        "search" => search::search(rest, ask)?,
        "rateLimit" => rate_limit(rest),
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

/// Whether it is the viewer's login, as REST has it.
pub(crate) fn is_viewer(rest: &Rest, login: &str) -> bool {
    login == rest.viewer
}

/// A job's token is an app's and has no user: GitHub refuses `GET /user` and names the app here.
fn viewer(rest: &Rest) -> Resolved {
    let login = rest.viewer;
    let facts = if login == APP {
        json!({
            "login": login,
            "id": 41_898_282,
            "name": "GitHub Actions",
            "html_url": "https://github.com/apps/github-actions",
            "avatar_url": "https://avatars.githubusercontent.com/in/15368?v=4",
        })
    } else {
        json!({ "login": login })
    };
    Resolved::Object(Object::new("User", &Rc::from(""), facts))
}

fn rate_limit(rest: &Rest) -> Resolved {
    let Ok(answer) = rest.get("/rate_limit") else { return Resolved::NULL };
    let limit = [&answer["resources"]["graphql"], &answer["resources"]["core"], &answer["rate"]];
    let Some(limit) = limit.into_iter().find(|limit| limit["limit"].is_u64()) else { return Resolved::NULL };
    let number = |name: &str| limit[name].as_u64().unwrap_or_default();
    let facts = json!({
        "cost": 1,
        "nodeCount": 0,
        "limit": number("limit"),
        "remaining": number("remaining"),
        "used": limit["used"].as_u64().unwrap_or_else(|| number("limit").saturating_sub(number("remaining"))),
        "resetAt": seconds_to_date(number("reset")),
    });
    Resolved::Object(Object::new("RateLimit", &Rc::from(""), facts))
}

/// Seconds since 1970 as `2026-01-02T03:04:05Z`.
fn seconds_to_date(seconds: u64) -> Value {
    // Days to a civil date after Howard Hinnant's `civil_from_days`.
    let (days, rest) = (seconds.min(253_402_300_799) / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        assert_eq!(seconds_to_date(0), "1970-01-01T00:00:00Z");
        assert_eq!(seconds_to_date(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(seconds_to_date(1_767_225_599), "2025-12-31T23:59:59Z");
    }
}
