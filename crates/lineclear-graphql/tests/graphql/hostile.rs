//! Documents that mean no good: each gets an answer, soon, with few calls.

use lineclear_forge::{ApiRequest, ForgeApi};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::forge::caller;
use crate::{error, graphql, send};

fn message(query: &str) -> String {
    error(&graphql(), query)["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn nesting_without_end_is_refused() {
    for open in ["{a", "{a(x:[", "{a(x:{b:", "query($x:["] {
        let text = open.repeat(30_000);
        assert!(message(&text[..200_000.min(text.len())]).len() > 5, "{open}");
    }
    assert!(message(&format!("{{ a(x: {}{}) }}", "[".repeat(60), "]".repeat(60))).contains("nested deeper"));
}

#[test]
fn fragments_that_multiply_are_refused() {
    let mut bomb = String::from("{ ...f0 }");
    for level in 0..25 {
        bomb.push_str(&format!(" fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1));
    }
    bomb.push_str(" fragment f25 on Query { viewer { login } }");
    assert_eq!(message(&bomb), "The query has more than 5000 fields.");
    let mut chain = String::from("{ ...f0 }");
    for level in 0..2_000 {
        chain.push_str(&format!(" fragment f{level} on Query {{ ...f{} }}", level + 1));
    }
    assert_eq!(message(&chain), "Fragments use each other more than 40 deep.");
    let circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    assert_eq!(message(circle), "Fragment a contains an infinite loop");
}

#[test]
fn a_query_cannot_cause_calls_without_end() {
    let fields: String =
        (1..=400).map(|number| format!("p{number}: pullRequest(number: {number}) {{ title }} ")).collect();
    let forge = graphql();
    let response =
        send(&forge, &json!({ "query": format!("{{ repository(owner: \"octo\", name: \"demo\") {{ {fields} }} }}") }));
    assert_eq!(response.status, 200);
    assert!(forge.inner().calls().len() <= 300, "{}", forge.inner().calls().len());
    assert!(String::from_utf8_lossy(&response.body).contains("more than 300 calls"));
}

/// Names from a document end up in paths of REST: none climbs out of its route.
#[test]
fn names_do_not_climb_out_of_their_route() {
    let forge = graphql();
    let query = "query($x: String!) { repository(owner: \"octo\", name: \"demo\") {
      a: object(expression: $x) { oid } b: ref(qualifiedName: $x) { name } c: label(name: $x) { name } d: release(tagName: $x) { tagName } }
      e: repository(owner: $x, name: $x) { id } }";
    for name in
        ["../../../user", "a/../../../../user", "..", "%2e%2e/x", "a?b=c", "a#b", "a\nb", "", "/", "x/../y:../z"]
    {
        send(&forge, &json!({ "query": query, "variables": { "x": name } }));
    }
    for call in forge.inner().calls() {
        let path = call.split_once(' ').map_or("", |(_, path)| path);
        assert!(path.starts_with("/repos/octo/demo") || path == "/repos//", "{call}");
        assert!(lineclear_forge::segments(path).is_some(), "{call}");
    }
}

#[test]
fn bodies_that_are_no_request_are_refused() {
    let forge = graphql();
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        ("{}", 400),
        ("{\"query\": 1}", 400),
        ("{\"query\": \"{ x }\", \"variables\": 7}", 400),
    ] {
        let request = ApiRequest { body: body.into(), ..ApiRequest::new("POST", "/graphql") };
        assert_eq!(forge.call(&caller(), &request).status, status, "{body}");
    }
    let long = json!({ "query": format!("{{ viewer {{ login }} }} #{}", "x".repeat(300_000)) });
    assert_eq!(send(&forge, &long).status, 413);
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "$",
        "!",
        "=",
        "@",
        "|",
        "...",
        "on",
        "query",
        "mutation",
        "fragment",
        "viewer",
        "login",
        "repository",
        "owner",
        "name",
        "\"octo\"",
        "\"demo\"",
        "pullRequest",
        "number",
        "7",
        "-1",
        "1.5e3",
        "comments",
        "first",
        "nodes",
        "include",
        "if",
        "true",
        "null",
        "$x",
        "Int",
        "x",
        "\"\"\"\n  a\n\u{3000}b\"\"\"",
        "\"\\uD800\"",
        "\"\\u{110000}\"",
        "\"",
        "#",
        "é",
        "\u{feff}",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        let status = send(&graphql(), &json!({ "query": text })).status;
        prop_assert!(matches!(status, 200 | 400));
    }

    #[test]
    fn any_words_get_an_answer(text in words(), variable in prop::option::of(any::<i64>())) {
        let variables = variable.map_or(Value::Null, |value| json!({ "x": value }));
        let status = send(&graphql(), &json!({ "query": text, "variables": variables })).status;
        prop_assert!(matches!(status, 200 | 400));
    }

    #[test]
    fn any_bytes_get_an_answer(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let request = ApiRequest { body, ..ApiRequest::new("POST", "/graphql") };
        prop_assert_eq!(graphql().call(&caller(), &request).status, 400);
    }

    #[test]
    fn any_text_in_a_string_comes_through(text in any::<String>()) {
        let query = format!("{{ repository(owner: \"octo\", name: \"demo\") {{ label(name: {}) {{ id }} }} }}", Value::from(text));
        let answer = send(&graphql(), &json!({ "query": query })).value();
        prop_assert_eq!(&answer["data"], &json!({ "repository": { "label": null } }), "{}", answer);
    }
}
