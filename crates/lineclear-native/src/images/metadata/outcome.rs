//! What version, tags and labels an event gives: pure, from what was read and what is around it.
//!
//! # Source
//! The documentation of `docker/metadata-action`; its tables of examples are the tests of this module, and so is what the action
//! itself put out for the events in them.

use std::cmp::Ordering;

use fancy_regex::Regex;
use serde_json::Value;

use super::attributes::{Flavor, Image, Latest, MetadataError, RefEvent, Tag, TagType};
use super::template::{self, Asked};
use super::{moment, pep440};

/// What a tag can be made from.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) event_name: String,
    /// `refs/…`; empty for an event that belongs to none.
    pub(crate) reference: String,
    pub(crate) sha: String,
    /// The event.
    pub(crate) payload: Value,
    /// The repository, as the forge describes it.
    pub(crate) repository: Value,
    pub(crate) now: jiff::Timestamp,
    pub(crate) commit_date: jiff::Timestamp,
    /// Characters of a short commit.
    pub(crate) short: usize,
}

/// The version that the tags make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// The tag with the highest priority.
    pub(crate) main: Option<String>,
    /// The others, each once.
    pub(crate) partial: Vec<String>,
    /// Whether there is a tag `latest`; that of the first tag decides.
    latest: Option<bool>,
    /// Why tags that were asked for are not there.
    pub(crate) warnings: Vec<String>,
}

impl Version {
    pub(crate) fn is_latest(&self) -> bool {
        self.latest.unwrap_or(false)
    }

    fn add(&mut self, value: &str, latest: bool) {
        if value.is_empty() {
            return;
        }
        let value = sanitized(value);
        match &self.main {
            None => self.main = Some(value),
            Some(main) if *main != value && !self.partial.contains(&value) => self.partial.push(value),
            Some(_) => {}
        }
        self.latest.get_or_insert(latest);
    }
}

/// All inputs that make tags.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) images: Vec<Image>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) flavor: Flavor,
}

impl Spec {
    /// # Errors
    /// An expression or a regular expression that cannot be read, or an `enable` that comes to neither `true` nor `false`.
    pub(crate) fn version(&self, around: &Surroundings) -> Result<Version, MetadataError> {
        let mut version = Version::default();
        for tag in &self.tags {
            let unknown = tag.unknown();
            if !unknown.is_empty() {
                let unknown = unknown.join("`, `");
                version.warnings.push(format!("`{}` has attributes that mean nothing: `{unknown}`", tag.entry));
            }
            match around.expand(tag.text_or("enable", "true"))?.as_str() {
                "true" => self.add(tag, around, &mut version)?,
                "false" => {}
                other => return Err(MetadataError::new(format!("Invalid value for enable attribute: {other}"))),
            }
        }
        Ok(version)
    }

    fn add(&self, tag: &Tag, around: &Surroundings, version: &mut Version) -> Result<(), MetadataError> {
        let reference = around.reference.as_str();
        // The value, and whether it makes the image the latest where the flavor leaves that to the tag.
        let (value, latest) = match tag.kind {
            TagType::Schedule if around.event_name.contains("schedule") => {
                (around.expand_with(tag.text("pattern"), &|asked| around.date(asked))?, false)
            }
            TagType::Semver => match around.tag_or_value(tag)? {
                Some(text) => match semver(tag, &text, version)? {
                    Some(found) => found,
                    None => return Ok(()),
                },
                None => return Ok(()),
            },
            TagType::Pep440 => match around.tag_or_value(tag)? {
                Some(text) => match pep440(tag, &text, version)? {
                    Some(found) => found,
                    None => return Ok(()),
                },
                None => return Ok(()),
            },
            TagType::Match => match around.tag_or_value(tag)? {
                Some(text) => match matched(tag, &text, version)? {
                    Some(found) => (found, true),
                    None => return Ok(()),
                },
                None => return Ok(()),
            },
            TagType::Ref(event) => {
                let (start, end, latest) = match event {
                    RefEvent::Branch => ("refs/heads/", "", false),
                    RefEvent::Tag => ("refs/tags/", "", true),
                    RefEvent::PullRequest => ("refs/pull/", "/merge", false),
                };
                let Some(name) = reference.strip_prefix(start) else { return Ok(()) };
                (name.strip_suffix(end).unwrap_or(name).to_owned(), latest)
            }
            TagType::Edge => {
                let Some(branch) = reference.strip_prefix("refs/heads/") else { return Ok(()) };
                let wanted = match tag.text("branch") {
                    "" => around.repository["default_branch"].as_str().unwrap_or_default(),
                    branch => branch,
                };
                if wanted != branch {
                    return Ok(());
                }
                ("edge".to_owned(), false)
            }
            TagType::Raw => (around.expand(tag.text("value"))?, false),
            TagType::Sha { .. } if around.sha.is_empty() => return Ok(()),
            TagType::Sha { is_short: true } => (around.short_sha().to_owned(), false),
            TagType::Sha { is_short: false } => (around.sha.clone(), false),
            TagType::Schedule => return Ok(()),
        };
        let prefix = around.expand(tag.get("prefix").unwrap_or(&self.flavor.prefix))?;
        let suffix = around.expand(tag.get("suffix").unwrap_or(&self.flavor.suffix))?;
        let latest = match self.flavor.latest {
            Latest::Auto => latest,
            Latest::Always => true,
            Latest::Never => false,
        };
        version.add(&format!("{prefix}{value}{suffix}"), latest);
        Ok(())
    }

