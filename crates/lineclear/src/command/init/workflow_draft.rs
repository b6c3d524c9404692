//! The workflows that `init` writes: `CI`, which says whether a change is sound, and `Publish`, which follows it.

use std::fmt::Write as _;

use lineclear_policy::Preset;

use super::survey::{Install, Language, Part, PythonTests, Survey};

/// The first lines of a job that checks out the code.
const CHECKOUT: &str = "      - uses: actions/checkout@v4
        with:
          # No step below pushes, so none needs the right to.
          persist-credentials: false
";

/// `.github/workflows/ci.yml`.
pub(super) fn ci(survey: &Survey) -> String {
    let mut text = format!(
        "# What every change has to pass. Gates name its jobs as `CI / job`.
name: CI

on:
  push:
    branches: [{}]
  pull_request:

# Jobs may read the code, and nothing else.
permissions:
  contents: read

# A newer push to a pull request makes the run before it superfluous. Runs of the main branch all come to an end.
concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

jobs:
",
        survey.default_branch
    );
    for part in &survey.parts {
        text.push_str(&quality(part));
    }
    if !survey.dockerfiles.is_empty() {
        text.push_str(&docker_build_check(survey));
    }
    if let Some(compose) = &survey.compose {
        text.push_str(&smoke(compose));
    }
    format!("{}\n", text.trim_end())
}

/// The job of a part, with what its language offers.
fn quality(part: &Part) -> String {
    let name = match &part.language {
        Language::Python { .. } => "python",
        Language::Node { .. } => "node",
        Language::Rust => "rust",
        Language::Go => "go",
    };
    let id = if part.folder.is_empty() {
        format!("{name}-quality")
    } else {
        format!("{}-{name}-quality", job_word(&part.folder))
    };
    let mut text = format!(
        "  {id}:
    runs-on: ubuntu-latest
    # A job that hangs ends after this many minutes.
    timeout-minutes: 15
"
    );
    if !part.folder.is_empty() {
        let _ = write!(text, "    defaults:\n      run:\n        working-directory: {}\n", part.folder);
    }
    text.push_str("    steps:\n");
    text.push_str(CHECKOUT);
    let mut run = |name: &str, command: &str| {
        // Writing to a string cannot fail.
        let _ = write!(text, "      - name: {name}\n        run: {command}\n");
    };
    match &part.language {
        Language::Python { requirements, is_package, tests, ruff } => {
            if let Some(file) = requirements {
                run("Install what the code needs", &format!("python3 -m pip install --requirement {file}"));
            } else if *is_package {
                run("Install the package", "python3 -m pip install .");
            }
            run("Compile every file", "python3 -m compileall -q .");
            if *ruff {
                run("Lint", "ruff check .");
            }
            match tests {
                Some(PythonTests::Pytest) => run("Test", "python3 -m pytest"),
                Some(PythonTests::Unittest(folder)) if folder.is_empty() => run("Test", "python3 -m unittest discover"),
                Some(PythonTests::Unittest(folder)) => {
                    run("Test", &format!("python3 -m unittest discover --start-directory {folder}"));
                }
                None => {}
            }
        }
        Language::Node { install, scripts } => {
            match install {
                Install::Nothing => {}
                Install::Locked => run("Install what the lock file names", "npm ci"),
                Install::Unlocked => run("Install what package.json names", "npm install"),
            }
            for script in scripts {
                let (name, command) = match *script {
                    "lint" => ("Lint", "npm run lint"),
                    "test" => ("Test", "npm test"),
                    _ => ("Build", "npm run build"),
                };
                run(name, command);
            }
            if scripts.is_empty() {
                run("Read package.json", "node --print \"require('./package.json').name\"");
            }
        }
        Language::Rust => {
            run("Format", "cargo fmt --check");
            run("Lint", "cargo clippy --all-targets -- -D warnings");
            run("Test", "cargo test");
        }
        Language::Go => {
            run("Look for mistakes", "go vet ./...");
            run("Test", "go test ./...");
        }
    }
    text.push('\n');
    text
}

fn docker_build_check(survey: &Survey) -> String {
    let mut text = format!(
        "  # Whether the images can be built. They are published elsewhere, and only from what passed.
  docker-build-check:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
{CHECKOUT}"
    );
    for (name, dockerfile) in &survey.dockerfiles {
        let _ = write!(
            text,
            "      - name: Build {name}\n        run: docker build --file {dockerfile} --tag {name}:check {}\n",
            context_of(dockerfile)
        );
    }
    text.push('\n');
    text
}

