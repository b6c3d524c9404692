//! What a fetched tree becomes as files.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::repository::git;
use crate::{Bench, commit, file, resolve, run};
use lineclear_fetch::FetchError;

/// Commits a tree of `ls-tree` lines, which no working tree could make, on branch `main`.
fn commit_tree(made: &std::path::Path, lines: &[String]) {
    use std::io::Write;
    let mut child = git(made)
        .args(["mktree", "--missing"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git starts");
    child.stdin.take().expect("piped").write_all(lines.concat().as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let tree = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let made_commit = run(made, &["commit-tree", &tree, "-m", "strange"]);
    run(made, &["update-ref", "refs/heads/main", &made_commit]);
}

fn blob(made: &std::path::Path, content: &str) -> String {
    std::fs::write(made.join("content"), content).expect("written");
    run(made, &["hash-object", "-w", "content"])
}

#[test]
fn programs_links_and_names_are_as_committed() {
    let bench = Bench::new();
    let (made, _) =
        bench.repository("o/r", &[("dir/with space/ü\n", "odd"), (".github/x.yml", "x"), ("run.sh", "#!/bin/sh\n")]);
    std::fs::set_permissions(made.join("run.sh"), PermissionsExt::from_mode(0o755)).expect("set");
    std::os::unix::fs::symlink("../run.sh", made.join("dir/link")).expect("linked");
    // Attributes of the repository change nothing: files are what was committed.
    commit(
        &made,
        &[
            (".gitattributes", "* text eol=crlf\nx export-ignore\n*.sh filter=lfs export-subst\n"),
            ("x", "kept\n"),
            ("empty", ""),
        ],
        "more",
    );
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    run(&made, &["-c", "filter.lfs.clean=cat", "add", "."]);
    std::fs::write(made.join("big.bin"), pointer).expect("written");
    run(&made, &["add", "big.bin"]);
    run(&made, &["commit", "--quiet", "-m", "pointer"]);
    let resolved = resolve(&bench.fetcher(), "o/r@main").expect("found");
    assert_eq!(file(&resolved, "dir/with space/ü\n"), "odd");
    assert_eq!(file(&resolved, "x"), "kept\n");
    assert_eq!(file(&resolved, "big.bin"), pointer);
    assert_eq!(file(&resolved, "empty"), "");
    assert_eq!(file(&resolved, "dir/link"), "#!/bin/sh\n");
    let mode = |name: &str| std::fs::metadata(resolved.folder.join(name)).expect("there").permissions().mode() & 0o100;
    assert!(mode("run.sh") != 0 && mode("x") == 0);
    assert_eq!(resolve(&bench.offline(), "o/r@main").expect("whole").tree, resolved.tree);
}

#[test]
fn links_that_lead_out_and_submodules_are_left_out() {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("a", "1")]);
    for (target, name) in
        [("/etc/passwd", "absolute"), ("../../../../etc/passwd", "up"), ("sub/../../x", "through"), ("a", "fine")]
    {
        std::os::unix::fs::symlink(target, made.join(name)).expect("linked");
    }
    run(&made, &["update-index", "--add", "--cacheinfo", &format!("160000,{first},sub")]);
    commit(&made, &[("b", "2")], "links");
    run(&made, &["update-index", "--add", "--cacheinfo", &format!("160000,{first},sub")]);
    run(&made, &["commit", "--quiet", "-m", "submodule"]);
    assert!(run(&made, &["ls-tree", "HEAD"]).contains("160000 commit"));
    let resolved = resolve(&bench.fetcher(), "o/r@main").expect("found");
    let mut names: Vec<String> =
        crate::walk(&resolved.folder).iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    names.sort();
    assert_eq!(names, ["a", "b", "fine"]);
    assert_eq!(resolved.notes.len(), 3, "{:?}", resolved.notes);
}

#[test]
fn trees_that_no_working_tree_could_make_are_refused() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("a", "1")]);
    let evil = blob(&made, "evil");
    let link = blob(&made, "/tmp");
    let inner = {
        run(&made, &["update-index", "--add", "--cacheinfo", &format!("100644,{evil},inner/file")]);
        let tree = run(&made, &["write-tree"]);
        run(&made, &["rev-parse", &format!("{tree}:inner")])
    };
    for (lines, path) in [
        (vec![format!("100644 blob {evil}\t..\n")], ".."),
        (vec![format!("040000 tree {inner}\t..\n")], "../file"),
        (vec![format!("040000 tree {inner}\t.git\n")], ".git/file"),
        (vec![format!("040000 tree {inner}\t.GIT\n")], ".GIT/file"),
    ] {
        commit_tree(&made, &lines);
        let error = resolve(&bench.fetcher(), "o/r@main").expect_err("refused");
        assert!(matches!(&error, FetchError::Unsafe { path: told, .. } if told == path), "{path}: {error}");
    }
    // A link and a folder of one name: nothing is written through the link.
    commit_tree(&made, &[format!("120000 blob {link}\tdouble\n"), format!("040000 tree {inner}\tdouble\n")]);
    if let Ok(resolved) = resolve(&bench.fetcher(), "o/r@main") {
        assert_eq!(file(&resolved, "double/file"), "evil");
        assert!(
            resolved
                .folder
                .join("double")
                .canonicalize()
                .expect("there")
                .starts_with(resolved.folder.canonicalize().expect("there"))
        );
    }
    assert!(!std::path::Path::new("/tmp/file").exists());
    assert!(bench.half_made().is_empty());
}
