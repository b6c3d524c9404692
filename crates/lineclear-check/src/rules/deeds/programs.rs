//! What programs do, by their names and arguments.

use lineclear_shell::Word;

use super::Deed;

/// Programs that start another by its name, nested deeper than this, are nobody's script.
const DEEPEST: usize = 4;

/// What a command does.
pub(super) fn of_program(program: &str, arguments: &[Word], depth: usize) -> Option<Deed> {
    let has = |flags: &[&str]| arguments.iter().any(|word| flags.contains(&word.text.as_str()));
    let is_rehearsal =
        has(&["--dry-run", "--dry-run=client", "--dry-run=server", "--dryrun", "--help", "--version", "--check-only"]);
    if is_rehearsal || depth > DEEPEST {
        return None;
    }
    let mut words = arguments.iter().map(|word| word.text.as_str()).filter(|word| !word.starts_with('-'));
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    // What a program runs that only prepares its surroundings.
    let inner = |skip: usize| -> Option<Deed> {
        let at = arguments.iter().enumerate().filter(|(_, word)| !word.text.starts_with('-')).nth(skip)?.0;
        let (inner, rest) = arguments.get(at..)?.split_first()?;
        of_program(inner.text.rsplit('/').next().unwrap_or_default(), rest, depth + 1)
    };
    match program {
        "docker" | "podman" | "nerdctl" | "buildah" => of_docker(first, second, arguments),
        "skopeo" | "crane" | "regctl" | "oras" => match first {
            "copy" | "cp" | "tag" | "sync" => Some(Deed::Promote),
            "push" if program == "crane" => Some(Deed::PushImage),
            "push" => Some(Deed::PublishPackage),
            "login" | "auth" => Some(Deed::Login),
            _ => None,
        },
        "helm" => match (first, second) {
            ("upgrade" | "install", _) => Some(Deed::Deploy),
            ("push", _) => Some(Deed::PublishPackage),
            ("registry", "login") => Some(Deed::Login),
            _ => None,
        },
        "kubectl" | "oc" => match (first, second) {
            ("apply" | "replace" | "patch", _) | ("set", "image") | ("rollout", "restart") => Some(Deed::Deploy),
            ("rollout", "status") | ("wait", _) => Some(Deed::HealthCheck),
            _ => None,
        },
        "terraform" | "tofu" | "terragrunt" => (first == "apply").then_some(Deed::Deploy),
        "pulumi" => (first == "up").then_some(Deed::Deploy),
        "ansible-playbook" => Some(Deed::Deploy),
        "cdk" | "sam" | "serverless" | "sls" | "fly" | "flyctl" | "netlify" | "firebase" | "kamal" | "cap" | "eb"
        | "gcloud" | "az" | "vercel" | "wrangler" | "railway" | "nomad" | "aws" => {
            of_platform(program, first, second, arguments)
        }
        "npm" | "pnpm" | "yarn" | "bun" | "lerna" | "nx" | "turbo" => of_node(program, first, second, arguments)
            .or_else(|| matches!(first, "exec" | "dlx" | "x").then(|| inner(1)).flatten()),
        "npx" | "pnpx" | "bunx" | "uvx" | "dotenv" | "cross-env" | "coverage" if program != "coverage" => inner(0),
        "coverage" | "poetry" | "uv" | "hatch" | "pdm" | "rye" | "pipenv" | "pipx" | "flit" | "maturin" => {
            match first {
                "publish" | "upload" => Some(Deed::PublishPackage),
                "test" => Some(Deed::Test),
                "run" if program == "coverage" => Some(Deed::Test),
                "run" if second.contains("test") => inner(1).or(Some(Deed::Test)),
                "run" => inner(1),
                _ => None,
            }
        }
        "bundle" => (first == "exec").then(|| inner(1)).flatten(),
        "python" | "python3" | "py" | "php" | "node" => of_interpreter(arguments, depth),
        "twine" => (first == "upload"
            && !arguments.iter().any(|word| word.text.contains("testpypi") || word.text.contains("test.pypi")))
        .then_some(Deed::PublishPackage),
        "cargo" => match first {
            "workspaces" | "ws" if second == "publish" => Some(Deed::PublishPackage),
            "publish" if !has(&["-n"]) => Some(Deed::PublishPackage),
            "release" if has(&["--execute", "-x"]) => Some(Deed::PublishPackage),
            "test" | "nextest" | "t" | "miri" | "llvm-cov" | "tarpaulin" => Some(Deed::Test),
            "clippy" | "fmt" | "check" => Some(Deed::Lint),
            "audit" | "deny" => Some(Deed::Scan),
            "cyclonedx" => Some(Deed::Sbom),
            _ => None,
        },
        "gh" => matches!((first, second), ("release", "create" | "upload")).then_some(Deed::Release),
        "goreleaser" => (first == "release" && !has(&["--snapshot", "--skip=publish"])).then_some(Deed::Release),
        "semantic-release" | "release-it" => Some(Deed::Release),
        "vsce" | "ovsx" => (first == "publish").then_some(Deed::PublishPackage),
        "changeset" => (first == "publish").then_some(Deed::PublishPackage),
        "gem" => (first == "push").then_some(Deed::PublishPackage),
        "nuget" => (first == "push").then_some(Deed::PublishPackage),
        "dotnet" => match (first, second) {
            ("nuget", "push") => Some(Deed::PublishPackage),
            ("test", _) => Some(Deed::Test),
            ("format", _) => Some(Deed::Lint),
            _ => None,
        },
        "mvn" | "mvnw" => of_maven(arguments),
        "gradle" | "gradlew" | "gradlew.bat" | "sbt" => of_gradle(arguments),
        "go" | "mix" | "swift" | "flutter" | "dart" | "deno" | "stack" | "cabal" | "zig" | "vcpkg" => match first {
            "test" => Some(Deed::Test),
            "build" if second == "test" => Some(Deed::Test),
            "vet" | "lint" | "fmt" | "format" | "analyze" | "credo" => Some(Deed::Lint),
            "publish" if program == "deno" => Some(Deed::PublishPackage),
            "hex.publish" => Some(Deed::PublishPackage),
            _ => None,
        },
        "cosign" => match first {
            "sign" | "sign-blob" => Some(Deed::Sign),
            "attest" | "attest-blob" => Some(Deed::Attest),
            "login" => Some(Deed::Login),
            "copy" => Some(Deed::Promote),
            _ => None,
        },
        "trivy" => {
            matches!(first, "image" | "i" | "fs" | "filesystem" | "repo" | "repository" | "rootfs" | "config" | "sbom")
                .then_some(Deed::Scan)
        }
        "snyk" => matches!(first, "test" | "container" | "code" | "iac").then_some(Deed::Scan),
        "grype" | "pip-audit" | "safety" | "bandit" | "semgrep" | "gitleaks" | "osv-scanner" | "govulncheck"
        | "checkov" | "tfsec" | "dockle" | "brakeman" | "bundle-audit" | "bundler-audit" => Some(Deed::Scan),
        "syft" | "cyclonedx-py" | "cyclonedx-npm" | "cyclonedx-gomod" => Some(Deed::Sbom),
        "alembic" | "goose" | "dbmate" | "flyway" | "liquibase" => {
            matches!(first, "upgrade" | "up" | "migrate" | "update").then_some(Deed::Migrate)
        }
        "prisma" | "sqlx" | "diesel" => matches!(first, "migrate" | "migration").then_some(Deed::Migrate),
        "rails" | "rake" => match first {
            "db:migrate" => Some(Deed::Migrate),
            "release" => Some(Deed::PublishPackage),
            target if target.contains("test") || target.contains("spec") => Some(Deed::Test),
            _ => None,
        },
        "make" | "just" | "task" | "bazel" | "bazelisk" | "invoke" | "mage" | "earthly" | "ninja" => {
            of_target(arguments)
        }
        "pytest" | "py.test" | "tox" | "nox" | "jest" | "vitest" | "mocha" | "ava" | "karma" | "cypress"
        | "playwright" | "rspec" | "phpunit" | "bats" | "ctest" | "minitest" | "wtr" => Some(Deed::Test),
        "ruff" | "flake8" | "black" | "isort" | "mypy" | "pyright" | "pylint" | "eslint" | "prettier" | "stylelint"
        | "tsc" | "golangci-lint" | "shellcheck" | "hadolint" | "actionlint" | "pre-commit" | "rubocop"
        | "yamllint" | "biome" | "oxlint" | "typos" | "codespell" | "zizmor" => Some(Deed::Lint),
        "curl" | "wget" | "http" => Some(Deed::HealthCheck),
        _ if is_named_for_deploys(program) => Some(Deed::Deploy),
        _ => is_named_for_tests(program).then_some(Deed::Test),
    }
}

