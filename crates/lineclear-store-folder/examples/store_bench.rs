//! Saves and restores a tree, for timing beside `tar | zstd`: see `docs/performance.md`.
//!
//! `store_bench STORE save BASE PATH KEY` · `store_bench STORE restore BASE KEY` · `store_bench STORE log < lines` ·
//! `store_bench STORE begin COUNT`

use std::io::Read;
use std::path::{Path, PathBuf};

use lineclear_event::{JobKey, Timestamp};
use lineclear_store::{CacheScope, Caches, Lookup, NewCache, NewRun, Store};
use lineclear_store_folder::FolderStore;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (store, rest) = arguments.split_first().ok_or("no store named")?;
    let store = FolderStore::open(store)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let now = Timestamp(i64::try_from(now)?);
    match rest {
        ["save", base, path, key] => save(&store, base, path, key, now),
        ["restore", base, key] => restore(&store, base, key, now),
        ["log"] => log(&store, now),
        ["begin", count] => {
            (0..count.parse::<u32>()?).try_for_each(|_| store.begin(run(now)).map(drop)).map_err(Into::into)
        }
        _ => Err("not understood".into()),
    }
}

fn run(now: Timestamp) -> NewRun {
    NewRun {
        repository: "o/r".into(),
        file: "ci.yml".into(),
        workflow: "CI".into(),
        event: "push".into(),
        reference: "refs/heads/main".into(),
        sha: "0123456789abcdef0123456789abcdef01234567".into(),
        started: now,
    }
}

fn save(store: &FolderStore, base: &str, path: &str, key: &str, now: Timestamp) -> Result<(), Failure> {
    let new = NewCache {
        repository: "o/r".into(),
        key: key.into(),
        version: "v".into(),
        scope: CacheScope("main".into()),
        paths: vec![PathBuf::from(path)],
        now,
    };
    let outcome = store.save(&new, Path::new(base))?;
    std::io::Write::write_all(&mut std::io::stderr(), format!("{outcome:?}\n").as_bytes())?;
    Ok(())
}

fn restore(store: &FolderStore, base: &str, key: &str, now: Timestamp) -> Result<(), Failure> {
    let lookup = Lookup {
        repository: "o/r".into(),
        keys: vec![key.into()],
        version: "v".into(),
        scopes: vec![CacheScope("main".into())],
        now,
    };
    let hit = store.find(&lookup)?.map_err(|miss| miss.reason)?;
    let report = store.restore(&hit, Path::new(base))?;
    std::io::Write::write_all(&mut std::io::stderr(), format!("{report:?}\n").as_bytes())?;
    Ok(())
}

/// Reads as a runner does: in blocks, handing on whole lines.
fn log(store: &FolderStore, now: Timestamp) -> Result<(), Failure> {
    let record = store.begin(run(now))?;
    let job = JobKey::new("job");
    let mut block = vec![0; 1 << 20];
    let (mut have, mut input) = (0, std::io::stdin().lock());
    loop {
        let end = (have + 65536).min(block.len());
        let read = input.read(&mut block[have..end])?;
        if read == 0 {
            break;
        }
        have += read;
        let whole = block[..have].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        record.log(&job, "step", now, &block[..whole])?;
        block.copy_within(whole..have, 0);
        have -= whole;
    }
    Ok(())
}
