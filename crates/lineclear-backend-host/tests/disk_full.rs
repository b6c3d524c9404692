//! A disk that is full is told as such, and nothing is left on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lineclear_backend::{Backend, OpenError, RoomRequest, Workspace};
use lineclear_backend_host::{HostBackend, HostSettings, WorkingTree};
use lineclear_event::{JobKey, RunId};

/// A small disk in memory, which only root can make. Others have the rest of the suite.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(name: &str, size: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(&folder).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A test that failed has more to say than this.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

fn request(workspace: Workspace) -> RoomRequest {
    RoomRequest { run: RunId(1), job: JobKey::new("job"), repository: "widget".into(), workspace, isolation: None }
}

fn assert_full(result: Result<Box<dyn lineclear_backend::Room>, OpenError>) {
    match result.map(drop) {
        Err(OpenError::DiskFull { .. }) => {}
        other => panic!("unexpected: {other:?}"),
    }
}

#[test]
fn a_copy_that_does_not_fit_is_told_and_taken_away() {
    let Some(disk) = SmallDisk::new("small", "size=1m") else { return };
    let source = tempfile::tempdir().expect("a folder");
    for count in 0..30 {
        fs::write(source.path().join(format!("file-{count}")), "x".repeat(100_000)).expect("a file");
    }
    let work = disk.0.join("work");
    let backend = HostBackend::new(HostSettings::new(&work, disk.0.join("tools"))).expect("a backend");
    let tree = Arc::new(WorkingTree::new(source.path()));
    for _ in 0..2 {
        assert_full(backend.open(&request(Workspace::Copy(tree.clone()))));
        let left = fs::read_dir(work.join("1")).expect("the run's folder").flatten();
        let left: Vec<_> =
            left.map(|item| item.file_name()).filter(|name| !name.to_string_lossy().starts_with('.')).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let room = backend.open(&request(Workspace::Empty)).expect("an empty one fits");
    room.close().expect("closed");
    drop(backend);
    assert_eq!(fs::read_dir(&work).expect("the folder").count(), 0);
}

#[test]
fn folders_that_do_not_fit_are_told() {
    // The disk's own folder is one; the work folder, the tool cache and the run's folder are the next.
    for count in 2..9 {
        let Some(disk) = SmallDisk::new(&format!("few-{count}"), &format!("size=1m,nr_inodes={count}")) else { return };
        let backend =
            HostBackend::new(HostSettings::new(disk.0.join("work"), disk.0.join("tools"))).expect("a backend");
        assert_full(backend.open(&request(Workspace::Empty)));
    }
}
