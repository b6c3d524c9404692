//! `on`.
//!
//! GitHub is lenient below an event: a key, filter or activity type that the event does not have is ignored, so these are
//! warnings here. A filter beside its `-ignore` form and a pattern that is none are refused.

use lineclear_source::{Diagnostic, Span, Spanned};
use lineclear_yaml::{Entry, Node};

use super::event::{EVENTS, Event, Filter, Types};
use super::mapping::{Fields, any_of};
use super::scalar::text_of;
use super::{Reader, keys};
use crate::pattern::not_a_pattern;
use crate::{Cron, FilterPattern, Patterns, Schedule, Trigger, Triggers, code};

/// GitHub starts runs of a schedule no more often than this.
const SHORTEST_INTERVAL_MINUTES: u32 = 5;

impl Reader {
    pub(super) fn triggers(&mut self, node: &Node, key: Span) -> Triggers {
        let events = match node {
            Node::Scalar(scalar) if scalar.is_null() => {
                self.error(code::MISSING_KEY, key, "`on` names no event, so nothing would start this workflow");
                Vec::new()
            }
            Node::Scalar(_) => self.bare_event(node).into_iter().collect(),
            Node::Sequence { items, .. } => {
                if items.is_empty() {
                    self.error(code::MISSING_KEY, key, "`on` names no event, so nothing would start this workflow");
                }
                let mut events: Vec<Trigger> = Vec::new();
                for item in items.iter() {
                    let found = self.bare_event(item);
                    // Naming an event twice changes nothing.
                    events.extend(
                        found.filter(|found| events.iter().all(|known| known.event.value != found.event.value)),
                    );
                }
                events
            }
            Node::Mapping { entries, .. } => {
                if entries.is_empty() {
                    self.error(code::MISSING_KEY, key, "`on` names no event, so nothing would start this workflow");
                }
                entries.iter().filter_map(|entry| self.event(entry)).collect()
            }
        };
        Triggers { events, span: node.span() }
    }

    /// An event without anything under it.
    fn bare_event(&mut self, node: &Node) -> Option<Trigger> {
        let name = self.string(node, "an event of `on`")?;
        let event = self.find_event(&name)?;
        if event.name == "schedule" {
            self.no_schedule(name.span);
        }
        if event.name == "workflow_run" {
            self.no_workflows(name.span);
        }
        Some(Trigger::of(name))
    }

