//! Code scanning: uploads, analyses and alerts.

use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::sarif::{self, Finding, ToolRun, severity_word};
use super::{not_offered, number};
use crate::call::{Answer, Call, Fields, Refusal, time};
use crate::git::is_object_id;
use crate::journal::Transaction;
use crate::posted::{PostedAction, Posting};
use crate::record::{Alert, Analysis};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("PUT", ["analysis"]) | ("POST", ["sarifs"]) => upload(call, memory),
        // Telemetry of codeql-action: nothing is kept of it.
        ("PUT", ["analysis", "status"]) => {
            call.fields()?;
            Ok(ApiResponse::json(200, &json!({})))
        }
        ("GET", ["sarifs", id]) => status(call, memory, id),
        ("GET", ["analyses"]) => analyses(call, memory),
        ("GET", ["analyses", id]) => {
            let found: Analysis = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
            let accept = call.request.header("accept").unwrap_or_default();
            if accept.contains("sarif+json") {
                let body = call.forge.blobs().read(&found.digest);
                let body = body.map_err(|fault| Refusal::said(500, &format!("cannot read the analysis: {fault}")))?;
                let headers = vec![("content-type".into(), "application/sarif+json; charset=utf-8".into())];
                return Ok(ApiResponse { status: 200, headers, body });
            }
            Ok(ApiResponse::json(200, &analysis(call, &found)))
        }
        ("DELETE", ["analyses", id]) => {
            let found: Analysis = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
            memory.remove::<Analysis>(found.id);
            Ok(ApiResponse::json(200, &json!({"next_analysis_url": null, "confirm_delete_url": null})))
        }
        ("GET", ["alerts"]) => alerts(call, memory),
        ("GET", ["alerts", n]) => Ok(ApiResponse::json(200, &alert(call, &known(memory, n)?))),
        ("GET", ["alerts", n, "instances"]) => {
            let found = known(memory, n)?;
            Ok(call.page(&[found], instance))
        }
        ("PATCH", ["alerts", n]) => edit(call, memory, known(memory, n)?),
        ("GET", ["codeql-action", "features"]) => Ok(ApiResponse::json(200, &json!({}))),
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, text: &str) -> Result<Alert, Refusal> {
    memory.get(number(text)?).ok_or_else(Refusal::not_found)
}

/// An upload's id looks like those of GitHub, and holds the number of its first analysis.
fn upload_id(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{:012x}", number >> 16 & 0xffff_ffff, number)
}

fn upload(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let sha = fields.text("commit_sha")?.or(fields.text("commit_oid")?).unwrap_or_default().to_owned();
    let missing = |field| Refusal::invalid("CodeScanningAnalysis", field, "missing_field");
    if sha.is_empty() {
        return Err(missing("commit_sha"));
    }
    if !is_object_id(&sha) {
        return Err(Refusal::said(400, "commit_oid is not a full commit SHA"));
    }
    let reference = fields.text("ref")?.filter(|text| !text.is_empty()).ok_or_else(|| missing("ref"))?;
    if !reference.starts_with("refs/") {
        return Err(Refusal::said(
            400,
            "ref must be a full ref: refs/heads/<branch>, refs/tags/<tag> or refs/pull/<number>/merge",
        ));
    }
    let packed = fields.required("CodeScanningAnalysis", "sarif")?;
    let id = memory.new_id();
    let sarif = upload_id(id);
    let read = sarif::unpack(packed).map_err(|why| Refusal::said(400, &why))?;
    let fault = |fault| Refusal::said(500, &format!("cannot keep the upload: {fault}"));
    let digest = call.forge.blobs().keep(&read).map_err(fault)?;
    let base = Analysis {
        id,
        sarif: sarif.clone(),
        reference: reference.to_owned(),
        sha,
        category: String::new(),
        analysis_key: fields.text("analysis_key")?.unwrap_or_default().to_owned(),
        tool: String::new(),
        tool_version: None,
        results: 0,
        rules: 0,
        error: String::new(),
        run: fields.number("workflow_run_id").unwrap_or(None),
        digest,
        created: call.now,
    };
    match sarif::read(&read) {
        Err(why) => memory.put(&Analysis { error: why, ..base }),
        Ok(runs) => enter(call, memory, &base, &fields, &runs)?,
    }
    let url = call.api(&format!("code-scanning/sarifs/{sarif}"));
    Ok(ApiResponse::json(202, &json!({"id": sarif, "url": url})))
}

