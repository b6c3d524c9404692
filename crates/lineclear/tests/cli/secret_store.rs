//! `lineclear secret` and `lineclear variable`: what is kept, who is given it, and what never shows.

use std::process::Stdio;

use lineclear_testkit::{Repository, Run, Said, Started, say};

const KEY: &str = "-----BEGIN TEST KEY-----\nq83vASNFZ4mrze8Bqq\nZm9vYmFyYmF6cXV4\n-----END TEST KEY-----\n";

/// The binary with `text` on its standard input.
fn with_input(repository: &Repository, args: &[&str], text: &str) -> Said {
    let mut command = repository.lineclear(args);
    let input = repository.beside("input");
    std::fs::write(&input, text).expect("written");
    command.stdin(Stdio::from(std::fs::File::open(&input).expect("opened")));
    let said = say(command);
    std::fs::remove_file(&input).expect("removed");
    said
}

fn set(repository: &Repository, args: &[&str], value: &str) {
    let all: Vec<&str> = ["secret", "set"].iter().chain(args).copied().collect();
    let said = with_input(repository, &all, value);
    assert_eq!(said.exit, 0, "{args:?}: {}", said.stderr);
    assert!(value.lines().all(|line| !said.stdout.contains(line) && !said.stderr.contains(line)), "{}", said.stdout);
}

const SCOPES: &str = "
on: push
jobs:
  plain:
    runs-on: linux
    steps: &show
      - run: echo seen ${{ secrets.A == 'of-the-machine' }} ${{ secrets.A == 'of-the-repository' }} ${{ secrets.A == 'of-staging' }} ${{ secrets.ONLY != null }} ${{ vars.REGION }}
  staging: { runs-on: linux, environment: Staging, steps: *show }
  production: { runs-on: linux, environment: { name: production }, steps: *show }
  called:
    uses: ./.github/workflows/called.yml
";

fn seen(repository: &Repository, job: &str, args: &[&str]) -> String {
    let run = repository.run(args);
    let line = run.log(job).iter().find_map(|line| line.strip_prefix("seen ").map(str::to_owned));
    line.unwrap_or_else(|| panic!("{job}: {}", run.transcript()))
}

/// S1-103, and the precedence of the manual.
#[test]
fn secrets_of_an_environment_go_only_to_its_jobs_and_the_nearest_scope_wins() {
    let repository = Repository::with("scopes", SCOPES);
    repository.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs: { inner: { runs-on: linux, environment: staging, steps: [ { run: 'echo seen ${{ secrets.A == ''of-staging'' }} ${{ vars.REGION }}' } ] } }\n",
    );
    repository.commit("called");
    set(&repository, &["a", "--machine"], "of-the-machine\n");
    assert_eq!(seen(&repository, "plain", &[]), "true false false false");
    set(&repository, &["A"], "of-the-repository\n");
    set(&repository, &["A", "--env", "staging"], "of-staging\n");
    set(&repository, &["ONLY", "--env", "staging"], "for-staging-alone");
    set(&repository, &["A", "--repo", "octo/other"], "of-another");
    for args in [&["REGION", "eu"][..], &["REGION", "us", "--env", "staging"]] {
        let all: Vec<&str> = ["variable", "set"].iter().chain(args).copied().collect();
        assert_eq!(repository.say(&all).exit, 0);
    }
    let run = repository.run(&[]);
    let said = |job: &str| run.log(job).into_iter().find(|line| line.starts_with("seen ")).unwrap_or_default();
    assert_eq!(said("plain"), "seen false true false false eu", "{}", run.transcript());
    assert_eq!(said("staging"), "seen false false true true us");
    assert_eq!(said("production"), "seen false true false false eu");
    // Nothing is passed to it, and its environment's are its own.
    assert_eq!(said("called/inner"), "seen true us");
    // What is given for one run wins over all that is kept.
    assert_eq!(
        seen(&repository, "staging", &["--secret", "A=of-the-machine", "--var", "REGION=x"]),
        "true false false true x"
    );
}

