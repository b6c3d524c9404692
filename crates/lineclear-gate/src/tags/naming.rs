//! The policy's tags with their placeholders filled in.

use lineclear_event::Timestamp;
use lineclear_oci::Tag;
use semver::Version;

/// What placeholders stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming<'n> {
    /// `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`.
    pub reference: &'n str,
    /// The commit's full id.
    pub commit: &'n str,
    /// `1.2.3`: a version that is known from elsewhere than the reference.
    pub version: Option<&'n str>,
    pub at: Timestamp,
}

/// A tag that an image is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTag {
    pub tag: Tag,
    pub keeps: Keeps,
}

/// How a tag behaves once it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// It stands for one digest for ever: versions, commits.
    Digest,
    /// It moves to newer commits, never back: `latest` and branches of what is built from branches.
    Forward,
    /// It moves to higher versions, never back: `latest`, `1` and `1.2` of what is built from version tags.
    Upward {
        version: Version,
        /// Whether versions before a release are none of its business: `latest`, `${major}` and `${minor}` are what people take who want a release.
        releases_only: bool,
    },
}

/// What the policy's tags make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Those that stay first: when they cannot be set, nothing has moved.
    pub tags: Vec<WantedTag>,
    /// Those whose placeholders stand for nothing here, and which ones these are.
    pub left_out: Vec<(String, String)>,
}

/// Why a tag of the policy is none.
#[derive(Debug, thiserror::Error)]
#[error("`{template}` makes `{made}`, which is no tag")]
pub struct NamingError {
    pub template: String,
    pub made: String,
    pub source: lineclear_oci::NameError,
}

impl Naming<'_> {
    /// The tags that `templates` make, each once.
    ///
    /// A tag that names a commit, a git tag or a version stays, and so does a version that is written out; every other one moves forward, with
    /// the versions where there is one and else with the commits.
    ///
    /// # Errors
    /// [`NamingError`] for what is no tag.
    pub fn tags<'t>(&self, templates: impl IntoIterator<Item = &'t str>) -> Result<Named, NamingError> {
        let mut named = Named::default();
        for template in templates {
            let (made, keeps) = match self.fill(template) {
                Ok(filled) => filled,
                Err(placeholder) => {
                    named.left_out.push((template.to_owned(), placeholder));
                    continue;
                }
            };
            let tag = Tag::parse(&made).map_err(|source| NamingError {
                template: template.to_owned(),
                made: made.clone(),
                source,
            })?;
            match named.tags.iter_mut().find(|known| known.tag == tag) {
                // Made twice: the stricter rule counts.
                Some(known) if keeps == Keeps::Digest => known.keeps = keeps,
                Some(_) => {}
                None => named.tags.push(WantedTag { tag, keeps }),
            }
        }
        named.tags.sort_by_key(|wanted| wanted.keeps != Keeps::Digest);
        Ok(named)
    }

    /// The tags of the policy's image for this reference: of all patterns that match it, in file order.
    ///
    /// # Errors
    /// [`NamingError`] for what is no tag.
    pub fn of_image(&self, image: &lineclear_policy::Image) -> Result<Named, NamingError> {
        let matches = |pattern: &str| {
            // What is no pattern matches nothing; `check` reports it.
            lineclear_workflow::FilterPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(self.reference))
        };
        let rules = image.tags.iter().filter(|rule| matches(&rule.refs.value));
        self.tags(rules.flat_map(|rule| rule.tags.iter().map(|tag| tag.value.as_str())))
    }

    /// The text with its placeholders filled in, or the placeholder that stands for nothing.
    fn fill(&self, template: &str) -> Result<(String, Keeps), String> {
        let (mut made, mut stays, mut is_part) = (String::new(), false, template == "latest");
        let mut rest = template;
        while let Some((before, inside)) = rest.split_once("${") {
            made.push_str(before);
            let Some((name, after)) = inside.split_once('}') else {
                made.push_str("${");
                rest = inside;
                continue;
            };
            made.push_str(&self.value(name).ok_or_else(|| name.to_owned())?);
            stays |= matches!(name, "sha" | "short-sha" | "commit" | "tag" | "version");
            is_part |= matches!(name, "major" | "minor");
            rest = after;
        }
        made.push_str(rest);
        let is_written_out = template == made && Version::parse(made.strip_prefix('v').unwrap_or(&made)).is_ok();
        let keeps = match self.version().as_deref().and_then(lenient) {
            _ if stays || is_written_out => Keeps::Digest,
            Some(version) => Keeps::Upward { version, releases_only: is_part },
            None => Keeps::Forward,
        };
        Ok((made, keeps))
    }

    fn value(&self, name: &str) -> Option<String> {
        let plain = |text: &str| text.replace(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)), "-");
        let number = |place: usize| {
            let version = self.version()?;
            let core = version.split(['-', '+']).next()?;
            core.split('.').nth(place).filter(|part| !part.is_empty()).map(str::to_owned)
        };
        match name {
            "branch" => self.reference.strip_prefix("refs/heads/").map(plain),
            "tag" => self.reference.strip_prefix("refs/tags/").map(plain),
            "sha" | "commit" => Some(self.commit.to_owned()),
            "short-sha" => self.commit.get(..7).map(str::to_owned),
            "version" => self.version().map(|version| plain(&version)),
            "major" => number(0),
            "minor" => number(1),
            "pull-request" => self.reference.strip_prefix("refs/pull/")?.split('/').next().map(str::to_owned),
            "date" => Some(date(self.at)),
            _ => None,
        }
    }

    /// A version is a number, perhaps after a `v`.
    fn version(&self) -> Option<String> {
        let of_tag = self.reference.strip_prefix("refs/tags/");
        let text = self.version.or(of_tag)?;
        let text = text.strip_prefix('v').unwrap_or(text);
        text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.to_owned())
    }
}

