//! The language, as tables of expressions and what they come to. Trap numbers are those of the protocol notes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lineclear_expr::{Allowed, EvaluateError, Expr, MapScope, Object, Scope, StatusFunction, Template, Value};

/// All contexts with something in `github`, `env`, `needs` and `secrets`; succeeds so far; hashes to its patterns.
struct World {
    contexts: MapScope,
    succeeded: bool,
}

impl World {
    fn new() -> Self {
        let mut contexts = MapScope::default();
        for name in lineclear_expr::CONTEXTS {
            contexts.contexts.insert(name.to_owned(), Value::Null);
        }
        let github = r#"{
            "ref": "refs/heads/main", "actor": "mona", "token": "ghs_secret", "run_id": "7",
            "event": {
                "number": 5, "draft": false, "nothing": null, "empty": {}, "labels": [{"name": "bug"}, {"name": "ui", "id": 3}, "loose", 4, ["x", "y"]],
                "commits": {"a": {"message": "one"}, "b": {"message": "two"}, "c": 3}, "list": [10, 20, 30], "Odd Key": 1, "0": "zero", "true": "yes"
            }
        }"#;
        let json = |text: &str| Value::from_json(&serde_json::from_str(text).unwrap());
        contexts.contexts.insert("github".into(), json(github));
        contexts.contexts.insert("secrets".into(), json(r#"{"KEY": "hunter2", "EMPTY": ""}"#));
        contexts.contexts.insert("needs".into(), json(r#"{"build": {"result": "failure", "outputs": {}}}"#));
        let mut env = Object::case_sensitive();
        env.insert("Foo", "upper");
        env.insert("foo", "lower");
        contexts.contexts.insert("env".into(), env.into());
        Self { contexts, succeeded: true }
    }
}

impl Scope for World {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.context(name)
    }
    fn status(&self, function: StatusFunction, args: &[String]) -> Option<bool> {
        Some(match function {
            StatusFunction::Success => self.succeeded && !args.contains(&"build".to_owned()),
            StatusFunction::Failure => !self.succeeded,
            StatusFunction::Always => true,
            StatusFunction::Cancelled => false,
        })
    }
    fn hash_files(&self, patterns: &[String]) -> Option<Result<String, String>> {
        Some(if patterns.contains(&"bad".to_owned()) { Err("cannot hash".into()) } else { Ok(patterns.join("|")) })
    }
}

fn evaluate(text: &str) -> Result<Value, EvaluateError> {
    Expr::parse(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).evaluate(&World::new())
}

/// Each expression is true.
fn check_true(expressions: &[&str]) {
    for text in expressions {
        assert_eq!(evaluate(text), Ok(Value::Bool(true)), "{text}");
    }
}

/// Each expression comes to the text of `toJSON`.
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let value = evaluate(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_json_pretty().replace("\n", "").replace("  ", ""), *expected, "{text}");
    }
}

fn check_failures(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(evaluate(text).map_err(|error| error.message), Err((*expected).to_owned()), "{text}");
    }
}

#[test]
fn trap_35_loose_equality_makes_numbers_of_what_differs_in_kind() {
    check_true(&[
        "'' == 0",
        "null == 0",
        "null == ''",
        "null == false",
        "null == null",
        "'0x10' == 16",
        "'0o17' == 15",
        "true == '1'",
        "true != 'true'",
        "true == 1",
        "false == ''",
        "false == null",
        "true != 2",
        "' 1.50 ' == 1.5",
        "'abc' != 0",
        "'Infinity' == Infinity",
        "-0 == 0",
        "'1e3' == 1000",
        "1 == '1'",
        "NaN != NaN",
        "!(NaN == NaN)",
        "!(NaN < 1)",
        "!(NaN >= NaN)",
        "!(NaN <= NaN)",
        "'x' != NaN",
        "github == github",
        "github.event == github.event",
        "github.event != github",
        "github.event.list == github.event.list",
        "fromJSON('[]') != fromJSON('[]')",
        "fromJSON('{}') != fromJSON('{}')",
        "github != 0",
        "github.event.list != ''",
        "fromJSON('[]') != null",
        "!(github > 1)",
        "!(github < 1)",
        "!(github >= 0)",
        "github.event >= github.event",
        "!(null < null)",
        "null <= null",
        "null >= 0",
        "null < 1",
        "false < true",
        "true > false",
        "false < 1",
        "true >= true",
    ]);
}

