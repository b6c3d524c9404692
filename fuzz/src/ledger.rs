//! Any bytes are read as a ledger: verified, read line by line, indexed and asked. Nothing panics, verifying and reading agree, and what is
//! stated in a line can be written again and is the same.
#![no_main]

use lineclear_event::{CheckContext, Subject, Timestamp};
use lineclear_gate::{Asked, Chain, CoverageRule, Entry, Index, NoCommits, RequiredCheck, Rules, ScanRule, decide, verify};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let verified = verify(data, None);
    let mut chain = Chain::default();
    let mut index = Index::default();
    for (number, line) in data.split(|byte| *byte == b'\n').enumerate() {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        if let Ok(entry) = chain.follow(line) {
            assert_eq!(entry.number + 1, chain.entries);
        }
        // A ledger whose lines are not linked says as much to the index as one that is: it has to stand either.
        if let Ok(entry) = Entry::read(number as u64, line) {
            let again = serde_json::to_string(&entry).expect("plain data");
            assert_eq!(Entry::read(number as u64, &again).expect("it was written"), entry);
            index.add(entry);
        }
    }
    if let Ok(end) = verified {
        assert!(chain.entries <= end.entries, "nothing is read that is not linked");
    }
    let rules = Rules {
        gate: "main".into(),
        require: vec![RequiredCheck { check: "CI / test".into(), on: None }],
        coverage: Some(CoverageRule { min: Some(80.0), ratchet: true }),
        scan: Some(ScanRule { block: lineclear_event::Severity::ALL.into(), budget: 0 }),
        sbom: true,
        signature: true,
        provenance: true,
        fresh_for_ms: Some(1000),
        statements: vec!["review".into()],
        ..Rules::default()
    };
    let subjects: Vec<Subject> = index.entries().iter().take(8).map(|entry| entry.evidence.subject.clone()).collect();
    for subject in subjects {
        let asked = Asked { subject, context: CheckContext::Push, now: Timestamp(1000) };
        let decision = decide(&rules, &asked, &index, &NoCommits);
        let blocking = decision.requirements.iter().filter(|one| one.blocking && !one.standing.lets_through());
        assert_eq!(decision.clear, blocking.count() == 0);
        let _statement = decision.statement();
    }
    let _open = index.open_moves(None);
});
