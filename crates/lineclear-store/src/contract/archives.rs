//! Promises about uploads and the artifacts that are made of them.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use lineclear_event::{RunId, hexadecimal};
use sha2::{Digest, Sha256};

use super::{NOW, Promise, RUN, WholeStore, noise, snapshot, write};
use crate::{
    ArtifactMeta, ArtifactRequest, Artifacts, Assembled, DAY_MS, Limits, MAX_BLOCKS, NewArchive, OpenArchive,
    StoreError, UploadId, zip,
};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        (
            "trap_83_blocks_come_in_any_order_and_the_list_decides",
            trap_83_blocks_come_in_any_order_and_the_list_decides,
        ),
        ("an_upload_ends_once", an_upload_ends_once),
        ("what_is_no_upload_is_not_found", what_is_no_upload_is_not_found),
        ("blocks_of_many_senders_at_a_time", blocks_of_many_senders_at_a_time),
        ("a_sender_that_breaks_off_leaves_nothing", a_sender_that_breaks_off_leaves_nothing),
        ("archives_and_files_share_the_names_of_a_run", archives_and_files_share_the_names_of_a_run),
        ("what_did_not_arrive_as_it_was_sent_is_refused", what_did_not_arrive_as_it_was_sent_is_refused),
        ("trap_84_a_zip_is_unpacked_and_a_raw_file_is_written", trap_84_a_zip_is_unpacked_and_a_raw_file_is_written),
        ("a_zip_that_leads_out_is_refused", a_zip_that_leads_out_is_refused),
        ("files_are_had_as_a_zip", files_are_had_as_a_zip),
        ("s1_59_s1_92_s4_31_archives_go_when_their_days_are_over", s1_59_s1_92_s4_31_archives_go_by_their_days),
        ("uploads_that_nobody_ends_go_after_a_day", uploads_that_nobody_ends_go_after_a_day),
    ]
}

pub(super) fn names(blocks: &[&str]) -> Vec<String> {
    blocks.iter().map(|block| (*block).to_owned()).collect()
}

pub(super) fn put<S: WholeStore>(store: &S, upload: &UploadId, block: &str, bytes: &[u8]) {
    let length = store.put_block(upload, block, &mut &*bytes).expect("a block is kept");
    assert_eq!(length, bytes.len() as u64);
}

pub(super) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)))
}

/// An upload of `bytes` in blocks of `length`, ended.
pub(super) fn uploaded<S: WholeStore>(store: &S, bytes: &[u8], length: usize) -> UploadId {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    let mut list = Vec::new();
    for (number, block) in bytes.chunks(length).enumerate() {
        list.push(format!("block {number}"));
        put(store, &upload, &list[number], block);
    }
    let assembled = store.assemble(&upload, &list).expect("the upload ends");
    assert_eq!(assembled, Assembled { size: bytes.len() as u64, digest: digest_of(bytes) });
    upload
}

fn archive(name: &str, upload: &UploadId) -> NewArchive {
    NewArchive {
        run: RUN,
        name: name.into(),
        upload: upload.clone(),
        content_type: "application/zip".into(),
        digest: None,
        overwrite: false,
        retention_days: None,
        now: NOW,
    }
}

/// All bytes of an archive, read in odd lengths.
pub(super) fn all_of(open: &mut OpenArchive) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 333_333];
    loop {
        match open.content.read_at(bytes.len() as u64, &mut buffer).expect("it is whole") {
            0 => break,
            read => bytes.extend(&buffer[..read]),
        }
    }
    assert_eq!(bytes.len() as u64, open.size);
    bytes
}

