use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::ground::{commit, facts, git, open, request, texts, world, write};

fn plain(content: &serde_json::Value) -> String {
    let text: String = content.as_str().unwrap_or_default().split_whitespace().collect();
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("text")
}

#[test]
fn contents_are_read_at_any_ref() {
    let world = world();
    let file = world.read("contents/src/lib.rs?ref=feature");
    assert!(plain(&file["content"]).contains("one() }"));
    assert!(!plain(&world.read("contents/src/lib.rs")["content"]).contains("one() }"));
    assert_eq!(texts(&world.read("contents"), "name"), [".github", "README.md", "docs", "src"]);
    assert_eq!(texts(&world.read("contents/src?ref=refs/heads/feature"), "type"), ["file", "file"]);
    assert_eq!(world.read("readme")["path"], "README.md");
    for (path, status) in
        [("contents/src/new.rs", 404), ("contents/src/new.rs?ref=v1.0", 404), ("contents/a?ref=no-such", 404)]
    {
        assert_eq!(world.get(path).status, status, "{path}");
    }
    assert_eq!(world.get("contents/docs/guide.md?ref=v1.0").status, 404);
    assert_eq!(world.get("contents/docs/guide.md?ref=main").status, 200);
}

#[test]
fn a_file_is_written_as_a_commit_of_the_forge_alone() {
    let world = world();
    let before = git(&world.repository(), &["for-each-ref"]);
    let body = json!({"message": "Add it", "content": STANDARD.encode("new\n"), "branch": "main"});
    let made = world.expect(201, "PUT", "contents/docs/new.md", &body);
    assert_eq!(
        (&made["content"]["path"], &made["commit"]["commit"]["message"]),
        (&json!("docs/new.md"), &json!("Add it"))
    );
    assert_eq!(made["commit"]["author"]["login"], "github-actions[bot]");
    assert_eq!(made["commit"]["commit"]["author"]["name"], "github-actions[bot]");
    world.expect(422, "PUT", "contents/docs/new.md", &body);
    let mut wrong = body.clone();
    wrong["sha"] = json!("0".repeat(40));
    world.expect(409, "PUT", "contents/docs/new.md", &wrong);
    let mut right = body;
    right["sha"] = made["content"]["sha"].clone();
    right["content"] = json!(STANDARD.encode("newer\n"));
    let changed = world.expect(200, "PUT", "contents/docs/new.md", &right);
    assert_eq!(plain(&world.read("contents/docs/new.md")["content"]), "newer\n");
    world.expect(
        200,
        "DELETE",
        "contents/docs/new.md",
        &json!({"message": "Remove it", "sha": changed["content"]["sha"]}),
    );
    assert_eq!(world.get("contents/docs/new.md").status, 404);
    // The user's repository has neither the refs nor the objects.
    assert_eq!(git(&world.repository(), &["for-each-ref"]), before);
    let missing = std::process::Command::new("git")
        .arg("-C")
        .arg(world.repository())
        .args(["cat-file", "-e", made["commit"]["sha"].as_str().expect("a sha")])
        .output()
        .expect("git runs");
    assert!(!missing.status.success());
}

