//! What stays, whatever anybody asks for.

use super::Choices;
use crate::resource::tags::Difference;
use crate::resource::{PROTECT_TAG, Tags, bucket, distribution, function, role, stack_in};
use crate::spec::Protected;
use crate::stack::{Live, Op, Stack};
use std::collections::{BTreeMap, BTreeSet};

/// What is protected, and why it stays (a fragment that fits behind its name): what the spec says,
/// what the tags of the stack's own objects say, as the spec at hand may be an older one or none,
/// and everything that these cannot work without.
#[must_use]
pub fn protected(
    stack: &Stack,
    live: &Live,
    choices: &Choices,
) -> BTreeMap<Protected, &'static str> {
    let tagged = tagged(stack, live);
    let mut kept: BTreeSet<Protected> = choices.protect.union(&tagged).copied().collect();
    if kept.contains(&Protected::Distribution) {
        kept.insert(Protected::Function);
    }
    if kept.contains(&Protected::Function) {
        kept.extend([Protected::Bucket, Protected::Role, Protected::Logs]);
    }
    // By the role's policy, the bucket of an earlier spec is found again.
    if kept.contains(&Protected::Bucket) && !live.former.buckets.is_empty() {
        kept.insert(Protected::Role);
    }
    let why = |what: &Protected| {
        if choices.protect.contains(what) {
            "stays: it is protected"
        } else if tagged.contains(what) {
            "stays: the tag `provision:protect` on the stack's own says so; apply a spec without \
                it in `protect` first"
        } else {
            "stays: what needs it is protected"
        }
    };
    kept.into_iter().map(|what| (what, why(&what))).collect()
}

/// What stays says itself that it is protected, as what said so for it may go: then the next destroy
/// would not know.
pub(super) fn retag(stack: &Stack, live: &Live) -> Vec<Op> {
    let (name, account) = (&stack.names.stack, &stack.account);
    let tagged = tagged(stack, live);
    let words = tagged.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let lacks = |what: Protected, tags: &Tags| -> Option<Difference> {
        let said = tags.get(PROTECT_TAG).map(|words| Protected::among(words)).unwrap_or_default();
        let ours = stack_in(tags).as_ref() == Some(name);
        let mut wanted = tags.clone();
        wanted.insert(PROTECT_TAG.to_owned(), words.clone());
        (ours && tagged.contains(&what) && !said.contains(&what))
            .then(|| Difference::between(tags, &wanted))
    };
    let mut ops = Vec::new();
    let former = live.former.buckets.iter().map(|(name, found)| (name, &found.live));
    for (name, found) in live.bucket.iter().map(|live| (&stack.bucket, live)).chain(former) {
        let tags = lacks(Protected::Bucket, &found.settings.tags);
        let set = |tags| bucket::Op::SetTags { name: name.clone(), tags, adopts: false };
        ops.extend(tags.map(set).map(Op::Bucket));
    }
    let named = live.role.iter().map(|live| (&stack.names.role, live));
    for (name, found) in named.chain(&live.former.roles) {
        let tags = lacks(Protected::Role, &found.settings.tags);
        let set = |tags| role::Op::SetTags { name: name.clone(), tags, adopts: false };
        ops.extend(tags.map(set).map(Op::Role));
    }
    if let Some(found) = &live.function {
        let (name, tags) =
            (&stack.names.function, lacks(Protected::Function, &found.settings.tags));
        let arn = name.arn(account);
        let set = |tags| function::Op::SetTags { name: name.clone(), arn, tags, adopts: false };
        ops.extend(tags.map(set).map(Op::Function));
    }
    if let Some(own) = &live.distribution {
        let (id, tags) = (own.id.clone(), lacks(Protected::Distribution, &own.tags));
        let arn = id.arn(account);
        let set = |tags| distribution::Op::SetTags { id, arn, tags };
        ops.extend(tags.map(set).map(Op::Distribution));
    }
    ops
}

