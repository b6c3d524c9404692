//! How rules speak of a name that is not there, and of the one that was meant.

use lineclear_source::suggest;

use crate::types::Unknown;
use crate::{Edit, File, Finding, Fix, Report};

/// Reports a name that its object does not have. `message` says so; what was probably meant is added here, with its repair, or else
/// what there is.
pub(super) fn report<'r>(
    file: &File<'_>,
    report: &'r mut Report<'_>,
    unknown: &Unknown,
    message: String,
) -> &'r mut Finding {
    match suggest(&unknown.name, unknown.object.names()) {
        Some(near) => {
            let fix = report.wants_fixes().then(|| rename(file, unknown, near)).flatten();
            report.at(unknown.span, format!("{message}; did you mean `{near}`?")).fix(fix)
        }
        None => {
            let finding = report.at(unknown.span, message);
            match list(unknown) {
                Some(known) => finding.help(known),
                None => finding,
            }
        }
    }
}

fn rename(file: &File<'_>, unknown: &Unknown, near: &str) -> Option<Fix> {
    let is_quoted = file.source().slice(unknown.span).starts_with('\'');
    let text = if is_quoted {
        format!("'{}'", near.replace('\'', "''"))
    } else if is_identifier(near) {
        near.to_owned()
    } else {
        return None;
    };
    Some(Fix::review(format!("write `{near}`"), vec![Edit::replace(unknown.span, text)]))
}

fn is_identifier(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !name.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// More names than these help nobody.
const LISTED: usize = 12;

fn list(unknown: &Unknown) -> Option<String> {
    let names: Vec<String> = unknown.object.names().take(LISTED + 1).map(|name| format!("`{name}`")).collect();
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => format!("there is {last} only"),
        others if others.len() < LISTED => format!("there are {} and {last}", others.join(", ")),
        others => format!("there are {}, …", others.join(", ")),
    })
}