#[test]
fn trap_34_text_compares_without_case() {
    check_true(&[
        "'A' == 'a'",
        "'a' < 'B'",
        "'B' > 'a'",
        "'a' <= 'A'",
        "'abc' < 'abd'",
        "'a' < 'aa'",
        "'' < 'a'",
        "'É' == 'é'",
        "'ı' != 'i'",
        "'ı' != 'I'",
        "'ß' != 'ss'",
        "'10' < '9'",
        "'10' > 9",
        "contains('Hello', 'ELL')",
        "startsWith('Hello', 'hE')",
        "endsWith('Hello', 'LO')",
        "contains(fromJSON('[\"A\"]'), 'a')",
        "contains('', '')",
        "contains('abc', null)",
        "!contains('abc', 'x')",
    ]);
}

#[test]
fn what_counts_as_true() {
    check_true(&[
        "!null",
        "!false",
        "!0",
        "!-0",
        "!NaN",
        "!''",
        "!!'false'",
        "!!'0'",
        "!!' '",
        "!!fromJSON('[]')",
        "!!fromJSON('{}')",
        "!!1",
        "!!-1",
        "!!Infinity",
        "!!0.1",
    ]);
}

#[test]
fn trap_37_and_and_or_give_the_operand_that_decided() {
    check(&[
        ("null || 'a'", "\"a\""),
        ("'a' || 'b'", "\"a\""),
        ("false && 'x'", "false"),
        ("'' && 'x'", "\"\""),
        ("1 && 'x'", "\"x\""),
        ("0 || ''", "\"\""),
        ("null && 1 || 2", "2"),
        ("false || null || 0", "0"),
        ("1 && 2 && 3", "3"),
        ("format('{0}', false && 'x')", "\"false\""),
        // What is not reached is not evaluated.
        ("false && fromJSON('!')", "false"),
        ("true || fromJSON('!')", "true"),
    ]);
}

#[test]
fn operators_bind_as_in_the_table_and_to_the_left() {
    check(&[
        ("!true == false", "true"),
        ("1 < 2 == true", "true"),
        ("true == 1 < 2", "true"),
        ("3 > 2 > 1", "false"),
        ("1 == 1 == 1", "true"),
        ("2 == 2 == 2", "false"),
        ("true || false && false", "true"),
        ("(true || false) && false", "false"),
        ("!false && false", "false"),
        ("!(false && false)", "true"),
        ("!!github.actor", "true"),
        ("!github.event.draft && 1", "1"),
        ("1 != 2 && 2 != 3", "true"),
        ("((1))", "1"),
    ]);
}

#[test]
fn trap_36_what_is_missing_is_null() {
    check(&[
        ("github.event.missing.deep", "null"),
        ("github.event.missing['deep'][0]", "null"),
        ("github.actor.length", "null"),
        ("github.event.number.x", "null"),
        ("matrix.os", "null"),
        ("github.event.list[3]", "null"),
        ("github.event.list[-1]", "null"),
        ("github.event.list['x']", "null"),
        ("github.event.list[NaN]", "null"),
        ("github.event.list.length", "null"),
        ("github[github]", "null"),
        // The index of what cannot be indexed is not even looked at.
        ("matrix[fromJSON('!')]", "null"),
    ]);
    let errors = Expr::parse("nothing.deep", None).unwrap_err();
    assert!(errors[0].message.starts_with("Unrecognized named-value: 'nothing'"));
}

#[test]
fn indexes_find_keys_and_places() {
    check(&[
        ("github.event.list[0]", "10"),
        ("github.event.list[1.9]", "20"),
        ("github.event.list['2']", "30"),
        ("github.event.list[true]", "20"),
        ("github.event.list[null]", "10"),
        ("github.event.list[' 0x1 ']", "20"),
        ("github.EVENT.Number", "5"),
        ("GitHub['Event']['NUMBER']", "5"),
        ("github.event['odd key']", "1"),
        ("github.event[0]", "\"zero\""),
        ("github.event[true]", "\"yes\""),
        ("github.event.true", "\"yes\""),
        ("github.event['li' || 'st']", "null"),
        ("fromJSON('[1,[2,3]]')[1][0]", "2"),
        ("fromJSON('{\"A\":{\"b\":1}}').a.B", "1"),
        ("(github.event).number", "5"),
        ("(github || 1).event.number", "5"),
    ]);
}

