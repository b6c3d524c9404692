//! `lineclear image sign`.

use clap::Args;
use lineclear_deliver::signing::{recursively, sign_image};
use lineclear_event::Statement;
use lineclear_oci::{Digest, Reference};
use serde_json::json;

use super::{Here, Reached, digest_of};
use crate::command::history::Shape;
use crate::command::image::Failure;
use crate::command::image::connection::ConnectionArgs;
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  lineclear image sign ghcr.io/me/app@sha256:…
  lineclear image sign ghcr.io/me/app:1           looks the tag up once, and says which digest it signed
  lineclear image sign --recursive ghcr.io/me/app:1
                                                  also the images of each platform
  lineclear image sign --key ./cosign.key ghcr.io/me/app:1
  cosign verify --key release.pub --insecure-ignore-tlog=true ghcr.io/me/app@sha256:…
                                                  what others do with it

Signing needs a key. Without one, by an identity (\"keyless\"), is not done: it needs services on the internet. More: docs/signing.md";

/// Arguments of `image sign`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArgs {
    /// The image: best `name@sha256:…`. Of a tag, the digest that it stands for now is signed.
    image: Reference,

    /// The key: the name of one that is kept, a file, or env://VARIABLE. [default: LINECLEAR_SIGNING_KEY, `[signing] key`, or the only one
    /// that is kept]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Sign every image that an index lists, too.
    #[arg(short, long)]
    recursive: bool,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image sign`.
pub(crate) fn sign(args: &SignArgs) -> Result<String, Failure> {
    let mut here = Here::open()?;
    // The key first: nobody is called for a key that is not there.
    let policy = here.policy.signing.clone();
    let key = here.keys.private(args.key.as_deref(), &policy).map_err(Failure::Input)?;
    let Reached { client, at, name, .. } = &Reached::of(&args.image.or_latest(), &args.connection)?;
    let image = at.only_at(digest_of(at)?);
    let places = if args.recursive { recursively(client, &image)? } else { vec![image] };
    let mut signed = Vec::new();
    for place in &places {
        signed.push((digest_of(place)?, sign_image(client, place, &key, settings::now())?));
    }
    let statements = signed.iter().map(|(digest, signature)| (digest.clone(), Statement::Signature(signature.clone())));
    let stated = here.state(statements.collect())?;
    let named = |digest: &Digest| name.only_at(digest.clone()).familiar();
    if args.format == Shape::Json {
        let each: Vec<_> = signed
            .iter()
            .map(|(digest, signature)| {
                json!({"image": named(digest), "digest": digest.to_string(),
                       "key": signature.key, "attached": signature.attached})
            })
            .collect();
        return Ok(format!("{:#}\n", json!({ "version": 1, "signed": each })));
    }
    let lines: String = signed.iter().map(|(digest, _)| format!("signed {}\n", named(digest))).collect();
    Ok(format!("{lines}with key {}\n{stated}", key.public().id()))
}
