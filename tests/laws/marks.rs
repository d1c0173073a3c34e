//! Somebody edits the marks of one thing: its tag, its description, or both. Whatever a run of this
//! stack or of another one does meanwhile, what either mark calls this stack's is there afterwards;
//! and once the marks are as they were, a destroy still finds all of it.

use crate::ground::{Ground, neighbourhood};
use crate::memory::{Cut, Memory};
use crate::moves::{ours, slots};
use provision::change::Kind;
use provision::cloud::world::{Bucket, Delays, Distribution, World};
use provision::name::{FunctionName, ObjectKey, RoleName, StackName};
use provision::plan::{Choices, Intent};
use provision::resource::site::{self, STACK_METADATA};
use provision::resource::{STACK_TAG, Tags, marked, role, stack_in};
use provision::stack::Clues;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const OTHER: &str = "blog";

/// What an earlier apply named, and what the spec names now.
static MOVES: LazyLock<Vec<(Ground, Ground)>> = LazyLock::new(|| {
    let names = |name: &str, rest: &str| {
        format!(
            "stack: shop\nbucket: {{name: {name}}}\nrole: {{name: {name}}}\n\
             function: {{name: {name}}}\n{rest}"
        )
    };
    let a = "distribution: {id: E1ATTACHED00, behaviors: [default]}";
    let app = "distribution: {id: E1ATTACHED00, behaviors: [\"/app/*\"]}";
    let pairs = [
        ("as it was", names("shop-first", ""), names("shop-first", "")),
        ("all names", names("shop-first", ""), names("shop-second", "")),
        ("the bucket", names("shop-first", ""), {
            names("shop-first", "").replace("bucket: {name: shop-first}", "bucket: {name: shop-b}")
        }),
        ("the function", names("shop-first", ""), {
            names("shop-first", "")
                .replace("function: {name: shop-first}", "function: {name: shop-f}")
        }),
        ("all names, a slot stays", names("shop-first", a), names("shop-second", app)),
    ];
    let build = |name, text: &String, world| {
        let site = crate::ground::the_site();
        let mut ground = Ground::built_in(name, text, site, world);
        ground.built.distributions.values_mut().for_each(|found| found.deployed_at = 0);
        ground
    };
    let pair = |(name, first, second): (&'static str, String, String)| {
        let first = build(name, &first, neighbourhood());
        let second = build(name, &second, first.built.clone());
        (first, second)
    };
    pairs.into_iter().map(pair).collect()
});

/// Another stack, whose spec names one thing that the first one made.
fn thieves(ground: &'static Ground) -> [Ground; 3] {
    let named = [
        format!("bucket: {{name: {}}}", ground.stack.bucket),
        format!("role: {{name: {}}}\nbucket: {{name: blog-files}}", ground.stack.names.role),
        format!(
            "function: {{name: {}}}\nbucket: {{name: blog-files}}",
            ground.stack.names.function
        ),
    ];
    named.map(|named| {
        let world = World::empty(ground.built.account.clone(), Delays::default());
        Ground::read_only("blog", &format!("stack: {OTHER}\n{named}"), world)
    })
}

/// A thing that carries marks: its name, its tags, its description.
type Marks<'w> = (String, Option<&'w mut Tags>, Option<&'w mut String>);

fn things(world: &mut World) -> Vec<Marks<'_>> {
    let World {
        buckets,
        roles,
        functions,
        logs,
        access,
        distributions,
        // Nothing that carries marks.
        format: _,
        account: _,
        delays: _,
        serial: _,
        numbers: _,
        born: _,
        replicas: _,
        references: _,
    } = world;
    let buckets = buckets.iter_mut();
    let buckets = buckets
        .map(|(name, found)| (format!("bucket {name}"), Some(&mut found.live.settings.tags), None));
    let roles = roles.iter_mut().map(|(name, live)| {
        let settings = &mut live.settings;
        (format!("role {name}"), Some(&mut settings.tags), Some(&mut settings.description))
    });
    let functions = functions.iter_mut().map(|(name, live)| {
        let settings = &mut live.settings;
        let description = &mut settings.frozen.description;
        (format!("function {name}"), Some(&mut settings.tags), Some(description))
    });
    let groups = logs.iter_mut().flat_map(|(region, groups)| {
        groups.iter_mut().map(move |(name, group)| {
            (format!("logs {region} {name}"), Some(&mut group.tags), None)
        })
    });
    let controls = access.values_mut();
    let controls =
        controls.map(|live| (format!("access {}", live.name), None, Some(&mut live.description)));
    let distributions = distributions
        .values_mut()
        .map(|found| (format!("distribution {}", found.live.id), Some(&mut found.live.tags), None));
    buckets
        .chain(roles)
        .chain(functions)
        .chain(groups)
        .chain(controls)
        .chain(distributions)
        .collect()
}

