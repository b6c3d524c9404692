//! What the inputs `images`, `tags` and `flavor` say, read and checked before anything is made of them.
//!
//! # Source
//! The documentation of `docker/metadata-action`: each type of tag with its attributes and their defaults.

use std::collections::BTreeMap;

use super::super::lists::{attribute, fields};

/// What is wrong with an input: a sentence, as the action itself says it where it says one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MetadataError(pub(crate) String);

impl MetadataError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A name that tags are put behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) is_enabled: bool,
}

/// The images, in the order of the input.
///
/// # Errors
/// An unknown attribute, an `enable` that is no boolean, an entry without a name.
pub(crate) fn images(entries: &[String]) -> Result<Vec<Image>, MetadataError> {
    // One line of names between commas is how the action's first versions took them.
    if let [entry] = entries {
        let names = fields(entry);
        if names.iter().all(|field| attribute(field).0.is_none()) {
            let image = |name: &String| Image { name: name.trim().to_owned(), is_enabled: true };
            return Ok(names.iter().map(image).collect());
        }
    }
    entries.iter().map(|entry| image(entry)).collect()
}

fn image(entry: &str) -> Result<Image, MetadataError> {
    let mut image = Image { name: String::new(), is_enabled: true };
    for field in fields(entry) {
        match attribute(&field) {
            (None, name) => image.name = name.to_owned(),
            (Some(key), value) => match key.to_ascii_lowercase().as_str() {
                "name" => image.name = value.to_owned(),
                "enable" => {
                    image.is_enabled = boolean(value)
                        .ok_or_else(|| MetadataError::new(format!("Invalid enable attribute value: {entry}")))?;
                }
                _ => return Err(MetadataError::new(format!("Unknown image attribute: {entry}"))),
            },
        }
    }
    if image.name.is_empty() {
        return Err(MetadataError::new(format!("Image name attribute empty: {entry}")));
    }
    Ok(image)
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Whether a tag `latest` is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Latest {
    /// As the type of the first tag has it.
    #[default]
    Auto,
    Always,
    Never,
}

/// What holds for all tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flavor {
    pub(crate) latest: Latest,
    pub(crate) prefix: String,
    /// Whether `latest` has the prefix too.
    pub(crate) prefix_on_latest: bool,
    pub(crate) suffix: String,
    pub(crate) suffix_on_latest: bool,
}

/// The flavor that all entries together make.
///
/// # Errors
/// An unknown key, or a value that its key does not take.
pub(crate) fn flavor(entries: &[String]) -> Result<Flavor, MetadataError> {
    let mut flavor = Flavor::default();
    for entry in entries {
        // `onlatest` is about the prefix or suffix that stands before it in its entry.
        let mut about: Option<&mut bool> = None;
        for field in fields(entry) {
            let (Some(key), value) = attribute(&field) else {
                return Err(MetadataError::new(format!("Invalid flavor entry: {entry}")));
            };
            match key.to_ascii_lowercase().as_str() {
                "latest" => {
                    flavor.latest = match value {
                        "auto" => Latest::Auto,
                        "true" => Latest::Always,
                        "false" => Latest::Never,
                        _ => return Err(MetadataError::new(format!("Invalid latest flavor entry: {entry}"))),
                    }
                }
                "prefix" => {
                    value.clone_into(&mut flavor.prefix);
                    about = Some(&mut flavor.prefix_on_latest);
                }
                "suffix" => {
                    value.clone_into(&mut flavor.suffix);
                    about = Some(&mut flavor.suffix_on_latest);
                }
                "onlatest" => {
                    let value = boolean(value)
                        .ok_or_else(|| MetadataError::new(format!("Invalid value for onlatest attribute: {value}")))?;
                    if let Some(about) = about.as_deref_mut() {
                        *about = value;
                    }
                }
                _ => return Err(MetadataError::new(format!("Unknown flavor entry: {entry}"))),
            }
        }
    }
    Ok(flavor)
}

/// What a tag is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagType {
    Schedule,
    Semver,
    Pep440,
    Match,
    Edge,
    Ref(RefEvent),
    Raw,
    Sha { is_short: bool },
}

