//! What the ops do to an origin access control.

use super::{Live, Op, description, name};

/// Returns the control after `op`; a new one gets `id`.
#[must_use]
pub fn simulate(live: Option<Live>, op: &Op, id: &str) -> Option<Live> {
    match op {
        Op::Create { stack } => live.or_else(|| Some(Live { id: id.to_owned(), name: name(stack), description: description(stack) })),
        Op::Delete { .. } => None,
    }
}
