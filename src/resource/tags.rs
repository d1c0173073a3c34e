//! Tags, of which others own some.
//!
//! Ours are the keys that begin with `provision:`, and those of `tags:` in the spec. Our own tag
//! [`LISTED`] names the latter, so that a key which the spec gave up is still known to be ours.
//! Every other tag is another owner's, AWS's own (`aws:`) included: it is no drift, and it stays.

use super::{STACK_TAG, Tags};
use crate::change::{Action, Address, Change, Conflict, FieldChange};
use crate::name::StackName;
use serde::Serialize;
use std::collections::BTreeMap;

/// The tag whose value lists the keys of the spec's `tags:`.
pub const LISTED: &str = "provision:tags";

/// How all our own keys begin.
const OWN: &str = "provision:";

/// How many one thing may carry, AWS's own apart (AWS General Reference, "Tagging AWS resources").
const MOST: usize = 50;

/// What everything of a stack shall carry: `own` keys, those that the spec `given`s, and the list
/// of these.
#[must_use]
pub fn wanted(own: Tags, given: &Tags) -> Tags {
    let listed = (!given.is_empty()).then(|| (LISTED.to_owned(), list(given.keys())));
    given.clone().into_iter().chain(own).chain(listed).collect()
}

/// The value of [`LISTED`]. Spaces part the keys, so one inside of a key is written in another way.
#[must_use]
pub fn list<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    keys.map(|key| written(key)).collect::<Vec<_>>().join(" ")
}

fn written(key: &str) -> String {
    key.replace('=', "=3D").replace(' ', "=20")
}

/// May we take `key` away from an object that carries `have`?
#[must_use]
pub fn is_ours(key: &str, have: &Tags) -> bool {
    let listed = have.get(LISTED).map(String::as_str).unwrap_or_default();
    let is_listed = || listed.split(' ').any(|ours| ours == written(key));
    key.starts_with(OWN) || !key.starts_with("aws:") && is_listed()
}

#[must_use]
pub fn stack_in(tags: &Tags) -> Option<StackName> {
    tags.get(STACK_TAG)?.parse().ok()
}

/// How tags are shown.
#[must_use]
pub fn show(tags: &Tags) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

/// Does an object that carries `have` carry all of `want`? So a lost reply of ours is told from
/// another owner's creation.
#[must_use]
pub fn hold(have: &Tags, want: &Tags) -> bool {
    want.iter().all(|(key, value)| have.get(key) == Some(value))
}

/// What leads from one set of tags to another: each key with its value as seen and as it will be.
/// Complete in itself, so that tags which a user adds meanwhile stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference(BTreeMap<String, (Option<String>, Option<String>)>);

impl Difference {
    /// What `have` lacks of `want`, and what of ours it has beyond that.
    #[must_use]
    pub fn between(have: &Tags, want: &Tags) -> Self {
        let lacking = want.iter().filter(|(key, value)| have.get(*key) != Some(value));
        let lacking = lacking
            .map(|(key, value)| (key.clone(), (have.get(key).cloned(), Some(value.clone()))));
        let beyond = have.iter().filter(|(key, _)| !want.contains_key(*key) && is_ours(key, have));
        Self(
            lacking
                .chain(beyond.map(|(key, value)| (key.clone(), (Some(value.clone()), None))))
                .collect(),
        )
    }

    /// Is everything as it should be?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has to be set.
    #[must_use]
    pub fn set(&self) -> Tags {
        self.0.iter().filter_map(|(key, (_, after))| Some((key.clone(), after.clone()?))).collect()
    }

    /// The keys that have to go.
    #[must_use]
    pub fn removed(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|(_, (_, after))| after.is_none())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The tags after it.
    #[must_use]
    pub fn applied(&self, have: &Tags) -> Tags {
        let mut tags = have.clone();
        for (key, (_, after)) in &self.0 {
            match after {
                Some(value) => drop(tags.insert(key.clone(), value.clone())),
                None => drop(tags.remove(key)),
            }
        }
        tags
    }

    #[must_use]
    pub fn change(&self, address: Address, adopts: bool) -> Change {
        let field =
            |(key, (before, after)): (&String, &(Option<String>, Option<String>))| FieldChange {
                field: format!("tag {key}"),
                before: before.clone(),
                after: after.clone(),
            };
        let summary = if adopts { "adopt, set tags" } else { "set tags" };
        Change::new(address, Action::Update, summary).with(self.0.iter().map(field))
    }
}

