//! The events, their activity types and filters.

/// A filter under an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Branches,
    Tags,
    Paths,
    /// `workflows` of `workflow_run`.
    Workflows,
    /// `names` of `image_version`.
    Names,
    /// `versions` of `image_version`.
    Versions,
}

/// The activity types of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Types {
    None,
    /// Any text: `repository_dispatch`.
    Free,
    Of(&'static [&'static str]),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) types: Types,
    pub(super) filters: &'static [Filter],
}

impl Event {
    const fn plain(name: &'static str) -> Self {
        Self { name, types: Types::None, filters: &[] }
    }

    const fn typed(name: &'static str, types: &'static [&'static str]) -> Self {
        Self { name, types: Types::Of(types), filters: &[] }
    }

    pub(super) fn find(name: &str) -> Option<&'static Self> {
        EVENTS.iter().find(|event| event.name == name)
    }

    /// The keys that the event's mapping may have.
    pub(super) fn keys(&self) -> Vec<&'static str> {
        let types = (!matches!(self.types, Types::None)).then_some("types");
        let filters = self.filters.iter().flat_map(|filter| filter.keys().iter().copied());
        let own: &[&str] = match self.name {
            "workflow_call" => &["inputs", "secrets", "outputs"],
            "workflow_dispatch" => &["inputs"],
            _ => &[],
        };
        types.into_iter().chain(filters).chain(own.iter().copied()).collect()
    }
}

impl Filter {
    pub(super) const ALL: [Self; 6] =
        [Self::Branches, Self::Tags, Self::Paths, Self::Workflows, Self::Names, Self::Versions];

    /// The key, and its `-ignore` form if it has one.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Branches => &["branches", "branches-ignore"],
            Self::Tags => &["tags", "tags-ignore"],
            Self::Paths => &["paths", "paths-ignore"],
            Self::Workflows => &["workflows"],
            Self::Names => &["names"],
            Self::Versions => &["versions"],
        }
    }
}

const PULL_REQUEST_TYPES: &[&str] = &[
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "opened",
    "edited",
    "closed",
    "reopened",
    "synchronize",
    "converted_to_draft",
    "locked",
    "unlocked",
    "enqueued",
    "dequeued",
    "milestoned",
    "demilestoned",
    "ready_for_review",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "stacked",
];

const COMMENT_TYPES: &[&str] = &["created", "edited", "deleted"];

/// Source: "Events that trigger workflows" of GitHub's documentation and `on-mapping-strict` of its workflow schema.
pub(super) const EVENTS: &[Event] = &[
    Event::typed("branch_protection_rule", COMMENT_TYPES),
    Event::typed("check_run", &["created", "rerequested", "completed", "requested_action"]),
    Event::typed("check_suite", &["completed"]),
    Event::plain("create"),
    Event::plain("delete"),
    Event::plain("deployment"),
    Event::plain("deployment_status"),
    Event::typed(
        "discussion",
        &[
            "created",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "category_changed",
            "answered",
            "unanswered",
        ],
    ),
    Event::typed("discussion_comment", COMMENT_TYPES),
    Event::plain("fork"),
    Event::plain("gollum"),
    Event {
        name: "image_version",
        types: Types::Of(&["created", "ready", "deleted"]),
        filters: &[Filter::Names, Filter::Versions],
    },
    Event::typed("issue_comment", COMMENT_TYPES),
    Event::typed(
        "issues",
        &[
            "opened",
            "edited",
            "deleted",
            "transferred",
            "pinned",
            "unpinned",
            "closed",
            "reopened",
            "assigned",
            "unassigned",
            "labeled",
            "unlabeled",
            "locked",
            "unlocked",
            "milestoned",
            "demilestoned",
            "typed",
            "untyped",
            "field_added",
            "field_removed",
        ],
    ),
    Event::typed("label", COMMENT_TYPES),
    Event { name: "merge_group", types: Types::Of(&["checks_requested", "destroyed"]), filters: &[Filter::Branches] },
    Event::typed("milestone", &["created", "closed", "opened", "edited", "deleted"]),
    Event::plain("page_build"),
    Event::typed("project", &["created", "closed", "reopened", "edited", "deleted"]),
    Event::typed("project_card", &["created", "moved", "converted", "edited", "deleted"]),
    Event::typed("project_column", &["created", "updated", "moved", "deleted"]),
    Event::plain("public"),
    Event { name: "pull_request", types: Types::Of(PULL_REQUEST_TYPES), filters: &[Filter::Branches, Filter::Paths] },
    Event::typed("pull_request_comment", COMMENT_TYPES),
    Event::typed("pull_request_review", &["submitted", "edited", "dismissed"]),
    Event::typed("pull_request_review_comment", COMMENT_TYPES),
    Event {
        name: "pull_request_target",
        types: Types::Of(PULL_REQUEST_TYPES),
        filters: &[Filter::Branches, Filter::Paths],
    },
    Event { name: "push", types: Types::None, filters: &[Filter::Branches, Filter::Tags, Filter::Paths] },
    Event::typed("registry_package", &["published", "updated"]),
    Event::typed("release", &["published", "unpublished", "created", "edited", "deleted", "prereleased", "released"]),
    Event { name: "repository_dispatch", types: Types::Free, filters: &[] },
    Event::plain("schedule"),
    Event::plain("status"),
    Event::typed("watch", &["started"]),
    Event::plain("workflow_call"),
    Event::plain("workflow_dispatch"),
    Event {
        name: "workflow_run",
        types: Types::Of(&["completed", "requested", "in_progress"]),
        filters: &[Filter::Workflows, Filter::Branches],
    },
];
