//! Images and builds. Images are shared by all jobs; names and removal are looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use lineclear_oci::{Digest, Reference, Tag};
use serde_json::json;

use super::fields::{inner, object};
use super::filters::Filters;
use super::system::nothing_pruned;
use super::{
    Answer, Ask, BodyUse, DOOR_LABEL, Decision, Endpoint, ImageFound, Job, Lines, MappedImage, PORTS_LABEL, Pass,
    Refusal, Shape, Then, endpoint, full_name,
};

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("GET", "images/json", BodyUse::Ignored, list),
    endpoint("GET", "images/search", BodyUse::Ignored, pass),
    endpoint("GET", "images/get", BodyUse::Ignored, pass),
    endpoint("POST", "images/create", BodyUse::Stream, create),
    endpoint("POST", "images/load", BodyUse::Stream, load),
    endpoint("POST", "images/prune", BodyUse::Ignored, prune),
    endpoint("GET", "images/{*}/json", BodyUse::Ignored, inspect),
    endpoint("GET", "images/{*}/history", BodyUse::Ignored, history),
    endpoint("GET", "images/{*}/get", BodyUse::Ignored, pass),
    endpoint("POST", "images/{*}/push", BodyUse::Ignored, push),
    endpoint("POST", "images/{*}/tag", BodyUse::Ignored, tag),
    endpoint("DELETE", "images/{*}", BodyUse::Ignored, remove),
    endpoint("GET", "distribution/{*}/json", BodyUse::Ignored, distribution),
    endpoint("POST", "commit", BodyUse::Json, commit),
    endpoint("POST", "build", BodyUse::Stream, build),
    endpoint("POST", "build/cancel", BodyUse::Ignored, pass),
    endpoint("POST", "build/prune", BodyUse::Ignored, prune_builds),
];

fn pass(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Raw).into())
}

fn list(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Value(Shape::Images)).into())
}

fn inspect(ask: Ask<'_>) -> Result<Decision, Refusal> {
    look(ask, Shape::Images)
}

fn history(ask: Ask<'_>) -> Result<Decision, Refusal> {
    look(ask, Shape::Plain)
}

/// A name that another job gave to another image meanwhile still means this job's own here.
fn look(mut ask: Ask<'_>, shape: Shape) -> Result<Decision, Refusal> {
    let (meant, _) = ask.meant_image(&ask.name)?;
    ask.image_target(&meant);
    Ok(Pass::new(ask.target, Answer::Value(shape)).into())
}

/// `docker pull`, or `docker import` where the image comes as an archive of files.
fn create(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    if ask.target.get("fromSrc").is_some_and(|from| !from.is_empty()) {
        let name = joined(ask.target.get("repo").unwrap_or_default(), ask.target.get("tag").unwrap_or_default());
        return Ok(Pass::new(ask.target, Answer::Lines(Lines::Import(name))).into());
    }
    let name = joined(ask.target.get("fromImage").unwrap_or_default(), ask.target.get("tag").unwrap_or_default());
    let was_there = ask.machine.image(&name)?.is_some();
    // No tag at all means every tag, as `docker pull --all-tags` asks for; the client names `latest` itself.
    let is_one = Reference::parse(&name).is_ok_and(|name| name.tag().is_some() || name.digest().is_some());
    let mapped = ask.job.mapped(&name).filter(|_| is_one);
    ask.target.set("fromImage", ask.target.get("fromImage").unwrap_or_default().to_owned());
    let pass = Pass::new(ask.target, Answer::Lines(Lines::Pull { image: name, was_there }));
    Ok(match mapped {
        Some(mapped) => Decision::Pull(mapped, Box::new(pass)),
        None => pass.into(),
    })
}

fn load(ask: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(Pass::new(ask.target, Answer::Lines(Lines::Load)).into())
}

fn prune(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let filters = Filters::of(&ask.target)?;
    let all = filters.first("dangling").is_some_and(|value| matches!(value, "false" | "0"));
    Ok(Decision::PruneImages { all })
}