/// A script such as `deploy.sh` or `deploy-production.sh`, and not one that puts pages onto the web or tries something out.
fn is_named_for_deploys(program: &str) -> bool {
    let Some((stem, "sh" | "bash" | "py" | "ps1")) = program.rsplit_once('.') else { return false };
    let mut parts = stem.split(['-', '_']);
    parts.next() == Some("deploy")
        && parts.all(|part| matches!(part, "prod" | "production" | "staging" | "stage" | "live" | "app" | "to" | "all"))
}

/// A script such as `run-tests.sh`, `ci.sh` or `check.sh`.
fn is_named_for_tests(program: &str) -> bool {
    let stem = program.rsplit_once('.').map_or(program, |(stem, _)| stem);
    program.contains('.')
        && stem.split(['-', '_']).any(|part| matches!(part, "test" | "tests" | "ci" | "check" | "verify" | "e2e"))
}

fn of_docker(first: &str, second: &str, arguments: &[Word]) -> Option<Deed> {
    let pushes = || {
        arguments.iter().any(|word| {
            word.text == "--push"
                || word.text == "--push=true"
                || word.text.contains("push=true")
                || word.text.contains("type=registry")
        })
    };
    let is_local = || {
        arguments.iter().any(|word| ["localhost", "127.0.0.1", "ttl.sh"].iter().any(|host| word.text.contains(host)))
    };
    match (first, second) {
        ("push", _) if is_local() => None,
        ("push", _) | ("image" | "manifest" | "compose", "push") => Some(Deed::PushImage),
        ("login", _) => Some(Deed::Login),
        ("build" | "bud", _) | ("buildx", "build" | "bake") | ("image" | "builder", "build") => {
            Some(if pushes() && !is_local() { Deed::PushImage } else { Deed::BuildImage })
        }
        ("compose", "build") => Some(Deed::BuildImage),
        ("buildx", "imagetools") if arguments.iter().any(|word| word.text == "create") => Some(Deed::Promote),
        ("stack", "deploy") => Some(Deed::Deploy),
        ("scout", _) => Some(Deed::Scan),
        ("sbom", _) => Some(Deed::Sbom),
        _ => None,
    }
}

