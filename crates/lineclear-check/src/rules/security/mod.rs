//! What lets somebody do what they must not.
//!
//! What the rules share: `trust` (who may start a run, and which conditions keep outsiders out), `payload` (which values of the
//! `github` context are free text), `relay` (actions that hand such text on or run it), `passing` (scripts that do) and `taint`,
//! which follows text through all of them; `execution` (what runs code of the workspace), `command_files` (what is written to the runner's
//! files).

use crate::Rule;

mod cache_poisoning;
mod checkout_token;
mod command_files;
mod dangerous_trigger;
mod embedding;
mod environment_fix;
mod environment_write;
mod execution;
mod expression_in_script;
mod hard_coded_secret;
mod insecure_commands;
mod leaked_checkout_token;
mod obfuscation;
mod passing;
mod payload;
mod payload_as_code;
mod persisted_credentials;
mod relay;
mod secret_in_log;
mod secret_in_script;
mod self_hosted_pull_request;
mod spoofable_actor;
mod standing;
mod taint;
mod template_injection;
mod trust;
mod unguarded_command;
mod unmasked_secret;
mod untrusted_artifact;
mod untrusted_checkout;
mod untrusted_prompt;
mod unwise_feature;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &template_injection::TemplateInjection,
    &payload_as_code::PayloadAsCode,
    &dangerous_trigger::DangerousTrigger,
    &untrusted_checkout::UntrustedCheckout,
    &untrusted_artifact::UntrustedArtifact,
    &environment_write::EnvironmentWrite,
    &insecure_commands::InsecureCommands,
    &self_hosted_pull_request::SelfHostedPullRequest,
    &spoofable_actor::SpoofableActor,
    &unguarded_command::UnguardedCommand,
    &unmasked_secret::UnmaskedSecret,
    &untrusted_prompt::UntrustedPrompt,
    &unwise_feature::UnwiseFeature,
    &hard_coded_secret::HardCodedSecret,
    &leaked_checkout_token::LeakedCheckoutToken,
    &persisted_credentials::PersistedCredentials,
    &secret_in_log::SecretInLog,
    &secret_in_script::SecretInScript,
    &cache_poisoning::CachePoisoning,
    &expression_in_script::ExpressionInScript,
    &obfuscation::Obfuscation,
];