fn trap_83_blocks_come_in_any_order_and_the_list_decides<S: WholeStore>(store: &S, _: &Path) {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    let (one, two, three) = (noise(1, 3_000_001), noise(2, 1 << 20), noise(3, 5));
    put(store, &upload, "AAAC/+==", &three);
    put(store, &upload, "AAAB/+==", b"a first try that broke off");
    put(store, &upload, "../../AAAA", &one);
    put(store, &upload, "unwanted", b"nobody lists this");
    put(store, &upload, "", b"");
    put(store, &upload, "AAAB/+==", &two);
    let list = names(&["../../AAAA", "AAAB/+==", "", "AAAC/+==", "AAAC/+=="]);
    let assembled = store.assemble(&upload, &list).expect("the upload ends");
    let whole = [&one[..], &two, &three, &three].concat();
    assert_eq!(assembled, Assembled { size: whole.len() as u64, digest: digest_of(&whole) });
    let meta = store.keep_artifact(&archive("a", &upload)).expect("it is kept");
    assert_eq!((meta.size, meta.files, &meta.digest), (assembled.size, 1, &assembled.digest));
    assert_eq!(meta.content_type.as_deref(), Some("application/zip"));

    let mut open = store.open_artifact(RUN, "a").expect("it is opened");
    assert_eq!((open.size, open.content_type.as_str()), (assembled.size, "application/zip"));
    assert_eq!(open.digest, Some(assembled.digest));
    assert!(all_of(&mut open) == whole, "the bytes are those of the list");
    // From any place, backwards too, and across the ends of blocks.
    let end = whole.len();
    for (at, length) in [(end - 3, 10), (one.len() - 2, 4), (0, 1), (one.len() + two.len() - 1, 3), (2_097_151, 2)] {
        let mut part = vec![0; length];
        let read = open.content.read_at(at as u64, &mut part).expect("it is whole");
        assert_eq!(read, length.min(end - at), "at {at}");
        assert_eq!(part[..read], whole[at..at + read], "at {at}");
    }
    assert_eq!(open.content.read_at(end as u64, &mut [0; 4]).expect("the end is no error"), 0);
    assert_eq!(open.content.read_at(u64::MAX, &mut [0; 4]).expect("the end is no error"), 0);
    assert_eq!(open.content.read_at(0, &mut []).expect("nothing is asked for"), 0);

    let empty = uploaded(store, b"", 1);
    store.keep_artifact(&archive("empty", &empty)).expect("an archive may be empty");
    assert_eq!(all_of(&mut store.open_artifact(RUN, "empty").expect("it is opened")), b"");
}

fn an_upload_ends_once<S: WholeStore>(store: &S, _: &Path) {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    put(store, &upload, "1", b"one");
    let refused = store.assemble(&upload, &names(&["1", "2"]));
    assert!(matches!(refused, Err(StoreError::Refused(ref why)) if why.contains("block `2`")), "{refused:?}");
    let early = store.keep_artifact(&archive("a", &upload));
    assert!(matches!(early, Err(StoreError::Refused(ref why)) if why.contains("has not ended")), "{early:?}");
    put(store, &upload, "2", b"two");
    let long = vec!["1".to_owned(); MAX_BLOCKS + 1];
    assert!(matches!(store.assemble(&upload, &long), Err(StoreError::Refused(_))));
    let first = store.assemble(&upload, &names(&["1", "2"])).expect("what was missing has come");
    assert_eq!(store.assemble(&upload, &names(&["1", "2"])).expect("the same again"), first);
    let other = store.assemble(&upload, &names(&["2", "1"]));
    assert!(matches!(other, Err(StoreError::Refused(ref why)) if why.contains("another list")), "{other:?}");
    let late = store.put_block(&upload, "3", &mut &b"late"[..]);
    assert!(matches!(late, Err(StoreError::NotFound { .. })), "{late:?}");
    let kept = store.keep_artifact(&archive("a", &upload)).expect("it is kept");
    assert_eq!(store.keep_artifact(&archive("a", &upload)).expect("the answer may have been lost"), kept);
    let elsewhere = store.keep_artifact(&archive("b", &upload));
    assert!(matches!(elsewhere, Err(StoreError::NotFound { .. })), "an upload becomes one thing: {elsewhere:?}");
    assert_eq!(Artifacts::list(store, RUN).expect("artifacts are listed"), [kept]);
    store.abandon_upload(&upload).expect("it is no upload any more");
    assert_eq!(all_of(&mut store.open_artifact(RUN, "a").expect("it is opened")), b"onetwo");
}

