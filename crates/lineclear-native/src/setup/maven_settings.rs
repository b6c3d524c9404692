//! The settings of Maven that `actions/setup-java` writes: with which account it reads and publishes packages.
//!
//! The real action writes them into the home folder of a machine that is thrown away. Here they are the job's own, and only there
//! when an input asks for something.
//!
//! # Source
//! `action.yml` and the documentation of `actions/setup-java`, "Publishing using Apache Maven".

use lineclear_runner::native::{Call, NativeError};

/// Writes the settings, if the inputs ask for any, and gives the argument that makes Maven read them.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(call: &Call<'_>) -> Result<Option<String>, NativeError> {
    let (id, user, password) = (call.input("server-id"), call.input("server-username"), call.input("server-password"));
    let (path, passphrase) = (call.input("settings-path"), call.input("gpg-passphrase"));
    let is_default = id == "github" && user == "GITHUB_ACTOR" && password == "GITHUB_TOKEN";
    if is_default && path.is_empty() && passphrase.is_empty() {
        return Ok(None);
    }
    let folder =
        if path.is_empty() { call.room.layout().temp.join("_m2") } else { call.resolve("settings-path", path)? };
    let file = call.reached("the settings of Maven", folder.join("settings.xml"))?;
    if file.exists() && call.input("overwrite-settings") == "false" {
        return Ok(Some(argument(&file)));
    }
    let written =
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, settings(id, user, password, passphrase)));
    written.map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
    Ok(Some(argument(&file)))
}

fn argument(file: &std::path::Path) -> String {
    format!("--settings {}", file.display())
}

/// The values stay in the variables that are named: nothing secret is in the file.
fn settings(id: &str, user: &str, password: &str, passphrase: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (id, user, password) = (escaped(id), escaped(user), escaped(password));
    let mut servers = format!(
        "    <server>\n      <id>{id}</id>\n      <username>${{env.{user}}}</username>\n      <password>${{env.{password}}}</password>\n    </server>\n"
    );
    if !passphrase.is_empty() {
        let passphrase = escaped(passphrase);
        servers.push_str(&format!(
            "    <server>\n      <id>gpg.passphrase</id>\n      <passphrase>${{env.{passphrase}}}</passphrase>\n    </server>\n"
        ));
    }
    let names = "xmlns=\"http://maven.apache.org/SETTINGS/1.0.0\"";
    format!(
        "<settings {names}>\n  <interactiveMode>false</interactiveMode>\n  <servers>\n{servers}  </servers>\n</settings>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_named_by_variables() {
        let text = settings("a&b", "USER", "TOKEN", "PHRASE");
        assert!(text.contains("<id>a&amp;b</id>") && text.contains("<username>${env.USER}</username>"));
        assert!(
            text.contains("<password>${env.TOKEN}</password>")
                && text.contains("<passphrase>${env.PHRASE}</passphrase>")
        );
    }
}
