//! `actions/checkout` with real repositories.

use crate::bench::{Bench, Place, git, write};

/// Prints what git makes of the workspace.
const LOOK: &str = "
- run: |
    echo \"head=$(git rev-parse HEAD)\"
    echo \"branch=$(git symbolic-ref -q HEAD || echo none)\"
    echo \"commits=$(git rev-list --count HEAD)\"
    echo \"refs=$(git for-each-ref --format='%(refname)' | tr '\\n' ' ')\"
    echo \"status=$(git status --porcelain | tr '\\n' ';')\"
    echo \"url=$(git config remote.origin.url)\"
    echo \"upstream=$(git rev-parse --abbrev-ref '@{upstream}' 2>/dev/null)\"
    echo \"files=$(ls -A | tr '\\n' ' ')\"
    echo \"shallow=$(git rev-parse --is-shallow-repository)\"
";

fn with_look(steps: &str) -> String {
    format!("{steps}{LOOK}")
}

/// A repository with three commits on `main`, a branch `side`, and two tags.
fn history() -> (Bench, Vec<String>) {
    let mut bench = Bench::new(&[("a.txt", "1")]);
    let mut commits = vec![bench.git(&["rev-parse", "HEAD"])];
    bench.git(&["tag", "light"]);
    commits.push(bench.commit("second", &[("a.txt", "2"), ("dir/b.txt", "b")]));
    bench.git(&["tag", "-m", "annotated", "heavy"]);
    bench.git(&["branch", "side"]);
    commits.push(bench.commit("third", &[("a.txt", "3")]));
    (bench, commits)
}

#[test]
fn the_working_tree_is_checked_out_with_what_is_not_committed() {
    let (bench, commits) = history();
    bench.write(&[("a.txt", "changed here"), ("new.txt", "new"), (".gitignore", "ignored\n"), ("ignored", "x")]);
    let before = bench.git(&["status", "--porcelain"]);
    let done = bench
        .job(&with_look("- { id: co, uses: actions/checkout@v4 }\n- run: 'echo out=${{ steps.co.outputs.ref }} ${{ steps.co.outputs.commit }}; cat a.txt'"))
        .succeeded()
        .says(&["Syncing repository: octo/App", "changed here"]);
    assert_eq!(done.value("head"), commits[2]);
    assert_eq!(done.value("out"), format!("refs/heads/main {}", commits[2]));
    assert_eq!(done.value("branch"), "refs/heads/main");
    assert_eq!(done.value("status"), " M a.txt;?? .gitignore;?? new.txt;");
    assert_eq!(done.value("url"), "https://github.com/octo/App");
    assert_eq!(done.value("upstream"), "origin/main");
    // A depth of one is the default.
    assert_eq!((done.value("commits"), done.value("shallow")), ("1", "true"));
    assert_eq!(done.value("refs"), "refs/heads/main refs/remotes/origin/main ");
    assert_eq!(bench.git(&["status", "--porcelain"]), before, "the user's own folder stays as it was");
}

#[test]
fn depths_show_as_much_history_as_is_asked_for() {
    let (bench, _) = history();
    let with = |inputs: &str| {
        bench.job(&with_look(&format!("- uses: actions/checkout@v4\n  with: {{ {inputs} }}"))).succeeded()
    };
    assert_eq!(with("fetch-depth: 2").value("commits"), "2");
    let tags = with("fetch-tags: true");
    assert_eq!(tags.value("refs"), "refs/heads/main refs/remotes/origin/main refs/tags/heavy refs/tags/light ");
    assert_eq!(tags.value("commits"), "1");
    let all = with("fetch-depth: 0");
    assert_eq!((all.value("commits"), all.value("shallow")), ("3", "false"));
    // What is not pushed yet is, for the run, the remote's.
    assert!(
        all.value("refs").contains("refs/remotes/origin/side refs/tags/heavy refs/tags/light"),
        "{}",
        all.value("refs")
    );
    assert_eq!(all.value("upstream"), "origin/main");
}

