//! From events to the tree, with everything that is wrong on the way.

use lineclear_source::Source;

use crate::events::Events;
use crate::lenient::Repairs;
use crate::syntax::Fault;
use crate::{Limits, Parsed};

mod anchors;
mod builder;
mod finding;
mod merge;
mod place;

use builder::{Builder, Stop};

/// Reads one document.
///
/// The tree holds whatever could be understood: a second key of the same name, a merge key or a key that is no scalar is
/// reported and left out, an alias without anchor is reported and stands as null. After a fault of syntax, or beyond a
/// limit, there is no tree. An empty text, or one of comments only, is a tree without root and nothing is reported.
///
/// # Source
/// `YamlObjectReader` and `TemplateReader` of GitHub's runner; the two forms that YAML forbids and GitHub reads come from
/// the fixtures of its language services.
pub fn parse(source: &Source, limits: &Limits) -> Parsed {
    parse_as(source, limits, Dialect::GitHub)
}

/// Reads one document of ordinary YAML, as other programs than GitHub's read it: the merge key `<<` takes over the entries of other
/// mappings, upper and lower case make a difference in keys, and tags of the application's own are kept in [`Tree::tags`](crate::Tree).
pub fn parse_ordinary(source: &Source, limits: &Limits) -> Parsed {
    parse_as(source, limits, Dialect::Ordinary)
}

/// Whose YAML it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    GitHub,
    Ordinary,
}

fn parse_as(source: &Source, limits: &Limits, dialect: Dialect) -> Parsed {
    if source.text().len() > limits.bytes {
        return Parsed { tree: None, diagnostics: vec![finding::too_large(source.text().len(), limits)] };
    }
    let mut repairs = Repairs::new(source.text());
    loop {
        let (parsed, stop) = read(source, &repairs, limits, dialect);
        let Some(stop) = stop else { return parsed };
        if let Stop::Syntax(error) = &stop
            && repairs.mend(error)
        {
            continue;
        }
        let mut diagnostics = parsed.diagnostics;
        diagnostics.push(match stop {
            Stop::Syntax(error) if error.fault == Fault::TooDeep => finding::too_deep(limits, error.at, source),
            Stop::Syntax(error) => error.diagnostic(source.text(), repairs.text()),
            Stop::Limit(diagnostic) => *diagnostic,
        });
        return Parsed { tree: None, diagnostics };
    }
}

/// One reading, up to the end or to where it cannot go on.
fn read(source: &Source, repairs: &Repairs<'_>, limits: &Limits, dialect: Dialect) -> (Parsed, Option<Stop>) {
    // One more than allowed, so that it is the tree that counts: it knows the limit's place more exactly.
    let mut events = Events::new(repairs.text(), limits.depth.saturating_add(1));
    let mut builder = Builder::new(source, repairs, limits, dialect);
    let mut stop = None;
    while let Some(next) = events.next() {
        let result = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(Stop::Syntax(error)),
        };
        if let Err(why) = result {
            stop = Some(why);
            break;
        }
    }
    let (tree, diagnostics) = builder.finish();
    (Parsed { tree: Some(tree), diagnostics }, stop)
}

#[cfg(test)]
mod tests;