/// Which refs `type=ref` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefEvent {
    Branch,
    Tag,
    PullRequest,
}

/// One entry of the input `tags`, complete with its defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tag {
    pub(crate) kind: TagType,
    /// All attributes but the type, with the names as given, lower-case.
    attributes: BTreeMap<String, String>,
    /// The higher, the earlier.
    pub(crate) priority: f64,
    /// As it was written, for messages.
    pub(crate) entry: String,
}

impl Tag {
    /// An attribute, where it was given or has a default.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// An attribute, empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Attributes that mean nothing for this type, as they are likely mistyped.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let own: &[&str] = match self.kind {
            TagType::Schedule => &["pattern"],
            TagType::Semver | TagType::Pep440 => &["pattern", "value", "match"],
            TagType::Match => &["pattern", "group", "value"],
            TagType::Edge => &["branch"],
            TagType::Ref(_) => &["event"],
            TagType::Raw => &["value"],
            TagType::Sha { .. } => &["format"],
        };
        let known = |name: &str| ["enable", "priority", "prefix", "suffix"].contains(&name) || own.contains(&name);
        self.attributes.keys().map(String::as_str).filter(|name| !known(name)).collect()
    }
}

/// The tags by falling priority; those of one priority in the order of the input. Without entries, the defaults.
///
/// # Errors
/// An unknown type, a missing attribute, or one whose value its type does not take.
pub(crate) fn tags(entries: &[String]) -> Result<Vec<Tag>, MetadataError> {
    const DEFAULTS: [&str; 4] = ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"];
    let mut tags = if entries.is_empty() {
        DEFAULTS.iter().map(|entry| tag(entry)).collect::<Result<Vec<_>, _>>()?
    } else {
        entries.iter().map(|entry| tag(entry)).collect::<Result<Vec<_>, _>>()?
    };
    tags.sort_by(|one, other| other.priority.total_cmp(&one.priority));
    Ok(tags)
}

fn tag(entry: &str) -> Result<Tag, MetadataError> {
    let mut kind = None;
    let mut attributes = BTreeMap::new();
    for field in fields(entry) {
        match attribute(&field) {
            (None, value) => drop(attributes.insert("value".to_owned(), value.to_owned())),
            (Some(key), value) if key.eq_ignore_ascii_case("type") => kind = Some(value.to_owned()),
            (Some(key), value) => drop(attributes.insert(key.to_ascii_lowercase(), value.to_owned())),
        }
    }

    let wrong = |what: &str| Err(MetadataError::new(format!("{what} for {entry}")));
    let (kind, priority) = match kind.as_deref().unwrap_or("raw") {
        "schedule" => {
            default(&mut attributes, "pattern", "nightly");
            (TagType::Schedule, "1000")
        }
        name @ ("semver" | "pep440") => {
            if !attributes.contains_key("pattern") {
                return wrong("Missing pattern attribute");
            }
            (if name == "semver" { TagType::Semver } else { TagType::Pep440 }, "900")
        }
        "match" => {
            default(&mut attributes, "group", "0");
            if !attributes.contains_key("pattern") {
                return wrong("Missing pattern attribute");
            }
            if attributes["group"].parse::<f64>().is_err() {
                return wrong("Invalid match group");
            }
            (TagType::Match, "800")
        }
        "edge" => (TagType::Edge, "700"),
        "ref" => {
            let event = match attributes.get("event").map(String::as_str) {
                None => return wrong("Missing event attribute"),
                Some("branch") => RefEvent::Branch,
                Some("tag") => RefEvent::Tag,
                Some("pr") => RefEvent::PullRequest,
                Some(_) => return wrong("Invalid event"),
            };
            if event == RefEvent::PullRequest {
                default(&mut attributes, "prefix", "pr-");
            }
            (TagType::Ref(event), "600")
        }
        "raw" => {
            if !attributes.contains_key("value") {
                return wrong("Missing value attribute");
            }
            (TagType::Raw, "200")
        }
        "sha" => {
            default(&mut attributes, "prefix", "sha-");
            default(&mut attributes, "format", "short");
            let is_short = match attributes["format"].as_str() {
                "short" => true,
                "long" => false,
                _ => return wrong("Invalid format"),
            };
            (TagType::Sha { is_short }, "100")
        }
        other => return Err(MetadataError::new(format!("Unknown tag type attribute: {other}"))),
    };
    let priority = match attributes.get("priority").map_or(priority, String::as_str) {
        "" => 0.0,
        text => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => number,
            _ => return wrong("The priority is no number"),
        },
    };
    Ok(Tag { kind, attributes, priority, entry: entry.to_owned() })
}

