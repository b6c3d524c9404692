//! The order of environments: what comes after what, and what nothing ever reaches.

use lineclear_source::Spanned;

use crate::{Environment, Policy};

/// An environment that nothing reaches.
#[derive(Clone, Copy, Debug)]
pub struct Unreachable<'p> {
    /// The environment.
    pub environment: &'p Environment,
    /// Why.
    pub obstacle: Obstacle<'p>,
}

/// Why nothing reaches an environment.
#[derive(Clone, Copy, Debug)]
pub enum Obstacle<'p> {
    /// `accepts` is an empty list.
    AcceptsNothing,
    /// No ref that it accepts is accepted by this environment, which has to come first.
    AcceptsOthersThan(&'p Environment),
    /// This environment has to come first, and nothing reaches it.
    Behind(&'p Environment),
}

impl Policy {
    /// The circles of environments that wait for each other, each from its first environment in file order.
    pub fn environment_cycles(&self) -> Vec<Vec<&Environment>> {
        let mut cycles: Vec<Vec<&Environment>> = Vec::new();
        for start in &self.environments {
            let is_known = cycles.iter().flatten().any(|environment| environment.name.value == start.name.value);
            if !is_known && let Some(cycle) = self.way_back(start) {
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// The environments that nothing reaches, those of circles left out.
    pub fn unreachable_environments(&self) -> Vec<Unreachable<'_>> {
        let in_cycle: Vec<&str> = self
            .environment_cycles()
            .into_iter()
            .flatten()
            .map(|environment| environment.name.value.as_str())
            .collect();
        let mut found: Vec<Unreachable<'_>> = Vec::new();
        // Each round finds those behind the ones of the round before.
        loop {
            let before = found.len();
            for environment in &self.environments {
                let waits_in_circle = in_cycle.contains(&environment.name.value.as_str());
                let is_found = found.iter().any(|one| one.environment.name.value == environment.name.value);
                if waits_in_circle || is_found {
                    continue;
                }
                if let Some(obstacle) = self.obstacle(environment, &in_cycle, &found) {
                    found.push(Unreachable { environment, obstacle });
                }
            }
            if found.len() == before {
                break;
            }
        }
        found.sort_by_key(|one| one.environment.name.span);
        found
    }

    fn obstacle<'p>(
        &'p self,
        environment: &'p Environment,
        in_cycle: &[&str],
        found: &[Unreachable<'p>],
    ) -> Option<Obstacle<'p>> {
        if environment.accepts.as_ref().is_some_and(|accepts| accepts.value.is_empty()) {
            return Some(Obstacle::AcceptsNothing);
        }
        let first = || environment.after.iter().filter_map(|name| self.environment(&name.value));
        let blocked = |other: &&Environment| {
            let name = other.name.value.as_str();
            in_cycle.contains(&name) || found.iter().any(|one| one.environment.name.value == name)
        };
        if let Some(blocked) = first().find(blocked) {
            return Some(Obstacle::Behind(blocked));
        }
        first().find(|other| !may_share_a_ref(environment, other)).map(Obstacle::AcceptsOthersThan)
    }

    /// The shortest circle through `start`.
    fn way_back<'p>(&'p self, start: &'p Environment) -> Option<Vec<&'p Environment>> {
        let mut ways: Vec<Vec<&Environment>> = vec![vec![start]];
        let mut seen: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(way) = ways.get(at).cloned() {
            at += 1;
            let Some(last) = way.last() else { continue };
            for next in &last.after {
                if next.value == start.name.value {
                    return Some(way);
                }
                if let Some(next) = self.environment(&next.value)
                    && !seen.contains(&next.name.value.as_str())
                {
                    seen.push(&next.name.value);
                    ways.push(way.iter().copied().chain([next]).collect());
                }
            }
        }
        None
    }
}

/// Whether some ref may be accepted by both. Says yes where it cannot tell.
fn may_share_a_ref(one: &Environment, other: &Environment) -> bool {
    let (Some(one), Some(other)) = (&one.accepts, &other.accepts) else { return true };
    let taken = |patterns: &'_ [Spanned<String>]| -> Vec<String> {
        // What `!` takes away again is left alone: the question is what may be there.
        patterns.iter().map(|pattern| pattern.value.clone()).filter(|pattern| !pattern.starts_with('!')).collect()
    };
    let other = taken(&other.value);
    taken(&one.value).iter().any(|one| other.iter().any(|other| may_overlap(one, other)))
}

/// Whether some text may match both patterns, by what they begin and end with.
fn may_overlap(one: &str, other: &str) -> bool {
    let fixed = |pattern: &'_ str| -> (String, String, bool) {
        let pattern = pattern.strip_prefix("refs/heads/").unwrap_or(pattern);
        let is_wild = |char: char| matches!(char, '*' | '?' | '+' | '[');
        match (pattern.find(is_wild), pattern.rfind(|char| is_wild(char) || char == ']')) {
            (Some(first), Some(last)) => (
                // `?` and `+` speak of the character before them.
                pattern.get(..first.saturating_sub(1)).unwrap_or_default().to_owned(),
                pattern.get(last + 1..).unwrap_or_default().to_owned(),
                true,
            ),
            _ => (pattern.to_owned(), pattern.to_owned(), false),
        }
    };
    let ((prefix, suffix, wild), (other_prefix, other_suffix, other_wild)) = (fixed(one), fixed(other));
    if !wild && !other_wild {
        return prefix == other_prefix;
    }
    let begins = prefix.starts_with(&other_prefix) || (wild && other_prefix.starts_with(&prefix));
    let ends = suffix.ends_with(&other_suffix) || (wild && other_suffix.ends_with(&suffix));
    let other_begins = other_wild || other_prefix.starts_with(&prefix);
    let other_ends = other_wild || other_suffix.ends_with(&suffix);
    begins && ends && other_begins && other_ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineclear_source::Source;

    fn policy(text: &str) -> Policy {
        let (policy, findings) = Policy::read(&Source::new("lineclear.toml", text));
        assert_eq!(findings, []);
        policy
    }

    fn names(environments: &[&Environment]) -> String {
        environments.iter().map(|one| one.name.value.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn circles_are_found_once() {
        let policy = policy(
            "environment.a.after = ['b']\nenvironment.b.after = ['c', 'x']\nenvironment.c.after = ['a']\n\
             environment.d.after = ['d']\nenvironment.e.after = ['a']\n",
        );
        let cycles: Vec<String> = policy.environment_cycles().iter().map(|cycle| names(cycle)).collect();
        assert_eq!(cycles, ["a b c", "d"]);
        let unreachable: Vec<&str> =
            policy.unreachable_environments().iter().map(|one| one.environment.name.value.as_str()).collect();
        assert_eq!(unreachable, ["e"]);
    }

    #[test]
    fn patterns_that_never_meet_are_told_apart() {
        for (one, other, may) in [
            ("main", "main", true),
            ("main", "release", false),
            ("refs/heads/main", "main", true),
            ("main", "m*", true),
            ("feature/*", "main", false),
            ("feature/*", "feature/a", true),
            ("feature/*", "*", true),
            ("feature/*", "feature/x/*", true),
            ("*-stable", "main", false),
            ("v*-rc", "v1-rc", true),
            ("refs/tags/v*", "main", false),
            ("mai?n", "man", true),
        ] {
            assert_eq!(may_overlap(one, other), may, "{one} {other}");
            assert_eq!(may_overlap(other, one), may, "{other} {one}");
        }
    }

    #[test]
    fn an_environment_is_not_reached_by_refs_that_the_one_before_refuses() {
        let policy = policy(
            "[environment.staging]\naccepts = ['main']\n[environment.production]\naccepts = ['release/*']\nafter = ['staging']\n\
             [environment.edge]\nafter = ['production']\n[environment.never]\naccepts = []\n",
        );
        let found: Vec<String> = policy
            .unreachable_environments()
            .iter()
            .map(|one| match one.obstacle {
                Obstacle::AcceptsNothing => format!("{} accepts nothing", one.environment.name.value),
                Obstacle::AcceptsOthersThan(other) => {
                    format!("{} accepts others than {}", one.environment.name.value, other.name.value)
                }
                Obstacle::Behind(other) => format!("{} is behind {}", one.environment.name.value, other.name.value),
            })
            .collect();
        assert_eq!(
            found,
            ["production accepts others than staging", "edge is behind production", "never accepts nothing"]
        );
    }
}
