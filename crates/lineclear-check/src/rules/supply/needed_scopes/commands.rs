//! What scripts do with the job's token: `gh`, `git push`, calls of the forge's API, pushes of images, signatures.

use lineclear_shell::Script;
use lineclear_workflow::Access;

use super::token::{self, Surroundings, Token};
use super::{Grant, Reader};

const READ: Access = Access::Read;
const WRITE: Access = Access::Write;
const CONTENTS: &[Grant] = &[("contents", WRITE)];
const CONTENTS_READ: &[Grant] = &[("contents", READ)];
const PULL_REQUESTS: &[Grant] = &[("pull-requests", WRITE)];
const PULL_REQUESTS_READ: &[Grant] = &[("pull-requests", READ)];
const ISSUES: &[Grant] = &[("issues", WRITE)];
const ISSUES_READ: &[Grant] = &[("issues", READ)];
const EITHER: &[Grant] = &[("pull-requests", WRITE), ("issues", WRITE)];
const EITHER_READ: &[Grant] = &[("pull-requests", READ), ("issues", READ)];
const ACTIONS: &[Grant] = &[("actions", WRITE)];
const ACTIONS_READ: &[Grant] = &[("actions", READ)];
const CHECKS: &[Grant] = &[("checks", WRITE)];
const CHECKS_READ: &[Grant] = &[("checks", READ)];
const STATUSES: &[Grant] = &[("statuses", WRITE)];
const STATUSES_READ: &[Grant] = &[("statuses", READ)];
const DEPLOYMENTS: &[Grant] = &[("deployments", WRITE)];
const DEPLOYMENTS_READ: &[Grant] = &[("deployments", READ)];
const PAGES: &[Grant] = &[("pages", WRITE)];
const PAGES_READ: &[Grant] = &[("pages", READ)];
const PACKAGES: &[Grant] = &[("packages", WRITE)];
const SECURITY: &[Grant] = &[("security-events", WRITE)];
const SECURITY_READ: &[Grant] = &[("security-events", READ)];
const ATTESTATIONS_READ: &[Grant] = &[("attestations", READ)];
const ID_TOKEN: &[Grant] = &[("id-token", WRITE)];

/// Programs that do nothing with a token that is in their environment.
const PLAIN: &[&str] = &[
    "[",
    "[[",
    "alias",
    "apt",
    "apt-get",
    "base64",
    "basename",
    "brew",
    "cat",
    "cd",
    "chmod",
    "choco",
    "column",
    "cp",
    "cut",
    "date",
    "declare",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "exit",
    "export",
    "false",
    "file",
    "find",
    "git",
    "grep",
    "head",
    "jq",
    "kill",
    "let",
    "ln",
    "local",
    "ls",
    "mapfile",
    "mkdir",
    "mktemp",
    "mv",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "rm",
    "sed",
    "seq",
    "set",
    "sha256sum",
    "sha512sum",
    "shift",
    "shopt",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "type",
    "umask",
    "uname",
    "uniq",
    "unset",
    "unzip",
    "wait",
    "wc",
    "which",
    "whoami",
    "yq",
    "zip",
    "case",
    "for",
    "awk",
    "break",
    "continue",
    "rg",
    "write-output",
    "write-host",
];

/// Words of a command that builds or tests, and does not publish.
const BUILDS: &[&str] = &[
    "test",
    "tests",
    "build",
    "lint",
    "check",
    "ci",
    "install",
    "fmt",
    "format",
    "clippy",
    "doc",
    "docs",
    "compile",
    "typecheck",
    "audit",
    "bench",
    "coverage",
    "vet",
    "restore",
    "sync",
    "verify",
    "clean",
    "assemble",
    "pack",
    "nextest",
    "pytest",
    "download",
    "init",
    "validate",
    "plan",
    "version",
    "--version",
    "add",
    "update",
    "fetch",
    "run-tests",
    "e2e",
    "unit",
];

/// Words of a command that publishes.
const PUBLISHES: &[&str] =
    &["release", "publish", "deploy", "push", "bump", "changelog", "upload", "sign", "attest", "tag", "version"];

/// What leads to another repository than the one that was checked out.
const OTHER_CLONES: &[&str] = &["git clone", "git init", "git remote", "insteadOf", "cd ", "gh repo clone"];

