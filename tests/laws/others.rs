//! What in a world is not ours: the same text before and after, or somebody's things were touched.

use crate::drift::is_our_statement;
use crate::ground::{BUCKET, Ground, occupant};
use provision::cloud::world::{Distribution, World};
use provision::resource::distribution::Behavior;
use provision::resource::distribution::document::EVENT;
use provision::resource::distribution::edit::Edit;
use provision::resource::{
    Tags, access, bucket, distribution, function, logs, policy, role, stack_in, tags,
};
use serde_json::{Value, json};

/// Everything that is somebody else's.
pub(crate) fn others(world: &World, ground: &Ground) -> Value {
    let World {
        buckets: _, // Below, with what others have in them.
        roles,
        functions,
        logs: _, // Below: the function says whose they are.
        access,
        distributions,
        // Numbers, and what time washes away.
        format: _,
        account: _,
        delays: _,
        serial: _,
        numbers: _,
        born: _,
        replicas: _,
        references: _,
    } = world;
    let stack = &ground.stack.names.stack;
    let roles: Vec<_> =
        roles.iter().filter(|(_, live)| !role::plan::is_ours(live, stack)).collect();
    let functions: Vec<_> =
        functions.iter().filter(|(_, live)| !function::plan::is_ours(live, stack)).collect();
    let access: Vec<_> =
        access.values().filter(|live| live.description != access::description(stack)).collect();
    json!({
        "buckets": buckets(world, ground),
        "roles": roles,
        "functions": functions,
        "logs": logs(world, ground),
        "access": access,
        "distributions": distributions.values().filter_map(|found| distribution(found,
            ground)).collect::<Vec<_>>(),
    })
}

/// The groups of other functions, and those of our function's name that were there before it, or
/// where that function is somebody else's.
fn logs(world: &World, ground: &Ground) -> Vec<Value> {
    let function = world.functions.get(&ground.stack.names.function);
    let is_theirs =
        function.is_some_and(|live| !function::plan::is_ours(live, &ground.stack.names.stack));
    let own = logs::group(&ground.stack.names.function);
    let groups = world
        .logs
        .iter()
        .flat_map(|(region, groups)| groups.iter().map(move |group| (region, group)));
    let older = |group: &logs::Group| group.tags.contains_key("owner");
    let theirs = groups.filter(|(_, (name, group))| is_theirs || **name != own || older(group));
    theirs.map(|group| json!(group)).collect()
}

/// The groups of our function's name, after the function is gone, that do not carry our tag;
/// nothing while there is a function.
pub(crate) fn unproven(world: &World, ground: &Ground) -> Value {
    if world.functions.contains_key(&ground.stack.names.function) {
        return Value::Null;
    }
    let own = logs::group(&ground.stack.names.function);
    let groups = world.logs.iter().filter_map(|(region, groups)| Some((region, groups.get(&own)?)));
    json!(
        groups
            .filter(|(_, group)| stack_in(&group.tags).as_ref() != Some(&ground.stack.names.stack))
            .collect::<Vec<_>>()
    )
}

fn buckets(world: &World, ground: &Ground) -> Vec<Value> {
    let rest = world.buckets.iter().filter(|(name, found)| {
        name.as_str() != BUCKET || !bucket::plan::is_ours(&found.live, &ground.stack.names.stack)
    });
    // Without a distribution of ours, our statement in somebody's policy says nothing any more.
    rest.map(|(name, found)| {
        json!([
            name,
            found.live,
            found.objects,
            found.headers,
            their_statements(found.policy.as_ref())
        ])
    })
    .collect()
}

fn their_statements(policy: Option<&Value>) -> Vec<Value> {
    policy
        .map(policy::statements)
        .unwrap_or_default()
        .into_iter()
        .filter(|statement| !is_our_statement(statement))
        .collect()
}

