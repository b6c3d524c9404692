//! GitHub's words and shapes for what is wrong.

use lineclear_forge::{ApiRequest, ApiResponse, ForgeApi};
use lineclear_graphql::GraphqlOverRest;
use serde_json::{Value, json};

use crate::forge::{Forge, caller};
use crate::{answer, data, error, graphql, send};

fn check_message(query: &str, expected: &str) {
    let found = error(&graphql(), query);
    assert_eq!(found["message"], expected, "{query}");
    assert!(found["locations"][0]["line"].is_u64(), "{found}");
}

const IN_DEMO: &str = "repository(owner: \"octo\", name: \"demo\")";

#[test]
fn documents_that_do_not_fit_are_refused_as_github_words_it() {
    check_message("{ viewer { login", "Expected NAME, actual: end of the document at [1, 17]");
    check_message("query { }", "Expected NAME, actual: RCURLY (\"}\") at [1, 9]");
    check_message("{ viewer { nickname } }", "Field 'nickname' doesn't exist on type 'User'");
    check_message(
        &format!("{{ {IN_DEMO} {{ projectsV2(first: 1) {{ id }} }} }}"),
        "Field 'projectsV2' doesn't exist on type 'Repository'",
    );
    check_message(
        "{ viewer }",
        "Field must have selections (field 'viewer' returns User but has no selections. Did you mean 'viewer { ... }'?)",
    );
    check_message(
        "{ viewer { login { x } } }",
        "Selections can't be made on scalars (field 'login' returns String but has selections)",
    );
    check_message("{ repository(owner: \"octo\") { id } }", "Field 'repository' is missing required arguments: name");
    check_message("{ viewer(x: 1) { login } }", "Field 'viewer' doesn't accept argument 'x'");
    check_message("{ viewer { ...Nothing } }", "Fragment Nothing was used, but not defined");
    check_message("{ viewer { ... on Issue { id } } }", "Fragment on Issue can't be spread inside User");
    check_message("{ viewer { ... on Nobody { id } } }", "No such type Nobody, so it can't be a fragment condition");
    check_message("query Q { node(id: $id) { id } }", "Variable $id is used by Q but not declared");
    check_message(
        "query($n: Int!) { viewer { login } repository(owner: \"a\", name: \"b\") { issue(number: $n) { id } } }",
        "Variable $n of type Int! was provided invalid value",
    );
    check_message("{ viewer { login @only(if: true) } }", "Directive @only is not defined");
    check_message("subscription { x }", "Schema is not configured for subscriptions");
    check_message("{ a: viewer { login } } query B { viewer { login } }", "An operation name is required");
    check_message(
        "{ x: viewer { login } x: rateLimit { limit } }",
        "Field 'x' has a field conflict: viewer or rateLimit?",
    );
}

/// Where a document does not fit, nothing was called.
#[test]
fn a_document_that_does_not_fit_calls_nothing() {
    let forge = graphql();
    error(
        &forge,
        "mutation { addComment(input: { subjectId: \"x\", body: \"y\" }) { commentEdge { node { nothing } } } }",
    );
    assert_eq!(forge.inner().calls(), Vec::<String>::new());
}

#[test]
fn what_is_not_there_is_null_with_an_error_at_its_path() {
    let query = "query {\n  repository(owner: \"octo\", name: \"demo\") { one: pullRequest(number: 99) { id } isPrivate }\n  other: repository(owner: \"octo\", name: \"nothing\") { id }\n}";
    let answer = answer(&graphql(), query, &Value::Null);
    assert_eq!(answer["data"], json!({ "repository": { "one": null, "isPrivate": true }, "other": null }));
    let expected = json!([
        { "type": "NOT_FOUND", "path": ["repository", "one"], "locations": [{ "line": 2, "column": 45 }],
          "message": "Could not resolve to a PullRequest with the number of 99." },
        { "type": "NOT_FOUND", "path": ["other"], "locations": [{ "line": 3, "column": 3 }],
          "message": "Could not resolve to a Repository with the name 'octo/nothing'." },
    ]);
    assert_eq!(answer["errors"], expected);
    let issue = error(&graphql(), &format!("{{ {IN_DEMO} {{ issue(number: 7) {{ id }} }} }}"));
    assert_eq!(issue["message"], "Could not resolve to an Issue with the number of 7.");
    let node = error(&graphql(), "{ node(id: \"PR_nonsense\") { id } }");
    assert_eq!(node["message"], "Could not resolve to a node with the global id of 'PR_nonsense'");
}