impl Reader<'_, '_> {
    /// A script, with what the variables around it hold. What is no shell's is one program that may do anything.
    pub(super) fn script(&mut self, raw: &str, script: Option<&Script>, around: &Surroundings) {
        if raw.contains("ACTIONS_ID_TOKEN_REQUEST") {
            self.needs(ID_TOKEN, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
        }
        self.has_other_clone |= OTHER_CLONES.iter().any(|part| raw.contains(part));
        let own = around.own || token::names_own(raw);
        let Some(script) = script else { return self.command("python", "python", &[], own, around, raw) };
        for command in &script.commands {
            if let (Some((program, arguments)), Some(written)) = (command.program(), command.program_word()) {
                let arguments: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
                self.command(program, &written.text, &arguments, own, around, raw);
            }
        }
    }

    /// A command: its program, also as it is written, and its arguments.
    fn command(
        &mut self,
        program: &str,
        written: &str,
        arguments: &[&str],
        own: bool,
        around: &Surroundings,
        script: &str,
    ) {
        let has = |word: &str| arguments.contains(&word);
        match program {
            "gh" => {
                let sets =
                    script.contains("GH_TOKEN=") || script.contains("GITHUB_TOKEN=") || script.contains("gh auth");
                let token = match around.gh {
                    Token::None if own || sets => Token::Either,
                    token if sets && token != Token::None => Token::Either,
                    token => token,
                };
                if token != Token::None && token != Token::Other {
                    self.gh(arguments, token);
                }
            }
            "git" if has("push") => {
                if has("--dry-run") || has("-n") {
                    return;
                }
                let remote =
                    arguments.iter().skip_while(|word| **word != "push").skip(1).find(|word| !word.starts_with('-'));
                let is_here = remote.is_none_or(|remote| *remote == "origin" || remote.starts_with('$'));
                if self.keeps_login && is_here && !self.has_other_clone && !has("-C") {
                    self.needs(CONTENTS, "git push");
                } else {
                    self.may(CONTENTS);
                }
            }
            "curl" | "wget" | "http" | "Invoke-RestMethod" | "Invoke-WebRequest" => {
                if own && !self.api(arguments, Token::Either, program) && !reads_elsewhere(arguments) {
                    self.needed.is_open = true;
                }
            }
            "docker" | "podman" | "nerdctl" | "buildah" | "skopeo" | "crane" | "oras" | "helm" | "ko" | "regctl" => {
                if has("push")
                    || has("--push")
                    || has("copy")
                    || has("cp")
                    || has("buildx")
                    || has("publish")
                    || has("tag")
                    || program == "ko"
                {
                    self.may(PACKAGES);
                }
                self.needed.is_open |=
                    own && (has("run") || has("exec")) && arguments.iter().any(|word| word.contains("TOKEN"));
            }
            "cosign" => {
                let signs = ["sign", "sign-blob", "attest", "attest-blob"].iter().any(|word| has(word));
                let has_key =
                    arguments.iter().any(|word| word.starts_with("--key") || word.starts_with("--identity-token"));
                if signs && has_key {
                    self.may(PACKAGES);
                } else if signs {
                    self.needs(ID_TOKEN, "cosign");
                    self.may(PACKAGES);
                }
            }
            _ if PLAIN.iter().any(|plain| program.eq_ignore_ascii_case(plain)) => {}
            _ if own => self.needed.is_open = true,
            _ => self.opaque(program, written, arguments),
        }
    }

    /// A program that may do anything, without a token in its hands.
    fn opaque(&mut self, program: &str, written: &str, arguments: &[&str]) {
        let says = |words: &[&str]| {
            let is_one = |part: &str| words.iter().any(|word| part.eq_ignore_ascii_case(word));
            arguments
                .iter()
                .chain([&written])
                .any(|word| word.split([':', '/', '-', '_', '.']).any(is_one) || is_one(word))
        };
        if says(PUBLISHES) {
            self.may(CONTENTS);
            self.may(ID_TOKEN);
            self.may(PACKAGES);
            return;
        }
        let is_script = written.contains('/') || is_interpreter(program);
        if is_script && !says(BUILDS) && !(program == "make" && arguments.is_empty()) {
            self.may(CONTENTS);
            self.may(ID_TOKEN);
        }
    }

    fn gh(&mut self, arguments: &[&str], token: Token) {
        let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
        let (Some(&area), Some(&verb)) = (words.next(), words.next()) else { return };
        let is_elsewhere = arguments.windows(2).any(|pair| {
            matches!(pair, [flag, repository] if matches!(*flag, "-R" | "--repo") && !repository.contains(['$', '{']))
        });
        let token = if is_elsewhere { Token::Either } else { token };
        let what = format!("gh {area} {verb}");
        let any_of: &[&'static [Grant]] = match (area, verb) {
            ("api", _) => {
                if !self.api(arguments, token, "gh api") {
                    self.needed.is_open = true;
                }
                return;
            }
            ("pr", "comment") => &[EITHER],
            ("pr", "merge") => &[PULL_REQUESTS, CONTENTS],
            ("pr", "view" | "list" | "diff" | "status" | "checkout") => &[PULL_REQUESTS_READ],
            ("pr", "checks") => &[PULL_REQUESTS_READ, CHECKS_READ],
            ("pr", _) => &[PULL_REQUESTS],
            ("issue", "comment") => &[EITHER],
            ("issue", "view" | "list" | "status") => &[ISSUES_READ],
            ("issue", "edit") => &[EITHER],
            ("issue", _) => &[ISSUES],
            ("release", "view" | "list" | "download" | "verify" | "verify-asset") => &[CONTENTS_READ],
            ("release", _) => &[CONTENTS],
            ("run", "rerun" | "cancel" | "delete")
            | ("workflow", "run" | "enable" | "disable")
            | ("cache", "delete") => &[ACTIONS],
            ("run" | "workflow" | "cache", _) => &[ACTIONS_READ],
            ("label", "list") => &[EITHER_READ],
            ("label", _) => &[EITHER],
            ("attestation" | "at", _) => &[ATTESTATIONS_READ],
            ("repo", "view" | "clone" | "list" | "set-default" | "sync") => &[CONTENTS_READ],
            ("auth" | "config" | "extension" | "extensions" | "ext" | "search" | "alias" | "version" | "help", _) => {
                &[]
            }
            _ => {
                self.needed.is_open = true;
                return;
            }
        };
        for &any_of in any_of {
            let writes = any_of.iter().any(|(_, access)| *access == Access::Write);
            self.with_token(token, any_of, &what, writes);
        }
    }

    /// A call of the forge's API, by its path; gives false where that says nothing.
    fn api(&mut self, arguments: &[&str], token: Token, what: &str) -> bool {
        let method = arguments.iter().enumerate().find_map(|(at, word)| match *word {
            "-X" | "--method" | "--request" | "-Method" => arguments.get(at + 1).copied(),
            _ => word
                .strip_prefix("-X")
                .or_else(|| word.strip_prefix("--method="))
                .or_else(|| word.strip_prefix("--request=")),
        });
        let sends = |word: &&str| {
            matches!(
                *word,
                "-f" | "-F"
                    | "--field"
                    | "--raw-field"
                    | "--input"
                    | "-d"
                    | "--data"
                    | "--data-raw"
                    | "--data-binary"
                    | "-Body"
            )
        };
        let writes = match method {
            Some(method) => !matches!(method.trim_matches(['"', '\'']), "GET" | "HEAD" | "Get"),
            None => arguments.iter().any(sends),
        };
        let Some(path) = arguments.iter().find(|word| word.contains("repos/")) else { return false };
        match of_path(path, writes) {
            Some([]) => true,
            Some(any_of) => {
                self.with_token(token, any_of, what, writes && method.is_some());
                true
            }
            None => false,
        }
    }
}

/// Adds what a script of `actions/github-script` needs; gives false where it does what cannot be followed.
pub(super) fn writes_of_script(reader: &mut Reader<'_, '_>, script: &str, token: Token) -> bool {
    if token == Token::Other {
        return false;
    }
    const ESCAPES: &[&str] = &[
        "require(",
        "import(",
        "github,",
        "github }",
        "github)",
        ".request(",
        "octokit",
        "getOctokit",
        "exec.",
        "fetch(",
        "getIDToken",
    ];
    if ESCAPES.iter().any(|escape| script.contains(escape))
        || (script.contains("graphql") && script.contains("mutation"))
    {
        return false;
    }
    // What fails in a `try` is meant to.
    let fails = !script.contains("catch");
    let mut rest = script;
    while let Some(at) = rest.find("github.") {
        rest = rest.get(at + "github.".len()..).unwrap_or_default();
        let mut names = rest
            .split(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '.')
            .next()
            .unwrap_or_default()
            .split('.');
        let mut area = names.next().unwrap_or_default();
        if area == "rest" {
            area = names.next().unwrap_or_default();
        }
        let Some(method) = names.next() else { continue };
        match of_method(area, method) {
            Some(all) => {
                for &any_of in all {
                    let writes = any_of.iter().any(|(_, access)| *access == Access::Write);
                    reader.with_token(token, any_of, &format!("github.rest.{area}.{method}"), fails && writes);
                }
            }
            None => return false,
        }
    }
    true
}

/// The scopes of one method of the API's client; none for one that is not known.
fn of_method(area: &str, method: &str) -> Option<&'static [&'static [Grant]]> {
    let reads = ["get", "list", "check", "compare", "download", "search", "endpoint"]
        .iter()
        .any(|verb| method.starts_with(verb));
    Some(match (area, method) {
        ("issues", "create") => &[ISSUES],
        ("issues", _) if reads => &[EITHER_READ],
        ("issues" | "reactions", _) => &[EITHER],
        ("pulls", "merge") => &[PULL_REQUESTS, CONTENTS],
        ("pulls", _) if reads => &[PULL_REQUESTS_READ],
        ("pulls", _) => &[PULL_REQUESTS],
        ("repos", "createCommitStatus") => &[STATUSES],
        ("repos", "createDeployment" | "createDeploymentStatus" | "deleteDeployment") => &[DEPLOYMENTS],
        ("repos", "listDeployments" | "getDeployment" | "listDeploymentStatuses") => &[DEPLOYMENTS_READ],
        ("repos", "getCombinedStatusForRef" | "listCommitStatusesForRef") => &[STATUSES_READ],
        ("repos" | "git", _) if reads => &[CONTENTS_READ],
        ("git", _) => &[CONTENTS],
        ("repos", method)
            if method.contains("Release")
                || method.contains("FileContents")
                || matches!(method, "merge" | "createDispatchEvent" | "deleteFile") =>
        {
            &[CONTENTS]
        }
        ("checks", _) if reads => &[CHECKS_READ],
        ("checks", _) => &[CHECKS],
        ("actions", _) if reads => &[ACTIONS_READ],
        ("actions", _) => &[ACTIONS],
        ("codeScanning", _) if reads => &[SECURITY_READ],
        ("codeScanning", _) => &[SECURITY],
        (
            "users" | "orgs" | "teams" | "search" | "rateLimit" | "meta" | "markdown" | "com" | "event" | "context"
            | "api_url",
            _,
        ) => &[],
        _ => return None,
    })
}

