//! Whose an object is, only its mark says: not its key, not the site's folder, not its bytes.

use crate::ground::{BUCKET, FILE, Ground, OWNED, neighbourhood, occupy};
use crate::memory::{Cut, Memory};
use provision::change::{Conflict, Kind};
use provision::cloud::world::{Bucket, Headers, Older, World};
use provision::name::ObjectKey;
use provision::plan::{Choices, Intent, Plan};
use provision::resource::bucket::Versioning;
use provision::resource::content::Content;
use provision::resource::site::{Object, STACK_METADATA, Settings, index, mark};
use std::collections::BTreeMap;

/// What somebody else put, and where.
#[derive(Clone, Copy, Debug)]
struct Planted {
    key: &'static str,
    /// It has the bytes that we would put.
    same: bool,
    /// Whose mark it carries.
    mark: Option<&'static str>,
    /// The word that takes it over, where it lies in our way.
    word: Option<Kind>,
}

fn everything_planted() -> impl Iterator<Item = Planted> {
    let keys = [
        (FILE, false, Some(Kind::Site)),
        (FILE, true, Some(Kind::Site)),
        ("maintenance.html", false, Some(Kind::Page)),
        ("maintenance.html", true, Some(Kind::Page)),
        ("maintenance-on.html", false, None),
        (index::KEY, false, Some(Kind::Site)),
        ("report.pdf", false, None),
    ];
    let marks = [None, Some("shop-2")];
    let planted = move |mark| keys.map(|(key, same, word)| Planted { key, same, mark, word });
    marks.into_iter().flat_map(planted)
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::listed(text.to_owned())
}

fn found(world: &World, text: &str) -> Option<(Object, Headers)> {
    let bucket = world.buckets.get(&BUCKET.parse().unwrap())?;
    Some((bucket.objects.get(&key(text))?.clone(), bucket.headers.get(&key(text))?.clone()))
}

fn bucket(world: &mut World) -> &mut Bucket {
    world.buckets.get_mut(&BUCKET.parse().unwrap()).unwrap()
}

/// When the last object was written.
fn latest(world: &mut World) -> u64 {
    bucket(world).headers.values().map(|headers| headers.modified).max().unwrap()
}

impl Planted {
    fn in_world(&self, mut world: World) -> World {
        let modified = latest(&mut world) + 1;
        let found = bucket(&mut world);
        let mark = self.mark.map(|stack| (STACK_METADATA.to_owned(), stack.to_owned()));
        let metadata = mark.into_iter().collect();
        let headers = Headers { modified, metadata, ..Headers::default() };
        let theirs = Object { etag: "theirs".into(), size: 6 };
        let object = found.objects.get(&key(self.key)).filter(|_| self.same).cloned();
        found.objects.insert(key(self.key), object.unwrap_or(theirs));
        found.headers.insert(key(self.key), headers);
        world
    }
}

/// The same stack, with another folder.
fn changed(change: impl Fn(&mut BTreeMap<ObjectKey, Content>)) -> Ground {
    let mut desired = OWNED.desired.clone();
    change(&mut desired.site.files);
    Ground {
        name: "changed",
        stack: OWNED.stack.clone(),
        desired,
        built: OWNED.built.clone(),
        replaces: false,
    }
}

fn specs() -> [Ground; 4] {
    let renamed = |files: &mut BTreeMap<ObjectKey, Content>| {
        let content = files.remove(&key(FILE)).unwrap();
        files.insert(key("renamed.js"), content);
    };
    let mut gone = changed(BTreeMap::clear);
    gone.desired.site = Settings::default();
    [changed(|_| ()), changed(|files| drop(files.remove(&key(FILE)))), changed(renamed), gone]
}

fn choices(adopt: &[Kind], delete_data: bool) -> Choices {
    let delete = [Kind::Site].into();
    Choices { adopt: adopt.iter().copied().collect(), delete, delete_data, ..Choices::default() }
}

fn plan(ground: &Ground, world: &World, intent: Intent, choices: &Choices) -> Plan {
    Memory::new(world.clone(), 0, Cut::Never).plan(ground, intent, choices).1
}

/// Every world that a run can leave: whole, and killed before each of its ops.
fn left_behind(ground: &Ground, world: &World, choices: &Choices) -> Vec<World> {
    let steps = plan(ground, world, Intent::Provision, choices).steps.len();
    let run = |at| {
        let memory = Memory::new(world.clone(), at as u64, Cut::Killed(at));
        let (live, plan) = memory.plan(ground, Intent::Provision, choices);
        let _ = memory.carry_out(ground, &live, &plan);
        memory.into_world()
    };
    (0..=steps).map(run).collect()
}