#[test]
fn head_stands_where_the_real_action_leaves_it() {
    let (mut bench, commits) = history();
    bench.about("refs/pull/7/merge");
    bench.github["event_name"] = "pull_request".into();
    let pull = bench.job(&with_look("- uses: actions/checkout@v4")).succeeded();
    assert_eq!((pull.value("branch"), pull.value("head")), ("none", commits[2].as_str()));
    assert_eq!(pull.value("refs"), "refs/remotes/pull/7/merge ");

    bench.git(&["tag", "-m", "now", "v1"]);
    bench.about("refs/tags/v1");
    let tag = bench
        .job(&with_look("- uses: actions/checkout@v4\n- run: git describe --exact-match"))
        .succeeded()
        .says(&["v1"]);
    assert_eq!((tag.value("branch"), tag.value("refs")), ("none", "refs/tags/v1 "));
}

#[test]
fn another_ref_of_the_repository_has_exactly_its_own_files() {
    let (bench, commits) = history();
    bench.write(&[("a.txt", "changed here"), ("new.txt", "new")]);
    for (reference, commit, branch, output) in [
        ("side", 1, "refs/heads/side", "side"),
        ("refs/heads/side", 1, "refs/heads/side", "refs/heads/side"),
        ("light", 0, "none", "light"),
        ("heavy", 1, "none", "heavy"),
        (commits[0].as_str(), 0, "none", ""),
    ] {
        let steps = format!(
            "- {{ id: co, uses: actions/checkout@v4, with: {{ ref: {reference}, path: sub }} }}\n- run: 'echo \"out=${{{{ steps.co.outputs.ref }}}}\"'"
        );
        let look = LOOK.replace("- run: |", "- working-directory: sub\n  run: |");
        let done = bench.job(&format!("{steps}{look}")).succeeded();
        assert_eq!(done.value("head"), commits[commit], "{reference}");
        assert_eq!(done.value("branch"), branch, "{reference}");
        assert_eq!(done.value("status"), "", "{reference}");
        assert_eq!(done.value("out"), output);
        // In the workspace itself, which was filled with the working tree before.
        let done =
            bench.job(&with_look(&format!("- uses: actions/checkout@v4\n  with: {{ ref: {reference} }}"))).succeeded();
        assert_eq!((done.value("head"), done.value("status")), (commits[commit].as_str(), ""), "{reference}");
        assert_eq!(done.value("files"), if commit == 0 { ".git a.txt " } else { ".git a.txt dir " });
    }
}

#[test]
fn the_runs_own_ref_by_any_name_is_the_working_tree() {
    let (mut bench, commits) = history();
    bench.write(&[("new.txt", "new")]);
    bench.about("refs/pull/7/merge");
    bench.github["head_ref"] = "main".into();
    for reference in [
        "${{ github.sha }}",
        "${{ github.ref }}",
        "${{ github.head_ref }}",
        "${{ github.event.pull_request.head.sha }}",
    ] {
        bench.github["event"]["pull_request"]["head"]["sha"] = commits[2].clone().into();
        let done = bench
            .job(&with_look(&format!("- uses: actions/checkout@v4\n  with: {{ ref: '{reference}' }}")))
            .succeeded();
        assert_eq!(done.value("status"), "?? new.txt;", "{reference}");
    }
    // The base, which has no commit of its own yet, is the base all the same.
    bench.git(&["switch", "--quiet", "-c", "feature"]);
    bench.about("refs/heads/feature");
    bench.github["head_ref"] = "".into();
    let done = bench.job(&with_look("- uses: actions/checkout@v4\n  with: { ref: main }")).succeeded();
    assert_eq!((done.value("head"), done.value("status")), (commits[2].as_str(), ""));
}

#[test]
fn a_commit_of_the_event_that_is_not_where_the_user_is() {
    let (mut bench, commits) = history();
    bench.github["sha"] = commits[0].clone().into();
    let done = bench.job(&with_look("- uses: actions/checkout@v4")).succeeded();
    assert_eq!(
        (done.value("head"), done.value("status"), done.value("branch")),
        (commits[0].as_str(), "", "refs/heads/main")
    );
    bench.github["sha"] = "0123456789012345678901234567890123456789".into();
    let done = bench.job(&with_look("- uses: actions/checkout@v4")).succeeded();
    assert_eq!(done.value("head"), commits[2]);
    assert!(done.annotations[0].1.contains("is not in"), "{:?}", done.annotations);
}