fn of_platform(program: &str, first: &str, second: &str, arguments: &[Word]) -> Option<Deed> {
    let is_deploy = match program {
        "gcloud" => arguments.iter().any(|word| word.text == "deploy"),
        "az" => matches!(
            (first, second),
            ("webapp" | "functionapp" | "containerapp", "deploy" | "deployment" | "up" | "update")
        ),
        "aws" => matches!(
            (first, second),
            ("ecs", "update-service")
                | ("lambda", "update-function-code")
                | ("cloudformation" | "deploy", "deploy" | "create-deployment")
        ),
        "vercel" => first == "deploy" || arguments.iter().any(|word| word.text == "--prod"),
        "wrangler" => {
            matches!(first, "deploy" | "publish") || (first == "pages" && matches!(second, "deploy" | "publish"))
        }
        "railway" => first == "up",
        "nomad" => (first, second) == ("job", "run"),
        "cap" => second == "deploy" || first == "deploy",
        _ => first == "deploy",
    };
    if program == "aws" && (first, second) == ("ecs", "wait") {
        return Some(Deed::HealthCheck);
    }
    is_deploy.then_some(Deed::Deploy)
}

fn of_node(program: &str, first: &str, second: &str, arguments: &[Word]) -> Option<Deed> {
    let is_local = || arguments.iter().any(|word| word.text.contains("localhost") || word.text.contains("127.0.0.1"));
    let target = if matches!(first, "run" | "run-script") { second } else { first };
    let starts = |words: &[&str]| words.iter().any(|word| target == *word || target.starts_with(&format!("{word}:")));
    match first {
        "publish" if !is_local() => return Some(Deed::PublishPackage),
        "npm" if program == "yarn" && second == "publish" => return Some(Deed::PublishPackage),
        "audit" if second != "fix" && second != "signatures" => return Some(Deed::Scan),
        "t" | "tst" => return Some(Deed::Test),
        // Installs.
        "ci" | "install" | "add" => return None,
        _ => {}
    }
    if starts(&["test", "tests", "e2e", "unit", "check", "ci", "coverage", "verify", "vitest", "jest"])
        || target.contains("test")
    {
        return Some(Deed::Test);
    }
    if starts(&["lint", "typecheck", "type-check", "format"]) {
        return Some(Deed::Lint);
    }
    starts(&["deploy"]).then_some(Deed::Deploy)
}

fn of_interpreter(arguments: &[Word], depth: usize) -> Option<Deed> {
    let (first, rest) = arguments.split_first()?;
    if first.text == "-m" {
        let (module, rest) = rest.split_first()?;
        return match module.text.as_str() {
            "unittest" => Some(Deed::Test),
            name => of_program(name, rest, depth + 1),
        };
    }
    let script = first.text.rsplit('/').next().unwrap_or_default();
    if script == "manage.py" || script == "artisan" {
        return match rest.first().map(|word| word.text.as_str()) {
            Some("test") => Some(Deed::Test),
            Some("migrate") => Some(Deed::Migrate),
            _ => None,
        };
    }
    is_named_for_tests(script).then_some(Deed::Test)
}

