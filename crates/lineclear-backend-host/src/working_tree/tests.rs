use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;
use crate::git_fixture::{Fixture, changes, git, snapshot, write};

fn copy(fixture: &Fixture, tree: &WorkingTree) -> PathBuf {
    let workspace = fixture.path("workspace");
    fs::create_dir_all(&workspace).expect("a folder");
    tree.fill(&workspace).expect("a copy");
    workspace
}

fn files(folder: &Path) -> Vec<String> {
    let all = snapshot(folder).into_iter();
    let names = all.map(|(path, _)| path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with(".git/") && !name.contains("/.git/")).collect()
}

#[test]
fn the_copy_has_what_is_not_committed_and_not_what_is_ignored() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    write(&root.join("file"), "changed\n");
    write(&root.join("staged"), "staged\n");
    git(&root, "add staged");
    write(&root.join("new file \u{e4}\n"), "new\n");
    write(&root.join(".gitignore"), "ignored/\n*.log\n");
    write(&root.join("ignored/secret"), "x");
    write(&root.join("x.log"), "x");
    fs::remove_file(root.join("dir/sub/1.txt")).expect("removed");
    let before = snapshot(&root);

    let workspace = copy(&fixture, &WorkingTree::new(&root));
    let expected = [
        ".git",
        ".gitignore",
        "dir",
        "dir/sub",
        "dir/sub/2.txt",
        "dir/sub/3.txt",
        "file",
        "new file \u{e4}\n",
        "staged",
    ];
    assert_eq!(files(&workspace), expected);
    assert_eq!(fs::read_to_string(workspace.join("file")).expect("the file"), "changed\n");
    for question in ["status --porcelain", "diff", "diff --cached", "log --format=%H"] {
        assert_eq!(git(&workspace, question), git(&root, question), "git {question}");
    }
    git(&workspace, "add -A");
    git(&workspace, "commit -q -m copy");
    write(&workspace.join("file"), "of the job\n");
    // But for the index, in which the questions above refreshed what it knows of files.
    let changed = changes(&before, &snapshot(&root));
    assert!(changed.iter().all(|path| path.ends_with(".git") || path.ends_with(".git/index")), "{changed:?}");
}

#[test]
fn permissions_links_and_times_are_kept() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    write(&root.join("tool"), "#!/bin/sh\n");
    for (name, mode) in [("tool", 0o755), ("file", 0o400), ("dir/sub/1.txt", 0o666)] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).expect("permissions");
    }
    symlink("dir/sub", root.join("to-folder")).expect("a link");
    symlink("/no/where", root.join("dangling")).expect("a link");
    write(&root.join("empty"), "");
    let large: String = "0123456789abcdef".repeat(100_000);
    write(&root.join("large"), &large);

    let workspace = copy(&fixture, &WorkingTree::new(&root));
    for name in ["tool", "file", "dir/sub/1.txt", "empty", "large", "to-folder", "dangling"] {
        let [original, copied] =
            [&root, &workspace].map(|folder| fs::symlink_metadata(folder.join(name)).expect("an entry"));
        assert_eq!(copied.mode(), original.mode(), "{name}");
        assert_eq!((copied.mtime(), copied.mtime_nsec()), (original.mtime(), original.mtime_nsec()), "{name}");
        assert_ne!(copied.ino(), original.ino(), "{name} is a file of its own");
    }
    assert_eq!(fs::read_link(workspace.join("dangling")).expect("a link"), Path::new("/no/where"));
    assert_eq!(fs::read_to_string(workspace.join("large")).expect("the file"), large);
}

#[test]
fn submodules_and_repositories_inside_are_copied_with_a_git_of_their_own() {
    let fixture = Fixture::new();
    let inner = fixture.repository("inner");
    let root = fixture.repository("source");
    git(&root, &format!("submodule add -q {} module", inner.display()));
    git(&root, "commit -q -m module");
    write(&root.join("module/new"), "x");
    git(&root, &format!("clone -q {} nested", inner.display()));
    let bare_folder = fixture.repository("bare-folder");
    git(&root, &format!("submodule add -q {} absent", bare_folder.display()));
    git(&root, "commit -q -m absent");
    git(&root, "submodule deinit -q -f absent");

    let workspace = copy(&fixture, &WorkingTree::new(&root));
    assert!(workspace.join("module/new").exists());
    assert!(workspace.join("nested/file").exists());
    assert!(workspace.join("absent").is_dir());
    assert_eq!(git(&workspace.join("module"), "rev-parse HEAD"), git(&inner, "rev-parse HEAD"));
    assert_eq!(git(&workspace.join("nested"), "status --porcelain"), "");
    assert_eq!(git(&workspace, "status --porcelain"), git(&root, "status --porcelain"));
}

