//! Publishes of several commits at once, in any order: real moves, with a real registry and the ledger in files.
//!
//! CI ends, for one commit after another, while three publishers publish commits of their choice; some of them are killed at a random
//! step. Commits, colours, orders, pauses and kills come from a number, the seed: the same seed gives the same plan.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lineclear_deliver::{
    Book, BookError, Carried, MoveError, Mover, Order, Proofs, RegistryShelf, Shelf, ShelfError, Turn,
};
use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, Evidence, ImageStatement, MoveKind, RunId, RunWitness,
    Statement, Subject, Timestamp, Witness,
};
use lineclear_gate::{Commits, Index, Keeps, RequiredCheck, Rules, WantedTag};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{AnyManifest, Descriptor, Digest, ManifestParts, MediaType, Reference, Tag};
use lineclear_registry::{Client, ClientSettings};
use lineclear_store_folder::FolderStore;
use lineclear_testkit::images;

use super::random::Random;
use super::table::Row;
use super::truth::Counts;

/// Commits of an interleaving, one after the other.
const COMMITS: usize = 6;
/// How often each of three publishers tries.
const TRIES: usize = 3;
/// A publisher that is to be killed is killed before one of its first calls.
const CALLS: u64 = 40;
/// How many interleavings are played at once.
const AT_ONCE: usize = 6;
/// Where a file system in memory is, on most machines: what a killed publisher leaves does not depend on the disk.
const MEMORY: &str = "/dev/shm";

/// Where all of them happen.
struct Hall {
    registry: images::Registry,
    client: Client,
    store: Arc<FolderStore>,
    folder: tempfile::TempDir,
    /// The image of each commit, in the repository where CI has pushed it.
    digests: Vec<Digest>,
}

/// One of them.
struct Play<'h> {
    hall: &'h Hall,
    seed: u64,
    /// Which commits are green: known to the campaign, and to the ledger once CI has ended.
    green: Vec<bool>,
    release: Reference,
}

/// What came of some of them.
#[derive(Default)]
struct Sum {
    counts: Counts,
    moves: usize,
    killed: usize,
}

pub(super) fn run(first: u64, count: u64) -> Result<Row> {
    let (hall, next, sum) = (Hall::new()?, AtomicU64::new(first), Mutex::new(Sum::default()));
    let end = first + count;
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= end {
                return Ok(());
            }
            let played = Play::new(&hall, seed)?.outcome().with_context(|| format!("seed {seed}"))?;
            add(&mut sum.lock().unwrap_or_else(PoisonError::into_inner), seed, played);
        }
    };
    // They have nothing in common but the machine: a few at once are sooner done, and get into more orders.
    let ended: Vec<Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(joined).collect()
    });
    ended.into_iter().collect::<Result<()>>()?;
    let Sum { counts, moves, killed } = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let outcome = format!("{moves} moves, {killed} publishers killed, seeds {first} to {}", end - 1);
    let deed = format!(
        "{count} random interleavings of three publishers of {COMMITS} commits, red and green, while CI ends and publishers are killed"
    );
    let row = Row::of("interleavings", &deed, &outcome, &counts);
    row.show();
    Ok(row)
}

fn add(sum: &mut Sum, seed: u64, played: Sum) {
    sum.moves += played.moves;
    sum.killed += played.killed;
    if played.counts == Counts::default() {
        return;
    }
    println!("   seed {seed}: {:?}", played.counts);
    let again = format!("(`cargo xtask campaign interleavings --seed {seed} --interleavings 1`)");
    sum.counts.red.extend(played.counts.red.iter().map(|red| format!("{red} {again}")));
    if let Some(latest) = played.counts.latest {
        sum.counts.latest.get_or_insert_with(|| format!("{latest} {again}"));
    }
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
}

