//! What the role needs, and how it goes.

use super::{Live, Op, POLICY, Settings};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{RoleName, StackName};
use crate::resource::{Mark, Owner, Planned, claim, marked, policy, stack_in, tags};

/// Whose role this is: its tag says that it is a stack's. Where its description names another
/// stack, a user changed one of them.
#[must_use]
pub fn owner(live: &Live) -> Owner {
    let says = marked(&live.settings.description);
    Owner::by_tag(stack_in(&live.settings.tags), says, Mark::Description)
}

/// Is this role the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    owner(live).is(stack)
}

/// Plans creation and repair. `adopt` takes over a role that is not ours.
#[must_use]
pub fn plan(
    stack: &StackName,
    name: &RoleName,
    desired: &Settings,
    live: Option<&Live>,
    adopt: bool,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let address = Address::new(Kind::Role, name);
    let put = |before| desired.policy.clone().map(|after| Op::PutPolicy { before, after });
    let Some(live) = live else {
        planned.ops.push(Op::Create { settings: desired.clone() });
        planned.ops.extend(put(None));
        return planned;
    };
    let have = &live.settings;
    let adopts = match claim(stack, &owner(live), &address, adopt) {
        Ok(adopts) => adopts,
        Err(conflict) => return planned.refused(conflict),
    };
    if have.path != desired.path {
        return planned.refused(Conflict {
            address,
            reason: format!(
                "has path `{}`, the spec says `{}`; IAM cannot move a role",
                have.path, desired.path
            ),
            hint: format!("set `role.path: {}`, or choose another `role.name`", have.path),
        });
    }
    match tags::plan(&address, &have.tags, &desired.tags) {
        Ok(tags) => {
            planned.ops.extend(tags.map(|tags| Op::SetTags { tags, adopts }));
        }
        Err(conflict) => return planned.refused(conflict),
    }
    // Before what it bounds: the rest may only be done to a role that has it (`permissions`).
    if have.boundary != desired.boundary {
        planned.ops.push(Op::SetBoundary {
            before: have.boundary.clone(),
            after: desired.boundary.clone(),
        });
    }
    if !policy::same(&have.trust, &desired.trust) {
        planned.ops.push(Op::SetTrust { before: have.trust.clone(), after: desired.trust.clone() });
    }
    let intact =
        matches!((&have.policy, &desired.policy), (Some(a), Some(b)) if policy::same(a, b));
    if !intact {
        planned.ops.extend(put(have.policy.clone()));
    }
    if have.description != desired.description {
        let (before, after) = (have.description.clone(), desired.description.clone());
        planned.ops.push(Op::Describe { before, after });
    }
    for extra in live.other_policies.iter().chain(&live.attached) {
        planned.notices.push(Notice {
            address: address.clone(),
            text: format!(
                "also carries policy {extra}, which `provision` did not put; it changes \
                what the function may do"
            ),
        });
    }
    planned
}

