//! What actions do.

use lineclear_expr::Template;
use lineclear_source::Spanned;
use lineclear_workflow::{ActionRef, Text};

use super::Deed;
use crate::uses::{action_name, input};

/// Actions by the beginning of their names, in lower case.
static ACTIONS: &[(&str, Deed)] = &[
    ("docker/login-action", Deed::Login),
    ("redhat-actions/podman-login", Deed::Login),
    ("azure/docker-login", Deed::Login),
    ("aws-actions/amazon-ecr-login", Deed::Login),
    ("aliyun/acr-login", Deed::Login),
    ("redhat-actions/push-to-registry", Deed::PushImage),
    ("elgohr/publish-docker-github-action", Deed::PushImage),
    ("macbre/push-to-ghcr", Deed::PushImage),
    ("mr-smithers-excellent/docker-build-push", Deed::PushImage),
    ("redhat-actions/buildah-build", Deed::BuildImage),
    ("pypa/gh-action-pypi-publish", Deed::PublishPackage),
    ("js-devtools/npm-publish", Deed::PublishPackage),
    ("rubygems/release-gem", Deed::PublishPackage),
    ("katyo/publish-crates", Deed::PublishPackage),
    ("hashicorp/ghaction-terraform-provider-release", Deed::PublishPackage),
    ("haaleo/publish-vscode-extension", Deed::PublishPackage),
    ("softprops/action-gh-release", Deed::Release),
    ("ncipollo/release-action", Deed::Release),
    ("actions/create-release", Deed::Release),
    ("actions/upload-release-asset", Deed::Release),
    ("svenstaro/upload-release-action", Deed::Release),
    ("marvinpinto/action-automatic-releases", Deed::Release),
    ("cycjimmy/semantic-release-action", Deed::Release),
    ("helm/chart-releaser-action", Deed::Release),
    ("taiki-e/upload-rust-binary-action", Deed::Release),
    ("sigstore/gh-action-sigstore-python", Deed::Sign),
    ("actions/attest-sbom", Deed::Sbom),
    ("actions/attest", Deed::Attest),
    ("anchore/sbom-action", Deed::Sbom),
    ("cyclonedx/", Deed::Sbom),
    ("aquasecurity/trivy-action", Deed::Scan),
    ("anchore/scan-action", Deed::Scan),
    ("snyk/actions", Deed::Scan),
    ("docker/scout-action", Deed::Scan),
    ("pypa/gh-action-pip-audit", Deed::Scan),
    ("pycqa/bandit-action", Deed::Scan),
    ("bridgecrewio/checkov-action", Deed::Scan),
    ("returntocorp/semgrep-action", Deed::Scan),
    ("semgrep/semgrep-action", Deed::Scan),
    ("gitleaks/gitleaks-action", Deed::Scan),
    ("trufflesecurity/trufflehog", Deed::Scan),
    ("google/osv-scanner-action", Deed::Scan),
    ("actions/dependency-review-action", Deed::Scan),
    ("rustsec/audit-check", Deed::Scan),
    ("actions-rust-lang/audit", Deed::Scan),
    ("embarkstudios/cargo-deny-action", Deed::Scan),
    ("aquasecurity/tfsec-action", Deed::Scan),
    ("sysdiglabs/scan-action", Deed::Scan),
    ("golang/govulncheck-action", Deed::Scan),
    ("golangci/golangci-lint-action", Deed::Lint),
    ("pre-commit/action", Deed::Lint),
    ("github/super-linter", Deed::Lint),
    ("super-linter/super-linter", Deed::Lint),
    ("hadolint/hadolint-action", Deed::Lint),
    ("astral-sh/ruff-action", Deed::Lint),
    ("cypress-io/github-action", Deed::Test),
    ("re-actors/alls-green", Deed::Test),
    ("actions/deploy-pages", Deed::DeployPages),
    ("peaceiris/actions-gh-pages", Deed::DeployPages),
    ("jamesives/github-pages-deploy-action", Deed::DeployPages),
    ("crazy-max/ghaction-github-pages", Deed::DeployPages),
    ("azure/webapps-deploy", Deed::Deploy),
    ("azure/functions-action", Deed::Deploy),
    ("azure/k8s-deploy", Deed::Deploy),
    ("azure/static-web-apps-deploy", Deed::Deploy),
    ("azure/container-apps-deploy-action", Deed::Deploy),
    ("aws-actions/amazon-ecs-deploy-task-definition", Deed::Deploy),
    ("aws-actions/aws-cloudformation-github-deploy", Deed::Deploy),
    ("google-github-actions/deploy-", Deed::Deploy),
    ("cloudflare/wrangler-action", Deed::Deploy),
    ("amondnet/vercel-action", Deed::Deploy),
    ("nwtgck/actions-netlify", Deed::Deploy),
    ("firebaseextended/action-hosting-deploy", Deed::Deploy),
    ("akhileshns/heroku-deploy", Deed::Deploy),
    ("digitalocean/app_action", Deed::Deploy),
    ("octopusdeploy/deploy-release-action", Deed::Deploy),
    ("redhat-actions/oc-new-app", Deed::Deploy),
    ("appleboy/ssh-action", Deed::Deploy),
    ("burnett01/rsync-deployments", Deed::Deploy),
    ("easingthemes/ssh-deploy", Deed::Deploy),
    ("jtalk/url-health-check-action", Deed::HealthCheck),
];

