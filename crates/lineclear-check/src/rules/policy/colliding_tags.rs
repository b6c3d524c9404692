//! `colliding-tags`: two images that take the same name.

use lineclear_policy::Image;
use lineclear_source::{Severity, Spanned};

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/colliding-tags.md`.
#[derive(Debug)]
pub(super) struct CollidingTags;

static META: RuleMeta = RuleMeta {
    id: "colliding-tags",
    summary: "two images that go to the same repository under the same tags",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("colliding-tags"),
};

impl Rule for CollidingTags {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        for (at, image) in policy.images.iter().enumerate() {
            let Some(repository) = &image.repository else { continue };
            let before = policy.images.iter().take(at);
            let same = |other: &&Image| {
                // Names of images are lower case, whatever stands here.
                other.repository.as_ref().is_some_and(|other| other.value.eq_ignore_ascii_case(&repository.value))
            };
            for other in before.filter(same) {
                let names = (&other.name.value, &image.name.value);
                match common_tag(other, image) {
                    Some(tag) => report
                        .at(tag.span, format!("`{}` and `{}` both take the tag `{}` of `{}`: each publication moves it to the other image", names.0, names.1, tag.value, repository.value))
                        .help("give one of them a repository or tags of its own"),
                    None => report
                        .at(repository.span, format!("`{}` and `{}` go to the same repository", names.0, names.1))
                        .severity(Severity::Warning)
                        .help("give each image a repository of its own: tags are all that keeps them apart"),
                };
            }
        }
    }
}

/// A tag that both take: placeholders are the same for both, for the same commit.
fn common_tag<'p>(one: &Image, other: &'p Image) -> Option<&'p Spanned<String>> {
    let taken: Vec<&str> = tags(one).map(|tag| tag.value.as_str()).collect();
    tags(other).find(|tag| taken.contains(&tag.value.as_str()))
}

fn tags(image: &Image) -> impl Iterator<Item = &Spanned<String>> {
    image.tags.iter().flat_map(|rule| &rule.tags).chain(image.promote.iter().flat_map(|promotion| &promotion.tags))
}