fn of_maven(arguments: &[Word]) -> Option<Deed> {
    let has = |goals: &[&str]| arguments.iter().any(|word| goals.contains(&word.text.as_str()));
    if has(&["deploy", "release:perform"]) {
        return Some(Deed::PublishPackage);
    }
    let skips = arguments.iter().any(|word| word.text.contains("skipTests") || word.text.contains("maven.test.skip"));
    (!skips && has(&["test", "verify", "install", "package"])).then_some(Deed::Test)
}

fn of_gradle(arguments: &[Word]) -> Option<Deed> {
    let any =
        |is: &dyn Fn(&str) -> bool| arguments.iter().any(|word| is(word.text.rsplit(':').next().unwrap_or_default()));
    if any(&|task| {
        (task == "publish" || task.starts_with("publish")) && !task.ends_with("MavenLocal") && !task.ends_with("Local")
    }) {
        return Some(Deed::PublishPackage);
    }
    any(&|task| matches!(task, "test" | "check" | "build") || task.ends_with("Test")).then_some(Deed::Test)
}

fn of_target(arguments: &[Word]) -> Option<Deed> {
    let targets =
        || arguments.iter().map(|word| word.text.as_str()).filter(|word| !word.starts_with('-') && !word.contains('='));
    let any = |words: &[&str]| {
        targets().any(|target| target.split(['-', '_', ':', '/', '.']).any(|part| words.contains(&part)))
    };
    match () {
        () if any(&["test", "tests", "check", "ci", "verify", "e2e", "coverage"]) => Some(Deed::Test),
        () if any(&["lint", "fmt", "format", "typecheck"]) => Some(Deed::Lint),
        () if any(&["deploy"]) => Some(Deed::Deploy),
        () if any(&["publish"]) => Some(Deed::PublishPackage),
        () if any(&["migrate"]) => Some(Deed::Migrate),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use lineclear_shell::{Language, Script};

    use super::*;

    #[test]
    fn commands_are_known_by_what_they_do() {
        for (text, deed) in [
            ("docker push a/b:c", Some(Deed::PushImage)),
            ("docker buildx build --push -t a .", Some(Deed::PushImage)),
            ("docker build -t a .", Some(Deed::BuildImage)),
            ("sudo docker login ghcr.io", Some(Deed::Login)),
            ("docker buildx imagetools create -t a b", Some(Deed::Promote)),
            ("npm publish --access public", Some(Deed::PublishPackage)),
            ("npm publish --dry-run", None),
            ("npm publish --registry http://localhost:4873/", None),
            ("npm run test:unit", Some(Deed::Test)),
            ("npm ci", None),
            ("npm audit fix", None),
            ("npm audit --audit-level=high", Some(Deed::Scan)),
            ("npx playwright test", Some(Deed::Test)),
            ("poetry run pytest -q", Some(Deed::Test)),
            ("uv run --frozen ruff check", Some(Deed::Lint)),
            ("python -m pytest", Some(Deed::Test)),
            ("python manage.py migrate --noinput", Some(Deed::Migrate)),
            ("twine upload -r testpypi dist/*", None),
            ("twine upload dist/*", Some(Deed::PublishPackage)),
            ("cargo publish -p a", Some(Deed::PublishPackage)),
            ("cargo nextest run", Some(Deed::Test)),
            ("gh release create v1", Some(Deed::Release)),
            ("gh release list", None),
            ("kubectl apply -f a.yml", Some(Deed::Deploy)),
            ("kubectl apply --dry-run=client -f a.yml", None),
            ("kubectl rollout status deployment/a", Some(Deed::HealthCheck)),
            ("./mvnw -B -DskipTests package", None),
            ("mvn -B verify", Some(Deed::Test)),
            ("./gradlew :app:publishToMavenLocal", None),
            ("./gradlew publish", Some(Deed::PublishPackage)),
            ("make -j4 unit-test", Some(Deed::Test)),
            ("make latest", None),
            ("cosign sign --yes a@b", Some(Deed::Sign)),
            ("trivy image a", Some(Deed::Scan)),
            ("wrangler pages deploy x", Some(Deed::Deploy)),
            ("./scripts/run-tests.sh", Some(Deed::Test)),
            ("./scripts/latest.sh", None),
            ("./deploy.sh production", Some(Deed::Deploy)),
            ("bin/deploy-docs.sh", None),
            ("echo test", None),
        ] {
            let script = Script::read(text, Language::Posix);
            let found = script.commands.iter().find_map(|command| {
                let (program, arguments) = command.program()?;
                of_program(program, arguments, 0)
            });
            assert_eq!(found, deed, "{text}");
        }
    }
}
