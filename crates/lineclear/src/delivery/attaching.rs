//! What the policy says an image gets by being published: lists of contents, a signature, a provenance.
//!
//! They are made where the image is, before the gate is asked, so that the gate sees them and the move brings them along. Nothing is made, and
//! nobody is called, while the gate is blocked by anything else: what is signed has been proven.

use lineclear_deliver::inventory::{self, Document, InventoryError};
use lineclear_deliver::signing::{SigningError, attest_provenance, sign_image};
use lineclear_deliver::{MoveError, ShelfError};
use lineclear_event::{Evidence, MoveKind, SbomStatement, Statement, Subject, Witness, with_causes};
use lineclear_gate::{Index, Requirement, Rules, decide};
use lineclear_oci::{Digest, Platform, Reference};
use lineclear_policy::{Image, SbomFormat};
use lineclear_registry::Client;
use lineclear_sbom::{Creation, DocumentFormat};

use super::moving::Cancel;
use super::provenance::{Unexplained, provenance};
use super::{Chosen, Delivery};
use crate::settings::now;
use crate::signing_keys::SigningKeys;

/// What is still to be made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    contents: Vec<DocumentFormat>,
    signature: bool,
    provenance: bool,
}

impl Missing {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The rules for an image that has got it.
    fn made(&self, rules: &Rules) -> Rules {
        Rules {
            sbom: rules.sbom && self.contents.is_empty(),
            signature: rules.signature && !self.signature,
            provenance: rules.provenance && !self.provenance,
            ..rules.clone()
        }
    }
}

impl Delivery {
    /// Makes what is `missing`, and states it in the ledger. What was made is among the notes.
    pub(super) fn attach(&self, chosen: &mut Chosen, missing: Missing, cancel: &Cancel) -> Result<(), MoveError> {
        let failed = |doing| move |source| MoveError::Before { doing, source };
        let place = self.registries.reach(&chosen.from).map_err(failed("open the repository that the image is in"))?;
        let client = self.registries.client().map_err(failed("open the repository that the image is in"))?;
        cancel.watch(&client);
        let place = place.only_at(chosen.order.digest.clone());
        for format in missing.contents {
            let made = list(&client, &place, format).map_err(failed("list what is in the image"))?;
            self.state(made)?;
            chosen.notes.push(format!("a list of its contents was attached ({})", format.as_str()));
        }
        if !missing.signature && !missing.provenance {
            return Ok(());
        }
        let key = SigningKeys::of(&self.checkout).and_then(|mut keys| keys.private(None, &self.policy.signing));
        let key = key.map_err(|why| failed("sign the image")(ShelfError::Other(why)))?;
        // What would not count is not signed.
        let is_asked = chosen.order.rules.signature || chosen.order.rules.provenance;
        if is_asked && !self.keys.as_ref().is_ok_and(|keys| keys.ids.contains(&key.public().id())) {
            let why = format!(
                "the key {} does not count: name it in lineclear.toml, as `key = \"NAME\"` in `[signing]`, or its public half in `keys` there",
                key.public().id()
            );
            return Err(failed("sign the image")(ShelfError::Other(why)));
        }
        if missing.signature {
            let signed = sign_image(&client, &place, &key, now())
                .map_err(|error| failed("sign the image")(error.into_shelf()))?;
            chosen.notes.push(format!("signed with {}", signed.key));
            self.state(vec![(chosen.order.digest.clone(), Statement::Signature(signed))])?;
        }
        if missing.provenance {
            let failed = failed("say how the image was built");
            let digest = &chosen.order.digest;
            let known = provenance(&*self.store, &self.ledger, &client, &place, digest, None);
            let known = known.map_err(|error| failed(error.into_shelf()))?;
            let attested = attest_provenance(&client, &place, &chosen.order.repository.name(), &key, &known, now());
            let attested = attested.map_err(|error| failed(error.into_shelf()))?;
            chosen
                .notes
                .push(format!("a provenance was attached: built from {}", super::choice::short(&attested.commit)));
            self.state(vec![(digest.clone(), Statement::Provenance(attested))])?;
        }
        Ok(())
    }

