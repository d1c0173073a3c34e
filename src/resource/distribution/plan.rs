//! What the distribution needs, and how it goes.

use super::document::{EVENT, Reading};
use super::managed::{differences, disabled, released};
use super::owner::is_ours;
use super::{Behavior, Live, Op, Settings, SlotChange, origin_id};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{AccountId, StackName};
use crate::resource::function::{self, Functions, VersionReference};
use crate::resource::{Planned, Tags, tags};

/// How the distribution should be, with its tags and the occupant of its one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// What is in the document.
    pub settings: Settings,
    pub tags: Tags,
    /// Who answers viewer requests.
    pub occupant: VersionReference,
}

/// Does the slot hold the wanted version already?
#[must_use]
pub fn holds(
    arn: Option<&str>,
    wanted: &VersionReference,
    function: Option<&function::Live>,
) -> bool {
    let number = function.and_then(|live| live.number_of(&wanted.version));
    let occupied = arn.and_then(|arn| wanted.number_in(arn));
    occupied.is_some() && occupied == number
}

/// Plans creation and repair. `access` is the id of the access control, where there is one already.
#[must_use]
pub fn plan(
    stack: &StackName,
    account: &AccountId,
    desired: &Desired,
    live: Option<&Live>,
    function: Option<&function::Live>,
    access: Option<&str>,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let Some(live) = live else {
        planned.ops.push(Op::Create {
            stack: stack.clone(),
            settings: desired.settings.clone(),
            tags: desired.tags.clone(),
            occupant: desired.occupant.clone(),
        });
        return planned;
    };
    let reading = live.document.read();
    let address = Address::new(Kind::Distribution, &live.id);
    let differences = differences(&live.document, stack, &desired.settings, access);
    let occupant =
        reading.behaviors.get(&Behavior::Default).and_then(|does| does.functions.get(EVENT));
    let with_body = reading
        .behaviors
        .get(&Behavior::Default)
        .is_some_and(|does| does.with_body.contains(EVENT));
    let moves = with_body || !holds(occupant.map(String::as_str), &desired.occupant, function);
    let functions = Functions(vec![(desired.occupant.clone(), function)]);
    let slot = moves.then(|| SlotChange {
        before: occupant.map(|arn| functions.occupant(arn)),
        with_body,
        after: Some(desired.occupant.clone()),
    });
    let differs = !differences.is_empty() || slot.is_some();
    let update = Op::Update {
        id: live.id.clone(),
        etag: live.etag.clone(),
        document: live.document.clone(),
        differences,
        slot,
    };
    // What we repair ourselves is no reason to refuse.
    let repaired = live.document.edit(&update.edits(None, "")).unwrap_or_default().read();
    if let Some(reason) = unfit(&repaired, &Behavior::Default) {
        planned.conflicts.push(Conflict {
            address,
            reason,
            hint: "undo that change in the CloudFront console, or give the stack another name"
                .into(),
        });
        return planned;
    }
    match tags::plan(&address, &live.tags, &desired.tags) {
        Ok(tags) => planned.ops.extend(tags.map(|tags| Op::SetTags {
            id: live.id.clone(),
            arn: live.id.arn(account),
            stack: stack.clone(),
            tags,
        })),
        Err(conflict) => return planned.refused(conflict),
    }
    if differs {
        planned.ops.push(update);
    }
    let others = reading.behaviors.keys().filter(|behavior| **behavior != Behavior::Default);
    let uncovered: Vec<String> = others.map(ToString::to_string).collect();
    if !uncovered.is_empty() {
        planned.notices.push(Notice {
            address,
            text: format!("behaviors that a user added are not covered: {}", uncovered.join(", ")),
        });
    }
    planned
}

