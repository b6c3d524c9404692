//! Bits that flip, files that vanish.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use lineclear_store::contract::{NOW, noise};
use lineclear_store::{Archives, ArtifactRequest, Artifacts, NewCacheArchive, StoreError};
use lineclear_store_folder::FolderStore;

use super::{PIECE, RUN, new_artifact, new_cache, place, prune, read_all, upload_to};

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it can be opened");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it can be read");
    file.write_all_at(&[byte[0] ^ 0x04], at).expect("it can be written");
}

#[test]
fn a_flipped_bit_is_never_given_out() {
    let (one, two) = (noise(1, 2 * PIECE + 9), noise(2, 500));
    let whole = [&one[..], &two].concat();
    // In the contents, piece by piece; in the hashes; in the length.
    let length = one.len() as u64;
    for (at, sound) in [
        (0, 0),
        (PIECE as u64 + 7, PIECE),
        (length - 1, 2 * PIECE),
        (length + 3, 0),
        (length + 70, 0),
        (length + 96, 0),
    ] {
        let place = place();
        let entry = place.save("k", &[&one, &two]);
        let mut before = place.store.open_cache(&entry).expect("it is opened");
        flip(&place.archived()[0], at);
        let (bytes, outcome) = read_all(&mut before);
        assert!(bytes == whole[..sound], "byte {at}: {} bytes are given out, {sound} are sound", bytes.len());
        match outcome {
            Err(StoreError::Damaged { what, why }) => {
                assert_eq!(what, "cache entry `k`, block 1 of 2");
                assert!(why.ends_with("; the entry has been dropped, the next save makes it anew"), "{why}");
            }
            other => panic!("byte {at}: it is damaged: {other:?}"),
        }
        assert!(place.find("k").is_err(), "a damaged entry is dropped");
        assert!(matches!(place.store.open_cache(&entry), Err(StoreError::NotFound { .. })));
        drop(before);
        let again = place.save("k", &[&one, &two]);
        let (bytes, outcome) = read_all(&mut place.store.open_cache(&again).expect("it is opened"));
        outcome.expect("what was made anew is whole");
        assert!(bytes == whole);
        prune(&place.store, NOW);
        assert_eq!(place.archived().len(), 3, "the damaged one is swept");
    }
}

#[test]
fn damage_that_is_seen_from_outside_is_no_hit() {
    type Harm = fn(&Path);
    let harms: [Harm; 2] = [
        |file| fs::remove_file(file).expect("it can be removed"),
        |file| {
            let length = fs::metadata(file).expect("it is there").len();
            OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length - 1)).expect("it can be cut");
        },
    ];
    for harm in harms {
        for file in 0..3 {
            let place = place();
            place.save("k-old", &[b"whole"]);
            let sound = place.archived();
            let later = upload_to(&place.store, &[&noise(1, 9000), &noise(2, 70)]).expect("it is uploaded");
            let new = NewCacheArchive { now: NOW.plus_millis(1), ..new_cache("k-new", &later) };
            place.store.keep_cache(&new).expect("the cache is kept");
            assert_eq!(place.find("k-").expect("it is a hit").key, "k-new");
            let files: Vec<PathBuf> = place.archived().into_iter().filter(|file| !sound.contains(file)).collect();
            harm(&files[file]);
            assert_eq!(place.find("k-").expect("it is a hit").key, "k-old", "a damaged entry gives way to the next");
            let miss = place.find("k-new").expect_err("it is dropped");
            assert!(miss.contains("no entry begins with `k-new`"), "{miss}");
        }
    }
}