    /// The rules without what a publication would make, for a look at what would happen.
    pub(super) fn rules_once_attached(&self, chosen: &Chosen) -> Result<(Rules, Vec<String>), MoveError> {
        let missing = self.missing(chosen)?;
        let rules = missing.made(&chosen.order.rules);
        let mut notes = Vec::new();
        for format in &missing.contents {
            notes.push(format!("a list of its contents would be attached ({})", format.as_str()));
        }
        if missing.signature {
            notes.push("it would be signed".to_owned());
        }
        if missing.provenance {
            notes.push("a provenance would be attached".to_owned());
        }
        Ok((rules, notes))
    }

    /// A refusal without commands for what publishing makes by itself, once nothing else is in the way.
    pub(super) fn without_own_work(&self, chosen: &Chosen, mut error: MoveError) -> MoveError {
        let order = &chosen.order;
        let (MoveError::Refused(refusal), Some(image), Ok(index)) = (
            &mut error,
            self.policy.image(&order.image).filter(|_| order.kind == MoveKind::Publish),
            self.ledger.index(),
        ) else {
            return error;
        };
        let subject = Subject::Digest(order.digest.to_string());
        let asked = lineclear_gate::Asked { subject: subject.clone(), context: order.context, now: now() };
        let made = self.unstated(image, &order.rules, &index, &subject).made(&order.rules);
        let left = decide(&made, &asked, &index, &self.commits).requirements;
        for one in refusal.decision.requirements.iter_mut().filter(|one| one.is_attached()) {
            if one.supply.is_some() && left.iter().all(|left| left.what != one.what) {
                one.supply = None;
                let text = "publishing makes it when nothing else is in the way".to_owned();
                one.findings.push(lineclear_gate::Finding { text, entry: None });
            }
        }
        error
    }

    /// What a publication has to make for an image that nothing else keeps from moving.
    pub(super) fn missing(&self, chosen: &Chosen) -> Result<Missing, MoveError> {
        let order = &chosen.order;
        let Some(image) = self.policy.image(&order.image).filter(|_| order.kind == MoveKind::Publish) else {
            return Ok(Missing::default());
        };
        let index = self.ledger.index().map_err(|error| MoveError::Book(lineclear_deliver::BookError::new(error)))?;
        let subject = Subject::Digest(order.digest.to_string());
        let asked = lineclear_gate::Asked { subject: subject.clone(), context: order.context, now: now() };
        let missing = self.unstated(image, &order.rules, &index, &subject);
        let decided = |rules: &Rules| decide(rules, &asked, &index, &self.commits).requirements;
        // That nothing is left to ask for is not in the way.
        let all = decided(&order.rules);
        let blocks = |one: &Requirement| {
            one.blocking && !one.standing.lets_through() && all.iter().any(|asked| asked.what == one.what)
        };
        if missing.is_nothing() || decided(&missing.made(&order.rules)).iter().any(blocks) {
            return Ok(Missing::default());
        }
        match self.with_mover(&Cancel::default(), &|_| {}, |mover| mover.inside(order)) {
            Err(MoveError::Part(_)) => Ok(Missing::default()),
            inside => inside.map(|()| missing),
        }
    }

    /// What the policy wants and the ledger does not know of.
    fn unstated(&self, image: &Image, rules: &Rules, index: &Index, subject: &Subject) -> Missing {
        let is_stated = |is: &dyn Fn(&Statement) -> bool| index.of(subject).any(|entry| is(&entry.evidence.statement));
        let counts = |key: &String| self.keys.as_ref().is_ok_and(|keys| keys.ids.contains(key));
        let signs = image.sign.as_ref().is_some_and(|sign| sign.value);
        let formats = image.sbom.iter().map(|format| match format.value {
            SbomFormat::Spdx => DocumentFormat::Spdx,
            SbomFormat::CycloneDx => DocumentFormat::CycloneDx16,
        });
        let is_listed = |format: &DocumentFormat| {
            is_stated(&|said| matches!(said, Statement::Sbom(sbom) if sbom.format == format.as_str()))
        };
        Missing {
            contents: formats.filter(|format| !is_listed(format)).collect(),
            signature: signs && !is_stated(&|said| matches!(said, Statement::Signature(of) if counts(&of.key))),
            provenance: signs
                && rules.provenance
                && !is_stated(&|said| matches!(said, Statement::Provenance(of) if counts(&of.key))),
        }
    }