#[test]
fn trap_11_names_of_env_keep_their_case_and_others_do_not() {
    check(&[("env.Foo", "\"upper\""), ("env.foo", "\"lower\""), ("env.FOO", "null"), ("ENV['Foo']", "\"upper\"")]);
}

#[test]
fn trap_39_a_wildcard_takes_all_and_what_follows_is_done_to_each() {
    check(&[
        ("github.event.labels.*.name", "[\"bug\",\"ui\"]"),
        ("github.event.labels[*].id", "[3]"),
        ("github.event.commits.*.message", "[\"one\",\"two\"]"),
        ("github.event.commits.*", "[{\"message\": \"one\"},{\"message\": \"two\"},3]"),
        ("github.event.list.*", "[10,20,30]"),
        // A place in each element, not a place in the result.
        ("github.event.labels.*[0]", "[\"x\"]"),
        ("github.event.list.*[0]", "[]"),
        ("github.event.labels.*.*", "[\"bug\",\"ui\",3,\"x\",\"y\"]"),
        ("github.actor.*", "[]"),
        ("github.event.missing.*", "[]"),
        ("github.event.missing.*.name", "[]"),
        ("(github.event.labels.*).name", "[\"bug\",\"ui\"]"),
        ("(false || github.event.labels.*).name", "[\"bug\",\"ui\"]"),
        ("fromJSON(toJSON(github.event.list.*))[0]", "10"),
        ("contains(github.event.labels.*.name, 'BUG')", "true"),
        ("join(github.event.commits.*.message, '; ')", "\"one; two\""),
        ("fromJSON('[{\"a\":null},{\"a\":1}]').*.a", "[null,1]"),
    ]);
}

#[test]
fn contains_looks_into_arrays_and_texts() {
    check(&[
        ("contains(github.event.list, '20')", "true"),
        ("contains(github.event.list, 2)", "false"),
        ("contains(fromJSON('[true,null]'), 0)", "true"),
        ("contains(fromJSON('[]'), '')", "false"),
        ("contains(github, 'ref')", "false"),
        ("contains('abc', github)", "false"),
        ("contains(1234, 23)", "true"),
        ("contains(true, 'RU')", "true"),
        ("contains(null, '')", "true"),
        ("startsWith(1234, 12)", "true"),
        ("startsWith('x', null)", "true"),
        ("startsWith(github, '')", "false"),
        ("endsWith('x', fromJSON('[]'))", "false"),
        ("endsWith('x.YML', '.yml')", "true"),
    ]);
}

#[test]
fn trap_40_format_fills_numbers_in_and_halves_doubled_braces() {
    check(&[
        ("format('{{0}} {0}', 'a')", "\"{0} a\""),
        ("format('{0}{1}{0}', 1, 'b')", "\"1b1\""),
        ("format('{00}', 'a')", "\"a\""),
        ("format('}}{{')", "\"}{\""),
        ("format(1, 2)", "\"1\""),
        ("format('{0} {1} {2} {3}', null, true, github, github.event.list)", "\" true Object Array\""),
        // An argument that is not used is not evaluated.
        ("format('{0}', 'a', fromJSON('!'))", "\"a\""),
        ("format('é{0}ü', '}')", "\"é}ü\""),
    ]);
    check_failures(&[
        ("format('{0')", "The following format string is invalid: {0"),
        ("format('{')", "The following format string is invalid: {"),
        ("format('a}b')", "The following format string is invalid: a}b"),
        ("format('{}', 1)", "The following format string is invalid: {}"),
        ("format('{a}', 1)", "The following format string is invalid: {a}"),
        ("format('{ 0}', 1)", "The following format string is invalid: { 0}"),
        ("format('{256}', 1)", "The following format string is invalid: {256}"),
        ("format('{0 }', 1)", "The following format string is invalid: {0 }"),
        ("format('{0:x', 1)", "The following format string is invalid: {0:x"),
        ("format('{1}', 1)", "The following format string references more arguments than were supplied: {1}"),
        ("format('{0}')", "The following format string references more arguments than were supplied: {0}"),
        ("format('{0:x}', 1)", "The format specifiers 'x' are not valid for objects of type 'Number'"),
        ("format('{0:x}}}', github)", "The format specifiers 'x}' are not valid for objects of type 'Object'"),
    ]);
}

