//! The folder keeps every promise of the port.

use lineclear_store::contract;
use lineclear_store_folder::{Durability, FolderStore, Settings};

fn check_settings(settings: &Settings) {
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    let mut count = 0;
    contract::all(&scratch.path().join("work"), |limits| {
        count += 1;
        let settings = Settings { limits: limits.clone(), ..settings.clone() };
        FolderStore::open_with(scratch.path().join(format!("store {count}")), settings).expect("the store opens")
    });
}

#[test]
fn the_folder_keeps_every_promise() {
    check_settings(&Settings { threads: Some(2), ..Settings::default() });
}

#[test]
fn so_it_does_on_one_thread_and_with_the_disk_synchronised() {
    check_settings(&Settings { threads: Some(1), durability: Durability::PowerLoss, ..Settings::default() });
}

#[test]
fn and_with_more_threads_than_work() {
    check_settings(&Settings { threads: Some(7), ..Settings::default() });
}
