//! Whose an object is that lies under a name of the spec, and whether a plan may touch it.

use crate::change::{Address, Conflict};
use crate::name::StackName;

/// May `stack` use what it has found? `true`: it takes it over. `adopt` is the word for that on the
/// command line, and holds only for what belongs to no stack.
///
/// # Errors
/// It belongs to another stack, or to somebody, and nobody said that it may be taken over.
pub fn claim(
    stack: &StackName,
    owner: Option<&StackName>,
    address: &Address,
    adopt: bool,
) -> Result<bool, Conflict> {
    let kind = address.kind;
    let (reason, way_out) = match owner {
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
        let claim =
            |owner, adopt| claim(&ours, owner, &address, adopt).map_err(|conflict| conflict.reason);
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
}
