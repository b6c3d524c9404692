//! Random histories of commits, runs, scans, statements and publications, with crashes and with messages that come twice or late, against
//! an oracle that reads the whole ledger naively for every question.
//!
//! `LINECLEAR_HISTORIES=100000 cargo test -p lineclear-gate --test histories` plays a hundred thousand; without the variable it is ten thousand. A
//! history that fails names its seed, and `LINECLEAR_HISTORY=seed` plays it alone.

mod oracle;
mod random;
mod sabotage;
mod simulation;
mod world;

use simulation::{Honest, Tally, simulate};

#[test]
fn decisions_are_the_oracles_nothing_red_is_published_and_latest_never_goes_back() {
    if let Some(seed) = number("LINECLEAR_HISTORY") {
        simulate(seed, &Honest).map(drop).unwrap_or_else(|fault| panic!("history {seed}: {fault}"));
        return;
    }
    let histories = number("LINECLEAR_HISTORIES").unwrap_or(10_000);
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let tally = std::thread::scope(|scope| {
        let play = |first: u64| {
            let mut tally = Tally::default();
            for seed in (first..histories).step_by(usize::try_from(threads).expect("few threads")) {
                match simulate(seed, &Honest) {
                    Ok(one) => tally += one,
                    Err(fault) => panic!("history {seed}: {fault}"),
                }
            }
            tally
        };
        let played: Vec<_> = (0..threads).map(|first| scope.spawn(move || play(first))).collect();
        played.into_iter().fold(Tally::default(), |mut all, one| {
            all += one.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault));
            all
        })
    });
    println!("{histories} histories: {tally:?}");
    assert_eq!(tally.published_while_red, 0);
    // A proof about histories in which nothing happens would be none.
    for (what, seen) in [
        ("clear decisions", tally.clear),
        ("blocked decisions", tally.blocked),
        ("moves that were done", tally.done),
        ("moves that were put back", tally.undone),
        ("moves that were finished by the next try", tally.finished_later),
        ("crashes", tally.crashes),
        ("tags that stayed", tally.stayed),
        ("messages that came twice", tally.doubled),
        ("messages that came late", tally.late),
        ("replayed decisions", tally.replayed),
    ] {
        assert!(seen >= histories / 100, "only {seen} {what} in {histories} histories");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, and not `{text}`")))
}
