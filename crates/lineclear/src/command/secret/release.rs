//! `lineclear secret … --release`: logins that only the engine has.

use lineclear_event::Timestamp;
use lineclear_oci::RegistryHost;
use serde_json::json;

use super::body;
use super::keep::{Format, ListArgs, RemoveArgs, SetArgs, ago, table};
use crate::exit::Exit;
use crate::output;
use crate::release_logins::ReleaseLogins;

/// Carries out `secret set HOST --release`.
pub(super) fn set(args: &SetArgs) -> Result<Exit, String> {
    let registry = registry(&args.name)?;
    let scope = args.scope.scope()?;
    let mut logins = ReleaseLogins::for_repository(args.scope.repository()?)?;
    let what = format!("login at {registry}, as USER:PASSWORD");
    let login = body::read_as(&what, args.body.as_ref().map(|body| body.expose()), args.body_file.as_deref())?;
    let done = if logins.keep(&registry, &scope, &login)? { "is set" } else { "has a new value" };
    output::print(&format!("release login at {registry} {done} for {scope}; no job is given it\n"));
    Ok(Exit::Success)
}

/// Carries out `secret rm HOST --release`.
pub(super) fn remove(args: &RemoveArgs) -> Result<Exit, String> {
    let registries = args.names.iter().map(|name| registry(name)).collect::<Result<Vec<_>, _>>()?;
    let scope = args.scope.scope()?;
    let mut logins = ReleaseLogins::for_repository(args.scope.repository()?)?;
    for registry in registries {
        if !logins.remove(&registry, &scope)? {
            return Err(format!("there is no release login at {registry} for {scope}"));
        }
        output::print(&format!("release login at {registry} is removed for {scope}\n"));
    }
    Ok(Exit::Success)
}

/// Carries out `secret list --release`.
pub(super) fn list(args: &ListArgs) -> Result<Exit, String> {
    let all = ReleaseLogins::for_repository(args.scope.repository()?)?.all()?;
    if args.format == Format::Json {
        let records: Vec<_> = all
            .iter()
            .map(|login| {
                json!({
                    "registry": login.registry.to_string(),
                    "user": login.user,
                    "repository": login.scope.repository().map(|repository| repository.as_str()),
                    "updated": Timestamp(login.updated).to_string(),
                })
            })
            .collect();
        output::print(&format!("{:#}\n", serde_json::Value::Array(records)));
        return Ok(Exit::Success);
    }
    if all.is_empty() {
        output::complain("note: there are no release logins; `lineclear secret set --release HOST` keeps one");
    }
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|login| {
            let set = format!("set {}", ago(Timestamp(login.updated)));
            [login.registry.to_string(), login.user.clone(), login.scope.to_string(), set]
        })
        .collect();
    output::print(&table(&rows));
    Ok(Exit::Success)
}

fn registry(text: &str) -> Result<RegistryHost, String> {
    RegistryHost::parse(text)
        .map_err(|error| format!("`{text}` is no registry: {error}; a release login is kept for a host, as `ghcr.io`"))
}
