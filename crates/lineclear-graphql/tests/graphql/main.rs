//! Queries as popular actions make them, hostile documents, and GitHub's words for what is wrong.

mod actions;
mod embedded;
mod errors;
mod forge;
mod hostile;
mod paging;

use forge::{Forge, caller};
use lineclear_forge::{ApiRequest, ApiResponse, ForgeApi};
use lineclear_graphql::GraphqlOverRest;
use serde_json::{Value, json};

fn send(forge: &GraphqlOverRest<Forge>, body: &Value) -> ApiResponse {
    forge.call(&caller(), &ApiRequest::new("POST", "/graphql").json(body))
}

/// The whole answer, which has to be of status 200.
fn answer(forge: &GraphqlOverRest<Forge>, query: &str, variables: &Value) -> Value {
    let response = send(forge, &json!({ "query": query, "variables": variables }));
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response.value()
}

/// The data of a query without errors.
fn data(forge: &GraphqlOverRest<Forge>, query: &str, variables: &Value) -> Value {
    let answer = answer(forge, query, variables);
    assert_eq!(answer["errors"], Value::Null, "{answer:#}");
    answer["data"].clone()
}

/// The first error.
fn error(forge: &GraphqlOverRest<Forge>, query: &str) -> Value {
    answer(forge, query, &Value::Null)["errors"][0].clone()
}

fn graphql() -> GraphqlOverRest<Forge> {
    GraphqlOverRest::new(Forge::new())
}
