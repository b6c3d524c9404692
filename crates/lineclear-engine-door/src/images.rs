//! Images that go through a door: what a job made, and pushes, pulls and prunes that take more than one request.

use std::collections::BTreeMap;

use lineclear_event::{ImageConfigFact, ImageDeed, ImageFact};
use lineclear_oci::{Reference, Tag};
use serde_json::{Value, json};

use crate::http::{AnswerHead, HttpError, Target};
use crate::look::image_found;
use crate::relay::{Exchange, Extra};
use crate::rewrite::{Answer, Lines, Machine as _, MappedImage, Pass, Refusal, full_name};
use crate::serve::Shared;

/// An image that was made, with the names it was given, in full.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) names: Vec<String>,
}

/// An image that was built.
pub(crate) type Built = Seen;

impl Shared {
    pub(crate) fn note_made(&self, seen: &Seen) {
        let mut known = self.known.get();
        known.images.insert(seen.id.clone());
        known.tags.extend(seen.names.iter().map(|name| (name.clone(), seen.id.clone())));
    }

    pub(crate) fn note_built(&self, built: &Built, names: &[String]) {
        self.note_made(built);
        let config = self.inspect(&built.id).map(|image| config(&image));
        self.tell_image(ImageDeed::Built, names.to_vec(), String::new(), config);
    }

    pub(crate) fn note_loaded(&self, names: &[String]) {
        for name in names {
            if let Ok(Some(found)) = self.look().image(name) {
                self.note_made(&Seen { id: found.id, names: full_name(name).into_iter().collect() });
            }
        }
    }

    /// An image that was not there before is this job's to remove again.
    pub(crate) fn note_pulled(&self, name: &str, was_there: bool, digest: Option<String>) {
        if !was_there && let Ok(Some(found)) = self.look().image(name) {
            self.note_made(&Seen { id: found.id, names: full_name(name).into_iter().collect() });
        }
        if let Some(digest) = digest {
            self.tell_image(ImageDeed::Pulled, vec![name.to_owned()], digest, None);
        }
    }

    /// The names with digest that an image got by a pull from where its name is mapped to.
    pub(crate) fn digests_of(&self, id: &str) -> Vec<String> {
        self.known.get().digests.get(id).into_iter().flatten().cloned().collect()
    }

    pub(crate) fn tell_image(
        &self,
        deed: ImageDeed,
        names: Vec<String>,
        digest: String,
        config: Option<ImageConfigFact>,
    ) {
        if let Some(told) = &self.images {
            told.image(ImageFact { deed, names, digest, platforms: Vec::new(), children: Vec::new(), config });
        }
    }

    fn tag_image(&self, image: &str, name: &Reference, tag: &Tag) -> Result<(), Refusal> {
        let mut target = Target::of("/images");
        target.path.extend(image.split('/').map(str::to_owned));
        target.path.push("tag".into());
        let answer = self.engine.post(target.with("repo", name.name()).with("tag", tag.to_string()), None)?;
        if answer.is_fine() { Ok(()) } else { Err(Refusal::new(answer.status, answer.problem())) }
    }

    fn inspect(&self, image: &str) -> Option<Value> {
        let mut target = Target::of("/images");
        target.path.extend(image.split('/').map(str::to_owned));
        target.path.push("json".into());
        self.engine.get(target).ok().filter(|answer| answer.is_fine()).map(|answer| answer.value())
    }

    /// All names of images on the machine, in full, with the ids they mean.
    pub(crate) fn image_tags(&self) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        let Ok(answer) = self.engine.get(Target::of("/images/json")) else { return tags };
        for image in answer.value().as_array().into_iter().flatten() {
            let found = image_found(image);
            tags.extend(found.tags.iter().filter_map(|tag| full_name(tag)).map(|tag| (tag, found.id.clone())));
        }
        tags
    }

    /// BuildKit tells nobody but its client what it built: names that are new, or mean another image, after a session are most likely
    /// this job's.
    pub(crate) fn note_new_tags(&self, before: &BTreeMap<String, String>) {
        for (name, id) in self.image_tags() {
            if before.get(&name) != Some(&id) {
                self.known.get().likely_tags.insert(name, id);
            }
        }
    }
}

