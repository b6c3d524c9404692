//! `docs/rules/README.md` lists all rules. `UPDATE_EXPECT=1 cargo test -p lineclear-check --test index` writes it anew.

use std::fmt::Write as _;

use expect_test::expect_file;
use lineclear_check::rules::all;
use lineclear_check::{Activity, Dialect, Group, Repair, RuleMeta};
use lineclear_source::Severity;

#[test]
fn the_index_lists_every_rule() {
    let mut text = String::from(
        "# Rules\n\nWhat `lineclear check` finds. Each page says what, why, and what to do, and is the test of its rule. *pedantic*: asked with\n\
         `--pedantic`, or where the settings name it. *repair*: `safe` ones are made by `--fix`, the others by `--fix=all`.\n",
    );
    for (group, title) in
        [(Group::Correctness, "Correctness"), (Group::Security, "Security"), (Group::Delivery, "Delivery")]
    {
        let _ = writeln!(text, "\n## {title}\n\n| rule | severity | repair | finds |\n|---|---|---|---|");
        let mut metas: Vec<&RuleMeta> = all().filter(|meta| meta.group == group).collect();
        metas.sort_by_key(|meta| meta.id);
        for meta in metas {
            let severity = match meta.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            let pedantic = if meta.activity == Activity::Pedantic { ", pedantic" } else { "" };
            let repair = match meta.repair {
                Repair::None => "",
                Repair::Safe => "safe",
                Repair::Review => "to be read",
            };
            let only = match meta.dialects {
                [Dialect::GitHub] => " (GitHub only)",
                [Dialect::Gitea] => " (Gitea and Forgejo only)",
                _ => "",
            };
            let (id, summary) = (meta.id, meta.summary.replace('|', "\\|"));
            let _ = writeln!(text, "| [{id}]({id}.md) | {severity}{pedantic} | {repair} | {summary}{only} |");
        }
    }
    expect_file!["../../../docs/rules/README.md"].assert_eq(&text);
}
