//! `aquasecurity/trivy-action`: an image, a folder or a list of contents looked through for known vulnerabilities.
//!
//! # Source
//! `action.yaml` and `entrypoint.sh` of the action, 0.20 to 0.33, and trivy's documentation of its variables: an input that is not its default
//! wins over the variable, which wins over the default. SARIF has all severities unless `limit-severities-for-sarif` is set.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use lineclear_event::Severity;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use lineclear_vulnerability::Hit;

use super::looked::{self, Looked};
use super::taken::{self, Taken};
use super::{Vulnerabilities, ignore_file, refused, report};

/// The action.
#[derive(Debug)]
pub(super) struct Trivy {
    pub(super) known: Arc<dyn Vulnerabilities>,
}

pub(super) const NAME: &str = "aquasecurity/trivy-action";
const ALL_SEVERITIES: &str = "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL";
const ALL_TYPES: &str = "os,library";

/// What is asked for and never carried out here: input and variable.
const REFUSED: [(&str, &str); 4] = [
    ("template", "TRIVY_TEMPLATE"),
    ("ignore-policy", "TRIVY_IGNORE_POLICY"),
    ("trivy-config", "TRIVY_CONFIG"),
    ("tf-vars", "TRIVY_TF_VARS"),
];

impl NativeAction for Trivy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn stands_for(&self, _reference: &str) -> bool {
        self.known.is_there()
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Aqua Security Trivy
inputs:
  scan-type: { default: image }
  image-ref: {}
  input: { default: '' }
  scan-ref: { default: . }
  exit-code: {}
  ignore-unfixed: { default: 'false' }
  vuln-type: { default: 'os,library' }
  severity: { default: 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL' }
  format: { default: table }
  template: { default: '' }
  output: { default: '' }
  skip-dirs: { default: '' }
  skip-files: { default: '' }
  cache-dir: { default: '${{ github.workspace }}/.cache/trivy' }
  timeout: { default: '' }
  ignore-policy: { default: '' }
  hide-progress: {}
  list-all-pkgs: { default: 'false' }
  scanners: { default: '' }
  trivyignores: { default: '' }
  github-pat: {}
  trivy-config: {}
  tf-vars: {}
  limit-severities-for-sarif: {}
  docker-host: {}
  version: { default: '' }
  cache: { default: 'true' }
  skip-setup-trivy: { default: 'false' }
  token-setup-trivy: { default: '${{ github.token }}' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let wish = Wish::of(call)?;
        let ignored = ignored(call)?;
        let taken = wish.take(call)?;
        let mut looked = looked::look(call, taken, &self.known)?;
        let gaps = looked.gaps();
        looked.retain(|hit| wish.wants(hit) && !ignored.iter().any(|name| is_called(hit, name)));
        let text = wish.form.write(&looked);
        match &wish.output {
            Some(path) => {
                let wrong = |error| NativeError(format!("`{}` cannot be written: {error}", path.display()));
                path.parent()
                    .map_or(Ok(()), std::fs::create_dir_all)
                    .and_then(|()| std::fs::write(path, &text))
                    .map_err(wrong)?;
                let name = path.strip_prefix(call.workspace()).unwrap_or(path).display().to_string();
                call.effects.log(&format!("{} in {name}", findings(looked.hits().count())));
            }
            None => call.effects.log(text.trim_end()),
        }
        let count = looked.hits().count();
        if wish.exit_code != 0 && count > 0 {
            return Err(NativeError(format!(
                "{} of the severities that are asked for: exit code {}",
                findings(count),
                wish.exit_code
            )));
        }
        if wish.exit_code != 0 && !gaps.is_empty() {
            return Err(NativeError(format!(
                "not everything could be looked up, so nobody knows: {}",
                gaps.join("; ")
            )));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Table,
    Json,
    Sarif,
}

impl Form {
    fn write(self, looked: &Looked) -> String {
        match self {
            Self::Table => report::table(looked),
            Self::Json => format!("{:#}\n", report::trivy(looked)),
            Self::Sarif => format!("{:#}\n", report::sarif(looked)),
        }
    }
}

/// What the inputs and variables ask for.
#[derive(Debug)]
struct Wish {
    kind: String,
    severities: BTreeSet<Severity>,
    packages_of_distributions: bool,
    packages_of_languages: bool,
    only_fixed: bool,
    exit_code: i32,
    form: Form,
    output: Option<PathBuf>,
    /// Paths from the root of the image or folder.
    left_out: Vec<String>,
}

impl Wish {
    fn of(call: &mut Call<'_>) -> Result<Self, NativeError> {
        for (input, variable) in REFUSED {
            let value = setting(call, input, variable, "");
            if !value.is_empty() {
                return Err(refused(&format!("{input}: `{value}`")));
            }
        }
        if call.workspace().join("trivy.yaml").exists() {
            return Err(refused("the configuration file `trivy.yaml`"));
        }
        let scanners = setting(call, "scanners", "TRIVY_SCANNERS", "");
        if let Some(other) = words(&scanners).find(|scanner| *scanner != "vuln") {
            return Err(refused(&format!("scanners: a search for `{other}`")));
        }
        if words(&scanners).next().is_none() && call.input("scan-type") != "sbom" {
            call.effects.log("Secrets are not searched for here; `scanners: vuln` is all that is done");
        }
        let form = match setting(call, "format", "TRIVY_FORMAT", "table").as_str() {
            "table" => Form::Table,
            "json" => Form::Json,
            "sarif" => Form::Sarif,
            other => return Err(refused(&format!("format: `{other}`"))),
        };
        let mut severities = BTreeSet::new();
        let asked = setting(call, "severity", "TRIVY_SEVERITY", ALL_SEVERITIES);
        for word in words(&asked) {
            let known = Severity::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(word));
            severities.insert(known.ok_or_else(|| {
                NativeError(format!("severity: `{word}` is none of {}", ALL_SEVERITIES.replace(',', ", ")))
            })?);
        }
        if severities.is_empty() {
            return Err(NativeError(format!("severity: `{asked}` names none")));
        }
        if form == Form::Sarif && !call.flag("limit-severities-for-sarif")? {
            severities = Severity::ALL.into();
        }
        let types = types(call)?;
        let exit_code = setting(call, "exit-code", "TRIVY_EXIT_CODE", "0");
        let exit_code =
            exit_code.parse().map_err(|_| NativeError(format!("exit-code: `{exit_code}` has to be a whole number")))?;
        let output = setting(call, "output", "TRIVY_OUTPUT", "");
        let mut left_out = Vec::new();
        for (input, variable) in [("skip-dirs", "TRIVY_SKIP_DIRS"), ("skip-files", "TRIVY_SKIP_FILES")] {
            for path in words(&setting(call, input, variable, "")) {
                if path.contains(['*', '?', '[', '{']) {
                    return Err(refused(&format!("{input}: the pattern `{path}`")));
                }
                left_out.push(path.trim_start_matches("./").trim_matches('/').to_owned());
            }
        }
        let only_fixed = setting(call, "ignore-unfixed", "TRIVY_IGNORE_UNFIXED", "false").eq_ignore_ascii_case("true");
        Ok(Self {
            kind: call.input("scan-type").to_owned(),
            severities,
            packages_of_distributions: types.contains("os"),
            packages_of_languages: types.contains("library"),
            only_fixed,
            exit_code,
            form,
            output: (!output.is_empty()).then(|| call.resolve("output", &output)).transpose()?,
            left_out,
        })
    }

    fn take(&self, call: &mut Call<'_>) -> Result<Taken, NativeError> {
        let input = setting(call, "input", "TRIVY_INPUT", "");
        let place = call.input("scan-ref").to_owned();
        match self.kind.as_str() {
            "image" if !input.is_empty() => taken::archive(&call.resolve("input", &input)?),
            "image" => {
                let (user, password) = (call.env.get("TRIVY_USERNAME"), call.env.get("TRIVY_PASSWORD"));
                let login = user.cloned().zip(password.cloned()).filter(|(user, _)| !user.is_empty());
                let login = login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
                let engine = call.input("docker-host").to_owned();
                if !engine.is_empty() {
                    call.env.insert("DOCKER_HOST".into(), engine);
                }
                let name = call.input("image-ref").to_owned();
                taken::image(call, &name, login)
            }
            "fs" | "filesystem" | "rootfs" | "repo" | "repository" if !place.contains("://") => {
                taken::folder(&call.resolve("scan-ref", &place)?, &place)
            }
            "sbom" => taken::document(&call.resolve("scan-ref", &place)?, &place),
            other => Err(refused(&format!("scan-type: `{other}` of `{place}`"))),
        }
    }

    /// Whether the report has it.
    fn wants(&self, hit: &Hit) -> bool {
        let (is_of_language, _) = report::kind_of(hit);
        let is_of_type = if is_of_language { self.packages_of_languages } else { self.packages_of_distributions };
        let path = hit.path.trim_start_matches('/');
        let is_left_out = self
            .left_out
            .iter()
            .any(|left| path.strip_prefix(left.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        is_of_type
            && !is_left_out
            && self.severities.contains(&hit.severity)
            && !(self.only_fixed && hit.fixed.is_empty())
    }
}

/// Of which kinds the packages are: the variable has a name of before trivy 0.56, too.
fn types(call: &Call<'_>) -> Result<BTreeSet<String>, NativeError> {
    let variable = ["TRIVY_PKG_TYPES", "TRIVY_VULN_TYPE"].into_iter().find(|name| call.env.contains_key(*name));
    let asked = setting(call, "vuln-type", variable.unwrap_or("TRIVY_PKG_TYPES"), ALL_TYPES);
    if let Some(other) = words(&asked).find(|word| !words(ALL_TYPES).any(|known| known == *word)) {
        return Err(NativeError(format!("vuln-type: `{other}` is none of {}", ALL_TYPES.replace(',', ", "))));
    }
    let types: BTreeSet<String> = words(&asked).map(str::to_owned).collect();
    if types.is_empty() {
        return Err(NativeError(format!("vuln-type: `{asked}` names none of {}", ALL_TYPES.replace(',', ", "))));
    }
    Ok(types)
}

fn findings(count: usize) -> String {
    format!("{count} finding{}", if count == 1 { "" } else { "s" })
}

fn is_called(hit: &Hit, name: &str) -> bool {
    std::iter::once(&hit.id).chain(&hit.aliases).any(|own| own.eq_ignore_ascii_case(name))
}

/// The names in the files that `trivyignores` names, else in `.trivyignore`.
fn ignored(call: &Call<'_>) -> Result<Vec<String>, NativeError> {
    let given = call.input("trivyignores");
    let today = jiff::Timestamp::from_millisecond(call.now.0).unwrap_or(jiff::Timestamp::MAX);
    let today = today.to_zoned(TimeZone::UTC).date();
    let mut names = Vec::new();
    for file in words(if given.is_empty() { ".trivyignore" } else { given }) {
        if [".yaml", ".yml"].iter().any(|end| file.ends_with(end)) {
            return Err(refused(&format!("trivyignores: `{file}` in YAML")));
        }
        match std::fs::read_to_string(call.resolve("trivyignores", file)?) {
            Ok(text) => names.extend(ignore_file::read(&text, today)),
            Err(error) if given.is_empty() && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(NativeError(format!("trivyignores: `{file}` cannot be read: {error}"))),
        }
    }
    Ok(names)
}

/// An input that is not its default, else the variable, else the default.
fn setting(call: &Call<'_>, input: &str, variable: &str, default: &str) -> String {
    let given = call.input(input);
    if !given.is_empty() && given != default {
        return given.to_owned();
    }
    let of_environment = call.env.get(variable).map(|value| value.trim()).filter(|value| !value.is_empty());
    of_environment.unwrap_or(default).to_owned()
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty())
}
