//! What may stand at a place: for editors.

use super::event::{EVENTS, Event, Types};
use super::keys;
use super::mapping::Keys;
use super::permission::SCOPES;

/// The keys that the mapping at `path` may have: `["jobs", "build", "steps", "0"]` for a step. List items count as `0`.
/// Empty where any key may stand (`env`, `jobs`), or where the path leads nowhere.
pub fn keys_at(path: &[&str]) -> Vec<&'static str> {
    let names = |keys: &Keys| keys.names.to_vec();
    match path {
        [] => names(&keys::WORKFLOW),
        ["on"] => EVENTS.iter().map(|event| event.name).collect(),
        ["on", "schedule", _] => names(&keys::SCHEDULE),
        ["on", "workflow_call", "inputs", _] => names(&keys::CALL_INPUT),
        ["on", "workflow_call", "secrets", _] => names(&keys::CALL_SECRET),
        ["on", "workflow_call", "outputs", _] => names(&keys::CALL_OUTPUT),
        ["on", "workflow_dispatch", "inputs", _] => names(&keys::DISPATCH_INPUT),
        ["on", event] => Event::find(event).map(Event::keys).unwrap_or_default(),
        ["permissions"] | ["jobs", _, "permissions"] => SCOPES.iter().map(|(scope, _)| *scope).collect(),
        ["defaults"] | ["jobs", _, "defaults"] => names(&keys::DEFAULTS),
        ["defaults", "run"] | ["jobs", _, "defaults", "run"] => names(&keys::DEFAULTS_RUN),
        ["concurrency"] | ["jobs", _, "concurrency"] => names(&keys::CONCURRENCY),
        ["jobs", _] => names(&keys::JOB),
        ["jobs", _, "strategy"] => names(&keys::STRATEGY),
        ["jobs", _, "strategy", "matrix"] => vec!["include", "exclude"],
        ["jobs", _, "runs-on"] => names(&keys::RUNS_ON),
        ["jobs", _, "environment"] => names(&keys::ENVIRONMENT),
        ["jobs", _, "snapshot"] => names(&keys::SNAPSHOT),
        ["jobs", _, "container"] => names(&keys::CONTAINER),
        ["jobs", _, "services", _] => names(&keys::SERVICE),
        ["jobs", _, "container", "credentials"] | ["jobs", _, "services", _, "credentials"] => {
            names(&keys::CREDENTIALS)
        }
        ["jobs", _, "steps", _] | ["jobs", _, "steps", _, "parallel", _] => names(&keys::STEP),
        _ => Vec::new(),
    }
}

/// The values that are possible at `path`, where there are only some: `["permissions", "contents"]`.
pub fn values_at(path: &[&str]) -> Vec<&'static str> {
    match path {
        ["on"] | ["on", "0"] => EVENTS.iter().map(|event| event.name).collect(),
        ["on", event, "types"] | ["on", event, "types", "0"] => match Event::find(event).map(|event| event.types) {
            Some(Types::Of(types)) => types.to_vec(),
            _ => Vec::new(),
        },
        ["on", "workflow_call", "inputs", _, "type"] => vec!["string", "boolean", "number"],
        ["on", "workflow_dispatch", "inputs", _, "type"] => {
            vec!["string", "boolean", "number", "choice", "environment"]
        }
        ["on", .., "required"] => vec!["true", "false"],
        ["permissions"] | ["jobs", _, "permissions"] => vec!["read-all", "write-all", "{}"],
        ["permissions", scope] | ["jobs", _, "permissions", scope] => {
            let levels = SCOPES.iter().find(|(name, _)| name == scope).map_or(&[][..], |(_, levels)| *levels);
            levels.iter().map(|level| level.as_str()).chain(["none"]).collect()
        }
        [.., "shell"] => vec!["bash", "sh", "pwsh", "powershell", "python", "cmd"],
        [.., "cancel-in-progress" | "continue-on-error" | "fail-fast" | "background" | "deployment"] => {
            vec!["true", "false"]
        }
        ["concurrency", "queue"] | ["jobs", _, "concurrency", "queue"] => vec!["single", "max"],
        ["jobs", _, "secrets"] => vec!["inherit"],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_depend_on_the_place() {
        assert!(keys_at(&[]).contains(&"jobs"));
        assert!(keys_at(&["jobs", "a"]).contains(&"runs-on"));
        assert!(keys_at(&["jobs", "a", "steps", "0"]).contains(&"uses"));
        assert!(keys_at(&["on", "push"]).contains(&"branches-ignore"));
        assert!(keys_at(&["jobs"]).is_empty());
        assert_eq!(values_at(&["permissions", "id-token"]), ["write", "none"]);
        assert!(values_at(&["on", "issues", "types"]).contains(&"opened"));
        assert!(values_at(&["name"]).is_empty());
    }
}