fn config(image: &Value) -> ImageConfigFact {
    let text = |path: &str| image.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let keys = |path: &str| {
        image.pointer(path).and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
    };
    let labels = image.pointer("/Config/Labels").and_then(Value::as_object).into_iter().flatten();
    let test = image.pointer("/Config/Healthcheck/Test").and_then(Value::as_array).into_iter().flatten();
    let test: Vec<&str> = test.filter_map(Value::as_str).collect();
    ImageConfigFact {
        user: text("/Config/User"),
        health_check: match test.as_slice() {
            [] | ["NONE"] => None,
            ["CMD" | "CMD-SHELL", rest @ ..] => Some(rest.join(" ")),
            all => Some(all.join(" ")),
        },
        ports: keys("/Config/ExposedPorts"),
        labels: labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
        size: image.get("Size").and_then(Value::as_u64).unwrap_or_default(),
        layers: image.pointer("/RootFS/Layers").and_then(Value::as_array).map_or(0, |layers| layers.len() as u32),
        base: None,
    }
}

/// Another name of an image, for a while.
struct Named<'n> {
    shared: &'n Shared,
    name: String,
}

impl<'n> Named<'n> {
    fn new(shared: &'n Shared, image: &str, kept: &Reference, tag: &Tag) -> Result<Self, Refusal> {
        shared.tag_image(image, kept, tag)?;
        Ok(Self { shared, name: kept.bare().tagged(tag.clone()).to_string() })
    }
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        let mut target = Target::of("/images");
        target.path.extend(self.name.split('/').map(str::to_owned));
        // A name that stays is an image's name more on this machine; the push itself is done.
        let _stays = self.shared.engine.delete(target.with("noprune", "1"));
    }
}