/// Plans the tags of one object.
///
/// # Errors
/// It would carry more than AWS allows.
pub fn plan(address: &Address, have: &Tags, want: &Tags) -> Result<Option<Difference>, Conflict> {
    let difference = Difference::between(have, want);
    let after = difference.applied(have).keys().filter(|key| !key.starts_with("aws:")).count();
    if after > MOST {
        return Err(Conflict {
            address: address.clone(),
            reason: format!("would carry {after} tags, of which AWS allows {MOST}"),
            hint: "remove some of its tags, or some of `tags:` in the spec".into(),
        });
    }
    Ok((!difference.is_empty()).then_some(difference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn own() -> Tags {
        tags(&[("provision:stack", "shop")])
    }

    fn want() -> Tags {
        wanted(own(), &tags(&[("team", "web"), ("cost centre", "7"), ("a=b", "")]))
    }

    /// What is done to tags that are as they should be, but for `change`.
    fn done(change: impl Fn(&mut Tags)) -> (Vec<String>, Vec<String>) {
        let mut have = want();
        change(&mut have);
        let difference = Difference::between(&have, &want());
        let after = difference.applied(&have);
        assert!(Difference::between(&after, &want()).is_empty(), "{have:?}: {after:?}");
        (difference.set().into_keys().collect(), difference.removed())
    }

    #[test]
    fn ours_are_repaired_and_others_stay() {
        let set = |keys: &[&str]| {
            (keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), Vec::new())
        };
        let put =
            |tags: &mut Tags, key: &str, value: &str| drop(tags.insert(key.into(), value.into()));
        assert_eq!(done(|_| ()), set(&[]));
        for foreign in ["theirs", "Team", "cost", "aws:cloudformation:stack-name"] {
            assert_eq!(done(|have| put(have, foreign, "x")), set(&[]), "{foreign}");
        }
        for ours in ["team", "cost centre", "a=b", STACK_TAG, LISTED] {
            assert_eq!(done(|have| put(have, ours, "x")), set(&[ours]));
            assert_eq!(done(|have| drop(have.remove(ours))), set(&[ours]));
        }
    }

    #[test]
    fn what_the_spec_gave_up_goes() {
        let before = wanted(own(), &tags(&[("team", "web"), ("tier", "gold"), ("old name", "x")]));
        let after = wanted(own(), &tags(&[("team", "web")]));
        let difference = Difference::between(&before, &after);
        assert_eq!(
            (difference.removed(), difference.set().len()),
            (vec!["old name".into(), "tier".into()], 1)
        );
        let last = Difference::between(&after, &wanted(own(), &Tags::new()));
        assert_eq!(last.removed(), [LISTED, "team"]);
        // A user's tag that only looks like one of ours stays.
        let theirs: Tags =
            before.into_iter().chain(tags(&[("name", "theirs"), ("old", "theirs")])).collect();
        assert_eq!(Difference::between(&theirs, &after).removed(), ["old name", "tier"]);
    }

    #[test]
    fn it_is_shown_key_by_key() {
        let have = wanted(own(), &tags(&[("team", "theirs"), ("tier", "gold")]));
        let want = wanted(own(), &tags(&[("team", "web"), ("zone", "b")]));
        let change = Difference::between(&have, &want)
            .change(Address::new(crate::change::Kind::Role, "r"), false);
        let fields: Vec<_> = change
            .fields
            .into_iter()
            .map(|field| (field.field, field.before, field.after))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            fields,
            [
                ("tag provision:tags".into(), some("team tier"), some("team zone")),
                ("tag team".into(), some("theirs"), some("web")),
                ("tag tier".into(), some("gold"), None),
                ("tag zone".into(), None, some("b")),
            ]
        );
    }

    #[test]
    fn no_more_than_aws_allows() {
        let many = |count: usize| {
            (0..count).map(|number| (format!("theirs{number}"), String::new())).collect::<Tags>()
        };
        let address = Address::new(crate::change::Kind::Bucket, "b");
        assert!(plan(&address, &many(49), &own()).unwrap().is_some());
        let system = tags(&[("aws:cloudformation:stack-id", "x")]);
        assert!(plan(&address, &many(49).into_iter().chain(system).collect(), &own()).is_ok());
        assert_eq!(
            plan(&address, &many(50), &own()).unwrap_err().reason,
            "would carry 51 tags, of which AWS allows 50"
        );
    }
}
