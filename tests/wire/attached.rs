//! A distribution of another owner: one slot is ours, every other byte is theirs.

use super::cloudfront::{
    association, associations, between, edit, foreign_distribution, foreign_function, read,
};
use super::shop::{FUNCTION, OWNED, Ran, Shop, writes};
use crate::support::{At, Moment, Rules};
use std::process::Stdio;

const DEFAULT: &str = "<DefaultCacheBehavior>";
const APP: &str = "<PathPattern>/app/*</PathPattern>";

fn spec(id: &str, behaviors: &str) -> String {
    let (common, _) = OWNED.split_once("distribution:").unwrap();
    format!("{common}distribution: {{ id: {id}, behaviors: [{behaviors}] }}\n")
}

/// A user's distribution and function, and a stack that is to be attached to the one.
async fn theirs(behaviors: &str) -> (Shop, String, String) {
    let shop = Shop::new(OWNED, Rules::aws()).await;
    shop.ground.rules(|rules| *rules = Rules::prompt());
    let arn = foreign_function(&shop).await;
    let id = foreign_distribution(&shop, &arn, "example.org");
    shop.write("provision.yaml", &spec(&id, behaviors));
    shop.ground.rules(|rules| *rules = Rules::aws());
    (shop, id, arn)
}

fn our_arn(number: u64) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}:{number}")
}

/// The document without its first line, which everybody writes as he likes, and without the
/// associations of the given behaviors.
fn others(document: &str, ours: &[&str]) -> String {
    let (_, rest) = document.split_once("<DistributionConfig").unwrap();
    let (_, content) = rest.split_once('>').unwrap();
    ours.iter().fold(content.trim_end().to_owned(), |text, mark| {
        let (before, behavior) = text.split_at(text.find(mark).unwrap());
        let list = format!("<LambdaFunctionAssociations>{}</", associations(behavior, mark));
        format!("{before}{}", behavior.replacen(&list, "", 1))
    })
}

#[tokio::test]
async fn only_our_slots_change_and_destroy_puts_them_back() {
    let (shop, id, theirs) = theirs("default, \"/app/*\"").await;
    let original = read(&shop, &id).body;
    shop.ground.clear_calls();
    shop.run("apply --yes")
        .exits(0)
        .says("`/api/*`")
        .says("visitors of these behaviors never see the maintenance page");
    let calls = shop.ground.calls();
    let sent =
        calls.iter().rfind(|call| call.operation == "cloudfront:UpdateDistribution").unwrap();
    let sent = std::str::from_utf8(&sent.body).unwrap();
    assert!(
        sent.contains("<FutureThing><Depth>7</Depth></FutureThing>")
            && sent.contains("<FutureSwitch>on</FutureSwitch>")
    );
    assert_eq!(others(sent, &[DEFAULT, APP]), others(&original, &[DEFAULT, APP]));
    let ours = association(&our_arn(1), "viewer-request");
    let both = format!(
        "<Quantity>2</Quantity><Items>{}{ours}</Items>",
        association(&theirs, "origin-request")
    );
    assert_eq!(associations(sent, DEFAULT), both);
    assert_eq!(associations(sent, APP), format!("<Quantity>1</Quantity><Items>{ours}</Items>"));
    let after = read(&shop, &id).body;
    assert_eq!(others(&after, &[DEFAULT, APP]), others(&original, &[DEFAULT, APP]));

    assert_eq!(writes(&shop.calls_of("apply --yes", 0)), Vec::<&str>::new());
    let mut before = shop.everything().await;
    before.retain(|name| name.ends_with("theirs") || name.ends_with(&id));
    shop.run("destroy --yes").exits(3).says("replicas");
    assert_eq!(read(&shop, &id).body, original);
    shop.run("destroy --yes").exits(0);
    assert_eq!(read(&shop, &id).body, original);
    assert_eq!(shop.everything().await, before);
}

