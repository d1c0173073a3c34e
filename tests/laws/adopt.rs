//! What is taken over is taken over whole, or not at all: whatever AWS would refuse later, and
//! whoever would lose by it, is a conflict before the first write.

use crate::ground::{ATTACHED, BUCKET, Ground, NAME, REPLACING, neighbourhood, their_function};
use crate::memory::{Cut, Memory};
use provision::change::Kind;
use provision::cloud::world::World;
use provision::plan::{Choices, Intent, Plan};
use provision::resource::bucket::Versioning;
use provision::resource::distribution::Behavior;
use provision::resource::distribution::document::{EVENT, element, list_element};
use provision::resource::function::{self, Version};
use provision::stack::Op;
use serde_json::{Value, json};

fn adopting(kind: Kind) -> Choices {
    Choices { adopt: [kind].into(), ..Choices::default() }
}

fn plan(ground: &Ground, world: &World, choices: &Choices) -> Plan {
    Memory::new(world.clone(), 0, Cut::Never).plan(ground, Intent::Provision, choices).1
}

/// A user's function under our name, with four versions, the oldest of which runs in this slot of
/// the distribution that we attach to.
fn running_in(behavior: &str, event: &str) -> World {
    let mut world = neighbourhood();
    let mut live = their_function();
    live.versions = (1..=4)
        .map(|number| {
            let memory = 128 + u32::try_from(number).unwrap();
            let frozen = function::Frozen { memory, ..live.settings.frozen.clone() };
            Version { number, frozen }
        })
        .collect();
    world.functions.insert(NAME.parse().unwrap(), live);
    let arn = REPLACING.arn(1);
    let slot = [element("LambdaFunctionARN", &arn), element("EventType", event)].concat();
    let slot = format!("<LambdaFunctionAssociation>{slot}</LambdaFunctionAssociation>");
    let slots = list_element("LambdaFunctionAssociations", &[slot]);
    let found = world.distributions.get_mut(&ATTACHED.parse().unwrap()).unwrap();
    let text = &mut found.live.document.0;
    let begin = match behavior {
        "default" => text.find("<DefaultCacheBehavior>").unwrap(),
        pattern => text.find(&format!("<PathPattern>{pattern}</PathPattern>")).unwrap(),
    };
    let (open, close) = ("<LambdaFunctionAssociations>", "</LambdaFunctionAssociations>");
    let from = begin + text[begin..].find(open).unwrap();
    let to = from + text[from..].find(close).unwrap() + close.len();
    text.replace_range(from..to, &slots);
    world
}

/// The spec names two slots, of one event.
#[test]
fn a_function_that_visitors_of_others_use_is_not_adopted() {
    for behavior in ["default", "/app/*", "/api/*"] {
        for event in [EVENT, "origin-request", "viewer-response"] {
            let world = running_in(behavior, event);
            let wanted = REPLACING.desired.association.as_ref().unwrap();
            let is_named = event == EVENT && wanted.behaviors.contains(&Behavior::from(behavior));
            let planned = plan(&REPLACING, &world, &adopting(Kind::Function));
            let what = format!("{behavior} {event}: {:?}", planned.conflicts);
            assert_eq!(planned.can_apply(), is_named, "{what}");
            let mut told = planned.conflicts.iter().map(|conflict| &conflict.reason);
            let names = |reason: &String| {
                reason.contains(ATTACHED) && reason.contains(event) && reason.contains("runs it")
            };
            assert!(is_named || told.any(names), "{what}");
            let prunes = |op: &Op| matches!(op, Op::Function(_, function::Op::Prune { number: 1 }));
            let is_pruned = planned.steps.iter().any(|step| prunes(&step.op));
            assert!(is_named || !is_pruned, "{what}: the version that a slot runs");
        }
    }
}

/// A user's bucket under our name, open to everybody by this statement.
fn public(statement: Option<Value>) -> World {
    let mut world = neighbourhood();
    let mut found = world.buckets.get(&"shop-files-2".parse().unwrap()).unwrap().clone();
    found.live.settings.tags.clear();
    found.live.settings.region = REPLACING.stack.names.region.clone();
    found.objects.clear();
    found.headers.clear();
    found.policy = statement.map(|it| json!({"Version": "2012-10-17", "Statement": [it]}));
    world.buckets.insert(BUCKET.parse().unwrap(), found);
    world
}

#[test]
fn a_bucket_that_is_open_to_everybody_is_not_adopted() {
    let to = |principal: Value| {
        json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{BUCKET}/*")})
    };
    let theirs = to(json!({"AWS": "arn:aws:iam::999999999999:root"}));
    for (statement, can_apply) in
        [(None, true), (Some(theirs), true), (Some(to(json!("*"))), false)]
    {
        let world = public(statement.clone());
        let planned = plan(&REPLACING, &world, &adopting(Kind::Bucket));
        let what = format!("{statement:?}: {:?}", planned.conflicts);
        assert_eq!(planned.can_apply(), can_apply, "{what}");
        let told = |word: &str| planned.conflicts.iter().any(|it| it.reason.contains(word));
        assert!(
            can_apply || told("Allow s3:GetObject to * on arn:aws:s3:::shop-files/*"),
            "{what}"
        );
        if can_apply {
            let memory = Memory::new(world, 0, Cut::Never);
            let rest = memory.settle(&REPLACING, Intent::Provision, &adopting(Kind::Bucket));
            assert!(rest.is_empty() && rest.can_apply(), "{what}: {rest:#?}");
        }
    }
}

/// Nothing is put into a bucket before it keeps versions.
#[test]
fn a_new_bucket_keeps_versions_from_its_first_object_on() {
    let mut ground = Ground::read_only("versioned", "stack: shop", neighbourhood());
    ground.desired.bucket.versioning = Versioning::Enabled;
    for order in 0..8 {
        let memory = Memory::new(neighbourhood(), order, Cut::Never);
        let rest = memory.settle(&ground, Intent::Provision, &Choices::default());
        assert!(rest.is_empty(), "{rest:#?}");
        let world = memory.into_world();
        let headers = &world.buckets[&BUCKET.parse().unwrap()].headers;
        let lost = headers.iter().filter(|(_, headers)| headers.version.is_empty());
        let lost: Vec<_> = lost.map(|(key, _)| key).collect();
        assert!(!headers.is_empty() && lost.is_empty(), "{order}: {lost:?} have no id");
    }
}