/// S2-20: `permissions:` hold for mutations, because the REST call behind is refused.
#[test]
fn a_change_that_the_forge_refuses_is_forbidden() {
    let mut forge = Forge::new();
    forge.read_only = true;
    let forge = GraphqlOverRest::new(forge);
    let id = data(&forge, &format!("{{ {IN_DEMO} {{ pullRequest(number: 7) {{ id }} }} }}"), &Value::Null);
    let id = &id["repository"]["pullRequest"]["id"];
    let query =
        "mutation($id: ID!) { addComment(input: { subjectId: $id, body: \"x\" }) { commentEdge { node { id } } } }";
    let refused = answer(&forge, query, &json!({ "id": id }));
    assert_eq!(refused["data"]["addComment"], Value::Null);
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
    assert_eq!(refused["errors"][0]["message"], "Resource not accessible by integration");
    assert!(forge.inner().bodies().is_empty());
}

#[test]
fn a_wrong_token_and_a_used_up_limit_end_the_whole_call() {
    let mut limited = ApiResponse::error(403, "API rate limit exceeded");
    limited.headers.extend([("x-ratelimit-remaining".to_owned(), "0".to_owned()), ("retry-after".into(), "60".into())]);
    for ending in [ApiResponse::error(401, "Bad credentials"), limited] {
        let forge = graphql();
        *forge.inner().always.lock().expect("nothing panicked") = Some(ending.clone());
        let response = send(&forge, &json!({ "query": format!("{{ {IN_DEMO} {{ id }} viewer {{ login }} }}") }));
        assert_eq!(response, ending);
        assert_eq!(forge.inner().calls().len(), 1);
    }
}

#[test]
fn variables_are_held_to_their_types() {
    let forge = graphql();
    let query = "mutation($input: AddReactionInput!) { addReaction(input: $input) { reaction { id } } }";
    for (input, expected) in [
        (json!({ "subjectId": "x", "content": "SMILE" }), "for content (Expected \"SMILE\" to be one of: CONFUSED"),
        (
            json!({ "subjectId": "x", "content": "EYES", "more": 1 }),
            "for more (Field is not defined on AddReactionInput)",
        ),
        (json!({ "content": "EYES" }), "for subjectId (Expected value to not be null)"),
        (json!("text"), "Variable $input of type AddReactionInput! was provided invalid value"),
    ] {
        let found = answer(&forge, query, &json!({ "input": input }));
        let message = found["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_operation_that_is_named_is_carried_out() {
    let forge = graphql();
    let query = "query A { viewer { login } } query B($wide: Boolean = false) { rateLimit { limit remaining @include(if: $wide) } }";
    let response = send(&forge, &json!({ "query": query, "operationName": "B" }));
    assert_eq!(response.value(), json!({ "data": { "rateLimit": { "limit": 1000 } } }));
    let response = send(&forge, &json!({ "query": query, "operationName": "C" }));
    assert_eq!(response.value()["errors"][0]["message"], "No operation named \"C\"");
}

/// Sticky comments look for the token's own ones.
#[test]
fn the_viewer_is_the_tokens_user() {
    let forge = graphql().with_viewer("mona");
    assert_eq!(data(&forge, "{ viewer { login } }", &Value::Null)["viewer"]["login"], "mona");
}

#[test]
fn everything_but_graphql_passes_through() {
    let forge = graphql();
    let response = forge.call(&caller(), &ApiRequest::new("GET", "/repos/octo/demo"));
    assert_eq!(response.value()["full_name"], "octo/demo");
    assert_eq!(forge.call(&caller(), &ApiRequest::new("GET", "/graphql")).status, 405);
}
