//! `marocchino/sticky-pull-request-comment`: one comment on a pull request, found again by a hidden marker and edited.
//!
//! # Source
//! `action.yml`, `src/main.ts` and `src/comment.ts` of the action, version 2. It finds comments by GraphQL; here the same
//! comments are found by REST, which every forge has.

use lineclear_event::AnnotationLevel;
use lineclear_forge::ApiRequest;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::{Value, json};

use crate::caching::text;
use crate::{forge, search};

/// Writes the comment.
#[derive(Debug)]
pub(crate) struct StickyComment;

impl NativeAction for StickyComment {
    fn name(&self) -> &'static str {
        "marocchino/sticky-pull-request-comment"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Sticky Pull Request Comment
inputs:
  header: { default: '' }
  append: { default: 'false' }
  recreate: { default: 'false' }
  number: { default: '' }
  number_force: { default: '' }
  owner: { default: '' }
  repo: { default: '' }
  message: { default: '' }
  path: { default: '' }
  delete: { default: 'false' }
  only_create: { default: 'false' }
  only_update: { default: 'false' }
  hide: { default: 'false' }
  hide_and_recreate: { default: 'false' }
  hide_classify: { default: OUTDATED }
  hide_details: { default: 'false' }
  ignore_empty: { default: 'false' }
  skip_unchanged: { default: 'false' }
  follow_symbolic_links: { default: 'false' }
  GITHUB_TOKEN: { default: '${{ github.token }}' }
outputs:
  previous_comment_id: { description: id of the comment that was there }
  created_comment_id: { description: id of the new comment }
"
    }

    fn stands_for(&self, reference: &str) -> bool {
        !reference.starts_with("v1")
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let forced = call.input("number_force").parse::<u64>().ok();
        let number = forced.or_else(|| forge::pull_number(call)).or_else(|| call.input("number").parse().ok());
        let Some(number) = number else {
            call.effects.log("no pull request numbers given: skip step");
            return Ok(());
        };
        let wish = Wish::read(call)?;
        let body = body(call)?;
        if !wish.needs_no_body() && body.is_empty() && call.flag("ignore_empty")? {
            call.effects.log("no body given: skip step by ignoreEmpty");
            return Ok(());
        }
        if !wish.needs_no_body() && body.is_empty() {
            return Err(NativeError("Either message or path input is required".into()));
        }
        let place = Place::read(call, number);
        let previous = place.find(call)?;
        if let Some(previous) = &previous {
            // The action finds it by GraphQL, whose ids are those of nodes.
            let node = previous["node_id"].as_str().map_or_else(|| id_of(previous), str::to_owned);
            call.effects.output("previous_comment_id", &node);
        }
        place.act(call, &wish, previous.as_ref(), &body)
    }
}

/// What is to be done with the comment.
#[derive(Clone, Debug)]
struct Wish {
    append: bool,
    recreate: bool,
    delete: bool,
    only_create: bool,
    only_update: bool,
    hide: bool,
    hide_and_recreate: bool,
    hide_details: bool,
    skip_unchanged: bool,
    classify: String,
}

impl Wish {
    fn read(call: &Call<'_>) -> Result<Self, NativeError> {
        let wish = Self {
            append: call.flag("append")?,
            recreate: call.flag("recreate")?,
            delete: call.flag("delete")?,
            only_create: call.flag("only_create")?,
            only_update: call.flag("only_update")?,
            hide: call.flag("hide")?,
            hide_and_recreate: call.flag("hide_and_recreate")?,
            hide_details: call.flag("hide_details")?,
            skip_unchanged: call.flag("skip_unchanged")?,
            classify: call.input("hide_classify").to_owned(),
        };
        let both = |one: bool, other: bool, names: &str| {
            let message = format!("{names} cannot be set to true simultaneously");
            if one && other { Err(NativeError(message)) } else { Ok(()) }
        };
        both(wish.delete, wish.recreate, "delete and recreate")?;
        both(wish.only_create, wish.only_update, "only_create and only_update")?;
        both(wish.hide, wish.hide_and_recreate, "hide and hide_and_recreate")?;
        Ok(wish)
    }

    fn needs_no_body(&self) -> bool {
        self.delete || self.hide
    }
}

/// What the comment is to say: the files of `path`, or `message`.
fn body(call: &mut Call<'_>) -> Result<String, NativeError> {
    let patterns: Vec<String> = call.lines("path").into_iter().map(str::to_owned).collect();
    if patterns.is_empty() {
        return Ok(call.inputs.get("message").map_or_else(String::new, |message| message.trim().to_owned()));
    }
    let files = search::artifact_files(call, "path", &patterns, true)?.files;
    let mut texts = Vec::new();
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => texts.push(text),
            // As the real action has it: told, and no text.
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", file.display());
                call.effects.annotate(AnnotationLevel::Error, &message);
            }
        }
    }
    Ok(texts.join("\n"))
}

