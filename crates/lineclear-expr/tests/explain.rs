//! Why an expression came out as it did, in sentences for people.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lineclear_expr::{Expr, MapScope, Object, Scope, StatusFunction, Value};

struct World {
    contexts: MapScope,
    succeeded: bool,
}

impl World {
    fn new() -> Self {
        let mut contexts = MapScope::default();
        let json = |text: &str| Value::from_json(&serde_json::from_str(text).unwrap());
        let github = json(
            r#"{"ref": "refs/heads/feature/x", "actor": "mona", "token": "ghs_secret", "event_name": "push",
                "event": {"labels": [{"name": "bug"}], "message": "first line\nsecond line", "blank": "", "draft": true}}"#,
        );
        contexts.contexts.insert("github".into(), github);
        contexts.contexts.insert("secrets".into(), json(r#"{"KEY": "hunter2"}"#));
        let long: Object = [("LONG", "y".repeat(500))].into_iter().collect();
        contexts.contexts.insert("env".into(), long.into());
        Self { contexts, succeeded: true }
    }
}

impl Scope for World {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.context(name)
    }
    fn status(&self, function: StatusFunction, _args: &[String]) -> Option<bool> {
        Some(match function {
            StatusFunction::Success => self.succeeded,
            StatusFunction::Failure => !self.succeeded,
            StatusFunction::Always => true,
            StatusFunction::Cancelled => false,
        })
    }
    fn hash_files(&self, _patterns: &[String]) -> Option<Result<String, String>> {
        Some(Ok("abc".to_owned()))
    }
}

fn check(text: &str, expected: &str) {
    let explanation = Expr::parse(text, None).unwrap().explain(&World::new()).unwrap();
    assert_eq!(explanation.sentence(text), expected);
    assert_eq!(Expr::parse(text, None).unwrap().evaluate(&World::new()).unwrap(), explanation.value);
}

#[test]
fn the_value_that_decided_is_named() {
    check(
        "github.ref == 'refs/heads/main'",
        "`github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/feature/x",
    );
    check("!github.event.draft", "`!github.event.draft` is false: github.event.draft = true");
    check("github.event.draft", "`github.event.draft` is true");
    check("github.event.missing", "`github.event.missing` is null");
    check("github.event.blank != ''", "`github.event.blank != ''` is false: github.event.blank = ''");
    check("false", "`false` is false");
    check("1 < 2", "`1 < 2` is true");
}

#[test]
fn only_what_was_looked_at_and_mattered_is_named() {
    check(
        "github.event_name == 'push' && github.ref == 'x' && github.actor",
        "`github.event_name == 'push' && github.ref == 'x' && github.actor` is false: github.ref = refs/heads/feature/x",
    );
    check(
        "github.actor == 'mona' || github.ref == 'x'",
        "`github.actor == 'mona' || github.ref == 'x'` is true: github.actor = mona",
    );
    check(
        "github.actor == 'x' || github.actor == 'y'",
        "`github.actor == 'x' || github.actor == 'y'` is false: github.actor = mona",
    );
    check(
        "(github.event_name == 'push') && github.actor == 'mona'",
        "`(github.event_name == 'push') && github.actor == 'mona'` is true: github.event_name = push, github.actor = mona",
    );
    check(
        "case(github.actor == 'x', 1, github.event.draft, 2, 3)",
        "`case(github.actor == 'x', 1, github.event.draft, 2, 3)` is 2: github.actor = mona, github.event.draft = true",
    );
}

#[test]
fn calls_are_explained_by_their_arguments_or_their_value() {
    check(
        "contains(github.event.labels.*.name, 'ui')",
        "`contains(github.event.labels.*.name, 'ui')` is false: github.event.labels.*.name = [ \"bug\" ]",
    );
    check(
        "startsWith(github.ref, 'refs/tags/')",
        "`startsWith(github.ref, 'refs/tags/')` is false: github.ref = refs/heads/feature/x",
    );
    check(
        "format('{0}!', github.actor) == 'x'",
        "`format('{0}!', github.actor) == 'x'` is false: format('{0}!', github.actor) = mona!",
    );
    check("hashFiles('a') == ''", "`hashFiles('a') == ''` is false: hashFiles('a') = abc");
    check("failure() || cancelled()", "`failure() || cancelled()` is false: failure() = false, cancelled() = false");
    check(
        "contains(fromJSON('[\"a\", \"b\"]'), github.actor)",
        "`contains(fromJSON('[\"a\", \"b\"]'), github.actor)` is false: github.actor = mona",
    );
}