impl Hall {
    fn new() -> Result<Self> {
        let place = if Path::new(MEMORY).is_dir() { PathBuf::from(MEMORY) } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("lineclear-interleavings-").tempdir_in(place)?;
        let registry = images::registry();
        let client = Client::new(ClientSettings::default())?;
        let store = Arc::new(FolderStore::open(folder.path().join("home"))?);
        let mut hall = Self { registry, client, store, folder, digests: Vec::new() };
        let place = hall.place("ci/app")?;
        for commit in 0..COMMITS {
            let blob = |media_type, text: &str| -> Result<Descriptor> {
                let blob = Descriptor::of(media_type, text.as_bytes());
                hall.client.push_bytes(&place, &blob, text.as_bytes())?;
                Ok(blob)
            };
            let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
            let layers = vec![blob(MediaType::OciLayer, &format!("contents of commit {commit}"))?];
            let manifest: AnyManifest = ManifestParts::new(blob(MediaType::OciConfig, config)?, layers).write().into();
            let tag = place.tagged(Tag::parse(&commit.to_string())?);
            let pushed = hall.client.push_manifest(&tag, &manifest)?;
            hall.digests.push(pushed.digest);
        }
        Ok(hall)
    }

    fn place(&self, name: &str) -> Result<Reference> {
        Ok(format!("{}/{name}", self.registry.address()).parse()?)
    }
}

impl<'h> Play<'h> {
    fn new(hall: &'h Hall, seed: u64) -> Result<Self> {
        let mut random = Random::of(seed);
        let green = (0..COMMITS).map(|_| random.below(2) == 0).collect();
        Ok(Self { hall, seed, green, release: hall.place(&format!("octo/app-{seed}"))? })
    }

    fn outcome(&self) -> Result<Sum> {
        let (moves, killed) = self.run()?;
        Ok(Sum { counts: self.count()?, moves, killed })
    }

    /// Gives how many moves were done, and how many publishers were killed.
    fn run(&self) -> Result<(usize, usize)> {
        for commit in 0..COMMITS {
            self.state(commit, 1, &Subject::Digest(self.hall.digests[commit].to_string()), self.built(commit))?;
        }
        let results: Vec<Result<(usize, bool)>> = std::thread::scope(|scope| {
            let ci = scope.spawn(|| self.ci().map(|()| (0, false)));
            let publishers = (1..=3).map(|number| scope.spawn(move || self.publisher(number)));
            let threads: Vec<_> = std::iter::once(ci).chain(publishers).collect();
            threads.into_iter().map(joined).collect()
        });
        let (mut moves, mut killed) = (0, 0);
        for result in results {
            let (done, dead) = result?;
            (moves, killed) = (moves + done, killed + usize::from(dead));
        }
        // CI has ended for all: each commit once more, in any order, and whatever was left open is ended by that.
        let mut random = Random::of(self.seed ^ 0xe4d);
        let mut rest: Vec<usize> = (0..COMMITS).collect();
        while !rest.is_empty() {
            let at = usize::try_from(random.below(rest.len() as u64))?;
            let commit = rest.remove(at);
            let moved = self.publish(commit, &Mortal::new(self, None)?)?;
            ensure!(
                moved.is_some() == self.green[commit],
                "commit {commit} is {}, and {}",
                self.colour(commit),
                if moved.is_some() { "moved" } else { "was refused" }
            );
            moves += usize::from(moved == Some(true));
        }
        let open = self.ledger().index()?.open_moves(None).len();
        ensure!(open == 0, "{open} moves are still open");
        Ok((moves, killed))
    }

    /// CI ends for one commit after another, sometimes red before it is green.
    fn ci(&self) -> Result<()> {
        let mut random = Random::of(self.seed ^ 0xc1);
        let mut rest: Vec<usize> = (0..COMMITS).collect();
        while !rest.is_empty() {
            let commit = rest.remove(usize::try_from(random.below(rest.len() as u64))?);
            std::thread::sleep(Duration::from_millis(random.below(12)));
            let subject = Subject::Commit(sha(commit));
            if random.below(4) == 0 {
                self.state(commit, 1, &subject, check(false))?;
            }
            // Of two that disagree about one attempt the failure is believed: this is the next one.
            self.state(commit, 2, &subject, check(self.green[commit]))?;
        }
        Ok(())
    }