#[test]
fn an_empty_repository_gives_an_empty_copy() {
    let fixture = Fixture::new();
    let root = fixture.path("source");
    fs::create_dir(&root).expect("a folder");
    git(&root, "init -q");
    let workspace = copy(&fixture, &WorkingTree::new(&root));
    assert_eq!(files(&workspace), [".git"]);
    assert_eq!(git(&workspace, "status --porcelain"), "");
}

#[test]
fn a_folder_in_no_repository_is_copied_whole() {
    let fixture = Fixture::new();
    let root = fixture.path("source");
    write(&root.join("a/b/c"), "x");
    write(&root.join(".hidden/.gitignore"), "*");
    fs::create_dir(root.join("empty")).expect("a folder");
    let _socket = UnixListener::bind(root.join("socket")).expect("a socket");
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o600.into()).expect("a pipe");
    let workspace = copy(&fixture, &WorkingTree::new(&root));
    assert_eq!(files(&workspace), [".hidden", ".hidden/.gitignore", "a", "a/b", "a/b/c", "empty"]);
}

#[test]
fn a_part_of_a_repository_is_copied_without_the_rest() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    let workspace = copy(&fixture, &WorkingTree::new(root.join("dir")));
    assert_eq!(files(&workspace), ["sub", "sub/1.txt", "sub/2.txt", "sub/3.txt"]);
}

#[test]
fn the_folder_of_jobs_is_not_copied_into_itself() {
    let fixture = Fixture::new();
    for (name, in_git) in [("with-git", true), ("without-git", false)] {
        let root = if in_git { fixture.repository(name) } else { fixture.path(name) };
        write(&root.join("kept"), "x");
        write(&root.join("work/other-job/file"), "x");
        let workspace = root.join("work/job");
        fs::create_dir_all(&workspace).expect("a folder");
        let tree = WorkingTree::new(&root).without_git().without(root.join("work"));
        tree.fill(&workspace).expect("a copy");
        assert!(workspace.join("kept").exists());
        assert!(!workspace.join("work/other-job").exists(), "{name}");
    }
}

#[test]
fn a_folder_that_became_a_link_does_not_lead_out_of_the_tree() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    let outside = fixture.path("outside");
    write(&outside.join("sub/1.txt"), "secret");
    fs::remove_dir_all(root.join("dir")).expect("removed");
    symlink(&outside, root.join("dir")).expect("a link");
    let workspace = copy(&fixture, &WorkingTree::new(&root));
    assert_eq!(fs::read_link(workspace.join("dir")).expect("a link as in the original"), outside);
}

#[test]
fn a_list_serves_many_jobs_at_once() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    for count in 0..300 {
        write(&root.join(format!("many/{}/{count}", count % 7)), &count.to_string());
    }
    let tree = WorkingTree::new(&root);
    let expected = files(&root).len();
    thread::scope(|scope| {
        for job in 0..4 {
            let (tree, workspace) = (&tree, fixture.path(&format!("workspace-{job}")));
            scope.spawn(move || {
                fs::create_dir(&workspace).expect("a folder");
                tree.fill(&workspace).expect("a copy");
                assert_eq!(files(&workspace).len(), expected);
            });
        }
    });
}

#[test]
fn what_cannot_be_copied_is_named() {
    let fixture = Fixture::new();
    let root = fixture.repository("source");
    let tree = WorkingTree::new(&root);
    let workspace = fixture.path("workspace");
    write(&workspace.join("file"), "in the way");
    let error = tree.fill(&workspace).expect_err("it exists");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("workspace/file"), "{error}");
    let missing = WorkingTree::new(fixture.path("missing"));
    assert!(missing.fill(&fixture.path("workspace")).is_err());
}
