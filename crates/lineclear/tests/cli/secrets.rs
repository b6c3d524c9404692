//! Secrets are in no output and in nothing that is kept.

use lineclear_testkit::{Repository, Run};

const SECRET: &str = "Xy7-top/secret+value=42";

/// Traps 24, 25 and 57, and invariant 5 of the design.
#[test]
fn a_secret_is_neither_shown_nor_kept_in_any_form() {
    let repository = Repository::with(
        "secrets",
        "name: secrets
run-name: run ${{ github.ref }}
on: push
jobs:
  a:
    runs-on: linux
    environment: { name: e, url: 'https://x/${{ steps.out.outputs.plain }}' }
    outputs: { leaked: '${{ steps.out.outputs.leaked }}', plain: '${{ steps.out.outputs.plain }}' }
    steps:
      - id: out
        name: with ${{ secrets.TOKEN }}
        env: { TOKEN: '${{ secrets.TOKEN }}' }
        run: |
          echo \"plain $TOKEN\"; echo \"error $TOKEN\" >&2
          printf 'user:%s' \"$TOKEN\" | base64
          printf 'ab%s' \"$TOKEN\" | base64 -w0; echo
          printf %s \"$TOKEN\" | base64
          node -e 'console.log(encodeURIComponent(process.env.TOKEN))'
          echo \"::error file=x.py,line=1,title=$TOKEN::message $TOKEN\"
          echo \"::group::$TOKEN\"; echo ::endgroup::
          echo \"# $TOKEN\" >> $GITHUB_STEP_SUMMARY
          echo \"leaked=$TOKEN\" >> $GITHUB_OUTPUT
          echo \"plain=open\" >> $GITHUB_OUTPUT
          echo \"EXPORTED=$TOKEN\" >> $GITHUB_ENV
          for i in $(seq 500); do printf '%s ' \"$TOKEN\"; done; echo
      - run: |
          for i in $(seq 0 22); do printf '%s' \"${EXPORTED:$i:1}\"; sleep 0.01; done; echo
          echo '::stop-commands::stopping'; echo \"$EXPORTED\"; echo ::stopping::
      - run: exit 9 # ${{ secrets.TOKEN }}
      - if: always()
        uses: trap/variables@v1
        with: { names: '${{ secrets.TOKEN }}' }
",
    );
    let secret = format!("TOKEN={SECRET}");
    let outputs = [
        repository.say(&["run", "--format", "json", "--secret", &secret]),
        repository.say(&["run", "--format", "plain", "--secret", &secret]),
        repository.say(&["run", "--format", "plain", "--debug", "--secret", &secret]),
    ];
    let forms = [
        SECRET.to_owned(),
        // base64 of the secret, and of texts that hold it at each of the three alignments.
        "WHk3LXRvcC9zZWNyZXQrdmFsdWU9ND".to_owned(),
        "5Ny10b3Avc2VjcmV0K3ZhbHVlPTQ".to_owned(),
        "h5Ny10b3Avc2VjcmV0K3ZhbHVlPTQ".to_owned(),
        "ny10b3Avc2VjcmV0K3ZhbHVlPTQ".to_owned(),
        "Xy7-top%2Fsecret%2Bvalue%3D42".to_owned(),
        "top/secret+value".to_owned(),
    ];
    for form in &forms {
        for said in &outputs {
            assert!(!said.stdout.contains(form), "{form} is printed: {}", near(&said.stdout, form));
            assert!(!said.stderr.contains(form), "{form} is printed: {}", near(&said.stderr, form));
        }
        let kept = repository.home_files_with(form);
        assert!(kept.is_empty(), "{form} is kept in {kept:?}");
    }
    assert_eq!(outputs[0].exit, 1);
    assert!(outputs[0].stdout.contains("plain ***"), "masked text is still there");
}

fn near<'t>(text: &'t str, needle: &str) -> &'t str {
    text.lines().find(|line| line.contains(needle)).unwrap_or_default()
}

#[test]
fn the_token_of_the_run_is_a_secret_too() {
    let repository = Repository::with(
        "secrets",
        "on: push\njobs: { a: { runs-on: linux, steps: [ { run: 'echo token ${{ github.token }} ${{ secrets.GITHUB_TOKEN }}', env: { T: '${{ github.token }}' } } ] } }\n",
    );
    let run = repository.run(&["--secret", "GITHUB_TOKEN=ghs_given_token_value"]);
    assert!(run.log("a").iter().any(|line| line == "token *** ***"), "{}", run.transcript());
    assert!(repository.home_files_with("ghs_given_token_value").is_empty());
    let run = repository.run(&[]);
    assert!(run.log("a").iter().any(|line| line == "token *** ***"), "{}", run.transcript());
}

#[test]
fn what_add_mask_names_is_hidden_from_then_on_also_in_later_steps_and_outputs() {
    let repository = Repository::with(
        "secrets",
        "on: push
jobs:
  a:
    runs-on: linux
    outputs: { o: '${{ steps.s.outputs.o }}' }
    steps:
      - id: s
        run: |
          made=$(printf 'made-%s' here)
          echo \"::add-mask::$made\"
          echo \"o=$made\" >> $GITHUB_OUTPUT
          echo \"MADE=$made\" >> $GITHUB_ENV
      - run: echo \"later $MADE\"
",
    );
    let run: Run = repository.run(&[]);
    assert!(run.log("a").iter().any(|line| line == "later ***"), "{}", run.transcript());
    assert_eq!(run.output("a", "o"), None);
    assert!(!run.transcript().contains("made-here"), "{}", run.transcript());
    assert!(repository.home_files_with("made-here").is_empty());
}

#[test]
fn a_pull_request_from_a_fork_sees_no_secret_but_its_token() {
    let repository = Repository::with(
        "secrets",
        "on: [pull_request, pull_request_target]
jobs:
  a:
    runs-on: linux
    steps: [ { run: 'echo \"secret ${{ secrets.S != null }} token ${{ secrets.GITHUB_TOKEN != null }}\"' } ]
",
    );
    let repo = |name: &str| serde_json::json!({ "full_name": name });
    let payload = serde_json::json!({
        "action": "opened", "number": 7,
        "pull_request": { "number": 7, "head": { "ref": "x", "repo": repo("fork/r") }, "base": { "ref": "main", "repo": repo("octo/r") } },
        "repository": { "full_name": "octo/r", "default_branch": "main" },
    });
    repository.write("fork.json", &payload.to_string());
    let said = |event: &str| {
        let run = repository.run(&["--event", event, "--payload", "fork.json", "--secret", "S=shown-to-nobody"]);
        assert_eq!(run.exit, 0, "{}", run.transcript());
        (run.log("a").iter().find(|line| line.starts_with("secret ")).cloned(), run.stderr.contains("from a fork"))
    };
    assert_eq!(said("pull_request"), (Some("secret false token true".into()), true));
    assert_eq!(said("pull_request_target"), (Some("secret true token true".into()), false));
}
