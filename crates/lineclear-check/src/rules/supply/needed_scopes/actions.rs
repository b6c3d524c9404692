//! What much used actions do with the job's token.
//!
//! Taken from their own pages and metadata. What is in no list is unknown, and then nothing in the job is called superfluous.

use lineclear_source::Spanned;
use lineclear_workflow::{Access, Text};

use super::commands::writes_of_script;
use super::token::{self, Surroundings, Token};
use super::{Grant, Reader};

/// One use of an action.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// `owner/repo[/path]`.
    pub name: &'a str,
    pub with: &'a [(Spanned<String>, Text)],
    pub around: &'a Surroundings,
}

const READ: Access = Access::Read;
const WRITE: Access = Access::Write;
const CONTENTS: &[Grant] = &[("contents", WRITE)];
const CONTENTS_READ: &[Grant] = &[("contents", READ)];
const PULL_REQUESTS: &[Grant] = &[("pull-requests", WRITE)];
const PULL_REQUESTS_READ: &[Grant] = &[("pull-requests", READ)];
const ISSUES: &[Grant] = &[("issues", WRITE)];
const EITHER: &[Grant] = &[("pull-requests", WRITE), ("issues", WRITE)];
const EITHER_READ: &[Grant] = &[("pull-requests", READ), ("issues", READ)];
const SARIF: &[Grant] = &[("security-events", WRITE)];
const ID_TOKEN: &[Grant] = &[("id-token", WRITE)];
const ATTESTATIONS: &[Grant] = &[("attestations", WRITE)];
const PACKAGES: &[Grant] = &[("packages", WRITE)];
const PACKAGES_READ: &[Grant] = &[("packages", READ)];
const PAGES: &[Grant] = &[("pages", WRITE)];
const PAGES_READ: &[Grant] = &[("pages", READ)];
const CHECKS: &[Grant] = &[("checks", WRITE)];
const ACTIONS: &[Grant] = &[("actions", WRITE)];
const ACTIONS_READ: &[Grant] = &[("actions", READ)];
const DEPLOYMENTS: &[Grant] = &[("deployments", WRITE)];
const STATUSES: &[Grant] = &[("statuses", WRITE)];
const MODELS: &[Grant] = &[("models", READ)];

