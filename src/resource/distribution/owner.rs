//! Whose a distribution is.

use super::{Live, origin_id};
use crate::change::{Address, Conflict, Kind};
use crate::name::{DistributionId, StackName};
use crate::resource::{STACK_TAG, stack_in};

/// Whose distribution this is. The tag says so; where it got lost, its creation.
#[must_use]
pub fn owner(live: &Live) -> Option<StackName> {
    match live.tags.get(STACK_TAG) {
        Some(stack) => stack.parse().ok(),
        None => made_for(live),
    }
}

/// Is this distribution the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    owner(live).is_some_and(|owner| owner == *stack)
}

/// The stack that it was made for: its reference is one of ours, and it has our origin.
fn made_for(live: &Live) -> Option<StackName> {
    let reading = live.document.read();
    let stack = created_for(&reading.caller_reference)?;
    reading.origins.contains_key(&origin_id(&stack)).then_some(stack)
}

/// The stack that a creation of that name was for. Ids of controls have no hyphen, and look like
/// those of distributions.
fn created_for(caller_reference: &str) -> Option<StackName> {
    let (origin, control) = caller_reference.rsplit_once('-')?;
    control.parse::<DistributionId>().ok()?;
    origin.strip_prefix("provision-")?.parse().ok()
}

/// How much speaks for this distribution to be the stack's; 0: nothing. Of several, the one with
/// the most is taken.
#[must_use]
pub fn claim(live: &Live, stack: &StackName) -> u8 {
    let made = made_for(live).as_ref() == Some(stack);
    let tagged = stack_in(&live.tags).as_ref() == Some(stack);
    2 * u8::from(tagged) + u8::from(made)
}

/// A distribution of which the tag says one stack, and its creation another.
#[must_use]
pub fn estranged(stack: &StackName, live: Option<&Live>) -> Option<Conflict> {
    let found = live?;
    let (made, says) = (made_for(found)?, stack_in(&found.tags)?);
    (made != says).then(|| Conflict {
        address: Address::new(Kind::Distribution, &found.id),
        reason: format!("was made for stack `{made}`, and its tag `{STACK_TAG}` says `{says}`"),
        hint: if made == *stack {
            format!("set that tag to `{stack}`; a second distribution would leave this one without its bucket")
        } else {
            format!("set that tag back to `{made}`, whose distribution it is")
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tag_its_creation_tells_whose_it_is() {
        let owner = |reference| created_for(reference).map(|stack| stack.to_string());
        for (reference, stack) in [
            ("provision-shop-E1ABCDEF0123", "shop"),
            ("provision-shop-2-E1ABCDEF0123", "shop-2"),
            ("provision-shop-prod", ""),
            ("provision-shop-", ""),
            ("provision-E1ABCDEF0123", ""),
            ("theirs", ""),
        ] {
            assert_eq!(owner(reference).unwrap_or_default(), stack, "{reference}");
        }
    }
}
