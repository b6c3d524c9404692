//! The addresses at which a repository may be had, in the order in which they are asked.

use std::path::{Path, PathBuf};

use crate::git::Address;
use crate::place::Place;
use crate::settings::Server;
use crate::{FetchError, FetchSettings};

/// The name of air-gapped folders among the servers.
pub(crate) const FOLDER: &str = "folder";

/// One server, or one bare repository of a folder, for one repository.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// Mirrors first.
    pub(crate) addresses: Vec<Address>,
    /// Whether it is on this machine, so that it may be asked offline.
    pub(crate) is_local: bool,
}

/// Everything that may have `place`: bare repositories of the folders, then the servers.
pub(crate) fn sources(settings: &FetchSettings, place: &Place) -> Result<Vec<Source>, FetchError> {
    let mut sources = Vec::new();
    for folder in &settings.folders {
        if let Some(path) = named(folder, place, |repo| format!("{repo}.git")) {
            let url = path.canonicalize().unwrap_or(path).to_string_lossy().into_owned();
            let address = Address { url, schemes: &["file"], token: None };
            sources.push(Source { name: FOLDER.to_owned(), addresses: vec![address], is_local: true });
        }
    }
    for server in &settings.servers {
        let urls = server.mirrors.iter().chain([&server.url]);
        let addresses = urls.map(|url| address(settings, server, url, place)).collect::<Result<_, _>>()?;
        sources.push(Source { name: server.name.clone(), addresses, is_local: false });
    }
    Ok(sources)
}

/// The plain folder `owner/repo@ref/` of an air-gapped machine.
pub(crate) fn plain_folder(settings: &FetchSettings, place: &Place) -> Option<PathBuf> {
    settings.folders.iter().find_map(|folder| named(folder, place, |repo| format!("{repo}@{}", place.reference)))
}

/// A folder for the place, as written or in small letters; forges do not tell the two apart.
fn named(folder: &Path, place: &Place, last: impl Fn(&str) -> String) -> Option<PathBuf> {
    let as_written = folder.join(&place.owner).join(last(&place.repo));
    let small = folder.join(place.owner.to_lowercase()).join(last(&place.repo.to_lowercase()));
    [as_written, small].into_iter().find(|path| path.is_dir())
}

/// Refuses settings that cannot mean anything good, before anything is asked.
pub(crate) fn check(settings: &FetchSettings) -> Result<(), FetchError> {
    let place = Place { owner: "owner".into(), repo: "repo".into(), reference: "ref".into() };
    for server in &settings.servers {
        let well_named = !server.name.is_empty()
            && server.name.len() <= 100
            && !server.name.starts_with('.')
            && server.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        if !well_named || server.name == FOLDER {
            let name = &server.name;
            return Err(FetchError::Settings(format!(
                "a server's name has letters, digits, `-`, `_`, `.` and `:`, not `{name}`"
            )));
        }
    }
    let names: Vec<&str> = settings.servers.iter().map(|server| server.name.as_str()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(FetchError::Settings(format!("two servers are called `{}`", twice.1)));
    }
    sources(settings, &place).map(drop)
}

fn address(settings: &FetchSettings, server: &Server, template: &str, place: &Place) -> Result<Address, FetchError> {
    let wrong = |what: &str| Err(FetchError::Settings(format!("the address of server `{}` {what}", server.name)));
    if !template.contains("{owner}") || !template.contains("{repo}") {
        return wrong("needs `{owner}` and `{repo}`, as in https://github.com/{owner}/{repo}");
    }
    if template.starts_with('-') || template.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return wrong("is no address");
    }
    let url = template.replace("{owner}", &place.owner).replace("{repo}", &place.repo);
    let Some((scheme, rest)) = url.split_once("://") else {
        if template.starts_with('/') {
            return Ok(Address { url, schemes: &["file"], token: None });
        }
        // `git@host:path`, as ssh has it; what looks like `ext::program` is a program to run.
        let is_ssh = template.split_once(':').is_some_and(|(host, path)| !host.contains('/') && !path.starts_with(':'));
        return if is_ssh { Ok(Address { url, schemes: &["ssh"], token: None }) } else { wrong("is no address") };
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if matches!(scheme, "http" | "https") && authority.contains('@') {
        return wrong("has a user name in it; give the token by its setting, where nothing prints it");
    }
    let schemes: &[&str] = match scheme {
        "https" => &["https"],
        "http" => &["http", "https"],
        "ssh" => &["ssh"],
        "git" => &["git"],
        "file" => &["file"],
        _ => return wrong("does not begin with https, http, ssh, git or file"),
    };
    let may_have_token = scheme == "https" || scheme == "http" && is_this_machine(authority);
    let token = settings.tokens.get(authority).filter(|_| may_have_token);
    let token = token.map(|token| (format!("{scheme}://{authority}"), token.clone()));
    Ok(Address { url, schemes, token })
}

fn is_this_machine(authority: &str) -> bool {
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(authority, |(host, _)| host);
    matches!(host, "localhost" | "[::1]")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;

    fn settings(url: &str) -> FetchSettings {
        let server = Server { name: "s".into(), url: url.into(), mirrors: Vec::new() };
        let tokens = ["h", "127.0.0.1:80", "[::1]:80"].map(|host| (host.to_owned(), Token::new("t"))).into();
        FetchSettings { servers: vec![server], tokens, ..FetchSettings::new(PathBuf::from("/cache")) }
    }

    #[test]
    fn addresses_that_hide_a_user_or_a_program_are_refused() {
        for url in [
            "https://me:secret@h/{owner}/{repo}",
            "ext::sh -c x {owner} {repo}",
            "ext::program{owner}{repo}",
            "fd::{owner}{repo}",
            "--upload-pack={owner}{repo}",
            "https://h/{owner}",
            "ftp://h/{owner}/{repo}",
            "h/{owner}/{repo}",
            "",
        ] {
            let refused = check(&settings(url));
            assert!(matches!(refused, Err(FetchError::Settings(_))), "{url}");
            assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
        }
        for url in [
            "https://h/{owner}/{repo}",
            "git@h:{owner}/{repo}.git",
            "/srv/{owner}/{repo}.git",
            "ssh://git@h/{owner}/{repo}",
        ] {
            assert!(check(&settings(url)).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_token_goes_to_its_host_and_not_in_clear_text() {
        let place = Place::new("o", "r", "v1").expect("valid");
        for (url, given) in [
            ("https://h/{owner}/{repo}", Some("https://h")),
            ("http://h/{owner}/{repo}", None),
            ("https://other/{owner}/{repo}", None),
            ("https://h.evil/{owner}/{repo}", None),
            ("http://127.0.0.1:80/{owner}/{repo}", Some("http://127.0.0.1:80")),
            ("http://[::1]:80/{owner}/{repo}", Some("http://[::1]:80")),
        ] {
            let sources = sources(&settings(url), &place).expect("valid");
            let token = sources[0].addresses[0].token.as_ref().map(|(host, _)| host.as_str());
            assert_eq!(token, given, "{url}");
        }
        assert_eq!(format!("{:?}", Token::new("secret")), "***");
    }

    #[test]
    fn servers_have_names_that_are_safe_in_a_path() {
        for name in ["", "..", "a/b", ".x", "folder"] {
            let mut settings = settings("https://h/{owner}/{repo}");
            settings.servers[0].name = name.into();
            assert!(check(&settings).is_err(), "{name}");
        }
        let mut twice = settings("https://h/{owner}/{repo}");
        twice.servers.push(twice.servers[0].clone());
        assert!(check(&twice).is_err());
    }
}
