//! How often, and after which pause, something is tried again.

use std::time::{Duration, Instant};

/// How patient a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often one thing is tried in all, without progress in between.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each.
    pub first_pause: Duration,
    /// The longest pause that the client chooses on its own.
    pub longest_pause: Duration,
    /// How long all pauses of one thing may be together; also the most that a registry may ask for by `Retry-After`.
    pub total: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts, from 250 ms to 20 s, two minutes in all.
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(20),
            total: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// Nothing is tried twice.
    pub const NEVER: Self =
        Self { attempts: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO, total: Duration::ZERO };

    pub(crate) fn begin(&self) -> Backoff {
        Backoff { policy: *self, failures: 0, paused: Duration::ZERO }
    }
}

/// Counts failures of one thing.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    failures: u32,
    paused: Duration,
}

impl Backoff {
    /// The pause before the next attempt, or `None` when it is time to give up.
    ///
    /// `asked` is what the registry asked for: never less is waited. `chance` is between 0 and 1: pauses differ between clients, so
    /// that those that failed together do not come back together.
    pub(crate) fn after_failure(&mut self, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= self.policy.attempts {
            return None;
        }
        let doubled = self.policy.first_pause.saturating_mul(2_u32.saturating_pow(self.failures.saturating_sub(1)));
        let most = doubled.min(self.policy.longest_pause);
        let own = most.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        let pause = asked.map_or(own, |asked| asked.max(own));
        if self.paused + pause > self.policy.total {
            return None;
        }
        self.paused += pause;
        Some(pause)
    }

    /// Something was achieved: failures before it no longer count.
    pub(crate) fn progressed(&mut self) {
        self.failures = 0;
        self.paused = Duration::ZERO;
    }
}

/// A number between 0 and 1. Without randomness pauses are the same for all, which is no fault.
pub(crate) fn chance() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

/// Waits in small steps until `pause` is over; `false` when told to stop before.
pub(crate) fn wait(pause: Duration, go_on: impl Fn() -> bool) -> bool {
    const STEP: Duration = Duration::from_millis(50);
    let end = Instant::now() + pause;
    loop {
        if !go_on() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(STEP));
    }
}

/// Seconds, or a date of HTTP, of a `Retry-After` header.
///
/// Dates are compared with `date`, the registry's own clock, so that a wrong clock here does no harm.
pub(crate) fn retry_after(header: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let header = header?.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = seconds_of_date(header)?;
    let now = seconds_of_date(date?)?;
    Some(Duration::from_secs(then.saturating_sub(now)))
}

/// Seconds since the year 0 of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds_of_date(text: &str) -> Option<u64> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: u64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month = parts.next()?;
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = parts.next()?.parse().ok().filter(|year| (1..10_000).contains(year))?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days of the civil calendar, with years that begin in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_end() {
        let mut backoff = RetryPolicy::default().begin();
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.after_failure(None, 1.0)).map(|p| p.as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000]);
        let mut backoff = RetryPolicy::default().begin();
        assert_eq!(backoff.after_failure(None, 0.0), Some(Duration::from_millis(125)));
    }

    #[test]
    fn what_the_registry_asks_for_is_waited_but_not_for_ever() {
        let mut backoff = RetryPolicy::default().begin();
        assert_eq!(backoff.after_failure(Some(Duration::from_secs(7)), 1.0), Some(Duration::from_secs(7)));
        assert_eq!(backoff.after_failure(Some(Duration::from_secs(3600)), 1.0), None);
    }

    #[test]
    fn progress_starts_the_count_again() {
        let mut backoff = RetryPolicy { attempts: 2, ..RetryPolicy::default() }.begin();
        assert!(backoff.after_failure(None, 1.0).is_some());
        backoff.progressed();
        assert!(backoff.after_failure(None, 1.0).is_some());
        assert_eq!(backoff.after_failure(None, 1.0), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(Some("12"), None), Some(Duration::from_secs(12)));
        let date = Some("Wed, 28 Feb 2024 23:59:50 GMT");
        assert_eq!(retry_after(Some("Thu, 29 Feb 2024 00:00:05 GMT"), date), Some(Duration::from_secs(15)));
        assert_eq!(retry_after(Some("Fri, 01 Mar 2024 00:00:00 GMT"), date), Some(Duration::from_secs(86_410)));
        assert_eq!(retry_after(Some("Wed, 28 Feb 2024 23:59:00 GMT"), date), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", "Wed, 99 Xyz 2024 00:00:00 GMT", "Wed, 01 Jan 0 00:00:00 GMT"] {
            assert_eq!(retry_after(Some(nonsense), date), None, "{nonsense}");
        }
    }
}