    fn find_event(&mut self, name: &Spanned<String>) -> Option<&'static Event> {
        let found = Event::find(name);
        if found.is_none() {
            let text = &name.value;
            let diagnostic = match self.suggest(text, EVENTS.iter().map(|event| event.name)) {
                Some(near) => format!("`{text}` is not an event; did you mean `{near}`?"),
                // `on: { branches: … }`: the event's line is missing.
                None if Filter::ALL.iter().any(|filter| filter.keys().contains(&text.as_str())) || text == "types" => {
                    format!("`{text}` is not an event but a filter: it belongs below one, such as `push`")
                }
                None => format!("`{text}` is not an event"),
            };
            self.error(code::EVENT_UNKNOWN, name.span, diagnostic);
        }
        found
    }

    fn event(&mut self, entry: &Entry) -> Option<Trigger> {
        let name = self.plain_text(&entry.key, "the name of an event")?;
        let event = self.find_event(&name)?;
        let mut trigger = Trigger::of(name);
        match event.name {
            "schedule" => trigger.schedule = self.schedule(&entry.value, entry.key.span),
            _ if entry.value.is_null() => {
                if event.name == "workflow_run" {
                    self.no_workflows(entry.key.span);
                }
            }
            "workflow_call" => self.workflow_call(&entry.value, &mut trigger),
            "workflow_dispatch" => self.workflow_dispatch(&entry.value, &mut trigger),
            _ => self.filters(&entry.value, event, &mut trigger),
        }
        Some(trigger)
    }

    fn filters(&mut self, node: &Node, event: &'static Event, trigger: &mut Trigger) {
        let Some(fields) = self.mapping(node, &format!("`{}`", event.name)) else { return };
        for entry in fields.entries() {
            self.check_filter_key(entry, event);
        }
        if let Some(node) = fields.get("types") {
            trigger.types = self.types(node, event);
        }
        let has = |filter| event.filters.contains(&filter);
        if has(Filter::Branches) {
            trigger.branches = self.patterns(&fields, "branches");
        }
        if has(Filter::Tags) {
            trigger.tags = self.patterns(&fields, "tags");
        }
        if has(Filter::Paths) {
            trigger.paths = self.patterns(&fields, "paths");
        }
        if has(Filter::Names) {
            trigger.names = self.patterns(&fields, "names");
        }
        if has(Filter::Versions) {
            trigger.versions = self.patterns(&fields, "versions");
        }
        if has(Filter::Workflows) {
            match fields.get("workflows") {
                Some(node) => trigger.workflows = self.strings(node, "`workflows`").unwrap_or_default(),
                None => self.no_workflows(trigger.event.span),
            }
        }
    }

    fn check_filter_key(&mut self, entry: &Entry, event: &'static Event) {
        let key = entry.key.text.as_str();
        let known = event.keys();
        if known.contains(&key) {
            return;
        }
        let is_filter = key == "types" || Filter::ALL.iter().any(|filter| filter.keys().contains(&key));
        let name = event.name;
        let diagnostic = if is_filter {
            let others = EVENTS.iter().filter(|other| other.keys().contains(&key)).map(|other| other.name);
            let message = format!("`{name}` has no filter `{key}`, so GitHub ignores it");
            let help = if key == "types" {
                format!("`{name}` has no activity types")
            } else {
                format!("`{key}` is a filter of {}", others.collect::<Vec<_>>().join(", "))
            };
            Diagnostic::warning(code::FILTER_EVENT, message).help(help)
        } else {
            let message = match self.suggest(key, known.iter().copied()) {
                Some(near) => format!("`{key}` is not a key of `{name}`; did you mean `{near}`?"),
                None => format!("`{key}` is not a key of `{name}`"),
            };
            let help = match known.as_slice() {
                [] => format!("`{name}` takes no keys"),
                known => format!("`{name}` may have: {}", known.join(", ")),
            };
            Diagnostic::warning(code::UNKNOWN_KEY, message).help(help)
        };
        self.report(diagnostic.at(entry.key.span));
    }

    fn types(&mut self, node: &Node, event: &'static Event) -> Option<Vec<Spanned<String>>> {
        if self.warn_if_empty(node, "types") {
            return None;
        }
        let known = match event.types {
            Types::None => return None,
            Types::Free => return self.strings(node, "`types`"),
            Types::Of(known) => known,
        };
        let mut types = self.strings(node, "`types`")?;
        types.retain(|found| {
            let text = found.value.as_str();
            let is_known = known.contains(&text);
            if !is_known {
                let message = match self.suggest(text, known.iter().copied()) {
                    Some(near) => format!("`{}` has no activity type `{text}`; did you mean `{near}`?", event.name),
                    None => format!("`{}` has no activity type `{text}`", event.name),
                };
                let help = format!("possible are {}", any_of(known));
                self.report(Diagnostic::warning(code::EVENT_TYPE, message).at(found.span).help(help));
            }
            is_known
        });
        Some(types)
    }

    /// A filter and its `-ignore` form, of which only one may be there.
    fn patterns(&mut self, fields: &Fields<'_>, key: &str) -> Option<Patterns> {
        let ignore_key = format!("{key}-ignore");
        let (plain, ignored) = (fields.entry(key), fields.entry(&ignore_key));
        if let (Some(plain), Some(ignored)) = (plain, ignored) {
            let message = format!("`{key}` and `{ignore_key}` cannot stand together");
            let help = format!("use `{key}` alone, and put `!` before the patterns to leave out");
            let diagnostic = Diagnostic::error(code::FILTER_CONFLICT, message).at(ignored.key.span).help(help);
            self.report(diagnostic.label(plain.key.span, format!("`{key}` is here")));
        }
        let entry = plain.or(ignored)?;
        if self.warn_if_empty(&entry.value, &entry.key.text) {
            return None;
        }
        let list = self.strings(&entry.value, &format!("`{}`", entry.key.text))?;
        for text in &list {
            if let Err(error) = FilterPattern::parse(text) {
                self.report(not_a_pattern(text, &error));
            }
        }
        Some(Patterns { ignore: plain.is_none(), list, span: entry.value.span() })
    }

    /// A filter that lists nothing is as good as none.
    fn warn_if_empty(&mut self, node: &Node, key: &str) -> bool {
        let is_empty = node.is_null() || node.as_sequence().is_some_and(<[Node]>::is_empty);
        if is_empty {
            self.warning(code::EMPTY_FILTER, node.span(), format!("`{key}` lists nothing, so it filters nothing"));
        }
        is_empty
    }

    fn no_workflows(&mut self, span: Span) {
        let message = "`workflow_run` follows no workflow without the key `workflows`";
        self.warning(code::WORKFLOW_RUN, span, message);
    }

    fn no_schedule(&mut self, span: Span) {
        let message = "`schedule` without a `cron` never starts a run";
        self.warning(code::CRON_SYNTAX, span, message);
    }

    fn schedule(&mut self, node: &Node, key: Span) -> Vec<Schedule> {
        if node.is_null() {
            self.no_schedule(key);
            return Vec::new();
        }
        let Some(items) = self.sequence(node, "`schedule`") else { return Vec::new() };
        if items.is_empty() {
            self.no_schedule(key);
        }
        items.iter().filter_map(|item| self.schedule_entry(item)).collect()
    }

    fn schedule_entry(&mut self, node: &Node) -> Option<Schedule> {
        let fields = self.fields(node, "an entry of `schedule`", &keys::SCHEDULE)?;
        let timezone = fields.get("timezone").and_then(|node| self.timezone(node));
        let Some(node) = fields.get("cron") else {
            self.missing("cron", "an entry of `schedule`", fields.span);
            return None;
        };
        let cron = self.filled_string(node, "`cron`")?;
        let scalar = node.as_scalar()?;
        match Cron::parse(&cron) {
            Ok(parsed) => {
                let interval = parsed.shortest_interval();
                if interval < SHORTEST_INTERVAL_MINUTES {
                    let message = format!(
                        "this schedule has times {interval} minute{} apart; GitHub starts runs no more often than every {SHORTEST_INTERVAL_MINUTES}",
                        if interval == 1 { "" } else { "s" }
                    );
                    self.warning(code::CRON_INTERVAL, cron.span, message);
                }
            }
            Err(errors) => {
                for error in errors {
                    let whole = error.span == Span::new(0, cron.len());
                    let span = if whole { cron.span } else { scalar.span_of(error.span.range()) };
                    self.error(code::CRON_SYNTAX, span, format!("not a valid schedule: {}", error.message));
                }
                return None;
            }
        }
        Some(Schedule { cron, timezone })
    }

    /// Whether the place exists is for those to say who have the zones; here its area must be one, and the rest look like a place.
    fn timezone(&mut self, node: &Node) -> Option<Spanned<String>> {
        let zone = self.filled_string(node, "`timezone`")?;
        let part_fits = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
        };
        if zone.len() > 64 || !zone.split('/').all(part_fits) || !is_of_known_area(&zone) {
            let message = format!("`{}` is not the name of a time zone", zone.value);
            let help = "use a name of the IANA database, such as `Europe/Berlin` or `UTC`";
            self.report(Diagnostic::error(code::SCHEDULE_TIMEZONE, message).at(zone.span).help(help));
            return None;
        }
        Some(zone)
    }
}