    /// The names that tags are put behind, lower-case.
    pub(crate) fn names(&self) -> Vec<String> {
        self.images.iter().filter(|image| image.is_enabled).map(|image| image.name.to_lowercase()).collect()
    }

    /// The tags by themselves, that of the version first and `latest` last.
    pub(crate) fn tag_names(&self, version: &Version) -> Vec<String> {
        let Some(main) = version.main.clone().filter(|main| !main.is_empty()) else { return Vec::new() };
        let mut tags = vec![main];
        tags.extend(version.partial.iter().cloned());
        if version.is_latest() {
            let on = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
            let prefix = on(self.flavor.prefix_on_latest, &self.flavor.prefix);
            let suffix = on(self.flavor.suffix_on_latest, &self.flavor.suffix);
            tags.push(sanitized(&format!("{prefix}latest{suffix}")));
        }
        tags
    }

    /// Every tag behind every name, or by itself where there is no name.
    pub(crate) fn tags(&self, version: &Version) -> Vec<String> {
        let (names, tags) = (self.names(), self.tag_names(version));
        if names.is_empty() {
            return tags;
        }
        names.iter().flat_map(|name| tags.iter().map(move |tag| format!("{name}:{tag}"))).collect()
    }
}

impl Tag {
    fn text_or<'t>(&'t self, name: &str, default: &'t str) -> &'t str {
        self.get(name).unwrap_or(default)
    }
}

/// Labels or annotations: what the standard names say of this image, then those of the input, which win; by name.
///
/// # Errors
/// An expression that cannot be read.
pub(crate) fn labels(
    around: &Surroundings,
    version: &Version,
    given: &[String],
) -> Result<Vec<(String, String)>, MetadataError> {
    let repository = &around.repository;
    let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let url = of(&repository["html_url"]);
    let standard = [
        ("title", of(&repository["name"])),
        ("description", of(&repository["description"])),
        ("url", url.clone()),
        ("source", url),
        ("version", version.main.clone().unwrap_or_default()),
        ("created", format!("{:.3}", around.now)),
        ("revision", around.sha.clone()),
        ("licenses", of(&repository["license"]["spdx_id"])),
    ];
    let mut labels: Vec<(String, String)> =
        standard.into_iter().map(|(name, value)| (format!("org.opencontainers.image.{name}"), value)).collect();
    for entry in given {
        let entry = around.expand(entry)?;
        let Some((name, value)) = entry.split_once('=') else { continue };
        match labels.iter_mut().find(|(known, _)| known == name) {
            Some(known) => value.clone_into(&mut known.1),
            None => labels.push((name.to_owned(), value.to_owned())),
        }
    }
    labels.sort_by(|(one, _), (other, _)| by_name(one, other));
    Ok(labels)
}

impl Surroundings {
    fn short_sha(&self) -> &str {
        self.sha.get(..self.short).unwrap_or(&self.sha)
    }

    fn expand(&self, template: &str) -> Result<String, MetadataError> {
        self.expand_with(template, &|asked| self.value(asked))
    }

    fn expand_with(
        &self,
        template: &str,
        value: &dyn Fn(&Asked) -> Result<Option<String>, String>,
    ) -> Result<String, MetadataError> {
        template::render(template, value).map_err(|error| MetadataError::new(error.to_string()))
    }

    /// The git tag, or the attribute `value` in its place.
    fn tag_or_value(&self, tag: &Tag) -> Result<Option<String>, MetadataError> {
        match tag.text("value") {
            "" => Ok(self.reference.strip_prefix("refs/tags/").map(str::to_owned)),
            value => self.expand(value).map(Some),
        }
    }