fn smoke(compose: &str) -> String {
    format!(
        "  # Whether the whole starts and says that it is healthy.
  smoke-e2e:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
{CHECKOUT}      - name: Start everything and wait until it is healthy
        run: docker compose --file {compose} up --build --detach --wait --wait-timeout 300
      - name: Show what the containers said
        if: failure()
        run: docker compose --file {compose} logs
      - name: Stop everything
        if: always()
        run: docker compose --file {compose} down --volumes
"
    )
}

/// `.github/workflows/publish.yml`: builds and pushes once `CI` has succeeded on the main branch, and for version tags.
///
/// Under `strict` an image has to be scanned, listed and signed before it has a name, and it has to be somewhere for that: the job pushes a
/// candidate, and `lineclear publish` gives it its names.
pub(super) fn publish(preset: Preset, survey: &Survey) -> String {
    let branch = &survey.default_branch;
    let tag = match preset {
        Preset::PublishOnly | Preset::Balanced => {
            "          if [ \"$GITHUB_EVENT_NAME\" = push ]; then
            echo \"TAG=$GITHUB_REF_NAME\" >> \"$GITHUB_ENV\"
          else
            echo \"TAG=sha-$(git rev-parse --short=7 HEAD)\" >> \"$GITHUB_ENV\"
          fi
"
        }
        Preset::Strict => {
            "          # A candidate: `lineclear publish` gives it its names once it has been scanned.
          echo \"TAG=build-$(git rev-parse --short=7 HEAD)\" >> \"$GITHUB_ENV\"
"
        }
    };
    let mut text = format!(
        "# Publishes the images: of the main branch once `CI` has succeeded there, and of every tag that begins with `v`.
name: Publish

on:
  workflow_run:
    workflows: [CI]
    types: [completed]
    branches: [{branch}]
  push:
    tags: ['v*']

permissions:
  contents: read

# One publication after the other, and none is broken off halfway.
concurrency:
  group: publish
  cancel-in-progress: false

jobs:
  publish:
    # What did not pass is not published; what comes from a fork's branch of the same name is not, either.
    if: >-
      github.event_name == 'push' ||
      (github.event.workflow_run.conclusion == 'success' && github.event.workflow_run.event == 'push')
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read
      # To push to the registry of this forge.
      packages: write
    env:
      # The commit that `CI` looked at, which may no longer be the newest one.
      COMMIT: ${{{{ github.event.workflow_run.head_sha || github.sha }}}}
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{{{ github.event.workflow_run.head_sha || github.sha }}}}
          persist-credentials: false
      - name: Choose names
        # Names of images are lower case, whatever the owner is called.
        run: |
          echo \"REGISTRY=ghcr.io/${{GITHUB_REPOSITORY_OWNER,,}}\" >> \"$GITHUB_ENV\"
{tag}"
    );
    for (name, dockerfile) in &survey.dockerfiles {
        let _ = write!(
            text,
            "      - name: Build {name}
        run: >-
          docker build --file {dockerfile} --label \"org.opencontainers.image.revision=$COMMIT\"
          --tag \"$REGISTRY/{name}:$TAG\" {}
",
            context_of(dockerfile)
        );
    }
    text.push_str(
        "      - name: Log in
        env:
          TOKEN: ${{ secrets.GITHUB_TOKEN }}
        run: docker login ghcr.io --username \"$GITHUB_ACTOR\" --password-stdin <<< \"$TOKEN\"
",
    );
    for (name, _) in &survey.dockerfiles {
        let _ = write!(
            text,
            "      - name: Push {name}
        run: docker push \"$REGISTRY/{name}:$TAG\"
"
        );
    }
    text
}

fn context_of(dockerfile: &str) -> &str {
    dockerfile.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The folder's name in the letters that ids of jobs may have.
fn job_word(folder: &str) -> String {
    let word: String =
        folder.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' }).collect();
    let word = word.trim_matches('-').to_owned();
    if word.is_empty() || word.starts_with(|char: char| char.is_ascii_digit()) { format!("part-{word}") } else { word }
}
