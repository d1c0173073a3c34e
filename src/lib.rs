//! `provision` puts a frontend on S3 + CloudFront into a maintenance window, and takes everything
//! away again.
//!
//! ```text
//! provision.yaml ─► spec ─► stack (which objects), desired (how they should be) ─┐
//!                                                                               ▼
//! AWS | sandbox ─► observe ─► live (how they are) ─────────────► plan(stack, desired, live) ─► Plan { steps, conflicts }
//!      ▲                                                                                        │
//!      └───────────── apply (execute the plan: ops, events) ◄── confirmed by a person or --yes ◄┴► view (human | json)
//! ```
//!
//! Each module uses only what stands before it: `name`, `change`, `file`, `edge`, `context`, `aws`,
//! `resource`, `spec`, `stack`, `permissions`, `desired`, `plan`, `sweep`, `cloud`, `apply`, `view`,
//! `session`, `commands`, `cli`. ARCHITECTURE.md says why.

pub mod apply;
pub mod aws;
pub mod change;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod context;
pub mod desired;
pub mod edge;
pub(crate) mod file;
pub mod name;
pub(crate) mod permissions;
pub mod plan;
pub mod resource;
pub(crate) mod session;
pub mod spec;
pub mod stack;
pub mod sweep;
pub mod view;
