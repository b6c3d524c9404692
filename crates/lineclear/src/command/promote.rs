//! `lineclear promote`: an image that was published gets the names of a target; nothing is built again.

use clap::Args;

use super::publish::{SharedArgs, finish, said};
use crate::delivery::{Asked, Delivery, Ended};
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  lineclear promote backend production              what was published for the commit that is checked out
  lineclear promote backend production --from sha-1a2b3c4
  lineclear promote backend production --from v1.2.3 --dry-run
  lineclear promote backend production --tag prod   a tag in place of those of lineclear.toml

The digest stays: a promotion gives names to what was tested. For a merge commit that nobody built it is the image of a commit with
the same contents, or of the commit that was merged; which one is said.
Exit codes: 0 promoted, 1 refused or not possible, 2 wrong input, 3 Lineclear itself failed, 130 cancelled. More: docs/publish.md";

/// Arguments of `promote`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PromoteArgs {
    /// The image, as `lineclear.toml` calls it.
    image: String,

    /// The target: a key of `[image.NAME.promote]`.
    target: String,

    /// What was published: a tag, a digest, or a commit. [default: the commit that is checked out]
    #[arg(long, value_name = "TAG|DIGEST|COMMIT")]
    from: Option<String>,

    /// The new tags, in place of those of `lineclear.toml`; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    #[command(flatten)]
    shared: SharedArgs,
}

/// Carries out `promote`.
pub(crate) fn run(args: &PromoteArgs) -> Exit {
    promote(args).unwrap_or_else(said)
}

fn promote(args: &PromoteArgs) -> Result<Exit, Ended> {
    let delivery = Delivery::here(&args.shared.registry, args.shared.authfile.as_deref())?;
    let take = args.shared.taker(&delivery)?;
    let asked = Asked { from: args.from.clone(), tags: args.tags.clone(), take, ..Asked::default() };
    let chosen = delivery.promotion(delivery.image(&args.image)?, &args.target, &asked)?;
    finish(&delivery, vec![chosen], &[], &args.shared)
}