/// What somebody does to a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Left,
    Removed,
    Another,
}

const EDITS: [(Edit, Edit); 6] = [
    (Edit::Removed, Edit::Left),
    (Edit::Another, Edit::Left),
    (Edit::Left, Edit::Removed),
    (Edit::Left, Edit::Another),
    (Edit::Removed, Edit::Another),
    (Edit::Another, Edit::Another),
];

fn edit(world: &mut World, thing: &str, (tag, description): (Edit, Edit)) {
    let mut all = things(world);
    let (_, tags, text) = all.iter_mut().find(|(name, ..)| name == thing).unwrap();
    if let Some(tags) = tags {
        match tag {
            Edit::Left => {}
            Edit::Removed => drop(tags.remove(STACK_TAG)),
            Edit::Another => drop(tags.insert(STACK_TAG.into(), OTHER.into())),
        }
    }
    if let Some(text) = text {
        match description {
            Edit::Left => {}
            Edit::Removed => **text = "mine".into(),
            Edit::Another => **text = text.replace("stack=shop", "stack=blog"),
        }
    }
}

/// The marks as they were before, on what is still there.
fn mend(world: &mut World, mut before: World) {
    let before = things(&mut before);
    for (name, tags, text) in things(world) {
        let Some((_, old_tags, old_text)) = before.iter().find(|(known, ..)| *known == name) else {
            continue;
        };
        if let (Some(tags), Some(old)) = (tags, old_tags)
            && let Some(owner) = old.get(STACK_TAG)
        {
            tags.insert(STACK_TAG.into(), owner.clone());
        }
        if let (Some(text), Some(old)) = (text, old_text) {
            text.clone_from(old);
        }
    }
}

/// What one mark, at least, calls the stack's: a tag, a description, a bucket's
/// index, the reference of a creation.
fn names_of(world: &World, stack: &str) -> BTreeSet<String> {
    let stack: StackName = stack.parse().unwrap();
    let mut copy = world.clone();
    let all = things(&mut copy).into_iter();
    let says = |tags: &Option<&mut Tags>, text: &Option<&mut String>| {
        tags.as_ref().is_some_and(|tags| stack_in(tags).as_ref() == Some(&stack))
            || text.as_ref().is_some_and(|text| marked(text).as_ref() == Some(&stack))
    };
    let marked = all.filter(|(_, tags, text)| says(tags, text)).map(|(name, ..)| name);
    let index = ObjectKey::listed(site::index::KEY.to_owned());
    let puts = |found: &Bucket| {
        let headers = found.headers.get(&index)?;
        (headers.metadata.get(STACK_METADATA)? == stack.as_str()).then_some(())
    };
    let buckets = world.buckets.iter().filter(|(_, found)| puts(found).is_some());
    let made = format!("provision-{stack}-E");
    let made = world
        .distributions
        .iter()
        .filter(|(_, found)| found.live.document.read().caller_reference.starts_with(&made));
    marked
        .chain(buckets.map(|(name, _)| format!("bucket {name}")))
        .chain(made.map(|(id, _)| format!("distribution {id}")))
        .collect()
}

/// What running versions need and do not have: the role, and by its policy the page.
fn unreached(world: &World) -> Vec<String> {
    let running = world.distributions.values().flat_map(slots);
    let lacks = |(_, name, number): (String, FunctionName, u64)| {
        let live = world.functions.get(&name)?;
        let version = live.versions.iter().find(|version| version.number == number)?;
        let page = version.frozen.page()?;
        let role = RoleName::from_arn(&version.frozen.role, &world.account)?;
        let policy = world.roles.get(&role).and_then(|role| role.settings.policy.as_ref());
        let reaches = role::Reach::of(policy, &world.account).pages.contains(&page);
        let is_there = world.buckets.contains_key(&page.0);
        (!reaches || !is_there).then(|| format!("{name}:{number} does not reach {page:?}"))
    };
    running.filter_map(lacks).collect()
}