#[test]
fn long_values_and_texts_are_shortened() {
    let shortened = format!("`env.LONG == 'z'` is false: env.LONG = {}…", "y".repeat(79));
    check("env.LONG == 'z'", &shortened);
    check(
        "github.event.message == 'x'",
        "`github.event.message == 'x'` is false: github.event.message = first line second line",
    );
    let text = format!("github.actor == '{}'", "z".repeat(1000));
    let sentence = Expr::parse(&text, None).unwrap().explain(&World::new()).unwrap().sentence(&text);
    assert!(sentence.chars().count() < 300 && sentence.ends_with("is false: github.actor = mona"), "{sentence}");
}

#[test]
fn secrets_are_never_shown() {
    check("secrets.KEY == 'x'", "`secrets.KEY == 'x'` is false: secrets.KEY = ***");
    check("secrets.KEY", "`secrets.KEY` is ***");
    check("secrets.MISSING || 'none'", "`secrets.MISSING || 'none'` is ***: secrets.MISSING = ***");
    check(
        "github.actor && secrets['KEY']",
        "`github.actor && secrets['KEY']` is ***: github.actor = mona, secrets['KEY'] = ***",
    );
    check("github.TOKEN != ''", "`github.TOKEN != ''` is true: github.TOKEN = ***");
    check("toJSON(github) == ''", "`toJSON(github) == ''` is false: toJSON(github) = ***");
    check("github['tok' && 'token'] == 1", "`github['tok' && 'token'] == 1` is false: github['tok' && 'token'] = ***");
    check("contains(github.*, 'ghs_secret')", "`contains(github.*, 'ghs_secret')` is true: github.* = ***");
    check("format('{0}', secrets.KEY)", "`format('{0}', secrets.KEY)` is ***");
    check("!secrets.KEY", "`!secrets.KEY` is false: secrets.KEY = ***");
    for text in [
        "secrets.KEY",
        "secrets",
        "secrets.*",
        "secrets.* || 1",
        "join(secrets.*)",
        "toJSON(secrets)",
        "case(true, secrets.KEY, 1)",
        "fromJSON(toJSON(secrets)).KEY",
        "github",
        "github.*",
        "(github)['token']",
        "true && github.token",
        "secrets[github.actor] || secrets.KEY",
        "format('{0}{1}', 'x', secrets.KEY)",
        "github[secrets.KEY] || secrets.KEY",
        "fromJSON(format('[\"{0}\"]', secrets.KEY))[0]",
    ] {
        let explanation = Expr::parse(text, None).unwrap().explain(&World::new()).unwrap();
        let sentence = explanation.sentence(text);
        assert!(!sentence.contains("hunter2") && !sentence.contains("ghs_secret"), "{sentence}");
        assert!(!format!("{:?}", explanation.parts).contains("hunter2"), "{text}");
    }
}

#[test]
fn the_success_that_nobody_wrote_is_named_when_it_decides() {
    let mut world = World::new();
    let text = "github.actor == 'mona'";
    let expr = Expr::parse_condition(text, None).unwrap();
    assert_eq!(expr.explain(&world).unwrap().sentence(text), "`github.actor == 'mona'` is true: github.actor = mona");
    world.succeeded = false;
    assert_eq!(expr.explain(&world).unwrap().sentence(text), "`github.actor == 'mona'` is false: success() = false");
    let mixed = "${{ github.actor }} == 'x'";
    world.succeeded = true;
    let explanation = Expr::parse_condition(mixed, None).unwrap().explain(&world).unwrap();
    assert_eq!(explanation.sentence(mixed), "`${{ github.actor }} == 'x'` is mona == 'x': github.actor = mona");
}
