//! Whose an object with a name of the spec is, and whether a plan may touch it.

use super::{STACK_TAG, site};
use crate::change::{Address, Conflict};
use crate::name::StackName;
use std::fmt;

/// Where the second mark of an object is, beside its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Description,
    /// In the index of what was put into a bucket.
    Index,
    /// In the reference of its creation, which nobody can change.
    Creation,
}

impl Mark {
    /// What a user does who does not want it to be `stack`'s any more; nothing undoes a creation.
    fn undone(self) -> Option<String> {
        match self {
            Self::Description => Some("change its description".into()),
            Self::Index => Some(format!("delete `{}` from it", site::index::KEY)),
            Self::Creation => None,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Description => "its description",
            Self::Index => "the index of its objects",
            Self::Creation => "the reference of its creation",
        })
    }
}

/// Whose an object is. Most kinds carry two marks: a tag, which everybody may copy or change, and
/// another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It carries no mark of ours.
    Nobody,
    Stack(StackName),
    /// It has no tag, and its other mark alone does not prove whose it is.
    Untagged {
        /// As that mark says.
        says: StackName,
        mark: Mark,
    },
    /// Its two marks name different stacks. It is not touched for either.
    Disputed {
        /// As the tag says.
        tag: StackName,
        /// As the other mark says.
        says: StackName,
        mark: Mark,
    },
}

impl Owner {
    /// By the two marks; one is enough.
    #[must_use]
    pub fn by_either(tag: Option<StackName>, says: Option<StackName>, mark: Mark) -> Self {
        match (tag, says) {
            (Some(tag), Some(says)) if tag != says => Self::Disputed { tag, says, mark },
            (Some(stack), _) | (None, Some(stack)) => Self::Stack(stack),
            (None, None) => Self::Nobody,
        }
    }

    /// By the tag; the other mark, which is easily copied, may only contradict.
    #[must_use]
    pub fn by_tag(tag: Option<StackName>, says: Option<StackName>, mark: Mark) -> Self {
        match (tag, says) {
            (None, Some(says)) => Self::Untagged { says, mark },
            (tag, says) => Self::by_either(tag, says, mark),
        }
    }

    #[must_use]
    pub fn is(&self, stack: &StackName) -> bool {
        self.stack() == Some(stack)
    }

    /// The stack, where the marks prove it.
    #[must_use]
    pub fn stack(&self) -> Option<&StackName> {
        match self {
            Self::Stack(stack) => Some(stack),
            Self::Nobody | Self::Untagged { .. } | Self::Disputed { .. } => None,
        }
    }

    /// The stack that it was made for, or is tagged for, surely or not.
    #[must_use]
    pub fn named(&self) -> Option<&StackName> {
        match self {
            Self::Nobody => None,
            Self::Stack(stack) => Some(stack),
            Self::Untagged { says, .. } | Self::Disputed { says, .. } => Some(says),
        }
    }

    /// Does a mark of it name a stack, and no more than that mark prove it?
    #[must_use]
    pub fn is_in_dispute(&self) -> bool {
        matches!(self, Self::Untagged { .. } | Self::Disputed { .. })
    }

    /// Does one of two different marks name this stack?
    #[must_use]
    pub fn is_disputed_by(&self, stack: &StackName) -> bool {
        matches!(self, Self::Disputed { tag, says, .. } if stack == tag || stack == says)
    }

    /// Why it belongs surely to nobody, where a mark of it names a stack.
    #[must_use]
    pub fn dispute(&self, address: &Address) -> Option<Conflict> {
        let (reason, hint) = match self {
            Self::Nobody | Self::Stack(_) => return None,
            Self::Untagged { says, mark } => (
                format!("{mark} says stack `{says}`, and it does not carry our tag `{STACK_TAG}`"),
                match mark.undone() {
                    Some(undone) => {
                        format!("set that tag to `{says}` again, or {undone}, and it stays")
                    }
                    None => format!("set that tag to `{says}` again"),
                },
            ),
            Self::Disputed { tag, says, mark } => (
                format!("its tag `{STACK_TAG}` says `{tag}`, and {mark} says `{says}`"),
                match mark.undone() {
                    Some(undone) => format!(
                        "set that tag to `{says}` if it is that stack's; otherwise {undone}: no \
                            run touches it until then"
                    ),
                    None => format!("set that tag back to `{says}`, whose {} it is", address.kind),
                },
            ),
        };
        Some(Conflict { address: address.clone(), reason, hint })
    }

    /// May it be this stack's, as one of its marks says, and does no more than that prove it?
    #[must_use]
    pub fn may_be(&self, stack: &StackName) -> bool {
        match self {
            Self::Untagged { says, .. } => says == stack,
            owner => owner.is_disputed_by(stack),
        }
    }

    /// The same as [`dispute`](Self::dispute), where one of these marks names this stack.
    #[must_use]
    pub fn dispute_with(&self, stack: &StackName, address: &Address) -> Option<Conflict> {
        self.may_be(stack).then(|| self.dispute(address)).flatten()
    }
}

/// May `stack` use what it has found? `true`: it takes it over. `adopt` is the word for that on the
/// command line, and holds only for what no mark calls another stack's.
///
/// # Errors
/// It belongs to another stack, or to another owner, and no user said that it may be taken over.
pub fn claim(
    stack: &StackName,
    owner: &Owner,
    address: &Address,
    adopt: bool,
) -> Result<bool, Conflict> {
    let may_adopt = matches!(owner, Owner::Untagged { says, .. } if says == stack);
    if let Some(dispute) = owner.dispute(address).filter(|_| !may_adopt) {
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
            let owner = Owner::by_tag(owner.cloned(), None, Mark::Index);
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
        let address = Address::new(Kind::Role, "r");
        for mark in [Mark::Description, Mark::Index, Mark::Creation] {
            let owner = Owner::by_tag(stack("shop"), stack("shop-2"), mark);
            for (name, is_disputed) in [("shop", true), ("shop-2", true), ("shop-3", false)] {
                let name = stack(name).unwrap();
                assert!(!owner.is(&name));
                assert_eq!(owner.dispute_with(&name, &address).is_some(), is_disputed);
                let conflict = claim(&name, &owner, &address, true).unwrap_err();
                let reason =
                    format!("its tag `provision:stack` says `shop`, and {mark} says `shop-2`");
                assert_eq!(conflict.reason, reason);
                assert!(conflict.hint.contains("`shop-2`"), "{}", conflict.hint);
            }
        }
        for (tag, says) in [("shop", "shop"), ("shop", ""), ("", "shop")] {
            let owner = Owner::by_either(stack(tag), stack(says), Mark::Creation);
            assert!(owner.is(&stack("shop").unwrap()));
        }
    }

    #[test]
    fn what_lost_its_tag_is_taken_over_by_the_stack_that_its_other_mark_names_alone() {
        let stack = |name: &str| name.parse::<StackName>().unwrap();
        let address = Address::new(Kind::Role, "r");
        let owner = Owner::by_tag(None, Some(stack("shop")), Mark::Description);
        assert!(!owner.is(&stack("shop")), "a description is easily copied");
        assert_eq!(claim(&stack("shop"), &owner, &address, true), Ok(true));
        assert!(claim(&stack("shop"), &owner, &address, false).is_err());
        let conflict = claim(&stack("shop-2"), &owner, &address, true).unwrap_err();
        assert!(conflict.reason.contains("its description says stack `shop`"), "{conflict:?}");
        assert_eq!(owner.dispute_with(&stack("shop"), &address), owner.dispute(&address));
        assert_eq!(owner.dispute_with(&stack("shop-2"), &address), None);
    }
}
