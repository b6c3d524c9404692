//! Merges, one after the other, each with a failure somewhere, and another try where people would try again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::stage::{PUBLISH_BY_HAND, Said, Stage, sh};
use super::table::Row;
use super::truth::Counts;

/// Where a merge fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nowhere,
    Test,
    Lint,
    Cancelled,
    TimedOut,
    /// The test fails at the first try only.
    TestOnce,
    Publish,
    KilledInCi,
    KilledInPublish,
    DiskFull,
    /// Two pushes at once: this commit, and the one before it again.
    TwoAtOnce,
}

/// The first four are those of a quick campaign.
const ORDER: [Fault; 20] = [
    Fault::Test,
    Fault::KilledInPublish,
    Fault::Nowhere,
    Fault::TwoAtOnce,
    Fault::Lint,
    Fault::Cancelled,
    Fault::TimedOut,
    Fault::TestOnce,
    Fault::Publish,
    Fault::KilledInCi,
    Fault::DiskFull,
    Fault::KilledInPublish,
    Fault::Test,
    Fault::TwoAtOnce,
    Fault::KilledInCi,
    Fault::KilledInPublish,
    Fault::DiskFull,
    Fault::Lint,
    Fault::KilledInPublish,
    Fault::Nowhere,
];

impl Fault {
    fn deed(self) -> &'static str {
        match self {
            Self::Nowhere => "nothing fails",
            Self::Test => "a test fails",
            Self::Lint => "one leg of the lint job fails",
            Self::Cancelled => "CI is cancelled",
            Self::TimedOut => "a test takes longer than its limit",
            Self::TestOnce => "a test fails, and succeeds at the second try",
            Self::Publish => "the publish job fails, and is tried again",
            Self::KilledInCi => "`lineclear run` is killed in CI (SIGKILL, at a random moment), and tried again",
            Self::KilledInPublish => "`lineclear run` is killed while it publishes, and tried again",
            Self::DiskFull => "the disk is full, at a random place, and tried again with a larger one",
            Self::TwoAtOnce => "two pushes at once: this commit, and the one before it again",
        }
    }

    fn verdict(self) -> &'static str {
        match self {
            Self::Test => "test-fails",
            Self::Lint => "lint-fails",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            _ => "green",
        }
    }
}

pub(super) fn run(stage: &mut Stage, merges: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, fault) in ORDER.iter().cycle().take(merges).enumerate() {
        let outcome = merge(stage, *fault)?;
        let counts = stage.counts()?;
        let row = Row::of(&format!("merge {}", number + 1), fault.deed(), outcome, &counts);
        row.show();
        rows.push(row);
    }
    Ok(rows)
}

/// One merge; what has become of it.
fn merge(stage: &mut Stage, fault: Fault) -> Result<&'static str> {
    let before = stage.truth.newest.clone();
    stage.commit(fault.verdict(), None)?;
    if fault.verdict() != "green" {
        let said = match fault {
            Fault::Cancelled => {
                let mut run = stage.start(&["run", "--format", "json"])?;
                run.says("waits for the end")?;
                run.signal("INT")?;
                run.end()?
            }
            _ => stage.run(&[])?,
        };
        ensure!(said.exit != 0, "`{}` ended well\n{}", fault.deed(), said.tail());
        // What CI said has kept the publish job from beginning; now only the gate does.
        let by_hand = stage.run(PUBLISH_BY_HAND)?;
        ensure!(
            by_hand.exit != 0 && by_hand.text.contains("gate `main` is blocked"),
            "`{}`, and published by hand\n{}",
            fault.deed(),
            by_hand.tail()
        );
        return Ok("nothing is published, by hand neither");
    }
    match fault {
        Fault::TestOnce => not_yet(stage, &before, &stage.run(&["--var", "FIRST_TRY=test-fails"])?)?,
        Fault::Publish => not_yet(stage, &before, &stage.run(&["--var", "FIRST_TRY=publish-fails"])?)?,
        Fault::KilledInCi => kill(stage, None, 1500)?,
        Fault::KilledInPublish => kill(stage, Some("publishes now"), 1500)?,
        Fault::DiskFull => disk_full(stage)?,
        Fault::TwoAtOnce => {
            two_at_once(stage)?;
            // The older one may have been the first to end: once more, when the newer one is there.
            let older = older_again(stage)?;
            ensure!(older.text.contains("newer"), "nobody keeps `latest` from the older one\n{}", older.tail());
            return Ok("published, and `latest` is the newer one");
        }
        Fault::Nowhere => by_hand(stage)?,
        _ => {}
    }
    stage.published_now()?;
    Ok(if fault == Fault::Nowhere { "published" } else { "published at the second try" })
}

