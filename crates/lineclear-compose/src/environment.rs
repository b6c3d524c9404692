//! What a file is for, by its name.

/// What a compose file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// `compose.yml`, `docker-compose.yml`: what all have in common.
    Base,
    /// `compose.override.yml`: loaded with the base on developers' machines.
    Override,
    /// `dev`, `development`, `local`.
    Development,
    /// `test`, `ci`, `e2e`, `integration`.
    Test,
    /// `staging`, `stage`, `preview`, `uat`.
    Staging,
    /// `prod`, `production`, `live`.
    Production,
    /// Another word.
    Other,
}

impl Environment {
    /// By the word behind `compose` in the file's name; for `compose.yml` by the folder it lies in, if that is such a word.
    pub fn of(path: &str) -> Self {
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(&name);
        let word = stem.strip_prefix("docker-compose").or_else(|| stem.strip_prefix("compose")).unwrap_or(stem);
        if word.is_empty() {
            return match parts.next().map(Self::of_word) {
                Some(folder @ (Self::Development | Self::Test | Self::Staging | Self::Production)) => folder,
                _ => Self::Base,
            };
        }
        // `compose.prod.gpu.yml`: the first word that says something.
        let known = word.split(['.', '-', '_']).map(Self::of_word).find(|environment| *environment != Self::Other);
        known.unwrap_or(Self::Other)
    }

    /// What a single word says: also that of a profile.
    pub fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "override" => Self::Override,
            "dev" | "development" | "local" | "devcontainer" => Self::Development,
            "test" | "tests" | "testing" | "ci" | "e2e" | "integration" => Self::Test,
            "staging" | "stage" | "preview" | "uat" | "preprod" => Self::Staging,
            "prod" | "production" | "live" | "prd" => Self::Production,
            _ => Self::Other,
        }
    }

    /// Whether people use what the file describes: staging and production.
    pub fn is_delivered(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

/// The files that may lie below an overlay, the likeliest first; none for a file that stands alone.
pub fn bases_of(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".yml").or_else(|| lower.strip_suffix(".yaml")).unwrap_or(&lower);
    if matches!(stem, "compose" | "docker-compose") {
        return Vec::new();
    }
    let names = if stem.starts_with("docker-") {
        ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"]
    } else {
        ["compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml"]
    };
    names.iter().map(|name| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is_for() {
        for (path, environment) in [
            ("compose.yml", Environment::Base),
            ("deploy/docker-compose.yaml", Environment::Base),
            ("production/compose.yml", Environment::Production),
            ("compose.prod.yml", Environment::Production),
            ("docker-compose-staging.yml", Environment::Staging),
            ("a/docker-compose.gpu.prod.yaml", Environment::Production),
            ("compose.override.yml", Environment::Override),
            ("compose.e2e.yml", Environment::Test),
            ("compose.monitoring.yml", Environment::Other),
        ] {
            assert_eq!(Environment::of(path), environment, "{path}");
        }
        assert_eq!(bases_of("a/compose.prod.yml")[0], "a/compose.yml");
        assert_eq!(bases_of("docker-compose.prod.yml")[0], "docker-compose.yml");
        assert!(bases_of("a/compose.yml").is_empty());
    }
}
