//! Connections: sizes, cursors, directions.

use serde_json::{Value, json};

use crate::{data, error, graphql};

fn comments(arguments: &str, fields: &str) -> String {
    format!(
        "{{ repository(owner: \"octo\", name: \"demo\") {{ pullRequest(number: 7) {{ comments{arguments} {{ {fields} }} }} }} }}"
    )
}

#[test]
fn pages_forwards_and_backwards_meet_without_a_gap() {
    let forge = graphql();
    forge.inner().add_comments(7);
    let page = |arguments: &str| {
        let fields =
            "edges { cursor node { databaseId } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }";
        let answer = data(&forge, &comments(arguments, fields), &Value::Null);
        answer["repository"]["pullRequest"]["comments"].clone()
    };
    let ids = |page: &Value| -> Vec<u64> {
        page["edges"]
            .as_array()
            .expect("edges are a list")
            .iter()
            .filter_map(|edge| edge["node"]["databaseId"].as_u64())
            .collect()
    };
    let flags = |page: &Value| (page["pageInfo"]["hasPreviousPage"] == true, page["pageInfo"]["hasNextPage"] == true);
    let first = page("(first: 3)");
    assert_eq!((ids(&first), flags(&first)), (vec![1, 2, 3], (false, true)));
    assert_eq!(first["edges"][2]["cursor"], first["pageInfo"]["endCursor"]);
    let next = page(&format!("(first: 3, after: {})", first["pageInfo"]["endCursor"]));
    assert_eq!((ids(&next), flags(&next)), (vec![4, 5, 6], (true, true)));
    let end = page(&format!("(first: 3, after: {})", next["pageInfo"]["endCursor"]));
    assert_eq!((ids(&end), flags(&end)), (vec![7], (true, false)));
    let beyond = page(&format!("(first: 3, after: {})", end["pageInfo"]["endCursor"]));
    assert_eq!((ids(&beyond), &beyond["pageInfo"]["endCursor"]), (vec![], &Value::Null));
    let last = page("(last: 2)");
    assert_eq!((ids(&last), flags(&last)), (vec![6, 7], (true, false)));
    let before = page(&format!("(last: 2, before: {})", last["pageInfo"]["startCursor"]));
    assert_eq!((ids(&before), flags(&before)), (vec![4, 5], (true, true)));
}

#[test]
fn a_short_page_of_the_forge_is_not_taken_for_the_last() {
    let forge = graphql();
    forge.inner().add_comments(120);
    let answer = data(&forge, &comments("(first: 100)", "totalCount nodes { databaseId }"), &Value::Null);
    let comments = &answer["repository"]["pullRequest"]["comments"];
    assert_eq!((&comments["totalCount"], comments["nodes"].as_array().map(Vec::len)), (&json!(120), Some(100)));
}

#[test]
fn a_list_is_read_only_as_far_as_it_is_wanted() {
    let forge = graphql();
    forge.inner().add_comments(120);
    data(&forge, &comments("(first: 10)", "nodes { databaseId }"), &Value::Null);
    let lists = forge.inner().calls().iter().filter(|call| call.ends_with("/comments")).count();
    assert_eq!(lists, 1);
}

#[test]
fn sizes_are_held_to_githubs_limits() {
    let forge = graphql();
    for (arguments, kind) in [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(first: -1)", "INVALID_CURSOR_ARGUMENTS"),
        ("(first: 1, last: 1)", "INVALID_CURSOR_ARGUMENTS"),
        ("(first: 1, after: \"nonsense\")", "INVALID_CURSOR_ARGUMENTS"),
    ] {
        assert_eq!(error(&forge, &comments(arguments, "nodes { id }"))["type"], kind, "{arguments}");
    }
    // Only counting needs no size.
    assert_eq!(
        data(&forge, &comments("", "totalCount"), &Value::Null)["repository"]["pullRequest"]["comments"]["totalCount"],
        0
    );
}
