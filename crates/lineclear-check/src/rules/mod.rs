//! All rules. Each group's module lists its own.

use crate::{RepositoryRule, Rule, RuleMeta};

pub mod action;
pub mod call;
pub mod container;
pub(crate) mod deeds;
pub mod delivery;
pub mod dependabot;
pub mod expression;
pub mod job;
pub mod policy;
pub mod reader;
pub mod script;
pub mod security;
pub mod supply;

/// The rules that look at one file, group by group.
const OF_FILES: &[&[&dyn Rule]] = &[
    expression::RULES,
    action::RULES,
    call::RULES,
    job::RULES,
    script::RULES,
    security::RULES,
    supply::RULES,
    delivery::RULES,
    container::RULES,
    dependabot::RULES,
    policy::RULES,
];

/// The rules that look at a repository.
const OF_REPOSITORIES: &[&[&dyn RepositoryRule]] =
    &[call::REPOSITORY_RULES, delivery::REPOSITORY_RULES, policy::REPOSITORY_RULES];

/// The rules that look at one file.
pub fn of_files() -> impl Iterator<Item = &'static &'static dyn Rule> {
    OF_FILES.iter().copied().flatten()
}

/// The rules that look at several files at once.
pub fn of_repositories() -> impl Iterator<Item = &'static &'static dyn RepositoryRule> {
    OF_REPOSITORIES.iter().copied().flatten()
}

/// What is known of every rule, those that the readers carry out included.
pub fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let of_files = of_files().map(|rule| rule.meta());
    let of_repositories = of_repositories().map(|rule| rule.meta());
    reader::RULES.iter().copied().chain(of_files).chain(of_repositories)
}

/// What is known of the rule called `id`.
pub fn meta(id: &str) -> Option<&'static RuleMeta> {
    all().find(|meta| meta.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Repair;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_page_with_that_title() {
        let mut seen = BTreeSet::new();
        for meta in all() {
            assert!(seen.insert(meta.id), "{} is there twice", meta.id);
            assert!(
                meta.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{}",
                meta.id
            );
            assert!(meta.page.starts_with(&format!("# {}\n", meta.id)), "docs/rules/{}.md has another title", meta.id);
            assert!(!meta.summary.is_empty() && !meta.summary.ends_with('.'), "{}", meta.id);
            assert!(!meta.files.is_empty() && !meta.dialects.is_empty(), "{}", meta.id);
        }
        let pages = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules")).unwrap().flatten();
        for page in pages {
            let name = page.file_name().to_string_lossy().into_owned();
            let id = name.trim_end_matches(".md");
            assert!(id == "README" || seen.contains(id), "docs/rules/{name} belongs to no rule");
        }
    }

    #[test]
    fn a_rule_that_repairs_says_so_on_its_page() {
        for meta in all().filter(|meta| meta.repair != Repair::None) {
            assert!(
                meta.page.contains("```yaml fixed") || meta.page.contains("fixed\n"),
                "docs/rules/{}.md shows no repair",
                meta.id
            );
        }
    }
}
