//! What marocchino/sticky-pull-request-comment, release-drafter, create-pull-request and others ask (sheet, section 7).

use serde_json::{Value, json};

use crate::forge::SHA;
use crate::{answer, data, graphql};

const OWN: &str = "query Own($owner: String!, $repo: String!, $number: Int!, $cursor: String) {
  me: viewer { login }
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      comments(first: 100, after: $cursor) {
        nodes { id author { __typename login } isMinimized body }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}";

/// A sticky comment is found among more than one page, edited once and not doubled, hidden, shown again and deleted.
#[test]
fn a_sticky_comment_is_found_and_edited() {
    let forge = graphql();
    forge.inner().add_comments(130);
    let mut cursor = Value::Null;
    let mut found = Vec::new();
    loop {
        let page = data(&forge, OWN, &json!({ "owner": "octo", "repo": "demo", "number": 7, "cursor": cursor }));
        // The name of a bot has a suffix here and none at comments.
        assert_eq!(page["me"]["login"], "github-actions[bot]");
        let comments = &page["repository"]["pullRequest"]["comments"];
        found.extend(comments["nodes"].as_array().expect("nodes are a list").clone());
        if comments["pageInfo"]["hasNextPage"] == false {
            break;
        }
        cursor = comments["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found.len(), 130);
    assert_eq!(found[128]["author"], json!({ "__typename": "Bot", "login": "github-actions" }));
    let id = &found[128]["id"];

    let edit =
        "mutation($input: UpdateIssueCommentInput!) { updateIssueComment(input: $input) { issueComment { id body } } }";
    let edited = data(&forge, edit, &json!({ "input": { "id": id, "body": "new" } }));
    assert_eq!(edited["updateIssueComment"]["issueComment"], json!({ "id": id, "body": "new" }));
    assert_eq!(forge.inner().bodies().iter().filter(|body| *body == "new").count(), 1);
    assert_eq!(forge.inner().bodies().len(), 130);

    let hide = "mutation($input: MinimizeCommentInput!) { minimizeComment(input: $input) { clientMutationId minimizedComment { isMinimized minimizedReason } } }";
    let hidden = data(
        &forge,
        hide,
        &json!({ "input": { "subjectId": id, "classifier": "OFF_TOPIC", "clientMutationId": "x" } }),
    );
    let expected =
        json!({ "clientMutationId": "x", "minimizedComment": { "isMinimized": true, "minimizedReason": "off-topic" } });
    assert_eq!(hidden["minimizeComment"], expected);
    let show =
        "mutation($id: ID!) { unminimizeComment(input: { subjectId: $id }) { unminimizedComment { isMinimized } } }";
    assert_eq!(
        data(&forge, show, &json!({ "id": id }))["unminimizeComment"]["unminimizedComment"]["isMinimized"],
        false
    );

    let delete = "mutation($id: ID!) { deleteIssueComment(input: { id: $id }) { clientMutationId } }";
    data(&forge, delete, &json!({ "id": id }));
    assert_eq!(forge.inner().bodies().len(), 129);
}

#[test]
fn commits_since_a_release_come_with_their_pull_requests() {
    let forge = graphql();
    let query = "query Changes($owner: String!, $name: String!, $ref: String!, $body: Boolean!, $url: Boolean!, $since: GitTimestamp, $after: String) {
      repository(owner: $owner, name: $name) {
        object(expression: $ref) {
          ... on Commit {
            history(first: 100, since: $since, after: $after) {
              totalCount
              pageInfo { hasNextPage endCursor }
              nodes {
                id committedDate message
                author { name user { login } }
                associatedPullRequests(first: 5) { nodes {
                  title number url @include(if: $url) body @skip(if: $body) author { login __typename }
                  baseRepository { nameWithOwner } mergedAt isCrossRepository merged baseRefName headRefName
                  labels(first: 100) { nodes { name } }
                } }
              }
            }
          }
        }
      }
    }";
    let variables = json!({ "owner": "octo", "name": "demo", "ref": "main", "body": true, "url": false, "since": "2025-01-01T00:00:00Z" });
    let history = &data(&forge, query, &variables)["repository"]["object"]["history"];
    assert_eq!(history["totalCount"], 120);
    assert_eq!(history["pageInfo"]["hasNextPage"], true);
    let first = &history["nodes"][0];
    assert_eq!(first["author"], json!({ "name": "Mona", "user": { "login": "mona" } }));
    let expected = json!({
        "title": "Add feature", "number": 7, "author": { "login": "mona", "__typename": "User" },
        "baseRepository": { "nameWithOwner": "octo/demo" }, "mergedAt": null, "isCrossRepository": false, "merged": false,
        "baseRefName": "main", "headRefName": "feature", "labels": { "nodes": [] },
    });
    assert_eq!(first["associatedPullRequests"]["nodes"][0], expected);

    let rest = json!({ "owner": "octo", "name": "demo", "ref": "main", "body": true, "url": false, "after": history["pageInfo"]["endCursor"] });
    let history = &data(&forge, query, &rest)["repository"]["object"]["history"];
    assert_eq!(history["nodes"].as_array().map(Vec::len), Some(20));
    assert_eq!(history["pageInfo"]["hasNextPage"], false);
}

#[test]
fn a_pull_request_becomes_a_draft_and_is_made_ready() {
    let forge = graphql();
    let id =
        data(&forge, "{ repository(owner: \"octo\", name: \"demo\") { pullRequest(number: 7) { id } } }", &Value::Null);
    let id = &id["repository"]["pullRequest"]["id"];
    let draft = "mutation Draft($id: ID!) { convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { isDraft number } } }";
    let answer = data(&forge, draft, &json!({ "id": id }));
    assert_eq!(answer["convertPullRequestToDraft"]["pullRequest"], json!({ "isDraft": true, "number": 7 }));
    let ready = "mutation Ready($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }";
    assert_eq!(
        data(&forge, ready, &json!({ "id": id }))["markPullRequestReadyForReview"]["pullRequest"]["isDraft"],
        false
    );
    let auto = "mutation($id: ID!) { enablePullRequestAutoMerge(input: { pullRequestId: $id, mergeMethod: SQUASH }) { actor { login } } }";
    let refused = crate::answer(&forge, auto, &json!({ "id": id }));
    assert_eq!(refused["data"]["enablePullRequestAutoMerge"], Value::Null);
    assert_eq!(refused["errors"][0]["type"], "UNPROCESSABLE");
}

#[test]
fn a_commit_is_made_on_a_branch_that_stands_where_it_was_expected() {
    let forge = graphql();
    let query = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid message url } ref { name target { oid } } } }";
    let input = |head: &str| {
        json!({ "input": {
            "branch": { "repositoryNameWithOwner": "octo/demo", "branchName": "main" },
            "message": { "headline": "update", "body": "why" },
            "expectedHeadOid": head,
            "fileChanges": { "additions": [{ "path": "a.txt", "contents": "aGk=" }], "deletions": [{ "path": "b.txt" }] },
        } })
    };
    let stale = answer(&forge, query, &input("3333333333333333333333333333333333333333"));
    assert_eq!(stale["errors"][0]["type"], "STALE_DATA");
    assert_eq!(forge.inner().head(), SHA);
    let made = data(&forge, query, &input(SHA));
    let made = &made["createCommitOnBranch"];
    assert_eq!(made["commit"]["message"], "update\n\nwhy");
    assert_eq!(made["ref"], json!({ "name": "main", "target": { "oid": made["commit"]["oid"] } }));
    assert_eq!(forge.inner().head(), made["commit"]["oid"].as_str().expect("an oid is text"));
    let tree = json!([
        { "path": "a.txt", "mode": "100644", "type": "blob", "sha": "b1" },
        { "path": "b.txt", "mode": "100644", "type": "blob", "sha": null },
    ]);
    assert_eq!(forge.inner().tree(), json!({ "base_tree": "t0", "tree": tree }));
}

