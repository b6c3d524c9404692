//! Promises about artifacts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use lineclear_event::RunId;

use super::{NOW, Promise, RUN, WholeStore, noise, write};
use crate::{ArtifactMeta, ArtifactRequest, Artifacts, DAY_MS, Limits, StoreError};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("s1_93_several_files_come_back_below_their_names", s1_93_several_files_come_back_below_their_names),
        ("a_name_is_taken_once_in_a_run", a_name_is_taken_once_in_a_run),
        ("names_that_cannot_be_are_refused", names_that_cannot_be_are_refused),
        ("s1_59_s1_92_s4_31_retention_ends_by_the_clock", s1_59_s1_92_s4_31_retention_ends_by_the_clock),
        ("a_download_replaces_and_stays_inside", a_download_replaces_and_stays_inside),
    ]
}

/// A request for files of `folder`, each under its own name.
fn request(folder: &Path, name: &str, files: &[&str]) -> ArtifactRequest {
    ArtifactRequest {
        run: RUN,
        name: name.into(),
        files: files.iter().map(|file| ((*file).to_owned(), folder.join(file))).collect(),
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: NOW,
    }
}

fn names<S: WholeStore>(store: &S, run: RunId) -> Vec<String> {
    Artifacts::list(store, run).expect("artifacts are listed").into_iter().map(|meta| meta.name).collect()
}

/// Row S1-93.
fn s1_93_several_files_come_back_below_their_names<S: WholeStore>(store: &S, folder: &Path) {
    let long = noise(3, 20_000_000);
    write(&folder.join("coverage/index.html"), "<html>");
    write(&folder.join("coverage/a/b.css"), "");
    write(&folder.join("report.xml"), "<xml/>");
    write(&folder.join("copy.xml"), "<xml/>");
    write(&folder.join("long.bin"), &long);
    symlink("report.xml", folder.join("link.xml")).expect("a link is made");
    let files = ["report.xml", "coverage/index.html", "coverage/a/b.css", "copy.xml", "long.bin", "link.xml"];
    let meta = store.upload(&request(folder, "reports", &files)).expect("it is uploaded");
    assert_eq!((meta.run, meta.name.as_str(), meta.files), (RUN, "reports", 6));
    assert_eq!(meta.size, 20_000_000 + 3 * 6 + 6);
    let to = folder.join("to");
    assert_eq!(store.download(RUN, "reports", &to).expect("it is downloaded"), meta);
    assert_eq!(fs::read(to.join("coverage/index.html")).expect("it is there"), b"<html>");
    assert_eq!(fs::read(to.join("coverage/a/b.css")).expect("it is there"), b"");
    assert!(fs::read(to.join("long.bin")).expect("it is there") == long, "a long file comes back whole");
    let link = fs::symlink_metadata(to.join("link.xml")).expect("it is there");
    assert!(link.is_file() && link.len() == 6, "links are followed");
    assert_eq!(names(store, RUN), ["reports"]);
    assert_eq!(Artifacts::list(store, RUN).expect("artifacts are listed"), [meta]);
    assert!(names(store, RunId(8)).is_empty(), "a run sees its own artifacts only");

    // The digest can be made again with `sha256sum`.
    let small = store.upload(&request(folder, "small", &["report.xml", "coverage/a/b.css"])).expect("it is uploaded");
    assert_eq!(small.digest, "sha256:9dd66bb4d707296c526bf06ccebd254460ef94c22697a58323de053e57e72a02");
}

fn a_name_is_taken_once_in_a_run<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "first");
    let first = store.upload(&request(folder, "a", &["f"])).expect("it is uploaded");
    write(&folder.join("f"), "second!");
    let again = store.upload(&request(folder, "a", &["f"]));
    assert!(matches!(again, Err(StoreError::ArtifactExists { ref name }) if name == "a"), "{again:?}");
    let read = || {
        store.download(RUN, "a", &folder.join("to")).expect("it is downloaded");
        fs::read_to_string(folder.join("to/f")).expect("it is there")
    };
    assert_eq!(read(), "first");
    let later = ArtifactRequest { overwrite: true, now: NOW.plus_millis(1), ..request(folder, "a", &["f"]) };
    let second = store.upload(&later).expect("it is replaced");
    assert_ne!(first.id, second.id);
    assert_ne!(first.digest, second.digest);
    assert_eq!(read(), "second!");
    assert_eq!(Artifacts::list(store, RUN).expect("artifacts are listed"), [second]);
    store
        .upload(&ArtifactRequest { run: RunId(8), ..request(folder, "a", &["f"]) })
        .expect("another run, another artifact");
    store.upload(&request(folder, "A", &["f"])).expect("case matters");
    assert_eq!(names(store, RUN), ["A", "a"]);
    store.delete(RUN, "a").expect("it is deleted");
    assert!(matches!(store.delete(RUN, "a"), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.download(RUN, "a", folder), Err(StoreError::NotFound { .. })));
    assert_eq!(names(store, RUN), ["A"]);
    assert_eq!(names(store, RunId(8)), ["a"]);
}