/// A step has a secret where its workflow says so; that it lies in the environment of the command is no such place.
#[test]
fn a_variable_that_a_secret_was_taken_from_is_not_inherited() {
    let workflow = "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo \"seen ${TAKEN:-nothing} ${OTHER:-nothing} $GIVEN\"', env: { GIVEN: \"${{ secrets.TAKEN == 'of-the-shell' }}\" } } ] } }\n";
    let repository = Repository::with("withheld", workflow);
    let mut command = repository.lineclear(&["run", "--format", "json", "--secret", "TAKEN"]);
    command.env("TAKEN", "of-the-shell").env("OTHER", "kept");
    let run = Run::of(command);
    assert!(run.log("a").contains(&"seen nothing kept true".to_owned()), "{}", run.transcript());
}

/// S4-67: no form of a stored secret is in an output, in the record of a run or in the store.
#[test]
fn a_stored_secret_is_nowhere_to_be_read() {
    let repository = Repository::with(
        "leaks",
        "
on: push
jobs:
  a:
    runs-on: linux
    environment: e
    steps:
      - env: { KEY: '${{ secrets.KEY }}', TOKEN: '${{ secrets.TOKEN }}' }
        run: |
          echo \"$KEY\"; echo \"$TOKEN\"; echo \"$TOKEN\" >&2
          printf %s \"$KEY\" | base64; printf %s \"$KEY\" | base64 -w0; echo; printf %s \"$TOKEN\" | base64
          echo \"$KEY\" >> $GITHUB_STEP_SUMMARY; echo \"<b>$TOKEN</b>\" >> $GITHUB_STEP_SUMMARY
          env | sort
          echo \"listed\" > list.txt
      - uses: actions/upload-artifact@v4
        with: { name: list, path: list.txt }
      - run: exit 3
",
    );
    set(&repository, &["KEY", "--env", "e"], KEY);
    set(&repository, &["TOKEN"], "s3cr3t-and-long-t0ken\n");
    let mut forms: Vec<String> = KEY.lines().map(str::to_owned).collect();
    forms.extend(["s3cr3t-and-long", "czNjcjN0LWFuZC1sb25nLXQwa2Vu", "LS0tLS1CRUdJTiBURVNU"].map(str::to_owned));
    let outputs = [
        repository.say(&["run", "--format", "json"]),
        repository.say(&["run", "--format", "plain", "--debug"]),
        repository.say(&["secret", "list"]),
        repository.say(&["secret", "list", "--all", "--format", "json"]),
        repository.say(&["secret", "audit"]),
        repository.say(&["secret", "audit", "--format", "json"]),
        repository.say(&["plan"]),
    ];
    assert_eq!(outputs.each_ref().map(|said| said.exit), [1, 1, 0, 0, 0, 0, 0], "{}", outputs[0].stderr);
    for form in &forms {
        for said in &outputs {
            assert!(!said.stdout.contains(form) && !said.stderr.contains(form), "{form}: {}", said.stdout);
        }
        let kept = repository.home_files_with(form);
        assert!(kept.is_empty(), "{form} is in {kept:?}");
    }
    assert!(outputs[1].stdout.contains("***"), "masked text is still there");
}