/// What others have in our own bucket: statements and objects.
pub(crate) fn guests(world: &World, ground: &Ground) -> Value {
    let Some(found) = world.buckets.get(&ground.stack.bucket) else { return Value::Null };
    let known = |key: &&provision::name::ObjectKey| {
        ground.desired.site.files.contains_key(*key) || ground.stack.page_keys().contains(key)
    };
    let marked = |key: &provision::name::ObjectKey| {
        found.headers.get(key).is_some_and(|headers| !headers.metadata.is_empty())
    };
    let objects: Vec<_> = found.objects.keys().filter(|key| !known(key) && !marked(key)).collect();
    json!({"statements": their_statements(found.policy.as_ref()), "objects": objects,
        "tags": their_tags(world, ground)})
}

/// Inline policies of others in our role, which nobody could bring back.
pub(crate) fn policies(world: &World, ground: &Ground) -> Value {
    let ours = |live: &&role::Live| role::plan::is_ours(live, &ground.stack.names.stack);
    let theirs = world.roles.values().filter(ours).flat_map(|live| &live.other_policies);
    json!(theirs.collect::<Vec<_>>())
}

/// Tags that others have put on what is ours.
fn their_tags(world: &World, ground: &Ground) -> Vec<(&'static str, Vec<String>)> {
    let theirs = |tags: &Tags| {
        tags.keys().filter(|key| !tags::is_ours(key, tags)).cloned().collect::<Vec<_>>()
    };
    let names = &ground.stack.names;
    let bucket = world
        .buckets
        .get(&ground.stack.bucket)
        .map(|found| ("bucket", theirs(&found.live.settings.tags)));
    let role = world.roles.get(&names.role).map(|live| ("role", theirs(&live.settings.tags)));
    let function =
        world.functions.get(&names.function).map(|live| ("function", theirs(&live.settings.tags)));
    let ours = |found: &&Distribution| distribution::owner::is_ours(&found.live, &names.stack);
    let distribution = world.distributions.values().find(ours).filter(|_| names.attached.is_none());
    let distribution = distribution.map(|found| ("distribution", theirs(&found.live.tags)));
    [bucket, role, function, distribution]
        .into_iter()
        .flatten()
        .filter(|(_, tags)| !tags.is_empty())
        .collect()
}

/// A distribution without our slots: those that we hold, are empty, or may be taken.
fn distribution(found: &Distribution, ground: &Ground) -> Option<Value> {
    let live = &found.live;
    if distribution::owner::is_ours(live, &ground.stack.names.stack) {
        return None;
    }
    let is_attached = ground.stack.names.attached.as_ref() == Some(&live.id);
    let wanted = ground
        .desired
        .association
        .as_ref()
        .filter(|_| is_attached)
        .map(|wanted| wanted.behaviors.clone())
        .unwrap_or_default();
    let free = |behavior: &Behavior| match occupant(live, behavior) {
        Some(arn) => {
            ground.stack.any_version().number_in(&arn).is_some()
                || (ground.replaces && wanted.contains(behavior))
        }
        None => true,
    };
    let slots: Vec<Edit> = live
        .document
        .read()
        .behaviors
        .into_keys()
        .filter(free)
        .map(|slot| Edit::Occupant(slot, None))
        .collect();
    Some(json!([live.id, live.document.edit(&slots).unwrap(), live.tags, live.domain]))
}

/// Functions that others run in our own distribution, in every slot but ours; nothing, where the
/// stack has no distribution (any more).
pub(crate) fn lodgers(world: &World, ground: &Ground) -> Value {
    let ours = |found: &&Distribution| {
        distribution::owner::is_ours(&found.live, &ground.stack.names.stack)
    };
    let Some(found) =
        world.distributions.values().find(ours).filter(|_| ground.stack.names.attached.is_none())
    else {
        return Value::Null;
    };
    let slots = found.live.document.read().behaviors.into_iter().flat_map(|(behavior, does)| {
        does.functions.into_iter().map(move |(event, arn)| (behavior.clone(), event, arn))
    });
    slots
        .filter(|(behavior, event, _)| !(*behavior == Behavior::Default && event == EVENT))
        .map(|slot| format!("{slot:?}"))
        .collect()
}