/// Plans the end of a role of ours. What hangs on it goes first, or IAM refuses (IAM API Reference,
/// "DeleteRole"). A managed policy that is detached stays; an inline policy of others would be lost
/// with the role, so that takes `delete_data`. `hint` is what else a user can do.
#[must_use]
pub fn teardown(
    stack: &StackName,
    name: &RoleName,
    live: Option<&Live>,
    delete_data: bool,
    hint: &str,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let Some(live) = live else { return planned };
    if !is_ours(live, stack) {
        planned.notices.push(Notice {
            address: Address::new(Kind::Role, name),
            text: "is not ours and stays".into(),
        });
        return planned;
    }
    if !live.other_policies.is_empty() {
        let address = Address::new(Kind::Role, name);
        let listed = live.other_policies.join(", ");
        let reason = format!("holds inline policies that `provision` did not put: {listed}");
        if !delete_data {
            return planned.refused(Conflict { address, reason, hint: hint.to_owned() });
        }
        planned
            .notices
            .push(Notice { address, text: format!("{reason}; they are deleted with it") });
    }
    let inline = live
        .settings
        .policy
        .iter()
        .map(|_| POLICY.to_owned())
        .chain(live.other_policies.iter().cloned());
    planned.ops.extend(inline.map(|policy| Op::DeletePolicy { policy }));
    planned.ops.extend(live.attached.iter().map(|arn| Op::Detach { arn: arn.clone() }));
    planned.ops.push(Op::Delete);
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{STACK_TAG, Tags};
    use serde_json::json;

    fn settings() -> Settings {
        Settings {
            path: "/".parse().unwrap(),
            trust: crate::resource::role::trust_policy(),
            policy: Some(json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                    "Action": "s3:GetObject", "Resource": "*"}]})),
            boundary: None,
            description: "provision:stack=shop".into(),
            tags: Tags::from([(STACK_TAG.into(), "shop".into())]),
        }
    }

    fn said(change: impl Fn(&mut Live)) -> Vec<String> {
        let mut live = Live {
            settings: settings(),
            other_policies: Vec::new(),
            attached: Vec::new(),
            created: 0,
        };
        change(&mut live);
        let planned =
            plan(&"shop".parse().unwrap(), &"r".parse().unwrap(), &settings(), Some(&live), false);
        let ops = planned.ops.iter().map(|op| op.change(&"r".parse().unwrap()).summary);
        let words = planned
            .conflicts
            .into_iter()
            .map(|c| c.reason)
            .chain(planned.notices.into_iter().map(|n| n.text));
        ops.chain(words.map(|text| text.split([';', ',']).next().unwrap_or_default().to_owned()))
            .collect()
    }

    #[test]
    fn every_drift_has_its_op() {
        assert_eq!(said(|_| ()), Vec::<String>::new());
        assert_eq!(
            said(|live| live.settings.trust["Statement"][0]["Principal"]["Service"] =
                json!("lambda.amazonaws.com")),
            ["set trust policy"]
        );
        assert_eq!(said(|live| live.settings.policy = None), ["put inline policy provision"]);
        assert_eq!(
            said(|live| live.settings.boundary = Some("arn".into())),
            ["set permissions boundary"]
        );
        assert_eq!(said(|live| live.settings.description.clear()), ["set description"]);
        assert_eq!(
            said(|live| drop(live.settings.tags.insert("aws:x".into(), "b".into()))),
            Vec::<String>::new()
        );
        assert_eq!(
            said(|live| drop(live.settings.tags.insert("provision:ttl".into(), "1day".into()))),
            ["set tags"]
        );
        assert_eq!(said(|live| live.settings.tags.clear()), ["exists and does not carry our tag"]);
        assert_eq!(said(|live| live.settings.path = "/x/".parse().unwrap()), ["has path `/x/`"]);
        assert_eq!(
            said(|live| live.attached.push("arn:admin".into())),
            ["also carries policy arn:admin"]
        );
    }

    /// Every text of a document, by its pointer, but for labels.
    fn leaves(value: &serde_json::Value, at: &str) -> Vec<String> {
        let inner = |key: &str, value| leaves(value, &format!("{at}/{key}"));
        match value {
            serde_json::Value::Object(fields) => fields
                .iter()
                .filter(|(key, _)| *key != "Sid")
                .flat_map(|(key, value)| inner(key, value))
                .collect(),
            serde_json::Value::Array(items) => items
                .iter()
                .enumerate()
                .flat_map(|(index, value)| inner(&index.to_string(), value))
                .collect(),
            _ => vec![at.to_owned()],
        }
    }

    #[test]
    fn each_element_of_each_document_is_read_back_and_repaired() {
        use super::super::simulate::simulate;
        let (account, bucket, key) = (
            "123456789012".parse().unwrap(),
            "shop-1".parse().unwrap(),
            "on.html".parse().unwrap(),
        );
        let inline =
            super::super::Reach::new(&bucket, &key, &"f".parse().unwrap()).policy(&account);
        let want = Settings { policy: Some(inline), ..settings() };
        let planned = |live: &Live| {
            plan(&"shop".parse().unwrap(), &"r".parse().unwrap(), &want, Some(live), false).ops
        };
        let whole = Live {
            settings: want.clone(),
            other_policies: Vec::new(),
            attached: Vec::new(),
            created: 0,
        };
        let changed = |change: &dyn Fn(&mut Live), summary: &str| {
            let mut live = whole.clone();
            change(&mut live);
            let ops = planned(&live);
            assert_eq!(
                ops.iter().map(|op| op.change(&"r".parse().unwrap()).summary).collect::<Vec<_>>(),
                [summary],
                "{live:?}"
            );
            assert_eq!(
                simulate(&"r".parse().unwrap(), Some(live), &ops[0]).unwrap(),
                Some(whole.clone())
            );
        };
        for leaf in leaves(&want.trust, "") {
            changed(
                &|live| *live.settings.trust.pointer_mut(&leaf).unwrap() = json!("x"),
                "set trust policy",
            );
        }
        for leaf in leaves(want.policy.as_ref().unwrap(), "") {
            let change = |live: &mut Live| {
                *live.settings.policy.as_mut().unwrap().pointer_mut(&leaf).unwrap() = json!("x");
            };
            changed(&change, "put inline policy provision");
        }
    }

    #[test]
    fn the_order_of_a_list_is_no_drift() {
        let swapped = json!(["edgelambda.amazonaws.com", "lambda.amazonaws.com"]);
        assert_eq!(
            said(|live| live.settings.trust["Statement"][0]["Principal"]["Service"] =
                swapped.clone()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_role_goes_bare_and_only_if_ours() {
        let mut live = Live {
            settings: settings(),
            other_policies: vec!["x".into()],
            attached: vec!["arn:y".into()],
            created: 0,
        };
        let stack = "shop".parse().unwrap();
        let end = |live: &Live, delete_data| {
            teardown(&stack, &"r".parse().unwrap(), Some(live), delete_data, "")
        };
        let refused = end(&live, false);
        assert_eq!(refused.ops, []);
        assert_eq!(
            refused.conflicts[0].reason,
            "holds inline policies that `provision` did not put: x"
        );
        let ops: Vec<_> = end(&live, true)
            .ops
            .iter()
            .map(|op| op.change(&"r".parse().unwrap()).summary)
            .collect();
        assert_eq!(
            ops,
            [
                "delete inline policy provision",
                "delete inline policy x",
                "detach policy arn:y",
                "delete"
            ]
        );
        live.settings.tags.clear();
        assert_eq!(end(&live, true).ops, []);
    }
}
