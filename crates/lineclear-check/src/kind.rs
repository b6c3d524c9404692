//! Which files there is something to say about.

/// What a file is, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A file in `.github/workflows`, `.gitea/workflows` or `.forgejo/workflows`; any other YAML file that is named on the command line.
    Workflow,
    /// `action.yml`, `action.yaml`.
    Action,
    /// `.github/dependabot.yml`.
    Dependabot,
    /// `Dockerfile`, `Dockerfile.*`, `*.Dockerfile`, `Containerfile`.
    Dockerfile,
    /// `compose.yml`, `docker-compose.yml`, and their overlays (`compose.prod.yml`, `docker-compose.staging.yaml`).
    Compose,
    /// `lineclear.toml`.
    Policy,
}

/// Endings behind `Dockerfile.` of what is none: lists of ignored files, templates, pages.
const NO_DOCKERFILE: [&str; 8] = ["dockerignore", "j2", "jinja2", "tmpl", "template", "erb", "in", "md"];

impl FileKind {
    /// What the file at `path` (with forward slashes) is, if there is something to say about it.
    pub fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let lower = name.to_ascii_lowercase();
        let in_folder = |ending: &str| folder == ending || folder.ends_with(&format!("/{ending}"));
        let yaml = lower.strip_suffix(".yml").or_else(|| lower.strip_suffix(".yaml"));
        if let Some(stem) = yaml {
            if [".github/workflows", ".gitea/workflows", ".forgejo/workflows"].iter().any(|one| in_folder(one)) {
                return Some(Self::Workflow);
            }
            if name == "action.yml" || name == "action.yaml" {
                return Some(Self::Action);
            }
            if stem == "dependabot" && in_folder(".github") {
                return Some(Self::Dependabot);
            }
            let overlay_of = |base: &str| {
                stem == base || stem.strip_prefix(base).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            };
            return (overlay_of("compose") || overlay_of("docker-compose")).then_some(Self::Compose);
        }
        if lower == "dockerfile"
            || lower == "containerfile"
            || name.strip_prefix("Dockerfile.").is_some_and(|ending| !NO_DOCKERFILE.contains(&ending))
            || lower.ends_with(".dockerfile")
        {
            return Some(Self::Dockerfile);
        }
        (name == "lineclear.toml").then_some(Self::Policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_paths() {
        for (path, kind) in [
            (".github/workflows/ci.yml", Some(FileKind::Workflow)),
            ("a/b/.gitea/workflows/ci.yaml", Some(FileKind::Workflow)),
            ("x.github/workflows/ci.yml", None),
            ("action.yml", Some(FileKind::Action)),
            (".github/actions/x/action.yaml", Some(FileKind::Action)),
            (".github/dependabot.yml", Some(FileKind::Dependabot)),
            ("api/Dockerfile", Some(FileKind::Dockerfile)),
            ("Dockerfile.prod", Some(FileKind::Dockerfile)),
            ("Dockerfile.dockerignore", None),
            // In small letters it is code about them.
            ("src/dockerfile.go", None),
            ("docker-compose.yml", Some(FileKind::Compose)),
            ("deploy/compose.staging.yaml", Some(FileKind::Compose)),
            ("composer.yml", None),
            ("lineclear.toml", Some(FileKind::Policy)),
            ("readme.md", None),
        ] {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }
}
