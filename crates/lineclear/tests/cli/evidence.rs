//! What runs prove: what stands in the ledger afterwards, and what gates make of it.

use std::fs;

use lineclear_testkit::{Repository, Run};
use serde_json::Value;

const POLICY: &str = "[gate.main]\nrequire = [\"CI / lint\", \"CI / test\"]\n";

const CI: &str = "
name: CI
on: [push, pull_request]
jobs:
  lint:
    runs-on: linux
    steps: [run: test ! -e broken]
  test:
    needs: lint
    strategy: { matrix: { python: ['3.11', '3.12'] } }
    runs-on: linux
    steps: [run: 'test ! -e broken-${{ matrix.python }}']
";

fn repository(name: &str, workflow: &str, policy: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write(".github/workflows/ci.yml", workflow);
    repository.write("lineclear.toml", policy);
    repository.commit("first");
    repository
}

fn git(repository: &Repository, arguments: &str) -> String {
    repository.sh(&format!("git {arguments} > ../said"));
    fs::read_to_string(repository.beside("said")).expect("git said something").trim().to_owned()
}

fn succeeds(run: &Run) {
    assert_eq!(run.exit, 0, "{}\n{}", run.transcript(), run.stderr);
}

/// The entries of the ledger.
fn entries(repository: &Repository) -> Vec<Value> {
    let said = repository.say(&["ledger", "show", "-n", "1000", "--format", "json"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let document: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    document["entries"].as_array().expect("there is a list").clone()
}

/// The check statements of this name.
fn checks(repository: &Repository, check: &str) -> Vec<Value> {
    let entries = entries(repository).into_iter().map(|entry| entry["statement"]["check"].clone());
    entries.filter(|statement| statement["check"] == *check).collect()
}

fn legs(statement: &Value) -> Vec<(String, String)> {
    let legs = statement["legs"].as_array().expect("there are legs");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut legs: Vec<_> = legs.iter().map(|leg| (text(&leg["name"]), text(&leg["conclusion"]))).collect();
    legs.sort();
    legs
}

/// The exit code of `gate`, and its decision.
fn gate(repository: &Repository, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["gate", "--format", "json"];
    all.extend(arguments);
    let said = repository.say(&all);
    (said.exit, serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}{}", said.stdout, said.stderr)))
}

fn pair(name: &str, conclusion: &str) -> (String, String) {
    (name.to_owned(), conclusion.to_owned())
}

// S0-15, S0-24
#[test]
fn a_gate_is_clear_for_the_commit_whose_checks_succeeded_and_no_other() {
    let repository = repository("evidence", CI, POLICY);
    let (exit, decision) = gate(&repository, &["--no-record"]);
    assert_eq!((exit, &decision["clear"]), (1, &Value::Bool(false)), "nothing was proven yet: {decision}");
    succeeds(&repository.run(&[]));
    let statements = checks(&repository, "CI / test");
    assert_eq!(statements.len(), 1, "a job is stated once, with all its legs: {statements:?}");
    assert_eq!(legs(&statements[0]), [pair("3.11", "success"), pair("3.12", "success")]);
    assert_eq!(statements[0]["context"], "push");
    let entries = entries(&repository);
    let sha = git(&repository, "rev-parse HEAD");
    assert!(entries.iter().all(|entry| entry["subject"] == format!("commit:{sha}")), "{entries:?}");
    assert_eq!(entries[0]["statement"]["commit"]["tree"], git(&repository, "rev-parse HEAD^{tree}"));
    let run = &entries.last().expect("there are entries")["statement"]["run"];
    assert_eq!(
        (&run["workflow"], &run["conclusion"], &run["head_branch"]),
        (&"CI".into(), &"success".into(), &"main".into())
    );
    let (exit, decision) = gate(&repository, &[]);
    assert_eq!(exit, 0, "{decision}");

    repository.write("broken", "");
    repository.commit("broken");
    assert_eq!(repository.run(&[]).exit, 1);
    let lint = checks(&repository, "CI / lint").pop().expect("it is stated");
    assert_eq!(legs(&lint), [pair("", "failure")]);
    let test = checks(&repository, "CI / test").pop().expect("it is stated");
    assert_eq!(legs(&test), [pair("", "skipped")]);
    assert!(test["legs"][0]["reason"].as_str().is_some_and(|reason| reason.contains("lint")), "{test}");
    let (exit, decision) = gate(&repository, &["HEAD"]);
    assert_eq!(exit, 1, "{decision}");
    assert!(decision.to_string().contains("CI / lint"), "the failing check is named: {decision}");
    assert_eq!(gate(&repository, &["HEAD~1"]).0, 0, "the commit before is as clear as it was");
}

#[test]
fn one_leg_that_fails_keeps_the_gate_closed() {
    let repository = repository("evidence-legs", CI, POLICY);
    repository.write("broken-3.12", "");
    repository.commit("one leg is broken");
    assert_eq!(repository.run(&[]).exit, 1);
    let test = checks(&repository, "CI / test").pop().expect("it is stated");
    assert!(legs(&test).contains(&pair("3.12", "failure")), "{test}");
    assert_eq!(gate(&repository, &[]).0, 1);
}

#[test]
fn evidence_is_for_exactly_the_contents_of_the_commit() {
    let repository = repository("evidence-adjusted", CI, POLICY);
    let adjusted = || {
        let last = entries(&repository).pop().expect("there are entries");
        last["statement"]["run"]["adjusted"].clone()
    };
    repository.write("new", "not committed");
    succeeds(&repository.run(&[]));
    assert_eq!(adjusted(), serde_json::json!(["changes that no commit has: new"]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 1, "what ran is not what the commit has");
    repository.sh("rm new");
    for (arguments, told) in [
        (&["--env", "A=1"][..], "--env"),
        (&["-j", "test", "--matrix", "python:3.11"], "--matrix python:3.11"),
        (&["--in-place"], "--in-place"),
        (&["--ref", "refs/heads/release"], "--ref refs/heads/release, which is not at this commit"),
    ] {
        succeeds(&repository.run(arguments));
        assert_eq!(adjusted(), serde_json::json!([told]), "{arguments:?}");
        assert_eq!(gate(&repository, &["--no-record"]).0, 1, "{arguments:?}");
    }
    // Workflow files that are not those of the commit.
    repository.sh("mkdir ../other && sed 's/test ! -e/true/' .github/workflows/ci.yml > ../other/ci.yml");
    succeeds(&repository.run(&["-W", "../other/ci.yml"]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 1, "a workflow from elsewhere proves nothing");
    repository.sh(
        "git update-index --assume-unchanged .github/workflows/ci.yml && echo '# changed' >> .github/workflows/ci.yml",
    );
    succeeds(&repository.run(&[]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 1, "git was told to look away: {}", adjusted());
    repository.sh("git update-index --no-assume-unchanged .github/workflows/ci.yml && git checkout -q .");
    succeeds(&repository.run(&["--var", "A=1", "--secret", "TOKEN=abc"]));
    assert_eq!(adjusted(), Value::Null, "variables and secrets are no adjustment");
    assert_eq!(gate(&repository, &["--no-record"]).0, 0);
}

#[test]
fn evidence_is_not_lent_by_what_git_was_told_to_take_for_the_contents() {
    let repository = repository("evidence-git-settings", CI, POLICY);
    repository.write("file", "good");
    repository.commit("good");
    succeeds(&repository.run(&[]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 0);
    repository.write("file", "evil");
    repository.commit("evil");
    repository.sh("git replace HEAD HEAD~1");
    assert_eq!(gate(&repository, &["--no-record"]).0, 1, "another commit was put in its place");
    repository.sh("git replace -d HEAD");
    let adjusted = || {
        succeeds(&repository.run(&[]));
        let last = entries(&repository).pop().expect("there are entries");
        assert_eq!(gate(&repository, &["--no-record"]).0, 1, "{last}");
        last["statement"]["run"]["adjusted"].clone()
    };
    repository.sh("git config filter.x.clean 'sed s/good/evil/' && git config filter.x.smudge 'sed s/evil/good/' && \
         echo 'file filter=x' > .git/info/attributes && rm file && git checkout -q file && grep -q good file");
    assert_eq!(adjusted(), serde_json::json!(["files that git's filter `x` changes"]));
    repository.sh("rm .git/info/attributes && git config --remove-section filter.x && git checkout -q -f");
    for (attributes, made, told) in [
        (
            "file working-tree-encoding=UTF-16LE",
            "",
            "files that `working-tree-encoding=UTF-16LE` of .git/info/attributes changes",
        ),
        ("file ident", "", "files that `ident` of .git/info/attributes changes"),
        ("file text eol=crlf", "", "lines that end in another way than in the commit: file"),
        (
            "",
            "git config core.autocrlf input; printf 'bad\\r\\n' > file; git add file;",
            "lines that end in another way than in the commit: file",
        ),
    ] {
        repository.sh(&format!(
            "printf 'bad\\n' > file; git commit -q --allow-empty -a -m bad; echo '{attributes}' > .git/info/attributes; rm file; \
             git checkout -q file; {made} test -z \"$(git status --porcelain)\""
        ));
        let found = adjusted();
        assert!(found[0].as_str().is_some_and(|first| first.starts_with(told)), "{attributes}: {found}");
        repository.sh("rm .git/info/attributes; git config core.autocrlf false; rm file; git checkout -q -f");
    }
    // As large and as old as the one that git has looked at. Git tells times of changes apart by whole seconds.
    repository.sh(
        "echo evil > file; git commit -q -a -m line; git config core.trustctime false; git config core.checkStat minimal; \
         touch -d '2020-01-01 00:00:00' file; git update-index --refresh; sleep 1.1; echo good > file; \
         touch -d '2020-01-01 00:00:00' file; test -z \"$(git status --porcelain)\"",
    );
    assert_eq!(adjusted(), serde_json::json!(["changes that no commit has: file"]));
}

#[test]
fn attributes_that_git_was_told_to_ignore_lend_no_contents() {
    let repository = repository("evidence-ignored-attributes", CI, POLICY);
    repository.write("sub/file", "$Id$\nbad\n");
    repository.write(".gitattributes", "[attr]windows text eol=crlf\n");
    repository.commit("bad");
    repository.sh("echo '.gitattributes' > .git/info/exclude");
    for (attributes, told) in [
        ("* ident", "files that `ident` of sub/.gitattributes changes, which no commit has"),
        ("* windows", "files that `windows` of sub/.gitattributes changes, which no commit has"),
        ("* filter=lfs", "files that `filter=lfs` of sub/.gitattributes changes, which no commit has"),
        ("* text eol=crlf", "lines that end in another way than in the commit: sub/file"),
    ] {
        repository.write("sub/.gitattributes", attributes);
        repository.sh("rm sub/file; git checkout -q sub/file; test -z \"$(git status --porcelain)\"");
        succeeds(&repository.run(&[]));
        let last = entries(&repository).pop().expect("there are entries");
        assert_eq!(last["statement"]["run"]["adjusted"][0], told, "{last}");
        assert_eq!(gate(&repository, &["--no-record"]).0, 1, "{attributes}");
    }
    repository.sh("rm sub/.gitattributes sub/file; git checkout -q sub/file");
    succeeds(&repository.run(&[]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 0, "the commit's own are part of its contents");
}

#[test]
fn a_digest_is_found_by_the_beginning_that_lists_show() {
    let repository = repository("evidence-short-digest", CI, POLICY);
    let digests = ["a".repeat(64), format!("{}b", "a".repeat(63))].map(|hex| format!("sha256:{hex}"));
    let add = |digest: &str| repository.say(&["evidence", "add", digest, "--name", "review", "--as", "A"]).exit;
    assert_eq!(add(&digests[0]), 0);
    let shown = repository.say(&["ledger", "show", "sha256:aaaaaaaaaaaa"]);
    assert!(shown.stdout.contains("review passes"), "{}{}", shown.stdout, shown.stderr);
    assert_eq!(add(&digests[1]), 0);
    for (beginning, told) in [
        ("sha256:aaaaaaaaaaaa", "the beginning of several digests"),
        ("sha256:bbbbbbbbbbbb", "knows no digest that begins with"),
        ("sha256:aaa", "is no digest"),
        ("sha256:nothing", "is no digest"),
    ] {
        let said = repository.say(&["gate", beginning]);
        assert_eq!(said.exit, 2, "{}", said.stdout);
        assert!(said.stderr.contains(told), "{beginning}: {}", said.stderr);
    }
}

#[test]
fn what_is_stated_does_not_steer_the_terminal() {
    let repository = repository("evidence-control", CI, POLICY);
    let note = "seen\u{1b}]0;title\u{7}\n99 2026-01-01 everything passes";
    let added = repository.say(&["evidence", "add", "HEAD", "--name", "review", "--note", note, "--as", "A\u{1b}[2J"]);
    assert_eq!(added.exit, 0, "{}", added.stderr);
    for arguments in [&["ledger", "show"][..], &["evidence", "list", "HEAD"]] {
        let shown = repository.say(arguments).stdout;
        assert!(shown.contains("review passes: seen"), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
        assert_eq!(shown.lines().count(), 2, "an entry is a line: {shown:?}");
    }
}

// C4
#[test]
fn evidence_follows_equal_contents_through_merge_and_squash_and_nothing_else() {
    let repository = repository("evidence-trees", CI, POLICY);
    repository.sh("git checkout -q -b feature");
    repository.write("feature", "1");
    repository.commit("half");
    repository.write("feature", "2");
    repository.commit("whole");
    succeeds(&repository.run(&[]));
    repository.sh("git checkout -q main && git merge -q --no-ff -m merged feature");
    assert_eq!(gate(&repository, &[]).0, 0, "the merge has the contents of the branch");
    repository.sh("git reset -q --hard HEAD~1 && git merge -q --squash feature && git commit -q -m squashed");
    assert_eq!(gate(&repository, &[]).0, 0, "so has the squash");
    assert_eq!(gate(&repository, &["feature~1"]).0, 1, "the half has other contents");
    repository.write("more", "");
    repository.commit("more");
    assert_eq!(gate(&repository, &[]).0, 1);
}

// S0-12
#[test]
fn a_check_that_its_paths_leave_out_is_not_needed_with_the_reason() {
    let workflow = "
name: CI
on: { push: { paths: ['src/**'] } }
jobs:
  test: { runs-on: linux, steps: [run: test ! -e src/broken] }
";
    let repository = repository("evidence-paths", workflow, "[gate.main]\nrequire = [\"CI / test\"]\n");
    repository.write("src/a", "1");
    repository.commit("source");
    succeeds(&repository.run(&[]));
    let source = git(&repository, "rev-parse HEAD");
    repository.write("docs/a", "1");
    repository.commit("docs");
    succeeds(&repository.run(&[]));
    let statement = checks(&repository, "CI / test").pop().expect("it is stated");
    assert_eq!(legs(&statement), [pair("", "path_filtered")]);
    assert_eq!(statement["legs"][0]["since"], source);
    assert!(statement["legs"][0]["reason"].as_str().is_some_and(|reason| reason.contains("src/**")), "{statement}");
    let (exit, decision) = gate(&repository, &[]);
    assert_eq!(exit, 0, "{decision}");
    assert_eq!(decision["requirements"][0]["standing"], "not_needed", "{decision}");

    // A red commit does not become green by changing something else.
    repository.write("src/broken", "");
    repository.commit("broken");
    assert_eq!(repository.run(&[]).exit, 1);
    repository.write("docs/a", "2");
    repository.commit("docs again");
    succeeds(&repository.run(&[]));
    let (exit, decision) = gate(&repository, &[]);
    assert_eq!(exit, 1, "{decision}");
}

#[test]
fn what_a_payload_says_of_changed_paths_clears_no_gate() {
    let workflow = "
name: CI
on: { push: { paths: ['src/**'] } }
jobs:
  test: { runs-on: linux, steps: [run: test ! -e src/broken] }
";
    let repository = repository("evidence-payload", workflow, "[gate.main]\nrequire = [\"CI / test\"]\n");
    repository.write("src/broken", "");
    repository.commit("broken");
    let head = git(&repository, "rev-parse HEAD");
    let commit = |path: &str| serde_json::json!([{ "id": head, "message": "broken", "modified": [path] }]);
    for (before, commits) in
        [(head.as_str(), commit("src/broken")), ("1234567890123456789012345678901234567890", commit("README"))]
    {
        let payload =
            serde_json::json!({ "ref": "refs/heads/main", "before": before, "after": head, "commits": commits });
        let file = repository.beside("payload.json");
        fs::write(&file, payload.to_string()).expect("a file");
        succeeds(&repository.run(&["--event", "push", "--payload", file.to_str().expect("text")]));
        let statement = checks(&repository, "CI / test").pop().expect("it is stated");
        assert_eq!(legs(&statement), [pair("", "path_filtered")], "{statement}");
        assert_eq!(statement["adjusted"], serde_json::json!(["--payload, whose word alone says what changed"]));
        let (exit, decision) = gate(&repository, &["--no-record"]);
        assert_eq!(exit, 1, "{decision}");
        assert!(decision.to_string().contains("--payload"), "{decision}");
    }
    assert_eq!(repository.run(&[]).exit, 1, "git knows that it changed");
}

#[test]
fn a_presets_gate_is_closed_while_a_workflow_cannot_be_understood() {
    let repository = repository("evidence-preset", CI, "preset = 'publish-only'\n");
    succeeds(&repository.run(&[]));
    assert_eq!(gate(&repository, &["--no-record"]).0, 0);
    repository.write(".github/workflows/tests.yml", "name: [");
    let (exit, decision) = gate(&repository, &["--no-record"]);
    assert_eq!(exit, 1, "{decision}");
    assert!(decision.to_string().contains("any check of .github/workflows/tests.yml"), "{decision}");
    let said = repository.say(&["status"]);
    assert!(said.exit == 2 && said.stderr.contains("preset-of-faulty-workflow"), "{}", said.stderr);
}

// S0-16, S0-22, S0-26
#[test]
fn a_job_of_pull_requests_alone_is_skipped_on_push_with_its_reason() {
    let workflow = "
name: CI
on: [push, pull_request]
jobs:
  test: { runs-on: linux, steps: [run: 'true'] }
  docker-build-check:
    if: github.event_name == 'pull_request'
    runs-on: linux
    steps: [run: test ! -e no-image]
";
    let policy =
        "[gate.main]\nrequire = [\"CI / test\", { check = \"CI / docker-build-check\", on = \"pull_request\" }]\n";
    let repository = repository("evidence-pr", workflow, policy);
    repository.write("no-image", "");
    repository.commit("the image cannot be built");
    succeeds(&repository.run(&[]));
    let skipped = checks(&repository, "CI / docker-build-check").pop().expect("it is stated");
    assert_eq!(legs(&skipped), [pair("", "skipped")]);
    assert!(skipped["legs"][0]["reason"].as_str().is_some_and(|reason| reason.contains("pull_request")), "{skipped}");
    assert_eq!(gate(&repository, &[]).0, 0, "it is required on pull requests only");
    assert_eq!(repository.run(&["--event", "pull_request"]).exit, 1);
    let on_request = checks(&repository, "CI / docker-build-check").pop().expect("it is stated");
    assert_eq!((&on_request["context"], legs(&on_request)), (&"pull_request".into(), vec![pair("", "failure")]));
    assert_eq!(gate(&repository, &["--on", "pull_request"]).0, 1);
}

// S0-18
#[test]
fn a_supplementary_check_is_made_blocking_by_the_policy_alone() {
    let policy = "[gate.main]\nrequire = [\"CI / lint\"]\nsupplementary = [\"CI / test\"]\n";
    let repository = repository("evidence-supplementary", CI, policy);
    repository.write("broken-3.11", "");
    repository.commit("a leg is broken");
    assert_eq!(repository.run(&[]).exit, 1);
    let (exit, decision) = gate(&repository, &[]);
    assert_eq!(exit, 0, "it is shown only: {decision}");
    assert!(decision.to_string().contains("CI / test"), "{decision}");
    repository.write("lineclear.toml", POLICY);
    assert_eq!(gate(&repository, &[]).0, 1);
}

#[test]
fn called_workflows_are_named_as_the_forge_names_them() {
    let repository = Repository::new("evidence-called");
    repository.write(
        ".github/workflows/ci.yml",
        "name: CI\non: push\njobs:\n  call: { uses: ./.github/workflows/called.yml }\n",
    );
    repository.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs:\n  build:\n    strategy: { matrix: { a: [1, 2] } }\n    runs-on: linux\n    steps: [run: 'true']\n",
    );
    repository.commit("first");
    succeeds(&repository.run(&[]));
    let build = checks(&repository, "CI / call / build");
    assert_eq!(build.len(), 1, "{:?}", entries(&repository));
    assert_eq!(legs(&build[0]), [pair("1", "success"), pair("2", "success")]);
    assert_eq!(checks(&repository, "CI / call"), Vec::<Value>::new(), "the call itself is no check");
}

// S1-72
#[test]
fn a_job_that_may_fail_is_stated_as_the_failure_that_it_is() {
    let workflow = "
name: CI
on: push
jobs:
  scan: { continue-on-error: true, runs-on: linux, steps: [run: exit 1] }
";
    let repository = repository("evidence-continue", workflow, "[gate.main]\nrequire = [\"CI / scan\"]\n");
    succeeds(&repository.run(&[]));
    let scan = checks(&repository, "CI / scan").pop().expect("it is stated");
    assert_eq!(legs(&scan), [pair("", "failure")]);
    assert_eq!(gate(&repository, &[]).0, 1);
}

#[test]
fn without_a_commit_nothing_is_recorded_and_nothing_is_wrong() {
    let repository = Repository::new("evidence-none");
    repository.write(".github/workflows/ci.yml", CI);
    succeeds(&repository.run(&[]));
    assert_eq!(entries(&repository), Vec::<Value>::new());
}

#[test]
fn a_ledger_that_was_tampered_with_is_named_and_ends_runs_as_a_fault() {
    let repository = repository("evidence-edited", CI, POLICY);
    repository.write("broken", "");
    repository.commit("broken");
    assert_eq!(repository.run(&[]).exit, 1);
    assert_eq!(repository.say(&["ledger", "verify"]).exit, 0);
    let folder = fs::read_dir(repository.home().join("ledger")).expect("there is a ledger");
    let file =
        folder.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let file = file.expect("there is a ledger");
    let text = fs::read_to_string(&file).expect("it can be read");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let number = lines.iter().position(|line| line.contains("\"failure\"")).expect("a check failed");
    let check = |lines: &[String], sentence: &str| {
        fs::write(&file, lines.join("\n") + "\n\n").expect("it can be written");
        let said = repository.say(&["ledger", "verify"]);
        assert_eq!(said.exit, 1, "{}", said.stdout);
        assert!(said.stdout.contains(sentence), "{sentence}: {}", said.stdout);
        assert_eq!(repository.say(&["gate"]).exit, 3, "nothing rests on it any more");
    };
    // The last entry has no other after it: its hash is noted beside the ledger.
    let start = text.trim_end().rfind('\n').expect("there are entries") + 1;
    fs::write(&file, text[..start].to_owned() + &text[start..].replace("\"failure\"", "\"success\"")).expect("written");
    let said = repository.say(&["ledger", "verify"]);
    let sentence = format!("entry {} is not where and what it was; docs/ledger.md says how", lines.len() - 1);
    assert!(said.exit == 1 && said.stdout.contains(&sentence), "{}", said.stdout);
    let owned = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    let mut edited = owned();
    edited[number] = edited[number].replace("\"failure\"", "\"success\"");
    check(&edited, &format!("entry {number} was changed after it was written"));
    let mut cut = owned();
    cut.remove(number);
    check(&cut, &format!("entry {number} is missing"));
    let mut swapped = owned();
    swapped.swap(number, number + 1);
    check(&swapped, &format!("entry {number} is missing"));
    let mut shortened = owned();
    shortened.pop();
    check(&shortened, "the last ones are gone");

    let run = repository.run(&[]);
    assert_eq!(run.exit, 3, "a run that cannot state what it proves fails: {}", run.stderr);
    assert!(run.stderr.contains("what it proves is not recorded"), "{}", run.stderr);
    let last = run.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error:") && last.contains("the last ones are gone"),
        "the last word is not success: {last}"
    );
}

#[test]
fn a_damaged_ledger_is_set_aside_under_a_name_and_the_new_one_says_so() {
    let repository = repository("evidence-aside", CI, POLICY);
    succeeds(&repository.run(&[]));
    let aside = || repository.say(&["ledger", "set-aside"]);
    let said = aside();
    assert!(said.exit == 2 && said.stderr.contains("only a damaged one"), "{}", said.stderr);
    let folder = repository.home().join("ledger");
    let file = |is: &dyn Fn(&str) -> bool| {
        let mut files = fs::read_dir(&folder).expect("there is a ledger").flatten().map(|entry| entry.path());
        files.find(|path| path.file_name().is_some_and(|name| is(&name.to_string_lossy())))
    };
    let ledger = file(&|name| name.ends_with(".jsonl")).expect("there is a ledger");
    let text = fs::read_to_string(&ledger).expect("it can be read").replacen("success", "failure", 1);
    fs::write(&ledger, &text).expect("it can be written");
    assert_eq!(repository.say(&["gate"]).exit, 3);
    let run = repository.run(&[]);
    let last = run.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(run.exit == 3 && last.contains("entry 1 was changed after it was written"), "{}: {last}", run.exit);
    let text = fs::read_to_string(&ledger).expect("it can be read");

    let said = aside();
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    let kept = file(&|name| name.contains(".damaged-") && !name.ends_with(".head")).expect("it is kept");
    assert!(said.stdout.contains(&*kept.to_string_lossy()), "{}", said.stdout);
    assert_eq!(fs::read_to_string(&kept).expect("it can be read"), text, "as it was found");
    let begun = entries(&repository);
    let stated = &begun[0]["statement"]["stated"];
    assert_eq!((begun.len(), &stated["name"]), (1, &"ledger-set-aside".into()), "{begun:?}");
    let name = kept.file_name().expect("it has a name").to_string_lossy().into_owned();
    assert!(stated["files"][&name].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{stated}");
    assert_eq!(gate(&repository, &["--no-record"]).0, 1, "what was proven before counts no more");
    succeeds(&repository.run(&[]));
    assert_eq!(gate(&repository, &[]).0, 0);
    assert_eq!(repository.say(&["ledger", "verify"]).exit, 0);

    // One whose end or whose file is gone is damaged, too.
    fs::remove_file(&ledger).expect("it is there");
    assert_eq!(repository.say(&["gate"]).exit, 3);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(aside().exit, 0);
    assert_eq!(entries(&repository).len(), 1);
}

#[test]
fn whose_ledger_is_a_name_of_a_repository_that_has_one() {
    let repository = repository("evidence-names", CI, POLICY);
    succeeds(&repository.run(&[]));
    let wrong = |args: &[&str], words: &str| {
        let said = repository.say(args);
        assert_eq!((said.exit, said.stdout.as_str()), (2, ""), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{args:?}: {}", said.stderr);
    };
    for command in [&["ledger", "export"][..], &["ledger", "show"], &["ledger", "verify"], &["security"]] {
        for name in ["../../etc/passwd", "..", "shop", "a/", "/a", "a/b/c", "a/..", "a b/c", ""] {
            wrong(&[command, &["-R", name]].concat(), "name one as OWNER/NAME");
        }
        wrong(&[command, &["-R", "no/body"]].concat(), "`no/body` has no ledger here; there are those of ");
    }
    wrong(&["images", "sha256:zz"], "is no digest");
}

#[test]
fn a_home_that_cannot_be_used_is_a_fault_of_every_command() {
    let repository = repository("evidence-home", CI, POLICY);
    let commands: [&[&str]; 7] = [
        &["gate"],
        &["ledger", "show"],
        &["ledger", "verify"],
        &["evidence", "list", "HEAD"],
        &["images"],
        &["security"],
        &["status"],
    ];
    for command in commands {
        let mut lineclear = repository.lineclear(command);
        lineclear.env("LINECLEAR_HOME", "/dev/null/home");
        let said = lineclear_testkit::say(lineclear);
        assert_eq!(said.exit, 3, "{command:?}: {}", said.stderr);
        assert!(said.stderr.contains("LINECLEAR_HOME names another folder"), "{command:?}: {}", said.stderr);
    }
}

// S0-24
#[test]
fn decisions_are_recorded_with_what_they_rest_on_and_replayed() {
    let repository = repository("evidence-replay", CI, POLICY);
    succeeds(&repository.run(&[]));
    let (exit, decision) = gate(&repository, &[]);
    assert_eq!(exit, 0, "{decision}");
    let number = decision["entry"].as_u64().expect("it is recorded").to_string();
    let entry = entries(&repository).pop().expect("there are entries");
    let recorded = &entry["statement"]["decision"];
    assert_eq!((&recorded["gate"], &recorded["clear"]), (&"main".into(), &true.into()));
    assert!(recorded["rests_on"].as_array().is_some_and(|entries| entries.len() >= 2), "{recorded}");
    // What is learnt later does not change what was known.
    repository.say(&["evidence", "add", "HEAD", "--name", "review", "--fails"]);
    let said = repository.say(&["gate", "--replay", &number]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("says the same again: gate main is clear"), "{}", said.stdout);
    assert_eq!(repository.say(&["gate", "--replay", "0"]).exit, 2, "it is no decision");
    repository.write("lineclear.toml", &POLICY.replace("\"CI / lint\", ", ""));
    let said = repository.say(&["gate", "--replay", &number]);
    assert!(said.exit == 1 && said.stdout.contains("other rules"), "{}", said.stdout);
}

#[test]
fn unknown_gates_are_suggested_and_no_gate_is_wrong_input() {
    let repository = repository("evidence-gates", CI, POLICY);
    let said = repository.say(&["gate", "--gate", "mian"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("there is no gate `mian` in lineclear.toml; did you mean `main`?"), "{}", said.stderr);
    let said = repository.say(&["gate", "no-such-thing"]);
    assert_eq!(said.exit, 2, "{}", said.stderr);
    repository.write("lineclear.toml", "");
    let said = repository.say(&["gate"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("lineclear init"), "{}", said.stderr);
}

#[test]
fn people_read_what_is_missing_and_how_to_supply_it() {
    let repository = repository("evidence-text", CI, POLICY);
    let said = repository.say(&["gate", "--explain", "--no-record"]);
    assert_eq!(said.exit, 1);
    assert!(said.stdout.starts_with("gate main: blocked  commit "), "{}", said.stdout);
    assert!(said.stdout.contains("(first), on push") && said.stdout.contains("CI / lint"), "{}", said.stdout);
    assert!(said.stdout.contains("to supply it: lineclear run"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "colours are for terminals");
    let run = repository.say(&["run", "--format", "plain"]);
    assert!(run.stdout.contains("evidence about ") && run.stdout.contains("gate `main` is clear"), "{}", run.stdout);
    let said = repository.say(&["gate", "--explain"]);
    assert_eq!(said.exit, 0);
    assert!(said.stdout.starts_with("gate main: clear"), "{}", said.stdout);
    assert!(said.stdout.contains("entry ") && said.stdout.contains("run "), "{}", said.stdout);
    // What nothing produces, no run supplies.
    repository.write("lineclear.toml", "[gate.main]\nrequire = [\"CI / nope\"]\n");
    let said = repository.say(&["gate", "--no-record"]);
    assert!(said.exit == 1 && said.stdout.contains("no workflow of the checkout has this check"), "{}", said.stdout);
    assert!(!said.stdout.contains("lineclear run"), "{}", said.stdout);
}

// S3-12, S3-13
#[test]
fn people_state_what_they_tried_of_a_commit_or_an_image() {
    let repository = repository("evidence-people", CI, "[gate.release]\nstatements = [\"manual-validation\"]\n");
    assert_eq!(gate(&repository, &[]).0, 1);
    repository.write("../report.txt", "all well");
    let said = repository.say(&[
        "evidence",
        "add",
        "HEAD",
        "--name",
        "manual-validation",
        "--note",
        "tried on node 3",
        "--file",
        "../report.txt",
    ]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("Tester <tester@example.org> states of commit:"), "{}", said.stdout);
    assert_eq!(gate(&repository, &[]).0, 0);
    let said = repository.say(&["evidence", "list", "HEAD"]);
    assert!(said.stdout.contains("manual-validation passes: tried on node 3 (1 file)"), "{}", said.stdout);
    repository.say(&["evidence", "add", "HEAD", "--name", "manual-validation", "--fails", "--as", "Ann"]);
    assert_eq!(gate(&repository, &[]).0, 1, "the newest word counts");
    let digest = format!("sha256:{}", "ab".repeat(32));
    let said = repository.say(&["evidence", "add", &digest, "--name", "stress-test"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let said = repository.say(&["evidence", "list", &digest, "--format", "json"]);
    let document: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    assert_eq!(document["entries"][0]["statement"]["stated"]["name"], "stress-test", "{document}");
    let said = repository.say(&["evidence", "add", "HEAD", "--name", "not a name"]);
    assert_eq!(said.exit, 2);
}

#[test]
fn a_statement_that_no_gate_asks_for_is_written_and_noted() {
    let repository = repository("evidence-unasked", CI, "[gate.main]\nstatements = ['security-review', 'tried']\n");
    let add = |name: &str| {
        let said = repository.say(&["evidence", "add", "HEAD", "--name", name]);
        assert_eq!(said.exit, 0, "{}", said.stderr);
        said.stderr
    };
    assert_eq!(add("tried"), "");
    assert_eq!(
        add("securty-review"),
        "note: no gate of `lineclear.toml` asks for `securty-review`, but for `security-review`, `tried`; did you mean `security-review`?\n"
    );
    repository.write("lineclear.toml", POLICY);
    assert!(add("tried").contains("asks for `tried`, nor for any other statement"));
    repository.write("lineclear.toml", "");
    assert_eq!(add("tried"), "", "without gates nobody asks for anything");
}

// S0-50
#[test]
fn the_ledger_is_summed_up_exported_and_verified_elsewhere() {
    let repository = repository("evidence-export", CI, POLICY);
    succeeds(&repository.run(&[]));
    let said = repository.say(&["ledger", "show", "--summary"]);
    assert!(said.exit == 0 && said.stdout.contains("moves without a clear gate: 0"), "{}", said.stdout);
    let said = repository.say(&["ledger", "export", "-o", "../ledger.jsonl"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let head = said.stderr.trim().rsplit(' ').next().expect("the head").to_owned();
    let said = repository.say(&["ledger", "verify", "../ledger.jsonl", "--head", &head]);
    assert!(said.exit == 0 && said.stdout.contains("is what was written"), "{}{}", said.stdout, said.stderr);
    // A pipe whose writer failed is no ledger, and one that was cut off none that is whole.
    let said = repository.say(&["ledger", "verify", "/dev/null"]);
    assert!(said.exit == 2 && said.stderr.contains("there is no ledger in it"), "{}{}", said.stdout, said.stderr);
    repository.sh("head -n 2 ../ledger.jsonl > ../cut.jsonl");
    let said = repository.say(&["ledger", "verify", "../cut.jsonl"]);
    assert!(said.exit == 1 && said.stdout.contains("it was cut off after 2 entries"), "{}{}", said.stdout, said.stderr);
    repository.sh("sed -i '2s/lint/lont/' ../ledger.jsonl");
    let said = repository.say(&["ledger", "verify", "../ledger.jsonl"]);
    assert!(said.exit == 1 && said.stdout.contains("entry 1 was changed after it was written"), "{}", said.stdout);
    assert_eq!(repository.say(&["ledger", "verify", "--head", "3:zz"]).exit, 2);
}
