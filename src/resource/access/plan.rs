//! What the origin access control needs.

use super::{Live, Op, Signing, description, name};
use crate::change::{Address, Conflict, Kind};
use crate::name::StackName;
use crate::resource::Planned;

/// Is this control the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    live.description == description(stack)
}

/// The conflict about a control that has our name, and is not described as ours any more.
#[must_use]
pub fn dispute(stack: &StackName, live: &Live) -> Option<Conflict> {
    (!is_ours(live, stack) && live.name == name(stack)).then(|| Conflict {
        address: Address::new(Kind::Access, &live.name),
        reason: "has our name, and its description is not ours".into(),
        hint: format!(
            "set its description to `{}` again, or rename it, and it stays",
            description(stack)
        ),
    })
}

/// Plans its creation and repair.
///
/// A control that `outlived` its distribution is replaced: a creation is named after its control,
/// and CloudFront takes no name twice (CloudFront API Reference, `CallerReference`).
#[must_use]
pub fn plan(stack: &StackName, live: Option<&Live>, outlived: bool) -> Planned<Op> {
    let mut planned = Planned::default();
    match live {
        None => planned.ops.push(Op::Create),
        Some(live) if !is_ours(live, stack) => planned.conflicts.push(Conflict {
            address: Address::new(Kind::Access, name(stack)),
            reason: "exists and is not described as ours".into(),
            hint: format!(
                "rename it, or set its description to `{}` to hand it over",
                description(stack)
            ),
        }),
        Some(live) if outlived => {
            planned.ops.extend([Op::Delete { id: live.id.clone() }, Op::Create]);
        }
        Some(live) if live.signing != Signing::default() => {
            planned.ops.push(Op::Update { id: live.id.clone(), before: live.signing.clone() });
        }
        Some(_) => {}
    }
    planned
}

/// Plans its end, if it is ours.
#[must_use]
pub fn teardown(stack: &StackName, live: Option<&Live>) -> Planned<Op> {
    let ours = live.filter(|live| is_ours(live, stack));
    Planned {
        ops: ours.map(|live| Op::Delete { id: live.id.clone() }).into_iter().collect(),
        ..Planned::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulate::simulate;
    use super::*;

    #[test]
    fn only_ours_counts() {
        let stack: StackName = "shop".parse().unwrap();
        let live = |text: &str| Live {
            id: "E1".into(),
            name: name(&stack),
            description: text.into(),
            signing: Signing::default(),
        };
        let (ours, foreign) = (live(&description(&stack)), live("theirs"));
        assert_eq!(plan(&stack, None, false).ops.len(), 1);
        assert_eq!(plan(&stack, Some(&ours), false), Planned::default());
        assert_eq!(plan(&stack, Some(&ours), true).ops.len(), 2);
        assert_eq!(plan(&stack, Some(&foreign), true).conflicts.len(), 1);
        let parts: [fn(&mut Signing) -> &mut String; 3] = [
            |signing| &mut signing.origin_type,
            |signing| &mut signing.behavior,
            |signing| &mut signing.protocol,
        ];
        for part in parts {
            let mut other = ours.clone();
            *part(&mut other.signing) = "never".into();
            let planned = plan(&stack, Some(&other), false);
            assert_eq!(planned.ops[0].change(&stack).fields.len(), 1);
            assert_eq!(simulate(&stack, Some(other), &planned.ops[0], "E1"), Some(ours.clone()));
        }
        assert_eq!(teardown(&stack, Some(&ours)).ops.len(), 1);
        assert_eq!(teardown(&stack, Some(&foreign)).ops, []);
    }
}
