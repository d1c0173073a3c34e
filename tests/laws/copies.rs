//! What the edges hold: after every apply, whole or cut short and run again, no edge goes on
//! serving bytes that the bucket no longer has.
//!
//! The edges of the worst case ask for everything at every moment, and keep it until a path is
//! dropped.

use crate::ground::Ground;
use crate::memory::{Cut, Memory};
use crate::moves::{pairs, words};
use provision::change::Action;
use provision::cloud::world::{Bucket, Distribution, World};
use provision::edge::ObjectHeaders;
use provision::name::BucketName;
use provision::plan::Intent;
use provision::resource::content::Content;
use provision::resource::{distribution, grant, site};
use provision::stack::Op;
use std::collections::{BTreeMap, BTreeSet};

/// Path → the `ETag`s that some edge may hold.
type Copies = BTreeMap<String, BTreeSet<String>>;

/// What the edges of our own distribution hold, and from which buckets they may still read.
#[derive(Default)]
struct Edges {
    copies: Copies,
    origins: BTreeSet<BucketName>,
}

fn own<'a>(world: &'a World, ground: &Ground) -> Option<&'a Distribution> {
    let is_own = |found: &&Distribution| {
        distribution::owner::is_ours(&found.live, &ground.stack.names.stack)
    };
    world.distributions.values().find(is_own)
}

fn origins(world: &World, ground: &Ground) -> BTreeSet<BucketName> {
    let reads = |found: &Distribution| {
        let document = found.live.document.read();
        let of = |(host, path)| distribution::document::bucket_read(host, path);
        let origins = document.origins.values().map(|origin| (&*origin.domain, &*origin.path));
        let read: BTreeSet<BucketName> = origins.filter_map(of).collect();
        let may = |bucket: &Bucket| {
            grant::distribution(bucket.policy.as_ref()).as_ref() == Some(&found.live.id)
        };
        let all = world.buckets.iter().filter(|(name, bucket)| read.contains(name) && may(bucket));
        all.map(|(name, _)| name.clone()).collect()
    };
    own(world, ground).map(reads).unwrap_or_default()
}

fn served(world: &World, bucket: &BucketName) -> Copies {
    let objects = world.buckets.get(bucket).into_iter().flat_map(|found| &found.objects);
    let of_the_site = objects.filter(|(key, _)| key.as_str().ends_with("js"));
    of_the_site.map(|(key, object)| (format!("/{key}"), [object.etag.clone()].into())).collect()
}

impl Edges {
    fn ask(&mut self, world: &World, ground: &Ground) {
        self.origins.extend(origins(world, ground));
        for bucket in &self.origins {
            for (path, etags) in served(world, bucket) {
                self.copies.entry(path).or_default().extend(etags);
            }
        }
    }

    fn see(&mut self, op: &Op, world: &World, ground: &Ground) {
        if let Op::Invalidation(op) = op {
            let all = op.paths == ["/*"];
            self.copies.retain(|path, _| !all && !op.paths.contains(path));
        }
        if op.change().action == Action::Await {
            self.origins.clear();
        }
        self.ask(world, ground);
    }

    /// What an edge holds that the bucket has no more; also of what went, where somebody asked for
    /// that.
    fn stale(&self, world: &World, ground: &Ground, visited: bool) -> Vec<String> {
        let now: Vec<Copies> =
            origins(world, ground).iter().map(|bucket| served(world, bucket)).collect();
        let is_stale = |(path, held): &(&String, &BTreeSet<String>)| {
            let now = now.iter().find_map(|served| served.get(*path));
            now.map_or(visited, |now| !held.is_subset(now))
        };
        self.copies.iter().filter(is_stale).map(|(path, held)| format!("{path} {held:?}")).collect()
    }
}

/// The site of the next build: two files with other bytes, one of them under a name that promises
/// never to change, and one that goes.
fn site(build: &str) -> site::Settings {
    let file = |key: &str, cache: &str| {
        let content = Content::in_memory(
            format!("{key} {build}").as_bytes(),
            ObjectHeaders::new("text/javascript", cache),
        );
        (key.parse().unwrap(), content)
    };
    let mut files = vec![
        file("app.js", "public, max-age=3600"),
        file("main.3f2a9c1b.js", "public, max-age=31536000, immutable"),
        file("plain.js", ""),
    ];
    files.extend((build == "1").then(|| file("gone.js", "public, max-age=3600")));
    site::Settings { named: true, files: files.into_iter().collect() }
}

fn with_site(ground: &Ground, build: &str) -> Ground {
    let mut desired = ground.desired.clone();
    desired.site = site(build);
    Ground {
        name: ground.name,
        stack: ground.stack.clone(),
        desired,
        built: ground.built.clone(),
        replaces: ground.replaces,
    }
}