#[test]
fn objects_and_refs_are_made_as_clients_sign_commits() {
    let world = world();
    let blob =
        world.expect(201, "POST", "git/blobs", &json!({"content": STANDARD.encode([0, 1, 255]), "encoding": "base64"}));
    assert_eq!(world.read(&format!("git/blobs/{}", blob["sha"].as_str().unwrap_or_default()))["size"], 3);
    let base = world.read("git/ref/heads/main")["object"]["sha"].clone();
    let tree = world.expect(
        201,
        "POST",
        "git/trees",
        &json!({"base_tree": base, "tree": [
            {"path": "bin/data", "mode": "100644", "type": "blob", "sha": blob["sha"]},
            {"path": "run.sh", "mode": "100755", "type": "blob", "content": "#!/bin/sh\n"},
            {"path": "docs", "mode": "040000", "type": "tree", "sha": null},
            {"path": "README.md", "mode": "100644", "type": "blob", "sha": null},
        ]}),
    );
    let deep = world.read(&format!("git/trees/{}?recursive=1", tree["sha"].as_str().unwrap_or_default()));
    let paths = texts(&deep["tree"], "path");
    assert_eq!(
        paths,
        [".github", ".github/workflows", ".github/workflows/ci.yml", "bin", "bin/data", "run.sh", "src", "src/lib.rs"]
    );
    let person = json!({"name": "Ada", "email": "ada@example.org", "date": "2024-02-29T12:00:00Z"});
    let made = world.expect(
        201,
        "POST",
        "git/commits",
        &json!({"message": "By hand", "tree": tree["sha"], "parents": [base], "author": person}),
    );
    assert_eq!(
        (&made["author"]["date"], &made["verification"]["verified"]),
        (&json!("2024-02-29T12:00:00Z"), &json!(false))
    );
    let created = world.expect(201, "POST", "git/refs", &json!({"ref": "refs/heads/by/hand", "sha": made["sha"]}));
    assert_eq!(created["object"]["sha"], made["sha"]);
    assert_eq!(
        world.expect(422, "POST", "git/refs", &json!({"ref": "refs/heads/by/hand", "sha": made["sha"]}))["message"],
        "Reference already exists"
    );
    assert_eq!(texts(&world.read("git/matching-refs/heads/by"), "ref"), ["refs/heads/by/hand"]);
    assert_eq!(world.get("git/ref/heads/by").status, 404);
    assert_eq!(world.read("git/ref/heads%2Fby%2Fhand")["ref"], "refs/heads/by/hand");
    assert_eq!(
        world.expect(422, "PATCH", "git/refs/heads/by/hand", &json!({"sha": world.facts.sha}))["message"],
        "Update is not a fast forward"
    );
    world.expect(200, "PATCH", "git/refs/heads/by/hand", &json!({"sha": world.facts.sha, "force": true}));
    let tag = world.expect(
        201,
        "POST",
        "git/tags",
        &json!({"tag": "v2", "message": "Two", "object": made["sha"], "type": "commit"}),
    );
    world.expect(201, "POST", "git/refs", &json!({"ref": "refs/tags/v2", "sha": tag["sha"]}));
    assert_eq!(world.read(&format!("git/tags/{}", tag["sha"].as_str().unwrap_or_default()))["message"], "Two");
    assert_eq!(world.read("commits/v2")["sha"], made["sha"]);
    assert_eq!(texts(&world.read("tags"), "name"), ["v2", "v1.0"]);
    world.expect(204, "DELETE", "git/refs/heads/by/hand", &json!({}));
    for name in [
        "refs/pull/7/head",
        "refs/lineclear/seen/heads/main",
        "heads/x",
        "refs/heads/../x",
        "refs/heads/-x",
        "refs/heads/a b",
    ] {
        world.expect(422, "POST", "git/refs", &json!({"ref": name, "sha": made["sha"]}));
    }
    assert_eq!(texts(&world.read("git/matching-refs/lineclear"), "ref"), Vec::<String>::new());
}

