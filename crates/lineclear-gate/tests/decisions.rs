//! What gates say, row by row of the requirements.

use std::collections::BTreeMap;

use lineclear_event::{
    CheckConclusion as End, CheckContext, CheckLeg, CheckStatement, CommitStatement, CoverageStatement, Evidence,
    Finding, IgnoredUntil, ImageStatement, JobKey, PersonStatement, ProvenanceStatement, RunId, RunStatement,
    RunWitness, SbomStatement, ScanStatement, Severity, SignatureStatement, Statement, Subject, TestTotals,
    TestsStatement, Timestamp, Witness,
};
use lineclear_gate::{
    Asked, Commits, CoverageRule, Decision, Entry, Index, NoCommits, ReplayError, RequiredCheck, Requirement, Rules,
    ScanRule, SkippedCounts, Standing, decide, replay,
};

const NOW: Timestamp = Timestamp(1_000_000_000);

/// A ledger that is written by hand. Commits are letters, digests are numbers.
#[derive(Default)]
struct Ledger {
    index: Index,
    run: u64,
    at: Option<Timestamp>,
}

fn commit(letter: char) -> Subject {
    Subject::Commit(letter.to_string().repeat(40))
}

fn digest(number: u8) -> Subject {
    Subject::Digest(format!("sha256:{}", format!("{number:02x}").repeat(32)))
}

fn leg(name: &str, conclusion: End) -> CheckLeg {
    CheckLeg { name: name.into(), conclusion, reason: String::new(), since: None }
}

fn scan(tool: &str, counts: &[(Severity, u64)]) -> Statement {
    let found = counts.iter().flat_map(|(severity, count)| {
        (0..*count).map(move |number| Finding {
            severity: *severity,
            id: format!("CVE-{severity}-{number}"),
            place: "openssl".into(),
            version: "1.0".into(),
            fixed: "1.1".into(),
            title: String::new(),
        })
    });
    let (counts, found) = (counts.iter().copied().collect(), found.collect());
    Statement::Scan(ScanStatement { tool: tool.into(), counts, found, ..ScanStatement::default() })
}

fn coverage(covered: u64) -> Statement {
    Statement::Coverage(CoverageStatement { name: "lcov".into(), lines_covered: covered, lines: 1000 })
}

impl Ledger {
    fn says(&mut self, subject: Subject, by: Witness, statement: Statement) -> &mut Self {
        let number = self.index.entries().len() as u64;
        let evidence = Evidence { subject, at: self.at.unwrap_or(NOW), by, statement };
        self.index.add(Entry { previous: String::new(), number, evidence });
        self
    }

    fn run(&mut self, subject: Subject, job: &str, statement: Statement) -> &mut Self {
        self.run += 1;
        let run = RunWitness {
            run: RunId(self.run),
            attempt: 1,
            file: ".github/workflows/ci.yml".into(),
            event: "push".into(),
            job: Some(JobKey::new(job)),
        };
        self.says(subject, Witness::Run(run), statement)
    }

    fn legs(&mut self, of: char, check: &str, legs: Vec<CheckLeg>) -> &mut Self {
        let job = check.rsplit(' ').next().unwrap_or_default().to_owned();
        let statement = CheckStatement { check: check.into(), context: CheckContext::Push, legs, adjusted: Vec::new() };
        self.run(commit(of), &job, Statement::Check(statement))
    }

    fn check(&mut self, of: char, check: &str, conclusion: End) -> &mut Self {
        self.legs(of, check, vec![leg("", conclusion)])
    }

    fn filtered(&mut self, of: char, check: &str, since: char) -> &mut Self {
        let since = Some(since.to_string().repeat(40));
        self.legs(of, check, vec![CheckLeg { since, ..leg("", End::PathFiltered) }])
    }

    fn tree(&mut self, of: char, tree: &str) -> &mut Self {
        let statement = CommitStatement { tree: tree.into(), parents: Vec::new() };
        self.says(commit(of), Witness::Engine, Statement::Commit(statement))
    }

    fn built(&mut self, number: u8, of: char) -> &mut Self {
        self.image(number, of, true)
    }

    fn image(&mut self, number: u8, of: char, built: bool) -> &mut Self {
        let commit = of.to_string().repeat(40);
        let image = ImageStatement {
            image: "backend".into(),
            names: Vec::new(),
            commit,
            built,
            platforms: Vec::new(),
            children: Vec::new(),
            user: String::new(),
        };
        self.run(digest(number), "build", Statement::Image(image))
    }

    fn stated(&mut self, subject: Subject, by: &str, passes: bool) -> &mut Self {
        let statement = PersonStatement { name: "review".into(), passes, note: "seen".into(), files: BTreeMap::new() };
        self.says(subject, Witness::Person(by.into()), Statement::Stated(statement))
    }

    fn ask(&self, rules: &Rules, subject: Subject, context: CheckContext) -> Decision {
        decide(rules, &Asked { subject, context, now: NOW }, &self.index, &Letters)
    }

    fn on_push(&self, rules: &Rules, subject: Subject) -> Decision {
        self.ask(rules, subject, CheckContext::Push)
    }
}

/// Commits are in the order of the alphabet; their trees are only in the ledger.
struct Letters;

impl Commits for Letters {
    fn tree(&self, _: &str) -> Option<String> {
        None
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        Some(old <= new)
    }
}

fn requires(checks: &[&str]) -> Rules {
    let require = checks.iter().map(|check| RequiredCheck { check: (*check).into(), on: None }).collect();
    Rules { gate: "main".into(), require, ..Rules::default() }
}

fn asks(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = requires(&["CI / test"]);
    change(&mut rules);
    rules
}

/// What is asked for besides the check, which succeeds.
fn green() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.check('a', "CI / test", End::Success);
    ledger
}

