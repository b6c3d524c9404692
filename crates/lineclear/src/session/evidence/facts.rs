//! Facts of steps as statements.

use std::collections::BTreeMap;

use lineclear_event::{
    CoverageStatement, Fact, ImageDeed, ImageFact, ImageStatement, Repository, Statement, Subject, TestCase,
    TestOutcome, TestResults, TestsStatement,
};
use lineclear_policy::Policy;

use crate::delivery::release_name;

/// So many tests are named; the totals count all of them.
const NAMED_TESTS: usize = 100;

/// What a fact says of the commit, or of an image; `None` for what is no evidence.
///
/// # Errors
/// A sentence: it is about an image, and nobody knows about which. Of the commit it says nothing.
pub(super) fn statements(
    fact: &Fact,
    commit: &str,
    images: &ImageNames,
) -> Result<Option<(Subject, Statement)>, String> {
    let of_commit = || Subject::Commit(commit.to_owned());
    Ok(Some(match fact {
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
            let of_image = findings.digest.as_deref().map(|text| digest(text, "what a scanner found"));
            (of_image.unwrap_or_else(|| Ok(of_commit()))?, Statement::Scan(findings.statement()))
        }
        Fact::Image(image) => {
            let Some(statement) = image_statement(image, commit, images) else { return Ok(None) };
            (digest(&image.digest, "an image")?, Statement::Image(statement))
        }
        Fact::Cache { .. } | Fact::Used { .. } | Fact::ForgeCall { .. } => return Ok(None),
    }))
}

fn digest(text: &str, what: &str) -> Result<Subject, String> {
    match text.parse() {
        Ok(digest @ Subject::Digest(_)) => Ok(digest),
        _ => Err(format!(
            "{what} is not recorded: it is said to be of `{}`, which is no digest (`sha256:` and 64 hexadecimal digits)",
            text.escape_debug().take(100).collect::<String>()
        )),
    }
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
        let filled = |text: &str| release_name(text, &format!("{}/{}", repository.owner, repository.name));
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

/// The images that a run was seen to make, so that building and pushing the same one is stated once each: the registry tells of a push, and so
/// does the engine that pushed, which knows less of it.
#[derive(Debug, Default)]
pub(super) struct SeenImages {
    seen: BTreeMap<String, Vec<ImageStatement>>,
}

impl SeenImages {
    pub(super) fn is_new(&mut self, digest: &str, image: &ImageStatement) -> bool {
        let seen = self.seen.entry(digest.to_owned()).or_default();
        let is_new = !seen.iter().any(|known| says_no_more(image, known));
        if is_new {
            seen.push(image.clone());
        }
        is_new
    }
}

/// Whether everything that `image` says was said by `known`, of the same digest.
fn says_no_more(image: &ImageStatement, known: &ImageStatement) -> bool {
    let is_known = |own: &[String], known: &[String]| own.iter().all(|one| known.contains(one));
    (&image.image, &image.commit, image.built) == (&known.image, &known.commit, known.built)
        && is_known(&image.names, &known.names)
        && is_known(&image.platforms, &known.platforms)
        && is_known(&image.children, &known.children)
        && (image.user.is_empty() || image.user == known.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_of_nobody_knows_what_is_none_of_the_commit() {
        let commit = "1".repeat(40);
        let stated = |digest: Option<&str>| {
            let findings = lineclear_event::Findings { digest: digest.map(str::to_owned), ..Default::default() };
            statements(&Fact::Findings(Box::new(findings)), &commit, &ImageNames::default())
        };
        let known = format!("sha256:{}", "a".repeat(64));
        let subject = |digest: Option<&str>| stated(digest).expect("it is known").expect("it is stated").0;
        assert_eq!(subject(None), Subject::Commit(commit.clone()));
        assert_eq!(subject(Some(&known)), Subject::Digest(known.clone()));
        for unknown in ["", "sha256:abc", &known.to_uppercase(), &format!("commit:{commit}")] {
            let why = stated(Some(unknown)).expect_err("nobody knows what it is of");
            assert!(why.starts_with(&format!("what a scanner found is not recorded: it is said to be of `{unknown}`")));
        }
    }

    #[test]
    fn a_push_that_is_told_twice_is_stated_once() {
        let told = ImageStatement {
            image: "app".into(),
            names: vec!["ghcr.io/octo/app:1".into()],
            commit: "1".repeat(40),
            built: false,
            platforms: vec!["linux/amd64".into()],
            children: Vec::new(),
            user: "65532".into(),
        };
        let of_engine = ImageStatement { platforms: Vec::new(), user: String::new(), ..told.clone() };
        let mut seen = SeenImages::default();
        assert!(seen.is_new("a", &told) && !seen.is_new("a", &told) && !seen.is_new("a", &of_engine));
        assert!(seen.is_new("b", &of_engine), "it is another image");
        for more in [
            ImageStatement { names: vec!["ghcr.io/octo/app:2".into()], ..of_engine.clone() },
            ImageStatement { built: true, ..of_engine.clone() },
            ImageStatement { commit: String::new(), ..of_engine.clone() },
        ] {
            assert!(seen.is_new("a", &more), "{more:?}");
        }
    }

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
