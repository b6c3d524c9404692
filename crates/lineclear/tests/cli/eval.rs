//! `lineclear eval`.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use lineclear_testkit::Repository;

#[test]
fn one_expression_prints_its_value_as_json() {
    let repository = Repository::new("eval");
    repository.write("context.json", r#"{"github":{"ref":"refs/heads/main","event":{"n":1}},"env":{"A":"1"}}"#);
    for (expression, expected) in [
        ("1 == 1", "true"),
        ("'text'", "\"text\""),
        ("${{ github.ref }}", "\"refs/heads/main\""),
        ("github.missing.deep", "null"),
        ("NaN", "\"NaN\""),
        ("fromJSON('1.0')", "1"),
        ("case(false, 1, true, 2, 3)", "2"),
        ("format('{{0}} {0}', 'a')", "\"{0} a\""),
    ] {
        let said = repository.say(&["eval", "--context", "context.json", expression]);
        assert_eq!((said.exit, said.stdout.trim()), (0, expected), "{expression}: {}", said.stderr);
    }
    let said = repository.say(&["eval", "--format", "json", "fromJSON('[1,{\"a\":2}]')"]);
    assert_eq!(said.stdout, "[1,{\"a\":2}]\n");
    let said = repository.say(&["eval", "--", "-Infinity"]);
    assert_eq!(said.stdout.trim(), "\"-Infinity\"");
}

#[test]
fn a_wrong_expression_is_underlined_and_exits_with_2() {
    let repository = Repository::new("eval");
    for (expression, underlined) in
        [("1 ==", ""), ("githb.ref", "githb"), ("contains('a')", "contains"), ("\"a\"", "\"")]
    {
        let said = repository.say(&["eval", expression]);
        assert_eq!(said.exit, 2, "{expression}: {}", said.stdout);
        assert!(said.stderr.contains(underlined) && said.stderr.contains('^'), "{expression}: {}", said.stderr);
    }
    assert_eq!(repository.say(&["eval"]).exit, 2, "an expression is needed");
    assert_eq!(repository.say(&["eval", "--context", "none.json", "1"]).exit, 2);
}

#[test]
fn hash_files_looks_at_the_folder() {
    let repository = Repository::new("eval");
    repository.write("a.txt", "one");
    let said = repository.say(&["eval", "hashFiles('*.txt')"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    // SHA-256 of the raw SHA-256 of "one" (trap 31).
    let digest = "sh -c 'sha256sum < a.txt | cut -c1-64 | perl -pe \"chomp; \\$_ = pack q(H*), \\$_\" | sha256sum | cut -c1-64 > hash'";
    repository.sh(digest);
    assert_eq!(said.stdout.trim().trim_matches('"'), repository.read("hash").trim());
    assert_eq!(repository.say(&["eval", "hashFiles('none')"]).stdout.trim(), "\"\"");
}

fn batch(input: &str) -> (i32, Vec<Value>) {
    let repository = Repository::new("batch");
    let mut child = repository
        .lineclear(&["eval", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("all is read");
    let text = String::from_utf8(output.stdout).expect("JSON is text");
    (output.status.code().unwrap_or(-1), text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

#[test]
fn a_batch_answers_every_line_in_order() {
    let (exit, answers) = batch(concat!(
        "{\"expr\":\"a.b\",\"context\":{\"a\":{\"b\":[1,\"x\",null]}}}\n",
        "{\"expr\":\"1 ==\"}\n",
        "not json\n",
        "{\"expr\":\"NaN\",\"context\":{}}\n",
        "{\"expr\":\"Infinity\"}\n",
        "{\"context\":{}}\n",
        "{\"expr\":\"nope.x\",\"context\":{\"a\":1}}\n",
        "{\"expr\":\"'last'\"}",
    ));
    assert_eq!((exit, answers.len()), (0, 8), "{answers:?}");
    let values: Vec<Option<&Value>> = answers.iter().map(|answer| answer.get("value")).collect();
    assert_eq!(values[0], Some(&json!([1, "x", null])));
    assert_eq!(
        (values[3], values[4], values[7]),
        (Some(&json!("NaN")), Some(&json!("Infinity")), Some(&json!("last")))
    );
    for at in [1, 2, 5, 6] {
        assert!(answers[at].get("error").is_some_and(|error| !error.is_null()), "line {at}: {}", answers[at]);
    }
}

#[test]
fn a_batch_takes_very_many_and_very_long_lines() {
    let line = "{\"expr\":\"github.n == 7 && 'yes' || 'no'\",\"context\":{\"github\":{\"n\":7}}}\n";
    let long = format!("{{\"expr\":\"'{}'\"}}\n", "x".repeat(10 << 20));
    let deep = format!("{{\"expr\":\"{}1{}\"}}\n", "!(".repeat(5000), ")".repeat(5000));
    let (exit, answers) = batch(&format!("{}{long}{deep}{line}", line.repeat(20_000)));
    assert_eq!((exit, answers.len()), (0, 20_003));
    assert!(answers[..20_000].iter().all(|answer| answer["value"] == "yes"));
    // Longer than 21,000 characters and deeper than 50: errors, and the next line is answered.
    assert!(answers[20_000].get("error").is_some() && answers[20_001].get("error").is_some());
    assert_eq!(answers[20_002]["value"], "yes");
}
