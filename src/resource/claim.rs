//! Whose an object is that lies under a name of the spec, and whether a plan may touch it.

use super::STACK_TAG;
use crate::change::{Address, Conflict};
use crate::name::StackName;

/// Whose an object is. Most kinds carry two marks: a tag, which everybody may copy or change, and
/// what they were made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It carries no mark of ours.
    Nobody,
    /// A stack's.
    Stack(StackName),
    /// Its two marks name different stacks. It is not touched for either.
    Disputed {
        /// As the tag says.
        tag: StackName,
        /// As it was made.
        made: StackName,
    },
}

impl Owner {
    /// By the two marks; one is enough.
    #[must_use]
    pub fn of(tag: Option<StackName>, made: Option<StackName>) -> Self {
        match (tag, made) {
            (Some(tag), Some(made)) if tag != made => Self::Disputed { tag, made },
            (Some(stack), _) | (None, Some(stack)) => Self::Stack(stack),
            (None, None) => Self::Nobody,
        }
    }

    /// Is it this stack's?
    #[must_use]
    pub fn is(&self, stack: &StackName) -> bool {
        self.stack() == Some(stack)
    }

    /// The stack, where the marks agree.
    #[must_use]
    pub fn stack(&self) -> Option<&StackName> {
        match self {
            Self::Stack(stack) => Some(stack),
            Self::Nobody | Self::Disputed { .. } => None,
        }
    }

    /// Does one of two different marks name this stack?
    #[must_use]
    pub fn is_disputed_by(&self, stack: &StackName) -> bool {
        matches!(self, Self::Disputed { tag, made } if stack == tag || stack == made)
    }

    /// The conflict about two marks that differ, where one of them names this stack.
    #[must_use]
    pub fn dispute_with(&self, stack: &StackName, address: &Address) -> Option<Conflict> {
        self.is_disputed_by(stack).then(|| self.dispute(address)).flatten()
    }

    /// The conflict about two marks that differ.
    #[must_use]
    pub fn dispute(&self, address: &Address) -> Option<Conflict> {
        let Self::Disputed { tag, made } = self else { return None };
        Some(Conflict {
            address: address.clone(),
            reason: format!("was made for stack `{made}`, and its tag `{STACK_TAG}` says `{tag}`"),
            hint: format!("set that tag back to `{made}`, whose {} it is", address.kind),
        })
    }
}

/// May `stack` use what it has found? `true`: it takes it over. `adopt` is the word for that on the
/// command line, and holds only for what belongs to no stack.
///
/// # Errors
/// It belongs to another stack, or to somebody, and nobody said that it may be taken over.
pub fn claim(
    stack: &StackName,
    owner: &Owner,
    address: &Address,
    adopt: bool,
) -> Result<bool, Conflict> {
    if let Some(dispute) = owner.dispute(address) {
        return Err(dispute);
    }
    let kind = address.kind;
    let (reason, way_out) = match owner.stack() {
        Some(owner) if owner == stack => return Ok(false),
        None if adopt => return Ok(true),
        Some(owner) => (
            format!("exists and belongs to stack `{owner}`"),
            format!(
                "run `provision destroy` for stack `{owner}` first; `--adopt {kind}` takes over \
                    only what belongs to no stack"
            ),
        ),
        None => (
            "exists and does not carry our tag".to_owned(),
            format!("take it over with `--adopt {kind}` (a later destroy would then delete it)"),
        ),
    };
    Err(Conflict {
        address: address.clone(),
        reason,
        hint: format!("choose another `{kind}.name`, or {way_out}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Kind;

    #[test]
    fn only_what_belongs_to_no_stack_is_taken_over() {
        let (ours, theirs): (StackName, StackName) =
            ("shop".parse().unwrap(), "shop-2".parse().unwrap());
        let address = Address::new(Kind::Role, "r");
        let claim = |owner: Option<&StackName>, adopt| {
            let owner = Owner::of(owner.cloned(), None);
            claim(&ours, &owner, &address, adopt).map_err(|conflict| conflict.reason)
        };
        for adopt in [false, true] {
            assert_eq!(claim(Some(&ours), adopt), Ok(false));
            assert_eq!(
                claim(Some(&theirs), adopt),
                Err("exists and belongs to stack `shop-2`".into())
            );
        }
        assert_eq!(claim(None, true), Ok(true));
        assert_eq!(claim(None, false), Err("exists and does not carry our tag".into()));
    }

    #[test]
    fn what_two_stacks_claim_is_left_to_both() {
        let stack = |name: &str| name.parse::<StackName>().ok();
        let owner = Owner::of(stack("shop"), stack("shop-2"));
        for (name, is_disputed) in [("shop", true), ("shop-2", true), ("shop-3", false)] {
            let name = stack(name).unwrap();
            assert!(!owner.is(&name));
            let address = Address::new(Kind::Role, "r");
            assert_eq!(owner.dispute_with(&name, &address).is_some(), is_disputed);
            let conflict = claim(&name, &owner, &address, true).unwrap_err();
            let reason = "was made for stack `shop-2`, and its tag `provision:stack` says `shop`";
            assert_eq!(conflict.reason, reason);
        }
        for (tag, made) in [("shop", "shop"), ("shop", ""), ("", "shop")] {
            assert!(Owner::of(stack(tag), stack(made)).is(&stack("shop").unwrap()));
        }
    }
}