/// Where the comment is.
#[derive(Clone, Debug)]
struct Place {
    repository: String,
    number: u64,
    marker: String,
}

impl Place {
    fn read(call: &Call<'_>, number: u64) -> Self {
        let own = text(&call.contexts.github, "repository");
        let (own_owner, own_name) = own.split_once('/').unwrap_or((own, ""));
        let or = |given: &str, own: &str| if given.is_empty() { own.to_owned() } else { given.to_owned() };
        let (owner, name) = (or(call.input("owner"), own_owner), or(call.input("repo"), own_name));
        Self {
            repository: format!("/repos/{owner}/{name}"),
            number,
            marker: format!("<!-- Sticky Pull Request Comment{} -->", call.input("header")),
        }
    }

    /// The comment as it is, if it is there: of this job's own author, with the marker.
    fn find(&self, call: &Call<'_>) -> Result<Option<Value>, NativeError> {
        // Job tokens may not ask who they are; what they write is the bot's.
        let viewer = forge::send(call, &ApiRequest::new("GET", "/user")).ok();
        let viewer = viewer.as_ref().and_then(|user| user["login"].as_str()).unwrap_or("github-actions[bot]");
        let path = format!("{}/issues/{}/comments", self.repository, self.number);
        let comments = forge::list(call, &path, None)?;
        let is_own = |comment: &Value| comment["user"]["login"].as_str().is_none_or(|login| login == viewer);
        let has_marker = |comment: &Value| text(comment, "body").contains(&self.marker);
        Ok(comments.into_iter().find(|comment| is_own(comment) && has_marker(comment)))
    }

    fn act(&self, call: &mut Call<'_>, wish: &Wish, previous: Option<&Value>, body: &str) -> Result<(), NativeError> {
        if wish.delete {
            return previous.map_or(Ok(()), |previous| self.remove(call, previous));
        }
        if wish.only_create && previous.is_some() {
            return Ok(());
        }
        if wish.hide {
            return previous.map_or(Ok(()), |previous| self.hide(call, previous, wish));
        }
        let Some(previous) = previous else {
            if wish.only_update {
                return Ok(());
            }
            return self.create(call, body, None);
        };
        if wish.skip_unchanged && self.with_marker(body) == text(previous, "body") {
            call.effects.log("Skip step: the comment would not change");
            return Ok(());
        }
        let before = wish.append.then(|| text(previous, "body"));
        if wish.recreate {
            self.remove(call, previous)?;
            return self.create(call, body, before);
        }
        if wish.hide_and_recreate {
            self.hide(call, previous, wish)?;
            return self.create(call, body, None);
        }
        let body = match before {
            Some(before) => self.appended(before, body, wish.hide_details),
            None => self.with_marker(body),
        };
        let path = format!("{}/issues/comments/{}", self.repository, id_of(previous));
        forge::send(call, &ApiRequest::new("PATCH", &path).json(&json!({ "body": body })))?;
        Ok(())
    }

    fn with_marker(&self, body: &str) -> String {
        format!("{body}\n{}", self.marker)
    }

    fn appended(&self, before: &str, body: &str, in_details: bool) -> String {
        let before = before.replace(&self.marker, "");
        let before = before.trim_end();
        if in_details {
            return self.with_marker(&format!("<details>\n\n{before}\n\n</details>\n\n{body}"));
        }
        self.with_marker(&format!("{before}\n{body}"))
    }

    fn create(&self, call: &mut Call<'_>, body: &str, before: Option<&str>) -> Result<(), NativeError> {
        let body = before.map_or_else(|| self.with_marker(body), |before| self.appended(before, body, false));
        let path = format!("{}/issues/{}/comments", self.repository, self.number);
        let created = forge::send(call, &ApiRequest::new("POST", &path).json(&json!({ "body": body })))?;
        call.effects.output("created_comment_id", &id_of(&created));
        Ok(())
    }

    fn remove(&self, call: &Call<'_>, comment: &Value) -> Result<(), NativeError> {
        let path = format!("{}/issues/comments/{}", self.repository, id_of(comment));
        forge::send(call, &ApiRequest::new("DELETE", &path))?;
        Ok(())
    }

    fn hide(&self, call: &Call<'_>, comment: &Value, wish: &Wish) -> Result<(), NativeError> {
        let query = "mutation($input: MinimizeCommentInput!) { minimizeComment(input: $input) { clientMutationId } }";
        let input = json!({ "subjectId": comment["node_id"], "classifier": wish.classify });
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer = forge::send(call, &ApiRequest::new("POST", "/graphql").json(&body))?;
        match answer["errors"][0]["message"].as_str() {
            Some(message) => Err(NativeError(message.to_owned())),
            None => Ok(()),
        }
    }
}

fn id_of(comment: &Value) -> String {
    comment["id"].as_u64().map_or_else(String::new, |id| id.to_string())
}
