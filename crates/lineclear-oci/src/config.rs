//! How an image runs: its configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::descriptor::null_is_empty;
use crate::{Digest, Platform};

/// Largest configuration that is read.
pub const MAX_CONFIG_BYTES: usize = 8 << 20;

/// Bytes are not the configuration of an image.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// More bytes than anybody needs.
    #[error("the image's configuration has {length} bytes; at most {MAX_CONFIG_BYTES} are read")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// Not JSON, or not of the form that configurations have.
    #[error("the image's configuration is not well formed")]
    Malformed {
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
}

/// The configuration of an image, with Docker's extensions.
///
/// # Source
/// The image specification, `config.md`; Docker's image specification 1.2 for health checks, `OnBuild` and `Shell`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The processor.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub architecture: String,
    /// The processor's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The operating system.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub os: String,
    /// The version of the operating system.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system has to offer.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// How containers are started.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub config: RunConfig,
    /// The layers, uncompressed.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub rootfs: RootFs,
    /// How the layers were made.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
}

/// How containers of an image are started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `user`, `uid`, `user:group` or `uid:gid`; empty is root.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Ports that it listens on: `80/tcp`.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Value>,
    /// Variables, `NAME=value`.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What is run.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Its arguments, or what is run when there is no entry point.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// Folders whose content is kept outside of the container.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Value>,
    /// Where it is run.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Facts that somebody attached.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks it to end: `SIGTERM`, `15`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Docker: how it is known to be well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Docker: instructions for images that are built on it.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// Docker: what runs commands that are one text.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
    /// Docker: seconds from the signal to the end by force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
}

impl RunConfig {
    /// The value of a variable; the last one counts.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let is_it = |entry: &'_ String| entry.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        self.env.iter().rev().find(|entry| is_it(entry)).map(|entry| &entry[name.len() + 1..])
    }

    /// Whether containers run as root unless they are told otherwise.
    pub fn runs_as_root(&self) -> bool {
        matches!(self.user.split(':').next().unwrap_or_default(), "" | "root" | "0")
    }
}

/// Docker's health check of an image. Times are nanoseconds; 0 or absent is the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    /// How long a check may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// How long failures do not count after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period: Option<i64>,
    /// Between two checks during the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<i64>,
    /// How many failures in a row make it unhealthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
}

impl Healthcheck {
    /// Whether it switches off the check of the image below.
    pub fn is_none(&self) -> bool {
        self.test.first().is_some_and(|first| first == "NONE")
    }

    /// Nanoseconds of one of the fields as a time; `None` where the engine's default holds.
    pub fn duration(nanoseconds: Option<i64>) -> Option<Duration> {
        nanoseconds.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).map(Duration::from_nanos)
    }

    /// The command as one text, as it is shown to people.
    pub fn command(&self) -> String {
        match self.test.as_slice() {
            [kind, rest @ ..] if matches!(kind.as_str(), "CMD" | "CMD-SHELL") => rest.join(" "),
            all => all.join(" "),
        }
    }
}

/// The layers of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type", default, deserialize_with = "null_is_empty")]
    pub kind: String,
    /// Digests of the uncompressed layers, the lowest first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub diff_ids: Vec<Digest>,
}

/// How one layer was made, or an instruction that made none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By which instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether there is no layer of it.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// For bytes that are too many or not one.
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge { length: bytes.len() });
        }
        serde_json::from_slice(bytes).map_err(|source| ConfigError::Malformed { source })
    }

    /// What the image runs on.
    pub fn platform(&self) -> Platform {
        Platform {
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone(),
            variant: self.variant.clone().filter(|variant| !variant.is_empty()),
            ..Platform::new(&self.os, &self.architecture)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_writes_is_read() {
        let text = r#"{"architecture":"arm64","variant":"v8","os":"linux","created":"2024-01-01T00:00:00Z",
            "config":{"Hostname":"","User":"1000:1000","ExposedPorts":{"80/tcp":{}},"Env":["PATH=/bin","A=1","A=2"],
            "Cmd":["sh"],"Entrypoint":null,"Volumes":null,"Labels":{"a":"b"},"OnBuild":null,"WorkingDir":"/app",
            "Healthcheck":{"Test":["CMD-SHELL","wget -q localhost"],"Interval":5000000000,"Retries":3}},
            "rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},
            "history":[{"created_by":"COPY . .","empty_layer":false},{"created_by":"CMD sh","empty_layer":true}]}"#;
        let config = ImageConfig::read(text.as_bytes()).expect("it is one");
        assert_eq!(config.platform().normalised().to_string(), "linux/arm64");
        assert_eq!(config.config.variable("A"), Some("2"));
        assert_eq!(config.config.variable("PAT"), None);
        assert!(!config.config.runs_as_root());
        let check = config.config.healthcheck.clone().expect("there is one");
        assert_eq!(check.command(), "wget -q localhost");
        assert_eq!(Healthcheck::duration(check.interval), Some(Duration::from_secs(5)));
        assert_eq!(Healthcheck::duration(check.timeout), None);
        assert_eq!(config.rootfs.diff_ids.len(), 1);
        let again = serde_json::to_vec(&config).expect("it is JSON");
        assert_eq!(ImageConfig::read(&again).expect("it is one"), config);
    }

    #[test]
    fn an_empty_object_is_a_configuration_of_nothing() {
        let config = ImageConfig::read(b"{\"config\":null,\"rootfs\":null,\"history\":null}").expect("it is one");
        assert_eq!(config, ImageConfig::default());
        assert!(config.config.runs_as_root());
    }
}
