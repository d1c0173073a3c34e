//! Whose a distribution is.

use super::Live;
use crate::change::{Address, Conflict, Kind};
use crate::name::StackName;
use crate::resource::STACK_TAG;

/// Whose distribution this is. The tag says so; where it got lost, the reference that the
/// distribution was created with.
#[must_use]
pub fn owner(live: &Live) -> Option<StackName> {
    match live.tags.get(STACK_TAG) {
        Some(stack) => stack.parse().ok(),
        None => created_for(&live.document.read().caller_reference),
    }
}

/// Is this distribution the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    owner(live).is_some_and(|owner| owner == *stack)
}

/// The stack that a creation of that name was for. Ids of controls have no hyphen.
fn created_for(caller_reference: &str) -> Option<StackName> {
    let (origin, _) = caller_reference.rsplit_once('-')?;
    origin.strip_prefix("provision-")?.parse().ok()
}

/// Was it made for the stack, whatever its tag says by now?
#[must_use]
pub fn is_made_for(live: &Live, stack: &StackName) -> bool {
    created_for(&live.document.read().caller_reference).is_some_and(|owner| owner == *stack)
}

/// A distribution that was made for the stack and whose tag says another's.
#[must_use]
pub fn estranged(stack: &StackName, live: Option<&Live>) -> Option<Conflict> {
    let found = live.filter(|found| !is_ours(found, stack))?;
    let says = found.tags.get(STACK_TAG).map(String::as_str).unwrap_or_default();
    Some(Conflict {
        address: Address::new(Kind::Distribution, &found.id),
        reason: format!("was made for stack `{stack}`, and its tag `{STACK_TAG}` says `{says}`"),
        hint: format!(
            "set that tag to `{stack}`, or remove it; a second distribution would leave this one \
                without its bucket"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tag_its_creation_tells_whose_it_is() {
        let owners = ["provision-shop-EOAC", "provision-shop-2-EOAC", "provision-EOAC", "theirs"]
            .map(created_for);
        assert_eq!(
            owners,
            [Some("shop".parse().unwrap()), Some("shop-2".parse().unwrap()), None, None]
        );
    }
}