#[test]
fn no_edge_goes_on_serving_what_the_bucket_no_longer_has() {
    let whole = crate::moves::is_whole();
    let (mut runs, mut dropped) = (0, 0);
    let same = crate::moves::all().iter().map(|ground| (0, ground, ground));
    let sample = |(number, ..): &(usize, &Ground, &Ground)| whole || number % 3 == 0;
    for (number, from, to) in pairs().chain(same).filter(sample) {
        let (from, to) = (with_site(from, "1"), with_site(to, "2"));
        let first = Memory::new(from.built.clone(), 1, Cut::Never);
        let _ = first.settle(&from, Intent::Provision, &words(false));
        let built = first.into_world();
        // Nobody asks a new distribution for what the site no longer points at.
        let visited = own(&built, &from).is_some();
        let steps = {
            let memory = Memory::new(built.clone(), 2, Cut::Never);
            memory.plan(&to, Intent::Provision, &words(false)).1.steps.len()
        };
        let sample = |at: &usize| whole || at % 8 == number % 8 || *at == steps;
        let cut = if number % 2 == 0 { Cut::Killed } else { Cut::Refused };
        for cut in (0..=steps).filter(sample).map(cut) {
            let mut edges = Edges::default();
            edges.ask(&built, &from);
            let memory = Memory::new(built.clone(), 2, cut).traced();
            let (live, plan) = memory.plan(&to, Intent::Provision, &words(false));
            let _ = memory.carry_out(&to, &live, &plan);
            let first = memory.trail().len();
            memory.later();
            let _ = memory.settle(&to, Intent::Provision, &words(false));
            for (number, (op, world)) in memory.trail().into_iter().enumerate() {
                dropped += usize::from(matches!(op, Op::Invalidation(_)));
                if number == first {
                    edges.origins.clear(); // What the first run changed is deployed by now.
                }
                edges.see(&op, &world, &to);
            }
            let stale = edges.stale(&memory.world(), &to, visited);
            assert!(stale.is_empty(), "{from:?} -> {to:?}, {cut:?} of {steps}: {stale:?}");
            runs += 1;
        }
    }
    println!("{runs} runs, {dropped} invalidations");
}

/// What a user may change in our distribution: elements, whether edges then keep answers that it
/// would not give, what stands there, and what the user writes.
const TURNS: &[(&str, bool, &str, &str)] = &[
    ("origin", true, "<DomainName>", "<DomainName>old."),
    ("origin path", true, "<OriginPath>", "<OriginPath>/old"),
    ("target origin", true, "<TargetOriginId>provision-", "<TargetOriginId>other-"),
    ("default root object", true, "<DefaultRootObject>", "<DefaultRootObject>old-"),
    ("cache policy", true, "<CachePolicyId>658327ea", "<CachePolicyId>00000000"),
    (
        "error page 404",
        true,
        "<CustomErrorResponses><Quantity>0</Quantity></CustomErrorResponses>",
        "<CustomErrorResponses><Quantity>1</Quantity><Items><CustomErrorResponse>\
         <ErrorCode>404</ErrorCode><ResponsePagePath>/index.html</ResponsePagePath>\
         <ResponseCode>200</ResponseCode><ErrorCachingMinTTL>86400</ErrorCachingMinTTL>\
         </CustomErrorResponse></Items></CustomErrorResponses>",
    ),
    ("comment", false, "<Comment>", "<Comment>old "),
    ("price class", false, "PriceClass_100", "PriceClass_All"),
    ("compress", false, "<Compress>true", "<Compress>false"),
    ("viewer protocol policy", false, "redirect-to-https", "allow-all"),
    ("HTTP version", false, "http2and3", "http1.1"),
];

/// Edges ask until the change is deployed everywhere, and keep what they got: only an invalidation
/// after that, by this run or by a later one, drops it.
#[test]
fn no_edge_goes_on_with_what_the_distribution_does_not_answer_any_more() {
    let ground = with_site(&crate::ground::OWNED, "1");
    let first = Memory::new(ground.built.clone(), 1, Cut::Never);
    let _ = first.settle(&ground, Intent::Provision, &words(false));
    let built = first.into_world();
    for (what, outdates, is, was) in TURNS {
        let mut world = built.clone();
        let id = own(&world, &ground).unwrap().live.id.clone();
        let document = &mut world.distributions.get_mut(&id).unwrap().live.document.0;
        assert!(document.contains(is), "{what}: {document}");
        *document = document.replacen(is, was, 1);
        let memory = Memory::new(world.clone(), 2, Cut::Never);
        let (_, plan) = memory.plan(&ground, Intent::Provision, &words(false));
        let steps = plan.steps.len();
        let drops = plan.steps.iter().any(|step| matches!(step.op, Op::Invalidation(_)));
        assert_eq!(drops, *outdates, "{what}");
        let update = plan.steps.iter().map(|step| step.op.change());
        let mut fields = update.flat_map(|change| change.fields);
        assert!(fields.any(|field| field.field == *what), "{what}: {plan:#?}");
        for cut in (0..=steps).flat_map(|at| [Cut::Killed(at), Cut::Refused(at)]) {
            let memory = Memory::new(world.clone(), 2, cut).traced();
            let (live, plan) = memory.plan(&ground, Intent::Provision, &words(false));
            let _ = memory.carry_out(&ground, &live, &plan);
            let first = memory.trail().len();
            memory.later();
            let _ = memory.settle(&ground, Intent::Provision, &words(false));
            let (mut asks, mut holds) = (true, *outdates);
            for (number, (op, world)) in memory.trail().into_iter().enumerate() {
                let document = &own(&world, &ground).unwrap().live.document.0;
                let is_repaired = document.contains(is) && !document.contains(was);
                // It is deployed by now, whether this run has waited for that or not.
                asks &= !(is_repaired && (number >= first || op.change().action == Action::Await));
                let everything =
                    matches!(&op, Op::Invalidation(dropped) if dropped.paths == ["/*"]);
                holds = *outdates && (asks || holds && !everything);
            }
            assert!(!holds, "{what}, {cut:?} of {steps}");
        }
    }
}
