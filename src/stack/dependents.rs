//! The distributions that depend on things of a stack, in the list of all distributions.

use super::{Live, Stack};
use crate::change::Kind;
use crate::name::{AccountId, BucketName, DistributionId, FunctionName, StackName};
use crate::resource::Trace;
use crate::resource::distribution::Listed;
use crate::resource::distribution::document::EVENT;
use std::collections::BTreeSet;

/// Those that read a bucket of the stack, its own included.
#[must_use]
pub fn readers(stack: &Stack, live: &Live, listed: &[Listed]) -> Vec<(BucketName, DistributionId)> {
    let of = |bucket: &BucketName| -> Vec<_> {
        let readers = listed.iter().filter(|one| one.reads(bucket));
        readers.map(|one| (bucket.clone(), one.id.clone())).collect()
    };
    live.buckets(stack).flat_map(of).collect()
}

/// Those that sign with the stack's access control and are not its own.
#[must_use]
pub fn signers(live: &Live, listed: &[Listed]) -> Vec<DistributionId> {
    let own = live.distribution.as_ref().map(|live| &live.id);
    let Some(control) = &live.access else { return Vec::new() };
    let signs = |one: &&Listed| Some(&one.id) != own && one.controls.contains(&control.id);
    listed.iter().filter(signs).map(|one| one.id.clone()).collect()
}

/// Those that run a function of the stack, or the one that the spec names, and are neither the
/// stack's own nor the attached one.
#[must_use]
pub fn holders(stack: &Stack, live: &Live, listed: &[Listed]) -> Vec<DistributionId> {
    let functions = live.functions(stack);
    let own = live.distribution.as_ref().map(|live| &live.id);
    let known = |id: &DistributionId| stack.names.attached.as_ref() == Some(id) || own == Some(id);
    let named = stack.any_version();
    let runs =
        |one: &&Listed| one.occupants.iter().any(|(_, arn)| functions.run(arn) || named.names(arn));
    let holders = listed.iter().filter(runs).filter(|one| !known(&one.id));
    holders.map(|one| one.id.clone()).collect()
}

/// Those that answer visitors and run a version of the function that the spec names.
#[must_use]
pub fn runners(stack: &Stack, listed: &[Listed]) -> Vec<DistributionId> {
    let named = stack.any_version();
    let runs = |one: &&Listed| one.enabled && one.occupants.iter().any(|(_, arn)| named.names(arn));
    listed.iter().filter(runs).map(|one| one.id.clone()).collect()
}

/// The distributions that run a function of a stack in their viewer-request slots and are not its
/// own: also another stack's, whose visitors get this function by mistake.
#[must_use]
pub fn attached(
    traces: &[Trace],
    listed: &[Listed],
    account: &AccountId,
) -> BTreeSet<(StackName, DistributionId)> {
    let is_own = |stack: &StackName, id: &DistributionId| {
        traces.iter().any(|trace| {
            trace.kind == Kind::Distribution && trace.stack == *stack && trace.name == id.as_str()
        })
    };
    let owner = |(event, arn): &(String, String)| {
        let name = FunctionName::from_arn(arn, account).filter(|_| event == EVENT)?;
        let mut functions = traces.iter().filter(|trace| trace.kind == Kind::Function);
        Some(&functions.find(|trace| trace.name == name.as_str())?.stack)
    };
    let attached = listed.iter().flat_map(|one| {
        let stacks = one.occupants.iter().filter_map(owner);
        stacks.filter(|stack| !is_own(stack, &one.id)).map(|stack| (stack.clone(), one.id.clone()))
    });
    attached.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Tags;

    #[test]
    fn a_distribution_is_attached_where_a_viewers_request_runs_a_function_of_another() {
        let account: AccountId = "123456789012".parse().unwrap();
        let trace = |stack: &str, kind, name: &str| {
            Trace::of(stack.parse().unwrap(), kind, name, &Tags::new())
        };
        let traces = [
            trace("demo", Kind::Function, "demo-edge"),
            trace("demo", Kind::Distribution, "E1OWN000000"),
            trace("shop", Kind::Distribution, "E2SHOP00000"),
        ];
        let ours = "arn:aws:lambda:us-east-1:123456789012:function:demo-edge:1";
        let longer = "arn:aws:lambda:us-east-1:123456789012:function:demo-edge-2:1";
        let theirs = "arn:aws:lambda:us-east-1:999999999999:function:demo-edge:1";
        for (id, event, arn, is_attached) in [
            ("E1OWN000000", EVENT, ours, false),
            ("E2SHOP00000", EVENT, ours, true),
            ("E3THEIRS000", EVENT, ours, true),
            ("E3THEIRS000", "origin-request", ours, false),
            ("E3THEIRS000", EVENT, longer, false),
            ("E3THEIRS000", EVENT, theirs, false),
        ] {
            let listed = Listed {
                id: id.parse().unwrap(),
                origins: Vec::new(),
                controls: Vec::new(),
                // In two behaviors.
                occupants: vec![(event.to_owned(), arn.to_owned()); 2],
                modified: None,
                enabled: true,
            };
            let found = attached(&traces, std::slice::from_ref(&listed), &account);
            let pair = ("demo".parse().unwrap(), listed.id);
            let expected = if is_attached { vec![pair] } else { Vec::new() };
            assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{id} {event} {arn}");
        }
    }
}
