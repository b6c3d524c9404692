//! `actions/cache` and its halves.

use lineclear_event::AnnotationLevel;
use lineclear_store::{CacheScope, Caches};

use crate::bench::Bench;

const SHOW: &str = "\n- run: 'echo \"hit=${{ steps.c.outputs.cache-hit }} primary=${{ steps.c.outputs.cache-primary-key }} matched=${{ steps.c.outputs.cache-matched-key }}\"; cat kept/* 2>/dev/null || echo nothing'";

fn cache(key: &str, rest: &str) -> String {
    format!("- id: c\n  uses: actions/cache@v4\n  with:\n    path: kept\n    key: {key}\n{rest}{SHOW}")
}

fn fill(text: &str) -> String {
    format!("\n- run: 'mkdir -p kept; echo {text} > kept/file'")
}

/// S1-32 and S1-78: miss, then exact hit, then prefix hit.
#[test]
fn a_cache_is_missed_then_hit_exactly_then_by_its_prefix() {
    let bench = Bench::new(&[("deps.lock", "1")]);
    let steps = |rest: &str| cache("pip-${{ runner.os }}-${{ hashFiles('deps.lock') }}", rest);
    let miss = bench.job(&format!("{}{}", steps(""), fill("one"))).succeeded();
    assert_eq!(miss.value("hit"), " primary= matched=", "a miss leaves the output empty");
    let miss = miss.says(&[
        "Cache miss: no cache of `octo/App` is in the store",
        "Cache not found for input keys: pip-Linux-",
        "nothing\n",
        "Cache saved with key: pip-Linux-",
    ]);
    assert!(miss.annotations.is_empty(), "{:?}", miss.annotations);

    let hit =
        bench.job(&steps("")).succeeded().says(&["Cache restored from key: pip-Linux-", "one\n", "not saving cache."]);
    assert_eq!(hit.value("hit"), "true primary= matched=");

    bench.write(&[("deps.lock", "2")]);
    let restore = "    restore-keys: |\n      other-\n      pip-${{ runner.os }}-\n";
    let prefix = bench
        .job(&format!("{}{}", steps(restore), fill("two")))
        .succeeded()
        .says(&["one\n", "newest entry that begins with `pip-Linux-`"]);
    assert_eq!(prefix.value("hit"), "false primary= matched=");
    let hit = bench.job(&steps(restore)).succeeded().says(&["two\n"]);
    assert_eq!(hit.value("hit"), "true primary= matched=");
}

#[test]
fn the_key_is_that_of_the_time_when_the_cache_was_restored() {
    let bench = Bench::new(&[("deps.lock", "1")]);
    let steps = cache("k-${{ hashFiles('deps.lock') }}", "");
    bench.job(&format!("{steps}{}\n- run: echo changed > deps.lock", fill("one"))).succeeded();
    bench.job(&steps).succeeded().says(&["Cache hit for: k-", "one\n"]);
}

#[test]
fn a_failed_job_saves_nothing() {
    let bench = Bench::new(&[]);
    bench.job(&format!("{}{}\n- run: exit 1", cache("k", ""), fill("one"))).failed();
    assert!(bench.store.list(None).unwrap().is_empty());
    // Saving in a step of its own is how workflows save whatever happened.
    let save = "\n- if: always()\n  uses: actions/cache/save@v4\n  with: { path: kept, key: k }";
    bench.job(&format!("- run: 'mkdir kept; echo one > kept/file'\n- run: exit 1{save}")).failed();
    assert_eq!(bench.store.list(None).unwrap().len(), 1);
}

#[test]
fn only_restoring_and_only_saving() {
    let bench = Bench::new(&[]);
    let restore = |key: &str, rest: &str| {
        format!("- id: c\n  uses: actions/cache/restore@v4\n  with:\n    path: kept\n    key: {key}\n{rest}{SHOW}")
    };
    let miss = bench.job(&restore("k-1", "")).succeeded();
    assert_eq!(miss.value("hit"), " primary=k-1 matched=");
    let save =
        "- run: 'mkdir kept; echo one > kept/file'\n- uses: actions/cache/save@v4\n  with: { path: kept, key: k-1 }";
    bench.job(save).succeeded().says(&["Cache saved with key: k-1"]);
    let hit = bench.job(&restore("k-2", "    restore-keys: k-\n")).succeeded().says(&["one\n"]);
    assert_eq!(hit.value("hit"), "false primary=k-2 matched=k-1");
    assert_eq!(bench.store.list(None).unwrap().len(), 1, "restoring saves nothing");
}