/// Why CloudFront would refuse a Lambda@Edge function here (CloudFront Developer Guide,
/// "Restrictions on all edge functions").
#[must_use]
pub fn unfit(reading: &Reading, behavior: &Behavior) -> Option<String> {
    let does = reading.behaviors.get(behavior)?;
    let viewer = does.cloudfront_functions.iter().find(|(event, _)| event.starts_with("viewer-"));
    if reading.tenant_only {
        Some("is a multi-tenant distribution (tenant-only), which follows other rules".into())
    } else if reading.staging {
        Some("is a staging distribution of a continuous deployment".into())
    } else if let Some((event, arn)) = viewer {
        Some(format!(
            "behavior `{behavior}` runs CloudFront Function {arn} at {event}; CloudFront does not \
                mix both kinds on viewer events"
        ))
    } else if does.grpc {
        Some(format!("behavior `{behavior}` allows gRPC, which excludes Lambda@Edge"))
    } else if does.smooth_streaming {
        Some(format!("behavior `{behavior}` uses Smooth Streaming, which excludes edge functions"))
    } else {
        None
    }
}

/// The three parts of a distribution's end, which belong to different places in the order.
#[derive(Debug, Default, PartialEq)]
pub struct Teardown {
    /// Disable it and let go of the function.
    pub disable: Option<Op>,
    pub await_disabled: Option<Op>,
    pub delete: Option<Op>,
}

