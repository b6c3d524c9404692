//! `[image.NAME.promote]`: what an image is called where it is promoted to.

use lineclear_source::Spanned;
use toml::de::DeValue;

use crate::image::IN_TAGS;
use crate::placeholder::check_placeholders;
use crate::table::{Entry, Findings, Table};

/// A target of promotions: `production = ["prod-${short-sha}"]`, or `production = { tags = […], gate = "release" }`.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// `production`
    pub target: Spanned<String>,
    /// With placeholders, as those of `tags`.
    pub tags: Vec<Spanned<String>>,
    /// `gate`: what has to be clear for this target; the image's own gate, if it is not set.
    pub gate: Option<Spanned<String>>,
}

/// Reads `promote`, in file order.
pub(crate) fn read(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Vec<Promotion> {
    let Some(table) = table.table("promote", findings) else { return Vec::new() };
    table.entries().map(|entry| promotion(&table, entry, findings)).collect()
}

fn promotion(table: &Table<'_>, entry: Entry<'_>, findings: &mut Findings<'_>) -> Promotion {
    let target = Spanned::new(entry.name.to_owned(), entry.key);
    let (tags, gate) = match entry.value {
        DeValue::Array(_) => (table.of_strings(entry, findings), None),
        DeValue::Table(_) => match table.of_table(entry, findings) {
            Some(mut table) => {
                let read = (table.strings("tags", findings), table.string("gate", findings));
                table.finish(findings);
                read
            }
            None => (Vec::new(), None),
        },
        _ => {
            table.wrong_type::<()>(entry, "a list of tags, or a table with `tags` and `gate`", findings);
            return Promotion { target, tags: Vec::new(), gate: None };
        }
    };
    for tag in &tags {
        check_placeholders(tag, IN_TAGS, findings);
    }
    if tags.is_empty() {
        findings.value(
            entry.key,
            format!("`{}` has no tags: an image that is promoted there would stay nameless", entry.name),
        );
    }
    Promotion { target, tags, gate }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use crate::Policy;

    #[test]
    fn a_target_is_a_list_of_tags_or_a_table_with_a_gate() {
        let text = "[image.a]\nrepository = \"r/a\"\n[image.a.promote]\nproduction = [\"prod-${short-sha}\", \"${version}\"]\n\
                    staging = { tags = [\"staging\"], gate = \"release\" }\n";
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert_eq!(findings, []);
        let image = policy.image("a").expect("it is there");
        let shown: Vec<(&str, usize, Option<&str>)> = image
            .promote
            .iter()
            .map(|one| (one.target.value.as_str(), one.tags.len(), one.gate.as_ref().map(|gate| gate.value.as_str())))
            .collect();
        assert_eq!(shown, [("production", 2, None), ("staging", 1, Some("release"))]);
        assert_eq!(image.promotion("staging").expect("it is there").tags[0].value, "staging");
    }

    #[test]
    fn what_is_wrong_with_a_target_is_said_with_its_place() {
        let text = "[image.a]\nrepository = \"r/a\"\n[image.a.promote]\na = 1\nb = []\nc = [\"${shot-sha}\"]\nd = { tag = [\"x\"] }\n";
        let source = Source::new("lineclear.toml", text);
        let (_, findings) = Policy::read(&source);
        let lines: Vec<u32> =
            findings.iter().map(|finding| source.position(finding.span.unwrap_or_default().start).line).collect();
        assert_eq!(lines, [4, 5, 6, 7, 7], "{findings:?}");
    }
}
