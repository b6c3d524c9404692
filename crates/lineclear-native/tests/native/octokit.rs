//! The client of github-script against the real packages: the same calls have to reach the forge in the same form.

use std::path::Path;
use std::process::Command;

/// S2-20: every method that `@actions/github` has, with the forms of `request`, `paginate` and `graphql`, and what `core` says.
#[test]
fn the_client_sends_what_the_real_one_sends() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("octokit");
    std::fs::create_dir_all(&folder).expect("a folder");
    for name in ["package.json", "package-lock.json", "compare.js"] {
        std::fs::copy(own.join("tests/native/octokit").join(name), folder.join(name)).expect("a copy");
    }
    // Kept between runs: npm looks at what is there.
    let npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--silent"])
        .current_dir(&folder)
        .output()
        .expect("npm is here");
    assert!(npm.status.success(), "npm: {}", String::from_utf8_lossy(&npm.stderr));
    let compared = Command::new("node")
        .arg("compare.js")
        .arg(own.join("src/github_script"))
        .current_dir(&folder)
        .env_remove("RUNNER_DEBUG")
        .output()
        .expect("node is here");
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stderr));
    let found: serde_json::Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    assert_eq!(found["unknown"], serde_json::json!([]));
    assert_eq!(found["differences"], serde_json::json!([]), "{found:#}");
    assert!(found["count"].as_u64().is_some_and(|count| count > 900), "{found}");
}