#[test]
fn labels_issues_and_reactions_are_changed_by_id() {
    let forge = graphql();
    let query = "{ repository(owner: \"octo\", name: \"demo\") { id label(name: \"good first issue\") { id name } pullRequest(number: 7) { id } } }";
    let ids = data(&forge, query, &Value::Null);
    let (repository, label) = (&ids["repository"]["id"], &ids["repository"]["label"]["id"]);
    let pull = &ids["repository"]["pullRequest"]["id"];
    let variables = json!({ "repository": repository, "label": label, "pull": pull });
    let add = "mutation($pull: ID!, $label: ID!) { addLabelsToLabelable(input: { labelableId: $pull, labelIds: [$label] }) { labelable { __typename labels(first: 9) { nodes { name } } } } }";
    let added = data(&forge, add, &variables);
    let expected = json!({ "__typename": "PullRequest", "labels": { "nodes": [{ "name": "good first issue" }] } });
    assert_eq!(added["addLabelsToLabelable"]["labelable"], expected);
    // A single value stands for a list of one.
    let remove = "mutation($pull: ID!, $label: ID!) { removeLabelsFromLabelable(input: { labelableId: $pull, labelIds: $label }) { labelable { labels(first: 9) { totalCount } } } }";
    assert_eq!(data(&forge, remove, &variables)["removeLabelsFromLabelable"]["labelable"]["labels"]["totalCount"], 0);
    let create = "mutation($repository: ID!, $label: ID!) { createIssue(input: { repositoryId: $repository, title: \"T\", body: \"B\", labelIds: [$label] }) { issue { number title labels(first: 1) { nodes { name } } } } }";
    let created = data(&forge, create, &variables);
    assert_eq!(created["createIssue"]["issue"]["number"], 8);
    let update = "mutation($pull: ID!) { updatePullRequest(input: { pullRequestId: $pull, title: \"New\", baseRefName: \"next\" }) { pullRequest { title } } closePullRequest(input: { pullRequestId: $pull }) { pullRequest { state closed } } }";
    let updated = data(&forge, update, &variables);
    assert_eq!(updated["closePullRequest"]["pullRequest"], json!({ "state": "CLOSED", "closed": true }));
    assert_eq!(forge.inner().pull()["title"], "New");
    let comment = "mutation($pull: ID!) { addComment(input: { subjectId: $pull, body: \"hello\" }) { commentEdge { cursor node { id databaseId body url createdAt author { login } pullRequest { number } } } subject { id } } }";
    let comment = data(&forge, comment, &variables);
    let node = &comment["addComment"]["commentEdge"]["node"];
    assert_eq!((&node["body"], &node["pullRequest"]["number"]), (&json!("hello"), &json!(7)));
    let react =
        "mutation($id: ID!) { addReaction(input: { subjectId: $id, content: THUMBS_UP }) { reaction { content } } }";
    assert_eq!(data(&forge, react, &json!({ "id": node["id"] }))["addReaction"]["reaction"]["content"], "THUMBS_UP");
}