/// Trap 88: the second save of a key is told, and the step stays green.
#[test]
fn trap_88_a_key_that_exists_is_not_saved_again() {
    let bench = Bench::new(&[]);
    let save =
        "- run: 'mkdir kept; echo one > kept/file'\n- uses: actions/cache/save@v4\n  with: { path: kept, key: k }";
    bench.job(save).succeeded();
    let again = bench.job(save).succeeded().says(&["Failed to save: Unable to reserve cache with key k"]);
    assert_eq!(again.annotations, [(AnnotationLevel::Warning, "Cache save failed.".to_owned())]);
}

/// S4-54 and traps 86 and 87: a branch reads its own caches and the default branch's, newest first; siblings are not seen.
#[test]
fn trap_86_a_branch_reads_its_own_caches_and_those_of_the_default_branch() {
    let mut bench = Bench::new(&[]);
    let save = |bench: &Bench, key: &str, text: &str| {
        let steps = format!(
            "- run: 'mkdir kept; echo {text} > kept/file'\n- uses: actions/cache/save@v4\n  with: {{ path: kept, key: {key} }}"
        );
        bench.job(&steps).succeeded();
    };
    let restore = |key: &str, rest: &str| cache(key, rest).replace("actions/cache@", "actions/cache/restore@");
    let look = |bench: &Bench, key: &str| bench.job(&restore(key, "    restore-keys: k-\n")).succeeded();
    save(&bench, "k-main-1", "main-1");
    save(&bench, "k-main-2", "main-2");
    bench.about("refs/heads/feature");
    look(&bench, "k-x").says(&["main-2\n", "from `refs/heads/main`"]);
    save(&bench, "k-feature", "feature");
    look(&bench, "k-main-1").says(&["feature\n"]);
    bench.about("refs/heads/other");
    look(&bench, "k-feature").says(&["main-2\n"]);
    bench.job(&restore("k-feature", "")).says(&["exists only in `refs/heads/feature`, which this run may not read"]);
    // A pull request reads its base, and what it saves is its own.
    bench.about("refs/pull/7/merge");
    bench.github["base_ref"] = "feature".into();
    look(&bench, "k-x").says(&["feature\n"]);
    save(&bench, "k-pull", "pull");
    bench.about("refs/heads/feature");
    bench.github["base_ref"] = "".into();
    bench.job(&restore("k-pull", "")).says(&["exists only in `refs/pull/7/merge`"]);
    let scopes: Vec<CacheScope> = bench.store.list(None).unwrap().into_iter().map(|entry| entry.scope).collect();
    assert_eq!(scopes[0].0, "refs/pull/7/merge");
}

/// Trap 87: characters that mean something in patterns mean themselves in keys.
#[test]
fn trap_87_keys_are_no_patterns() {
    let bench = Bench::new(&[]);
    let save = "- run: 'mkdir kept; echo one > kept/file'\n- uses: actions/cache/save@v4\n  with: { path: kept, key: 'a.c+(1)' }";
    bench.job(save).succeeded();
    bench.job(&cache("'abc'", "    restore-keys: 'a.c.*'\n")).succeeded().says(&["nothing\n"]);
    bench.job(&cache("'x'", "    restore-keys: 'a.c+('\n")).succeeded().says(&["one\n"]);
}

