//! What stays, whatever anybody asks for.

use super::Choices;
use super::tagged::{Tagged, tagged};
use crate::resource::tags::Difference;
use crate::resource::{PROTECT_TAG, Tags, stack_in};
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
    let told = told(stack, live);
    let mut kept: BTreeSet<Protected> = choices.protect.union(&told).copied().collect();
    if kept.contains(&Protected::Distribution) {
        kept.insert(Protected::Function);
    }
    if kept.contains(&Protected::Function) {
        kept.extend([Protected::Bucket, Protected::Role, Protected::Logs]);
    }
    let remembers = kept.contains(&Protected::Bucket)
        && !kept.contains(&Protected::Role)
        && !live.former.buckets.is_empty();
    if remembers {
        kept.insert(Protected::Role);
    }
    let why = |what: &Protected| {
        if choices.protect.contains(what) {
            "stays: it is protected"
        } else if told.contains(what) {
            "stays: the tag `provision:protect` of this stack protects it; apply a spec without it \
                in `protect` first"
        } else if *what == Protected::Role && remembers {
            "stays: by its policy, the bucket of an earlier spec is found again"
        } else {
            "stays: what needs it is protected"
        }
    };
    kept.into_iter().map(|what| (what, why(&what))).collect()
}

/// What stays says itself that it is protected, as what said so for it may go: then the next destroy
/// would not know.
pub(super) fn retag(stack: &Stack, live: &Live) -> Vec<Op> {
    let kept = told(stack, live);
    let words = kept.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let lacks = |one: &Tagged<'_>| {
        let said = one.tags.get(PROTECT_TAG).map(|words| Protected::among(words));
        let says = said.is_some_and(|said| said.contains(&one.protected()));
        kept.contains(&one.protected())
            && !says
            && stack_in(one.tags).as_ref() == Some(&stack.names.stack)
    };
    let all = tagged(stack, live).into_iter().filter(lacks);
    let with = |tags: &Tags| {
        let word = (PROTECT_TAG.to_owned(), words.clone());
        Difference::between(tags, &tags.clone().into_iter().chain([word]).collect())
    };
    all.map(|one| one.set(stack, with(one.tags))).collect()
}

/// What the tags of the stack's own objects protect.
pub(super) fn told(stack: &Stack, live: &Live) -> BTreeSet<Protected> {
    let all = tagged(stack, live);
    let of_groups = live.logs.groups.values().map(|group| &group.tags);
    let of_all = all.iter().map(|one| one.tags).chain(of_groups);
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
    use crate::resource::{STACK_TAG, bucket};

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
