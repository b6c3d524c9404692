//! The commands that gates name for what is missing are commands of this program, with the arguments that they have.

use clap::Parser;
use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, Evidence, ImageStatement, JobKey, RunId, RunWitness,
    ScanStatement, Severity, Statement, Subject, Timestamp, Witness,
};
use lineclear_gate::{Asked, CoverageRule, Entry, Index, NoCommits, RequiredCheck, Rules, ScanRule, decide};

use crate::cli::Cli;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const COMMIT: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Everything that can be asked for.
fn rules() -> Rules {
    let require = ["CI / test", "CI / never seen"].map(|check| RequiredCheck { check: check.into(), on: None });
    Rules {
        gate: "main".into(),
        require: require.to_vec(),
        coverage: Some(CoverageRule { min: Some(80.0), ratchet: false }),
        scan: Some(ScanRule { block: [Severity::High].into(), budget: 0 }),
        sbom: true,
        signature: true,
        provenance: true,
        statements: vec!["manual-validation".into()],
        ..Rules::default()
    }
}

/// A commit whose check failed, whose scanner found something and another could not be read; with `image`, its image.
fn ledger(image: bool, unreadable: &str) -> Index {
    let leg =
        CheckLeg { name: String::new(), conclusion: CheckConclusion::Failure, reason: String::new(), since: None };
    let check = CheckStatement {
        check: "CI / test".into(),
        context: CheckContext::Push,
        legs: vec![leg],
        adjusted: Vec::new(),
    };
    let scan = ScanStatement {
        tool: "bandit".into(),
        counts: [(Severity::High, u64::from(unreadable.is_empty()))].into(),
        unreadable: unreadable.into(),
        ..ScanStatement::default()
    };
    let built = ImageStatement {
        image: "app".into(),
        names: vec!["127.0.0.1:5000/octo/app:ci".into()],
        commit: COMMIT.into(),
        built: true,
        platforms: Vec::new(),
        children: Vec::new(),
        user: String::new(),
    };
    let mut index = Index::default();
    let commit = || Subject::Commit(COMMIT.into());
    let mut all = vec![(commit(), Statement::Check(check)), (commit(), Statement::Scan(scan))];
    all.extend(image.then(|| (Subject::Digest(DIGEST.into()), Statement::Image(built))));
    for (number, (subject, statement)) in (0..).zip(all) {
        let by = Witness::Run(RunWitness {
            run: RunId(1),
            attempt: 1,
            file: ".github/workflows/c i.yml".into(),
            event: "push".into(),
            job: Some(JobKey::new("test")),
        });
        let evidence = Evidence { subject, at: Timestamp(1), by, statement };
        index.add(Entry { previous: String::new(), number, evidence });
    }
    index
}

/// The words of a command as a shell divides it: with single quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words
}

#[test]
fn every_command_that_a_gate_names_for_what_is_missing_is_one_that_this_program_takes() {
    let mut commands = Vec::new();
    for (index, subject) in [
        (Index::default(), Subject::Digest(DIGEST.into())),
        (ledger(true, ""), Subject::Digest(DIGEST.into())),
        (ledger(true, "cut off"), Subject::Commit(COMMIT.into())),
    ] {
        let asked = Asked { subject, context: CheckContext::Push, now: Timestamp(2) };
        let decision = decide(&rules(), &asked, &index, &NoCommits);
        commands.extend(decision.requirements.into_iter().filter_map(|one| one.supply));
    }
    for command in &commands {
        // What the ledger has no name for, a person has to name.
        if let Err(error) = Cli::try_parse_from(words(&command.replace("NAME@", "registry.example/app@"))) {
            panic!("`{command}`: {error}");
        }
    }
    for start in [
        "run -W '.github/workflows/c i.yml' -j test",
        "run",
        "security",
        "image scan sha256:",
        "image sbom ",
        "image sign 127.0.0.1:5000/octo/app@",
        "image attest ",
        "evidence add sha256:",
        "evidence add bbbb",
    ] {
        let start = format!("lineclear {start}");
        assert!(commands.iter().any(|command| command.starts_with(&start)), "{start} is not among {commands:#?}");
    }
}
