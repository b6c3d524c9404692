use serde_json::json;

use crate::ground::{commit, git, header, open, request, texts, world, write};

#[test]
fn the_events_pull_request_is_there() {
    let world = world();
    let pull = world.read("pulls/7");
    for (pointer, expected) in [
        ("/number", json!(7)),
        ("/state", json!("open")),
        ("/title", json!("Call one")),
        ("/user/login", json!("ada")),
        ("/head/ref", json!("feature")),
        ("/head/label", json!("octo:feature")),
        ("/head/sha", json!(world.facts.sha)),
        ("/head/repo/full_name", json!("octo/app")),
        ("/base/ref", json!("main")),
        ("/html_url", json!("https://github.com/octo/app/pull/7")),
        ("/url", json!("http://127.0.0.1:9/api/v3/repos/octo/app/pulls/7")),
        ("/labels/0/name", json!("bug")),
        ("/merged", json!(false)),
        ("/mergeable", json!(true)),
        ("/mergeable_state", json!("clean")),
        ("/commits", json!(1)),
        ("/changed_files", json!(2)),
        ("/additions", json!(2)),
        ("/deletions", json!(1)),
    ] {
        assert_eq!(pull.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(texts(&world.read("pulls?head=octo:feature&base=main"), "title"), ["Call one"]);
    assert_eq!(texts(&world.read("pulls?head=eve:feature"), "title"), Vec::<String>::new());
    assert_eq!(texts(&world.read(&format!("commits/{}/pulls", world.facts.sha)), "title"), ["Call one"]);
}

#[test]
fn files_are_paged_with_status_patch_and_old_name() {
    let world = world();
    let repository = world.repository();
    git(&repository, &["mv", "docs/guide.md", "docs/handbook.md"]);
    git(&repository, &["rm", "-q", "README.md"]);
    std::fs::write(repository.join("logo.bin"), [0, 159, 146, 150]).expect("a file");
    write(&repository, "weird name ä.txt", "x\n");
    commit(&repository, "Move things");
    let forge = open(&world.folder.path().join("forge2"), &crate::ground::facts(&repository), &world.store);
    let ask = |path: &str| lineclear_forge::ForgeApi::call(&forge, &crate::ground::everything(), &request("GET", path));
    let files = ask("pulls/7/files").value();
    let by_name = |name: &str| {
        files.as_array().into_iter().flatten().find(|file| file["filename"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(by_name("README.md")["status"], "removed");
    assert_eq!(by_name("docs/handbook.md")["status"], "renamed");
    assert_eq!(by_name("docs/handbook.md")["previous_filename"], "docs/guide.md");
    assert_eq!(by_name("src/new.rs")["status"], "added");
    assert_eq!(by_name("src/new.rs")["patch"], "@@ -0,0 +1 @@\n+fn new() {}");
    assert_eq!((&by_name("src/lib.rs")["additions"], &by_name("src/lib.rs")["deletions"]), (&json!(1), &json!(1)));
    assert!(by_name("logo.bin").get("patch").is_none());
    assert_eq!(by_name("weird name ä.txt")["patch"], "@@ -0,0 +1 @@\n+x");
    let first = ask("pulls/7/files?per_page=4");
    let link = header(&first, "link").expect("there is more");
    let base = "http://127.0.0.1:9/api/v3/repos/octo/app/pulls/7/files";
    assert_eq!(link, format!("<{base}?per_page=4&page=2>; rel=\"next\", <{base}?per_page=4&page=2>; rel=\"last\""));
    let mut names = texts(&first.value(), "filename");
    names.extend(texts(&ask("pulls/7/files?per_page=4&page=2").value(), "filename"));
    assert_eq!(names, texts(&files, "filename"));
    assert_eq!(names.len(), 6);
}

#[test]
fn a_pull_request_can_be_had_as_a_diff() {
    let world = world();
    let mut ask = request("GET", "pulls/7");
    ask.headers.push(("accept".into(), "application/vnd.github.v3.diff".into()));
    let text = String::from_utf8(world.send(&ask).body).expect("it is text");
    assert!(
        text.starts_with("diff --git a/src/lib.rs b/src/lib.rs\n") && text.contains("+fn two() { one() }"),
        "{text}"
    );
}

/// As peter-evans/create-pull-request asks: a second one is refused with words that it reads, then found and updated.
#[test]
fn one_branch_has_one_open_pull_request() {
    let world = world();
    let main = world.facts.pull.as_ref().expect("there is one").base_sha.clone();
    let tree = world.expect(
        201,
        "POST",
        "git/trees",
        &json!({"base_tree": main, "tree": [{"path": "made.txt", "mode": "100644", "content": "made\n"}]}),
    );
    let made = world.expect(
        201,
        "POST",
        "git/commits",
        &json!({"message": "Make it", "tree": tree["sha"], "parents": [main]}),
    );
    world.expect(201, "POST", "git/refs", &json!({"ref": "refs/heads/patch", "sha": made["sha"]}));
    let body = json!({"title": "A patch", "head": "patch", "base": "main", "draft": true, "body": "please"});
    let pull = world.expect(201, "POST", "pulls", &body);
    assert_eq!((&pull["number"], &pull["draft"], &pull["head"]["sha"]), (&json!(8), &json!(true), &made["sha"]));
    let again = world.expect(422, "POST", "pulls", &body);
    assert_eq!(again["errors"][0]["message"], "A pull request already exists for octo:patch.");
    let found = world.read("pulls?head=octo:patch&base=main&state=open");
    assert_eq!(found[0]["number"], 8);
    let updated = world.expect(200, "PATCH", "pulls/8", &json!({"title": "A better patch", "draft": false}));
    assert_eq!((&updated["title"], &updated["draft"]), (&json!("A better patch"), &json!(false)));
    world.expect(201, "POST", "pulls/8/requested_reviewers", &json!({"reviewers": ["eve"]}));
    assert_eq!(texts(&world.read("pulls/8/requested_reviewers")["users"], "login"), ["eve"]);
    for (body, field) in [
        (json!({"title": "t", "head": "no-such", "base": "main"}), "head"),
        (json!({"title": "t", "head": "feature", "base": "no-such"}), "base"),
        (json!({"title": "t", "head": "eve:feature", "base": "main"}), "head"),
        (json!({"title": "t", "base": "main"}), "head"),
    ] {
        assert_eq!(world.expect(422, "POST", "pulls", &body)["errors"][0]["field"], field, "{body}");
    }
    let nothing = world.expect(422, "POST", "pulls", &json!({"title": "t", "head": "main", "base": "feature"}));
    assert_eq!(nothing["errors"][0]["message"], "No commits between feature and main");
    // The head follows its branch.
    let tree = world.expect(
        201,
        "POST",
        "git/trees",
        &json!({"base_tree": made["sha"], "tree": [{"path": "made.txt", "mode": "100644", "content": "more\n"}]}),
    );
    let more = world.expect(
        201,
        "POST",
        "git/commits",
        &json!({"message": "More", "tree": tree["sha"], "parents": [made["sha"]]}),
    );
    world.expect(200, "PATCH", "git/refs/heads/patch", &json!({"sha": more["sha"]}));
    assert_eq!(world.read("pulls/8")["head"]["sha"], more["sha"]);
}

#[test]
fn a_merged_pull_request_moves_the_forges_branch_and_not_the_users() {
    let world = world();
    let before = git(&world.repository(), &["rev-parse", "main"]);
    assert_eq!(world.get("pulls/7/merge").status, 404);
    assert_eq!(
        world.expect(409, "PUT", "pulls/7/merge", &json!({"sha": before}))["message"],
        "Head branch was modified. Review and try the merge again."
    );
    let done = world.expect(200, "PUT", "pulls/7/merge", &json!({"merge_method": "squash"}));
    assert_eq!(world.read("branches/main")["commit"]["sha"], done["sha"]);
    assert_eq!(world.read("branches/main")["commit"]["commit"]["message"], "Call one (#7)");
    let pull = world.read("pulls/7");
    assert_eq!(
        (&pull["merged"], &pull["state"], &pull["merge_commit_sha"]),
        (&json!(true), &json!("closed"), &done["sha"])
    );
    assert_eq!(world.get("pulls/7/merge").status, 204);
    assert_eq!(world.expect(405, "PUT", "pulls/7/merge", &json!({}))["message"], "Pull Request is not mergeable");
    assert_eq!(git(&world.repository(), &["rev-parse", "main"]), before);
}

#[test]
fn a_conflict_is_not_mergeable() {
    let world = world();
    let repository = world.repository();
    git(&repository, &["checkout", "-q", "main"]);
    write(&repository, "src/lib.rs", "fn one() {}\nfn two() { panic!() }\nfn three() {}\n");
    commit(&repository, "Something else");
    let forge = open(&world.folder.path().join("forge2"), &crate::ground::facts(&repository), &world.store);
    let call = |request| lineclear_forge::ForgeApi::call(&forge, &crate::ground::everything(), &request);
    let pull = call(request("GET", "pulls/7")).value();
    assert_eq!((&pull["mergeable"], &pull["mergeable_state"]), (&json!(false), &json!("dirty")));
    assert_eq!(call(request("PUT", "pulls/7/merge")).status, 405);
}

#[test]
fn reviews_and_comments_on_lines() {
    let world = world();
    let review = world.expect(
        200,
        "POST",
        "pulls/7/reviews",
        &json!({
            "event": "REQUEST_CHANGES", "body": "see below",
            "comments": [{"path": "src/lib.rs", "line": 2, "body": "why?"}],
        }),
    );
    assert_eq!((&review["state"], &review["commit_id"]), (&json!("CHANGES_REQUESTED"), &json!(world.facts.sha)));
    let comments = world.read("pulls/7/comments");
    assert_eq!((&comments[0]["path"], &comments[0]["line"]), (&json!("src/lib.rs"), &json!(2)));
    let reply = world.expect(
        201,
        "POST",
        &format!("pulls/7/comments/{}/replies", comments[0]["id"]),
        &json!({"body": "because"}),
    );
    assert_eq!(reply["in_reply_to_id"], comments[0]["id"]);
    assert_eq!(world.expect(422, "POST", "pulls/7/reviews", &json!({"event": "COMMENT"}))["status"], "422");
    assert_eq!(
        world.expect(422, "POST", "pulls/7/comments", &json!({"body": "x", "path": "a"}))["errors"][0]["field"],
        "line"
    );
    assert_eq!(
        world.expect(200, "PUT", &format!("pulls/7/reviews/{}/dismissals", review["id"]), &json!({"message": "no"}))["state"],
        "DISMISSED"
    );
    assert_eq!(world.read("pulls/7")["review_comments"], 2);
}
