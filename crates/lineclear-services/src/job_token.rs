//! The runtime token: a JWT that names a job to the artifact and cache services.
//!
//! Clients read its claims without checking it: `scp` for the artifact client, `ac`, `exp` and `nbf` for the Go cache client
//! (trap 90). This module checks it on every call (trap 91).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineclear_event::{Timestamp, hexadecimal};
use serde_json::{Value, json};

use crate::session::SessionId;
use crate::signed_url::random_key;
use crate::time::{after, seconds};
use crate::{JobIdentity, ServicesError};

/// A longer text is no token of ours.
const LONGEST: usize = 16 << 10;

/// How the artifact client names the run and the job of a token: free texts without space and colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackendIds {
    pub(crate) run: String,
    pub(crate) job: String,
}

impl BackendIds {
    pub(crate) fn of(identity: &JobIdentity) -> Self {
        let job = format!("{}\n{}", identity.caller.job, identity.run_attempt);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, job.as_bytes());
        let short = digest.as_ref().get(..16).unwrap_or_default();
        Self { run: format!("run-{}", identity.caller.run), job: format!("job-{}", hexadecimal(short)) }
    }
}

/// Signs and checks runtime tokens with a key of this process.
pub(crate) struct TokenSigner(hmac::Key);

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSigner")
    }
}

impl TokenSigner {
    pub(crate) fn generate() -> Result<Self, ServicesError> {
        Ok(Self(random_key()?))
    }

    pub(crate) fn issue(&self, identity: &JobIdentity, session: SessionId, issuer: &str, now: Timestamp) -> String {
        let ids = BackendIds::of(identity);
        let caller = &identity.caller;
        let claims = json!({
            "iss": issuer,
            "aud": issuer,
            "sub": "lineclear-job",
            "nameid": session.to_string(),
            "scp": format!("Actions.Results:{}:{}", ids.run, ids.job),
            "ac": access_controls(identity),
            "orch_id": orchestration_id(identity),
            "repository_id": identity.repository_id,
            "run_id": caller.run.to_string(),
            "iat": seconds(now),
            // Clocks of other machines may be a little behind.
            "nbf": seconds(now) - 300,
            "exp": seconds(after(now, identity.life)),
        });
        let text = unsigned(&json!({ "alg": "HS256", "typ": "JWT" }), &claims);
        let signature = hmac::sign(&self.0, text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The session of a token that this process issued and that has not expired.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Option<SessionId> {
        if token.len() > LONGEST {
            return None;
        }
        let (text, signature) = token.rsplit_once('.')?;
        // The algorithm is ours, whatever the header says.
        hmac::verify(&self.0, text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let (_, claims) = text.split_once('.')?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        if claims["exp"].as_i64()? <= seconds(now) {
            return None;
        }
        claims["nameid"].as_str()?.parse().ok()
    }
}

/// Header and claims as the signed part of a JWT.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// `ACTIONS_ORCHESTRATION_ID`: clients put it into their user agent.
pub(crate) fn orchestration_id(identity: &JobIdentity) -> String {
    let ids = BackendIds::of(identity);
    format!("{}.{}.{}", ids.run, ids.job, identity.run_attempt)
}

/// The `ac` claim: a JSON text with the scopes of caches and what may be done there, 1 for reading and 2 for writing.
fn access_controls(identity: &JobIdentity) -> String {
    let own = identity.own_scope();
    let mut controls: Vec<Value> = Vec::new();
    let mode = identity.cache_mode;
    let bits = u8::from(mode.can_read()) + 2 * u8::from(mode.can_write());
    if bits > 0 {
        controls.push(json!({ "Scope": own.0, "Permission": bits }));
    }
    let others = identity.readable_scopes().into_iter().filter(|scope| *scope != own);
    controls.extend(others.map(|scope| json!({ "Scope": scope.0, "Permission": 1 })));
    Value::Array(controls).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheMode;
    use crate::identity::tests::spec;

    fn claims(token: &str) -> Value {
        let part = token.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    }

    #[test]
    fn trap_90_the_claims_are_what_the_clients_read() {
        let signer = TokenSigner::generate().expect("randomness");
        let identity = JobIdentity::of_job(&spec());
        let claims = claims(&signer.issue(&identity, SessionId(9), "http://x", Timestamp(1_000_000)));
        let scope = claims["scp"].as_str().expect("a text");
        let parts: Vec<&str> = scope.split(':').collect();
        assert_eq!((parts.len(), parts[0]), (3, "Actions.Results"), "{scope}");
        assert!(!scope.contains(' '));
        let access: Value = serde_json::from_str(claims["ac"].as_str().expect("a text")).expect("JSON in it");
        assert_eq!(
            access,
            json!([
                { "Scope": "refs/pull/7/merge", "Permission": 3 },
                { "Scope": "refs/heads/release", "Permission": 1 },
                { "Scope": "refs/heads/main", "Permission": 1 },
            ])
        );
        assert_eq!(
            (claims["iat"].as_i64(), claims["nbf"].as_i64(), claims["exp"].as_i64()),
            (Some(1000), Some(700), Some(26_200))
        );
    }

    #[test]
    fn a_job_that_only_reads_caches_is_told_so() {
        let mut identity = JobIdentity::of_job(&spec());
        identity.cache_mode = CacheMode::Read;
        assert!(access_controls(&identity).starts_with(r#"[{"Scope":"refs/pull/7/merge","Permission":1}"#));
        identity.cache_mode = CacheMode::WriteOnly;
        assert_eq!(access_controls(&identity), r#"[{"Scope":"refs/pull/7/merge","Permission":2}]"#);
        identity.cache_mode = CacheMode::None;
        assert_eq!(access_controls(&identity), "[]");
    }

    #[test]
    fn trap_91_expired_and_forged_tokens_name_nobody() {
        let signer = TokenSigner::generate().expect("randomness");
        let identity = JobIdentity::of_job(&spec());
        let token = signer.issue(&identity, SessionId(9), "http://x", Timestamp(0));
        assert_eq!(signer.check(&token, Timestamp(1000)), Some(SessionId(9)));
        assert_eq!(signer.check(&token, after(Timestamp(0), identity.life)), None, "expired");
        let other =
            TokenSigner::generate().expect("randomness").issue(&identity, SessionId(9), "http://x", Timestamp(0));
        assert_eq!(signer.check(&other, Timestamp(0)), None, "of another key");
        let mut claims = claims(&token);
        claims["nameid"] = "10".into();
        let none = unsigned(&json!({ "alg": "none" }), &claims);
        for forged in [
            format!("{none}."),
            none.clone(),
            format!("{none}.{}", token.rsplit('.').next().expect("a signature")),
            String::new(),
            "a.b.c".into(),
        ] {
            assert_eq!(signer.check(&forged, Timestamp(0)), None, "{forged}");
        }
    }
}