/// Whoever writes between our look and our write: CloudFront itself, a user beside our slot, a user
/// in it. The write goes on with what is there, unless what it rests on has moved.
#[tokio::test]
async fn an_etag_that_moves_stops_a_write_only_with_what_the_write_rests_on() {
    let behavior = "<PathPattern>/app/*</PathPattern>";
    for (what, change, stops) in [
        ("nothing but the ETag", (behavior, behavior.to_owned()), false),
        ("another element", ("<FutureSwitch>on<", "<FutureSwitch>off<".to_owned()), false),
        ("the slot", ("<EventType>origin-request<", "<EventType>viewer-request<".to_owned()), true),
    ] {
        let (shop, id, _) = theirs("default").await;
        shop.ground.rules(|rules| *rules = Rules::prompt());
        let held =
            shop.ground.hold(At::Operation("cloudfront:UpdateDistribution", 1), Moment::Before);
        let mut command = shop.command("apply --yes");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(held.wait_reached_unless(|| child.try_wait().unwrap().is_some()), "{what}");
        edit(&shop, &id, change.0, &change.1);
        let between = read(&shop, &id).body;
        shop.ground.clear_calls();
        held.release();
        let ran = Ran::new("apply --yes", &child.wait_with_output().unwrap());
        let (now, sent) =
            (read(&shop, &id).body, shop.ground.count("cloudfront:UpdateDistribution"));
        if stops {
            drop(ran.exits(1).says("another user changed it in the meantime"));
            assert_eq!((now, sent), (between, 0), "{what}");
        } else {
            drop(ran.exits(0));
            assert_eq!(others(&now, &[DEFAULT]), others(&between, &[DEFAULT]), "{what}");
            assert!(associations(&now, DEFAULT).contains(&our_arn(1)), "{what}");
            assert_eq!(sent, 1, "{what}");
        }
    }
}

/// Where it moves each time, the run gives way, and accuses nobody.
#[tokio::test]
async fn an_etag_that_moves_all_the_time_is_told_as_that() {
    let (shop, id, _) = theirs("default").await;
    shop.ground.rules(|rules| *rules = Rules::prompt());
    let hold =
        |nth| shop.ground.hold(At::Operation("cloudfront:UpdateDistribution", nth), Moment::Before);
    let first = hold(1);
    let mut command = shop.command("apply --yes");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(first.wait_reached_unless(|| child.try_wait().unwrap().is_some()));
    edit(&shop, &id, "<FutureSwitch>on<", "<FutureSwitch>off<");
    // The first two were ours and the other user's.
    let second = hold(3);
    first.release();
    assert!(second.wait_reached_unless(|| child.try_wait().unwrap().is_some()));
    edit(&shop, &id, "<FutureSwitch>off<", "<FutureSwitch>on<");
    second.release();
    let ran = Ran::new("apply --yes", &child.wait_with_output().unwrap());
    drop(ran.exits(1).says("its ETag moves all the time").says("it plans anew"));
    assert!(!read(&shop, &id).body.contains(&our_arn(1)));
}

#[tokio::test]
async fn a_slot_that_is_taken_stays_taken() {
    let (shop, id, theirs) = theirs("default").await;
    shop.ground.rules(|rules| *rules = Rules::prompt());
    edit(
        &shop,
        &id,
        "<EventType>origin-request</EventType>",
        "<EventType>viewer-request</EventType>",
    );
    shop.ground.clear_calls();
    shop.run("plan")
        .exits(4)
        .says(&format!("the default behavior already runs {theirs} at viewer-request"))
        .says("distribution.replace: true");
    shop.run("apply --yes").exits(4);
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());

    shop.write(
        "provision.yaml",
        &spec(&id, "default").replace("behaviors:", "replace: true, behaviors:"),
    );
    shop.run("apply --yes").exits(0);
    let occupant = |shop: &Shop| {
        between(associations(&read(shop, &id).body, DEFAULT), "<LambdaFunctionARN>", "</")
            .to_owned()
    };
    assert_eq!(occupant(&shop), our_arn(1));

    // A user takes it back: it is theirs, until we may replace it again; and destroy leaves it to
    // them.
    edit(&shop, &id, &our_arn(1), &theirs);
    shop.write("provision.yaml", &spec(&id, "default"));
    shop.run("apply --yes").exits(4).says("already runs");
    shop.run("destroy --yes").exits(0);
    assert_eq!(occupant(&shop), theirs);
}