fn what_is_no_upload_is_not_found<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("victim/file"), "untouched");
    let given = store.begin_upload(NOW).expect("an upload begins");
    assert_ne!(given, store.begin_upload(NOW).expect("an upload begins"));
    assert_eq!(given.begun(), Some(NOW));
    let outside = format!("{}/victim", folder.display());
    let unknown = format!("{}f", &given.0[..given.0.len() - 1]);
    let upper = given.0.to_uppercase();
    for name in ["", ".", "..", "../uploads", outside.as_str(), &unknown[1..], &format!("{}.ended", given.0)] {
        let upload = UploadId(name.into());
        assert!(matches!(store.put_block(&upload, "1", &mut &b"1"[..]), Err(StoreError::NotFound { .. })), "{name}");
        assert!(matches!(store.assemble(&upload, &[]), Err(StoreError::NotFound { .. })), "{name}");
        assert!(matches!(store.keep_artifact(&archive("a", &upload)), Err(StoreError::NotFound { .. })), "{name}");
        store.abandon_upload(&upload).expect("none is as good as forgotten");
    }
    if upper != given.0 {
        let other = store.put_block(&UploadId(upper), "1", &mut &b"1"[..]);
        assert!(matches!(other, Err(StoreError::NotFound { .. })), "{other:?}");
    }
    assert_eq!(fs::read(folder.join("victim/file")).expect("it is there"), b"untouched");
    store.abandon_upload(&given).expect("it is forgotten");
    assert!(matches!(store.put_block(&given, "1", &mut &b"1"[..]), Err(StoreError::NotFound { .. })));
    let ended = uploaded(store, b"1", 1);
    store.abandon_upload(&ended).expect("it is forgotten");
    assert!(matches!(store.assemble(&ended, &names(&["block 0"])), Err(StoreError::NotFound { .. })));
    let bad_type = NewArchive { content_type: "text/html\r\nset-cookie: a".into(), ..archive("a", &given) };
    assert!(matches!(store.keep_artifact(&bad_type), Err(StoreError::Refused(_))));
    let bad_name = archive("a/b", &given);
    assert!(matches!(store.keep_artifact(&bad_name), Err(StoreError::Refused(_))));
    assert!(matches!(store.open_artifact(RUN, "a"), Err(StoreError::NotFound { .. })));
}

fn blocks_of_many_senders_at_a_time<S: WholeStore>(store: &S, _: &Path) {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    let blocks: Vec<Vec<u8>> = (0..12).map(|number| noise(number + 1, 200_000 + number as usize)).collect();
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let (blocks, upload) = (&blocks, &upload);
            scope.spawn(move || {
                for (number, block) in blocks.iter().enumerate().filter(|(number, _)| number % 4 == sender) {
                    put(store, upload, &number.to_string(), block);
                }
            });
        }
    });
    let list: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let assembled = store.assemble(&upload, &list).expect("the upload ends");
    assert_eq!(assembled.digest, digest_of(&blocks.concat()));
}

/// Gives some bytes, then breaks.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let length = self.0.min(into.len());
        into[..length].fill(7);
        self.0 -= length;
        Ok(length)
    }
}

fn a_sender_that_breaks_off_leaves_nothing<S: WholeStore>(store: &S, _: &Path) {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    put(store, &upload, "1", b"whole");
    let broken = store.put_block(&upload, "1", &mut Broken(3_000_000));
    assert!(matches!(broken, Err(StoreError::Io { .. })), "{broken:?}");
    assert!(store.put_block(&upload, "2", &mut Broken(10)).is_err());
    assert!(matches!(store.assemble(&upload, &names(&["1", "2"])), Err(StoreError::Refused(_))));
    assert_eq!(store.usage().expect("usage is counted").uploads, 1);
    let assembled = store.assemble(&upload, &names(&["1"])).expect("the upload ends");
    assert_eq!(assembled, Assembled { size: 5, digest: digest_of(b"whole") });
}

