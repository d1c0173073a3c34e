//! The sandbox's world: read, it can be lived in; refused, it is left as it is.

use crate::damage::{Bytes, json_text};
use crate::shop::{Shop, WORLDS};
use crate::trial::hold;
use provision::apply::references;
use provision::cloud::sandbox::Sandbox;
use provision::cloud::world::{Delays, World};
use provision::commands::maintenance::status::facts;
use provision::context::Context;
use provision::desired::{self, Desired};
use provision::plan::{self, Choices, Plan};
use provision::resource::page::turn::{self, Wanted};
use provision::resource::page::{Metadata, Sides};
use provision::spec::Spec;
use provision::spec::load::{Files, load};
use provision::stack::{Live, Names, Scope, Stack};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

const TOKENS: [&[u8]; 10] = [
    b"\"format\": 2",
    b"\"format\": 1,",
    b"\"policy\": ",
    b"\"Statement\": {},",
    b"<Items>",
    b"</Quantity>",
    b"<![CDATA[",
    b"&lt;",
    b"provision:stack=shop",
    b"arn:aws:cloudfront::123456789012:distribution/",
];
/// In 2026.
const NOW: u64 = 1_790_000_000;

#[test]
fn a_damaged_world_is_refused_or_can_be_lived_in() {
    let shop = Shop::open();
    let spec = load(&shop.path("provision.yaml"), &|_| None, Files::Needed).unwrap().spec;
    let sandbox = Sandbox::new(shop.path(".provision/sandbox"), Delays { deploy: 0, replicas: 0 });
    fs::create_dir_all(shop.path(".provision/sandbox")).unwrap();
    hold(600, &json_text(WORLDS.clone(), &TOKENS), |Bytes(record)| {
        fs::write(shop.world(), &record).unwrap();
        let before = everything(&shop);
        match sandbox.load() {
            Ok(world) => {
                assert!(
                    World::from_json(&serde_json::to_vec(&world).unwrap()).is_ok(),
                    "written again, it could not be read"
                );
                live_in(world, &spec);
            }
            Err(fault) => {
                let told = fault.to_string();
                assert!(
                    told.contains(&shop.path(".provision/sandbox").display().to_string())
                        && told.contains("world.json"),
                    "{told}"
                );
                assert!(told.len() < 2_000, "{told}");
                assert!(fault.hint.is_some_and(|hint| !hint.is_empty()), "{told}");
                assert!(sandbox.change(|_, _| Ok(())).is_err(), "refused, and changed");
                let after = everything(&shop);
                assert!(
                    before.is_subset(&after) && after.len() <= before.len() + 1,
                    "only the lock may come to be: {after:?}"
                );
            }
        }
    });
}

/// Every file of the world with its bytes.
fn everything(shop: &Shop) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries =
        fs::read_dir(shop.path(".provision/sandbox")).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Looks at everything, and carries out every plan: what AWS would refuse is refused, and nothing
/// breaks.
fn live_in(mut world: World, spec: &Spec) {
    let names = Names::of(spec);
    for remains in world.discover().remains {
        let _ = (remains.ttl(), remains.since());
        remains.names().unwrap();
    }
    let stack = names.in_account(world.account.clone()).unwrap();
    let site = desired::site(spec).unwrap();
    let desired = Desired::of(spec, &stack, site.clone()).unwrap();
    let choices = Choices { delete_data: true, ..Choices::default() };
    let look = |world: &World, scope| world.observe(&names, &site, scope, NOW).1;

    let live = look(&world, Scope::Stack);
    carry_out(&mut world, &stack, &live, &plan::provision(&stack, &desired, &live, &choices));
    let standard = desired::page(spec).unwrap();
    let on = turn::On {
        window: Metadata::new(),
        without: Vec::new(),
        once: None,
        standard: Ok(standard.clone()),
        mark: "0123456789abcdef".repeat(2),
    };
    for wanted in [Wanted::On(on), Wanted::Off { standard: Ok(standard) }] {
        let look = |key| world.look_at_page(&stack, key, |_| Ok(b"page".to_vec()), NOW);
        let (Ok(off), Ok(on)) = (look(&names.keys.off), look(&names.keys.on)) else { continue };
        let sides = Sides { off: off.side, on: on.side, seen: on.seen, applied: None };
        assert_eq!(facts(&sides, &stack).on, sides.on.is_some());
        let turn = plan::turn(&stack, &wanted, &sides);
        carry_out(&mut world, &stack, &Live::default(), &turn);
    }
    let live = look(&world, Scope::Teardown);
    carry_out(&mut world, &stack, &live, &plan::destroy(&stack, &live, &choices));
}

fn carry_out(world: &mut World, stack: &Stack, live: &Live, plan: &Plan) {
    assert!(serde_json::to_vec(plan).is_ok(), "it could not be saved");
    let context =
        Context::new(references(live), &|_, _| (), watch::channel(false).1, Duration::ZERO);
    for step in &plan.steps {
        let known = context.references(|known| known.clone());
        let _ = (step.op.change(), world.deployed(&step.op, &known, NOW));
        if let Err(fault) = world.apply(stack, &step.op, &context, NOW) {
            assert!(!fault.message.is_empty(), "{fault:?}");
        }
    }
}