#[tokio::test]
async fn drift_of_a_slot_is_repaired_and_a_slot_no_longer_named_stays_until_it_is_told() {
    let (shop, id, _) = theirs("\"/app/*\"").await;
    shop.ground.rules(|rules| *rules = Rules::prompt());
    shop.run("apply --yes").exits(0);
    let filled = format!(
        "<Quantity>1</Quantity><Items>{}</Items>",
        association(&our_arn(1), "viewer-request")
    );
    edit(&shop, &id, &filled, "<Quantity>0</Quantity>");
    shop.run("plan --detailed-exitcode")
        .exits(2)
        .says("/app/* viewer-request  (none) -> shop-edge");
    shop.run("apply --yes").exits(0);
    assert_eq!(associations(&read(&shop, &id).body, APP), filled);
    assert_eq!(writes(&shop.calls_of("apply --yes", 0)), Vec::<&str>::new());

    shop.write("provision.yaml", &spec(&id, "\"/api/*\""));
    shop.run("apply --yes")
        .exits(0)
        .says("behavior `/app/*` runs shop-edge")
        .says("--delete association");
    assert_eq!(associations(&read(&shop, &id).body, APP), filled);
    shop.run("apply --yes --delete association").exits(0);
    let now = read(&shop, &id).body;
    assert_eq!(associations(&now, APP), "<Quantity>0</Quantity>");
    assert_eq!(associations(&now, "<PathPattern>/api/*</PathPattern>"), filled);
}

#[tokio::test]
async fn what_cannot_be_attached_to_is_a_conflict() {
    let (shop, id, _) = theirs("\"/none/*\"").await;
    shop.run("plan")
        .exits(4)
        .says("has no behavior `/none/*`")
        .says("its behaviors are `default`, `/api/*`, `/app/*`");
    shop.write("provision.yaml", &spec("E2ABSENT00000", "default"));
    shop.run("plan").exits(4).says("the distribution does not exist in this account");
    shop.ground.rules(|rules| *rules = Rules::prompt());
    let function = "<FunctionAssociations><Quantity>1</Quantity><Items><FunctionAssociation><FunctionARN>\
        arn:aws:cloudfront::000000000000:function/theirs</FunctionARN><EventType>viewer-response</EventType></FunctionAssociation></Items>\
        </FunctionAssociations>";
    edit(
        &shop,
        &id,
        "<FunctionAssociations><Quantity>0</Quantity></FunctionAssociations>",
        function,
    );
    shop.write("provision.yaml", &spec(&id, "default"));
    shop.run("plan").exits(4).says("runs CloudFront Function").says("at viewer-response");
}

#[tokio::test]
async fn a_destroy_gives_up_what_an_earlier_spec_has_filled() {
    let (shop, id, _) = theirs("\"/api/*\"").await;
    let original = read(&shop, &id).body;
    let before = shop.everything().await;
    shop.run("apply --yes").exits(0);
    shop.write("provision.yaml", OWNED);
    shop.run("apply --yes").exits(0);
    shop.run("destroy --yes --wait 1h")
        .exits(0)
        .says(&format!("association {id}: empty our slots"));
    assert_eq!(shop.everything().await, before);
    assert_eq!(
        others(&read(&shop, &id).body, &["<PathPattern>/api/*</PathPattern>"]),
        others(&original, &["<PathPattern>/api/*</PathPattern>"])
    );
}
