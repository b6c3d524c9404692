use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::git_fixture::{Fixture, changes, git, snapshot, write};

/// A new workspace with the `.git` made by `options` and the files of its `HEAD`.
fn copy(fixture: &Fixture, source: &Path, name: &str, options: &GitDirOptions) -> PathBuf {
    let workspace = fixture.path(name);
    fs::create_dir_all(&workspace).expect("a folder");
    clone_git_dir(source, &workspace, options).expect("a .git");
    git(&workspace, "fsck --connectivity-only");
    workspace
}

#[test]
fn git_works_in_the_copy_and_the_original_is_not_written_to() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    write(&source.join(".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    fs::set_permissions(source.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755)).expect("permissions");
    let before = snapshot(&source);

    let workspace = copy(&fixture, &source, "copy", &GitDirOptions::default());
    git(&workspace, "reset -q --hard");
    assert_eq!(git(&workspace, "status --porcelain"), "");
    for question in
        ["rev-parse HEAD", "symbolic-ref HEAD", "for-each-ref", "log --format=%H --all", "describe --tags HEAD~1"]
    {
        assert_eq!(git(&workspace, question), git(&source, question), "git {question}");
    }
    write(&workspace.join("new"), "new\n");
    git(&workspace, "add -A");
    git(&workspace, "commit -q -m new");
    git(&workspace, "checkout -q -b other side");
    git(&workspace, "branch -D main");
    git(&workspace, "tag -d v1");
    git(&workspace, "gc -q --prune=now");
    assert_eq!(changes(&before, &snapshot(&source)), [""; 0].map(PathBuf::from), "the original changed");
}

#[test]
fn a_copied_index_knows_the_copied_files() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    write(&source.join("staged"), "staged\n");
    git(&source, "add staged");
    let workspace = copy(&fixture, &source, "copy", &GitDirOptions::default());
    for name in ["file", "staged", "dir/sub/1.txt", "dir/sub/2.txt", "dir/sub/3.txt"] {
        write(&workspace.join(name), &fs::read_to_string(source.join(name)).expect("a file"));
        let time = fs::metadata(source.join(name)).and_then(|m| m.modified()).expect("a time");
        let file = File::options().write(true).open(workspace.join(name)).expect("the file");
        file.set_times(FileTimes::new().set_modified(time)).expect("a time");
    }
    assert_eq!(git(&workspace, "status --porcelain"), "A  staged");
    assert_eq!(git(&workspace, "diff-files --name-only"), "", "without looking at content");
    write(&workspace.join("file"), "4\n");
    assert_eq!(git(&workspace, "diff --name-only"), "file");
}

#[test]
fn a_depth_hides_what_lies_below() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    for (depth, commits) in [(1, "1"), (2, "2"), (3, "3"), (50, "3")] {
        let options = GitDirOptions { depth: Some(depth), refs: Refs::Head, tags: false, ..GitDirOptions::default() };
        let workspace = copy(&fixture, &source, &format!("depth-{depth}"), &options);
        assert_eq!(git(&workspace, "rev-list --count --all"), commits, "depth {depth}");
        let shallow = git(&workspace, "rev-parse --is-shallow-repository");
        assert_eq!(shallow, (depth < 3).to_string(), "depth {depth}");
        assert_eq!(git(&workspace, "for-each-ref --format=%(refname)"), "refs/heads/main\nrefs/remotes/origin/main");
    }
}

#[test]
fn a_depth_is_what_a_fetch_of_that_depth_gives() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    // History that forks and meets, with a side longer than the other.
    git(&source, "checkout -q side");
    for count in 1..4 {
        write(&source.join("side"), &format!("{count}\n"));
        git(&source, "add -A");
        git(&source, &format!("commit -q -m side-{count}"));
    }
    git(&source, "checkout -q main");
    git(&source, "merge -q -m merge side");
    for depth in 1..6 {
        let options = GitDirOptions { depth: Some(depth), refs: Refs::Head, tags: false, ..GitDirOptions::default() };
        let ours = copy(&fixture, &source, &format!("ours-{depth}"), &options);
        let theirs = format!("theirs-{depth}");
        git(
            fixture.path("").as_path(),
            &format!("clone -q --depth {depth} --no-tags --branch main file://{} {theirs}", source.display()),
        );
        let theirs = fixture.path(&theirs);
        let history = "log --format=%H%x20%P --all";
        assert_eq!(git(&ours, history), git(&theirs, history), "depth {depth}");
    }
}

#[test]
fn tags_come_when_asked_for() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    let options = GitDirOptions { depth: Some(1), refs: Refs::Head, tags: true, ..GitDirOptions::default() };
    let workspace = copy(&fixture, &source, "copy", &options);
    assert_eq!(git(&workspace, "tag"), "light\nv1");
    assert_eq!(git(&workspace, "rev-list --count v1"), "1", "the depth is counted from tags too");
}