fn request(folder: &Path, name: &str) -> ArtifactRequest {
    ArtifactRequest {
        run: RUN,
        name: name.into(),
        files: vec![("f".into(), folder.join("f"))],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: NOW,
    }
}

fn archives_and_files_share_the_names_of_a_run<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "a file");
    store.upload(&request(folder, "files")).expect("it is uploaded");
    let upload = uploaded(store, b"PK archive", 4);
    let taken = store.keep_artifact(&archive("files", &upload));
    assert!(matches!(taken, Err(StoreError::ArtifactExists { ref name }) if name == "files"), "{taken:?}");
    let first = store.keep_artifact(&archive("archive", &upload)).expect("a refusal leaves the upload as it was");
    assert!(matches!(store.upload(&request(folder, "archive")), Err(StoreError::ArtifactExists { .. })));

    let second = uploaded(store, b"newer", 5);
    assert!(matches!(store.keep_artifact(&archive("archive", &second)), Err(StoreError::ArtifactExists { .. })));
    let newer = NewArchive { overwrite: true, ..archive("archive", &second) };
    let replaced = store.keep_artifact(&newer).expect("it is replaced");
    assert!(replaced.id > first.id);
    assert_eq!(all_of(&mut store.open_artifact(RUN, "archive").expect("it is opened")), b"newer");
    let third = uploaded(store, b"over files", 5);
    let over = NewArchive { overwrite: true, ..archive("files", &third) };
    store.keep_artifact(&over).expect("an archive replaces files");
    assert_eq!(all_of(&mut store.open_artifact(RUN, "files").expect("it is opened")), b"over files");
    store.upload(&ArtifactRequest { overwrite: true, ..request(folder, "archive") }).expect("files replace an archive");
    store.download(RUN, "archive", &folder.join("to")).expect("it is downloaded");
    assert_eq!(fs::read(folder.join("to/f")).expect("it is there"), b"a file");

    let listed = Artifacts::list(store, RUN).expect("artifacts are listed");
    let kinds: Vec<(&str, Option<&str>)> =
        listed.iter().map(|meta| (meta.name.as_str(), meta.content_type.as_deref())).collect();
    assert_eq!(kinds, [("archive", None), ("files", Some("application/zip"))]);
    let usage = store.usage().expect("usage is counted");
    assert_eq!((usage.artifacts, usage.artifact_bytes, usage.uploads), (2, 16, 0));
    store.delete(RUN, "files").expect("it is deleted");
    assert!(matches!(store.open_artifact(RUN, "files"), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.open_artifact(RunId(8), "archive"), Err(StoreError::NotFound { .. })));
}

fn what_did_not_arrive_as_it_was_sent_is_refused<S: WholeStore>(store: &S, _: &Path) {
    let upload = uploaded(store, b"what came", 4);
    let (sent, came) = (digest_of(b"what was sent"), digest_of(b"what came"));
    let wrong = NewArchive { digest: Some(sent.clone()), ..archive("a", &upload) };
    match store.keep_artifact(&wrong) {
        Err(StoreError::Refused(why)) => assert!(why.contains(&sent) && why.contains(&came), "{why}"),
        other => panic!("it is refused: {other:?}"),
    }
    assert!(Artifacts::list(store, RUN).expect("artifacts are listed").is_empty());
    let upper = came.replace("sha256:", "SHA256:").to_uppercase().replace("SHA256:", "sha256:");
    let right = NewArchive { digest: Some(upper), ..archive("a", &upload) };
    assert_eq!(store.keep_artifact(&right).expect("it is kept").digest, came);
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::Packer::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.file(name, bytes.len() as u64, &mut &**bytes).expect("memory can be written to");
    }
    zip.finish().expect("memory can be written to").0.into_inner()
}

