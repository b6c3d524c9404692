//! Several processes, readers and sweeps, and names that want to be paths.

use std::fs;

use lineclear_event::hexadecimal;
use lineclear_store::contract::{NOW, noise};
use lineclear_store::{Archives, Caches, Limits, SaveOutcome, Upkeep};
use lineclear_store_folder::FolderStore;
use sha2::{Digest, Sha256};

use super::{PIECE, new_artifact, new_cache, place, prune, read_all, upload_to};

#[test]
fn uploads_go_on_in_another_process() {
    let place = place();
    let other = FolderStore::open(place.path("store")).expect("the store opens");
    let blocks: Vec<Vec<u8>> = (0..6).map(|number| noise(number + 1, 1_500_000)).collect();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    for (number, block) in blocks.iter().enumerate() {
        let store = if number % 2 == 0 { &place.store } else { &other };
        store.put_block(&upload, &number.to_string(), &mut block.as_slice()).expect("a block is kept");
    }
    let list: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    // Both end it at the same time: one does the work.
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| place.store.assemble(&upload, &list));
        let two = scope.spawn(|| other.assemble(&upload, &list));
        (one.join().expect("it does not panic"), two.join().expect("it does not panic"))
    });
    let (one, two) = (one.expect("it ends"), two.expect("it ends"));
    assert_eq!(one, two);
    assert_eq!(one.digest, format!("sha256:{}", hexadecimal(&Sha256::digest(blocks.concat()))));
    let entry = match other.keep_cache(&new_cache("k", &upload)).expect("the cache is kept") {
        SaveOutcome::Saved(entry) => entry,
        SaveOutcome::Exists => panic!("it is new"),
    };
    let (bytes, outcome) = read_all(&mut place.store.open_cache(&entry).expect("it is opened"));
    outcome.expect("it is whole");
    assert!(bytes == blocks.concat());
}

#[test]
fn of_two_processes_with_one_key_one_wins() {
    let place = place();
    for round in 0..10 {
        let stores: Vec<FolderStore> =
            (0..3).map(|_| FolderStore::open(place.path("store")).expect("the store opens")).collect();
        let key = format!("k{round}");
        let won: usize = std::thread::scope(|scope| {
            let keep = |store: &FolderStore| {
                let upload = upload_to(store, &[b"content"]).expect("it is uploaded");
                matches!(store.keep_cache(&new_cache(&key, &upload)).expect("the store answers"), SaveOutcome::Saved(_))
            };
            let senders: Vec<_> = stores.iter().map(|store| scope.spawn(move || keep(store))).collect();
            senders.into_iter().map(|sender| usize::from(sender.join().expect("no panic"))).sum()
        });
        assert_eq!(won, 1);
    }
    prune(&place.store, NOW);
    assert_eq!(place.archived().len(), 20, "nothing is left of those that lost");
    assert_eq!(place.store.usage().expect("usage is counted").uploads, 0);
}

#[test]
fn nothing_is_swept_while_someone_reads_it() {
    let place = place();
    let bytes = noise(1, 3 * PIECE);
    let entry = place.save("k", &[&bytes]);
    let mut open = place.store.open_cache(&entry).expect("it is opened");
    let mut start = vec![0; PIECE];
    assert_eq!(open.content.read_at(0, &mut start).expect("it is whole"), PIECE);
    place.store.remove(entry.id).expect("it is removed");
    assert!(place.store.prune(NOW, &Limits::default()).expect("the store is pruned").busy);
    let (read, outcome) = read_all(&mut open);
    outcome.expect("who reads it reads on");
    assert!(read == bytes);
    drop(open);
    let report = prune(&place.store, NOW);
    assert!(!report.busy && report.freed >= 3 * PIECE as u64, "{report:?}");
    assert!(place.archived().is_empty());
}

#[test]
fn names_of_blocks_are_no_paths() {
    let place = place();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    let names = ["../../escape", "/tmp/escape", "list.json", "part-0", "\0", "a\nb", &"x".repeat(100_000), "%2e%2e/x"];
    let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    for (number, name) in names.iter().enumerate() {
        place.store.put_block(&upload, name, &mut &[number as u8; 3][..]).expect("a block is kept");
    }
    assert_eq!(place.store.assemble(&upload, &list).expect("it ends").size, 24);
    let kept = place.store.keep_artifact(&new_artifact("a", &upload)).expect("it is kept");
    assert_eq!(kept.size, 24);
    let mut top: Vec<_> =
        fs::read_dir(place.folder.path()).expect("it is there").flatten().map(|file| file.file_name()).collect();
    top.sort();
    assert_eq!(top, ["store"]);
    assert!(!place.path("store/escape").exists() && !place.path("store/uploads/escape").exists());
}
