//! The edge's log groups: kept for as long as the spec says, and taken down where they are ours.

use super::cloudfront::function_called;
use super::shop::{FUNCTION, OWNED, ROLE, Shop, count, writes};
use crate::support::{At, Fault, Rules};
use provision::change::Kind;
use provision::cloud::Cloud;
use provision::name::Region;
use std::collections::BTreeMap;

const GROUP: &str = "/aws/lambda/us-east-1.shop-edge";
const NEIGHBOUR: &str = "/aws/lambda/us-east-1.shop-edge-prod";

fn keeping(retention: &str) -> String {
    OWNED.replace("keep_versions: 3", &format!("keep_versions: 3, log_retention: {retention}"))
}

/// What the edge does when it first runs a function in a region.
async fn writes_in(shop: &Shop, region: &str, group: &str) {
    let logs = shop.aws.clients.logs_in(&region.parse().unwrap());
    logs.create_log_group().log_group_name(group).send().await.unwrap();
}

/// Every group, with its retention.
async fn groups(shop: &Shop) -> BTreeMap<String, Option<i32>> {
    let mut all = BTreeMap::new();
    for region in Region::of_edge_logs() {
        let found = shop.aws.clients.logs_in(&region).describe_log_groups().send().await.unwrap();
        all.extend(found.log_groups().iter().map(|one| {
            (format!("{region} {}", one.log_group_name().unwrap()), one.retention_in_days)
        }));
    }
    all
}

async fn tags(shop: &Shop, region: &str) -> BTreeMap<String, String> {
    let arn = format!("arn:aws:logs:{region}:000000000000:log-group:{GROUP}");
    let answer = shop
        .aws
        .clients
        .logs_in(&region.parse().unwrap())
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await;
    answer.unwrap().tags.unwrap().into_iter().collect()
}

fn everywhere(retention: i32) -> BTreeMap<String, Option<i32>> {
    Region::of_edge_logs()
        .iter()
        .map(|region| (format!("{region} {GROUP}"), Some(retention)))
        .collect()
}

fn asked(shop: &Shop) -> usize {
    shop.ground.calls().iter().filter(|call| call.operation.starts_with("logs:")).count()
}

#[tokio::test]
async fn without_a_retention_nobody_looks() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.run("plan").exits(0);
    shop.run("status").exits(0);
    assert_eq!(asked(&shop), 0);
}

