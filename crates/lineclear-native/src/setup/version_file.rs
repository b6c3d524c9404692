//! Files of a repository that say which version of a tool it wants.
//!
//! # Source
//! The documentation of `python-version-file`, `node-version-file`, `go-version-file` and `java-version-file` of the setup
//! actions.

use lineclear_runner::native::{Call, NativeError};
use serde_json::Value as Json;

/// The versions that the file of `input` asks for, such as `.python-version`, `.nvmrc`, `.tool-versions`, `go.mod`, `package.json`: one, or
/// for `.python-version` one a line.
///
/// # Errors
/// The file is not there or out of the job's reach, or names no version of `tools`.
pub(crate) fn read(call: &Call<'_>, input: &str, file: &str, tools: &[&str]) -> Result<Vec<String>, NativeError> {
    let path = call.resolve(input, file)?;
    let wrong = |why: String| NativeError(format!("The specified version file `{file}` {why}"));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = versions(&name, &text, tools).map_err(wrong)?;
    if found.is_empty() { Err(wrong(format!("names no version of {}", tools.join(" or ")))) } else { Ok(found) }
}

fn versions(name: &str, text: &str, tools: &[&str]) -> Result<Vec<String>, String> {
    let lines =
        || text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty());
    let one = |version: Option<String>| version.filter(|version| !version.is_empty()).into_iter().collect();
    Ok(match name {
        ".tool-versions" => one(lines().find_map(|line| {
            let (tool, version) = line.split_once(char::is_whitespace)?;
            tools.contains(&tool).then(|| version.split_whitespace().next().unwrap_or_default().to_owned())
        })),
        "go.mod" | "go.work" => {
            let go = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
            let after =
                |start: &str| go.clone().find_map(|line| line.strip_prefix(start).map(|rest| rest.trim().to_owned()));
            one(after("toolchain go").or_else(|| after("go ")))
        }
        "package.json" => one(from_package_json(text, tools)?),
        ".sdkmanrc" => one(lines().find_map(|line| {
            let (tool, version) = line.split_once('=')?;
            tools.contains(&tool.trim()).then(|| version.trim().split('-').next().unwrap_or_default().to_owned())
        })),
        "Pipfile" => one(toml_text(text, &[&["requires", "python_full_version"], &["requires", "python_version"]])?),
        _ if name.ends_with(".toml") => {
            let places: &[&[&str]] = &[&["project", "requires-python"], &["tool", "poetry", "dependencies", "python"]];
            one(toml_text(text, places)?)
        }
        ".python-version" => lines().map(|line| line.trim_start_matches("python-").to_owned()).collect(),
        _ => one(lines().next().map(str::to_owned)),
    })
}

/// The first of several places in a TOML file that holds a text.
fn toml_text(text: &str, places: &[&[&str]]) -> Result<Option<String>, String> {
    let table: toml::Table = text.parse().map_err(|error| format!("is not valid TOML: {error}"))?;
    Ok(places.iter().find_map(|place| {
        let (last, outer) = place.split_last()?;
        let table = outer.iter().try_fold(&table, |table, key| table.get(*key)?.as_table())?;
        table.get(*last)?.as_str().map(str::to_owned)
    }))
}

fn from_package_json(text: &str, tools: &[&str]) -> Result<Option<String>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("is not valid JSON: {error}"))?;
    let of = |section: &str| tools.iter().find_map(|tool| json[section][*tool].as_str().map(str::to_owned));
    let runtimes = &json["devEngines"]["runtime"];
    let runtimes = runtimes.as_array().map_or(std::slice::from_ref(runtimes), Vec::as_slice);
    let runtime = runtimes.iter().find(|runtime| runtime["name"].as_str().is_some_and(|name| tools.contains(&name)));
    let told = || runtime.and_then(|runtime| runtime["version"].as_str()).map(str::to_owned);
    Ok(of("volta").or_else(told).or_else(|| of("engines")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, tools: &[&str], expected: &[&str]) {
        assert_eq!(versions(name, text, tools).expect("it is read"), expected, "{name}");
    }

    #[test]
    fn version_files_are_read() {
        check(".python-version", "# mine\n3.12.1\npython-3.11\n", &["python"], &["3.12.1", "3.11"]);
        check(".nvmrc", "v20 # LTS\n", &["node"], &["v20"]);
        check(".tool-versions", "ruby 3.3\nnodejs 20.1.0 system\n", &["node", "nodejs"], &["20.1.0"]);
        check("go.mod", "module x // go 1.0\n\ngo 1.21\n", &["go"], &["1.21"]);
        check("go.mod", "module x\ngo 1.21\ntoolchain go1.22.3\n", &["go"], &["1.22.3"]);
        check(
            "pyproject.toml",
            "[tool.mypy]\npython_version = '3.8'\n[project]\nrequires-python = '>=3.9,<4'\n",
            &["python"],
            &[">=3.9,<4"],
        );
        check("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.10'\n", &["python"], &["^3.10"]);
        check("pyproject.toml", "[tool.x]\n", &["python"], &[]);
        check("Pipfile", "[requires]\npython_version = '3.9'\n", &["python"], &["3.9"]);
        check("package.json", r#"{"engines":{"node":">=18"},"volta":{"node":"20.1.0"}}"#, &["node"], &["20.1.0"]);
        check("package.json", r#"{"devEngines":{"runtime":[{"name":"node","version":"^22"}]}}"#, &["node"], &["^22"]);
        check(".sdkmanrc", "java=17.0.9-tem\n", &["java"], &["17.0.9"]);
        assert!(versions("package.json", "{", &["node"]).is_err());
        assert!(versions("pyproject.toml", "=", &["python"]).is_err());
    }
}
