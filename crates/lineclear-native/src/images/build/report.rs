//! What is told of a built image: in the run's record, and as a table in the job's summary.

use lineclear_event::{Fact, ImageConfigFact, ImageDeed, ImageFact};
use lineclear_oci::ImageConfig;
use lineclear_runner::native::Call;

/// What became of the build.
#[derive(Clone, Debug, Default)]
pub(crate) struct Result {
    pub(crate) names: Vec<String>,
    /// Empty for an image that was not put into the form of a registry.
    pub(crate) digest: String,
    pub(crate) platforms: Vec<String>,
    pub(crate) config: Option<ImageConfigFact>,
    pub(crate) is_pushed: bool,
}

/// What people ask of an image's configuration.
pub(crate) fn config_fact(config: &ImageConfig, size: u64, base: Option<String>) -> ImageConfigFact {
    let run = &config.config;
    let health_check =
        run.healthcheck.as_ref().filter(|check| !check.is_none()).map(lineclear_oci::Healthcheck::command);
    ImageConfigFact {
        user: run.user.clone(),
        health_check,
        ports: run.exposed_ports.keys().cloned().collect(),
        labels: run.labels.clone(),
        size,
        layers: u32::try_from(config.rootfs.diff_ids.len()).unwrap_or(u32::MAX),
        base,
    }
}

/// Tells it.
pub(crate) fn tell(call: &mut Call<'_>, result: &Result) {
    let fact = |deed| {
        Fact::Image(Box::new(ImageFact {
            deed,
            names: result.names.clone(),
            digest: result.digest.clone(),
            platforms: result.platforms.clone(),
            children: Vec::new(),
            config: result.config.clone(),
        }))
    };
    call.effects.fact(fact(ImageDeed::Built));
    if result.is_pushed {
        call.effects.fact(fact(ImageDeed::Pushed));
    }
    call.effects.summary(&table(result));
    for note in result.config.as_ref().map(notes).unwrap_or_default() {
        call.effects.log(&format!("note: {note}"));
    }
}

/// What is worth a second look.
fn notes(config: &ImageConfigFact) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if is_root(&config.user) {
        notes.push("the image runs as root: a `USER` in its Dockerfile changes that");
    }
    if config.health_check.is_none() {
        notes.push("the image has no HEALTHCHECK: nothing can tell whether its container works");
    }
    notes
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next().unwrap_or_default(), "" | "0" | "root")
}

fn table(result: &Result) -> String {
    let title = result.names.first().map_or("image", String::as_str);
    let mut table = format!("### Image `{title}`\n\n| | |\n| --- | --- |\n");
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            table.push_str(&format!("| {name} | {} |\n", value.replace('|', "\\|").replace('\n', " ")));
        }
    };
    // One a line: a terminal shows the table too.
    result.names.iter().for_each(|name| row("name", &format!("`{name}`")));
    let digest = if result.digest.is_empty() { String::new() } else { format!("`{}`", result.digest) };
    row(if result.is_pushed { "pushed digest" } else { "digest" }, &digest);
    row("platforms", &result.platforms.join(", "));
    if let Some(config) = &result.config {
        row("user", &if is_root(&config.user) { "⚠️ root".to_owned() } else { format!("`{}`", config.user) });
        let check = config.health_check.as_ref().map_or("⚠️ none".to_owned(), |check| format!("`{check}`"));
        row("health check", &check);
        row("ports", &config.ports.join(", "));
        row("size", &format!("{} in {} layers", bytes(config.size), config.layers));
        row("base", &config.base.as_ref().map_or_else(String::new, |base| format!("`{base}`")));
        for (name, value) in &config.labels {
            row(&format!("label `{name}`"), &format!("`{value}`"));
        }
    }
    table.push('\n');
    table
}

fn bytes(size: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
    let size = size as f64;
    match size {
        size if size >= 1e9 => format!("{:.1} GB", size / 1e9),
        size if size >= 1e6 => format!("{:.1} MB", size / 1e6),
        size => format!("{:.1} kB", size / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S1-38: a root user is shown, and so is a missing health check.
    #[test]
    fn a_root_user_and_a_missing_health_check_are_shown() {
        let mut result = Result {
            names: vec!["app:1".into(), "app:2".into()],
            digest: "sha256:ab".into(),
            platforms: vec!["linux/amd64".into()],
            config: Some(ImageConfigFact { size: 2_400_000, layers: 3, ..ImageConfigFact::default() }),
            is_pushed: true,
        };
        let shown = table(&result);
        for part in [
            "| name | `app:1` |",
            "| name | `app:2` |",
            "| pushed digest | `sha256:ab` |",
            "⚠️ root",
            "⚠️ none",
            "2.4 MB in 3 layers",
        ] {
            assert!(shown.contains(part), "{part}:\n{shown}");
        }
        let config = result.config.as_mut().expect("it is there");
        assert_eq!(notes(config).len(), 2);
        (config.user, config.health_check) = ("1000:1000".into(), Some("curl -f localhost | cat".into()));
        assert_eq!(notes(config).len(), 0);
        assert!(table(&result).contains("`curl -f localhost \\| cat`"));
    }
}
