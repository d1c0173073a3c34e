//! One short file for each verb. A verb chooses an intent and a view; the pipeline is the same for
//! all ([`session`](crate::session)).

pub mod apply;
pub mod destroy;
pub mod dev;
pub mod explain;
pub mod init;
pub mod maintenance;
pub mod plan;
pub mod policy;
pub mod status;
pub mod sweep;
pub mod validate;