#[test]
fn commits_comparisons_and_branches() {
    let world = world();
    let messages: Vec<String> = world
        .read("commits?sha=feature")
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["commit"]["message"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(messages, ["Call one", "Add the guide", "First"]);
    let page = world.get("commits?sha=feature&per_page=1");
    let base = "http://127.0.0.1:9/api/v3/repos/octo/app/commits?sha=feature&per_page=1";
    let link = format!("<{base}&page=2>; rel=\"next\", <{base}&page=3>; rel=\"last\"");
    assert_eq!(crate::ground::header(&page, "link"), Some(link.as_str()));
    assert_eq!(world.read("commits?path=docs").as_array().map(Vec::len), Some(1));
    let one = world.read("commits/feature");
    assert_eq!((&one["stats"]["total"], &one["files"][0]["filename"]), (&json!(3), &json!("src/lib.rs")));
    assert_eq!(one["commit"]["author"]["email"], "ada@example.org");
    assert_eq!(world.read(&format!("commits/{}", &world.facts.sha[..8]))["sha"], json!(world.facts.sha));
    let compared = world.read("compare/main...feature");
    assert_eq!(
        (&compared["status"], &compared["ahead_by"], &compared["behind_by"]),
        (&json!("ahead"), &json!(1), &json!(0))
    );
    assert_eq!(texts(&compared["files"], "filename"), ["src/lib.rs", "src/new.rs"]);
    assert_eq!(world.read("compare/octo:feature...octo:main")["status"], "behind");
    assert_eq!(world.get("compare/main...no-such").status, 404);
    assert_eq!(texts(&world.read("branches"), "name"), ["feature", "main"]);
    assert_eq!(world.get("branches/main/protection").value()["message"], "Branch not protected");
    assert_eq!(world.read("languages")["Rust"], 38);
    assert_eq!(world.read("")["default_branch"], "main");
    let archive = world.get("tarball/main");
    assert_eq!(&archive.body[..2], [0x1f, 0x8b]);
}

/// The user's new commits are there in the next run; what a run pushed stays until the user's branch moves.
#[test]
fn the_forge_follows_the_users_repository() {
    let world = world();
    let body = json!({"message": "Pushed", "content": "YQ==", "branch": "main"});
    let pushed = world.expect(201, "PUT", "contents/pushed.txt", &body)["commit"]["sha"].clone();
    world.expect(201, "POST", "git/refs", &json!({"ref": "refs/heads/made-by-a-run", "sha": pushed}));
    let folder = world.folder.path().join("forge");
    let tip = |forge: &lineclear_forge_local::LocalForge, path: &str| {
        lineclear_forge::ForgeApi::call(forge, &crate::ground::everything(), &request("GET", path)).value()["commit"]["sha"].clone()
    };
    let again = open(&folder, &world.facts, &world.store);
    assert_eq!(tip(&again, "branches/main"), pushed);
    let repository = world.repository();
    git(&repository, &["checkout", "-q", "main"]);
    write(&repository, "later.txt", "later\n");
    let later = commit(&repository, "Later");
    git(&repository, &["branch", "-q", "fresh"]);
    git(&repository, &["tag", "-d", "v1.0"]);
    let again = open(&folder, &facts(&repository), &world.store);
    assert_eq!(tip(&again, "branches/main"), json!(later));
    assert_eq!(tip(&again, "branches/fresh"), json!(later));
    assert_eq!(tip(&again, "branches/made-by-a-run"), pushed);
    assert_eq!(tip(&again, "commits/v1.0"), json!(null));
}

/// What `actions/checkout` fetches, from the folder that the git server serves.
#[test]
fn the_forges_repository_can_be_fetched_from() {
    let world = world();
    let served = world.forge.git_dir().expect("git is there").to_owned();
    let clone = world.folder.path().join("clone");
    std::fs::create_dir(&clone).expect("a folder");
    git(&clone, &["init", "-q"]);
    let refspec = format!("+{}:refs/remotes/pull/7/merge", world.facts.sha);
    git(
        &clone,
        &["fetch", "-q", "--no-tags", "--prune", "--depth=1", &format!("file://{}", served.display()), &refspec],
    );
    assert_eq!(git(&clone, &["rev-parse", "refs/remotes/pull/7/merge"]), world.facts.sha);
    let listed = git(&clone, &["ls-remote", &format!("file://{}", served.display())]);
    assert!(listed.contains("refs/pull/7/head") && listed.contains("refs/heads/feature"), "{listed}");
    assert!(!listed.contains("refs/lineclear"), "{listed}");
}

#[test]
fn a_forge_without_a_repository_still_keeps_issues() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world();
    let facts =
        lineclear_forge_local::RepositoryFacts { git: None, pull: None, sha: String::new(), ..world.facts.clone() };
    let forge = open(folder.path(), &facts, &world.store);
    let call = |request| lineclear_forge::ForgeApi::call(&forge, &crate::ground::everything(), &request);
    assert_eq!(call(request("POST", "issues").json(&json!({"title": "t"}))).status, 201);
    assert_eq!(call(request("GET", "commits")).status, 409);
    assert_eq!(call(request("GET", "contents/a")).status, 404);
    assert_eq!(call(request("PUT", "contents/a").json(&json!({"message": "m", "content": "YQ=="}))).status, 201);
    assert_eq!(call(request("GET", "contents/a")).status, 200);
    let broken = lineclear_forge_local::RepositoryFacts { git: Some(folder.path().join("no-such")), ..facts };
    let forge = open(&folder.path().join("other"), &broken, &world.store);
    let answer = lineclear_forge::ForgeApi::call(&forge, &crate::ground::everything(), &request("GET", "commits"));
    assert_eq!(answer.status, 500);
    assert!(answer.value()["message"].as_str().is_some_and(|text| text.contains("cannot read the repository")));
}
