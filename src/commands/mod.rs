//! One short file for each verb. A verb chooses an intent and a view; the pipeline is the same for
//! all (`session`).

pub(crate) mod apply;
pub(crate) mod destroy;
pub(crate) mod dev;
pub(crate) mod explain;
pub(crate) mod init;
pub mod maintenance;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod status;
pub(crate) mod sweep;
pub(crate) mod validate;