fn of<'d>(decision: &'d Decision, what: &str) -> &'d Requirement {
    let found = decision.requirements.iter().find(|requirement| requirement.what.contains(what));
    found.unwrap_or_else(|| panic!("nothing about `{what}` in {decision:#?}"))
}

#[test]
fn s0_3_a_preset_like_gate_turns_red_when_any_one_of_its_checks_is_missing() {
    let checks = ["CI / lint", "CI / test", "CI / smoke-e2e", "CI / docker-build-check"];
    let rules = requires(&checks);
    for missing in 0..=checks.len() {
        let mut ledger = Ledger::default();
        for (number, check) in checks.iter().enumerate() {
            if number != missing {
                ledger.check('a', check, End::Success);
            }
        }
        let decision = ledger.on_push(&rules, commit('a'));
        assert_eq!(decision.clear, missing == checks.len());
        if let Some(check) = checks.get(missing) {
            assert_eq!(decision.statement().blocked, [format!("check `{check}`: it has not run for aaaaaaa")]);
        }
    }
}

#[test]
fn s0_11_s0_16_s1_127_checks_of_other_workflows_are_required_in_both_contexts() {
    let mut ledger = green();
    let rules = requires(&["CI / test", "E2E / full"]);
    for context in [CheckContext::PullRequest, CheckContext::Push, CheckContext::Other] {
        assert!(!ledger.ask(&rules, commit('a'), context).clear);
    }
    ledger.check('a', "E2E / full", End::Success);
    for context in [CheckContext::PullRequest, CheckContext::Push, CheckContext::Other] {
        assert!(ledger.ask(&rules, commit('a'), context).clear);
    }
}

#[test]
fn s0_12_a_path_filtered_check_is_not_needed_and_says_why() {
    let rules = requires(&["CI / test"]);
    let mut ledger = green();
    ledger.filtered('b', "CI / test", 'a').filtered('c', "CI / test", 'b');
    let decision = ledger.on_push(&rules, commit('c'));
    assert!(decision.clear);
    let found = &of(&decision, "CI / test").findings[0];
    assert_eq!(found.text, "not needed, because of its paths in run 3: nothing it looks at changed since bbbbbbb");
    assert_eq!(found.entry, Some(2));
    // What it looks at had failed before: no change has mended it, however many commits later.
    let mut ledger = Ledger::default();
    ledger.check('a', "CI / test", End::Failure).filtered('b', "CI / test", 'a').filtered('c', "CI / test", 'b');
    let decision = ledger.on_push(&rules, commit('c'));
    assert_eq!(
        decision.statement().blocked,
        [
            "check `CI / test`: was left out by its paths in run 3: nothing it looks at changed since aaaaaaa, where it failed"
        ]
    );
    // It is repeated there, and succeeds.
    ledger.check('a', "CI / test", End::Success);
    assert!(ledger.on_push(&rules, commit('c')).clear);
}

#[test]
fn a_filtered_commit_without_changes_is_judged_by_what_was_before_both() {
    let rules = requires(&["CI / test"]);
    for (end, clear) in [(End::Success, true), (End::Failure, false)] {
        let mut ledger = Ledger::default();
        // `c` changes nothing: it has the contents of `b`, which its paths were counted from.
        ledger.tree('a', "one").tree('b', "two").tree('c', "two");
        ledger.check('a', "CI / test", end).filtered('b', "CI / test", 'a').filtered('c', "CI / test", 'b');
        assert_eq!(ledger.on_push(&rules, commit('c')).clear, clear);
        assert_eq!(ledger.on_push(&rules, commit('b')).clear, clear);
    }
    let mut ledger = Ledger::default();
    ledger.tree('b', "two").tree('c', "two").filtered('c', "CI / test", 'b');
    assert!(ledger.on_push(&rules, commit('c')).clear, "nothing bad is known of it");
}

#[test]
fn a_forged_circle_of_filtered_commits_is_no_proof_and_no_endless_loop() {
    let mut ledger = Ledger::default();
    ledger.filtered('a', "CI / test", 'b').filtered('b', "CI / test", 'a');
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    assert!(!decision.clear);
    assert!(decision.statement().blocked[0].contains("1000 times in a row"), "{decision:?}");
}

#[test]
fn s0_14_coverage_below_the_minimum_blocks_and_at_it_does_not() {
    let rules = asks(|rules| rules.coverage = Some(CoverageRule { min: Some(80.0), ratchet: false }));
    for (covered, standing) in [(790, Standing::Fail), (799, Standing::Fail), (800, Standing::Pass)] {
        let mut ledger = green();
        ledger.run(commit('a'), "test", coverage(covered));
        let decision = ledger.on_push(&rules, commit('a'));
        assert_eq!(of(&decision, "coverage").standing, standing, "{covered}");
    }
    let decision = green().on_push(&rules, commit('a'));
    assert_eq!(decision.statement().blocked, ["coverage of at least 80 %: no run reported coverage"]);
}

#[test]
fn s0_46_coverage_never_sinks_and_a_lowered_minimum_is_reported() {
    let rules = |min| asks(|rules| rules.coverage = Some(CoverageRule { min: Some(min), ratchet: true }));
    let mut ledger = green();
    ledger.run(commit('a'), "test", coverage(850)).check('b', "CI / test", End::Success);
    ledger.run(commit('b'), "test", coverage(845));
    let decision = ledger.on_push(&rules(80.0), commit('b'));
    assert!(!decision.clear);
    let blocked = decision.statement().blocked;
    assert!(blocked[0].ends_with("lcov: 85.0 % was reached at aaaaaaa, so 84.5 % is a step back"), "{blocked:?}");
    ledger.run(commit('b'), "test", coverage(850));
    let decision = ledger.on_push(&rules(60.0), commit('b'));
    assert!(decision.clear);
    let told = of(&decision, "coverage").findings.last().expect("it is told");
    assert_eq!(told.text, "lcov: the minimum of 60 % is below the 85.0 % of aaaaaaa, which holds");
    // What came later, or beside it, is no measure for what was before.
    assert!(ledger.on_push(&rules(80.0), commit('a')).clear);
}