/// A version as people write it: `1.2` is 1.2.0, and a `v` before it is none of its digits.
pub(super) fn lenient(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core_end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(core_end);
    let missing = 2_usize.checked_sub(core.matches('.').count())?;
    Version::parse(&format!("{core}{}{rest}", ".0".repeat(missing))).ok()
}

/// `20260131`, UTC.
fn date(at: Timestamp) -> String {
    at.to_string().chars().filter(|c| *c != '-').take_while(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn naming(reference: &str) -> Naming<'_> {
        Naming { reference, commit: COMMIT, version: None, at: Timestamp(1_769_817_600_000) }
    }

    fn words(named: &Named) -> String {
        let mark = |keeps: &Keeps| match keeps {
            Keeps::Digest => "!",
            Keeps::Forward => "",
            Keeps::Upward { releases_only: false, .. } => "^",
            Keeps::Upward { releases_only: true, .. } => "^^",
        };
        let tags = named.tags.iter().map(|wanted| format!("{}{}", wanted.tag, mark(&wanted.keeps)));
        let left_out = named.left_out.iter().map(|(template, name)| format!("{template} lacks {name}"));
        tags.chain(left_out).collect::<Vec<_>>().join(" ")
    }

    fn named(reference: &str, templates: &[&str]) -> String {
        words(&naming(reference).tags(templates.iter().copied()).expect("they are tags"))
    }

    #[test]
    fn tags_are_made_of_the_event_and_those_that_stay_come_first() {
        assert_eq!(named("refs/heads/main", &["latest", "sha-${short-sha}", "latest"]), "sha-0123456! latest");
        assert_eq!(
            named(
                "refs/tags/v1.2.3",
                &["${major}.${minor}", "${tag}", "${version}", "${version}-${short-sha}", "next"]
            ),
            "v1.2.3! 1.2.3! 1.2.3-0123456! 1.2^^ next^"
        );
        assert_eq!(named("refs/heads/feature/a+b", &["${branch}", "${date}"]), "feature-a-b 20260131");
        assert_eq!(named("refs/pull/7/merge", &["pr-${pull-request}"]), "pr-7");
        assert_eq!(named("refs/heads/main", &["v1.2.3", "1.2.3", "1.2"]), "v1.2.3! 1.2.3! 1.2");
    }

    #[test]
    fn what_stands_for_nothing_is_left_out_and_said() {
        assert_eq!(named("refs/heads/main", &["${version}", "a"]), "a ${version} lacks version");
        assert_eq!(named("refs/tags/nightly", &["${version}", "${tag}"]), "nightly! ${version} lacks version");
        assert!(naming("refs/heads/main").tags(["a b"]).is_err());
        assert!(naming("refs/heads/main").tags(["-a"]).is_err());
    }

    #[test]
    fn an_image_has_the_tags_of_every_pattern_that_matches() {
        let text = "[image.backend]\nrepository = 'ghcr.io/a/b'\n\
            tags.'refs/heads/main' = ['latest', 'sha-${short-sha}']\n\
            tags.'refs/heads/**' = ['${branch}']\ntags.'refs/tags/v*' = ['${tag}']";
        let (policy, findings) = lineclear_policy::Policy::read(&lineclear_source::Source::new("lineclear.toml", text));
        assert_eq!(findings, []);
        let image = policy.images.first().expect("there is one");
        let of = |reference: &str| words(&naming(reference).of_image(image).expect("they are tags"));
        assert_eq!(of("refs/heads/main"), "sha-0123456! latest main");
        assert_eq!(of("refs/heads/a/b"), "a-b");
        assert_eq!(of("refs/tags/v1"), "v1!");
        assert_eq!(of("refs/tags/x"), "");
    }

    #[test]
    fn versions_are_read_as_people_write_them() {
        let read = |text| lenient(text).map(|version| version.to_string());
        assert_eq!(read("v1.2.3-rc.1+build"), Some("1.2.3-rc.1+build".into()));
        assert_eq!(read("1.2"), Some("1.2.0".into()));
        assert_eq!(read("2-beta"), Some("2.0.0-beta".into()));
        assert_eq!(read("1.2.3.4"), None);
        assert_eq!(read("nightly"), None);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, expected) in [(0, "19700101"), (951_782_400_000, "20000229")] {
            assert_eq!(date(Timestamp(at)), expected);
        }
    }
}