/// S4-53: version and branch, version and main, branch, main, general: in this order.
#[test]
fn five_levels_of_restore_keys_are_tried_in_their_order() {
    let keys = ["v2-feature-", "v2-main-", "feature-", "main-", "general-"];
    let restore: String = keys.iter().map(|key| format!("      {key}\n")).collect();
    let steps = cache("v2-feature-new", &format!("    restore-keys: |\n{restore}"));
    let bench = Bench::new(&[]);
    // The last level is filled first: each one found is older than none that is asked for later.
    for key in keys.iter().rev() {
        let save = format!(
            "- run: 'mkdir kept; echo {key} > kept/file'\n- uses: actions/cache/save@v4\n  with: {{ path: kept, key: {key}1 }}"
        );
        bench.job(&save).succeeded();
        bench.job(&format!("{steps}\n- run: exit 1")).failed().says(&[&format!("{key}\n")]);
    }
    // And the other way round, where all but the wanted one are newer.
    let bench = Bench::new(&[]);
    for key in keys {
        let save = format!(
            "- run: 'mkdir kept; echo {key} > kept/file'\n- uses: actions/cache/save@v4\n  with: {{ path: kept, key: {key}1 }}"
        );
        bench.job(&save).succeeded();
    }
    bench.job(&steps).succeeded().says(&["v2-feature-\n"]);
}

#[test]
fn a_lookup_restores_nothing() {
    let bench = Bench::new(&[]);
    let save =
        "- run: 'mkdir kept; echo one > kept/file'\n- uses: actions/cache/save@v4\n  with: { path: kept, key: k }";
    bench.job(save).succeeded();
    let found = bench.job(&cache("k", "    lookup-only: true\n")).succeeded();
    assert_eq!(found.value("hit"), "true primary= matched=");
    found.says(&["Lookup only - skipping download", "Cache found and can be restored from key: k", "nothing\n"]);
}

#[test]
fn a_miss_fails_where_that_is_asked_for() {
    let bench = Bench::new(&[]);
    bench
        .job(&cache("k", "    fail-on-cache-miss: true\n"))
        .failed()
        .says(&["Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: k"]);
}

#[test]
fn inputs_that_no_cache_can_have_fail_restoring_but_not_saving() {
    let bench = Bench::new(&[]);
    bench.job(&cache("'a,b'", "")).failed().says(&["Key Validation Error: a,b cannot contain commas."]);
    bench
        .job("- uses: actions/cache@v4\n  with: { path: kept, key: '' }")
        .failed()
        .says(&["Input required and not supplied: key"]);
    bench.job("- uses: actions/cache@v4\n  with: { key: k }").failed().says(&["Input required and not supplied: path"]);
    bench
        .job("- uses: actions/cache/save@v4\n  with: { path: kept, key: 'a,b' }")
        .succeeded()
        .says(&["[warning]Key Validation Error"]);
    bench
        .job("- uses: actions/cache/save@v4\n  with: { path: missing, key: k }")
        .succeeded()
        .says(&["[warning]Path Validation Error"]);
}

#[test]
fn paths_are_patterns_and_may_lie_in_the_home_folder() {
    let mut bench = Bench::new(&[]);
    let home = bench.folder().join("user");
    std::fs::create_dir_all(home.join(".cache/tool")).unwrap();
    std::fs::write(home.join(".cache/tool/file"), "of home").unwrap();
    bench.settings.env.insert("HOME".into(), home.to_string_lossy().into_owned());
    let steps = "- uses: actions/cache@v4\n  with:\n    key: k\n    path: |\n      ~/.cache/tool\n      a/**/*.bin\n      # a comment\n      ! a/no.bin\n";
    bench.job(&format!("{steps}- run: 'mkdir -p a/b; touch a/x.bin a/b/y.bin a/no.bin a/z.txt'")).succeeded();
    std::fs::remove_dir_all(home.join(".cache")).unwrap();
    let done =
        bench.job(&format!("{steps}- run: 'echo \"found=$(find a -type f | sort | tr \"\\n\" \" \")\"'")).succeeded();
    assert_eq!(done.value("found"), "a/b/y.bin a/x.bin ");
    assert_eq!(std::fs::read_to_string(home.join(".cache/tool/file")).unwrap(), "of home");
    // Other paths are another cache, and the log says so.
    bench.job(&cache("k", "")).succeeded().says(&["saved with other paths"]);
}

#[test]
fn an_event_without_a_ref_has_no_caches() {
    let mut bench = Bench::new(&[]);
    bench.github["ref"] = "".into();
    bench
        .job(&cache("k", ""))
        .succeeded()
        .says(&["[warning]Event Validation Error: The event type push is not supported"]);
}
