//! Calls that belong to no repository.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::json;

use super::{not_offered, repository};
use crate::call::{Answer, Call, Refusal, named_node};

pub(super) fn route(call: &Call<'_>, method: &str, path: &[&str]) -> Answer {
    let facts = call.facts();
    let api = &call.forge.addresses().api;
    match (method, path) {
        ("GET", []) => Ok(ApiResponse::json(
            200,
            &json!({
                "current_user_url": format!("{api}/user"),
                "repository_url": format!("{api}/repos/{{owner}}/{{repo}}"),
                "rate_limit_url": format!("{api}/rate_limit"),
                "user_url": format!("{api}/users/{{user}}"),
            }),
        )),
        ("GET", ["rate_limit"]) => {
            let reset = call.now.0.div_euclid(1000) + 3600;
            let limit = json!({"limit": 5000, "used": 1, "remaining": 4999, "reset": reset});
            let resources = json!({"core": limit, "search": limit, "graphql": limit});
            Ok(ApiResponse::json(200, &json!({"resources": resources, "rate": limit})))
        }
        ("GET", ["meta"]) => Ok(ApiResponse::json(200, &json!({"verifiable_password_authentication": false}))),
        ("GET", ["versions"]) => Ok(ApiResponse::json(200, &json!(["2022-11-28"]))),
        ("GET", ["zen"]) => {
            let headers = vec![("content-type".into(), "text/plain; charset=utf-8".into())];
            Ok(ApiResponse { status: 200, headers, body: b"Keep it logically awesome.".to_vec() })
        }
        ("GET", ["emojis"]) => Ok(ApiResponse::json(200, &json!({}))),
        (_, ["user", ..]) => Err(Refusal::said(403, "Resource not accessible by integration")),
        ("GET", ["users", login]) => {
            let mut user = call.user(login);
            for name in ["name", "company", "blog", "location", "email", "bio"] {
                user[name] = json!(null);
            }
            Ok(ApiResponse::json(200, &user))
        }
        ("GET", ["orgs", name]) if facts.owned_by_organization && name.eq_ignore_ascii_case(&facts.owner) => {
            Ok(ApiResponse::json(
                200,
                &json!({
                    "login": facts.owner,
                    "id": facts.owner_id,
                    "node_id": named_node(NodeKind::Organization, &facts.owner),
                    "url": format!("{api}/orgs/{}", facts.owner),
                    "type": "Organization",
                    "name": null,
                    "description": null,
                }),
            ))
        }
        ("GET", ["orgs", _]) => Err(Refusal::not_found()),
        ("GET", ["installation", "repositories"]) => {
            Ok(call.counted_page("repositories", &[repository::brief(call)], serde_json::Value::clone))
        }
        _ => not_offered(call),
    }
}