fn names_that_cannot_be_are_refused<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "1");
    let refusal = |request: &ArtifactRequest| match store.upload(request) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("it is refused: {other:?}"),
    };
    assert!(refusal(&request(folder, "a/b", &["f"])).contains("forward slash"));
    assert!(refusal(&request(folder, "", &["f"])).contains("no name"));
    assert!(refusal(&request(folder, "a", &[])).contains("no files"));
    assert!(refusal(&request(folder, "a", &["f", "f"])).contains("two files `f`"));
    let named = |names: &[&str]| ArtifactRequest {
        files: names.iter().map(|name| ((*name).to_owned(), folder.join("f"))).collect(),
        ..request(folder, "a", &[])
    };
    for name in ["../f", "/etc/passwd", "a/../../f", "a:b", ""] {
        refusal(&named(&[name]));
    }
    assert!(refusal(&named(&["d/e", "d"])).contains("both as a file and as a folder"));
    let absent =
        ArtifactRequest { files: vec![("f".into(), PathBuf::from("/nowhere/f"))], ..request(folder, "a", &[]) };
    assert!(matches!(store.upload(&absent), Err(StoreError::Io { ref path, .. }) if path.ends_with("nowhere/f")));
    assert!(names(store, RUN).is_empty(), "nothing is kept of what is refused");
}

/// Rows S1-59 (90 days), S1-92 (7 and 30 days) and S4-31 (30 days).
fn s1_59_s1_92_s4_31_retention_ends_by_the_clock<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "1");
    let keep = |name: &str, days: Option<u32>| -> ArtifactMeta {
        store
            .upload(&ArtifactRequest { retention_days: days, ..request(folder, name, &["f"]) })
            .expect("it is uploaded")
    };
    assert_eq!(keep("failure", Some(7)).expires, Some(NOW.plus_millis(7 * DAY_MS)));
    assert_eq!(keep("report", Some(30)).expires, Some(NOW.plus_millis(30 * DAY_MS)));
    assert_eq!(keep("sbom", None).expires, Some(NOW.plus_millis(90 * DAY_MS)), "90 days by default");
    assert_eq!(keep("zero", Some(0)).expires, Some(NOW.plus_millis(90 * DAY_MS)), "zero means the default");
    let after = |days: i64, millis: i64| {
        store.prune(NOW.plus_millis(days * DAY_MS + millis), &Limits::default()).expect("the store is pruned");
        names(store, RUN)
    };
    assert_eq!(after(7, -1), ["failure", "report", "sbom", "zero"]);
    assert_eq!(after(7, 0), ["report", "sbom", "zero"]);
    assert_eq!(after(30, 0), ["sbom", "zero"]);
    assert_eq!(after(90, -1), ["sbom", "zero"]);
    store.download(RUN, "sbom", &folder.join("to")).expect("what is left is whole");
    assert_eq!(after(90, 0), [] as [&str; 0]);
}

fn a_download_replaces_and_stays_inside<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "uploaded");
    store.upload(&request(folder, "a", &["f"])).expect("it is uploaded");
    let to = folder.join("to");
    write(&folder.join("outside"), "untouched");
    fs::create_dir_all(&to).expect("a folder is made");
    symlink(folder.join("outside"), to.join("f")).expect("a link is made");
    store.download(RUN, "a", &to).expect("it is downloaded");
    assert_eq!(fs::read(folder.join("outside")).expect("it is there"), b"untouched");
    assert_eq!(fs::read(to.join("f")).expect("it is there"), b"uploaded");
    write(&to.join("f"), "changed since");
    store.download(RUN, "a", &to).expect("it is downloaded again");
    assert_eq!(fs::read(to.join("f")).expect("it is there"), b"uploaded");
}