#[tokio::test]
async fn events_are_kept_for_as_long_as_the_spec_says() {
    let shop = Shop::applied(OWNED, Rules::aws()).await;
    // The edge may have been faster.
    writes_in(&shop, "sa-east-1", GROUP).await;
    writes_in(&shop, "sa-east-1", NEIGHBOUR).await;
    shop.write("provision.yaml", &keeping("30d"));
    shop.run("apply --yes").exits(0);
    let mut all = everywhere(30);
    all.insert(format!("sa-east-1 {NEIGHBOUR}"), None);
    assert_eq!(groups(&shop).await, all);
    let ours = [("provision:stack", "shop"), ("provision:tags", "team"), ("team", "web")];
    let ours = BTreeMap::from(ours.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(tags(&shop, "eu-west-1").await, ours);
    let again = shop.calls_of("apply --yes", 0);
    assert_eq!((writes(&again), count(&again, "logs:DescribeLogGroups")), (Vec::new(), 13));

    let logs = shop.aws.clients.logs_in(&"us-west-2".parse().unwrap());
    logs.put_retention_policy().log_group_name(GROUP).retention_in_days(1).send().await.unwrap();
    let logs = shop.aws.clients.logs_in(&"eu-west-2".parse().unwrap());
    logs.delete_log_group().log_group_name(GROUP).send().await.unwrap();
    shop.run("plan --detailed-exitcode")
        .exits(2)
        .says("retention  1 day -> 30 days")
        .says("logs         eu-west-2  create log group")
        .says("Plan: 1 to create, 1 to change");
    shop.run("apply --yes").exits(0);
    assert_eq!(groups(&shop).await, all);
    shop.write("provision.yaml", &keeping("7d"));
    shop.run("apply --yes").exits(0).says("Done: 13 changed");
    shop.run("plan --detailed-exitcode").exits(0);
    all.extend(everywhere(7));
    assert_eq!(groups(&shop).await, all);
}

/// A name is free to everybody until we have it: what was there before is somebody's.
#[tokio::test]
async fn a_group_that_was_there_before_us_keeps_its_events() {
    let shop = Shop::new(&keeping("1d"), Rules::prompt()).await;
    let before = |tags| async {
        let logs = shop.aws.clients.logs_in(&"us-east-1".parse().unwrap());
        let made = logs.create_log_group().log_group_name(GROUP).set_tags(tags);
        made.send().await.unwrap();
        let kept = logs.put_retention_policy().log_group_name(GROUP).retention_in_days(3653);
        kept.send().await.unwrap();
    };
    before(Some([("owner".to_owned(), "audit".to_owned())].into())).await;
    let theirs = format!("us-east-1 {GROUP}");
    let told = format!("logs us-east-1: log group {GROUP} stays");
    shop.ground.proxy.world(|world| world.age_log_group("us-east-1", GROUP));
    for _ in 0..2 {
        shop.run("apply --yes").exits(0).says(&told);
        assert_eq!(groups(&shop).await[&theirs], Some(3653));
    }
    // Without a retention in the spec, only a destroy looks.
    shop.write("provision.yaml", OWNED);
    shop.run("destroy --yes").exits(0).says(&told);
    assert_eq!(shop.everything().await, [format!("logs {theirs}")]);
    assert_eq!(groups(&shop).await[&theirs], Some(3653));
}

#[tokio::test]
async fn a_destroy_takes_ours_everywhere_and_no_neighbours() {
    let shop = Shop::applied(OWNED, Rules { replica_tries: 1, ..Rules::prompt() }).await;
    for region in ["us-east-1", "eu-central-1", "ap-south-1"] {
        writes_in(&shop, region, GROUP).await;
        writes_in(&shop, region, NEIGHBOUR).await;
    }
    let neighbours = ["ap-south-1", "eu-central-1", "us-east-1"]
        .map(|region| format!("logs {region} {NEIGHBOUR}"));
    shop.run("destroy --yes").exits(3).says("logs eu-central-1: delete log group");
    assert_eq!(
        shop.everything().await,
        [&[format!("role {ROLE}"), format!("function {FUNCTION}")], &neighbours[..]].concat()
    );
    // The replicas have something to say once more.
    writes_in(&shop, "sa-east-1", GROUP).await;
    let calls = shop.calls_of("destroy --yes", 0);
    assert_eq!(count(&calls, "logs:DeleteLogGroup"), 1, "a neighbour's name is no reason to try");
    assert_eq!(shop.everything().await, neighbours);
    shop.run("destroy --yes").exits(0).says("nothing of this stack exists");
}

#[tokio::test]
async fn a_group_that_cannot_be_deleted_keeps_the_function() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    writes_in(&shop, "eu-west-1", GROUP).await;
    writes_in(&shop, "eu-west-2", GROUP).await;
    // One of the two.
    shop.ground.fault(At::Operation("logs:DeleteLogGroup", 1), Fault::Denied);
    shop.run("destroy --yes")
        .exits(1)
        .says("could not delete log group /aws/lambda/us-east-1.shop-edge in eu-west-")
        .says("missing: logs:DeleteLogGroup (statement `LogGroups`)")
        .says(&format!("not started  function {FUNCTION}"));
    assert_eq!(groups(&shop).await.len(), 1);
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_somebody_protects_stays_and_is_named() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let logs = shop.aws.clients.logs_in(&"eu-west-1".parse().unwrap());
    logs.create_log_group()
        .log_group_name(GROUP)
        .deletion_protection_enabled(true)
        .send()
        .await
        .unwrap();
    shop.run("destroy --yes").exits(0).says(
        "logs eu-west-1: log group /aws/lambda/us-east-1.shop-edge stays: its deletion \
            protection is on",
    );
    assert_eq!(shop.everything().await, [format!("logs eu-west-1 {GROUP}")]);
}