/// What an action needs whatever its inputs are, by its name in small letters: what it fails without, and what it may use beside that.
type Fixed = (&'static str, &'static [&'static [Grant]], &'static [&'static [Grant]]);

/// Sorted by name.
const FIXED: &[Fixed] = &[
    ("actions/ai-inference", &[MODELS], &[]),
    ("actions/attest", &[ID_TOKEN, ATTESTATIONS], &[PACKAGES, &[("artifact-metadata", WRITE)]]),
    ("actions/attest-build-provenance", &[ID_TOKEN, ATTESTATIONS], &[PACKAGES, &[("artifact-metadata", WRITE)]]),
    ("actions/attest-sbom", &[ID_TOKEN, ATTESTATIONS], &[PACKAGES, &[("artifact-metadata", WRITE)]]),
    ("actions/configure-pages", &[], &[PAGES_READ, PAGES]),
    ("actions/create-release", &[CONTENTS], &[]),
    ("actions/delete-package-versions", &[PACKAGES], &[]),
    ("actions/deploy-pages", &[PAGES, ID_TOKEN], &[]),
    ("actions/first-interaction", &[EITHER], &[]),
    ("actions/labeler", &[PULL_REQUESTS], &[CONTENTS_READ, ISSUES]),
    ("actions/publish-action", &[CONTENTS], &[]),
    ("actions/publish-immutable-action", &[PACKAGES, ID_TOKEN], &[CONTENTS_READ]),
    ("actions/stale", &[EITHER], &[ISSUES, PULL_REQUESTS, CONTENTS, ACTIONS]),
    ("actions/upload-release-asset", &[CONTENTS], &[]),
    ("ad-m/github-push-action", &[CONTENTS], &[]),
    ("advanced-security/maven-dependency-submission-action", &[CONTENTS], &[]),
    ("amannn/action-semantic-pull-request", &[], &[PULL_REQUESTS_READ, STATUSES]),
    ("anchore/sbom-action", &[], &[CONTENTS, ACTIONS_READ]),
    ("azure/artifact-signing-action", &[], &[ID_TOKEN]),
    ("azure/static-web-apps-deploy", &[], &[PULL_REQUESTS, ID_TOKEN, ISSUES]),
    ("azure/trusted-signing-action", &[], &[ID_TOKEN]),
    ("bobheadxi/deployments", &[DEPLOYMENTS], &[]),
    ("changesets/action", &[CONTENTS, PULL_REQUESTS], &[ID_TOKEN, ISSUES, PACKAGES]),
    ("chrnorm/deployment-action", &[DEPLOYMENTS], &[]),
    ("chrnorm/deployment-status", &[DEPLOYMENTS], &[]),
    ("cloudflare/wrangler-action", &[], &[DEPLOYMENTS]),
    ("codecov/codecov-action", &[], &[ID_TOKEN]),
    ("codspeedhq/action", &[], &[ID_TOKEN]),
    ("crazy-max/ghaction-github-labeler", &[EITHER], &[CONTENTS_READ]),
    ("dependabot/fetch-metadata", &[], &[PULL_REQUESTS_READ, CONTENTS_READ]),
    ("depot/build-push-action", &[], &[ID_TOKEN, PACKAGES]),
    ("depot/setup-action", &[], &[ID_TOKEN]),
    ("dessant/lock-threads", &[EITHER], &[ISSUES, PULL_REQUESTS, &[("discussions", WRITE)]]),
    ("determinatesystems/magic-nix-cache-action", &[], &[ID_TOKEN]),
    ("determinatesystems/nix-installer-action", &[], &[ID_TOKEN]),
    ("dorny/paths-filter", &[], &[PULL_REQUESTS_READ, CONTENTS_READ]),
    ("dorny/test-reporter", &[], &[CHECKS, ACTIONS_READ, CONTENTS_READ]),
    ("endbug/add-and-commit", &[], &[CONTENTS, ACTIONS]),
    ("enricomi/publish-unit-test-result-action", &[], &[CHECKS, PULL_REQUESTS, CONTENTS_READ]),
    ("firebaseextended/action-hosting-deploy", &[], &[CHECKS, PULL_REQUESTS]),
    ("fkirc/skip-duplicate-actions", &[], &[ACTIONS]),
    ("github/codeql-action/autobuild", &[], &[ACTIONS_READ, CONTENTS_READ]),
    ("github/codeql-action/init", &[], &[ACTIONS_READ, CONTENTS_READ, PACKAGES_READ, SARIF]),
    ("github/issue-labeler", &[ISSUES], &[CONTENTS_READ]),
    ("golangci/golangci-lint-action", &[], &[PULL_REQUESTS_READ, CHECKS]),
    ("google-github-actions/release-please-action", &[], &[CONTENTS, PULL_REQUESTS, ISSUES]),
    ("googleapis/release-please-action", &[CONTENTS, PULL_REQUESTS], &[ISSUES]),
    ("goreleaser/goreleaser-action", &[], &[CONTENTS, PACKAGES, ID_TOKEN, ISSUES, ATTESTATIONS]),
    ("gradle/actions/dependency-submission", &[CONTENTS], &[]),
    ("gradle/actions/setup-gradle", &[], &[CONTENTS, PULL_REQUESTS]),
    ("helm/chart-releaser-action", &[], &[CONTENTS, PACKAGES, PAGES]),
    ("hmarr/auto-approve-action", &[PULL_REQUESTS], &[]),
    ("jamesives/github-pages-deploy-action", &[CONTENTS], &[]),
    ("js-devtools/npm-publish", &[], &[ID_TOKEN, PACKAGES]),
    ("lineclear/promote", &[PACKAGES], &[]),
    ("lineclear/publish", &[PACKAGES], &[]),
    ("marocchino/sticky-pull-request-comment", &[PULL_REQUESTS], &[]),
    ("marvinpinto/action-automatic-releases", &[CONTENTS], &[]),
    ("mikepenz/action-junit-report", &[], &[CHECKS, PULL_REQUESTS]),
    ("mshick/add-pr-comment", &[EITHER], &[]),
    ("ncipollo/release-action", &[CONTENTS], &[&[("discussions", WRITE)]]),
    ("nuget/login", &[ID_TOKEN], &[]),
    ("ossf/scorecard-action", &[], &[ID_TOKEN, ACTIONS_READ, CONTENTS_READ, EITHER_READ, &[("checks", READ)], SARIF]),
    ("peaceiris/actions-gh-pages", &[], &[CONTENTS]),
    ("peter-evans/close-pull", &[PULL_REQUESTS], &[CONTENTS]),
    ("peter-evans/create-issue-from-file", &[ISSUES], &[]),
    ("peter-evans/create-or-update-comment", &[EITHER], &[]),
    ("peter-evans/create-pull-request", &[CONTENTS, PULL_REQUESTS], &[ISSUES]),
    ("peter-evans/enable-pull-request-automerge", &[PULL_REQUESTS, CONTENTS], &[]),
    ("peter-evans/find-comment", &[], &[EITHER_READ]),
    ("peter-evans/repository-dispatch", &[CONTENTS], &[]),
    ("release-drafter/release-drafter", &[CONTENTS], &[PULL_REQUESTS]),
    ("rubygems/configure-rubygems-credentials", &[ID_TOKEN], &[]),
    ("rubygems/release-gem", &[ID_TOKEN, CONTENTS], &[]),
    ("rust-lang/crates-io-auth-action", &[ID_TOKEN], &[]),
    ("rustsec/audit-check", &[], &[CHECKS, ISSUES]),
    ("scalacenter/sbt-dependency-submission", &[CONTENTS], &[]),
    ("sigstore/gh-action-sigstore-python", &[ID_TOKEN], &[CONTENTS]),
    ("softprops/action-gh-release", &[CONTENTS], &[&[("discussions", WRITE)]]),
    ("stefanzweifel/git-auto-commit-action", &[], &[CONTENTS]),
    ("styfle/cancel-workflow-action", &[ACTIONS], &[]),
    ("svenstaro/upload-release-action", &[CONTENTS], &[]),
    ("thollander/actions-comment-pull-request", &[EITHER], &[]),
    ("tj-actions/changed-files", &[], &[PULL_REQUESTS_READ, CONTENTS_READ]),
    ("uraimo/run-on-arch-action", &[], &[PACKAGES]),
    ("wagoid/commitlint-github-action", &[], &[PULL_REQUESTS_READ, CONTENTS_READ]),
];

/// Actions that do nothing with the token but read what everybody may read. Those called `setup-…` need not be listed. Sorted by name.
const HARMLESS: &[&str] = &[
    "8398a7/action-slack",
    "actions-rs/toolchain",
    "actions/cache",
    "actions/cache/restore",
    "actions/cache/save",
    "actions/create-github-app-token",
    "actions/jekyll-build-pages",
    "actions/upload-artifact",
    "actions/upload-artifact/merge",
    "actions/upload-pages-artifact",
    "aliyun/ack-set-context",
    "aliyun/acr-login",
    "amazon-ecr-login",
    "anchore/scan-action",
    "aquasecurity/trivy-action",
    "aws-actions/amazon-ecr-login",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "aws-actions/amazon-ecs-render-task-definition",
    "azure/aks-set-context",
    "azure/cli",
    "azure/docker-login",
    "azure/functions-action",
    "azure/k8s-bake",
    "azure/use-kubelogin",
    "azure/webapps-deploy",
    "browser-actions/setup-chrome",
    "bufbuild/buf-lint-action",
    "cachix/cachix-action",
    "cachix/install-nix-action",
    "cargo-bins/cargo-binstall",
    "codespell-project/actions-codespell",
    "conda-incubator/setup-miniconda",
    "crate-ci/typos",
    "cypress-io/github-action",
    "docker/metadata-action",
    "dsherret/rust-toolchain-file",
    "dtolnay/install",
    "dtolnay/rust-toolchain",
    "embarkstudios/cargo-deny-action",
    "fregante/setup-git-user",
    "google-github-actions/deploy-cloudrun",
    "google-github-actions/get-gke-credentials",
    "gradle/actions/wrapper-validation",
    "gradle/wrapper-validation-action",
    "hadolint/hadolint-action",
    "helm/chart-testing-action",
    "helm/kind-action",
    "hynek/build-and-inspect-python-package",
    "ibiqlik/action-yamllint",
    "jetli/wasm-bindgen-action",
    "jetli/wasm-pack-action",
    "jlumbroso/free-disk-space",
    "jwlawson/actions-setup-cmake",
    "leafo/gh-actions-lua",
    "ludeeus/action-shellcheck",
    "mamba-org/setup-micromamba",
    "mozilla-actions/sccache-action",
    "msys2/setup-msys2",
    "mxschmitt/action-tmate",
    "nick-fields/retry",
    "obi1kenobi/cargo-semver-checks-action",
    "pnpm/action-setup",
    "pre-commit/action",
    "pyo3/maturin-action",
    "pypa/cibuildwheel",
    "r-lib/actions/setup-r",
    "r-lib/actions/setup-r-dependencies",
    "re-actors/alls-green",
    "samuelmeuli/action-snapcraft",
    "shogo82148/actions-setup-perl",
    "sigstore/cosign-installer",
    "slackapi/slack-github-action",
    "sonarsource/sonarcloud-github-action",
    "sonarsource/sonarqube-scan-action",
    "swatinem/rust-cache",
    "taiki-e/cache-cargo-install-action",
    "taiki-e/install-action",
    "test-summary/action",
    "tibdex/github-app-token",
    "vmactions/freebsd-vm",
    "webfactory/ssh-agent",
];

/// Inputs that hold a token, by the names that actions have for them.
const TOKEN_INPUTS: &[&str] =
    &["token", "github-token", "github_token", "githubtoken", "repo-token", "repo_token", "gh_token", "gh-token"];

/// Adds what the action needs; gives false if nothing is known of it.
pub(super) fn read(reader: &mut Reader<'_, '_>, call: &Call<'_>) -> bool {
    let name = call.name.to_ascii_lowercase();
    if by_inputs(reader, call, &name) {
        return true;
    }
    if let Ok(at) = FIXED.binary_search_by_key(&name.as_str(), |(known, ..)| known) {
        let token = call.token();
        if let Some((_, needs, may)) = FIXED.get(at) {
            for &any_of in *needs {
                // An identity token is asked for by the machine's own key, whatever token was given.
                let token = if any_of == ID_TOKEN { Token::Own } else { token };
                reader.with_token(token, any_of, call.name, true);
            }
            may.iter().for_each(|grants| reader.may(grants));
        }
        return true;
    }
    let repository = name.split('/').nth(1).unwrap_or_default();
    HARMLESS.binary_search(&name.as_str()).is_ok() || (repository.starts_with("setup-") && name.split('/').count() == 2)
}

/// Actions whose inputs decide.
fn by_inputs(reader: &mut Reader<'_, '_>, call: &Call<'_>, name: &str) -> bool {
    let shown = call.name;
    match name {
        "actions/checkout" => {
            let token = call.token();
            let is_other = call.has("repository") || token == Token::Other || call.has("ssh-key") || call.has("path");
            if !call.has("repository") && token != Token::Other {
                reader.wants(CONTENTS_READ, shown);
            }
            if !is_other && !call.is_literally("persist-credentials", "false") {
                reader.keeps_login = true;
            }
        }
        "actions/download-artifact" => {
            if call.has("run-id") || call.has("github-token") {
                reader.with_token(call.token(), ACTIONS_READ, shown, false);
            }
        }
        "actions/github-script" => {
            let script = call.input("script").map_or("", Text::raw);
            let token = call.token();
            if writes_of_script(reader, script, token) {
                return true;
            }
            reader.needed.is_open |= matches!(token, Token::Own | Token::Either);
            if script.contains("getIDToken") {
                reader.needs(ID_TOKEN, "core.getIDToken");
            } else if token == Token::Other {
                reader.may(ID_TOKEN);
            }
        }
        "actions/dependency-review-action" => {
            reader.wants(CONTENTS_READ, shown);
            if call.has("comment-summary-in-pr") && !call.is_literally("comment-summary-in-pr", "never") {
                reader.may(PULL_REQUESTS);
            }
        }
        "github/codeql-action/upload-sarif" => reader.with_token(call.token(), SARIF, shown, true),
        "github/codeql-action/analyze" => {
            reader.may(&[("actions", READ), ("contents", READ)]);
            let uploads = ["false", "never"].iter().all(|value| !call.is_literally("upload", value));
            if uploads {
                reader.with_token(call.token(), SARIF, shown, true);
            } else {
                reader.may(SARIF);
            }
        }
        "zizmorcore/zizmor-action" => {
            reader.may(&[("actions", READ), ("contents", READ)]);
            if call.has("advanced-security") {
                reader.may(if call.is_literally("advanced-security", "false") { &[] } else { SARIF });
            } else {
                reader.wants(SARIF, shown);
            }
        }
        "docker/login-action" | "redhat-actions/podman-login" => {
            let is_own = call.input("password").is_some_and(|password| token::of_text(password.raw()) != Token::Other);
            if is_own && call.speaks_of("registry", "ghcr.io") {
                reader.may(PACKAGES);
            }
        }
        "docker/build-push-action" | "docker/bake-action" => {
            let may_push = ["push", "outputs", "set", "files", "targets"].iter().any(|input| call.has(input));
            if may_push && !call.is_literally("push", "false") {
                reader.may(PACKAGES);
            }
        }
        "redhat-actions/push-to-registry" if call.speaks_of("registry", "ghcr.io") => reader.may(PACKAGES),
        "redhat-actions/push-to-registry" | "redhat-actions/buildah-build" => {}
        "aws-actions/configure-aws-credentials" => {
            let has_other =
                ["aws-access-key-id", "web-identity-token-file", "role-chaining"].iter().any(|input| call.has(input));
            match (call.has("role-to-assume"), has_other) {
                (true, false) => reader.needs(ID_TOKEN, shown),
                (_, true) => {}
                (false, false) => reader.may(ID_TOKEN),
            }
        }
        "google-github-actions/auth" => {
            if call.has("workload_identity_provider") {
                if call.has("credentials_json") { reader.may(ID_TOKEN) } else { reader.needs(ID_TOKEN, shown) }
            }
        }
        "azure/login" => {
            if !call.has("creds") {
                reader.may(ID_TOKEN);
            }
        }
        "hashicorp/vault-action" => {
            if call.is_literally("method", "jwt") {
                reader.wants(ID_TOKEN, shown)
            } else {
                reader.may(ID_TOKEN)
            }
        }
        "pypa/gh-action-pypi-publish" => {
            if call.has("password") {
                reader.may(ID_TOKEN)
            } else {
                reader.needs(ID_TOKEN, shown)
            }
        }
        "jfrog/setup-jfrog-cli" => reader.may(if call.has("oidc-provider-name") { ID_TOKEN } else { &[] }),
        "actions/setup-node" | "actions/setup-java" | "actions/setup-dotnet" => {
            let is_own = ["registry-url", "source-url"].iter().any(|input| call.speaks_of(input, "pkg.github.com"));
            reader.may(if is_own { PACKAGES_READ } else { &[] });
        }
        _ => return false,
    }
    true
}

impl Call<'_> {
    fn input(&self, name: &str) -> Option<&Text> {
        crate::uses::input(self.with, name)
    }

    fn has(&self, name: &str) -> bool {
        self.input(name).is_some_and(|value| !value.raw().trim().is_empty())
    }

    fn is_literally(&self, name: &str, value: &str) -> bool {
        self.input(name).is_some_and(|text| text.raw().trim().eq_ignore_ascii_case(value))
    }

    fn speaks_of(&self, name: &str, part: &str) -> bool {
        self.input(name).is_some_and(|text| text.raw().contains(part) || text.raw().contains("${{"))
    }

    /// The token that it works with: that of its input, that of the environment, or the job's own, which is the default.
    fn token(&self) -> Token {
        let given = TOKEN_INPUTS.iter().find_map(|name| self.input(name)).map(|value| token::of_text(value.raw()));
        match (given, self.around.gh) {
            (Some(Token::None) | None, Token::Other) => Token::Either,
            (Some(Token::None) | None, _) => Token::Own,
            (Some(token), _) => token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_in_small_letters() {
        assert!(FIXED.is_sorted_by_key(|(name, ..)| *name));
        assert!(HARMLESS.is_sorted());
        let names = FIXED.iter().map(|(name, ..)| *name).chain(HARMLESS.iter().copied());
        names.for_each(|name| assert_eq!(name, name.to_ascii_lowercase()));
    }
}