fn enter(
    call: &Call<'_>,
    memory: &mut Transaction,
    base: &Analysis,
    fields: &Fields,
    runs: &[ToolRun],
) -> Result<(), Refusal> {
    let mut lines = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        // Without a category of its own, a run is told apart by what analysed it.
        let category = if run.category.is_empty() { base.analysis_key.clone() } else { run.category.clone() };
        let analysis = Analysis {
            id: if place == 0 { base.id } else { memory.new_id() },
            category,
            tool: run.tool.clone(),
            tool_version: run.version.clone(),
            results: run.findings.len() as u64,
            rules: run.rules,
            ..base.clone()
        };
        memory.put(&analysis);
        raise(call, memory, &analysis, &run.findings);
        let name = if analysis.category.is_empty() { String::new() } else { format!(" ({})", analysis.category) };
        lines.push(format!("- {}{name}: {} findings", run.tool, run.findings.len()));
        let first = run.findings.iter().take(10);
        lines.extend(first.map(|one| format!("  - `{}:{}` {}: {}", one.path, one.start_line, one.rule, one.message)));
    }
    let tool = fields.value("tool_names").as_array().and_then(|names| names.first()).and_then(Value::as_str);
    let tool = tool.or(runs.first().map(|run| run.tool.as_str())).unwrap_or("SARIF");
    let posting = Posting {
        kind: "code_scanning",
        object: base.id,
        title: format!("Code scanning results of {tool}"),
        markdown: &lines.join("\n"),
        url: call.html("security/code-scanning"),
        action: PostedAction::Created,
    };
    memory.posted(call.caller, posting);
    Ok(())
}

/// Makes alerts of new findings, and fixes those that the same tool, category and ref no longer has.
fn raise(call: &Call<'_>, memory: &mut Transaction, analysis: &Analysis, findings: &[Finding]) {
    let mut before: Vec<Alert> = memory.all::<Alert>();
    before.retain(|alert| {
        alert.tool == analysis.tool && alert.category == analysis.category && alert.reference == analysis.reference
    });
    let mut next = memory.all::<Alert>().last().map_or(1, |alert| alert.number + 1);
    for finding in findings {
        let place = before.iter().position(|alert| {
            alert.rule == finding.rule && alert.path == finding.path && alert.fingerprint == finding.fingerprint
        });
        let earlier = place.map(|place| before.swap_remove(place));
        let number = earlier.as_ref().map_or(next, |alert| alert.number);
        next = next.max(number + 1);
        let dismissed = earlier.as_ref().is_some_and(|alert| alert.state == "dismissed");
        memory.put(&Alert {
            number,
            tool: analysis.tool.clone(),
            tool_version: analysis.tool_version.clone(),
            category: analysis.category.clone(),
            analysis_key: analysis.analysis_key.clone(),
            reference: analysis.reference.clone(),
            sha: analysis.sha.clone(),
            rule: finding.rule.clone(),
            rule_description: finding.description.clone(),
            severity: finding.severity.clone(),
            security_severity: finding.security_severity.clone(),
            tags: finding.tags.clone(),
            message: finding.message.clone(),
            path: finding.path.clone(),
            start_line: finding.start_line,
            end_line: finding.end_line,
            start_column: finding.start_column,
            end_column: finding.end_column,
            fingerprint: finding.fingerprint.clone(),
            state: if dismissed { "dismissed".into() } else { "open".into() },
            dismissed_reason: earlier.as_ref().and_then(|alert| alert.dismissed_reason.clone()),
            dismissed_comment: earlier.as_ref().and_then(|alert| alert.dismissed_comment.clone()),
            created: earlier.as_ref().map_or(call.now, |alert| alert.created),
            updated: call.now,
            fixed: None,
        });
    }
    for gone in before.into_iter().filter(|alert| alert.state == "open") {
        memory.put(&Alert { state: "fixed".into(), fixed: Some(call.now), updated: call.now, ..gone });
    }
}

fn status(call: &Call<'_>, memory: &Transaction, id: &str) -> Answer {
    let all = memory.all::<Analysis>();
    let found = all.iter().find(|analysis| analysis.sarif == id).ok_or_else(Refusal::not_found)?;
    let analyses = call.api(&format!("code-scanning/analyses?sarif_id={id}"));
    let answer = if found.error.is_empty() {
        json!({"processing_status": "complete", "analyses_url": analyses, "errors": null})
    } else {
        json!({"processing_status": "failed", "analyses_url": null, "errors": [found.error]})
    };
    Ok(ApiResponse::json(200, &answer))
}