#[tokio::test]
async fn without_the_function_only_the_tag_proves_that_a_group_is_ours() {
    let shop =
        Shop::applied(&format!("{}protect: [logs]\n", keeping("30d")), Rules::prompt()).await;
    shop.run("destroy --yes").exits(0).says(&format!("logs {GROUP}: stays: it is protected"));
    assert_eq!(groups(&shop).await, everywhere(30));
    let theirs = shop.aws.clients.logs_in(&"eu-west-1".parse().unwrap());
    theirs.delete_log_group().log_group_name(GROUP).send().await.unwrap();
    theirs
        .create_log_group()
        .log_group_name(GROUP)
        .tags("provision:stack", "other")
        .send()
        .await
        .unwrap();
    shop.write("provision.yaml", OWNED);
    shop.run("destroy --yes")
        .exits(0)
        .says("the tag `provision:protect` of this stack protects it");
    assert_eq!(groups(&shop).await.len(), everywhere(30).len(), "the tag holds without the spec");
    for region in Region::of_edge_logs() {
        let arn = format!("arn:aws:logs:{region}:000000000000:log-group:{GROUP}");
        let untag = shop.aws.clients.logs_in(&region).untag_resource().resource_arn(arn);
        untag.tag_keys("provision:protect").send().await.unwrap();
    }
    shop.run("destroy --yes").exits(0).says(
        "eu-west-1: log group /aws/lambda/us-east-1.shop-edge stays: there is no function of ours",
    );
    assert_eq!(shop.everything().await, [format!("logs eu-west-1 {GROUP}")]);
    shop.ground.clear_calls();
    shop.run("destroy --yes").exits(0);
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn the_groups_of_somebody_elses_function_stay() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    function_called(&shop, FUNCTION).await;
    let logs = shop.aws.clients.logs_in(&"eu-west-1".parse().unwrap());
    logs.create_log_group()
        .log_group_name(GROUP)
        .tags("provision:stack", "shop")
        .send()
        .await
        .unwrap();
    let before = shop.everything().await;
    shop.run("destroy --yes").exits(0).says("is not ours and stays");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_region_that_refuses_is_named_and_passed_over() {
    let shop = Shop::new(
        &keeping("30d"),
        Rules { closed_regions: &["sa-east-1", "us-west-1"], ..Rules::prompt() },
    )
    .await;
    shop.run("apply --yes").exits(0).says(&format!(
        "note: logs sa-east-1, us-west-1: could not look for log group {GROUP}: \
            UnrecognizedClientException; nothing is set there; enable the region"
    ));
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(writes(&calls), Vec::<&str>::new());
    let named = format!(
        "note: logs sa-east-1, us-west-1: could not look for log group {GROUP}: \
            UnrecognizedClientException; if it exists there, it stays"
    );
    shop.run("destroy --yes").exits(0).says(&named);
    shop.ground.rules(|rules| rules.closed_regions = &[]);
    assert_eq!(shop.everything().await, Vec::<String>::new());

    // Whoever may not look at all hears it once.
    shop.ground.fault(At::Every("logs:DescribeLogGroups"), Fault::Denied);
    let ran = shop.run("destroy --yes").exits(0).says("AccessDeniedException");
    assert_eq!(ran.said.matches("could not look").count(), 1, "{}", ran.said);
}

#[tokio::test]
async fn a_sweep_finds_what_is_left_of_functions_that_are_gone() {
    let shop = Shop::applied(
        &format!("{}protect: [logs]\n", keeping("30d")),
        Rules { page_size: Some(1), ..Rules::prompt() },
    )
    .await;
    writes_in(&shop, "eu-west-1", "/aws/lambda/us-east-1.gone").await;
    writes_in(&shop, "us-east-1", "/aws/lambda/us-east-1.gone").await;
    writes_in(&shop, "us-east-1", "/aws/lambda/us-east-1-of-no-function").await;
    assert!(
        shop.aws.discover(&"000000000000".parse().unwrap()).await.unwrap().remains[0]
            .traces
            .iter()
            .all(|trace| trace.kind != Kind::Logs)
    );
    shop.run("destroy --yes").exits(0);
    shop.remove("provision.yaml");
    shop.run("sweep")
        .exits(0)
        .says("Stack `shop`")
        .says(&format!("logs         {GROUP} sa-east-1"))
        .says(
            "note: logs eu-west-1, us-east-1: log group /aws/lambda/us-east-1.gone is left of a \
            function that is gone",
        );
    shop.run("sweep --all --yes").exits(0).says("tag `provision:protect`");
    for region in Region::of_edge_logs() {
        let arn = format!("arn:aws:logs:{region}:000000000000:log-group:{GROUP}");
        let logs = shop.aws.clients.logs_in(&region);
        logs.untag_resource().resource_arn(arn).tag_keys("provision:protect").send().await.unwrap();
    }
    shop.run("sweep --all --yes").exits(0).says("Done: 13 deleted");
    shop.run("sweep")
        .exits(0)
        .says("Nothing of ours that was asked for is left")
        .says("/aws/lambda/us-east-1.gone");
    shop.ground.rules(|rules| rules.page_size = None);
    let left = [
        "eu-west-1 /aws/lambda/us-east-1.gone",
        "us-east-1 /aws/lambda/us-east-1-of-no-function",
        "us-east-1 /aws/lambda/us-east-1.gone",
    ];
    assert_eq!(shop.everything().await, left.map(|group| format!("logs {group}")));
}

#[tokio::test]
async fn a_look_that_fails_for_another_reason_ends_the_destroy() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    writes_in(&shop, "us-east-1", GROUP).await;
    for fault in [Fault::ExpiredCredentials, Fault::ClockSkew] {
        shop.ground.clear_calls();
        shop.ground.fault(At::Operation("logs:DescribeLogGroups", 5), fault);
        shop.run("destroy --yes").exits(1).says("could not look for log group");
        shop.ground.clear_faults();
        assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new(), "{fault:?}");
    }
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}
