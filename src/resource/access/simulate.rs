//! What the ops do to an origin access control.

use super::{Live, Op, Signing, description, name};
use crate::name::StackName;

/// Returns the control after `op`; a new one gets `id`.
#[must_use]
pub(crate) fn simulate(stack: &StackName, live: Option<Live>, op: &Op, id: &str) -> Option<Live> {
    match op {
        Op::Create => live.or_else(|| {
            Some(Live {
                id: id.to_owned(),
                name: name(stack),
                description: description(stack),
                signing: Signing::default(),
            })
        }),
        Op::Update { .. } => live.map(|live| Live { signing: Signing::default(), ..live }),
        Op::Delete { .. } => None,
    }
}
