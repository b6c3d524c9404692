//! `lineclear publish`: images of a commit to their release repositories, through a clear gate.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::delivery::moving::Cancel;
use crate::delivery::{Asked, Chosen, Delivery, Ended, From, told};
use crate::exit::Exit;
use crate::output;
use crate::session::registry::RegistryArgs;

const EXAMPLES: &str = "\
Examples:
  lineclear publish                     every image of lineclear.toml that a run has built for what is checked out
  lineclear publish backend --dry-run   what would move, tag by tag; nothing is written
  lineclear publish --ref v1.2.3        the tags that the policy has for this git tag
  lineclear publish backend --digest sha256:…
                                        one of several images of a commit
  lineclear publish backend --take      also move a `latest` that this ledger does not know
  lineclear publish --resume            finish, or put back, what a killed publish left

The gate is asked first: when it is blocked, no registry is called. Nothing is built: what is published is what a run has pushed.
Exit codes: 0 published, 1 refused or not possible, 2 wrong input, 3 Lineclear itself failed, 130 cancelled. More: docs/publish.md";

/// Arguments of `publish`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PublishArgs {
    /// The images, as `lineclear.toml` calls them. [default: all that have tags for the ref]
    images: Vec<String>,

    /// The commit. [default: the tip of the ref]
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,

    /// For which branch or tag. [default: the one that is checked out]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,

    /// The image itself, where there are several of the commit.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,

    /// Where the image is: a name with a tag or a digest.
    #[arg(long, value_name = "NAME")]
    from: Option<String>,

    /// Finish what was interrupted, or put it back, and do nothing else.
    #[arg(long, conflicts_with_all = ["images", "commit", "reference", "digest", "from", "dry_run"])]
    resume: bool,

    #[command(flatten)]
    shared: SharedArgs,
}

/// What `publish` and `promote` share.
#[derive(Debug, Args)]
pub(crate) struct SharedArgs {
    /// Say what would move, and move nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Move a tag, too, whose image this ledger does not know, such as the `latest` of before or of another machine: you say that this
    /// one is newer. The ledger keeps your name. Immutable tags are not touched by this, and what the ledger knows never goes backwards.
    #[arg(long)]
    pub(super) take: bool,

    /// How to show what came of it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,

    /// Take credentials from this file, of the form of Docker's `config.json`, instead of those of the user.
    #[arg(long, value_name = "FILE")]
    pub(super) authfile: Option<PathBuf>,

    #[command(flatten)]
    pub(super) registry: RegistryArgs,
}

impl SharedArgs {
    /// Who takes tags that nobody knows, if anybody does.
    pub(super) fn taker(&self, delivery: &Delivery) -> Result<Option<String>, Ended> {
        if !self.take {
            return Ok(None);
        }
        let nobody = || Ended::input("the ledger keeps the name of whoever takes a tag: set git's user.name");
        delivery.checkout.person().map(Some).ok_or_else(nobody)
    }
}

/// How outcomes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Carries out `publish`.
pub(crate) fn run(args: &PublishArgs) -> Exit {
    publish(args).unwrap_or_else(said)
}

/// Says why a command ended.
pub(super) fn said(ended: Ended) -> Exit {
    if let Some(message) = ended.message {
        output::complain(&format!("error: {message}"));
    }
    ended.exit
}

fn publish(args: &PublishArgs) -> Result<Exit, Ended> {
    let delivery = Delivery::here(&args.shared.registry, args.shared.authfile.as_deref())?;
    if args.resume {
        return resume(&delivery, args.shared.format);
    }
    let asked = Asked {
        commit: args.commit.clone(),
        reference: args.reference.clone(),
        digest: args.digest.clone(),
        from: args.from.clone(),
        take: args.shared.taker(&delivery)?,
        ..Asked::default()
    };
    let (chosen, notes) = choose(&delivery, &args.images, &asked)?;
    finish(&delivery, chosen, &notes, &args.shared)
}

/// The images that are meant, and why others are not among them.
pub(crate) fn choose(
    delivery: &Delivery,
    images: &[String],
    asked: &Asked,
) -> Result<(Vec<Chosen>, Vec<String>), Ended> {
    let (mut chosen, mut notes) = (Vec::new(), Vec::new());
    if !images.is_empty() {
        for name in images {
            match delivery.publication(delivery.image(name)?, asked)? {
                From::Found(one) => chosen.push(*one),
                From::Nothing(why) => return Err(Ended::work(why)),
            }
        }
        return Ok((chosen, notes));
    }
    if delivery.policy.images.is_empty() {
        return Err(Ended::input(format!(
            "{} has no `[image.NAME]`: it says where images go, under which tags, and through which gate; \
             `lineclear init` writes one",
            delivery.file
        )));
    }
    for image in &delivery.policy.images {
        match delivery.publication(image, asked)? {
            From::Found(one) => chosen.push(*one),
            From::Nothing(why) => notes.push(why),
        }
    }
    if chosen.is_empty() {
        return Err(Ended::work(format!("there is nothing to publish:\n  {}", notes.join("\n  "))));
    }
    Ok((chosen, notes))
}

/// Moves them, or foresees it, and shows what came of it.
pub(super) fn finish(
    delivery: &Delivery,
    chosen: Vec<Chosen>,
    notes: &[String],
    args: &SharedArgs,
) -> Result<Exit, Ended> {
    let cancel = Cancel::on_signals()?;
    let outcomes = match args.dry_run {
        true => delivery.foresee(chosen, &cancel),
        false => delivery.carry(chosen, &cancel, &|_, _| {}),
    };
    match args.format {
        Format::Json => output::print(&format!("{:#}\n", told::json(&outcomes, notes))),
        Format::Text => {
            notes.iter().for_each(|note| output::complain(&format!("note: {note}")));
            output::print(&told::text(&outcomes));
        }
    }
    Ok(told::exit(&outcomes))
}

fn resume(delivery: &Delivery, format: Format) -> Result<Exit, Ended> {
    let settled = delivery.resume(&Cancel::on_signals()?)?;
    match format {
        Format::Json => {
            let statements: Vec<_> = settled.iter().map(|one| &one.statement).collect();
            output::print(&format!("{:#}\n", serde_json::json!({ "version": 1, "settled": statements })));
        }
        Format::Text if settled.is_empty() => output::print("no move was interrupted\n"),
        Format::Text => {
            settled.iter().for_each(|one| output::print(&format!("{}\n", told::settled_text(one))));
        }
    }
    Ok(Exit::Success)
}
