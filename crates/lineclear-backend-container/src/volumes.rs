//! `volumes:` and `--volume`: `/src:/dst:ro`, `name:/dst`, `/dst`.

use std::path::Path;

/// Where a volume comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Volume {
    /// In the engine's form, `source:target[:options]`.
    Bind(String),
    /// A named one, in the engine's form.
    Named { name: String, bind: String },
    /// One without a name, at this place.
    Anonymous(String),
}

/// Relative sources are below `workspace`.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn parse(text: &str, workspace: &Path) -> Result<Volume, String> {
    let fail = |problem: &str| format!("`{text}` is not a volume: {problem}");
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, None),
        [source, target] => (Some(*source), *target, None),
        [source, target, options] => (Some(*source), *target, Some(*options)),
        _ => return Err(fail("expected `source:target` or `source:target:options`")),
    };
    if !target.starts_with('/') || target == "/" {
        return Err(fail("the place in the container is an absolute path other than `/`"));
    }
    let rest = options.map_or(target.to_owned(), |options| format!("{target}:{options}"));
    match source {
        None => Ok(Volume::Anonymous(target.into())),
        Some("") => Err(fail("there is nothing before the colon")),
        Some(source) if source.starts_with('/') => Ok(Volume::Bind(format!("{source}:{rest}"))),
        Some(source) if source.starts_with('.') => {
            Ok(Volume::Bind(format!("{}:{rest}", workspace.join(source).display())))
        }
        Some(name) => {
            let good = name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
            match good {
                true => Ok(Volume::Named { name: name.into(), bind: format!("{name}:{rest}") }),
                false => Err(fail(
                    "the name of a volume has letters, digits, `_`, `.` and `-`; a path begins with `/` or `.`",
                )),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_paths_names_or_nothing() {
        let read = |text| parse(text, Path::new("/w"));
        assert_eq!(read("/a:/b:ro"), Ok(Volume::Bind("/a:/b:ro".into())));
        assert_eq!(read("./a:/b"), Ok(Volume::Bind("/w/./a:/b".into())));
        assert_eq!(read("data:/b"), Ok(Volume::Named { name: "data".into(), bind: "data:/b".into() }));
        assert_eq!(read("/b"), Ok(Volume::Anonymous("/b".into())));
        for bad in ["", "b", "/a:b", ":/b", "/a:/", "a b:/c", "/a:/b:ro:x"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