/// The distributions that were made for the stack, as they are.
fn own_documents(world: &World) -> Vec<&str> {
    let made = |found: &&Distribution| {
        found.live.document.read().caller_reference.starts_with("provision-shop-E")
    };
    world.distributions.values().filter(made).map(|found| found.live.document.0.as_str()).collect()
}

fn words() -> Choices {
    use Kind::{Access, Association, Bucket, Distribution, Function, Page, Role, Site};
    Choices {
        wait: true,
        delete: [Association, Bucket, Distribution, Function, Role, Site].into(),
        adopt: [Access, Bucket, Function, Page, Role, Site].into(),
        delete_data: true,
        ..Choices::default()
    }
}

fn gone(before: &BTreeSet<String>, world: &World) -> Vec<String> {
    let mut world = world.clone();
    let left: BTreeSet<String> = things(&mut world).into_iter().map(|(name, ..)| name).collect();
    before.difference(&left).cloned().collect()
}

/// Runs to where it does not go on.
fn settle(world: &World, ground: &Ground, intent: Intent, choices: &Choices) -> World {
    let memory = Memory::new(world.clone(), 3, Cut::Never);
    let _ = memory.settle(ground, intent, choices);
    memory.into_world()
}

#[test]
fn what_a_run_could_not_know_as_ours_is_found_once_its_marks_are_back() {
    let (mut tried, mut broken) = (0, Vec::new());
    for (_, to) in MOVES.iter() {
        for thing in names_of(&to.built, "shop") {
            for how in EDITS {
                for choices in [Choices { wait: true, ..Choices::default() }, words()] {
                    let what = format!("{}: {thing} {how:?} {:?}", to.name, choices.delete);
                    let mut world = to.built.clone();
                    edit(&mut world, &thing, how);
                    if !names_of(&world, "shop").contains(&thing) {
                        continue;
                    }
                    tried += 1;
                    let choices = Choices { adopt: BTreeSet::new(), ..choices };
                    let mut world = settle(&world, to, Intent::Provision, &choices);
                    broken.extend(unreached(&world).into_iter().map(|it| format!("{what}: {it}")));
                    mend(&mut world, to.built.clone());
                    let world = settle(&world, to, Intent::Provision, &Choices::default());
                    let world = settle(&world, to, Intent::Destroy, &words());
                    let left = ours(&world, to);
                    broken.extend(left.into_iter().map(|it| format!("{what}: {it} is left")));
                }
            }
        }
    }
    println!("{tried} edits of marks, each between two runs");
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn another_stack_takes_nothing_that_one_mark_calls_ours() {
    let (mut tried, mut broken) = (0, Vec::new());
    for (from, to) in MOVES.iter() {
        for thing in names_of(&to.built, "shop") {
            for how in EDITS {
                let mut world = to.built.clone();
                edit(&mut world, &thing, how);
                let (ours, theirs) = (names_of(&world, "shop"), names_of(&world, OTHER));
                for mut thief in [from, to].into_iter().flat_map(thieves) {
                    let of = |kind: &str| -> Vec<String> {
                        let all = ours.iter().filter_map(|name| name.strip_prefix(kind));
                        all.map(str::to_owned).collect()
                    };
                    thief.stack.names.also = Clues {
                        buckets: of("bucket ").iter().map(|name| name.parse().unwrap()).collect(),
                        roles: of("role ").iter().map(|name| name.parse().unwrap()).collect(),
                        functions: of("function ").iter().map(|it| it.parse().unwrap()).collect(),
                    };
                    for intent in [Intent::Provision, Intent::Destroy] {
                        tried += 1;
                        let spec = &thief.stack.names;
                        let what = format!("{}: {thing} {how:?} {intent:?} {spec:?}", to.name);
                        let after = settle(&world, &thief, intent, &words());
                        let gone = gone(&ours, &after).into_iter();
                        broken.extend(gone.map(|name| format!("{what}: {name} is gone")));
                        if own_documents(&after) != own_documents(&world) {
                            broken.push(format!("{what}: the distribution is another"));
                        }
                        let others = &names_of(&after, OTHER) - &theirs;
                        let taken = others.intersection(&ours);
                        broken.extend(taken.map(|it| format!("{what}: {it} is taken")));
                    }
                }
            }
        }
    }
    println!("{tried} runs of another stack");
    assert_eq!(broken, Vec::<String>::new());
}
