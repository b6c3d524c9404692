//! github-script on the machine's Node.

use lineclear_event::AnnotationLevel;
use serde_json::json;

use crate::forge::served_pull_request;

fn script(inputs: &str, script: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    let lines: String = script.trim_matches('\n').lines().map(|line| format!("      {line}\n")).collect();
    format!("- id: it\n  uses: actions/github-script@v7\n  with:\n{inputs}    script: |\n{lines}")
}

const RESULT: &str = "- run: 'echo \"result=$RESULT\"'\n  env: { RESULT: '${{ steps.it.outputs.result }}' }";

/// S1-29, S2-20: a step comments on the pull request of the event, with the job's token.
#[test]
fn a_failed_job_comments_on_its_pull_request() {
    let (bench, forge, _served) = served_pull_request(&[]);
    let comment = script(
        "",
        "
const { data } = await github.rest.issues.createComment({
  issue_number: context.issue.number,
  owner: context.repo.owner,
  repo: context.repo.repo,
  body: `failed on ${context.eventName} by ${context.actor} in run ${context.runId}`,
});
core.info(`commented=${data.html_url}`);",
    )
    .replace("- id: it\n", "- id: it\n  if: failure()\n");
    let done = bench.job(&format!("- run: exit 1\n{comment}")).failed();
    assert_eq!(done.value("commented"), "https://forge/1");
    assert_eq!(forge.comments(), ["failed on pull_request by octocat in run 42"]);
    let request = forge.request("POST /repos/octo/App/issues/7/comments");
    assert_eq!(request.header("authorization"), Some("token lct_made-here"));
    assert_eq!(request.header("user-agent"), Some("actions/github-script"));
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(bench.job(&script("", "return 1")).succeeded().annotations, []);
}

/// S2-4, S2-19: found by its marker, edited on the next run; artifact links from the API.
#[test]
fn one_comment_is_found_again_and_edited() {
    let (bench, forge, _served) = served_pull_request(&[]);
    let artifacts = json!({ "total_count": 1, "artifacts": [{ "id": 5, "name": "reports" }] });
    forge.answer("GET /repos/octo/App/actions/runs/42/artifacts", 200, artifacts);
    let text = script(
        "",
        "
const marker = '<!-- report -->';
const issue = { ...context.repo, issue_number: context.issue.number };
const artifacts = await github.paginate(github.rest.actions.listWorkflowRunArtifacts, { ...context.repo, run_id: context.runId });
const body = `${marker}\\n${artifacts.map((one) => one.name)} by attempt ${process.env.N}`;
const comments = await github.paginate(github.rest.issues.listComments, { ...issue, per_page: 100 });
const known = comments.find((comment) => comment.body.includes(marker));
if (known) await github.rest.issues.updateComment({ ...context.repo, comment_id: known.id, body });
else await github.rest.issues.createComment({ ...issue, body });",
    );
    for n in ["1", "2"] {
        bench.job_with(&format!("env: {{ N: {n} }}"), &text).succeeded();
    }
    assert_eq!(forge.comments(), ["<!-- report -->\nreports by attempt 2"]);
}