/// What the tags of the stack's own objects protect.
fn tagged(stack: &Stack, live: &Live) -> BTreeSet<Protected> {
    let Live { bucket, role, function, logs, distribution, former, .. } = live;
    let of_one = [
        bucket.as_ref().map(|bucket| &bucket.settings.tags),
        role.as_ref().map(|role| &role.settings.tags),
        function.as_ref().map(|function| &function.settings.tags),
        distribution.as_ref().map(|distribution| &distribution.tags),
    ];
    let of_former = (former.buckets.values().map(|found| &found.live.settings.tags))
        .chain(former.roles.values().map(|role| &role.settings.tags))
        .chain(
            former
                .functions
                .values()
                .filter_map(|(function, _)| Some(&function.as_ref()?.settings.tags)),
        );
    let of_groups = logs.groups.values().map(|group| &group.tags);
    let of_all = of_one.into_iter().flatten().chain(of_former).chain(of_groups);
    let ours = |tags: &&Tags| stack_in(tags).as_ref() == Some(&stack.names.stack);
    of_all
        .filter(ours)
        .filter_map(|tags| tags.get(PROTECT_TAG))
        .flat_map(|words| Protected::among(words))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::STACK_TAG;

    fn bucket_of(owner: &str, words: &str) -> Live {
        let tags = [(STACK_TAG, owner), (PROTECT_TAG, words)]
            .map(|(key, value)| (key.into(), value.into()));
        let settings = bucket::Settings {
            region: "eu-west-1".parse().unwrap(),
            private: true,
            owner_enforced: true,
            versioning: bucket::Versioning::Off,
            tags: tags.into(),
        };
        Live {
            bucket: Some(bucket::Live { settings, abac: false, kms_key: None }),
            ..Live::default()
        }
    }

    /// Spec, tags of a bucket, whose bucket it is, and what stays.
    #[test]
    fn what_is_protected_stays_with_what_it_needs() {
        let rows = [
            ("", "", "shop", ""),
            ("logs", "", "shop", "logs"),
            ("", "bucket", "shop", "bucket"),
            ("role", "bucket", "shop", "bucket role"),
            ("", "bucket", "other", ""),
            ("", "function", "shop", "bucket role function logs"),
            ("", "distribution", "shop", "bucket role function logs distribution"),
            ("", " Bucket  logs", "shop", "bucket logs"),
            ("", "bucket cellar", "shop", "bucket role function logs distribution"),
            ("", "true", "shop", "bucket role function logs distribution"),
        ];
        let spec =
            crate::spec::load::from_text(std::path::Path::new("s.yaml"), "stack: shop").unwrap();
        let stack =
            crate::stack::Names::of(&spec).in_account("123456789012".parse().unwrap()).unwrap();
        for (spec, tag, owner, stays) in rows {
            let choices = Choices { protect: Protected::among(spec), ..Choices::default() };
            let kept = protected(&stack, &bucket_of(owner, tag), &choices);
            let kept: Vec<String> = kept.keys().map(ToString::to_string).collect();
            assert_eq!(kept.join(" "), stays, "spec {spec:?}, tag {tag:?} of {owner}");
        }
    }

    #[test]
    fn who_protects_is_told_apart() {
        let spec =
            crate::spec::load::from_text(std::path::Path::new("s.yaml"), "stack: shop").unwrap();
        let stack =
            crate::stack::Names::of(&spec).in_account("123456789012".parse().unwrap()).unwrap();
        let choices = Choices { protect: [Protected::Bucket].into(), ..Choices::default() };
        let kept = protected(&stack, &bucket_of("shop", "bucket function"), &choices);
        assert!(kept[&Protected::Bucket].ends_with("it is protected"));
        assert!(kept[&Protected::Function].contains("tag `provision:protect`"));
        assert!(kept[&Protected::Role].contains("what needs it"));
    }
}