/// The scopes of a path of the API: an empty list for one that needs none, nothing for one that is not known.
fn of_path(path: &str, writes: bool) -> Option<&'static [Grant]> {
    let (_, behind) = path.split_once("repos/")?;
    let pick = |write: &'static [Grant], read: &'static [Grant]| Some(if writes { write } else { read });
    for segment in behind.split(['/', '?', '"', '\'', ' ']) {
        return match segment {
            "issues" | "labels" | "milestones" => pick(EITHER, EITHER_READ),
            "pulls" => pick(PULL_REQUESTS, PULL_REQUESTS_READ),
            "releases" | "contents" | "git" | "dispatches" | "merges" | "commits" | "branches" | "tags" | "compare"
            | "dependency-graph" => pick(CONTENTS, CONTENTS_READ),
            "statuses" => pick(STATUSES, STATUSES_READ),
            "check-runs" | "check-suites" => pick(CHECKS, CHECKS_READ),
            "deployments" => pick(DEPLOYMENTS, DEPLOYMENTS_READ),
            "actions" => pick(ACTIONS, ACTIONS_READ),
            "code-scanning" => pick(SECURITY, SECURITY_READ),
            "pages" => pick(PAGES, PAGES_READ),
            _ => continue,
        };
    }
    None
}

/// Whether a download goes to another place than the forge.
fn reads_elsewhere(arguments: &[&str]) -> bool {
    let speaks_of_token = arguments.iter().any(|word| word.contains("TOKEN") || word.contains("token"));
    let speaks_of_forge = arguments
        .iter()
        .any(|word| word.contains("api.github") || word.contains("API_URL") || word.contains("api_url"));
    !speaks_of_token && !speaks_of_forge
}