/// After a destroy that may not touch what is not ours, nothing of ours is left.
#[track_caller]
fn is_taken_down(ground: &Ground, world: World, delete_data: bool, what: &str) {
    let memory = Memory::new(world, 0, Cut::Never);
    let rest = memory.settle(ground, Intent::Destroy, &choices(&[], delete_data));
    assert!(rest.is_empty() && rest.can_apply(), "{what}: {rest:#?}");
    assert!(!memory.world().buckets.contains_key(&BUCKET.parse().unwrap()), "{what}");
}

fn obeys(ground: &Ground, planted: &Planted, adopt: &[Kind]) {
    let what = format!("{planted:?} {:?} {adopt:?}", ground.desired.site.files.keys());
    let world = planted.in_world(ground.built.clone());
    let theirs = found(&world, planted.key).unwrap();
    let files = &ground.desired.site.files;
    let is_wanted = match planted.word {
        Some(Kind::Site) => planted.key == index::KEY || files.contains_key(&key(planted.key)),
        Some(_) => true,
        None => false,
    };
    let may = planted.word.is_some_and(|word| adopt.contains(&word));
    let choices_now = choices(adopt, false);
    let can_apply = plan(ground, &world, Intent::Provision, &choices_now).can_apply();
    if planted.key == index::KEY && planted.mark.is_some_and(|stack| stack != "shop") {
        // Tag and index name two stacks: no word takes the bucket from either.
        let destroy = plan(ground, &world, Intent::Destroy, &choices(adopt, true));
        assert!(!can_apply && !destroy.can_apply(), "{what}");
        let mut world = world;
        let found = bucket(&mut world);
        found.objects.remove(&key(planted.key));
        found.headers.remove(&key(planted.key));
        is_taken_down(ground, world, true, &what);
        return;
    }
    assert_eq!(can_apply, !is_wanted || may, "{what}");
    let worlds = if can_apply { left_behind(ground, &world, &choices_now) } else { vec![world] };
    for world in worlds {
        let same = found(&world, planted.key).as_ref() == Some(&theirs);
        assert!(same || is_wanted && may, "{what}: written or deleted without a word");
        let refused = !plan(ground, &world, Intent::Destroy, &choices(adopt, false)).can_apply();
        assert_eq!(refused, same, "{what}: a destroy");
        is_taken_down(ground, world, same, &what);
    }
}

#[test]
fn nothing_foreign_is_written_or_deleted_without_its_word() {
    for ground in specs() {
        for planted in everything_planted() {
            let others = [Kind::Bucket, Kind::Role, Kind::Function];
            for adopt in [&others[..], &[Kind::Site], &[Kind::Page], &[Kind::Site, Kind::Page]] {
                obeys(&ground, &planted, adopt);
            }
        }
    }
}

#[test]
fn whatever_a_run_leaves_is_known_as_ours_without_the_folder() {
    let [.., gone] = specs();
    let cold = neighbourhood();
    for (ground, world) in
        [(&*OWNED, &cold)].into_iter().chain(specs().iter().map(|ground| (ground, &OWNED.built)))
    {
        for left in left_behind(ground, world, &choices(&[], false)) {
            is_taken_down(&gone, left, false, &format!("{ground:?}"));
        }
    }
}

#[test]
fn an_object_that_is_served_in_another_way_is_put_again() {
    for name in ["index.html", FILE, "maintenance.html"] {
        let served = |world: &World| {
            let (_, headers) = found(world, name).unwrap();
            headers.sent
        };
        // By hand; and by a rule of ours that has changed since.
        let mut by_hand = OWNED.built.clone();
        let modified = latest(&mut by_hand) + 1;
        let headers = bucket(&mut by_hand).headers.get_mut(&key(name)).unwrap();
        (headers.sent.cache_control, headers.modified) = ("private".into(), modified);
        let mut ruled = changed(|files| {
            for content in files.values_mut() {
                content.headers.content_type = "text/x".into();
            }
        });
        ruled.desired.page.content.headers.content_type = "text/x".into();
        for (ground, world) in [(&*OWNED, &by_hand), (&ruled, &OWNED.built)] {
            let plan = plan(ground, world, Intent::Provision, &Choices::default());
            let fields = plan
                .steps
                .iter()
                .map(|step| step.op.change())
                .find(|change| change.address.name == name);
            let fields = fields.map(|change| change.fields).unwrap_or_default();
            assert!(matches!(&fields[..], [one] if one.before.is_some()), "{name}: {fields:?}");
            for left in left_behind(ground, world, &Choices::default()) {
                let memory = Memory::new(left, 0, Cut::Never);
                let rest = memory.settle(ground, Intent::Provision, &Choices::default());
                assert!(rest.is_empty() && rest.can_apply(), "{name}: {rest:#?}");
                assert_ne!(served(&memory.world()), served(world), "{name}");
            }
        }
    }
}