#[test]
fn join_puts_texts_together() {
    check(&[
        ("join(github.event.list)", "\"10,20,30\""),
        ("join(github.event.list, ' - ')", "\"10 - 20 - 30\""),
        ("join(github.event.list, null)", "\"102030\""),
        ("join(github.event.list, github)", "\"10,20,30\""),
        ("join(fromJSON('[1]'), 'x')", "\"1\""),
        ("join(fromJSON('[]'))", "\"\""),
        ("join(fromJSON('[null,true,[1],{\"a\":1},1e21]'))", "\",true,Array,Object,1E+21\""),
        ("join('abc', '-')", "\"abc\""),
        ("join(12)", "\"12\""),
        ("join(null)", "\"\""),
        ("join(github)", "\"\""),
    ]);
}

#[test]
fn trap_38_and_43_json_goes_out_as_it_came_in() {
    check(&[
        ("toJSON('<&>''é')", r#""\"<&>'é\"""#),
        ("toJSON(fromJSON('{\"b\":1,\"a\":[]}'))", r#""{\n\"b\": 1,\n\"a\": []\n}""#),
        ("toJSON(1.0)", "\"1\""),
        ("format('{0}', fromJSON('1.0'))", "\"1\""),
        ("format('{0}', 1e21)", "\"1E+21\""),
        ("format('{0}', 0.30000000000000004)", "\"0.3\""),
        ("format('{0}', 0.00001)", "\"1E-05\""),
        ("format('{0}', -0)", "\"0\""),
        ("toJSON(NaN)", "\"NaN\""),
        ("toJSON(null)", "\"null\""),
        ("fromJSON('\"2020-01-01T00:00:00Z\"')", "\"2020-01-01T00:00:00Z\""),
        ("fromJSON('{\"a\":1,\"A\":2}').a", "1"),
        ("fromJSON(' [1 , 2 ] ')", "[1,2]"),
        ("fromJSON(true)", "true"),
    ]);
    check_failures(&[
        ("fromJSON('')", "Error parsing fromJson: expected a value, but the text is empty"),
        ("fromJSON(null)", "Error parsing fromJson: expected a value, but the text is empty"),
        (
            "fromJSON('{''a'':1}')",
            "Error parsing fromJson: expected a key in double quotes but found `'` at line 1, column 2",
        ),
        ("fromJSON('[1,]')", "Error parsing fromJson: expected a value but found `]` at line 1, column 4"),
        ("fromJSON(github)", "Error parsing fromJson: expected a value but found `O` at line 1, column 1"),
    ]);
}

#[test]
fn trap_42_case_is_lazy_and_strict() {
    check(&[
        ("case(false, 1, true, 2, 3)", "2"),
        ("case(1 == 1, 'a', 'b')", "\"a\""),
        ("case(false, fromJSON('!'), 'b')", "\"b\""),
        ("case(true, 'a', fromJSON('!'), 'b', 'c')", "\"a\""),
        ("CASE(!github.event.draft, github.event, 1).number", "5"),
    ]);
    for text in ["case(1, 'a', 'b')", "case('true', 'a', 'b')", "case(null, 'a', 'b')", "case(false, 1, github, 2, 3)"]
    {
        assert_eq!(evaluate(text).unwrap_err().message, "case predicate must evaluate to a boolean value", "{text}");
    }
}

#[test]
fn hash_files_is_asked_of_the_scope() {
    check(&[
        ("hashFiles('a', 'b/**')", "\"a|b/**\""),
        ("hashFiles('--FOLLOW-symbolic-links', 'a')", "\"--follow-symbolic-links|a\""),
        ("hashFiles('a', '--b')", "\"a|--b\""),
        ("hashFiles(github.run_id)", "\"7\""),
    ]);
    check_failures(&[
        ("hashFiles('bad')", "cannot hash"),
        ("hashFiles('--other', 'a')", "Invalid glob option --other, available option: '--follow-symbolic-links'"),
    ]);
    let nowhere = Expr::parse("hashFiles('a')", None).unwrap().evaluate(&MapScope::default()).unwrap_err();
    assert_eq!(nowhere.message, "`hashFiles` is not available here");
}

#[test]
fn faults_of_syntax_are_told_as_github_tells_them() {
    for (text, expected) in [
        ("foo", "Unrecognized named-value: 'foo'. Located at position 1 within expression: foo"),
        ("1 == foo.bar", "Unrecognized named-value: 'foo'. Located at position 6 within expression: 1 == foo.bar"),
        ("foo(1)", "Unrecognized function: 'foo'. Located at position 1 within expression: foo(1)"),
        ("'a' == \"b\"", "Unexpected symbol: '\"b\"'. Located at position 8 within expression: 'a' == \"b\""),
        ("1 ==", "Unexpected end of expression: '=='. Located at position 3 within expression: 1 =="),
        ("(1", "Unexpected end of expression: '1'. Located at position 2 within expression: (1"),
        ("github.", "Unexpected end of expression: '.'. Located at position 7 within expression: github."),
        (
            "contains(1)",
            "Too few parameters supplied: 'contains'. Located at position 1 within expression: contains(1)",
        ),
        (
            "!toJSON(1, 2)",
            "Too many parameters supplied: 'toJSON'. Located at position 2 within expression: !toJSON(1, 2)",
        ),
        (
            "case(true, 1, false, 2)",
            "Even number of parameters supplied, requires an odd number of parameters: 'case'. Located at position 1 within expression: case(true, 1, false, 2)",
        ),
        ("True", "Unrecognized named-value: 'True'. Located at position 1 within expression: True"),
        // Positions count UTF-16 units, as GitHub's do.
        ("'😀' == x", "Unrecognized named-value: 'x'. Located at position 9 within expression: '😀' == x"),
        ("", "An expression was expected"),
        (" \n", "An expression was expected"),
    ] {
        let errors = Expr::parse(text, None).unwrap_err();
        assert_eq!(errors[0].located(text), expected);
    }
}

#[test]
fn faults_come_with_advice() {
    for (text, expected) in [
        ("gihub.ref", "Unrecognized named-value: 'gihub'; did you mean `github`?"),
        ("True", "Unrecognized named-value: 'True'; did you mean `true`?"),
        ("always", "Unrecognized named-value: 'always'; did you mean `always()`?"),
        ("startWith('a', 'b')", "Unrecognized function: 'startWith'; did you mean `startsWith`?"),
        ("\"a\"", "Unexpected symbol: '\"a\"'; text is written in single quotes: 'like this'"),
        ("1 + 2", "Unexpected symbol: '+'; expressions have no arithmetic"),
        ("github.a = 1", "Unexpected symbol: '='; compare with `==`"),
        ("true & true", "Unexpected symbol: '&'; and is written `&&`"),
        ("true | true", "Unexpected symbol: '|'; or is written `||`"),
        ("true ? 1 : 2", "Unexpected symbol: '?'; there is no `? :`; write case(condition, value, otherwise)"),
        ("'it's'", "Unexpected symbol: 's''; an operator such as `==` or `&&` is missing before it"),
        (
            "'open",
            "Unexpected symbol: ''open'; the closing quote is missing; a quote inside of text is doubled: 'it''s'",
        ),
        ("1)", "Unexpected symbol: ')'; nothing is open that it could close"),
        ("github.1", "Unexpected symbol: '1'; a property's name follows a dot; other keys are written ['like this']"),
        ("(1", "Unexpected end of expression: '1'; a parenthesis or bracket is not closed"),
        ("1 &&", "Unexpected end of expression: '&&'; something is missing behind it"),
        ("contains('a')", "Too few parameters supplied: 'contains'; it is used as `contains(search, item)`"),
        ("always(1)", "Too many parameters supplied: 'always'; `always` takes no arguments"),
    ] {
        assert_eq!(Expr::parse(text, None).unwrap_err()[0].message, expected);
    }
}

#[test]
fn all_unknown_names_are_reported_at_once_with_their_places() {
    let text = "foo.x == bar(baz) && join()";
    let errors = Expr::parse(text, None).unwrap_err();
    let places: Vec<&str> = errors.iter().map(|error| &text[error.span.range()]).collect();
    assert_eq!(places, ["foo", "bar", "baz", "join"]);
}

#[test]
fn trap_44_secrets_cannot_be_read_in_an_if() {
    for allowed in [Allowed::STEP_IF, Allowed::JOB_IF, Allowed::COMPOSITE_STEP_IF] {
        let errors = Expr::parse_condition("secrets.KEY != ''", Some(&allowed)).unwrap_err();
        assert!(
            errors[0].message.starts_with("Unrecognized named-value: 'secrets'; available here are github, inputs")
        );
    }
    let errors = Expr::parse("hashFiles('a')", Some(&Allowed::JOB_IF)).unwrap_err();
    assert_eq!(errors[0].message, "Unrecognized function: 'hashFiles'; it is available in the keys of steps only");
    let errors = Expr::parse("always()", Some(&Allowed::STEP_RUN)).unwrap_err();
    assert_eq!(errors[0].message, "Unrecognized function: 'always'; it is available in `if` only");
    assert!(Expr::parse("SECRETS.key", Some(&Allowed::STEP_RUN)).is_ok());
}

/// The condition's value while all is well, and after a failure.
fn check_condition(text: &str, succeeded: &str, failed: &str) {
    let expr = Expr::parse_condition(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let mut world = World::new();
    assert_eq!(expr.evaluate(&world).unwrap().to_json().to_string(), succeeded, "{text}");
    world.succeeded = false;
    assert_eq!(expr.evaluate(&world).unwrap().to_json().to_string(), failed, "{text} after a failure");
}

#[test]
fn trap_41_success_comes_first_unless_a_status_function_is_called() {
    check_condition("", "true", "false");
    check_condition("  \n", "true", "false");
    check_condition("true", "true", "false");
    check_condition("${{ true }}", "true", "false");
    check_condition("github.actor == 'mona'", "true", "false");
    check_condition("needs.build.result == 'failure'", "true", "false");
    check_condition("always()", "true", "true");
    check_condition("ALWAYS() && github.actor == 'mona'", "true", "true");
    check_condition("${{ !cancelled() }}", "true", "true");
    check_condition("failure()", "false", "true");
    check_condition("false && always()", "false", "false");
    check_condition("contains('always()', 'always')", "true", "false");
    check_condition("'failure()' != ''", "true", "false");
    check_condition("success('build')", "false", "false");
    check_condition("github.actor", "\"mona\"", "false");
    // Where the status cannot be asked for, nothing stands in front.
    let snapshot = Expr::parse_condition("github.actor == 'mona'", Some(&Allowed::JOB_SNAPSHOT_IF)).unwrap();
    assert!(!snapshot.is_guarded());
}

#[test]
fn trap_33_text_around_the_braces_makes_a_condition_true() {
    check_condition("${{ false }} == 'x'", "\"false == 'x'\"", "false");
    check_condition("${{ false }}\n", "\"false\\n\"", "false");
    check_condition("${{ failure() }} && ${{ false }}", "\"false && false\"", "\"true && false\"");
    check_condition("${{ '' }}${{ '' }}", "\"\"", "false");
    check_condition("!${{ false }}", "\"!false\"", "false");
    check_condition("${{ contains('a }} b', '}}') }}", "true", "false");
}

#[test]
fn nothing_comes_in_front_of_a_plain_condition() {
    let mut world = World::new();
    world.succeeded = false;
    for (text, expected) in [
        ("github.actor == 'mona'", "true"),
        ("${{ github.actor == 'mona' }}", "true"),
        ("success()", "false"),
        // Not one expression from the first `${{` to the last `}}`.
        ("${{ false }} && ${{ true }}", "\"false && true\""),
    ] {
        let expr = Expr::parse_plain_condition(text, Some(&Allowed::ACTION_STAGE_IF)).unwrap();
        assert!(!expr.is_guarded(), "{text}");
        assert_eq!(expr.evaluate(&world).unwrap().to_json().to_string(), expected, "{text}");
    }
    for text in ["", " ", "${{ }}"] {
        assert_eq!(Expr::parse_plain_condition(text, None).unwrap_err()[0].message, "An expression was expected");
    }
}

#[test]
fn the_text_of_a_condition_is_without_its_braces() {
    let text = |text: &str| Expr::parse_condition(text, None).unwrap().text().to_owned();
    assert_eq!(text("github.ref"), "github.ref");
    assert_eq!(text("${{ github.ref }}").trim(), "github.ref");
    assert_eq!(text("${{ github.ref }} || ${{ true }}"), "${{ github.ref }} || ${{ true }}");
}

#[test]
fn faults_of_conditions_have_their_place_in_the_whole_text() {
    let text = "${{ github.ref == foo }}";
    let errors = Expr::parse_condition(text, None).unwrap_err();
    assert_eq!(&text[errors[0].span.range()], "foo");
    let errors = Expr::parse_condition("${{ true", None).unwrap_err();
    assert!(errors[0].message.starts_with("The expression is not closed"));
    assert_eq!(Expr::parse_condition("${{ }}", None).unwrap_err()[0].message, "An expression was expected");
}

/// The template's value as JSON.
fn check_template(text: &str, expected: &str) {
    let template = Template::parse(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    assert_eq!(template.evaluate(&World::new()).unwrap().to_json().to_string(), expected, "{text}");
}

#[test]
fn a_single_expression_keeps_its_type_and_a_mixture_is_text() {
    check_template("plain", "\"plain\"");
    check_template("", "\"\"");
    check_template("${{ github.event.number }}", "5");
    check_template("${{github.event.list}}", "[10,20,30]");
    check_template("${{ null }}", "null");
    check_template("${{ null }}!", "\"!\"");
    check_template(" ${{ 1 }}", "\" 1\"");
    check_template("a${{ 1 }}b${{ github.event.list }}c", "\"a1bArrayc\"");
    check_template("${{ 1 }}${{ true }}", "\"1true\"");
    check_template("${{ '}}' }}", "\"}}\"");
    check_template("${{ 'it''s }}' }}", "\"it's }}\"");
    check_template("${{ '${{' }}", "\"${{\"");
    check_template("$ {{ }} ${ }} }}", "\"$ {{ }} ${ }} }}\"");
    check_template("{{ ${{ format('{{{0}}}', 1) }} }}", "\"{{ {1} }}\"");
}

#[test]
fn templates_tell_all_their_faults_with_places_in_the_whole_text() {
    let text = "a ${{ foo }} b ${{ 1 + }} ${{ github.ref }}";
    let errors = Template::parse(text, None).unwrap_err();
    let places: Vec<&str> = errors.iter().map(|error| &text[error.span.range()]).collect();
    assert_eq!(places, ["foo", "+"]);
    assert_eq!(Template::parse("${{ }}", None).unwrap_err()[0].message, "An expression was expected");
    for open in ["a ${{ b", "${{ 'x }}", "${{ a }", "${{"] {
        let error = &Template::parse(open, None).unwrap_err()[0];
        assert!(error.words.starts_with("The expression is not closed"), "{open}");
        assert_eq!(&open[error.span.range()], "${{");
    }
    let failing = "x${{ fromJSON('') }}";
    let error = Template::parse(failing, None).unwrap().evaluate(&World::new()).unwrap_err();
    assert_eq!(&failing[error.span.range()], "fromJSON('')");
}

#[test]
fn length_counts_before_all_else() {
    let limit = lineclear_expr::MAX_LENGTH;
    let exactly = format!("'{}'", "x".repeat(limit - 2));
    assert!(Expr::parse(&exactly, None).is_ok());
    // Two units each, so that half as many are too many by one.
    assert!(Expr::parse(&format!("'{}'", "😀".repeat(limit / 2 - 1)), None).is_ok());
    for text in [format!("{exactly} "), format!("'{}'", "😀".repeat(limit / 2)), "(".repeat(limit + 1)] {
        let errors = Expr::parse(&text, None).unwrap_err();
        assert_eq!(errors[0].words, "Exceeded max expression length 21000");
        assert_eq!(errors[0].located(&text), "Exceeded max expression length 21000");
    }
    let script = "x".repeat(limit * 2);
    assert!(Template::parse(&script, None).is_ok(), "text without an expression may be long");
    assert!(Template::parse(&format!("{script}${{{{ 1 }}}}"), None).is_err());
    assert!(Expr::parse_condition(&script, None).is_err());
}

#[test]
fn hostile_text_ends_in_an_error_and_not_in_a_crash() {
    for piece in [
        "(",
        "!",
        "[",
        "github[",
        "github.*",
        ".a",
        "f(",
        "format(",
        "'",
        "''",
        "&&",
        "1,",
        "1==",
        "{",
        "\u{1f600}",
        "-",
    ] {
        for length in [100, 20_999, 10_000_000] {
            let text = piece.repeat(length / piece.len());
            let _ = Expr::parse(&text, None);
            let _ = Expr::parse_condition(&text, None);
            let _ = Template::parse(&format!("${{{{ {text} }}}}"), None);
        }
        for tail in ["1", "github", "github.a"] {
            let text = format!("{}{tail}", piece.repeat(10_000 / piece.len()));
            let _ = Expr::parse(&text, None);
        }
    }
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(Expr::parse(&deep, None).unwrap().evaluate(&World::new()), Ok(Value::Number(1.0)));
}

#[test]
fn depth_ends_at_fifty_for_chains_too() {
    let too_deep = |text: &str| match Expr::parse(text, None) {
        Ok(_) => false,
        Err(errors) => {
            assert_eq!(errors[0].located(text), "Exceeded max expression depth 50", "{text}");
            true
        }
    };
    for (deepest, deeper) in [
        (format!("{}true", "!".repeat(49)), format!("{}true", "!".repeat(50))),
        (format!("github{}", ".a".repeat(49)), format!("github{}", ".a".repeat(50))),
        (format!("github{}", "[0]".repeat(49)), format!("github{}", "[0]".repeat(50))),
        (format!("github{}", ".*".repeat(49)), format!("github{}", ".*".repeat(50))),
        (format!("1{}", " == 1".repeat(49)), format!("1{}", " == 1".repeat(50))),
    ] {
        assert!(!too_deep(&deepest) && too_deep(&deeper), "{deepest}");
        assert!(Expr::parse(&deepest, None).unwrap().evaluate(&World::new()).is_ok());
    }
    // The operands of one chain stand side by side.
    for operator in ["&&", "||"] {
        let chain = vec!["1"; 5000].join(operator);
        assert_eq!(evaluate(&chain), Ok(Value::Number(1.0)));
        let nested = format!("{}1{}", format!("1{operator}(").repeat(1000), ")".repeat(1000));
        assert_eq!(evaluate(&nested), Ok(Value::Number(1.0)));
    }
}

#[test]
fn arguments_end_at_255() {
    let call = |count: usize| format!("format('x'{})", ", 1".repeat(count - 1));
    assert!(Expr::parse(&call(255), None).is_ok());
    let errors = Expr::parse(&call(256), None).unwrap_err();
    assert_eq!(errors[0].message, "Too many parameters supplied: 'format'; at most 255 arguments are possible");
}

#[test]
fn values_are_counted_so_that_bombs_end_in_an_error() {
    let exceeded = "The maximum allowed memory size was exceeded while evaluating the following expression: ";
    let mut bomb = "'0123456789'".to_owned();
    for _ in 0..10 {
        bomb = format!("format('{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}', {bomb})");
    }
    let error = evaluate(&bomb).unwrap_err();
    assert!(error.message.starts_with(exceeded), "{error}");
    let expr =
        Expr::parse(&format!("join(fromJSON('[{}1]'), '{}')", "1,".repeat(5000), "x".repeat(10_000)), None).unwrap();
    assert!(expr.evaluate(&World::new()).unwrap_err().message.starts_with(exceeded));

    // What a call has used up is let go once it has its value; values side by side count together.
    let long = format!("format('{}', '{}')", "{0}".repeat(400), "x".repeat(1000));
    let tests = vec![format!("contains({long}, 'x')"); 2].join(" && ");
    assert_eq!(evaluate(&tests), Ok(Value::Bool(true)));
    assert!(evaluate(&format!("contains({long}, 'x') && startsWith({long}, {long})")).is_err());

    let mut large = MapScope::default();
    large.contexts.insert("env".into(), Object::from_iter([("A", "x".repeat(600_000))]).into());
    // By itself an expression may take 1 MiB, at two bytes a character; in a workflow's text 10 MiB.
    assert!(Expr::parse("env.A", None).unwrap().evaluate(&large).is_err());
    assert!(Template::parse("${{ env.A }}", None).unwrap().evaluate(&large).is_ok());
    assert!(Template::parse("${{ toJSON(env) }}", None).unwrap().evaluate(&large).is_ok());
    assert!(Expr::parse_condition("contains(env.A, 'y') || true", None).unwrap().root().span().start == 0);
    let many = format!("{}.", "${{ env.A }}".repeat(9));
    let error = Template::parse(&many, None).unwrap().evaluate(&large).unwrap_err();
    assert!(error.message.starts_with("Maximum object size exceeded"), "{error}");
    assert!(Template::parse(&"${{ env.A }}".repeat(8), None).unwrap().evaluate(&large).is_ok());
}

#[test]
fn a_context_that_the_scope_lacks_is_an_error_with_its_place() {
    let expr = Expr::parse("1 == 1 && jobs.a", None).unwrap();
    let error = expr.evaluate(&MapScope::default()).unwrap_err();
    assert_eq!((error.message.as_str(), error.span.range()), ("the context `jobs` is not available here", 10..14));
    let error = Expr::parse("1 && always()", None).unwrap().evaluate(&MapScope::default()).unwrap_err();
    assert_eq!((error.message.as_str(), error.span.range()), ("`always` is not available here", 5..13));
}