fn is_interpreter(program: &str) -> bool {
    const NAMES: &[&str] = &[
        "python",
        "python3",
        "node",
        "npm",
        "npx",
        "yarn",
        "pnpm",
        "bun",
        "bunx",
        "deno",
        "make",
        "just",
        "task",
        "cargo",
        "go",
        "ruby",
        "rake",
        "bundle",
        "perl",
        "bash",
        "sh",
        "source",
        ".",
        "nix",
        "bazel",
        "gradle",
        "mvn",
        "dotnet",
        "php",
        "composer",
        "uv",
        "uvx",
        "poetry",
        "hatch",
        "tox",
        "nox",
        "pwsh",
        "earthly",
        "mise",
        "pulumi",
        "terraform",
        "vault",
        "aws",
        "gcloud",
        "az",
        "semantic-release",
        "goreleaser",
        "twine",
        "pipx",
        "hub",
        "flyctl",
        "spacectl",
    ];
    NAMES.contains(&program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_api_has_its_scope() {
        assert_eq!(of_path("/repos/$REPO/issues/1/comments", true), Some(EITHER));
        assert_eq!(of_path("repos/{owner}/{repo}/releases", false), Some(CONTENTS_READ));
        assert_eq!(of_path("https://api.github.com/repos/${{ github.repository }}/statuses/1", true), Some(STATUSES));
        assert_eq!(of_path("repos/a/b/something", true), None);
    }
}
