//! What marks an object as put by us.

use crate::name::{BucketName, ObjectKey, StackName};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The metadata key (without `x-amz-meta-`) that marks an object which is not for visitors as put by
/// us; its value is the stack's name.
pub const STACK_METADATA: &str = "provision-stack";
/// The metadata key that says for which key it was put.
pub const KEY_METADATA: &str = "provision-key";
/// The metadata key that marks what visitors get, and CloudFront shows them: its value is a digest
/// of the stack's name, the bucket's and the key, and tells none of them. A copy in another bucket is
/// nobody's.
const SEAL_METADATA: &str = "provision-seal";

/// What marks the file under `key` as put by us.
#[must_use]
pub fn seal(stack: &StackName, bucket: &BucketName, key: &ObjectKey) -> (String, String) {
    let parts = [stack.as_str(), bucket.as_str(), key.as_str()].join("\0");
    let digest = Sha256::new_with_prefix(parts);
    (SEAL_METADATA.to_owned(), hex::encode(&digest.finalize()[..8]))
}

/// What marks the object under `key`, which is not for visitors, as put by us.
pub fn mark(stack: &StackName, key: &ObjectKey) -> impl Iterator<Item = (String, String)> {
    [(STACK_METADATA.to_owned(), stack.to_string()), (KEY_METADATA.to_owned(), place(key))]
        .into_iter()
}

/// A digest of a key: metadata hold ASCII alone.
fn place(key: &ObjectKey) -> String {
    hex::encode(&Sha256::digest(key.as_str())[..8])
}

/// Do the user metadata of the object under `key` carry our mark? A copy that another user made in the
/// bucket has the metadata of its source, and is theirs; only between the two page keys people
/// carry the page by hand.
#[must_use]
pub fn is_marked(
    metadata: &BTreeMap<String, String>,
    (stack, bucket): (&StackName, &BucketName),
    key: &ObjectKey,
    page_keys: [&ObjectKey; 2],
) -> bool {
    let may_lie = |told: &String| {
        let here = *told == place(key);
        here || page_keys.contains(&key) && page_keys.into_iter().any(|page| *told == place(page))
    };
    let (name, seal) = seal(stack, bucket, key);
    metadata.get(&name) == Some(&seal)
        || metadata.get(STACK_METADATA).is_some_and(|mark| mark == stack.as_str())
            && metadata.get(KEY_METADATA).is_some_and(may_lie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_its_key_and_the_page_may_be_renamed() {
        let stack: StackName = "shop".parse().unwrap();
        let bucket: BucketName = "shop-1".parse().unwrap();
        let [file, copy, off, on]: [ObjectKey; 4] =
            ["a.css", "b.css", "m.html", "m-on.html"].map(|key| key.parse().unwrap());
        let marked = |put: &ObjectKey, lies: &ObjectKey| {
            is_marked(&mark(&stack, put).collect(), (&stack, &bucket), lies, [&off, &on])
        };
        let lies = |put| [&file, &copy, &off, &on].map(|lies| marked(put, lies));
        assert_eq!(lies(&file), [true, false, false, false]);
        assert_eq!(lies(&off), [false, false, true, true]);
        assert_eq!(lies(&on), [false, false, true, true]);
        let sealed = |put: &ObjectKey, lies: &ObjectKey| {
            is_marked(&[seal(&stack, &bucket, put)].into(), (&stack, &bucket), lies, [&off, &on])
        };
        assert!(sealed(&file, &file) && !sealed(&file, &copy) && !sealed(&off, &on));
        let copied = [seal(&stack, &"shop-2".parse().unwrap(), &file)].into();
        assert!(!is_marked(&copied, (&stack, &bucket), &file, [&off, &on]));
        let theirs = [seal(&"other".parse().unwrap(), &bucket, &file)].into();
        assert!(!is_marked(&theirs, (&stack, &bucket), &file, [&off, &on]));
        let theirs = mark(&"other".parse().unwrap(), &file).collect();
        assert!(!is_marked(&theirs, (&stack, &bucket), &file, [&off, &on]));
    }
}
