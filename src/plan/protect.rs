//! What stays, whatever anybody asks for.

use super::Choices;
use crate::resource::{PROTECT_TAG, Tags, stack_in};
use crate::spec::Protected;
use crate::stack::{Live, Stack};
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
            "stays: the stack's tag `provision:protect` says so; apply a spec without it in \
                `protect` first, or remove that tag"
        } else {
            "stays: what needs it is protected"
        }
    };
    kept.into_iter().map(|what| (what, why(&what))).collect()
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
