//! One room for each kind. Every room has the same door, without what it has no use for:
//!
//! - `mod.rs`: `Settings` (how an object should be), `Live` (how it is, reduced to what we manage),
//!   `Op` (one AWS mutation or wait, complete with what was seen before), how an op is shown, and
//!   `standing`, the row of `status`.
//! - `plan.rs`: `(desired, live) → ops, conflicts, notices`. Pure.
//! - `simulate.rs`: `(live, op) → live`. Pure; a claim about AWS that the wire tests check.
//! - `aws.rs`: `observe` and `apply` through the SDK. The only module of a room that knows
//!   it; where it is long, `aws.rs` is the door of `aws/`.
//! - `permissions.rs`: what its calls have to be allowed.
//!
//! ARCHITECTURE.md, "How to add a kind", is the recipe.

pub mod access;
pub mod association;
pub mod bucket;
mod claim;
pub mod content;
pub mod distribution;
pub mod function;
pub mod grant;
mod id;
pub mod invalidation;
pub mod logs;
pub mod page;
pub mod permission;
pub mod policy;
pub mod role;
pub mod site;
pub mod tags;

pub use claim::{Mark, Owner, claim};
pub use id::ResourceId;
pub use tags::stack_in;

use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::StackName;
use serde::Serialize;

/// The key of a site's own page for paths that mean nothing, as every host of static sites has it.
pub const NOT_FOUND: &str = "404.html";

/// What a room's planner says.
#[derive(Debug, PartialEq)]
pub struct Planned<Op> {
    /// In the order in which they have to be carried out.
    pub ops: Vec<Op>,
    /// Why not.
    pub conflicts: Vec<Conflict>,
    pub notices: Vec<Notice>,
}

impl<Op> Default for Planned<Op> {
    fn default() -> Self {
        Self { ops: Vec::new(), conflicts: Vec::new(), notices: Vec::new() }
    }
}

impl<Op> Planned<Op> {
    /// Nothing is planned after all.
    fn refused(self, conflict: Conflict) -> Self {
        Self { ops: Vec::new(), conflicts: vec![conflict], notices: self.notices }
    }
}

/// How an object stands, as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name or id, with what tells more of it.
    pub name: String,
    pub exists: bool,
    /// How far it is, where that takes time.
    pub progress: Option<&'static str>,
}

impl Standing {
    /// By its name, and by whether it exists.
    #[must_use]
    pub fn of(name: impl std::fmt::Display, exists: bool) -> Self {
        Self { name: name.to_string(), exists, progress: None }
    }
}

/// The tag that makes an object ours, with the stack's name as its value.
pub const STACK_TAG: &str = "provision:stack";

/// The tag that says how long a demo lives. Its value is a length, not a moment, so that a second
/// apply finds it unchanged.
pub const TTL_TAG: &str = "provision:ttl";

/// The tag that says which kinds of its stack are protected: to whoever has not the spec, or an
/// older one. Its value are their names, with spaces between them.
pub const PROTECT_TAG: &str = "provision:protect";

/// The text that makes ours what takes no tags, or whose tags no list shows.
#[must_use]
pub fn marker(stack: &StackName) -> String {
    format!("{STACK_TAG}={stack}")
}

/// The stack in a text that begins with a [`marker`].
#[must_use]
pub fn marked(text: &str) -> Option<StackName> {
    text.strip_prefix(STACK_TAG)?.strip_prefix('=')?.split(' ').next()?.parse().ok()
}

/// Tags, sorted by key.
pub type Tags = std::collections::BTreeMap<String, String>;

/// One object of ours, as a look at the whole account finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    pub stack: StackName,
    pub kind: Kind,
    pub name: String,
    /// Where it is: a bucket's region, a role's path.
    pub place: Option<String>,
    /// When it was made (or, where AWS does not say, last changed): seconds since the Unix epoch.
    pub since: Option<u64>,
    /// How long its stack shall live, as its tag says.
    pub ttl: Option<String>,
    /// What of its stack is protected, as its tag says.
    pub protect: Option<String>,
    /// Of a distribution: does it answer?
    pub enabled: Option<bool>,
}

impl Trace {
    /// A trace with what its tags say of its stack.
    pub(crate) fn of(
        stack: StackName,
        kind: Kind,
        name: impl std::fmt::Display,
        tags: &Tags,
    ) -> Self {
        let [ttl, protect] = [TTL_TAG, PROTECT_TAG].map(|tag| tags.get(tag).cloned());
        Self {
            stack,
            kind,
            name: name.to_string(),
            place: None,
            since: None,
            ttl,
            protect,
            enabled: None,
        }
    }
}

/// What a look at the whole account finds of some kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// What is surely a stack's.
    pub found: Vec<Trace>,
    /// What two marks give to different stacks, or one mark alone gives to one.
    pub disputed: Vec<(ResourceId, Owner)>,
    /// Who did not let us look.
    pub notices: Vec<Notice>,
}

impl Traces {
    /// Adds what carries a mark of ours. `complete` adds what its tags do not say.
    pub fn add(
        &mut self,
        owner: &Owner,
        id: ResourceId,
        tags: &Tags,
        complete: impl FnOnce(Trace) -> Trace,
    ) {
        let Address { kind, name } = id.address();
        if owner.is_in_dispute() {
            self.disputed.push((id, owner.clone()));
        }
        let stack = owner.stack().cloned();
        self.found.extend(stack.map(|stack| complete(Trace::of(stack, kind, name, tags))));
    }

    /// Both together.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.found.extend(other.found);
        self.disputed.extend(other.disputed);
        self.notices.extend(other.notices);
        self
    }
}