/// Whether the name begins with an area of the IANA database, or is one of its names without any.
fn is_of_known_area(zone: &str) -> bool {
    const AREAS: [&str; 16] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    const ALONE: [&str; 43] = [
        "CET",
        "CST6CDT",
        "Cuba",
        "EET",
        "EST",
        "EST5EDT",
        "Egypt",
        "Eire",
        "GB",
        "GB-Eire",
        "GMT",
        "GMT+0",
        "GMT-0",
        "GMT0",
        "Greenwich",
        "HST",
        "Hongkong",
        "Iceland",
        "Iran",
        "Israel",
        "Jamaica",
        "Japan",
        "Kwajalein",
        "Libya",
        "MET",
        "MST",
        "MST7MDT",
        "NZ",
        "NZ-CHAT",
        "Navajo",
        "PRC",
        "PST8PDT",
        "Poland",
        "Portugal",
        "ROC",
        "ROK",
        "Singapore",
        "Turkey",
        "UCT",
        "UTC",
        "Universal",
        "W-SU",
        "Zulu",
    ];
    let known: &[&str] = if zone.contains('/') { &AREAS } else { &ALONE };
    let first = zone.split('/').next().unwrap_or(zone);
    zone == "WET" || known.iter().any(|name| name.eq_ignore_ascii_case(first))
}

impl Trigger {
    fn of(event: Spanned<String>) -> Self {
        Self {
            event,
            types: None,
            branches: None,
            tags: None,
            paths: None,
            workflows: Vec::new(),
            names: None,
            versions: None,
            schedule: Vec::new(),
            inputs: Vec::new(),
            secrets: Vec::new(),
            outputs: Vec::new(),
        }
    }
}

/// The name of an entry under `inputs`, `secrets` or `outputs`.
pub(super) fn name_of(entry: &Entry) -> Spanned<String> {
    Spanned::new(text_of(&entry.key), entry.key.span)
}
