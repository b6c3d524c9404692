//! The registry against the distribution specification, without a network.
//!
//! `requirements` is the table: a row for each requirement, with its name. The same rows run over HTTP in `lineclear-services`.

mod requirements;
mod world;

use lineclear_store::MemoryStore;
use lineclear_store_folder::FolderStore;
use std::sync::Arc;

use requirements::check_all;
use world::Direct;

#[test]
fn every_requirement_of_the_distribution_specification_is_kept_in_memory() {
    check_all(|settings| Direct::over(Arc::new(MemoryStore::new()), settings));
}

#[test]
fn every_requirement_of_the_distribution_specification_is_kept_in_a_folder() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    check_all(|settings| {
        count += 1;
        let store = FolderStore::open(scratch.path().join(count.to_string())).expect("the store opens");
        Direct::over(Arc::new(store), settings)
    });
}