#[test]
fn head_goes_where_it_is_asked_to() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    let second = git(&source, "rev-parse HEAD~1");
    let head = Head::Detached { commit: second.clone() };
    let detached =
        copy(&fixture, &source, "detached", &GitDirOptions { head, index: false, ..GitDirOptions::default() });
    assert_eq!(git(&detached, "rev-parse HEAD"), second);
    git(&detached, "reset -q --hard");
    assert_eq!(fs::read_to_string(detached.join("file")).expect("the file"), "2\n");

    let head = Head::Branch { name: "main/inner".into(), commit: second.clone() };
    let branch = copy(&fixture, &source, "branch", &GitDirOptions { head, ..GitDirOptions::default() });
    assert_eq!(git(&branch, "symbolic-ref HEAD"), "refs/heads/main/inner");
    assert_eq!(git(&branch, "rev-parse HEAD"), second);
}

#[test]
fn a_new_repository_has_a_branch_without_commits() {
    let fixture = Fixture::new();
    let source = fixture.path("source");
    fs::create_dir(&source).expect("a folder");
    git(&source, "init -q -b trunk");
    for depth in [None, Some(1)] {
        let name = format!("copy-{depth:?}");
        let workspace = copy(&fixture, &source, &name, &GitDirOptions { depth, ..GitDirOptions::default() });
        assert_eq!(git(&workspace, "symbolic-ref HEAD"), "refs/heads/trunk");
        git(&workspace, "commit -q --allow-empty -m first");
    }
}

#[test]
fn linked_worktrees_shallow_clones_and_submodules_are_repositories_too() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    git(&source, "worktree add -q ../linked side");
    let linked = copy(&fixture, &fixture.path("linked"), "copy-of-linked", &GitDirOptions::default());
    assert_eq!(git(&linked, "symbolic-ref HEAD"), "refs/heads/side");
    assert_eq!(git(&linked, "rev-list --count main"), "3");

    git(&fixture.path(""), &format!("clone -q --depth 2 file://{} shallow", source.display()));
    for (depth, commits) in [(None, "2"), (Some(1), "1"), (Some(9), "2")] {
        let options = GitDirOptions { depth, ..GitDirOptions::default() };
        let shallow = copy(&fixture, &fixture.path("shallow"), &format!("copy-of-shallow-{depth:?}"), &options);
        assert_eq!(git(&shallow, "rev-list --count HEAD"), commits, "{depth:?}");
        assert_eq!(git(&shallow, "rev-parse --is-shallow-repository"), "true");
    }

    let outer = fixture.repository("outer");
    git(&outer, &format!("submodule add -q {} module", source.display()));
    let module = copy(&fixture, &outer.join("module"), "copy-of-module", &GitDirOptions::default());
    assert_eq!(git(&module, "rev-parse HEAD"), git(&source, "rev-parse HEAD"));
    // A reference to a reference.
    assert_eq!(git(&module, "symbolic-ref refs/remotes/origin/HEAD"), "refs/remotes/origin/main");
}

#[test]
fn a_copy_of_a_copy_works() {
    let fixture = Fixture::new();
    let source = fixture.repository("source \"quoted\"");
    let first = copy(&fixture, &source, "first", &GitDirOptions::default());
    let second = copy(&fixture, &first, "second", &GitDirOptions::default());
    assert_eq!(git(&second, "log --format=%s"), "3\n2\n1");
}

#[test]
fn a_path_that_looks_like_a_comment_is_quoted() {
    assert_eq!(alternates(Path::new("/a b")), b"/a b\n");
    assert_eq!(alternates(Path::new("/a\nb\"")), b"\"/a\\nb\\\"\"\n");
}

#[test]
fn the_users_own_stash_stays_with_the_user() {
    let fixture = Fixture::new();
    let source = fixture.repository("source");
    write(&source.join("file"), "secret\n");
    git(&source, "stash -q");
    let workspace = copy(&fixture, &source, "copy", &GitDirOptions::default());
    assert_eq!(git(&workspace, "stash list"), "");
    assert!(!git(&workspace, "for-each-ref").contains("stash"));
}

#[test]
fn what_is_no_repository_is_refused_by_name() {
    let fixture = Fixture::new();
    let (source, workspace) = (fixture.path("plain"), fixture.path("copy"));
    fs::create_dir(&source).expect("a folder");
    fs::create_dir(&workspace).expect("a folder");
    let refused = clone_git_dir(&source, &workspace, &GitDirOptions::default());
    assert!(matches!(refused, Err(GitDirError::NoRepository { .. })));
    write(&source.join(".git"), "gitdir: /no/where\n");
    let refused = clone_git_dir(&source, &workspace, &GitDirOptions::default());
    assert!(matches!(refused, Err(GitDirError::NoRepository { .. })));
    assert!(!workspace.join(".git").exists());

    let source = fixture.repository("source");
    clone_git_dir(&source, &workspace, &GitDirOptions::default()).expect("a .git");
    let refused = clone_git_dir(&source, &workspace, &GitDirOptions::default());
    assert!(matches!(refused, Err(GitDirError::Exists { .. })));
}
