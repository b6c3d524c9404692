//! Bearer tokens of a registry that listens by itself: random, kept in memory, good for an hour.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use lineclear_event::{Timestamp, hexadecimal};

use crate::ServicesError;
use crate::time::after;

pub(super) const LIFE: Duration = Duration::from_secs(3600);

/// Who a token speaks for; `None` is whoever gave no name.
type Known = Option<String>;

/// By the hash of the token: how long a look-up takes says nothing about the token.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<[u8; 32], (Known, Timestamp)>>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    pub(super) fn issue(&self, user: Known, now: Timestamp) -> Result<String, ServicesError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| ServicesError::Random)?;
        let token = hexadecimal(&random);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, until)| now < *until);
        known.insert(hash(&token), (user, after(now, LIFE)));
        Ok(token)
    }

    pub(super) fn user(&self, token: &str, now: Timestamp) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash(token)).filter(|(_, until)| now < *until).map(|(user, _)| user.clone())
    }
}

pub(super) fn hash(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}
