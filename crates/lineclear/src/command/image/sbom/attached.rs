//! `image sbom --attach`: documents beside the images that they name, and in the ledger that they are there.

use std::fmt::Write as _;
use std::sync::Arc;

use lineclear_deliver::inventory::{self, Document};
use lineclear_event::{Evidence, SbomStatement, Statement, Subject, Witness, with_causes};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{Descriptor, Digest, Platform, Reference};
use lineclear_registry::Client;
use lineclear_sbom::{Creation, DocumentFormat, Inventory};

use super::{Failure, Reached, SbomArgs, complain, save};
use crate::history::words::count;
use crate::history::{History, Scope};
use crate::settings;

/// Reads the image, or all images of an index, and puts the documents beside them.
pub(super) fn run(
    args: &SbomArgs,
    reached: &Reached,
    format: DocumentFormat,
    creation: &Creation,
) -> Result<String, Failure> {
    let Reached { client, at, name, .. } = reached;
    let bench = Bench { client, at, name, format, creation };
    let images = match args.platform {
        None => inventory::images_of(client, at)?,
        Some(_) => None,
    };
    let Some(images) = images else {
        let made = bench.made(at, &args.platform())?;
        let mut said = match &args.output {
            Some(path) => save(path, &made.bytes, &made.inventory)?,
            None => String::new(),
        };
        let evidence = bench.attach(&made, &mut said)?;
        said.push_str(&state(vec![evidence])?);
        return Ok(said);
    };
    if args.output.is_some() {
        let message = "`--output` is one file, and this is an index of several images: choose one with `--platform`";
        return Err(Failure::Input(message.to_owned()));
    }
    if images.is_empty() {
        return Err(Failure::Input(format!("`{}` is an index without images", name.familiar())));
    }
    // All is read before anything is put there.
    let mut all = Vec::with_capacity(images.len());
    for one in images {
        let platform = one.platform.unwrap_or_else(|| args.platform());
        all.push(bench.made(&at.only_at(one.digest), &platform)?);
    }
    let mut said = String::new();
    let mut evidence = Vec::with_capacity(2 * all.len());
    for made in &all {
        evidence.push(bench.attach(made, &mut said)?);
    }
    evidence.extend(bench.attach_to_index(&all, &mut said)?);
    said.push_str(&state(evidence)?);
    Ok(said)
}

/// What all documents of a command have in common.
struct Bench<'a> {
    client: &'a Client,
    /// Where the image is, and as people call it.
    at: &'a Reference,
    name: &'a Reference,
    format: DocumentFormat,
    creation: &'a Creation,
}

/// The document of one image.
struct Made {
    inventory: Inventory,
    /// The digest of the image's manifest.
    of: Digest,
    bytes: Vec<u8>,
}

impl Bench<'_> {
    fn made(&self, image: &Reference, platform: &Platform) -> Result<Made, Failure> {
        let mut inventory = inventory::of_registry(self.client, image, platform)?;
        let digest = image.digest().cloned();
        inventory.subject.name = digest.map_or_else(|| self.name.clone(), |digest| self.name.at(digest)).to_string();
        complain(&inventory);
        let of = Digest::parse(inventory.subject.digest.as_deref().unwrap_or_default());
        let of = of.map_err(|error| Failure::Input(error.to_string()))?;
        let bytes = self.format.write(&inventory, self.creation);
        Ok(Made { inventory, of, bytes })
    }

    fn attach(&self, made: &Made, said: &mut String) -> Result<Evidence, Failure> {
        let image = self.at.only_at(made.of.clone());
        let subject: Descriptor = self.client.manifest(&image)?.descriptor();
        let document = Document { file: None, bytes: &made.bytes };
        let referrer = inventory::attach(self.client, &image, &subject, self.format, &[document])?;
        let packages = count(made.inventory.packages.len(), "package");
        let _ = writeln!(said, "attached to {}", self.name.only_at(made.of.clone()).familiar());
        let _ = writeln!(said, "{} of {packages}, {referrer}", self.format.media_type());
        self.evidence(made, &made.of, &referrer)
    }

    /// Puts all documents beside the index. For the index there is a statement for each of them: none speaks for another image.
    fn attach_to_index(&self, all: &[Made], said: &mut String) -> Result<Vec<Evidence>, Failure> {
        let index = self.client.manifest(self.at)?;
        let image = self.at.only_at(index.digest().clone());
        let mut documents = Vec::with_capacity(all.len());
        for made in all {
            let platform = made.inventory.subject.platform.as_deref().unwrap_or("unknown").replace('/', "-");
            let file = Some(format!("{platform}.{}.json", self.format.as_str()));
            documents.push(Document { file, bytes: &made.bytes });
        }
        let referrer = inventory::attach(self.client, &image, &index.descriptor(), self.format, &documents)?;
        let _ = writeln!(said, "attached to {}", self.name.only_at(index.digest().clone()).familiar());
        let _ = writeln!(said, "{} of {}, {referrer}", self.format.media_type(), count(all.len(), "image"));
        all.iter().map(|made| self.evidence(made, index.digest(), &referrer)).collect()
    }

    fn evidence(&self, made: &Made, subject: &Digest, referrer: &Digest) -> Result<Evidence, Failure> {
        let subject: Subject = subject.to_string().parse().map_err(|_| {
            Failure::Input(format!("the document is attached, but a ledger has no room for the digest `{subject}`"))
        })?;
        let statement = SbomStatement {
            format: self.format.as_str().to_owned(),
            document: Digest::of(&made.bytes).to_string(),
            packages: made.inventory.packages.len() as u64,
            attached: Some(referrer.to_string()),
        };
        Ok(Evidence { subject, at: settings::now(), by: Witness::Engine, statement: Statement::Sbom(statement) })
    }
}

/// States in the ledger of the current repository that the documents are there: all of it or nothing.
fn state(evidence: Vec<Evidence>) -> Result<String, Failure> {
    let unstated = |error: &dyn std::error::Error| {
        Failure::Input(format!("it is attached, but the ledger does not say so: {}", with_causes(error)))
    };
    let history = History::open(&Scope::default()).map_err(|error| unstated(&error))?;
    let Some(repository) = history.repository else {
        return Ok("no ledger says so: this folder is of no repository\n".to_owned());
    };
    let ledger = LedgerOf::open(Arc::new(history.store), repository.as_str());
    let numbers = ledger.append(evidence).map_err(|error| unstated(&error))?;
    let numbers = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(", entry {one}"),
        [first, .., last] => format!(", entries {first} to {last}"),
    };
    Ok(format!("stated in the ledger of {repository}{numbers}\n"))
}