#[test]
fn a_pull_request_is_read_with_all_that_belongs_to_it() {
    let forge = graphql();
    let query = "query { repository(owner: \"octo\", name: \"demo\") {
      defaultBranchRef { name prefix target { oid ... on Commit { statusCheckRollup { state } } } }
      isPrivate visibility viewerPermission owner { __typename login }
      pullRequest(number: 7) { ...Pull }
      issueOrPullRequest(number: 3) { __typename ... on Issue { title labels(first: 1) { nodes { name } } } }
      issues(first: 1, states: OPEN) { totalCount nodes { number } }
      latestRelease { tagName } releases(first: 1) { nodes { tagName isLatest releaseAssets(first: 5) { nodes { name } } } }
      readme: object(expression: \"HEAD:README.md\") { ... on Blob { text byteSize isBinary } }
      main: object(expression: \"main\") { ... on Commit { messageHeadline messageBody statusCheckRollup { state contexts(first: 9) { nodes { __typename ... on CheckRun { name conclusion } ... on StatusContext { context state } } } } } }
      none: object(expression: \"nowhere\") { oid }
      discussionCategories(first: 1) { nodes { id } }
    } rateLimit { limit remaining used resetAt } }
    fragment Pull on PullRequest { state body mergeable reviewDecision headRefOid
      files(first: 10) { nodes { path changeType } } commits(last: 1) { nodes { commit { message } } }
      reviews(first: 10, states: [APPROVED]) { nodes { author { login } body } } }";
    let answer = answer(&forge, query, &Value::Null);
    // The head of the default branch is a commit that this forge does not have.
    assert_eq!(answer["errors"], Value::Null, "{answer:#}");
    let repository = &answer["data"]["repository"];
    assert_eq!(repository["visibility"], "PRIVATE");
    assert_eq!(repository["viewerPermission"], "WRITE");
    assert_eq!(repository["owner"], json!({ "__typename": "Organization", "login": "octo" }));
    let expected = json!({
        "state": "OPEN", "body": "", "mergeable": "MERGEABLE", "reviewDecision": "APPROVED", "headRefOid": SHA,
        "files": { "nodes": [{ "path": "a.rs", "changeType": "ADDED" }, { "path": "b.rs", "changeType": "DELETED" }] },
        "commits": { "nodes": [{ "commit": { "message": "change 2\n\nwhy" } }] },
        "reviews": { "nodes": [{ "author": { "login": "ana" }, "body": "fine" }] },
    });
    assert_eq!(repository["pullRequest"], expected);
    let issue = json!({ "__typename": "Issue", "title": "Broken 3", "labels": { "nodes": [{ "name": "bug" }] } });
    assert_eq!(repository["issueOrPullRequest"], issue);
    assert_eq!(repository["issues"], json!({ "totalCount": 2, "nodes": [{ "number": 3 }] }));
    assert_eq!(repository["releases"]["nodes"][0]["isLatest"], true);
    assert_eq!(repository["readme"], json!({ "text": "hi", "byteSize": 2, "isBinary": false }));
    let contexts = json!([
        { "__typename": "CheckRun", "name": "unit", "conclusion": "FAILURE" },
        { "__typename": "StatusContext", "context": "lint", "state": "SUCCESS" },
    ]);
    assert_eq!(
        repository["main"]["statusCheckRollup"],
        json!({ "state": "FAILURE", "contexts": { "nodes": contexts } })
    );
    assert_eq!(repository["none"], Value::Null);
    assert_eq!(
        answer["data"]["rateLimit"],
        json!({ "limit": 1000, "remaining": 990, "used": 10, "resetAt": "1970-01-01T00:00:00Z" })
    );
}

#[test]
fn issues_are_searched_with_simple_qualifiers() {
    let forge = graphql();
    let query = "query($q: String!) { search(type: ISSUE, query: $q, first: 10) { issueCount nodes { ... on Issue { number } ... on PullRequest { number headRefName } } } }";
    for (words, expected) in [
        ("repo:octo/demo is:pr is:open", json!([{ "number": 7, "headRefName": "feature" }])),
        ("is:issue label:bug author:MONA", json!([{ "number": 3 }, { "number": 4 }])),
        ("is:issue -label:bug", json!([])),
        ("is:issue \"broken 4\" in:title", json!([{ "number": 4 }])),
        ("head:feature", json!([{ "number": 7, "headRefName": "feature" }])),
        ("created:>=2026-01-02", json!([{ "number": 7, "headRefName": "feature" }])),
    ] {
        let found = data(&forge, query, &json!({ "q": words }));
        assert_eq!(found["search"]["nodes"], expected, "{words}");
    }
    let unknown = answer(&forge, query, &json!({ "q": "repo:octo/demo involves:mona" }));
    assert!(
        unknown["errors"][0]["message"].as_str().is_some_and(|text| text.contains("`involves:mona` is not understood")),
        "{unknown}"
    );
}

/// An id in the forge's own form, as it stands in an event's payload, is found without having been asked for before.
#[test]
fn an_id_from_an_event_is_found() {
    let forge = graphql();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Issue { number } } }";
    let found = data(&forge, query, &json!({ "ids": ["OPAQUEISSUE3", "OPAQUE-nowhere"] }));
    assert_eq!(found["nodes"], json!([{ "__typename": "Issue", "number": 3 }, null]));
}