/// Plans the end of a distribution of ours. `functions` are the stack's.
#[must_use]
pub fn teardown(stack: &StackName, live: Option<&Live>, functions: &Functions<'_>) -> Teardown {
    let Some(live) = live.filter(|live| is_ours(live, stack)) else { return Teardown::default() };
    let reading = live.document.read();
    let occupant = reading
        .behaviors
        .get(&Behavior::Default)
        .and_then(|does| does.functions.get(EVENT))
        .cloned();
    // Also at origins that a user added: what signs with the control keeps it.
    let signs = reading.origins.iter().filter(|(_, origin)| !origin.access.is_empty());
    let own = reading.origins.get(&origin_id(stack)).map(|origin| origin.access.clone());
    let signs = signs
        .filter(|(id, origin)| **id == origin_id(stack) || own.as_ref() == Some(&origin.access));
    let released = signs.map(|(id, origin)| released(id, &origin.access));
    let differences: Vec<_> = reading.enabled.then(disabled).into_iter().chain(released).collect();
    let disable = (!differences.is_empty() || occupant.is_some()).then(|| Op::Update {
        id: live.id.clone(),
        etag: live.etag.clone(),
        document: live.document.clone(),
        differences,
        slot: occupant.map(|arn| SlotChange {
            before: Some(functions.occupant(&arn)),
            with_body: false,
            after: None,
        }),
    });
    let settled = disable.is_none() && live.deployed;
    Teardown {
        await_disabled: (!settled)
            .then(|| Op::AwaitDeployed { id: Some(live.id.clone()), disabled: true }),
        delete: Some(Op::Delete {
            stack: stack.clone(),
            id: live.id.clone(),
            etag: settled.then(|| live.etag.clone()),
        }),
        disable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::{Place, element};
    use super::super::edit::{Edit, Key};
    use super::super::{Missing, new_document};
    use super::*;
    use crate::resource::STACK_TAG;
    use crate::resource::function::{Frozen, Version};
    use std::collections::BTreeSet;

    fn frozen() -> Frozen {
        Frozen {
            code_sha256: "c".into(),
            runtime: "r".into(),
            handler: "h".into(),
            memory: 128,
            timeout: 5,
            role: "role".into(),
            refused: BTreeSet::new(),
            description: String::new(),
        }
    }

    fn function() -> function::Live {
        let settings = function::Settings { frozen: frozen(), tags: Tags::new() };
        function::Live {
            settings,
            revision: String::new(),
            versions: vec![Version { number: 4, frozen: frozen() }],
            image: false,
        }
    }

    fn desired() -> Desired {
        Desired {
            settings: Settings {
                origin: "shop-1.s3.eu-west-1.amazonaws.com".into(),
                default_root_object: "home.html".into(),
                price_class: "PriceClass_100".into(),
                aliases: BTreeSet::new(),
                certificate: None,
                missing: Missing::Said,
                comment: "shop".into(),
            },
            tags: Tags::from([(STACK_TAG.into(), "shop".into())]),
            occupant: VersionReference { function: "arn:f".into(), version: frozen().name() },
        }
    }

    fn live(edits: &[Edit]) -> Live {
        let stack = "shop".parse().unwrap();
        Live {
            id: "E2ABCDEF0123".parse().unwrap(),
            etag: "etag".into(),
            document: new_document(&stack, &desired().settings, "E1CONTROL000", "arn:f:4")
                .edit(edits)
                .unwrap(),
            deployed: true,
            domain: "d.cloudfront.net".into(),
            tags: desired().tags,
        }
    }

    fn planned(edits: &[Edit]) -> Planned<Op> {
        let (stack, account) = ("shop".parse().unwrap(), "123456789012".parse().unwrap());
        plan(
            &stack,
            &account,
            &desired(),
            Some(&live(edits)),
            Some(&function()),
            Some("E1CONTROL000"),
        )
    }

    fn drift(edits: &[Edit]) -> Vec<String> {
        let planned = planned(edits);
        let fields =
            planned.ops.iter().flat_map(|op| op.change().fields).map(|change| change.field);
        fields.chain(planned.conflicts.into_iter().map(|conflict| conflict.reason)).collect()
    }

    #[test]
    fn the_slot_is_ours_with_this_version_and_without_the_body() {
        let rows = [
            Edit::Occupant(Behavior::Default, None),
            Edit::Occupant(Behavior::Default, Some("arn:f:3".into())),
            Edit::Occupant(Behavior::Default, Some("arn:other:4".into())),
        ];
        for edit in rows {
            assert_eq!(drift(&[edit]), ["default viewer-request"]);
        }
        let mut with_body = live(&[]);
        with_body.document.0 =
            with_body.document.0.replace("<IncludeBody>false", "<IncludeBody>true");
        let (stack, account) = ("shop".parse().unwrap(), "123456789012".parse().unwrap());
        let planned = plan(
            &stack,
            &account,
            &desired(),
            Some(&with_body),
            Some(&function()),
            Some("E1CONTROL000"),
        );
        let change = &planned.ops[0].change().fields[0];
        assert!(change.before.as_ref().unwrap().ends_with(", with the body"), "{change:?}");
        assert_eq!(
            with_body
                .document
                .edit(&planned.ops[0].edits(Some("arn:f:4"), "E1CONTROL000"))
                .unwrap(),
            live(&[]).document
        );
    }

    #[test]
    fn what_the_edge_excludes_is_a_conflict() {
        let cff = "<FunctionAssociation><FunctionARN>arn:cff</FunctionARN><EventType>viewer-response</EventType></FunctionAssociation>";
        let list = Place::Behavior(Behavior::Default, "FunctionAssociations");
        let key = Key {
            item: "FunctionAssociation",
            child: Some("EventType"),
            text: "viewer-response".into(),
        };
        let entry = Edit::Entry(list, key, Some(cff.into()));
        assert!(drift(&[entry])[0].contains("arn:cff at viewer-response"));
        assert!(
            drift(&[Edit::Field("Staging", element("Staging", "true"))])[0].contains("staging")
        );
        assert!(
            drift(&[Edit::Field("ConnectionMode", element("ConnectionMode", "tenant-only"))])[0]
                .contains("tenant-only")
        );
    }

    #[test]
    fn it_ends_disabled_then_deployed_then_deleted() {
        let stack = "shop".parse().unwrap();
        let end = |live: &Live| {
            teardown(&stack, Some(live), &Functions(vec![(desired().occupant, Some(&function()))]))
        };
        let all = end(&live(&[]));
        assert!(all.disable.is_some() && all.await_disabled.is_some());
        assert!(
            !live(&[]).document.edit(&all.disable.unwrap().edits(None, "")).unwrap().read().enabled
        );
        let access = Edit::Text(
            Place::Origin("provision-shop".into(), "OriginAccessControlId"),
            String::new(),
        );
        let off = live(&[
            Edit::Field("Enabled", element("Enabled", "false")),
            Edit::Occupant(Behavior::Default, None),
            access,
        ]);
        let rest = end(&off);
        assert_eq!((rest.disable, rest.await_disabled), (None, None));
        assert!(matches!(rest.delete, Some(Op::Delete { etag: Some(_), .. })));
        let foreign = Live { tags: Tags::from([(STACK_TAG.into(), "shop-2".into())]), ..live(&[]) };
        assert_eq!(end(&foreign), Teardown::default());
    }
}