/// What an action does, and whether only where an input says so that is an expression.
pub(super) fn of_action(uses: &ActionRef, with: &[(Spanned<String>, Text)]) -> Option<(Deed, bool)> {
    let name = action_name(uses)?;
    let word = |key: &str| input(with, key).map(Text::raw);
    match name.as_str() {
        "docker/build-push-action" | "docker/bake-action" | "depot/build-push-action" | "depot/bake-action" => {
            let outputs = word("outputs").unwrap_or_default();
            let push = input(with, "push");
            // A registry inside of the job, or one that forgets, is no publication.
            if ["localhost", "127.0.0.1", "ttl.sh"].iter().any(|host| word("tags").unwrap_or(outputs).contains(host)) {
                return Some((Deed::BuildImage, false));
            }
            return Some(match push {
                Some(push) if !matches!(push.template, Template::Literal(_)) => (Deed::PushImage, true),
                Some(push) if push.raw() == "true" => (Deed::PushImage, false),
                _ if outputs.contains("push=true") || outputs.contains("type=registry") => (Deed::PushImage, false),
                _ if word("set").is_some_and(|set| set.contains("push=true")) => (Deed::PushImage, false),
                _ => (Deed::BuildImage, false),
            });
        }
        "goreleaser/goreleaser-action" => {
            let args = input(with, "args");
            let text = args.map(Text::raw).unwrap_or_default();
            let is_release = text.contains("release")
                && !["--snapshot", "--skip=publish", "--skip-publish"].iter().any(|flag| text.contains(flag));
            return is_release.then_some((Deed::Release, text.contains("${{")));
        }
        "changesets/action" => return word("publish").map(|_| (Deed::PublishPackage, false)),
        "pypa/gh-action-pypi-publish" if word("repository-url").is_some_and(|url| url.contains("test.pypi")) => {
            return None;
        }
        "release-plz/action" if word("command") != Some("release-pr") => return Some((Deed::PublishPackage, false)),
        "tauri-apps/tauri-action" => {
            let releases = ["tagName", "releaseId"].iter().any(|key| word(key).is_some_and(|value| !value.is_empty()));
            return releases.then_some((Deed::Release, false));
        }
        "azure/static-web-apps-deploy" if word("action") == Some("close") => return None,
        _ => {}
    }
    let found = ACTIONS.iter().find(|(start, _)| {
        name.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || start.ends_with(['/', '-']))
    });
    found
        .or_else(|| {
            ACTIONS.iter().find(|(start, _)| *start == "actions/attest" && name == "actions/attest-build-provenance")
        })
        .map(|(_, deed)| (*deed, false))
}