fn analyses(call: &Call<'_>, memory: &Transaction) -> Answer {
    let is = |query: &str, value: &str| call.query(query).is_none_or(|wanted| wanted == value);
    let mut all = memory.all::<Analysis>();
    all.retain(|one| {
        one.error.is_empty() && is("tool_name", &one.tool) && is("ref", &one.reference) && is("sarif_id", &one.sarif)
    });
    if call.query("direction") != Some("asc") {
        all.reverse();
    }
    if all.is_empty() {
        return Err(Refusal::said(404, "no analysis found"));
    }
    Ok(call.page(&all, |one| analysis(call, one)))
}

fn analysis(call: &Call<'_>, one: &Analysis) -> Value {
    json!({
        "ref": one.reference,
        "commit_sha": one.sha,
        "analysis_key": one.analysis_key,
        "environment": "{}",
        "category": one.category,
        "error": one.error,
        "created_at": time(one.created),
        "results_count": one.results,
        "rules_count": one.rules,
        "id": one.id,
        "url": call.api(&format!("code-scanning/analyses/{}", one.id)),
        "sarif_id": one.sarif,
        "tool": {"name": one.tool, "guid": null, "version": one.tool_version},
        "deletable": true,
        "warning": "",
    })
}

fn alerts(call: &Call<'_>, memory: &Transaction) -> Answer {
    let is = |query: &str, value: &str| call.query(query).is_none_or(|wanted| wanted == value);
    let mut all = memory.all::<Alert>();
    all.retain(|one| {
        is("state", &one.state)
            && is("tool_name", &one.tool)
            && is("ref", &one.reference)
            && is("category", &one.category)
            && call.query("severity").is_none_or(|wanted| {
                wanted == one.severity || one.security_severity.as_deref().and_then(severity_word) == Some(wanted)
            })
    });
    if call.query("direction") != Some("asc") {
        all.reverse();
    }
    Ok(call.page(&all, |one| alert(call, one)))
}

fn edit(call: &Call<'_>, memory: &mut Transaction, mut alert_: Alert) -> Answer {
    let fields = call.fields()?;
    match fields.required("Alert", "state")? {
        "open" => ("open".clone_into(&mut alert_.state), alert_.dismissed_reason = None).1,
        "dismissed" => {
            let reason = fields.required("Alert", "dismissed_reason")?;
            if !matches!(reason, "false positive" | "won't fix" | "used in tests") {
                return Err(Refusal::invalid("Alert", "dismissed_reason", "invalid"));
            }
            "dismissed".clone_into(&mut alert_.state);
            alert_.dismissed_reason = Some(reason.to_owned());
            alert_.dismissed_comment = fields.owned("dismissed_comment")?;
        }
        _ => return Err(Refusal::invalid("Alert", "state", "invalid")),
    }
    alert_.updated = call.now;
    memory.put(&alert_);
    Ok(ApiResponse::json(200, &alert(call, &alert_)))
}

fn alert(call: &Call<'_>, one: &Alert) -> Value {
    let url = call.api(&format!("code-scanning/alerts/{}", one.number));
    json!({
        "number": one.number,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "url": url,
        "html_url": call.html(&format!("security/code-scanning/{}", one.number)),
        "state": one.state,
        "fixed_at": one.fixed.map(time),
        "dismissed_by": null,
        "dismissed_at": null,
        "dismissed_reason": one.dismissed_reason,
        "dismissed_comment": one.dismissed_comment,
        "rule": {
            "id": one.rule,
            "severity": one.severity,
            "security_severity_level": one.security_severity.as_deref().and_then(severity_word),
            "description": one.rule_description,
            "name": one.rule,
            "tags": one.tags,
        },
        "tool": {"name": one.tool, "guid": null, "version": one.tool_version},
        "most_recent_instance": instance(one),
        "instances_url": format!("{url}/instances"),
    })
}

fn instance(one: &Alert) -> Value {
    json!({
        "ref": one.reference,
        "analysis_key": one.analysis_key,
        "environment": "{}",
        "category": one.category,
        "state": one.state,
        "commit_sha": one.sha,
        "message": {"text": one.message},
        "location": {
            "path": one.path,
            "start_line": one.start_line,
            "end_line": one.end_line,
            "start_column": one.start_column,
            "end_column": one.end_column,
        },
        "classifications": [],
    })
}
