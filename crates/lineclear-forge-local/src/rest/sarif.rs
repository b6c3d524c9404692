//! SARIF: what an upload holds, read as far as alerts need it.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;

/// GitHub's limit for the packed upload, and ours for the text in it, in bytes.
const MAX_PACKED: usize = 10 << 20;
const MAX_TEXT: u64 = 200 << 20;
/// GitHub reads no more runs and results.
const MAX_RUNS: usize = 20;
const MAX_RESULTS: usize = 25_000;

/// One run of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ToolRun {
    pub(super) tool: String,
    pub(super) version: Option<String>,
    /// What keeps runs of one tool apart; empty where the file names none.
    pub(super) category: String,
    pub(super) rules: u64,
    pub(super) findings: Vec<Finding>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) rule: String,
    pub(super) description: String,
    pub(super) severity: String,
    pub(super) security_severity: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) message: String,
    pub(super) path: String,
    pub(super) start_line: u64,
    pub(super) end_line: u64,
    pub(super) start_column: u64,
    pub(super) end_column: u64,
    pub(super) fingerprint: String,
}

/// The text of an upload: gzip in base64.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn unpack(upload: &str) -> Result<Vec<u8>, String> {
    let packed: String = upload.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let packed = STANDARD.decode(packed).map_err(|_| "the SARIF upload is not base64".to_owned())?;
    if packed.len() > MAX_PACKED {
        return Err(format!("the SARIF upload is larger than {} MiB", MAX_PACKED >> 20));
    }
    let mut text = Vec::new();
    let read = GzDecoder::new(packed.as_slice()).take(MAX_TEXT + 1).read_to_end(&mut text);
    match read {
        Err(_) => Err("the SARIF upload is not compressed with gzip".to_owned()),
        Ok(_) if text.len() as u64 > MAX_TEXT => Err(format!("the SARIF text is larger than {} MiB", MAX_TEXT >> 20)),
        Ok(_) => Ok(text),
    }
}

/// # Errors
/// A sentence that says what is wrong with the file.
pub(super) fn read(text: &[u8]) -> Result<Vec<ToolRun>, String> {
    let file: Value = serde_json::from_slice(text).map_err(|error| format!("the SARIF file is not JSON: {error}"))?;
    let runs = file["runs"].as_array().ok_or("the SARIF file has no `runs`")?;
    if runs.len() > MAX_RUNS {
        return Err(format!("the SARIF file has {} runs; at most {MAX_RUNS} are read", runs.len()));
    }
    runs.iter().map(tool_run).collect()
}

fn tool_run(run: &Value) -> Result<ToolRun, String> {
    let driver = &run["tool"]["driver"];
    let tool =
        driver["name"].as_str().filter(|name| !name.is_empty()).ok_or("a run of the SARIF file names no tool")?;
    let results = run["results"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    if results.len() > MAX_RESULTS {
        return Err(format!("a run of the SARIF file has {} results; at most {MAX_RESULTS} are read", results.len()));
    }
    let extensions = run["tool"]["extensions"].as_array().into_iter().flatten();
    let mut rules: Vec<&Value> = driver["rules"].as_array().into_iter().flatten().collect();
    rules.extend(extensions.flat_map(|extension| extension["rules"].as_array().into_iter().flatten()));
    let version = driver["semanticVersion"].as_str().or(driver["version"].as_str()).map(str::to_owned);
    Ok(ToolRun {
        tool: tool.to_owned(),
        version,
        category: category(run["automationDetails"]["id"].as_str().unwrap_or_default()).to_owned(),
        rules: rules.len() as u64,
        findings: results.iter().map(|result| finding(result, &rules)).collect(),
    })
}

/// `my-category/run-7` → `my-category`: what stands behind the last slash names the run.
fn category(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(category, _)| category)
}

fn finding(result: &Value, rules: &[&Value]) -> Finding {
    let by_index = result["ruleIndex"].as_u64().and_then(|index| rules.get(usize::try_from(index).ok()?)).copied();
    let id = result["ruleId"].as_str().or(result["rule"]["id"].as_str());
    let id = id.or_else(|| by_index.and_then(|rule| rule["id"].as_str())).unwrap_or_default();
    let rule = rules.iter().copied().find(|rule| rule["id"] == id).or(by_index).unwrap_or(&Value::Null);
    let location = &result["locations"][0]["physicalLocation"];
    let region = &location["region"];
    let number = |name: &str, other: u64| region[name].as_u64().unwrap_or(other);
    let start_line = number("startLine", 1);
    let level = result["level"].as_str().or(rule["defaultConfiguration"]["level"].as_str()).unwrap_or("warning");
    let properties = &rule["properties"];
    let path = location["artifactLocation"]["uri"].as_str().unwrap_or_default();
    let message = message(&result["message"], rule);
    let prints = result["partialFingerprints"].as_object();
    let print = prints.and_then(|prints| prints.get("primaryLocationLineHash").or_else(|| prints.values().next()));
    let fingerprint = print.and_then(Value::as_str).map_or_else(|| format!("{start_line}:{message}"), str::to_owned);
    Finding {
        rule: id.to_owned(),
        description: text_of(&rule["shortDescription"]).or(text_of(&rule["fullDescription"])).unwrap_or(id).to_owned(),
        severity: level.to_owned(),
        security_severity: properties["security-severity"].as_str().map(str::to_owned),
        tags: properties["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        message,
        path: path.trim_start_matches("file:///").trim_start_matches("./").to_owned(),
        start_line,
        end_line: number("endLine", start_line),
        start_column: number("startColumn", 1),
        end_column: number("endColumn", number("startColumn", 1)),
        fingerprint,
    }
}

fn text_of(message: &Value) -> Option<&str> {
    message["text"].as_str().or(message["markdown"].as_str()).filter(|text| !text.is_empty())
}

fn message(message: &Value, rule: &Value) -> String {
    let by_id = || message["id"].as_str().and_then(|id| text_of(&rule["messageStrings"][id]));
    let mut text = text_of(message).or_else(by_id).unwrap_or_default().to_owned();
    for (index, argument) in message["arguments"].as_array().into_iter().flatten().enumerate().take(20) {
        text = text.replace(&format!("{{{index}}}"), argument.as_str().unwrap_or_default());
    }
    text
}

/// The security severity as a word, from a score of 0 to 10.
pub(super) fn severity_word(score: &str) -> Option<&'static str> {
    let score: f64 = score.parse().ok()?;
    Some(match score {
        score if score >= 9.0 => "critical",
        score if score >= 7.0 => "high",
        score if score >= 4.0 => "medium",
        _ => "low",
    })
}