    fn publisher(&self, number: u64) -> Result<(usize, bool)> {
        let mut random = Random::of(self.seed ^ (number << 32));
        let life = (random.below(3) == 0).then(|| random.below(CALLS));
        let shelf = Mortal::new(self, life)?;
        let mut moves = 0;
        for _ in 0..TRIES {
            std::thread::sleep(Duration::from_millis(random.below(25)));
            let commit = usize::try_from(random.below(COMMITS as u64))?;
            moves += usize::from(self.publish(commit, &shelf)? == Some(true));
            if shelf.is_dead() {
                return Ok((moves, true));
            }
        }
        Ok((moves, false))
    }

    /// What `lineclear publish` does. `None`: refused, or killed; otherwise whether anything had to be moved.
    fn publish(&self, commit: usize, shelf: &Mortal) -> Result<Option<bool>> {
        let mover = Mover { book: shelf, commits: &Line, clock: &|| Timestamp(2), cancelled: &|| false, told: &|_| {} };
        let order = self.order(commit)?;
        let repository = order.repository.to_string();
        let moved = mover.guard(order).and_then(|cleared| {
            let turn = Turn::take(self.hall.folder.path(), &repository, Duration::from_secs(60));
            // Whoever does not get it in a minute has found a fault.
            let _turn = turn.map_err(|error| MoveError::Book(BookError::new(error)))?;
            mover.settle(&repository, &|_| Some(rules()), shelf)?;
            mover.carry(cleared, shelf)
        });
        match moved {
            Ok(moved) => Ok(Some(moved.id.is_some())),
            Err(MoveError::Refused(_) | MoveError::Withdrawn(_)) => Ok(None),
            Err(_) if shelf.is_dead() => Ok(None),
            Err(error) => Err(anyhow::Error::new(error).context(format!("commit {commit}"))),
        }
    }

    fn order(&self, commit: usize) -> Result<Order> {
        let wanted = |tag: &str, keeps| -> Result<WantedTag> { Ok(WantedTag { tag: Tag::parse(tag)?, keeps }) };
        let digest = self.hall.digests[commit].clone();
        Ok(Order {
            kind: MoveKind::Publish,
            image: "app".to_owned(),
            repository: self.release.clone(),
            source: self.hall.place("ci/app")?.only_at(digest.clone()).to_string(),
            digest,
            commit: sha(commit),
            tags: vec![wanted(&format!("sha-{commit}"), Keeps::Digest)?, wanted("latest", Keeps::Forward)?],
            target: None,
            rules: rules(),
            context: CheckContext::Push,
            by: Witness::Engine,
            take: None,
        })
    }

    /// Both counts, from what the registry has now.
    fn count(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let at = |tag: &str| -> Result<Option<usize>> {
            match self.hall.client.manifest(&self.release.tagged(Tag::parse(tag)?)) {
                Ok(manifest) => {
                    let digest = Digest::of(manifest.raw());
                    Ok(Some(self.hall.digests.iter().position(|known| *known == digest).context("an unknown image")?))
                }
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        for commit in 0..COMMITS {
            let tag = format!("sha-{commit}");
            let expected = self.green[commit].then_some(commit);
            let found = at(&tag)?;
            if found != expected {
                counts.red.push(format!("`{tag}` is {found:?}, which has to be {expected:?}"));
            }
        }
        let (latest, newest) = (at("latest")?, self.green.iter().rposition(|green| *green));
        if latest.is_some_and(|commit| !self.green[commit]) {
            counts.red.push(format!("`latest` is the red commit {latest:?}"));
        }
        if latest != newest {
            counts.latest = Some(format!("`latest` is {latest:?}, and the newest green is {newest:?}"));
        }
        Ok(counts)
    }

    fn colour(&self, commit: usize) -> &'static str {
        if self.green[commit] { "green" } else { "red" }
    }

    fn ledger(&self) -> LedgerOf {
        LedgerOf::open(self.hall.store.clone(), format!("octo/app-{}", self.seed))
    }

    fn state(&self, commit: usize, attempt: u32, subject: &Subject, statement: Statement) -> Result<()> {
        let by = Witness::Run(RunWitness {
            run: RunId(commit as u64 + 1),
            attempt,
            file: ".github/workflows/ci.yml".into(),
            event: "push".into(),
            job: None,
        });
        self.ledger().append(vec![Evidence { subject: subject.clone(), at: Timestamp(1), by, statement }])?;
        Ok(())
    }

    fn built(&self, commit: usize) -> Statement {
        Statement::Image(ImageStatement {
            image: "app".into(),
            names: vec![format!("{}/ci/app:{commit}", self.hall.registry.address())],
            commit: sha(commit),
            built: true,
            platforms: Vec::new(),
            children: Vec::new(),
            user: String::new(),
        })
    }
}

/// A publisher's registry and ledger: both are gone at once when it is killed.
struct Mortal {
    shelf: RegistryShelf,
    ledger: LedgerOf,
    /// How many calls are left.
    life: Cell<Option<u64>>,
}

impl Mortal {
    fn new(play: &Play<'_>, life: Option<u64>) -> Result<Self> {
        let client = play.hall.client.clone();
        let shelf = RegistryShelf {
            carrier: client.clone(),
            tagger: client,
            to: play.release.clone(),
            from: Some(play.hall.place("ci/app")?),
            proofs: Proofs::default(),
        };
        Ok(Self { shelf, ledger: play.ledger(), life: Cell::new(life) })
    }