fn prune_builds(_: Ask<'_>) -> Result<Decision, Refusal> {
    Ok(nothing_pruned("CachesDeleted"))
}

fn push(ask: Ask<'_>) -> Result<Decision, Refusal> {
    let name = joined(&ask.name, ask.target.get("tag").unwrap_or_default());
    if let Some(mapped) = ask.job.mapped(&name) {
        return Ok(Decision::Push(mapped));
    }
    Ok(Pass::new(ask.target, Answer::Lines(Lines::Push(name))).into())
}

fn tag(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let name = joined(ask.target.get("repo").unwrap_or_default(), ask.target.get("tag").unwrap_or_default());
    ask.may_name(&name)?;
    let (meant, found) = ask.meant_image(&ask.name)?;
    ask.image_target(&meant);
    let pass = Pass::new(ask.target, Answer::Raw);
    Ok(match found {
        Some(found) => pass.then(Then::Tagged { name, id: found.id }).into(),
        None => pass.into(),
    })
}

/// Only what this job made or named is removed: other jobs, and whoever owns the machine, count on the rest.
fn remove(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let name = ask.name.clone();
    let Some(found) = ask.machine.image(&name)? else {
        return Ok(Pass::new(ask.target, Answer::Raw).into());
    };
    let full = full_name(&name).filter(|full| found.tags.iter().any(|tag| full_name(tag).as_ref() == Some(full)));
    match full {
        // By its name.
        Some(full) => match ask.machine.tagged(&full) {
            Some(id) if id == found.id => {
                Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).then(Then::Removed { name: full }).into())
            }
            // Another job gave the name to another image meanwhile, so the name is not taken from it.
            Some(_) => Ok(Decision::Reply(200, json!([{ "Untagged": name }]))),
            None => Err(not_own(&name)),
        },
        // By its id.
        None => {
            let is_own =
                |tag: &String| full_name(tag).and_then(|full| ask.machine.tagged(&full)).as_ref() == Some(&found.id);
            if !ask.machine.made(&found.id) || !found.tags.iter().all(is_own) {
                return Err(not_own(&name));
            }
            ask.image_target(&found.id);
            Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).then(Then::Removed { name: found.id }).into())
        }
    }
}

fn not_own(name: &str) -> Refusal {
    Refusal::new(
        409,
        format!(
            "conflict: unable to remove `{name}`: this job neither made nor tagged it, and images are shared by all jobs of \
             this machine"
        ),
    )
}

fn distribution(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let there = Pass::new(ask.target.clone(), Answer::Raw);
    let Some((mapped, login)) = ask.job.mapped(&ask.name).zip(ask.job.registry_login()) else {
        return Ok(there.into());
    };
    ask.image_target(&mapped.kept.to_string());
    let mut kept = Pass::new(ask.target, Answer::Raw);
    kept.login = Some(login);
    Ok(Decision::Either(Box::new(kept), Box::new(there)))
}

/// An image made of a container does not take over the labels by which the container is removed.
fn commit(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let container = ask.own_container(ask.target.get("container").unwrap_or_default())?;
    ask.target.set("container", container);
    let labels = inner(object(&mut body, &["Labels"])?, "Labels", &[])?;
    for key in ask.job.labels().map(|(key, _)| key).into_iter().chain([PORTS_LABEL, DOOR_LABEL]) {
        labels.insert(key.to_owned(), "".into());
    }
    let name = joined(ask.target.get("repo").unwrap_or_default(), ask.target.get("tag").unwrap_or_default());
    let name = Some(name).filter(|name| !name.is_empty());
    if let Some(name) = &name {
        ask.may_name(name)?;
    }
    let pass = Pass::new(ask.target, Answer::Value(Shape::Plain)).with_body(body);
    Ok(pass.then(Then::Committed { name }).into())
}