#[test]
fn what_is_kept_is_listed_by_name_replaced_and_removed() {
    let repository = Repository::with("list", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    let said = repository.say(&["secret", "list"]);
    assert_eq!((said.exit, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    assert!(said.stderr.contains("there are no secrets"), "{}", said.stderr);
    set(&repository, &["B", "--repo", "octo/app", "--env", "staging"], "one");
    set(&repository, &["A", "--machine"], "two");
    let said = with_input(&repository, &["secret", "set", "a", "--machine"], "three");
    assert_eq!(said.stdout, "secret A has a new value for this machine\n");
    let said = repository.say(&["secret", "list", "--all"]);
    let names: Vec<Vec<&str>> = said.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(names[0][..6], ["A", "this", "machine", "set", "today", "never"], "{}", said.stdout);
    assert_eq!(names[1][..5], ["B", "environment", "staging", "of", "octo/app"], "{}", said.stdout);
    let said = repository.say(&["secret", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    assert_eq!((&listed[0]["name"], &listed[0]["revision"]), (&"A".into(), &2.into()), "{listed:#}");
    assert!(listed[0].get("value").is_none());
    let said = repository.say(&["secret", "rm", "B"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("it is set for environment staging of octo/app"), "{}", said.stderr);
    assert_eq!(repository.say(&["secret", "rm", "B", "--repo", "octo/app", "--env", "STAGING"]).exit, 0);
    assert_eq!(repository.say(&["secret", "rm", "A", "--machine"]).exit, 0);
    assert_eq!(repository.say(&["secret", "list", "--all"]).stdout, "");
}

#[test]
fn what_is_no_secret_is_refused_before_anything_is_kept() {
    let repository =
        Repository::with("refused", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    let large = "x".repeat(48 * 1024 + 1);
    for (args, text, why) in [
        (&["1A"][..], "x", "no digit first"),
        (&["GITHUB_X"], "x", "platform's"),
        (&["A-B"], "x", "is no name"),
        (&["A"], "", "the value is empty"),
        (&["A"], &large, "49152"),
        (&["A", "--repo", "app"], "x", "OWNER/NAME"),
        (&["A", "--body-file", "nowhere"], "x", "cannot read `nowhere`"),
    ] {
        let all: Vec<&str> = ["secret", "set"].iter().chain(args).copied().collect();
        let said = with_input(&repository, &all, text);
        assert_eq!(said.exit, 2, "{args:?}: {}", said.stdout);
        assert!(said.stderr.contains(why), "{args:?}: {}", said.stderr);
    }
    assert!(!repository.home().join("secrets/store").exists() && !repository.home().join("keys").exists());
}

#[test]
fn a_store_that_cannot_be_opened_stops_the_run_and_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::with("broken", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    set(&repository, &["A"], "value");
    let key = repository.home().join("keys/secrets");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("set");
    let said = repository.say(&["run"]);
    assert_eq!(said.exit, 2, "{}", said.stdout);
    assert!(said.stderr.contains("chmod 600"), "{}", said.stderr);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("set");
    let store = repository.home().join("secrets/store");
    let whole = std::fs::read(&store).expect("read");
    std::fs::write(&store, &whole[..whole.len() - 9]).expect("written");
    let said = repository.say(&["run"]);
    assert_eq!(said.exit, 2, "{}", said.stdout);
    assert!(said.stderr.contains("is cut off"), "{}", said.stderr);
    std::fs::write(&store, whole).expect("written");
    assert_eq!(repository.say(&["run"]).exit, 0);
}

/// A store in the repository, opened with a passphrase by whoever has it; it wins over that of the machine.
#[test]
fn a_store_can_be_in_the_repository() {
    let repository = Repository::with(
        "own",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo seen ${{ secrets.A == ''of-the-file'' }} ${{ secrets.B == ''of-the-machine'' }}' } ] } }\n",
    );
    set(&repository, &["A"], "of-the-machine");
    set(&repository, &["B"], "of-the-machine");
    let file = ".lineclear/secrets";
    let with = |args: &[&str]| {
        let mut command = repository.lineclear(args);
        command.env("LINECLEAR_SECRETS_PASSPHRASE", "correct horse battery");
        say(command)
    };
    let said = with(&["secret", "set", "A", "--body", "of-the-file", "--secret-store", file]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let text = repository.read(file);
    assert!(
        text.starts_with("lineclear-secrets 1\n{\"how\":{\"passphrase\"") && !text.contains("of-the-file"),
        "{text}"
    );
    assert_eq!(seen(&repository, "a", &[]), "false true", "the file is not used unasked");
    let said = with(&["run", "--format", "json", "--secret-store", file]);
    assert!(said.stdout.contains("\"seen true true\""), "{}{}", said.stdout, said.stderr);
    let said = repository.say(&["run", "--secret-store", file]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("LINECLEAR_SECRETS_PASSPHRASE"), "{}", said.stderr);
    let said = repository.say(&["run", "--secret-store", "nowhere"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("there is no store of secrets `nowhere`"), "{}", said.stderr);
}

#[test]
fn a_store_is_encrypted_anew_with_another_key() {
    let repository = Repository::with("rekey", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    assert_eq!(repository.say(&["secret", "rekey"]).exit, 2);
    set(&repository, &["A"], "value");
    let said = repository.say(&["secret", "rekey"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let mut command = repository.lineclear(&["secret", "rekey", "--to", "passphrase"]);
    command.env("LINECLEAR_SECRETS_NEW_PASSPHRASE", "correct horse battery");
    assert_eq!(say(command).exit, 0);
    assert_eq!(repository.say(&["secret", "list"]).exit, 2);
    let mut command = repository.lineclear(&["secret", "list"]);
    command.env("LINECLEAR_SECRETS_PASSPHRASE", "correct horse battery");
    let said = say(command);
    assert!(said.exit == 0 && said.stdout.starts_with("A "), "{}{}", said.stdout, said.stderr);
}

#[test]
fn processes_that_set_secrets_at_once_all_keep_theirs() {
    let repository = Repository::with("race", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    let names: Vec<String> = (0..8).map(|number| format!("S{number}")).collect();
    let started: Vec<Started> = names
        .iter()
        .map(|name| Started::new(repository.lineclear(&["secret", "set", name, "--body", "value"])))
        .collect();
    for started in started {
        let said = started.finish();
        assert_eq!(said.exit, 0, "{}", said.stderr);
    }
    let listed = repository.say(&["secret", "list"]).stdout;
    assert_eq!(listed.lines().count(), 8, "{listed}");
}

/// At a terminal the value is asked for and not shown; Ctrl-C leaves the terminal as it was and keeps nothing.
#[test]
fn a_value_is_asked_for_without_showing_it() {
    let repository = Repository::with("prompt", "on: push\njobs: { a: { runs-on: linux, steps: [ { run: ':' } ] } }\n");
    let script = "
import os, pty, select, sys, termios
typed = sys.argv[1].encode().decode('unicode_escape').encode()
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
before = termios.tcgetattr(fd)[3] & termios.ECHO
said, sent = b'', False
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if not sent and b'not shown' in said:
        # The question comes before the echo goes: wait for what decides.
        while termios.tcgetattr(fd)[3] & termios.ECHO:
            select.select([], [], [], 0.01)
        os.write(fd, typed)
        sent = True
_, status = os.waitpid(pid, 0)
sys.stdout.write(said.decode() + '\\nexit %d' % os.waitstatus_to_exitcode(status))
";
    let ask = |typed: &str| {
        let binary = lineclear_testkit::binary();
        let mut command = std::process::Command::new("python3");
        let binary = binary.to_str().expect("a path of text");
        command.args(["-c", script, typed, binary, "secret", "set", "TOKEN"]);
        command.current_dir(repository.root()).env("LINECLEAR_HOME", repository.home()).stdin(Stdio::null());
        say(command)
    };
    let said = ask("never-shwo\\x7f\\x7fown\\r");
    assert!(said.stdout.contains("Value of secret TOKEN (not shown): "), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.ends_with("exit 0") && !said.stdout.contains("never"), "{}", said.stdout);
    assert!(said.stdout.contains("secret TOKEN is set"), "{}", said.stdout);
    let said = ask("another-value\\x03");
    assert!(said.stdout.ends_with("exit 2") && said.stdout.contains("broken off"), "{}", said.stdout);
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let listed = repository.say(&["secret", "list", "--format", "json"]).stdout;
    assert!(listed.contains("\"revision\": 1"), "{listed}");
}

#[test]
fn completions_and_help_know_the_commands() {
    let repository = Repository::new("help");
    let script = repository.say(&["completions", "bash"]).stdout;
    assert!(script.contains("audit") && script.contains("--body-file") && script.contains("--require-secrets"));
    for command in ["secret", "variable"] {
        let help = repository.say(&[command, "--help"]).stdout;
        assert!(help.contains("Examples:") && help.contains(&format!("lineclear {command} set")), "{help}");
    }
}