    /// What is the same for every type of tag.
    fn value(&self, asked: &Asked) -> Result<Option<String>, String> {
        let strip = |start: &str| self.reference.strip_prefix(start).unwrap_or_default().to_owned();
        Ok(Some(match asked.name.as_str() {
            "branch" => strip("refs/heads/"),
            "tag" => strip("refs/tags/"),
            "sha" => self.short_sha().to_owned(),
            "base_ref" => self.base_ref(),
            "is_default_branch" => self.is_default_branch().to_string(),
            "is_not_default_branch" => (!self.is_default_branch()).to_string(),
            _ => return self.date(asked),
        }))
    }

    fn base_ref(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if self.reference.starts_with("refs/tags/") {
            let base = text(&self.payload["base_ref"]);
            return base.strip_prefix("refs/heads/").map_or(base.clone(), str::to_owned);
        }
        if self.reference.starts_with("refs/pull/") {
            return text(&self.payload["pull_request"]["base"]["ref"]);
        }
        String::new()
    }

    fn is_default_branch(&self) -> bool {
        let branch = self.reference.strip_prefix("refs/heads/").unwrap_or(&self.reference);
        if branch.is_empty() {
            return false;
        }
        // These events are about the last commit of the default branch, whatever they say.
        let always = ["create", "discussion", "issues", "schedule"];
        self.payload["repository"]["default_branch"].as_str() == Some(branch)
            || always.iter().any(|event| self.event_name.contains(event))
    }

    /// `{{date 'format' tz='zone'}}` and `{{commit_date …}}`.
    fn date(&self, asked: &Asked) -> Result<Option<String>, String> {
        let time = match asked.name.as_str() {
            "date" => self.now,
            "commit_date" => self.commit_date,
            _ => return Ok(None),
        };
        let mut zone = "UTC";
        for (name, value) in &asked.named {
            if name != "tz" {
                return Err(format!("Unknown {name} attribute"));
            }
            zone = value;
        }
        let time = time.in_tz(zone).map_err(|_| format!("there is no time zone `{zone}`; one is `Asia/Tokyo`"))?;
        let format = asked.arguments.first().map_or("YYYY-MM-DDTHH:mm:ssZ", String::as_str);
        Ok(Some(moment::format(&time, format)))
    }
}

/// What the attribute `match` picks out of the text; the text itself where it does not match.
fn picked(tag: &Tag, text: &str, version: &mut Version) -> Result<String, MetadataError> {
    let pattern = tag.text("match");
    if pattern.is_empty() {
        return Ok(text.replace('/', "-"));
    }
    let Some(found) = captures(&Regex::new(pattern), pattern, text)? else {
        version.warnings.push(format!("{pattern} does not match {text}."));
        return Ok(text.replace('/', "-"));
    };
    let Some(Some(picked)) = found.get(1) else {
        return Err(MetadataError::new(format!(
            "`match={pattern}` has no group: put what is to be used in parentheses"
        )));
    };
    Ok(picked.replace('/', "-"))
}

fn semver(tag: &Tag, text: &str, version: &mut Version) -> Result<Option<(String, bool)>, MetadataError> {
    let text = picked(tag, text, version)?;
    let trimmed = text.trim();
    let Ok(parsed) = semver::Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed)) else {
        version.warnings.push(format!("{text} is not a valid semver. More info: https://semver.org/"));
        return Ok(None);
    };
    let is_release = parsed.pre.is_empty();
    let pattern = tag.text("pattern");
    // Of a version that is still to change, nothing but the whole is named.
    let pattern = if is_release || template::is_only(pattern, "raw") { pattern } else { "{{version}}" };
    let plain = semver::Version { build: semver::BuildMetadata::EMPTY, ..parsed.clone() };
    let value = |asked: &Asked| {
        Ok(Some(match asked.name.as_str() {
            "raw" => text.clone(),
            "version" => plain.to_string(),
            "major" => parsed.major.to_string(),
            "minor" => parsed.minor.to_string(),
            "patch" => parsed.patch.to_string(),
            "prerelease" => parsed.pre.as_str().replace('.', ","),
            "build" => parsed.build.as_str().replace('.', ","),
            _ => return Ok(None),
        }))
    };
    let rendered = template::render(pattern, &value).map_err(|error| MetadataError::new(error.to_string()))?;
    Ok(Some((rendered, is_release)))
}