/// What is kept from a red commit by hand is done so by the gate: a green one is published in this way.
fn by_hand(stage: &mut Stage) -> Result<()> {
    let ci = stage.run(&["--no-chain"])?;
    ensure!(ci.exit == 0, "CI of a green commit\n{}", ci.tail());
    let said = stage.run(PUBLISH_BY_HAND)?;
    ensure!(said.exit == 0, "a green commit is not published by hand\n{}", said.tail());
    stage.truth.newest = Some(std::fs::read_to_string(stage.root().join("content"))?);
    let counts = stage.counts()?;
    ensure!(counts == Counts::default(), "published by hand: {counts:?}\n{}", said.tail());
    Ok(())
}

/// The first try has failed, and has left everything as it was.
fn not_yet(stage: &Stage, before: &Option<String>, said: &Said) -> Result<()> {
    ensure!(said.exit != 0, "the first try ended well\n{}", said.tail());
    ensure!(stage.truth.newest == *before, "the truth is about what was published");
    let counts = stage.counts()?;
    ensure!(counts.red.is_empty() && counts.latest.is_none(), "after the first try: {counts:?}\n{}", said.tail());
    Ok(())
}

/// Kills a run within `most` milliseconds after it has said `words`.
fn kill(stage: &mut Stage, words: Option<&str>, most: u64) -> Result<()> {
    let moment = Duration::from_millis(stage.random.below(most));
    let mut run = stage.start(&["run", "--format", "json"])?;
    if let Some(words) = words {
        run.says(words)?;
    }
    std::thread::sleep(moment);
    run.signal("KILL")?;
    run.end()?;
    let counts = stage.counts()?;
    ensure!(counts.red.is_empty(), "killed after {moment:?}: {counts:?}");
    Ok(())
}

/// A home on a file system that is full somewhere in the run.
fn disk_full(stage: &mut Stage) -> Result<()> {
    let (home, small) = (stage.home(), stage.beside("small"));
    let used: u64 = sh(&home, "du -sk . | cut -f1")?.parse()?;
    let size = used + 64 + stage.random.below(1200);
    let mounted = Mounted::new(&small, size)?;
    sh(&home, &format!("cp -a . '{}'", small.display()))?;
    stage.start_at(&stage.root(), &small, &["run", "--format", "json"])?.end()?;
    // Whatever it has left is what the second try finds.
    sh(&home, &format!("find . -mindepth 1 -delete; cp -a '{}/.' .", small.display()))?;
    drop(mounted);
    let counts = stage.counts()?;
    ensure!(counts.red.is_empty(), "with a full disk: {counts:?}");
    Ok(())
}

struct Mounted<'p>(&'p Path);

impl<'p> Mounted<'p> {
    fn new(at: &'p Path, kilobytes: u64) -> Result<Self> {
        sh(at, &format!("mount -t tmpfs -o size={kilobytes}k lineclear-campaign '{}'", at.display()))?;
        Ok(Self(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if let Err(error) = sh(Path::new("/"), &format!("umount '{}'", self.0.display())) {
            eprintln!("{error:#}");
        }
    }
}

/// The commit that [`two_at_once`] ran beside the newest one, alone.
pub(super) fn older_again(stage: &Stage) -> Result<Said> {
    stage.start_at(&stage.beside("older"), &stage.home(), &["run", "--format", "json"])?.end()
}

/// What is checked out, and at the same time the commit before it once more, in a clone of its own.
pub(super) fn two_at_once(stage: &mut Stage) -> Result<()> {
    let older = stage.beside("older");
    // The older one is the newest green commit before this one.
    let label = stage.truth.newest.clone().unwrap_or_default();
    let commit = stage.truth.of(&label).map(|content| content.commit.clone()).unwrap_or_default();
    stage.git(&format!(
        "rm -rf '{0}' && git clone -q . '{0}' && cd '{0}' && git reset -q --hard {commit} && \
         git remote set-url origin https://example.org/octo/app.git",
        older.display()
    ))?;
    let first = stage.start_at(&older, &stage.home(), &["run", "--format", "json"])?;
    std::thread::sleep(Duration::from_millis(stage.random.below(400)));
    let second = stage.start(&["run", "--format", "json"])?;
    let (_, said) = (first.end()?, second.end()?);
    ensure!(said.exit == 0, "the newer one is not published\n{}", said.tail());
    stage.truth.newest = Some(std::fs::read_to_string(stage.root().join("content"))?);
    Ok(())
}