#[test]
fn a_block_in_the_place_of_another_is_found() {
    let place = place();
    let entry = place.save("k", &[&noise(1, 5000), &noise(2, 5000)]);
    let files = place.archived();
    let (one, two) = (fs::read(&files[0]).expect("it can be read"), fs::read(&files[1]).expect("it can be read"));
    assert_eq!(one.len(), two.len());
    fs::write(&files[0], two).and_then(|()| fs::write(&files[1], one)).expect("they can be written");
    let (bytes, outcome) = read_all(&mut place.store.open_cache(&entry).expect("it is opened"));
    assert!(bytes.is_empty() && matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn a_list_of_blocks_that_was_altered_is_found() {
    let place = place();
    let entry = place.save("k", &[&noise(1, 50), &noise(2, 50)]);
    let list = place.archived().into_iter().find(|file| file.ends_with("list.json")).expect("there is a list");
    let text = fs::read_to_string(&list).expect("it can be read");
    fs::write(&list, text.replace("\"size\":100", "\"size\":101")).expect("it can be written");
    match place.store.open_cache(&entry) {
        Err(StoreError::Damaged { what, why }) => {
            assert_eq!(what, "cache entry `k`");
            assert!(why.contains("its list of blocks is not what was stored"), "{why}");
        }
        other => panic!("it is damaged: {other:?}"),
    }
    assert!(place.find("k").is_err());
}

#[test]
fn a_damaged_artifact_is_told_of_and_stays_listed() {
    let place = place();
    let upload = upload_to(&place.store, &[&noise(1, 100), &noise(2, 90_000)]).expect("it is uploaded");
    let meta = place.store.keep_artifact(&new_artifact("report.txt", &upload)).expect("it is kept");
    let file = &place.archived()[0];
    flip(file, 44_000);
    let damaged = |outcome: Result<(), StoreError>, why: &str| match outcome {
        Err(error @ StoreError::Damaged { .. }) => {
            let text = error.to_string();
            assert!(text.contains("artifact `report.txt` of run 7, block 2 of 2"), "{text}");
            assert!(text.contains(why) && text.ends_with("upload it again"), "{text}");
        }
        other => panic!("it is damaged: {other:?}"),
    };
    let open = || read_all(&mut place.store.open_artifact(RUN, "report.txt").expect("it is opened"));
    let (bytes, outcome) = open();
    assert!(bytes == noise(1, 100));
    damaged(outcome, "not what was stored");
    let to = place.path("to");
    damaged(place.store.download(RUN, "report.txt", &to).map(drop), "not what was stored");
    assert!(!to.join("report.txt").exists(), "half a file is not left behind");
    let length = fs::metadata(file).expect("it is there").len();
    OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length / 2)).expect("it can be cut");
    damaged(open().1, "cut off");
    fs::write(file, b"").expect("it can be emptied");
    damaged(open().1, "cut off");
    fs::remove_file(file).expect("it can be removed");
    damaged(open().1, "missing");
    assert_eq!(Artifacts::list(&place.store, RUN).expect("artifacts are listed"), [meta]);
    place.store.delete(RUN, "report.txt").expect("it is deleted");
}

#[test]
fn damage_before_the_end_of_an_upload_is_found_at_its_end() {
    let place = place();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    place.store.put_block(&upload, "a", &mut &noise(1, 5000)[..]).expect("a block is kept");
    let folder = place.path("store/uploads").join(&upload.0);
    let file = fs::read_dir(&folder).expect("it is there").flatten().next().expect("there is one").path();
    flip(&file, 77);
    // A process that did not see the block come has to read it.
    let other = FolderStore::open(place.path("store")).expect("the store opens");
    let outcome = other.assemble(&upload, &["a".into()]);
    assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn a_zip_of_damaged_files_breaks_off() {
    let place = place();
    let names = ["a", "b"];
    for (number, name) in names.iter().enumerate() {
        fs::write(place.path(name), noise(number as u64 + 1, 9_000_000)).expect("it can be written");
    }
    let request = ArtifactRequest {
        run: RUN,
        name: "files".into(),
        files: names.iter().map(|name| ((*name).to_owned(), place.path(name))).collect(),
        overwrite: false,
        retention_days: None,
        compression_level: 0,
        now: NOW,
    };
    place.store.upload(&request).expect("it is uploaded");
    let open = || place.store.open_artifact(RUN, "files").expect("it is opened");
    let (whole, outcome) = read_all(&mut open());
    outcome.expect("it is whole");
    let blobs = fs::read_dir(place.path("store/blobs")).expect("there are blobs").flatten();
    let blobs = blobs.flat_map(|folder| fs::read_dir(folder.path()).expect("it is a folder").flatten());
    let mut broken = 0;
    for blob in blobs.map(|blob| blob.path()) {
        let length = fs::metadata(&blob).expect("it is there").len();
        if length < 500_000 {
            continue;
        }
        flip(&blob, length / 2);
        let (bytes, outcome) = read_all(&mut open());
        assert!(whole.starts_with(&bytes) && bytes.len() < whole.len(), "only what is sound is given out");
        match outcome {
            Err(StoreError::Damaged { what, why }) => {
                assert_eq!(what, "artifact `files` of run 7");
                assert!(why.ends_with("; upload it again"), "{why}");
            }
            other => panic!("it is damaged: {other:?}"),
        }
        flip(&blob, length / 2);
        broken += 1;
    }
    assert!(broken >= 2, "contents are in {broken} blobs");
}