#[test]
fn a_checkout_into_a_folder_moves_what_is_there() {
    let (bench, _) = history();
    bench.write(&[("new.txt", "new"), ("dir/c.txt", "c")]);
    // The repository has a folder of that name itself.
    let done = bench.job("- uses: actions/checkout@v4\n  with: { path: dir }\n- run: 'echo \"top=$(ls -A)\"; ls -A dir dir/dir; git -C dir status --porcelain'");
    let done = done.succeeded().says(&["?? new.txt", "?? dir/c.txt", "b.txt"]);
    assert_eq!(done.value("top"), "dir");
    bench.job("- uses: actions/checkout@v4\n  with: { path: ../x }").failed().says(&["is not under"]);
}

#[test]
fn several_checkouts_stand_side_by_side() {
    let (bench, commits) = history();
    let done = bench
        .job("- uses: actions/checkout@v4\n- uses: actions/checkout@v4\n  with: { ref: side, path: base }\n- run: 'echo \"one=$(git rev-parse HEAD)\"; echo \"two=$(git -C base rev-parse HEAD)\"; cat base/a.txt'")
        .succeeded();
    assert_eq!((done.value("one"), done.value("two")), (commits[2].as_str(), commits[1].as_str()));
}

#[test]
fn a_second_checkout_cleans_what_steps_have_made() {
    let (bench, _) = history();
    bench.write(&[("new.txt", "new")]);
    let steps = |inputs: &str| {
        format!(
            "- uses: actions/checkout@v4\n- run: 'echo x > made; echo y > a.txt'\n- uses: actions/checkout@v4\n  with: {{ {inputs} }}"
        )
    };
    let done = bench.job(&with_look(&steps("clean: true"))).succeeded();
    assert_eq!(done.value("status"), "?? new.txt;");
    let done = bench.job(&with_look(&steps("clean: false"))).succeeded();
    assert_eq!(done.value("status"), " M a.txt;?? made;?? new.txt;");
}

#[test]
fn an_empty_workspace_is_filled() {
    let (mut bench, _) = history();
    bench.write(&[("new.txt", "new")]);
    bench.place = Place::Empty;
    let done = bench.job(&with_look("- uses: actions/checkout@v4")).succeeded();
    assert_eq!(done.value("status"), "?? new.txt;");
}

#[test]
fn a_job_in_place_is_looked_at_and_never_changed() {
    let (mut bench, commits) = history();
    bench.write(&[("new.txt", "new")]);
    bench.place = Place::Itself;
    let before = std::fs::read(bench.root.join(".git/config")).unwrap();
    let done = bench
        .job("- { id: co, uses: actions/checkout@v4 }\n- run: 'echo out=${{ steps.co.outputs.commit }}'")
        .succeeded();
    assert_eq!(done.value("out"), commits[2]);
    bench.job("- uses: actions/checkout@v4\n  with: { ref: side }").failed().says(&["Without --in-place"]);
    bench.job("- uses: actions/checkout@v4\n  with: { path: sub }").failed().says(&["cannot be checked out into"]);
    bench.job("- uses: actions/checkout@v4\n  with: { repository: octo/other }").failed().says(&["of octo/other"]);
    assert_eq!(std::fs::read(bench.root.join(".git/config")).unwrap(), before);
    assert_eq!(bench.git(&["status", "--porcelain"]), "?? new.txt");
    assert!(!bench.root.join("sub").exists());
}

#[test]
fn another_repository_comes_from_the_folder_of_repositories() {
    let (bench, _) = history();
    let place = bench.repositories.join("other/lib");
    write(&place, &[("lib.txt", "lib"), ("x/y.txt", "y")]);
    git(&place, &["init", "--quiet", "-b", "trunk"]);
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "-m", "lib"]);
    let commit = git(&place, &["rev-parse", "HEAD"]);
    write(&place, &[("not-committed.txt", "x")]);
    git(&bench.repositories, &["clone", "--quiet", "--bare", "other/lib", "other/bare.git"]);
    for name in ["other/lib", "Other/Lib", "other/bare"] {
        let look = LOOK.replace("- run: |", "- working-directory: sub\n  run: |");
        let done = bench
            .job(&format!("- uses: actions/checkout@v4\n- uses: actions/checkout@v4\n  with: {{ repository: {name}, path: sub }}{look}"))
            .succeeded();
        assert_eq!((done.value("head"), done.value("branch")), (commit.as_str(), "refs/heads/trunk"));
        assert_eq!((done.value("status"), done.value("files")), ("", ".git lib.txt x "));
        assert_eq!(done.value("url"), format!("https://github.com/{name}"));
    }
    bench
        .job("- uses: actions/checkout@v4\n  with: { repository: other/lib, ref: nowhere }")
        .failed()
        .says(&["A branch, tag or commit with the name 'nowhere' could not be found"]);
}