fn trap_84_a_zip_is_unpacked_and_a_raw_file_is_written<S: WholeStore>(store: &S, folder: &Path) {
    let page = noise(4, 2_500_000);
    let packed = zip_of(&[("site/index.html", b"<html>"), ("site/big.bin", &page), ("empty", b"")]);
    let meta = store.keep_artifact(&archive("site", &uploaded(store, &packed, 1 << 20))).expect("it is kept");
    let to = folder.join("to");
    write(&to.join("other"), "stays");
    assert_eq!(store.download(RUN, "site", &to).expect("it is downloaded"), meta);
    assert_eq!(fs::read(to.join("site/index.html")).expect("it is there"), b"<html>");
    assert!(fs::read(to.join("site/big.bin")).expect("it is there") == page);
    assert_eq!(fs::read(to.join("empty")).expect("it is there"), b"");
    assert_eq!(fs::read(to.join("other")).expect("it is there"), b"stays");

    let raw = NewArchive {
        content_type: "text/plain; charset=utf-8".into(),
        ..archive("report.txt", &uploaded(store, b"all is well", 3))
    };
    store.keep_artifact(&raw).expect("it is kept");
    let to = folder.join("raw");
    write(&folder.join("outside"), "untouched");
    fs::create_dir_all(&to).expect("a folder is made");
    std::os::unix::fs::symlink(folder.join("outside"), to.join("report.txt")).expect("a link is made");
    store.download(RUN, "report.txt", &to).expect("it is downloaded");
    assert_eq!(fs::read(to.join("report.txt")).expect("it is there"), b"all is well");
    assert_eq!(fs::read(folder.join("outside")).expect("it is there"), b"untouched", "no link is followed");
    assert!(fs::symlink_metadata(to.join("report.txt")).expect("it is there").is_file());
    let open = store.open_artifact(RUN, "report.txt").expect("it is opened");
    assert_eq!(open.content_type, "text/plain; charset=utf-8");

    // A name that leads elsewhere as a folder is no name of an artifact.
    let dots = NewArchive { content_type: "text/plain".into(), ..archive("..", &uploaded(store, b"1", 1)) };
    assert!(matches!(store.keep_artifact(&dots), Err(StoreError::Refused(_))));
}

fn a_zip_that_leads_out_is_refused<S: WholeStore>(store: &S, folder: &Path) {
    let to = folder.join("to");
    for (number, bytes) in
        [zip_of(&[("ok", b"1"), ("../out", b"1")]), b"this is no zip at all, by no means".to_vec()].iter().enumerate()
    {
        let name = format!("bad {number}");
        store.keep_artifact(&archive(&name, &uploaded(store, bytes, 7))).expect("what it holds is the client's");
        let refused = store.download(RUN, &name, &to);
        assert!(matches!(refused, Err(StoreError::Refused(ref why)) if why.contains(&name)), "{refused:?}");
    }
    assert!(!folder.join("out").exists() && !to.join("ok").exists(), "nothing is written of what is refused");
}

fn files_are_had_as_a_zip<S: WholeStore>(store: &S, folder: &Path) {
    let long = noise(3, 17_000_000);
    write(&folder.join("from/b/c.txt"), "deep");
    write(&folder.join("from/b.txt"), "same");
    write(&folder.join("from/empty"), "");
    write(&folder.join("from/long.bin"), &long);
    write(&folder.join("from/é b"), "same");
    let files = ["long.bin", "b/c.txt", "b.txt", "é b", "empty"];
    let request = ArtifactRequest {
        files: files.iter().map(|file| ((*file).to_owned(), folder.join("from").join(file))).collect(),
        ..request(folder, "a")
    };
    store.upload(&request).expect("it is uploaded");
    let mut open = store.open_artifact(RUN, "a").expect("it is opened");
    assert_eq!((open.content_type.as_str(), open.digest.as_deref()), ("application/zip", None));
    let bytes = all_of(&mut open);
    let again = all_of(&mut store.open_artifact(RUN, "a").expect("it is opened"));
    assert!(bytes == again, "the same files give the same zip");
    let to = folder.join("to");
    let unpacked = zip::unpack(&mut *open.content, open.size, &to, &zip::UnpackLimits::default());
    assert_eq!(unpacked.expect("it is a zip").files, 5);
    let contents = |folder: &Path| -> Vec<_> {
        let plain = |what: String| what.split_whitespace().skip(3).collect::<String>();
        snapshot(folder).into_iter().map(|(path, what)| (path, plain(what))).collect()
    };
    assert_eq!(contents(&to), contents(&folder.join("from")));
}

