//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod evidence;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod images;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod lsp;
pub(crate) mod overview;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod promote;
pub(crate) mod prune;
pub(crate) mod publish;
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod secret;
pub(crate) mod security;
pub(crate) mod status;
pub(crate) mod variable;
pub(crate) mod vulnerabilities;