fn default(attributes: &mut BTreeMap<String, String>, name: &str, value: &str) {
    attributes.entry(name.to_owned()).or_insert_with(|| value.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn images_have_names_and_may_be_off() {
        let names = |entries: &[&str]| {
            images(&owned(entries))
                .map(|images| images.into_iter().map(|image| (image.name, image.is_enabled)).collect::<Vec<_>>())
                .map_err(|error| error.0)
        };
        let on = |name: &str| (name.to_owned(), true);
        assert_eq!(names(&[]), Ok(vec![]));
        assert_eq!(names(&["name/foo"]), Ok(vec![on("name/foo")]));
        assert_eq!(names(&["name/foo,name/bar"]), Ok(vec![on("name/foo"), on("name/bar")]));
        assert_eq!(names(&["name/foo", "name=ghcr.io/x/bar"]), Ok(vec![on("name/foo"), on("ghcr.io/x/bar")]));
        assert_eq!(names(&["name=name/foo,enable=false"]), Ok(vec![("name/foo".to_owned(), false)]));
        assert_eq!(names(&["name/foo,enable=bar"]), Err("Invalid enable attribute value: name/foo,enable=bar".into()));
        assert_eq!(names(&["name/foo,bar=baz"]), Err("Unknown image attribute: name/foo,bar=baz".into()));
        assert_eq!(names(&["name=,enable=true"]), Err("Image name attribute empty: name=,enable=true".into()));
    }

    #[test]
    fn flavors_add_up() {
        let text = ["latest=true", "prefix=a-,onlatest=true", "suffix=-b"];
        let expected = Flavor {
            latest: Latest::Always,
            prefix: "a-".into(),
            prefix_on_latest: true,
            suffix: "-b".into(),
            suffix_on_latest: false,
        };
        assert_eq!(flavor(&owned(&text)), Ok(expected));
        for wrong in ["latest", "latest=maybe", "prefix=a,onlatest=yes", "foo=bar"] {
            assert!(flavor(&owned(&[wrong])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_have_their_defaults_and_priorities() {
        let read =
            tags(&owned(&["type=sha", "v1", "type=ref,event=pr", "type=semver,pattern={{version}}", "type=edge"]))
                .expect("tags");
        let shown: Vec<_> = read.iter().map(|tag| (tag.entry.as_str(), tag.get("prefix"))).collect();
        let expected = [
            ("type=semver,pattern={{version}}", None),
            ("type=edge", None),
            ("type=ref,event=pr", Some("pr-")),
            ("v1", None),
            ("type=sha", Some("sha-")),
        ];
        assert_eq!(shown, expected);
        assert_eq!(tags(&[]).expect("defaults").len(), 4);
        let unknown = tags(&owned(&["type=sha,prefx=x"])).expect("a tag");
        assert_eq!(unknown[0].unknown(), ["prefx"]);
    }

    #[test]
    fn what_no_tag_can_be_is_refused() {
        let cases = [
            ("type=foo", "Unknown tag type attribute: foo"),
            ("type=semver", "Missing pattern attribute for type=semver"),
            ("type=match,pattern=a,group=x", "Invalid match group for type=match,pattern=a,group=x"),
            ("type=ref", "Missing event attribute for type=ref"),
            ("type=ref,event=x", "Invalid event for type=ref,event=x"),
            ("type=raw", "Missing value attribute for type=raw"),
            ("type=sha,format=x", "Invalid format for type=sha,format=x"),
            ("type=sha,priority=x", "The priority is no number for type=sha,priority=x"),
        ];
        for (entry, message) in cases {
            assert_eq!(tags(&owned(&[entry])).map_err(|error| error.0), Err(message.to_owned()));
        }
    }
}
