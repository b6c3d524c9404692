//! A publish that is killed at any time: the next one ends what it began.

use std::time::Duration;

use lineclear_event::CheckConclusion::Success;
use lineclear_event::{MovePhase, Statement};
use lineclear_testkit::Started;
use lineclear_testkit::images::registry;

use crate::house::{House, remote, short};

#[test]
fn a_publish_that_is_killed_at_any_time_is_ended_by_the_next() {
    let registry = registry();
    let house = House::new("killed", &format!("{}/octo/app", registry.address()));
    let mut last = None;
    for round in 0..12_u64 {
        let commit = house.commit(&format!("commit {round}"));
        let layer = vec![u8::try_from(round).expect("few rounds"); 300_000];
        let digest = house.ran(&commit, &layer, Success);
        let publish = Started::new(house.repository.lineclear(&["publish", "app", "--commit", &commit]));
        // No moment is waited for: each round is killed at another time, from before the start to after the end.
        std::thread::sleep(Duration::from_millis(round * 12));
        publish.signal("KILL");
        let _ = publish.finish();
        let resumed = house.say(&["publish", "--resume"]);
        assert_eq!(resumed.exit, 0, "{}{}", resumed.stdout, resumed.stderr);
        let own = remote(registry.address(), &format!("sha-{}", short(&commit)), None);
        let latest = remote(registry.address(), "latest", None);
        let is_there = own == Some(digest.clone()) && latest == Some(digest.clone());
        let is_not = own.is_none() && latest == last;
        assert!(is_there || is_not, "round {round}: {own:?}, {latest:?} after {last:?}");
        let next = house.say(&["publish", "app", "--commit", &commit]);
        assert_eq!(next.exit, 0, "{}{}", next.stdout, next.stderr);
        assert_eq!(remote(registry.address(), "latest", None), Some(digest.clone()));
        last = Some(digest);
    }
    let index = house.ledger().index().expect("the chain holds");
    assert!(index.open_moves(None).is_empty());
    let done = index
        .entries()
        .iter()
        .filter(|entry| matches!(&entry.evidence.statement, Statement::Move(moved) if moved.phase == MovePhase::Done));
    assert!(done.count() >= 12);
}
