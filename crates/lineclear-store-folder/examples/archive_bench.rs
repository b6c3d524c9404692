//! Uploads and reads an archive, for timing beside `cat` and `sha256sum`: see `docs/performance.md`.
//!
//! `archive_bench STORE upload MEGABYTES BLOCK_MEGABYTES SENDERS` · `archive_bench STORE download`

use std::io::{Read, Write};
use std::time::Instant;

use lineclear_event::{RunId, Timestamp};
use lineclear_store::{Archives, NewArchive, StoreError, UploadId};
use lineclear_store_folder::FolderStore;

type Failure = Box<dyn std::error::Error>;

const RUN: RunId = RunId(1);

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (store, rest) = arguments.split_first().ok_or("no store named")?;
    let store = FolderStore::open(store)?;
    match rest {
        ["upload", size, block, senders] => {
            upload(&store, size.parse::<u64>()? << 20, block.parse::<u64>()? << 20, senders.parse()?)
        }
        ["download"] => download(&store),
        _ => Err("not understood".into()),
    }
}

fn upload(store: &FolderStore, size: u64, block: u64, senders: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    let upload = store.begin_upload(Timestamp(0))?;
    let blocks = size.div_ceil(block);
    let send = |first: u64| -> Result<(), StoreError> {
        for number in (first..blocks).step_by(usize::try_from(senders).unwrap_or(1)) {
            let length = (size - number * block).min(block);
            put(store, &upload, number, length)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..senders).map(|first| scope.spawn(move || send(first))).collect();
        senders.into_iter().try_for_each(|sender| sender.join().expect("no sender panics"))
    })?;
    let sent = begun.elapsed();
    let list: Vec<String> = (0..blocks).map(|number| number.to_string()).collect();
    let assembled = store.assemble(&upload, &list)?;
    let ended = begun.elapsed() - sent;
    store.keep_artifact(&NewArchive {
        run: RUN,
        name: "a".into(),
        upload,
        content_type: "application/octet-stream".into(),
        digest: None,
        overwrite: true,
        retention_days: None,
        now: Timestamp(0),
    })?;
    let text = format!("{} bytes: blocks {sent:?}, their list {ended:?}\n", assembled.size);
    std::io::stderr().write_all(text.as_bytes())?;
    Ok(())
}

fn put(store: &FolderStore, upload: &UploadId, number: u64, length: u64) -> Result<u64, StoreError> {
    store.put_block(upload, &number.to_string(), &mut std::io::repeat(number as u8).take(length))
}

fn download(store: &FolderStore) -> Result<(), Failure> {
    let mut open = store.open_artifact(RUN, "a")?;
    let mut buffer = vec![0; 1 << 18];
    let mut at = 0;
    let mut output = std::io::stdout().lock();
    loop {
        let read = open.content.read_at(at, &mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        output.write_all(&buffer[..read])?;
        at += read as u64;
    }
}