impl Exchange<'_> {
    /// Pushes an image whose name is mapped to where it is kept, under its name there.
    pub(crate) fn push(&mut self, image: &MappedImage) -> Result<(), HttpError> {
        let shared = self.shared;
        let kept = image.kept.name();
        let _turn = shared.turns.take(&kept);
        let names = match named(shared, image) {
            Ok(names) => names,
            Err(refusal) => return self.refuse(&refusal),
        };
        let mut target = Target::of("/images");
        target.path.extend(kept.split('/').map(str::to_owned));
        target.path.push("push".into());
        if let Some(tag) = image.kept.tag() {
            target.set("tag", tag.to_string());
        }
        let asked = image.asked.familiar();
        let mut pass = Pass::new(target, Answer::Lines(Lines::Push(asked)));
        pass.login = shared.job.registry_login();
        let shown = image.asked.name();
        self.body.clear();
        let result = self.pass(pass, Extra { replace: Some((&kept, &shown)), at_end: None }).map(drop);
        drop(names);
        result
    }

    /// Pulls an image whose name is mapped from where it is kept; where it is not kept, from where its name says.
    pub(crate) fn pull(&mut self, image: &MappedImage, there: Pass) -> Result<(), HttpError> {
        let shared = self.shared;
        let (kept, key) = image.kept_parts();
        let turn = shared.turns.take(&kept);
        // Whether it is there is asked first: a pull that has begun to tell of itself cannot be begun anew.
        let mut target = Target::of("/distribution");
        target.path.extend(image.kept.to_string().split('/').map(str::to_owned));
        target.path.push("json".into());
        let login = shared.job.registry_login();
        let kept_there =
            shared.engine.ask("GET", target, None, login.as_deref()).ok().filter(|answer| answer.is_fine());
        let Some(kept_there) = kept_there else {
            drop(turn);
            return self.pass(there, Extra::default()).map(drop);
        };
        let digest = kept_there.value().pointer("/Descriptor/digest").and_then(Value::as_str).map(str::to_owned);
        let mut target = there.target.clone();
        target.set("fromImage", kept.clone());
        target.set("tag", key);
        let (asked, was_there) = match &there.answer {
            Answer::Lines(Lines::Pull { image, was_there }) => (image.clone(), *was_there),
            _ => (image.asked.familiar(), true),
        };
        // What it is called here is noted when it is.
        let mut pass = Pass::new(target, Answer::Lines(Lines::Pull { image: asked.clone(), was_there: true }));
        pass.login = login;
        let shown = image.asked.name();
        let rename = || {
            if let Some(digest) = &digest
                && let Ok(Some(found)) = shared.look().image(&image.kept.to_string())
            {
                let name = format!("{}@{digest}", image.asked.name());
                shared.known.get().digests.entry(found.id).or_default().insert(name);
            }
            let Some(tag) = image.kept.tag().filter(|_| image.kept.digest().is_none()) else { return };
            let from = image.kept.to_string();
            if shared.tag_image(&from, &image.asked, tag).is_ok() {
                drop(Named { shared, name: from });
            }
            if !was_there {
                shared.note_pulled(&asked, false, None);
            }
        };
        self.pass(pass, Extra { replace: Some((&kept, &shown)), at_end: Some(&rename) }).map(drop)
    }

    /// Asks where a name is mapped to, or else where it says.
    pub(crate) fn either(&mut self, kept: Pass, there: Pass) -> Result<(), HttpError> {
        match self.shared.engine.ask("GET", kept.target, None, kept.login.as_deref()) {
            Ok(answer) if answer.is_fine() => Ok(self.client.value(AnswerHead::new(200, "OK"), &answer.value())?),
            _ => self.pass(there, Extra::default()).map(drop),
        }
    }

    /// Removes this job's images that no container uses.
    pub(crate) fn prune_images(&mut self, all: bool) -> Result<(), HttpError> {
        let shared = self.shared;
        let (tags, images) = {
            let known = shared.known.get();
            (known.tags.clone(), known.images.clone())
        };
        let mut deleted: Vec<Value> = Vec::new();
        let mut freed = 0;
        let named: Vec<(String, String)> = if all { tags.into_iter().collect() } else { Vec::new() };
        let nameless = images.into_iter().map(|id| (id.clone(), id));
        for (name, id) in named.into_iter().chain(nameless) {
            let Some(image) = shared.inspect(&name) else { continue };
            let found = image_found(&image);
            if found.id != id || (name == id && !found.tags.is_empty()) {
                continue;
            }
            let mut target = Target::of("/images");
            target.path.extend(name.split('/').map(str::to_owned));
            // One that is in use is refused by the engine, and stays.
            let Ok(answer) = shared.engine.delete(target) else { continue };
            if answer.is_fine() {
                let items = answer.value().as_array().cloned().unwrap_or_default();
                if items.iter().any(|item| item.get("Deleted").and_then(Value::as_str) == Some(&id)) {
                    freed += image.get("Size").and_then(Value::as_u64).unwrap_or_default();
                }
                deleted.extend(items);
                shared.known.get().tags.remove(&name);
            }
        }
        Ok(self
            .client
            .value(AnswerHead::new(200, "OK"), &json!({ "ImagesDeleted": deleted, "SpaceReclaimed": freed }))?)
    }
}

/// Gives the image, or all with this name where no tag was asked for, the names they are kept under.
fn named<'n>(shared: &'n Shared, image: &MappedImage) -> Result<Vec<Named<'n>>, Refusal> {
    let own = |name: &Reference| {
        let full = name.to_string();
        shared
            .look()
            .tagged(&full)
            .filter(|id| matches!(shared.look().image(id), Ok(Some(_))))
            .unwrap_or_else(|| name.familiar())
    };
    if let Some(tag) = image.asked.tag() {
        return Ok(vec![Named::new(shared, &own(&image.asked), &image.kept, tag)?]);
    }
    let mut names = Vec::new();
    for full in shared.image_tags().into_keys() {
        let Ok(name) = Reference::parse(&full) else { continue };
        if let Some(tag) = name.tag().filter(|_| name.name() == image.asked.name()) {
            names.push(Named::new(shared, &own(&name), &image.kept, tag)?);
        }
    }
    if names.is_empty() {
        return Err(Refusal::new(404, format!("An image does not exist locally with the tag: {}", image.asked.name())));
    }
    Ok(names)
}