#[test]
fn another_repository_comes_from_its_server() {
    let (bench, _) = history();
    let server = bench.folder().join("server");
    let place = server.join("other/lib");
    write(&place, &[("lib.txt", "1"), ("x/y.txt", "y")]);
    git(&place, &["init", "--quiet", "-b", "trunk"]);
    git(&place, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    git(&place, &["config", "uploadpack.allowFilter", "true"]);
    let commit = |message: &str| {
        git(&place, &["add", "--all"]);
        git(&place, &["commit", "--quiet", "--allow-empty", "-m", message]);
        git(&place, &["rev-parse", "HEAD"])
    };
    let first = commit("one");
    git(&place, &["tag", "v1"]);
    git(&place, &["branch", "side"]);
    let second = commit("two");
    let url = format!("file://{}", server.display());
    let look = LOOK.replace("- run: |", "- working-directory: sub\n  run: |");
    for (reference, head, branch, refs) in [
        ("", &second, "refs/heads/trunk", "refs/heads/trunk refs/remotes/origin/trunk "),
        ("side", &first, "refs/heads/side", "refs/heads/side refs/remotes/origin/side "),
        ("v1", &first, "none", "refs/tags/v1 "),
        (first.as_str(), &first, "none", ""),
        ("refs/tags/v1", &first, "none", "refs/tags/v1 "),
    ] {
        let inputs = format!("repository: other/lib, path: sub, github-server-url: '{url}', ref: '{reference}'");
        let done = bench.job(&format!("- uses: actions/checkout@v4\n  with: {{ {inputs} }}{look}")).succeeded();
        assert_eq!(
            (done.value("head"), done.value("branch"), done.value("refs")),
            (head.as_str(), branch, refs),
            "{reference}"
        );
        assert_eq!((done.value("commits"), done.value("status")), ("1", ""), "{reference}");
    }
    let inputs = format!("repository: other/lib, path: sub, github-server-url: '{url}'");
    let all =
        bench.job(&format!("- uses: actions/checkout@v4\n  with: {{ {inputs}, fetch-depth: 0 }}{look}")).succeeded();
    assert_eq!((all.value("commits"), all.value("shallow")), ("2", "false"));
    assert_eq!(all.value("refs"), "refs/heads/trunk refs/remotes/origin/side refs/remotes/origin/trunk refs/tags/v1 ");
    let sparse = bench.job(&format!("- uses: actions/checkout@v4\n  with: {{ {inputs}, sparse-checkout: x, sparse-checkout-cone-mode: false }}{look}")).succeeded();
    assert_eq!(sparse.value("files"), ".git x ");
    bench
        .job(&format!("- uses: actions/checkout@v4\n  with: {{ {inputs}, ref: nowhere }}"))
        .failed()
        .says(&["A branch or tag with the name 'nowhere' could not be found"]);
    bench
        .job("- uses: actions/checkout@v4\n  with: { repository: other/none, github-server-url: 'file:///nowhere' }")
        .failed()
        .says(&["cannot reach file:///nowhere/other/none", "LINECLEAR_REPOSITORIES_DIR"]);
}

#[test]
fn what_this_machine_lacks_of_the_repository_comes_from_its_remote() {
    let (bench, _) = history();
    let upstream = bench.folder().join("upstream");
    git(bench.folder(), &["clone", "--quiet", &bench.root.to_string_lossy(), "upstream"]);
    git(&upstream, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    git(&upstream, &["switch", "--quiet", "-c", "theirs"]);
    git(&upstream, &["commit", "--quiet", "--allow-empty", "-m", "theirs"]);
    let theirs = git(&upstream, &["rev-parse", "HEAD"]);
    let steps = |reference: &str| with_look(&format!("- uses: actions/checkout@v4\n  with: {{ ref: {reference} }}"));
    bench.job(&steps("theirs")).failed().says(&["no remote `origin`"]);
    bench.git(&["remote", "add", "origin", &upstream.to_string_lossy()]);
    let done = bench.job(&steps("theirs")).succeeded();
    assert_eq!((done.value("head"), done.value("branch")), (theirs.as_str(), "refs/heads/theirs"));
    assert_eq!(done.value("url"), "https://github.com/octo/App");
    assert_eq!(bench.job(&steps(&theirs)).succeeded().value("head"), theirs);
    bench.job(&steps("nobodys")).failed().says(&["A branch or tag with the name 'nobodys' could not be found"]);
}

#[test]
fn sparse_checkouts_have_only_what_is_asked_for() {
    let (bench, _) = history();
    bench.write(&[("dir/new.txt", "new")]);
    let with =
        |inputs: &str| bench.job(&with_look(&format!("- uses: actions/checkout@v4\n  with:\n{inputs}"))).succeeded();
    let cone = with("    sparse-checkout: dir");
    assert_eq!((cone.value("files"), cone.value("status")), (".git a.txt dir ", "?? dir/new.txt;"));
    let patterns = with("    sparse-checkout: |\n      /dir/\n    sparse-checkout-cone-mode: false");
    assert_eq!(patterns.value("files"), ".git dir ");
    let other = with("    ref: side\n    sparse-checkout: |\n      /dir/\n    sparse-checkout-cone-mode: false");
    assert_eq!(other.value("files"), ".git dir ");
}

#[test]
fn submodules_are_there_only_when_they_are_asked_for() {
    let inner = Bench::new(&[("inner.txt", "inner")]);
    let mut module = Bench::new(&[("module.txt", "module")]);
    module.git(&["submodule", "--quiet", "add", &inner.root.to_string_lossy(), "inner"]);
    module.commit("with a submodule", &[]);
    let (mut bench, _) = history();
    bench.git(&["submodule", "--quiet", "add", &module.root.to_string_lossy(), "lib/module"]);
    bench.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    let with = bench.commit("with a submodule", &[]);
    bench.write(&[("lib/module/new.txt", "not committed")]);
    // Their origin is gone: what the user has on this machine will do.
    std::fs::rename(&inner.root, inner.folder().join("gone")).unwrap();
    std::fs::rename(&module.root, module.folder().join("gone")).unwrap();
    let files = "- run: 'echo \"files=$(find . -name .git -prune -o -type f -print | sort | tr \"\\n\" \" \")\"'";
    let job = |bench: &Bench, inputs: &str| {
        let steps = format!("- uses: actions/checkout@v4\n  with: {{ {inputs} }}\n{files}");
        bench.job(&steps).succeeded().value("files").to_owned()
    };
    assert_eq!(job(&bench, "fetch-depth: 1"), "./.gitmodules ./a.txt ./dir/b.txt ");
    let direct =
        "./.gitmodules ./a.txt ./dir/b.txt ./lib/module/.gitmodules ./lib/module/module.txt ./lib/module/new.txt ";
    assert_eq!(job(&bench, "submodules: true"), direct);
    let all = direct.replace("./lib/module/module.txt", "./lib/module/inner/inner.txt ./lib/module/module.txt");
    assert_eq!(job(&bench, "submodules: recursive"), all);
    // A commit has the submodules' own commits, from the user's objects.
    bench.commit("after", &[("a.txt", "4")]);
    let all = all.replace("./lib/module/new.txt ", "");
    assert_eq!(job(&bench, &format!("submodules: recursive, ref: {with}")), all);
    assert_eq!(
        job(&bench, &format!("submodules: recursive, ref: {with}, path: x")).matches("inner.txt").count(),
        2,
        "in `x`, and in the workspace"
    );
}

#[test]
fn credentials_are_kept_for_the_steps_and_removed_after_them() {
    let (mut bench, _) = history();
    let kept = bench.folder().join("kept");
    let show = format!(
        "- run: |\n    git config --includes --get-all http.https://github.com/.extraheader | sed 's/basic /basic /' || true\n    cp -r .git {}; echo \"config=$(git config -l --show-origin | grep -c extraheader)\"",
        kept.display()
    );
    let token = "- uses: actions/checkout@v4\n  with: { token: s3cret-token }\n";
    let done = bench.job(&format!("{token}{show}")).succeeded().never_says(&["eC1hY2Nlc3"]);
    assert_eq!(done.value("config"), "1");
    assert!(done.log.contains("AUTHORIZATION: basic ***"), "{}", done.log);
    let config = std::fs::read_to_string(kept.join("config")).unwrap();
    assert!(config.contains("includeIf") && !config.contains("AUTHORIZATION"), "{config}");

    let none = bench.job("- uses: actions/checkout@v4\n  with: { token: s3cret, persist-credentials: false }\n- run: 'echo \"config=$(git config -l --show-origin | grep -c extraheader)\"'");
    assert_eq!(none.succeeded().value("config"), "0");
    // A token that was made for this run means nothing to a server.
    let own = bench.job(
        "- uses: actions/checkout@v4\n- run: 'echo \"config=$(git config -l --show-origin | grep -c extraheader)\"'",
    );
    assert_eq!(own.succeeded().value("config"), "0");
    bench.settings.token = "ghs_real".into();
    let real = bench.job(
        "- uses: actions/checkout@v4\n- run: 'echo \"config=$(git config -l --show-origin | grep -c extraheader)\"'",
    );
    assert_eq!(real.succeeded().says(&["Removed the credentials"]).value("config"), "1");
}

#[test]
fn a_forks_code_is_refused_where_it_would_have_the_bases_trust() {
    let (mut bench, commits) = history();
    bench.github["event_name"] = "pull_request_target".into();
    bench.github["event"]["pull_request"] = serde_json::json!({
        "head": { "sha": commits[1], "repo": { "id": 2, "full_name": "fork/App" } }, "merge_commit_sha": null
    });
    let step = |inputs: &str| format!("- uses: actions/checkout@v4\n  with: {{ {inputs} }}");
    for inputs in [format!("ref: {}", commits[1]), "ref: refs/pull/7/merge".into(), "repository: Fork/app".into()] {
        bench
            .job(&step(&inputs))
            .failed()
            .says(&["Refusing to check out fork pull request code from a 'pull_request_target' workflow"]);
    }
    bench.job(&step(&format!("ref: {}, allow-unsafe-pr-checkout: true", commits[1]))).succeeded();
    bench.job(&step(&format!("ref: {}", commits[0]))).succeeded();
    bench.job("- uses: actions/checkout@v4").succeeded();
}

#[test]
fn lfs_without_its_program_says_what_to_install() {
    let (bench, _) = history();
    let has_lfs =
        std::process::Command::new("git").args(["lfs", "version"]).output().is_ok_and(|output| output.status.success());
    let done = bench.job("- uses: actions/checkout@v4\n  with: { lfs: true }");
    if has_lfs {
        done.succeeded();
    } else {
        done.failed().says(&["Input 'lfs' needs git-lfs", "install it"]);
    }
}

#[test]
fn repositories_without_history_are_checked_out_as_far_as_there_is_something() {
    let bench = Bench::without_git(&[("a.txt", "a")]);
    let done = bench.job("- uses: actions/checkout@v4\n- run: ls").succeeded().says(&["a.txt"]);
    assert!(done.annotations[0].1.contains("is no git repository"), "{:?}", done.annotations);
    bench.job("- uses: actions/checkout@v4\n  with: { ref: side }").failed().says(&["`git init` makes it one"]);
    bench.git(&["init", "--quiet", "-b", "main"]);
    bench.job("- uses: actions/checkout@v4\n- run: 'git status --porcelain'").succeeded().says(&["?? a.txt"]);
    bench.job("- uses: actions/checkout@v4\n  with: { ref: side }").failed().says(&["has no commit yet"]);
}

#[test]
fn inputs_that_make_no_sense_are_refused() {
    let (bench, _) = history();
    bench
        .job("- uses: actions/checkout@v4\n  with: { repository: app }")
        .failed()
        .says(&["Invalid repository 'app'. Expected format {owner}/{repo}."]);
}