#[test]
fn results_are_outputs_as_json_or_as_they_are() {
    let (bench, ..) = served_pull_request(&[]);
    let result = |inputs: &str, text: &str| {
        bench.job(&format!("{}{RESULT}", script(inputs, text))).succeeded().value("result").to_owned()
    };
    assert_eq!(result("", "return { a: [1, 'b'] }"), r#"{"a":[1,"b"]}"#);
    assert_eq!(result("result-encoding: string", "return 'as it is'"), "as it is");
    assert_eq!(result("", "core.info('x')"), "");
    bench.job(&script("result-encoding: xml", "return 1")).failed().says(&["\"result-encoding\" must be either"]);
}

#[test]
fn an_error_of_the_api_is_a_request_error() {
    let (bench, forge, _served) = served_pull_request(&[]);
    let refused = json!({ "message": "Resource not accessible by integration", "documentation_url": "https://docs" });
    forge.answer("POST /repos/octo/App/issues", 403, refused);
    let text = script(
        "",
        "
try {
  await github.rest.issues.create({ ...context.repo, title: 't' });
} catch (error) {
  core.info(`seen=${error.name} ${error.status} ${error.response.data.message} ${error.request.headers.authorization}`);
  throw error;
}",
    );
    let done = bench.job(&text).failed();
    assert_eq!(done.value("seen"), "HttpError 403 Resource not accessible by integration token [REDACTED]");
    let said = "Unhandled error: HttpError: Resource not accessible by integration - https://docs".to_owned();
    assert_eq!(done.annotations, [(AnnotationLevel::Error, said)]);
}

#[test]
fn paths_queries_and_bodies_are_made_as_octokit_makes_them() {
    let (bench, forge, _served) = served_pull_request(&[]);
    for call in ["GET /repos/octo/App/contents/a%2Fb%20c.txt", "GET /search/issues", "POST /repos/octo/App/labels"] {
        forge.answer(call, 200, json!({ "ok": true }));
    }
    forge.answer("DELETE /repos/octo/App/issues/7/labels/bug%3A%20x", 204, json!(null));
    forge.answer("PUT /repos/octo/App/branches/main/protection/required_status_checks/contexts", 200, json!([]));
    let text = script(
        "",
        "
await github.rest.repos.getContent({ ...context.repo, path: 'a/b c.txt', ref: undefined });
await github.rest.search.issuesAndPullRequests({ q: 'repo:octo/App is:open a b' });
await github.request('POST /repos/{owner}/{repo}/labels', { ...context.repo, name: 'x', headers: { 'X-Own': 'yes' } });
const gone = await github.request({ method: 'DELETE', url: '/repos/:owner/:repo/issues/:number/labels/:name', ...context.repo, number: 7, name: 'bug: x' });
await github.rest.repos.setStatusCheckContexts({ ...context.repo, branch: 'main', contexts: ['a'] });
core.info(`gone=${gone.status}`);",
    );
    assert_eq!(bench.job(&text).succeeded().value("gone"), "204");
    let search = forge.request("GET /search/issues");
    assert_eq!(search.query, [("q".to_owned(), "repo%3Aocto%2FApp%20is%3Aopen%20a%20b".to_owned())]);
    assert_eq!(forge.body("POST /repos/octo/App/labels"), json!({ "name": "x" }));
    assert_eq!(forge.request("POST /repos/octo/App/labels").header("x-own"), Some("yes"));
    let contexts = "PUT /repos/octo/App/branches/main/protection/required_status_checks/contexts";
    assert_eq!(forge.body(contexts), json!(["a"]));
}

#[test]
fn lists_come_page_after_page() {
    let (bench, forge, _served) = served_pull_request(&[]);
    forge.list("/repos/octo/App/pulls/7/files", (0..5).map(|n| json!({ "filename": format!("f{n}") })).collect());
    let text = script(
        "",
        "
const pull = { ...context.repo, pull_number: 7, per_page: 2 };
const all = await github.paginate(github.rest.pulls.listFiles, pull, (response) => response.data.map((file) => file.filename));
const some = await github.paginate('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', pull, (response, done) => { done(); return response.data; });
let pages = 0;
for await (const { data } of github.paginate.iterator(github.rest.pulls.listFiles, pull)) pages += data.length > 0;
core.info(`seen=${all.join()} ${some.length} ${pages}`);",
    );
    assert_eq!(bench.job(&text).succeeded().value("seen"), "f0,f1,f2,f3,f4 2 3");
}

#[test]
fn graphql_gives_data_or_throws_its_errors() {
    let (bench, forge, _served) = served_pull_request(&[]);
    forge.answer("POST /graphql", 200, json!({ "data": { "viewer": { "login": "bot" } } }));
    forge.answer("POST /graphql", 200, json!({ "data": null, "errors": [{ "message": "no such field" }] }));
    let text = script(
        "",
        "
const { viewer } = await github.graphql('query($n: Int!) { viewer { login } }', { n: 7 });
core.info(`viewer=${viewer.login}`);
await github.graphql('{ nothing }').catch((error) => core.info(`error=${error.name} ${error.errors[0].message}`));",
    );
    let done = bench.job(&text).succeeded();
    assert_eq!((done.value("viewer"), done.value("error")), ("bot", "GraphqlResponseError no such field"));
}

#[test]
fn calls_are_tried_again_when_asked_for() {
    let (bench, forge, _served) = served_pull_request(&[]);
    forge.answer("GET /repos/octo/App", 502, json!({ "message": "bad" }));
    forge.answer("GET /repos/octo/App", 200, json!({ "default_branch": "main" }));
    let text = script("retries: 1", "return (await github.rest.repos.get(context.repo)).data.default_branch");
    assert_eq!(bench.job(&format!("{text}{RESULT}")).succeeded().value("result"), "\"main\"");
    assert_eq!(forge.calls().len(), 2);
    bench.job(&script("retries: 1", "await github.rest.repos.getBranch({ ...context.repo, branch: 'x' })")).failed();
    assert_eq!(forge.calls().len(), 3);
}

#[test]
fn a_method_that_is_not_known_says_what_to_do() {
    let (bench, ..) = served_pull_request(&[]);
    bench
        .job(&script("", "await github.rest.issues.createComent({})"))
        .failed()
        .says(&["knows no method `github.rest.issues.createComent`", "--no-native-actions"]);
}

#[test]
fn core_exec_io_and_glob_work_as_the_packages_do() {
    let (bench, ..) =
        served_pull_request(&[("src/a.txt", "a"), ("src/b.md", "b"), ("lib/helper.js", "module.exports = () => 42;")]);
    let text = script(
        "",
        "
core.exportVariable('LATER', 'a\\nb');
core.addPath('/opt/later');
core.setSecret('hush-' + 'hush');
core.notice('look', { file: 'src/a.txt', startLine: 1, title: 'T: x' });
core.warning(new Error('odd'));
core.info('hush-' + 'hush');
await core.summary.addHeading('Results', 2).addTable([[{ data: 'a', header: true }], ['1']]).addLink('more', 'https://x').write();
const said = await exec.getExecOutput('bash', ['-c', 'echo out; echo err >&2; exit 3'], { ignoreReturnCode: true, silent: true });
await exec.exec('echo \"two words\"');
await exec.exec('false').catch((error) => core.info(`failed=${error.message}`));
await io.mkdirP('made/deep');
await io.cp('src', 'made', { recursive: true });
const files = await (await glob.create('made/**\\n!**/*.md', { matchDirectories: false })).glob();
core.info(`seen=${said.stdout.trim()} ${said.stderr.trim()} ${said.exitCode} ${files.map((file) => file.split('/').pop())} ${require('./lib/helper.js')()}`);
core.info(`hash=${(await glob.hashFiles('src/*')).length}`);
await core.group('inside', async () => core.info('grouped'));
core.setOutput('own', { a: 1 });",
    );
    let done = bench
        .job(&format!("{text}- run: 'echo \"later=$LATER own=${{{{ steps.it.outputs.own }}}} path=${{PATH%%:*}}\"'"))
        .succeeded()
        .says(&["two words", "::group::inside".trim_start_matches("::group::"), "grouped", "***"])
        .never_says(&["hush-hush"]);
    assert_eq!(done.value("seen"), "out err 3 a.txt 42");
    assert_eq!(done.value("hash"), "64");
    assert!(done.value("failed").ends_with("failed with exit code 1"), "{}", done.log);
    assert!(done.log.contains("b own={a:1} path=/opt/later"), "{}", done.log);
    assert!(done.summary.contains("<h2>Results</h2>") && done.summary.contains("<a href=\"https://x\">more</a>"));
    let annotations: Vec<_> = done.annotations.iter().map(|(level, message)| (*level, message.as_str())).collect();
    assert_eq!(annotations, [(AnnotationLevel::Notice, "look"), (AnnotationLevel::Warning, "Error: odd")]);
}

#[test]
fn a_script_that_never_ends_is_stopped_by_its_time_out() {
    let (bench, ..) = served_pull_request(&[]);
    let text = script("", "core.info('started'); await new Promise((resolve) => setTimeout(resolve, 3600000));");
    let text = text.replace("- id: it\n", "- id: it\n  timeout-minutes: 0.02\n");
    bench.job(&text).failed().says(&["timed out"]);
}

#[test]
fn a_forge_that_is_gone_is_an_error_that_says_so() {
    let (mut bench, ..) = served_pull_request(&[]);
    bench.github["api_url"] = "http://127.0.0.1:9/api/v3".into();
    bench.job(&script("", "await github.rest.repos.get(context.repo)")).failed().says(&["Unhandled error: HttpError:"]);
}