fn pep440(tag: &Tag, text: &str, version: &mut Version) -> Result<Option<(String, bool)>, MetadataError> {
    let text = picked(tag, text, version)?;
    let Some(parsed) = pep440::Version::parse(&text) else {
        version
            .warnings
            .push(format!("{text} does not conform to PEP 440. More info: https://www.python.org/dev/peps/pep-0440"));
        return Ok(None);
    };
    let pattern = tag.text("pattern");
    if parsed.is_special() {
        let value = if template::is_only(pattern, "raw") { text } else { parsed.to_string() };
        return Ok(Some((value, false)));
    }
    let value = |asked: &Asked| {
        Ok(Some(match asked.name.as_str() {
            "raw" => text.clone(),
            "version" => parsed.to_string(),
            "major" => parsed.part(0).to_owned(),
            "minor" => parsed.part(1).to_owned(),
            "patch" => parsed.part(2).to_owned(),
            _ => return Ok(None),
        }))
    };
    let rendered = template::render(pattern, &value).map_err(|error| MetadataError::new(error.to_string()))?;
    Ok(Some((rendered, true)))
}

/// The group of a regular expression, which may be written `/expression/flags`.
fn matched(tag: &Tag, text: &str, version: &mut Version) -> Result<Option<String>, MetadataError> {
    let pattern = tag.text("pattern");
    let (body, flags) = match pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) if !body.is_empty() => (body, flags),
        _ => (pattern, ""),
    };
    if let Some(flag) = flags.chars().find(|flag| !"gimsu".contains(*flag)) {
        return Err(MetadataError::new(format!("`{pattern}`: there is no flag `{flag}` for regular expressions here")));
    }
    let inline: String = flags.chars().filter(|flag| "ims".contains(*flag)).collect();
    let compiled = if inline.is_empty() { body.to_owned() } else { format!("(?{inline}){body}") };
    let regex = Regex::new(&compiled);
    let found = if flags.contains('g') {
        // With this flag, groups are the matches one after the other.
        let regex = regex.map_err(|error| unreadable(pattern, &error))?;
        let all: Vec<_> = regex.find_iter(text).flatten().map(|found| Some(found.as_str().to_owned())).collect();
        Some(all).filter(|all| !all.is_empty())
    } else {
        captures(&regex, pattern, text)?
    };
    let Some(found) = found else {
        version.warnings.push(format!("{pattern} does not match {text}."));
        return Ok(None);
    };
    let group = tag.text("group");
    let Some(Some(value)) = group.parse::<usize>().ok().and_then(|group| found.get(group)) else {
        version.warnings.push(format!("Group {group} does not exist for {pattern} pattern."));
        return Ok(None);
    };
    Ok(Some(value.clone()))
}

type Groups = Vec<Option<String>>;

fn captures(
    regex: &Result<Regex, fancy_regex::Error>,
    pattern: &str,
    text: &str,
) -> Result<Option<Groups>, MetadataError> {
    let regex = regex.as_ref().map_err(|error| unreadable(pattern, error))?;
    let found = regex.captures(text).map_err(|error| unreadable(pattern, &error))?;
    Ok(found.map(|found| found.iter().map(|group| group.map(|group| group.as_str().to_owned())).collect()))
}

fn unreadable(pattern: &str, error: &fancy_regex::Error) -> MetadataError {
    MetadataError::new(format!("`{pattern}` is no regular expression: {error}"))
}

/// What a tag may not have becomes a dash.
fn sanitized(tag: &str) -> String {
    let mut sanitized = String::new();
    for character in tag.chars() {
        if character.is_ascii_alphanumeric() || "._-".contains(character) {
            sanitized.push(character);
        } else if !sanitized.ends_with('\u{0}') {
            // One dash for all that are next to each other; marked until the next good one.
            sanitized.push('\u{0}');
        }
    }
    sanitized.replace('\u{0}', "-")
}

/// The order of names for people: punctuation, digits, letters; `a`, `A`, `b`.
fn by_name(one: &str, other: &str) -> Ordering {
    const PUNCTUATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let weight = |character: char| match PUNCTUATION.find(character) {
        Some(at) => (0, at as u32),
        None if character.is_whitespace() => (0, 0),
        None if character.is_numeric() => (1, character as u32),
        None => (2, character.to_lowercase().next().unwrap_or(character) as u32),
    };
    let by_letters = one.chars().map(weight).cmp(other.chars().map(weight));
    // Lower case before upper.
    let case = |text: &str| text.chars().map(char::is_uppercase).collect::<Vec<_>>();
    by_letters.then_with(|| case(one).cmp(&case(other)))
}
