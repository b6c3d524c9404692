//! What inputs of much used actions may be.

use lineclear_source::suggest;

/// The form of an input.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number from here on.
    Number(i64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Mostly one of these words; others may come with newer versions.
    MostlyWords(&'static [&'static str]),
}

const BOOLEAN: Form = Form::Boolean;
const COUNT: Form = Form::Number(0);

/// Actions with their inputs; sorted by nothing, as they are few.
const FORMS: &[(&str, &[(&str, Form)])] = &[
    (
        "actions/checkout",
        &[
            ("fetch-depth", COUNT),
            ("clean", BOOLEAN),
            ("persist-credentials", BOOLEAN),
            ("fetch-tags", BOOLEAN),
            ("show-progress", BOOLEAN),
            ("lfs", BOOLEAN),
            ("set-safe-directory", BOOLEAN),
            ("sparse-checkout-cone-mode", BOOLEAN),
            ("submodules", Form::Words(&["true", "false", "recursive"])),
        ],
    ),
    (
        "actions/upload-artifact",
        &[
            ("if-no-files-found", Form::Words(&["warn", "error", "ignore"])),
            ("retention-days", COUNT),
            ("compression-level", Form::Words(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])),
            ("overwrite", BOOLEAN),
            ("include-hidden-files", BOOLEAN),
        ],
    ),
    ("actions/download-artifact", &[("merge-multiple", BOOLEAN), ("run-id", COUNT)]),
    ("actions/cache", &[("fail-on-cache-miss", BOOLEAN), ("lookup-only", BOOLEAN), ("enableCrossOsArchive", BOOLEAN)]),
    (
        "actions/cache/restore",
        &[("fail-on-cache-miss", BOOLEAN), ("lookup-only", BOOLEAN), ("enableCrossOsArchive", BOOLEAN)],
    ),
    (
        "actions/setup-node",
        &[
            ("cache", Form::Words(&["npm", "yarn", "pnpm"])),
            ("check-latest", BOOLEAN),
            ("architecture", Form::MostlyWords(&["x64", "x86", "arm64", "armv7l", "ppc64le", "s390x"])),
        ],
    ),
    (
        "actions/setup-python",
        &[
            ("cache", Form::Words(&["pip", "pipenv", "poetry"])),
            ("check-latest", BOOLEAN),
            ("allow-prereleases", BOOLEAN),
            ("update-environment", BOOLEAN),
            ("architecture", Form::MostlyWords(&["x64", "x86", "arm64"])),
        ],
    ),
    ("actions/setup-go", &[("cache", BOOLEAN), ("check-latest", BOOLEAN)]),
    (
        "actions/setup-java",
        &[
            ("cache", Form::Words(&["maven", "gradle", "sbt"])),
            ("check-latest", BOOLEAN),
            ("java-package", Form::MostlyWords(&["jdk", "jre", "jdk+fx", "jre+fx"])),
            ("architecture", Form::MostlyWords(&["x64", "x86", "arm64", "aarch64", "armv7", "ppc64le"])),
            (
                "distribution",
                Form::MostlyWords(&[
                    "temurin",
                    "zulu",
                    "adopt",
                    "adopt-hotspot",
                    "adopt-openj9",
                    "liberica",
                    "microsoft",
                    "corretto",
                    "semeru",
                    "oracle",
                    "dragonwell",
                    "sapmachine",
                    "graalvm",
                    "graalvm-community",
                    "jetbrains",
                    "jdkfile",
                ]),
            ),
        ],
    ),
    (
        "actions/setup-dotnet",
        &[
            ("cache", BOOLEAN),
            ("dotnet-quality", Form::MostlyWords(&["daily", "signed", "validated", "preview", "ga"])),
        ],
    ),
    (
        "actions/github-script",
        &[("debug", BOOLEAN), ("retries", COUNT), ("result-encoding", Form::Words(&["string", "json"]))],
    ),
    ("docker/build-push-action", &[("push", BOOLEAN), ("load", BOOLEAN), ("no-cache", BOOLEAN), ("pull", BOOLEAN)]),
    ("docker/login-action", &[("logout", BOOLEAN)]),
    ("docker/setup-buildx-action", &[("install", BOOLEAN), ("use", BOOLEAN), ("cleanup", BOOLEAN)]),
    (
        "github/codeql-action/analyze",
        &[("upload", Form::MostlyWords(&["always", "failure-only", "never", "true", "false"]))],
    ),
];

/// The form of an input, if it is known; names in whatever case.
pub(super) fn form_of(action: &str, input: &str) -> Option<Form> {
    let (_, inputs) = FORMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(action))?;
    inputs.iter().find(|(name, _)| name.eq_ignore_ascii_case(input)).map(|&(_, form)| form)
}

impl Form {
    /// Whether a value is understood, or means what was meant.
    pub(super) fn takes(self, value: &str) -> bool {
        match self {
            // Whatever is not `true` counts as no, so another word for no does no harm.
            Self::Boolean => {
                ["true", "false", "no", "off", "0", "n"].iter().any(|word| word.eq_ignore_ascii_case(value))
            }
            Self::Number(least) => value.parse::<i64>().is_ok_and(|number| number >= least),
            Self::Words(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
            Self::MostlyWords(words) => {
                words.iter().any(|word| word.eq_ignore_ascii_case(value))
                    || suggest(value, words.iter().copied()).is_none()
            }
        }
    }

    /// What is wanted, in words, and which of it was meant.
    pub(super) fn wanted(self, value: &str) -> (String, Option<&'static str>) {
        match self {
            Self::Boolean => {
                let is_yes = ["yes", "on", "1", "y"].iter().any(|word| word.eq_ignore_ascii_case(value));
                let meant = if is_yes { Some("true") } else { suggest(value, ["true", "false"]) };
                ("`true` or `false`".to_owned(), meant)
            }
            Self::Number(least) => (format!("a whole number from {least} on"), None),
            Self::Words(words) | Self::MostlyWords(words) => {
                let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                (listed.join(", "), suggest(value, words.iter().copied()))
            }
        }
    }
}
