//! The real binary on the sandbox: whole conversations, as snapshots of stdout, stderr and exit
//! code.
//!
//! After a wanted change: `INSTA_UPDATE=always cargo test --test cli`, then read the difference.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod article;
mod attached;
mod command_line;
mod damage;
mod destroy;
mod documents;
mod drift;
mod explain;
mod function;
mod guards;
mod logs;
mod maintenance;
mod moves;
#[cfg(target_os = "linux")]
mod output;
mod policy;
#[cfg(unix)]
mod probe;
mod saved;
#[cfg(unix)]
mod signals;
mod site;
mod spec;
mod story;
#[cfg(unix)]
mod surroundings;
mod sweep;
#[cfg(unix)]
mod terminal;
mod transcripts;
