//! What can have happened to a world behind our back.

use crate::ground::{
    BUCKET, FILE, Ground, NAME, distribution_mut, edit, occupy, their_function, their_statement,
};
use provision::cloud::world::{Bucket, World};
use provision::name::ObjectKey;
use provision::resource::bucket::Versioning;
use provision::resource::distribution::{
    Behavior,
    document::{Place, element, list_element},
    edit::Edit,
};
use provision::resource::page::window;
use provision::resource::site::{Object, mark};
use provision::resource::{STACK_TAG, Tags, access, function, grant, logs, policy, role, tags};
use serde_json::{Value, json};

/// One thing that happened.
pub(crate) struct Drift {
    pub(crate) name: &'static str,
    pub(crate) happen: fn(&mut World, &Ground),
}

impl std::fmt::Debug for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! drifts {
    ($($(#[$doc:meta])* $list:ident: $($name:literal => $happen:expr,)*)*) => {
        $($(#[$doc])* pub(crate) const $list: &[Drift] = &[$(Drift { name: $name, happen: $happen }),*];)*
    };
}

drifts! {
    /// What an apply repairs or may leave as it is.
    DRIFTS:
    "the bucket is gone" => |world, _| drop(world.buckets.remove(&BUCKET.parse().unwrap())),
    "the bucket is public" => |world, _| bucket(world, |found| found.live.settings.private = false),
    "the bucket takes \
        ACLs" => |world, _| bucket(world, |found| found.live.settings.owner_enforced = false),
    "the bucket is encrypted with a \
        key" => |world, _| bucket(world, |found| found.live.kms_key = Some("arn:key".into())),
    "the bucket is \
        versioned" => |world, _| bucket(world, |found| found.live.settings.versioning = Versioning::Enabled),
    "the bucket has tags of \
        theirs" => |world, _| bucket(world, |found| tag(&mut found.live.settings.tags)),
    "the bucket has a tag that the spec gave \
        up" => |world, _| bucket(world, |found| give_up(&mut found.live.settings.tags)),
    "the policy is gone" => |world, _| bucket(world, |found| found.policy = None),
    "the policy lets others read" => |world, _| bucket(world, |found| {
        for statement in found.policy.iter_mut().flat_map(|policy| policy["Statement"].as_array_mut().unwrap()) {
            statement["Principal"] = json!("*");
        }
    }),
    "the policy lets plain HTTP in" => |world, _| bucket(world, |found| {
        let ours = |statement: &Value| statement["Sid"] == grant::TLS_SID;
        for statements in found.policy.iter_mut().filter_map(|policy| policy["Statement"].as_array_mut()) {
            statements.retain(|statement| !ours(statement));
        }
    }),
    "the policy has a statement of theirs" => |world, _| bucket(world, |found| {
        let statements = found.policy.as_ref().map(policy::statements).unwrap_or_default().into_iter().chain([their_statement()]);
        found.policy = Some(json!({"Version": "2012-10-17",
            "Statement": statements.collect::<Vec<_>>()}));
    }),
    "a file is gone" => |world, _| remove(world, FILE),
    "a file is changed" => |world, _| put(world, FILE, true),
    "a file of ours is old" => |world, _| put(world, "old.css", true),
    "a file is theirs" => |world, _| put(world, "theirs.txt", false),
    "the page is gone" => |world, ground| remove(world, ground.stack.names.keys.off.as_str()),
    "the page is changed" => |world, ground| put(world, ground.stack.names.keys.off.as_str(), true),
    "the switch is on" => |world, ground| turn(world, ground, &[]),
    "the switch is on, and the page \
        changed" => |world, ground| turn(world, ground, &[(window::PAGE, "another")]),
    "another page is shown for one window" => |world, ground| {
        turn(world, ground, &[(window::PAGE, "another"), (window::ONCE, "true")]);
    },
    "the window is \
        over" => |world, ground| turn(world, ground, &[(window::UNTIL, "1970-01-01T00:00:01Z")]),
    "the page was renamed by hand" => |world, ground| {
        let keys = &ground.stack.names.keys;
        put(world, keys.on.as_str(), false);
        remove(world, keys.off.as_str());
    },
    "the role is gone" => |world, _| drop(world.roles.remove(&NAME.parse().unwrap())),
    "the role trusts \
        nobody" => |world, _| role(world, |found| found.settings.trust = json!({"Statement": []})),
    "the role's policy is wider" => |world, _| role(world, |found| {
        found.settings.policy = Some(json!({"Statement": {"Effect": "Allow", "Action": "*",
            "Resource": "*"}}));
    }),
    "the role's policy is gone" => |world, _| role(world, |found| found.settings.policy = None),
    "the role has a \
        boundary" => |world, _| role(world, |found| found.settings.boundary = Some("arn:aws:iam::aws:policy/X".into())),
    "the role lost its \
        description" => |world, _| role(world, |found| found.settings.description.clear()),
    "the role has tags of theirs" => |world, _| role(world, |found| tag(&mut found.settings.tags)),
    "the role has a tag that the spec gave \
        up" => |world, _| role(world, |found| give_up(&mut found.settings.tags)),
    "the role has an inline policy of \
        theirs" => |world, _| role(world, |found| found.other_policies.push("theirs".into())),
    "the role has a managed policy" => |world, _| role(world, |found| {
        found.attached.push("arn:aws:iam::aws:policy/AdministratorAccess".into());
    }),
    "the function is gone" => |world, _| drop(world.functions.remove(&NAME.parse().unwrap())),
    "the function has other \
        code" => |world, _| function(world, |found| found.settings.frozen.code_sha256 = "other".into()),
    "the function has more \
        memory" => |world, _| function(world, |found| found.settings.frozen.memory = 512),
    "the function has \
        layers" => |world, _| function(world, |found| found.settings.frozen.refused = ["layers".into()].into()),
    "the function has another architecture" => |world, _| function(world, |found| {
        found.settings.frozen.refused = [function::ARCHITECTURE.into()].into();
    }),
    "the function lost its tags" => |world, _| function(world, |found| found.settings.tags.clear()),
    "the function has tags of \
        theirs" => |world, _| function(world, |found| tag(&mut found.settings.tags)),
    "the function has a tag that the spec gave \
        up" => |world, _| function(world, |found| give_up(&mut found.settings.tags)),
    "the function lost its \
        description" => |world, _| function(world, |found| found.settings.frozen.description.clear()),
    "the version is gone" => |world, _| function(world, |found| drop(found.versions.pop())),
    "other versions were published" => |world, _| publish(world, &[256, 512, 1024]),
    "the slot holds an old version" => |world, ground| {
        publish(world, &[256]);
        let newest = world.numbers.values().max().copied().unwrap_or_default();
        occupy(world, ground, Some(ground.arn(newest)));
    },
    "the slot is empty" => |world, ground| occupy(world, ground, None),
    "the edge wrote a log group in a region" => |world, ground| {
        if world.functions.contains_key(&ground.stack.names.function) {
            let groups = world.logs.entry("sa-east-1".parse().unwrap()).or_default();
            groups.insert(logs::group(&ground.stack.names.function), young());
        }
    },
    "somebody had a log group of that name before us" => |world, ground| {
        let groups = world.logs.entry("eu-west-1".parse().unwrap()).or_default();
        let tags = [("owner".to_owned(), "audit".to_owned())].into();
        let theirs = logs::Group { retention: Some(3653), tags, ..logs::Group::default() };
        groups.insert(logs::group(&ground.stack.names.function), theirs);
    },
    "every log group is gone" => |world, ground| {
        world.logs.values_mut().for_each(|groups| drop(groups.remove(&logs::group(&ground.stack.names.function))));
        world.logs.retain(|_, groups| !groups.is_empty());
    },
    "a log group of ours keeps its events for too long" => |world, ground| {
        let groups = world.logs.values_mut().filter_map(|groups| groups.get_mut(&logs::group(&ground.stack.names.function)));
        groups.for_each(|group| group.retention = Some(3653));
    },
    "the control does not \
        sign" => |world, _| world.access.values_mut().for_each(|found| found.signing.behavior = "never".into()),
    "the control is gone" => |world, _| drop(world.access.remove("provision-shop")),
    "the distribution is gone" => |world, ground| {
        if let Some(id) = distribution_mut(world, ground).filter(|_| owns(ground)).map(|found| found.live.id.clone()) {
            world.distributions.remove(&id);
        }
    },
    "the distribution is \
        disabled" => |world, ground| own(world, ground, &[Edit::Field("Enabled", element("Enabled", "false"))]),
    "the distribution is \
        dearer" => |world, ground| own(world, ground, &[Edit::Field("PriceClass", element("PriceClass", "All"))]),
    "the distribution has other words" => |world, ground| own(world, ground, &[
        Edit::Field("Comment", element("Comment", "x")),
        Edit::Field("DefaultRootObject", element("DefaultRootObject", "x")),
        Edit::Field("Aliases", list_element("Aliases", &[element("CNAME", "x.example")])),
    ]),
    "the distribution takes HTTP" => |world, ground| {
        own(world, ground, &[Edit::Text(Place::Behavior(Behavior::Default, "ViewerProtocolPolicy"), "allow-all".into())]);
    },
    "the distribution has tags of theirs" => |world, ground| {
        if let Some(found) = distribution_mut(world, ground).filter(|_| owns(ground)) {
            tag(&mut found.live.tags);
        }
    },
    "the distribution has a tag that the spec gave up" => |world, ground| {
        if let Some(found) = distribution_mut(world, ground).filter(|_| owns(ground)) {
            give_up(&mut found.live.tags);
        }
    },
    "the distribution lost its tags" => |world, ground| {
        if let Some(found) = distribution_mut(world, ground).filter(|_| owns(ground)) {
            found.live.tags.clear();
        }
    },
    "their distribution runs a version of ours, since an earlier spec" => |world, ground| {
        publish(world, &[768]);
        let newest = world.numbers.values().max().copied().unwrap_or_default();
        let slot = Edit::Occupant(Behavior::Default, Some(ground.arn(newest)));
        let found = world.distributions.values_mut().find(|found| found.live.id.as_str() == "E9OTHER0000").unwrap();
        found.live.document = found.live.document.edit(&[slot]).unwrap();
    },
    "another behavior runs an old version of ours" => |world, ground| {
        let functions = lodger(world, ground, 300, "viewer-request");
        let added = format!("<CacheBehavior><PathPattern>/new/*</PathPattern>{functions}</CacheBehavior>");
        insert(world, ground, &added);
    },
    "another behavior runs an old version of ours at another event" => |world, ground| {
        let functions = lodger(world, ground, 400, "origin-response");
        let added = format!("<CacheBehavior><PathPattern>/late/*</PathPattern>{functions}</CacheBehavior>");
        insert(world, ground, &added);
    },
    "somebody added a behavior with the pattern `default`" => |world, ground| {
        let item = [element("LambdaFunctionARN", "arn:aws:lambda:us-east-1:123456789012:function:theirs:3"), element("EventType", "viewer-request")];
        let item = format!("<LambdaFunctionAssociation>{}</LambdaFunctionAssociation>", item.concat());
        let functions = list_element("LambdaFunctionAssociations", &[item]);
        insert(world, ground, &format!("<CacheBehavior><PathPattern>default</PathPattern>{functions}</CacheBehavior>"));
    },

    /// What an apply refuses, or takes only where it was told to, or what nothing proves to be
    /// ours.
    CLAIMS:
    "the function is gone, and what it logged is not" => |world, ground| {
        world.functions.remove(&ground.stack.names.function);
        let group = logs::group(&ground.stack.names.function);
        world.logs.entry("sa-east-1".parse().unwrap()).or_default().insert(group, young());
    },
    "the bucket is theirs" => |world, _| bucket(world, |found| found.live.settings.tags.clear()),
    "the bucket is another stack's" => |world, _| bucket(world, |found| {
        found.live.settings.tags.insert(STACK_TAG.into(), "shop-2".into());
        found.policy = Some(json!({"Version": "2012-10-17", "Statement": [their_grant()]}));
    }),
    "the role is theirs" => |world, _| role(world, |found| found.settings.tags.clear()),
    "the function is \
        theirs" => |world, _| drop(world.functions.insert(NAME.parse().unwrap(), their_function())),
    "the control is theirs" => |world, _| {
        let theirs = access::Live { id: "E1".into(), name: "provision-shop".into(), description: "theirs".into(), signing: access::Signing::default() };
        world.access.insert(theirs.name.clone(), theirs);
    },
    "the slot is theirs" => |world, ground| occupy(world, ground,
        Some("arn:aws:lambda:us-east-1:123456789012:function:theirs:3".into())),
    "the distribution lost its \
        origin" => |world, ground| own(world, ground, &[Edit::Field("Origins", list_element("Origins", &[]))]),
    "another distribution reads the bucket" => |world, ground| {
        let host = ground.stack.bucket.host(&ground.stack.names.region);
        let found = world.distributions.values_mut().find(|found| found.live.id.as_str() == "E9OTHER0000").unwrap();
        let reads = Edit::Text(Place::Origin("o".into(), "DomainName"), host);
        found.live.document = found.live.document.edit(&[reads]).unwrap();
    },
}

/// A group that the edge has made since.
fn young() -> logs::Group {
    logs::Group { created: u64::MAX, ..logs::Group::default() }
}

/// Somebody's tags, and AWS's own.
fn tag(tags: &mut Tags) {
    let theirs = [("x", "y"), ("aws:cloudformation:stack-name", "theirs")];
    tags.extend(theirs.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

/// An earlier spec said `tags: { team: web }`.
fn give_up(tags: &mut Tags) {
    tags.extend(tags::wanted(Tags::new(), &[("team".to_owned(), "web".to_owned())].into()));
}

fn owns(ground: &Ground) -> bool {
    ground.stack.names.attached.is_none()
}

/// Edits a distribution only where it is ours.
fn own(world: &mut World, ground: &Ground, edits: &[Edit]) {
    if owns(ground) {
        edit(world, ground, edits);
    }
}

fn bucket(world: &mut World, change: impl Fn(&mut Bucket)) {
    if let Some(found) = world.buckets.get_mut(&BUCKET.parse().unwrap()) {
        change(found);
    }
}

fn role(world: &mut World, change: impl Fn(&mut role::Live)) {
    if let Some(found) = world.roles.get_mut(&NAME.parse().unwrap()) {
        change(found);
    }
}

fn function(world: &mut World, change: impl Fn(&mut function::Live)) {
    if let Some(found) = world.functions.get_mut(&NAME.parse().unwrap()) {
        change(found);
        found.revision.push('x');
    }
}

fn publish(world: &mut World, memories: &[u32]) {
    let name = NAME.parse().unwrap();
    let mut number = world.numbers.get(&name).copied().unwrap_or_default();
    let Some(found) = world.functions.get_mut(&name) else { return };
    for memory in memories {
        number += 1;
        let frozen = function::Frozen { memory: *memory, ..found.settings.frozen.clone() };
        found.versions.push(function::Version { number, frozen });
    }
    world.numbers.insert(name, number);
}

/// A new version of ours, in a slot that nobody asked us to fill.
fn lodger(world: &mut World, ground: &Ground, memory: u32, event: &str) -> String {
    publish(world, &[memory]);
    let newest = world.numbers.values().max().copied().unwrap_or_default();
    let item =
        [element("LambdaFunctionARN", &ground.arn(newest)), element("EventType", event)].concat();
    list_element(
        "LambdaFunctionAssociations",
        &[format!("<LambdaFunctionAssociation>{item}</LambdaFunctionAssociation>")],
    )
}

/// Adds a behavior to the list, which may be empty.
fn insert(world: &mut World, ground: &Ground, added: &str) {
    const END: &str = "</Items></CacheBehaviors>";
    if let Some(found) = distribution_mut(world, ground) {
        let text = found
            .live
            .document
            .0
            .replace("<Quantity>0</Quantity></CacheBehaviors>", &format!("<Items>{END}"));
        found.live.document.0 = text.replace(END, &format!("{added}{END}"));
        found.live.etag.push('x');
    }
}

fn put(world: &mut World, key: &str, marked: bool) {
    let key: ObjectKey = key.parse().unwrap();
    bucket(world, |found| {
        found.objects.insert(key.clone(), Object { etag: "behind our back".into(), size: 1 });
        if marked {
            found
                .headers
                .entry(key.clone())
                .or_default()
                .metadata
                .extend(mark(&"shop".parse().unwrap(), &key));
        }
    });
}

fn remove(world: &mut World, key: &str) {
    bucket(world, |found| {
        found.objects.remove(&key.parse().unwrap());
        found.headers.remove(&key.parse().unwrap());
    });
}

/// Shows the page, in a window of ours with this metadata.
fn turn(world: &mut World, ground: &Ground, window: &[(&str, &str)]) {
    let (key, page) = (&ground.stack.names.keys.on, &ground.desired.page.content);
    put(world, key.as_str(), true);
    let known = [&[(window::PAGE, page.md5.as_str())], window].concat();
    bucket(world, |found| {
        let metadata = &mut found.headers.entry(key.clone()).or_default().metadata;
        metadata
            .extend(known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    });
}

/// Another stack lets its distribution read, under the name that all stacks use.
fn their_grant() -> Value {
    grant::statement(
        &BUCKET.parse().unwrap(),
        &"123456789012".parse().unwrap(),
        &"E9OTHER0000".parse().unwrap(),
    )
}

/// Is this statement ours?
pub(crate) fn is_our_statement(statement: &Value) -> bool {
    [grant::HIDDEN_SID, grant::TLS_SID].iter().any(|sid| statement["Sid"] == *sid)
        || statement["Sid"] == grant::SID && !statement.to_string().contains("E9OTHER0000")
}
