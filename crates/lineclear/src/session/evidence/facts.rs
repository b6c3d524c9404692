//! Facts of steps as statements.

use std::collections::BTreeMap;

use lineclear_event::{
    CoverageStatement, Fact, ImageDeed, ImageFact, ImageStatement, Repository, Statement, Subject, TestCase,
    TestOutcome, TestResults, TestsStatement,
};
use lineclear_policy::Policy;

/// So many tests are named; the totals count all of them.
const NAMED_TESTS: usize = 100;

/// What a fact says of the commit, or of an image; `None` for what is no evidence.
pub(super) fn statements(fact: &Fact, commit: &str, images: &ImageNames) -> Option<(Subject, Statement)> {
    let of_commit = || Subject::Commit(commit.to_owned());
    Some(match fact {
        Fact::Coverage(coverage) => {
            let statement = CoverageStatement {
                name: coverage.name.clone(),
                lines_covered: coverage.lines_covered,
                lines: coverage.lines,
            };
            (of_commit(), Statement::Coverage(statement))
        }
        Fact::Tests(results) => (of_commit(), Statement::Tests(tests(results))),
        Fact::Findings(findings) => {
            let subject = findings.digest.as_ref().and_then(|digest| digest.parse().ok());
            (subject.unwrap_or_else(of_commit), Statement::Scan(findings.statement()))
        }
        Fact::Image(image) => {
            let digest: Subject = image.digest.parse().ok()?;
            (digest, Statement::Image(image_statement(image, commit, images)?))
        }
        Fact::Cache { .. } | Fact::Used { .. } | Fact::ForgeCall { .. } => return None,
    })
}

fn tests(results: &TestResults) -> TestsStatement {
    let named = |outcome: TestOutcome| {
        let cases = results.cases.iter().filter(|case| case.outcome == outcome);
        cases.take(NAMED_TESTS).map(name_of).collect()
    };
    TestsStatement {
        name: results.name.clone(),
        totals: results.totals,
        flaky: named(TestOutcome::Flaky),
        failed: named(TestOutcome::Failed),
    }
}

fn name_of(case: &TestCase) -> String {
    if case.suite.is_empty() { case.name.clone() } else { format!("{} › {}", case.suite, case.name) }
}

fn image_statement(image: &ImageFact, commit: &str, names: &ImageNames) -> Option<ImageStatement> {
    let built = match image.deed {
        ImageDeed::Pulled => return None,
        ImageDeed::Built => true,
        ImageDeed::Pushed => false,
    };
    Some(ImageStatement {
        image: names.of_fact(&image.names),
        names: image.names.clone(),
        commit: commit.to_owned(),
        built,
        platforms: image.platforms.clone(),
        children: image.children.clone(),
        user: image.config.as_ref().map(|config| config.user.clone()).unwrap_or_default(),
    })
}

/// What the policy calls the images of release repositories.
#[derive(Debug, Default)]
pub(super) struct ImageNames {
    /// Repository → name.
    names: BTreeMap<String, String>,
}

impl ImageNames {
    pub(super) fn of(policy: &Policy, repository: &Repository) -> Self {
        let filled = |text: &str| {
            let text = text.replace("${owner}", &repository.owner).replace("${repository}", &repository.name);
            text.to_lowercase()
        };
        let named = policy
            .images
            .iter()
            .filter_map(|image| Some((filled(&image.repository.as_ref()?.value), image.name.value.clone())));
        Self { names: named.collect() }
    }

    /// The name of the image that goes by any of these.
    fn of_fact(&self, names: &[String]) -> String {
        let found = names.iter().find_map(|name| {
            let pushed = without_tag(name);
            let same = |known: &&String| *known == pushed || without_host(known) == without_host(pushed);
            self.names.iter().find(|(known, _)| same(known)).map(|(_, image)| image.clone())
        });
        found.unwrap_or_default()
    }
}

fn without_tag(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        // A colon before a slash is that of a port.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// The embedded registry stands for all registries, and knows no host.
fn without_host(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => repository,
    }
}

/// The images that a run was seen to make, so that building and pushing the same one is stated once each.
#[derive(Debug, Default)]
pub(super) struct SeenImages {
    seen: BTreeMap<String, Vec<ImageStatement>>,
}

impl SeenImages {
    pub(super) fn is_new(&mut self, digest: &str, image: &ImageStatement) -> bool {
        let seen = self.seen.entry(digest.to_owned()).or_default();
        let is_new = !seen.contains(image);
        if is_new {
            seen.push(image.clone());
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_called_as_the_policy_calls_them() {
        let text = "[image.backend]\nrepository = \"ghcr.io/${owner}/backend\"";
        let (policy, _) = Policy::read(&lineclear_source::Source::new("lineclear.toml", text.to_owned()));
        let repository = Repository {
            owner: "Acme".into(),
            name: "shop".into(),
            default_branch: "main".into(),
            id: "1".into(),
            owner_id: "1".into(),
            private: false,
        };
        let names = ImageNames::of(&policy, &repository);
        let name = |text: &str| names.of_fact(&[text.to_owned()]);
        assert_eq!(name("ghcr.io/acme/backend:latest"), "backend");
        assert_eq!(name("acme/backend:sha-1"), "backend", "as the embedded registry tells it");
        assert_eq!(name("ghcr.io/acme/backend@sha256:00"), "backend");
        assert_eq!(name("ghcr.io/acme/backend-tools:latest"), "");
        assert_eq!(without_tag("localhost:5000/a/b"), "localhost:5000/a/b");
    }
}