    fn is_dead(&self) -> bool {
        self.life.get() == Some(0)
    }

    /// Whether it lives on after this call was begun.
    fn lives(&self) -> Result<(), ShelfError> {
        match self.life.get() {
            Some(0) => return Err(ShelfError::Other("killed".to_owned())),
            Some(left) => self.life.set(Some(left - 1)),
            None => {}
        }
        if self.is_dead() { Err(ShelfError::Other("killed".to_owned())) } else { Ok(()) }
    }
}

impl Shelf for Mortal {
    fn log_in(&self) -> Result<(), ShelfError> {
        self.lives().and_then(|()| self.shelf.log_in())
    }

    fn tag(&self, tag: &Tag) -> Result<Option<Digest>, ShelfError> {
        self.lives().and_then(|()| self.shelf.tag(tag))
    }

    fn copy(&self, digest: &Digest) -> Result<Carried, ShelfError> {
        self.lives().and_then(|()| self.shelf.copy(digest))
    }

    fn check(&self, digest: &Digest) -> Result<(), ShelfError> {
        self.lives().and_then(|()| self.shelf.check(digest))
    }

    fn parts(&self, digest: &Digest) -> Result<Vec<Digest>, ShelfError> {
        self.lives().and_then(|()| self.shelf.parts(digest))
    }

    fn set_tag(&self, tag: &Tag, digest: &Digest) -> Result<(), ShelfError> {
        self.lives().and_then(|()| self.shelf.set_tag(tag, digest))
    }

    fn remove_tag(&self, tag: &Tag) -> Result<(), ShelfError> {
        self.lives().and_then(|()| self.shelf.remove_tag(tag))
    }
}

impl Book for Mortal {
    fn index(&self) -> Result<Arc<Index>, BookError> {
        self.lives().map_err(BookError::new).and_then(|()| Book::index(&self.ledger))
    }

    fn append(&self, evidence: Vec<Evidence>) -> Result<u64, BookError> {
        self.lives().map_err(BookError::new).and_then(|()| Book::append(&self.ledger, evidence))
    }
}

/// Commits are numbers, one after the other.
struct Line;

impl Commits for Line {
    fn tree(&self, commit: &str) -> Option<String> {
        Some(format!("tree of {commit}"))
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        Some(old <= new)
    }
}

fn sha(commit: usize) -> String {
    format!("{:040x}", commit + 1)
}

fn check(green: bool) -> Statement {
    let conclusion = if green { CheckConclusion::Success } else { CheckConclusion::Failure };
    let leg = CheckLeg { name: String::new(), conclusion, reason: String::new(), since: None };
    Statement::Check(CheckStatement {
        check: "CI / test".into(),
        context: CheckContext::Push,
        legs: vec![leg],
        adjusted: Vec::new(),
    })
}

fn rules() -> Rules {
    Rules {
        gate: "main".into(),
        require: vec![RequiredCheck { check: "CI / test".into(), on: None }],
        ..Rules::default()
    }
}