#[test]
fn s0_18_supplementary_checks_are_shown_and_block_once_the_configuration_says_so() {
    let mut ledger = green();
    ledger.check('a', "E2E / full", End::Failure);
    let shown = asks(|rules| rules.supplementary.push("E2E / full".into()));
    let decision = ledger.on_push(&shown, commit('a'));
    assert!(decision.clear);
    assert_eq!((of(&decision, "E2E").standing, of(&decision, "E2E").blocking), (Standing::Fail, false));
    assert!(!ledger.on_push(&requires(&["CI / test", "E2E / full"]), commit('a')).clear);
}

#[test]
fn s0_22_a_skipped_check_passes_with_its_reason_unless_the_gate_says_otherwise() {
    let mut ledger = Ledger::default();
    let skipped = CheckLeg { reason: "`if` is false".into(), ..leg("", End::Skipped) };
    ledger.legs('a', "CI / test", vec![skipped]);
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    assert!(decision.clear);
    assert_eq!(of(&decision, "CI / test").findings[0].text, "not needed, skipped in run 1: `if` is false");
    assert!(!ledger.on_push(&asks(|rules| rules.skipped = SkippedCounts::Fail), commit('a')).clear);
}

#[test]
fn what_failed_stays_failed_when_it_is_skipped_the_next_time() {
    let mut ledger = Ledger::default();
    ledger.check('a', "CI / test", End::Failure).check('a', "CI / test", End::Skipped);
    assert!(!ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
    ledger.filtered('a', "CI / test", 'b');
    assert!(!ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
    ledger.check('a', "CI / test", End::Success);
    assert!(ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
}

#[test]
fn s0_24_each_conclusion_opens_or_closes_the_gate_as_the_table_says() {
    for (conclusion, clear) in [
        (End::Success, true),
        (End::Neutral, true),
        (End::Skipped, true),
        (End::PathFiltered, true),
        (End::Failure, false),
        (End::Cancelled, false),
        (End::TimedOut, false),
        (End::ActionRequired, false),
        (End::Stale, false),
        (End::StartupFailure, false),
        (End::NotRun, false),
    ] {
        let mut ledger = Ledger::default();
        ledger.check('a', "CI / test", conclusion);
        assert_eq!(ledger.on_push(&requires(&["CI / test"]), commit('a')).clear, clear, "{conclusion}");
    }
}

#[test]
fn s0_26_a_check_is_required_on_pull_requests_only() {
    let rules = asks(|rules| {
        let on = Some(CheckContext::PullRequest);
        rules.require.push(RequiredCheck { check: "CI / docker-build-check".into(), on });
    });
    let mut ledger = green();
    assert!(ledger.on_push(&rules, commit('a')).clear);
    assert!(!ledger.ask(&rules, commit('a'), CheckContext::PullRequest).clear);
    ledger.check('a', "CI / docker-build-check", End::Success);
    assert!(ledger.ask(&rules, commit('a'), CheckContext::PullRequest).clear);
}

#[test]
fn a_gate_that_asks_for_nothing_is_never_clear() {
    let nothing = Rules { gate: "main".into(), ..Rules::default() };
    let only = |on| Rules { require: vec![RequiredCheck { check: "CI / test".into(), on }], ..nothing.clone() };
    let mut ledger = green();
    ledger.built(1, 'a');
    for (rules, subject) in [
        (nothing.clone(), commit('a')),
        (nothing.clone(), digest(1)),
        (only(Some(CheckContext::PullRequest)), commit('a')),
        // Of a commit nothing is asked that only images have.
        (Rules { sbom: true, signature: true, ..nothing.clone() }, commit('a')),
        (Rules { supplementary: vec!["CI / test".into()], ..nothing.clone() }, commit('a')),
    ] {
        let decision = ledger.on_push(&rules, subject);
        assert!(!decision.clear);
        assert!(decision.statement().blocked[0].contains("asks for nothing"), "{decision:?}");
    }
}

#[test]
fn every_leg_of_a_matrix_has_to_succeed_or_the_one_that_is_named() {
    let mut ledger = Ledger::default();
    ledger.legs('a', "CI / test", vec![leg("3.11", End::Failure), leg("3.12", End::Success)]);
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    assert_eq!(decision.statement().blocked, ["check `CI / test`: `3.11` failed in run 1; `3.12` succeeded in run 1"]);
    assert!(ledger.on_push(&requires(&["CI / test (3.12)"]), commit('a')).clear);
    assert!(!ledger.on_push(&requires(&["CI / test (3.11)"]), commit('a')).clear);
    assert!(!ledger.on_push(&requires(&["CI / test (3.13)"]), commit('a')).clear);
    // Only one leg runs again; what is known of the other stays.
    ledger.legs('a', "CI / test", vec![leg("3.11", End::Success), leg("3.12", End::NotRun)]);
    assert!(ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
    // A job that is cancelled before its matrix is known closes the gate until its legs have run again.
    ledger.check('a', "CI / test", End::Cancelled);
    assert!(!ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
    assert!(!ledger.on_push(&requires(&["CI / test (3.12)"]), commit('a')).clear);
    ledger.legs('a', "CI / test", vec![leg("3.11", End::Success), leg("3.12", End::Success)]);
    assert!(ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
}

#[test]
fn checks_of_the_same_name_in_two_workflows_both_count() {
    let mut ledger = Ledger::default();
    ledger.check('a', "CI / test", End::Failure);
    let by = RunWitness {
        run: RunId(9),
        attempt: 1,
        file: ".github/workflows/other.yml".into(),
        event: "push".into(),
        job: Some(JobKey::new("test")),
    };
    let legs = vec![leg("", End::Success)];
    let check = CheckStatement { check: "CI / test".into(), context: CheckContext::Push, legs, adjusted: vec![] };
    ledger.says(commit('a'), Witness::Run(by), Statement::Check(check));
    assert!(!ledger.on_push(&requires(&["CI / test"]), commit('a')).clear);
}

#[test]
fn a_later_failure_withdraws_and_messages_that_come_late_or_twice_do_not() {
    let check = |attempt, conclusion| {
        let by = RunWitness {
            run: RunId(1),
            attempt,
            file: "ci.yml".into(),
            event: "push".into(),
            job: Some(JobKey::new("test")),
        };
        let legs = vec![leg("", conclusion)];
        let check = CheckStatement { check: "CI / test".into(), context: CheckContext::Push, legs, adjusted: vec![] };
        (Witness::Run(by), Statement::Check(check))
    };
    let rules = requires(&["CI / test"]);
    let mut ledger = Ledger::default();
    let mut after = |(by, statement): (Witness, Statement)| {
        ledger.says(commit('a'), by, statement);
        ledger.on_push(&rules, commit('a')).clear
    };
    assert!(after(check(2, End::Success)));
    // The first attempt's failure is late, and its success would be, too.
    assert!(after(check(1, End::Failure)));
    assert!(!after(check(3, End::Failure)));
    assert!(!after(check(2, End::Success)));
    assert!(!after(check(1, End::Success)));
    // Of two words about one attempt the failure is believed.
    assert!(!after(check(3, End::Success)));
    assert!(after(check(4, End::Success)));
    assert!(!after(check(4, End::Failure)));
}

#[test]
fn what_failed_is_taken_back_where_it_failed_or_in_the_context_that_is_asked() {
    let rules = requires(&["CI / test"]);
    let on = |ledger: &mut Ledger, context: CheckContext, conclusion: End| {
        let legs = vec![leg("", conclusion)];
        let statement = CheckStatement { check: "CI / test".into(), context, legs, adjusted: Vec::new() };
        ledger.run(commit('a'), "test", Statement::Check(statement));
    };
    let mut ledger = Ledger::default();
    on(&mut ledger, CheckContext::Push, End::Failure);
    // A job may do less when it is started by hand.
    on(&mut ledger, CheckContext::Other, End::Success);
    on(&mut ledger, CheckContext::PullRequest, End::Success);
    let decision = ledger.ask(&rules, commit('a'), CheckContext::Push);
    assert!(!decision.clear);
    let said = &of(&decision, "check `CI / test`").findings[0].text;
    assert!(said.contains("its later success in run 3 was on another event, and takes nothing back"), "{said}");
    on(&mut ledger, CheckContext::Push, End::Success);
    assert!(ledger.ask(&rules, commit('a'), CheckContext::Push).clear);
    // What is verified by time later withdraws it, and gives it back.
    on(&mut ledger, CheckContext::Other, End::Failure);
    assert!(!ledger.ask(&rules, commit('a'), CheckContext::Push).clear);
    on(&mut ledger, CheckContext::Other, End::Success);
    assert!(ledger.ask(&rules, commit('a'), CheckContext::Push).clear);
    // What failed in a pull request is looked at again by the push of the same contents.
    on(&mut ledger, CheckContext::PullRequest, End::Failure);
    assert!(!ledger.ask(&rules, commit('a'), CheckContext::Push).clear);
    on(&mut ledger, CheckContext::Push, End::Success);
    assert!(ledger.ask(&rules, commit('a'), CheckContext::Push).clear);
}

#[test]
fn s3_20_evidence_follows_equal_trees_and_nothing_else() {
    let rules = requires(&["CI / test"]);
    let mut ledger = green();
    ledger.tree('a', "one").tree('b', "one").tree('c', "two");
    let decision = ledger.on_push(&rules, commit('b'));
    assert!(decision.clear);
    let found = &of(&decision, "CI / test").findings[0].text;
    assert_eq!(found, "succeeded in run 1, at aaaaaaa, which has the same contents");
    assert!(!ledger.on_push(&rules, commit('c')).clear);
    // Git knows the tree of a commit that the ledger has never heard of.
    struct Git;
    impl Commits for Git {
        fn tree(&self, commit: &str) -> Option<String> {
            commit.starts_with('d').then(|| "one".to_owned())
        }
        fn is_ancestor(&self, _: &str, _: &str) -> Option<bool> {
            None
        }
    }
    let asked = |letter| Asked { subject: commit(letter), context: CheckContext::Push, now: NOW };
    assert!(decide(&rules, &asked('d'), &ledger.index, &Git).clear);
    assert!(!decide(&rules, &asked('e'), &ledger.index, &Git).clear);
    assert!(!decide(&rules, &asked('d'), &ledger.index, &NoCommits).clear);
    // A later failure at either withdraws it for both.
    ledger.check('b', "CI / test", End::Failure);
    assert!(!ledger.on_push(&rules, commit('a')).clear);
}

#[test]
fn freshness_asks_for_the_check_again_and_a_failure_never_grows_old() {
    let rules = asks(|rules| rules.fresh_for_ms = Some(7 * 86_400_000));
    let mut ledger = Ledger { at: Some(NOW.plus_millis(-8 * 86_400_000)), ..Ledger::default() };
    ledger.check('a', "CI / test", End::Success);
    let decision = ledger.on_push(&rules, commit('a'));
    assert_eq!(of(&decision, "CI / test").standing, Standing::Expired);
    assert_eq!(
        decision.statement().blocked,
        ["check `CI / test`: succeeded in run 1, 8 days ago, and only the last 7 days count"]
    );
    assert_eq!(of(&decision, "CI / test").supply.as_deref(), Some("lineclear run -W .github/workflows/ci.yml -j test"));
    ledger.check('b', "CI / test", End::Failure);
    assert_eq!(of(&ledger.on_push(&rules, commit('b')), "CI / test").standing, Standing::Fail);
}

#[test]
fn runs_that_were_adjusted_are_shown_and_never_count() {
    let mut ledger = Ledger::default();
    let legs = vec![leg("", End::Success)];
    let adjusted = vec!["--env CI=0".to_owned()];
    let check = CheckStatement { check: "CI / test".into(), context: CheckContext::Push, legs, adjusted };
    ledger.run(commit('a'), "test", Statement::Check(check));
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    assert!(!decision.clear);
    let told = &of(&decision, "CI / test").findings[1].text;
    assert_eq!(told, "what it did in run 1 does not count, because the run was adjusted: --env CI=0");
    // Nothing else of such a run counts, whichever line comes first.
    let rules = asks(|rules| rules.coverage = Some(CoverageRule { min: Some(80.0), ratchet: false }));
    let mut ledger = green();
    ledger.run(commit('a'), "test", coverage(900));
    assert!(ledger.on_push(&rules, commit('a')).clear);
    let by = ledger.index.entries()[1].evidence.by.clone();
    let run = RunStatement {
        workflow: "CI".into(),
        conclusion: End::Success,
        head_branch: "main".into(),
        head_repository: "a/b".into(),
        adjusted: vec!["--matrix".into()],
    };
    ledger.says(commit('a'), by, Statement::Run(run));
    assert!(!ledger.on_push(&rules, commit('a')).clear);
}

#[test]
fn s0_42_s1_72_s1_73_findings_block_by_severity_whatever_the_step_concluded() {
    let block = |severities: &[Severity]| {
        asks(|rules| rules.scan = Some(ScanRule { block: severities.iter().copied().collect(), budget: 0 }))
    };
    let mut ledger = green();
    ledger.run(commit('a'), "bandit", scan("bandit", &[(Severity::High, 2), (Severity::Low, 5)]));
    // Without a rule they are shown.
    let decision = ledger.on_push(&asks(|_| {}), commit('a'));
    assert!(decision.clear);
    assert_eq!(of(&decision, "scans").findings[0].text, "bandit: 2 high, 5 low in run 2");
    assert!(ledger.on_push(&block(&[Severity::Critical]), commit('a')).clear);
    let decision = ledger.on_push(&block(&[Severity::Critical, Severity::High]), commit('a'));
    assert!(!decision.clear);
    let blocked = decision.statement().blocked.join("");
    assert!(blocked.contains("no critical or high findings in the source"), "{blocked}");
    assert!(blocked.contains("CVE-high-0 (high) in openssl 1.0, mended in 1.1"), "{blocked}");
    // The next report of the same job takes its place.
    ledger.run(commit('a'), "bandit", scan("bandit", &[]));
    assert!(ledger.on_push(&block(&[Severity::High]), commit('a')).clear);
    // A report that cannot be read is no scan.
    let unreadable = ScanStatement { tool: "bandit".into(), unreadable: "cut off".into(), ..ScanStatement::default() };
    ledger.run(commit('a'), "bandit", Statement::Scan(unreadable));
    assert!(!ledger.on_push(&block(&[Severity::High]), commit('a')).clear);
}

#[test]
fn a_scan_whose_ignore_is_over_has_to_be_made_again_where_what_was_ignored_blocks() {
    const DAY: i64 = 86_400_000;
    let asks_for = |severity| asks(|rules| rules.scan = Some(ScanRule { block: [severity].into(), budget: 0 }));
    let critical = asks_for(Severity::Critical);
    let mut ledger = green();
    let until = |severity, day: &str| IgnoredUntil { severity, day: day.into(), id: "CVE-2026-1".into() };
    let scanned = |until| ScanStatement {
        tool: "lineclear".into(),
        ignored: 1,
        ignored_until: vec![until],
        ..ScanStatement::default()
    };
    ledger.built(1, 'a');
    ledger.says(digest(1), Witness::Engine, Statement::Scan(scanned(until(Some(Severity::Critical), "1970-01-20"))));
    let on = |ledger: &Ledger, rules: &Rules, now: i64| {
        let asked = Asked { subject: digest(1), context: CheckContext::Push, now: Timestamp(now) };
        decide(rules, &asked, &ledger.index, &Letters)
    };
    // The twentieth is its last day, to its last moment.
    assert!(on(&ledger, &critical, 20 * DAY - 1).clear);
    let over = on(&ledger, &critical, 20 * DAY);
    let scan = of(&over, "in the image");
    assert_eq!((over.clear, scan.standing), (false, Standing::Missing));
    assert_eq!(
        scan.findings[1].text,
        "CVE-2026-1 was ignored until 1970-01-20, and that day is over: it has to be scanned again"
    );
    assert_eq!(scan.supply, Some(format!("lineclear image scan {}", digest(1))));
    assert!(on(&ledger, &asks_for(Severity::High), 20 * DAY).clear, "nothing that blocks here was ignored");
    ledger.says(digest(1), Witness::Engine, scan_of_nothing());
    assert!(on(&ledger, &critical, 20 * DAY).clear);
    // Somebody's word that there is nothing to look into is of every severity.
    ledger.says(digest(1), Witness::Engine, Statement::Scan(scanned(until(None, "1970-01-20"))));
    assert!(!on(&ledger, &asks_for(Severity::High), 20 * DAY).clear);
}

fn scan_of_nothing() -> Statement {
    scan("lineclear", &[])
}

#[test]
fn an_image_that_an_adjusted_run_pushed_first_says_so_and_names_no_command_that_does_not_help() {
    let rules = requires(&["CI / test"]);
    let mut ledger = green();
    ledger.image(1, 'a', false);
    let by = ledger.index.entries()[1].evidence.by.clone();
    let run = RunStatement {
        workflow: "CI".into(),
        conclusion: End::Success,
        head_branch: "main".into(),
        head_repository: "a/b".into(),
        adjusted: vec!["--env CI=0".into()],
    };
    ledger.says(commit('a'), by, Statement::Run(run));
    ledger.image(1, 'a', false);
    let decision = ledger.on_push(&rules, digest(1));
    let origin = of(&decision, "an image that a run of this repository made");
    assert_eq!((origin.standing, origin.supply.as_deref()), (Standing::Missing, None));
    let told = &origin.findings[0].text;
    assert!(
        told.starts_with("run 2 was the first to push it, and was adjusted (--env CI=0), so that it is of no commit"),
        "{told}"
    );
    assert!(told.contains("--build-arg"), "{told}");
}

#[test]
fn s1_62_s1_63_a_budget_of_four_passes_four_and_fails_five() {
    let rules = |budget| {
        asks(|rules| rules.scan = Some(ScanRule { block: [Severity::Critical, Severity::High].into(), budget }))
    };
    for (high, critical, budget, clear) in [(4, 0, 4, true), (3, 1, 4, true), (4, 1, 4, false), (0, 1, 0, false)] {
        let mut ledger = green();
        ledger.built(1, 'a');
        let scan = scan("trivy", &[(Severity::High, high), (Severity::Critical, critical)]);
        ledger.says(digest(1), Witness::Engine, scan);
        assert_eq!(ledger.on_push(&rules(budget), digest(1)).clear, clear, "{high} {critical} {budget}");
    }
    // Two tools that find the same have found one thing, and counts that no list explains count, too.
    let mut ledger = green();
    ledger.built(1, 'a').says(digest(1), Witness::Engine, scan("trivy", &[(Severity::High, 3)]));
    ledger.says(digest(1), Witness::Engine, scan("grype", &[(Severity::High, 4)]));
    assert!(ledger.on_push(&rules(4), digest(1)).clear);
    let counts = [(Severity::High, 5)].into();
    let statement = ScanStatement { tool: "other".into(), counts, ..ScanStatement::default() };
    ledger.says(digest(1), Witness::Engine, Statement::Scan(statement));
    assert!(!ledger.on_push(&rules(4), digest(1)).clear);
}

#[test]
fn s1_64_a_digest_has_to_be_scanned_itself() {
    let rules = asks(|rules| rules.scan = Some(ScanRule { block: [Severity::Critical].into(), budget: 0 }));
    let mut ledger = green();
    ledger.built(1, 'a').built(2, 'a').says(digest(2), Witness::Engine, scan("trivy", &[]));
    let decision = ledger.on_push(&rules, digest(1));
    assert!(!decision.clear);
    let missing = of(&decision, "in the image");
    assert_eq!(missing.findings[0].text, "this digest has not been scanned");
    assert_eq!(missing.supply, Some(format!("lineclear image scan {}", digest(1))));
    assert!(ledger.on_push(&rules, digest(2)).clear);
    // What a person says a scanner found is no scan.
    ledger.says(digest(1), Witness::Person("Ann".into()), scan("trivy", &[]));
    assert!(!ledger.on_push(&rules, digest(1)).clear);
    ledger.says(digest(1), Witness::Engine, scan("trivy", &[]));
    assert!(ledger.on_push(&rules, digest(1)).clear);
}

#[test]
fn s1_65_s1_66_signature_contents_and_provenance_are_of_that_very_digest() {
    let rules = asks(|rules| (rules.sbom, rules.signature, rules.provenance) = (true, true, true));
    let rules = rules.signed_by(["sha256:key".to_owned()]);
    let provenance = |letter: char| {
        Statement::Provenance(ProvenanceStatement {
            predicate: "https://slsa.dev/provenance/v1".into(),
            builder: "lineclear".into(),
            commit: letter.to_string().repeat(40),
            key: "sha256:key".into(),
            attached: None,
        })
    };
    let sbom = SbomStatement { format: "spdx".into(), document: String::new(), packages: 3, attached: None };
    let signature = SignatureStatement { key: "sha256:key".into(), form: "cosign".into(), attached: None };
    let parts = |letter| [Statement::Sbom(sbom.clone()), Statement::Signature(signature.clone()), provenance(letter)];
    let mut ledger = green();
    ledger.built(1, 'a').built(2, 'a');
    for part in parts('a') {
        assert!(!ledger.on_push(&rules, digest(1)).clear);
        ledger.says(digest(1), Witness::Engine, part);
    }
    assert!(ledger.on_push(&rules, digest(1)).clear);
    let decision = ledger.on_push(&rules, digest(2));
    assert_eq!(decision.statement().blocked.len(), 3);
    assert_eq!(of(&decision, "a signature").supply, Some(format!("lineclear image sign NAME@{}", digest(2))));
    for part in parts('b') {
        ledger.says(digest(2), Witness::Engine, part);
    }
    let blocked = ledger.on_push(&rules, digest(2)).statement().blocked;
    assert_eq!(
        blocked,
        ["a signed statement of where it was built: it names the commit bbbbbbb, and the image comes from another"]
    );
    // Of the commit none of it is asked.
    assert!(ledger.on_push(&rules, commit('a')).clear);
}

#[test]
fn s1_65_only_signatures_by_keys_of_the_policy_count_and_others_take_nothing_away() {
    let asks = asks(|rules| rules.signature = true);
    let rules = asks.clone().signed_by(["sha256:ours".to_owned()]);
    let signed =
        |key: &str| Statement::Signature(SignatureStatement { key: key.into(), form: "cosign".into(), attached: None });
    let mut ledger = green();
    ledger.built(1, 'a');
    ledger.says(digest(1), Witness::Engine, signed("sha256:foreign"));
    assert_eq!(
        ledger.on_push(&rules, digest(1)).statement().blocked,
        ["a signature: signed with sha256:foreign, which does not count: the keys of `[signing]` are sha256:ours"]
    );
    assert_eq!(
        ledger.on_push(&asks, digest(1)).statement().blocked,
        [
            "a signature: signed with sha256:foreign, and no key counts: name it in `keys` of `[signing]` in lineclear.toml"
        ]
    );
    ledger.says(digest(1), Witness::Engine, signed("sha256:ours"));
    assert!(ledger.on_push(&rules, digest(1)).clear);
    // Whoever signs it once more, with whatever key, does not close the gate.
    ledger.says(digest(1), Witness::Engine, signed("sha256:foreign"));
    assert!(ledger.on_push(&rules, digest(1)).clear);
    // The key is a part of the rules: a policy that trusts another one is another gate.
    assert_ne!(rules.hash(), asks.hash());
}

#[test]
fn s4_33_s4_34_a_digest_is_judged_by_the_commit_it_was_built_from_and_not_by_who_pushes_it_again() {
    let rules = requires(&["CI / test"]);
    let mut ledger = Ledger::default();
    ledger.check('a', "CI / test", End::Failure).check('b', "CI / test", End::Success);
    assert_eq!(
        ledger.on_push(&rules, digest(1)).statement().blocked,
        [
            "an image that a run of this repository made: no run is known to have built or pushed this digest, so no check speaks for it",
            "check `CI / test`: which commit the image was built from is not known"
        ]
    );
    ledger.built(1, 'a').image(1, 'b', false);
    let decision = ledger.on_push(&rules, digest(1));
    assert!(!decision.clear);
    assert_eq!(decision.commit, Some("a".repeat(40)));
    // The green commit's own run builds the same bytes: they are its image, too.
    ledger.built(1, 'b');
    let decision = ledger.on_push(&rules, digest(1));
    assert!(decision.clear);
    assert_eq!(decision.commit, Some("b".repeat(40)));
    assert!(!ledger.on_push(&rules, digest(2)).clear, "its sibling has nothing");
}

#[test]
fn s3_12_s3_13_people_state_with_their_names_and_take_it_back() {
    let rules = asks(|rules| rules.statements.push("review".into()));
    let mut ledger = green();
    ledger.built(1, 'a');
    let decision = ledger.on_push(&rules, digest(1));
    let missing = of(&decision, "review");
    assert_eq!((missing.standing, missing.findings[0].text.as_str()), (Standing::Missing, "nobody has stated it"));
    assert_eq!(missing.supply, Some(format!("lineclear evidence add {} --name review", digest(1))));
    // A machine is no person.
    let statement = PersonStatement { name: "review".into(), passes: true, note: "".into(), files: BTreeMap::new() };
    ledger.run(digest(1), "review", Statement::Stated(statement));
    assert!(!ledger.on_push(&rules, digest(1)).clear);
    ledger.stated(digest(1), "Ann <ann@example.org>", true);
    let decision = ledger.on_push(&rules, digest(1));
    assert!(decision.clear);
    assert_eq!(of(&decision, "review").findings[0].text, "Ann <ann@example.org> says yes: seen");
    ledger.stated(commit('a'), "Bob", false);
    assert!(!ledger.on_push(&rules, digest(1)).clear, "of the commit it was built from");
    ledger.stated(commit('a'), "Bob", true).stated(digest(1), "Ann", false);
    assert!(!ledger.on_push(&rules, digest(1)).clear, "taken back");
}

#[test]
fn flaky_tests_are_counted_and_shown() {
    let mut ledger = green();
    let totals = TestTotals { passed: 120, flaky: 1, failed: 0, skipped: 3, duration_ms: 1 };
    let tests = TestsStatement { name: "unit".into(), totals, flaky: vec!["a::b".into()], failed: Vec::new() };
    ledger.run(commit('a'), "test", Statement::Tests(tests));
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    let shown = of(&decision, "tests");
    assert_eq!(shown.findings[0].text, "unit: 120 passed, 1 flaky (`a::b`) in run 2");
    assert!(!shown.blocking && decision.clear);
}

#[test]
fn a_decision_is_made_once_more_from_what_was_known_then() {
    let rules = requires(&["CI / test"]);
    let mut ledger = green();
    let decision = ledger.on_push(&rules, commit('a'));
    assert_eq!(decision.statement().rests_on, [0]);
    ledger.says(commit('a'), Witness::Engine, Statement::Decision(decision.statement()));
    ledger.check('a', "CI / test", End::Failure);
    assert_eq!(replay(&ledger.index, 1, &rules, &NoCommits), Ok(decision.clone()));
    // Written by somebody who did not ask.
    ledger.says(commit('a'), Witness::Engine, Statement::Decision(decision.statement()));
    assert!(matches!(replay(&ledger.index, 3, &rules, &NoCommits), Err(ReplayError::Differs { number: 3, .. })));
    assert_eq!(replay(&ledger.index, 0, &rules, &NoCommits), Err(ReplayError::NoDecision(0)));
    assert_eq!(replay(&ledger.index, 9, &rules, &NoCommits), Err(ReplayError::NoEntry(9)));
    let other = requires(&["CI / lint"]);
    assert!(matches!(replay(&ledger.index, 1, &other, &NoCommits), Err(ReplayError::OtherRules { .. })));
}

#[test]
fn the_hash_of_rules_is_that_of_what_they_say() {
    let rules = asks(|rules| rules.scan = Some(ScanRule { block: [Severity::High].into(), budget: 1 }));
    assert_eq!(rules.hash(), rules.clone().hash());
    assert_eq!(rules.hash().len(), 64);
    let mut other = rules.clone();
    other.scan = Some(ScanRule { block: [Severity::High].into(), budget: 2 });
    assert_ne!(rules.hash(), other.hash());
    // As it was written once: whoever changes the form changes what old decisions rest on.
    assert_eq!(Rules::default().hash(), "93deed47c5c3158fe3d3d4383961c356f003703051f39cbb349e1107ff7cd8ae");
}

#[test]
fn huge_and_hostile_ledgers_are_decided_in_a_bounded_time() {
    let mut ledger = Ledger::default();
    let legs: Vec<CheckLeg> = (0..20_000).map(|number| leg(&number.to_string(), End::Failure)).collect();
    ledger.legs('a', "CI / test", legs.clone()).legs('a', "CI / test", legs);
    for number in 0..20_000_u64 {
        ledger.check('b', "CI / test", End::Success).tree('b', &number.to_string());
        // The same message again and again.
        let entry = ledger.index.entries()[3].evidence.clone();
        ledger.says(entry.subject, entry.by, entry.statement);
    }
    let decision = ledger.on_push(&requires(&["CI / test"]), commit('a'));
    assert!(!decision.clear);
    assert_eq!(of(&decision, "CI / test").findings.len(), 201);
    assert!(ledger.on_push(&requires(&["CI / test"]), commit('b')).clear);
}

fn in_run(run: RunId, attempt: u32, job: &str) -> Witness {
    Witness::Run(RunWitness {
        run,
        attempt,
        file: ".github/workflows/ci.yml".into(),
        event: "push".into(),
        job: Some(JobKey::new(job)),
    })
}

fn left_out(since: char, adjusted: &[&str]) -> Statement {
    let since = Some(since.to_string().repeat(40));
    Statement::Check(CheckStatement {
        check: "CI / test".into(),
        context: CheckContext::Push,
        legs: vec![CheckLeg { since, ..leg("", End::PathFiltered) }],
        adjusted: adjusted.iter().map(|&how| how.to_owned()).collect(),
    })
}

#[test]
fn what_was_left_out_without_a_run_is_never_late_and_one_adjusted_statement_disables_no_other() {
    let rules = requires(&["CI / test"]);
    let by = || in_run(RunWitness::NOT_STARTED, 1, "test");
    let mut ledger = green();
    // First counted from a commit of which nothing is known, then from one where it failed.
    ledger.says(commit('c'), by(), left_out('a', &[]));
    assert!(ledger.on_push(&rules, commit('c')).clear);
    ledger.check('b', "CI / test", End::Failure);
    ledger.says(commit('c'), by(), left_out('b', &[]));
    let decision = ledger.on_push(&rules, commit('c'));
    assert_eq!(of(&decision, "CI / test").standing, Standing::Fail, "{decision:?}");
    // An adjusted one somewhere else says nothing of this one.
    ledger.says(commit('e'), by(), left_out('a', &["--env"]));
    assert_eq!(of(&ledger.on_push(&rules, commit('c')), "CI / test").standing, Standing::Fail);
    ledger.says(commit('d'), by(), left_out('a', &[]));
    assert_eq!(of(&ledger.on_push(&rules, commit('d')), "CI / test").standing, Standing::NotNeeded);
    assert!(!ledger.on_push(&rules, commit('e')).clear, "an adjusted one clears nothing");
}

#[test]
fn of_all_that_one_attempt_says_of_a_report_the_worst_counts_and_a_newer_attempt_replaces_all_of_it() {
    let covered = asks(|rules| rules.coverage = Some(CoverageRule { min: Some(80.0), ratchet: true }));
    let block = [Severity::Critical].into();
    let scanned = asks(|rules| rules.scan = Some(ScanRule { block, budget: 0 }));
    let (good, bad) = ([(Severity::Critical, 0)], [(Severity::Critical, 1)]);
    // Whichever is said first.
    for (first, second) in [(900, 700), (700, 900)] {
        let mut ledger = green();
        ledger.says(commit('a'), in_run(RunId(7), 1, "test"), coverage(first));
        ledger.says(commit('a'), in_run(RunId(7), 1, "test"), coverage(second));
        let decision = ledger.on_push(&covered, commit('a'));
        let told = of(&decision, "coverage");
        assert_eq!((told.standing, told.findings.len()), (Standing::Fail, 2), "{told:?}");
        ledger.says(commit('a'), in_run(RunId(7), 2, "test"), coverage(850));
        let decision = ledger.on_push(&covered, commit('a'));
        assert_eq!(of(&decision, "coverage").standing, Standing::Pass);
        // What was reached before is the lowest of an attempt, and all of it was reached again.
        for share in [860, 890] {
            ledger.says(commit('b'), in_run(RunId(8), 1, "test"), coverage(share));
        }
        let standing =
            |ledger: &Ledger, of_commit| of(&ledger.on_push(&covered, commit(of_commit)), "coverage").standing;
        assert_eq!(standing(&ledger, 'b'), Standing::Pass);
        for share in [860, 870] {
            ledger.says(commit('c'), in_run(RunId(9), 1, "test"), coverage(share));
        }
        assert_eq!(standing(&ledger, 'c'), Standing::Pass, "860 was reached before, and not 890");
        ledger.says(commit('d'), in_run(RunId(10), 1, "test"), coverage(855));
        assert_eq!(standing(&ledger, 'd'), Standing::Fail, "860 was reached before");
    }
    for (first, second) in [(&good, &bad), (&bad, &good)] {
        let mut ledger = green();
        ledger.built(1, 'a');
        for subject in [commit('a'), digest(1)] {
            ledger.says(subject.clone(), in_run(RunId(7), 1, "scan"), scan("trivy", first));
            ledger.says(subject, in_run(RunId(7), 1, "scan"), scan("trivy", second));
        }
        assert!(!ledger.on_push(&scanned, commit('a')).clear);
        let decision = ledger.on_push(&scanned, digest(1));
        let of_image = of(&decision, "findings in the image");
        assert_eq!(of_image.standing, Standing::Fail, "{of_image:?}");
        for subject in [commit('a'), digest(1)] {
            ledger.says(subject, in_run(RunId(8), 1, "scan"), scan("trivy", &good));
        }
        assert!(ledger.on_push(&scanned, digest(1)).clear);
    }
}