fn build(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    // The containers of its steps are the engine's own and have no labels: none may stay, whatever the client wants.
    ask.target.set("rm", "1");
    ask.target.set("forcerm", "1");
    if let Some(mode) = ask.target.get("networkmode").map(str::to_owned) {
        let mode = match mode.strip_prefix("container:") {
            Some(name) => format!("container:{}", ask.own_container(name)?),
            None if mode == "host" && ask.job.is_confined => {
                return Err(Refusal::forbidden(
                    "the job is kept from the machine: its builds cannot have the network `host`",
                ));
            }
            None if matches!(mode.as_str(), "" | "default") || Job::is_default_network(&mode) => mode,
            None => ask.network(&mode)?,
        };
        ask.target.set("networkmode", mode);
    }
    let tags: Vec<String> = ask.target.all("t").filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    tags.iter().try_for_each(|tag| ask.may_name(tag))?;
    Ok(Pass::new(ask.target, Answer::Lines(Lines::Build(tags))).into())
}

/// Name and tag, or digest, as clients send them apart.
fn joined(name: &str, tag: &str) -> String {
    if tag.is_empty() {
        name.to_owned()
    } else if tag.contains(':') {
        format!("{name}@{tag}")
    } else if Tag::parse(tag).is_ok() && Reference::parse(name).is_ok_and(|name| name.tag().is_some()) {
        // Older clients send both in the name and again apart.
        name.to_owned()
    } else {
        format!("{name}:{tag}")
    }
}

impl MappedImage {
    /// The image's name without tag and digest where it is kept, and the tag or digest, as the engine wants them.
    pub(crate) fn kept_parts(&self) -> (String, String) {
        let key = self.kept.digest().map(Digest::to_string).or_else(|| self.kept.tag().map(ToString::to_string));
        (self.kept.name(), key.unwrap_or_default())
    }
}

impl Job {
    /// The login to the registry that names are mapped to, as a header carries it.
    pub(crate) fn registry_login(&self) -> Option<String> {
        let login = self.registry.as_ref()?;
        Some(URL_SAFE.encode(json!({ "username": login.username, "password": login.password }).to_string()))
    }
}

impl Ask<'_> {
    /// A job that is kept from the machine gives no new meaning to a name that other jobs may count on.
    fn may_name(&self, name: &str) -> Result<(), Refusal> {
        if !self.job.is_confined || self.machine.image(name)?.is_none() {
            return Ok(());
        }
        match full_name(name).and_then(|full| self.machine.tagged(&full)) {
            Some(_) => Ok(()),
            None => Err(Refusal::forbidden(format!(
                "`{name}` is an image of the machine, and this job is kept from it: give what it makes another name"
            ))),
        }
    }

    /// What the engine has to be asked for so that a name means what it means for this job, and what is there.
    ///
    /// Names of images are shared: where another job has given the same name to another image since, this job's own image is
    /// meant. An image that was pulled by a mapped name and a digest has the name of where it is kept only.
    pub(super) fn meant_image(&self, name: &str) -> Result<(String, Option<ImageFound>), Refusal> {
        let found = self.machine.image(name)?;
        if let Some(own) = full_name(name).and_then(|full| self.machine.tagged(&full))
            && found.as_ref().is_none_or(|found| found.id != own)
            && let Some(found) = self.machine.image(&own)?
        {
            return Ok((own, Some(found)));
        }
        if found.is_none()
            && let Some(mapped) = self.job.mapped(name)
        {
            let kept = mapped.kept.familiar();
            if let Some(found) = self.machine.image(&kept)? {
                return Ok((kept, Some(found)));
            }
        }
        Ok((name.to_owned(), found))
    }

    /// Puts another image in the place of the braces of the path.
    fn image_target(&mut self, image: &str) {
        let count = self.name.split('/').count();
        let parts = image.split('/').map(str::to_owned);
        if self.target.path.len() > count {
            self.target.path.splice(1..=count, parts);
        }
    }
}
