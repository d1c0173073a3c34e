//! Whose a distribution is.

use super::{Live, origin_id};
use crate::change::{Address, Conflict, Kind};
use crate::name::{DistributionId, StackName};
use crate::resource::{Mark, Owner, stack_in};

/// Whose distribution this is. Nobody can change the reference of its creation, so what was not
/// made for a stack is never ours, whatever its tag says. Without a tag it still has our origin.
#[must_use]
pub fn owner(live: &Live) -> Owner {
    let reading = live.document.read();
    let Some(made) = created_for(&reading.caller_reference) else { return Owner::Nobody };
    let tag = stack_in(&live.tags);
    if tag.is_none() && !reading.origins.contains_key(&origin_id(&made)) {
        return Owner::Nobody;
    }
    Owner::by_either(tag, Some(made), Mark::Creation)
}

/// Is this distribution the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    owner(live).is(stack)
}

/// May the stack's distribution go under an `ETag` that its plan has not seen? CloudFront itself
/// moves the `ETag` (docs/aws.md, "ETags of a distribution"), and a destroy is sure as long as this
/// holds.
#[must_use]
pub fn may_go(live: &Live, stack: &StackName) -> bool {
    is_ours(live, stack) && live.deployed && !live.document.read().enabled
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
    let owner = owner(live);
    2 * u8::from(owner.is(stack)) + u8::from(owner.is_disputed_by(stack))
}

/// A distribution of which the tag says one stack, and its creation another.
#[must_use]
pub fn estranged(live: Option<&Live>) -> Option<Conflict> {
    let found = live?;
    owner(found).dispute(&Address::new(Kind::Distribution, &found.id))
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