/// A bucket that we take over may hold something under the on key; the first apply would put the
/// site into maintenance.
#[test]
fn the_first_apply_shows_nobody_what_somebody_else_put_under_the_on_key() {
    let planted =
        everything_planted().find(|planted| planted.key == "maintenance-on.html").unwrap();
    let reached = planted.in_world(OWNED.built.clone());
    let mut first = reached.clone();
    occupy(&mut first, &OWNED, None);
    for (world, adopt, can_apply) in
        [(&reached, None, true), (&first, None, false), (&first, Some(Kind::Page), true)]
    {
        let choices = choices(adopt.as_slice(), false);
        assert_eq!(
            plan(&OWNED, world, Intent::Provision, &choices).can_apply(),
            can_apply,
            "{adopt:?}"
        );
    }
}

/// The stack in a bucket that has kept what was there before: under `text`, with the mark of
/// `stack`, and now replaced, deleted, or as it was.
fn kept(text: &str, stack: Option<&str>, now: Kept) -> World {
    let mut world = OWNED.built.clone();
    let modified = latest(&mut world);
    let found = bucket(&mut world);
    found.live.settings.versioning = Versioning::Enabled;
    let marked = stack.map(|stack| mark(&stack.parse().unwrap(), &key(text)).collect());
    let (metadata, version) = (marked.unwrap_or_default(), "version-0".into());
    let headers = Headers { modified, metadata, version, ..Headers::default() };
    let object = Some(Object { etag: "before".into(), size: 6 });
    let mut older = vec![Older { object, headers }];
    if now == Kept::Deleted {
        found.objects.remove(&key(text));
        found.headers.remove(&key(text));
    }
    if !found.objects.contains_key(&key(text)) {
        let headers = Headers { version: "version-1".into(), ..Headers::default() };
        older.push(Older { object: None, headers });
    }
    found.older.insert(key(text), older);
    world
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Replaced,
    Deleted,
}

/// Whose the object is that is there now says nothing of what was there before it.
#[test]
fn no_older_version_without_our_mark_goes_without_a_word() {
    let keys = [FILE, "maintenance.html", "maintenance-on.html", index::KEY, "report.pdf"];
    for (text, now) in
        keys.into_iter().flat_map(|text| [Kept::Replaced, Kept::Deleted].map(|now| (text, now)))
    {
        for stack in [None, Some("shop-2"), Some("shop")] {
            let what = format!("{text} {now:?} {stack:?}");
            let world = kept(text, stack, now);
            let ours = stack == Some("shop");
            let planned = plan(&OWNED, &world, Intent::Destroy, &choices(&[], false));
            assert_eq!(planned.can_apply(), ours, "{what}: {:?}", planned.conflicts);
            let named = |conflict: &Conflict| conflict.reason.ends_with(text);
            assert!(ours || planned.conflicts.iter().any(named), "{what}: {planned:?}");
            is_taken_down(&OWNED, world.clone(), !ours, &what);
            // An apply in between puts ours there again, and takes nothing away.
            let applied = Memory::new(world, 0, Cut::Never);
            let rest = applied.settle(&OWNED, Intent::Provision, &Choices::default());
            assert!(rest.is_empty() && rest.can_apply(), "{what}: {rest:#?}");
            let left = applied.into_world();
            let older = &left.buckets[&BUCKET.parse().unwrap()].older[&key(text)];
            assert_eq!(older[0].headers.version, "version-0", "{what}");
            is_taken_down(&OWNED, left, !ours, &what);
        }
    }
}

/// Where S3 keeps versions, whatever runs have left goes to the last one.
#[test]
fn a_bucket_that_keeps_versions_is_emptied_to_the_last() {
    for versioning in [Versioning::Enabled, Versioning::Suspended] {
        let mut world = OWNED.built.clone();
        bucket(&mut world).live.settings.versioning = versioning;
        for ground in specs() {
            for left in left_behind(&ground, &world, &choices(&[], false)) {
                is_taken_down(&ground, left, false, &format!("{versioning:?}"));
            }
        }
    }
}