    fn state(&self, made: Vec<(Digest, Statement)>) -> Result<(), MoveError> {
        let at = now();
        let of = |(digest, statement): (Digest, Statement)| Evidence {
            subject: Subject::Digest(digest.to_string()),
            at,
            by: Witness::Engine,
            statement,
        };
        let stated = self.ledger.append(made.into_iter().map(of).collect());
        stated.map(drop).map_err(|error| MoveError::Book(lineclear_deliver::BookError::new(error)))
    }
}

/// Lists what is in an image, or in each image of an index, and puts the documents beside them: beside each image its own, and all of them
/// beside the index. What is stated of the index is a statement for each image in it.
fn list(client: &Client, place: &Reference, format: DocumentFormat) -> Result<Vec<(Digest, Statement)>, ShelfError> {
    // The documents know seconds, and no fractions of them.
    let at = now().to_string().split('.').next().unwrap_or_default().to_owned() + "Z";
    let creation = Creation { at, version: env!("CARGO_PKG_VERSION").to_owned() };
    let images = inventory::images_of(client, place).map_err(InventoryError::into_shelf)?;
    let parts: Vec<(Reference, Platform)> = match &images {
        None => vec![(place.clone(), Platform::of_this_machine())],
        Some(images) => images
            .iter()
            .map(|one| {
                let platform = one.platform.clone().unwrap_or_else(Platform::of_this_machine);
                (place.only_at(one.digest.clone()), platform)
            })
            .collect(),
    };
    let (mut stated, mut documents) = (Vec::new(), Vec::new());
    let mut put = |at: &Reference, documents: &[(String, Vec<u8>, u64)], is_index: bool| -> Result<(), ShelfError> {
        let subject = client.manifest(at)?.descriptor();
        let files: Vec<Document<'_>> =
            documents.iter().map(|(file, bytes, _)| Document { file: is_index.then(|| file.clone()), bytes }).collect();
        let attached = inventory::attach(client, at, &subject, format, &files).map_err(InventoryError::into_shelf)?;
        stated.extend(documents.iter().map(|(_, bytes, packages)| {
            let statement = SbomStatement {
                format: format.as_str().to_owned(),
                document: Digest::of(bytes).to_string(),
                packages: *packages,
                attached: Some(attached.to_string()),
            };
            (subject.digest.clone(), Statement::Sbom(statement))
        }));
        Ok(())
    };
    for (at, platform) in parts {
        let found = inventory::of_registry(client, &at, &platform).map_err(InventoryError::into_shelf)?;
        let of = found.subject.platform.as_deref().unwrap_or("unknown").replace('/', "-");
        let document = (
            format!("{of}.{}.json", format.as_str()),
            format.write(&found, &creation),
            u64::try_from(found.packages.len()).unwrap_or(u64::MAX),
        );
        put(&at, std::slice::from_ref(&document), false)?;
        documents.push(document);
    }
    if images.is_some() {
        put(place, &documents, true)?;
    }
    Ok(stated)
}

/// As moves say why something is not possible.
trait IntoShelf {
    fn into_shelf(self) -> ShelfError;
}

impl IntoShelf for SigningError {
    fn into_shelf(self) -> ShelfError {
        match self {
            Self::Registry(error) => ShelfError::Registry(error),
            other => ShelfError::Other(with_causes(&other)),
        }
    }
}

impl IntoShelf for InventoryError {
    fn into_shelf(self) -> ShelfError {
        match self {
            Self::Registry(error) => error.into(),
            other => ShelfError::Other(with_causes(&other)),
        }
    }
}

impl IntoShelf for Unexplained {
    fn into_shelf(self) -> ShelfError {
        match self {
            Self::Registry(error) => error.into(),
            other => ShelfError::Other(other.to_string()),
        }
    }
}