/// Rows S1-59 (90 days), S1-92 (7 and 30 days), S4-31 (30 days).
fn s1_59_s1_92_s4_31_archives_go_by_their_days<S: WholeStore>(store: &S, folder: &Path) {
    let keep = |name: &str, days: Option<u32>| -> ArtifactMeta {
        let upload = uploaded(store, name.as_bytes(), 3);
        let new = NewArchive { retention_days: days, content_type: "text/plain".into(), ..archive(name, &upload) };
        store.keep_artifact(&new).expect("it is kept")
    };
    assert_eq!(keep("sbom.json", Some(90)).expires, Some(NOW.plus_millis(90 * DAY_MS)));
    assert_eq!(keep("failure.log", Some(7)).expires, Some(NOW.plus_millis(7 * DAY_MS)));
    assert_eq!(keep("report.xml", Some(30)).expires, Some(NOW.plus_millis(30 * DAY_MS)));
    assert_eq!(keep("unsaid", None).expires, Some(NOW.plus_millis(90 * DAY_MS)), "90 days by default");
    assert_eq!(keep("zero", Some(0)).expires, Some(NOW.plus_millis(90 * DAY_MS)), "zero means the default");
    let after = |days: i64, millis: i64| -> Vec<String> {
        store.prune(NOW.plus_millis(days * DAY_MS + millis), &Limits::default()).expect("the store is pruned");
        Artifacts::list(store, RUN).expect("artifacts are listed").into_iter().map(|meta| meta.name).collect()
    };
    assert_eq!(after(7, -1), ["failure.log", "report.xml", "sbom.json", "unsaid", "zero"]);
    assert_eq!(after(7, 0), ["report.xml", "sbom.json", "unsaid", "zero"]);
    assert_eq!(after(30, -1).len(), 4);
    assert_eq!(after(30, 0), ["sbom.json", "unsaid", "zero"]);
    assert_eq!(after(90, -1).len(), 3);
    store.download(RUN, "sbom.json", folder).expect("what is left is whole");
    assert_eq!(after(90, 0), [] as [&str; 0]);
    assert_eq!(store.usage().expect("usage is counted").stored_bytes, 0, "nothing is left of what went");
}

fn uploads_that_nobody_ends_go_after_a_day<S: WholeStore>(store: &S, _: &Path) {
    let prune = |millis: i64| store.prune(NOW.plus_millis(millis), &Limits::default()).expect("the store is pruned");
    let open = store.begin_upload(NOW).expect("an upload begins");
    put(store, &open, "1", &noise(1, 100_000));
    let ended = uploaded(store, &noise(2, 50_000), 20_000);
    let later = store.begin_upload(NOW.plus_millis(2)).expect("an upload begins");
    put(store, &later, "1", b"1");
    let usage = store.usage().expect("usage is counted");
    assert_eq!((usage.uploads, usage.artifacts, usage.stored_bytes), (3, 0, 0));
    assert!((150_001..160_000).contains(&usage.upload_bytes), "{usage:?}");
    assert_eq!(prune(DAY_MS - 1).uploads, 0);
    put(store, &open, "2", b"it still goes on");
    let report = prune(DAY_MS + 1);
    assert_eq!(report.uploads, 2);
    assert!(report.freed >= 150_000, "{report:?}");
    assert!(matches!(store.put_block(&open, "3", &mut &b"3"[..]), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.keep_artifact(&archive("a", &ended)), Err(StoreError::NotFound { .. })));
    put(store, &later, "2", b"2");
    assert_eq!(store.usage().expect("usage is counted").uploads, 1);
}
