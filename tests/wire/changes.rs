//! Changes of the function: a version for each content, and no more versions than wanted.

use super::shop::{FUNCTION, OWNED, Shop, count, writes};
use crate::support::Rules;

async fn versions(shop: &Shop) -> Vec<u64> {
    shop.observe().await.function.unwrap().versions.iter().map(|version| version.number).collect()
}

async fn occupant(shop: &Shop) -> String {
    let reading = shop.observe().await.distribution.unwrap().document.read();
    reading.behaviors[&"default".into()].functions["viewer-request"].clone()
}

fn arn(number: u64) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}:{number}")
}

#[tokio::test]
async fn a_changed_line_is_published_once_and_old_versions_go() {
    let shop =
        Shop::applied(&OWNED.replace("keep_versions: 3", "keep_versions: 2"), Rules::prompt())
            .await;
    assert_eq!((versions(&shop).await, occupant(&shop).await), (vec![1], arn(1)));
    for (number, kept) in [(2, vec![1, 2]), (3, vec![2, 3])] {
        shop.write("edge.py", &format!("def handler(event, context):\n    return {number}\n"));
        let calls = shop.calls_of("apply --yes", 0);
        let mut expected = vec!["lambda:UpdateFunctionCode", "cloudfront:UpdateDistribution"];
        expected.extend((number > 2).then_some("lambda:DeleteFunction"));
        assert_eq!(writes(&calls), expected);
        assert_eq!((versions(&shop).await, occupant(&shop).await), (kept, arn(number)));
    }
    // The content of version 2 exists: nothing is published.
    shop.write("edge.py", "def handler(event, context):\n    return 2\n");
    shop.run("apply --yes").exits(0);
    assert_eq!((versions(&shop).await, occupant(&shop).await), (vec![2, 3], arn(2)));
    assert_eq!(writes(&shop.calls_of("apply --yes", 0)), Vec::<&str>::new());
}

#[tokio::test]
async fn configuration_is_part_of_a_version_and_a_tag_is_not() {
    let shop = Shop::applied(OWNED, Rules::aws()).await;
    shop.write("provision.yaml", &OWNED.replace("memory: 128", "memory: 256"));
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(
        (
            count(&calls, "lambda:UpdateFunctionConfiguration"),
            count(&calls, "lambda:PublishVersion")
        ),
        (1, 1)
    );
    assert_eq!((versions(&shop).await, occupant(&shop).await), (vec![1, 2], arn(2)));
    shop.write(
        "provision.yaml",
        &OWNED.replace("memory: 128", "memory: 256").replace("team: web", "team: shop"),
    );
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(
        (count(&calls, "lambda:TagResource"), count(&calls, "lambda:PublishVersion")),
        (1, 0)
    );
    assert_eq!(count(&calls, "cloudfront:UpdateDistribution"), 0);
    assert_eq!(versions(&shop).await, [1, 2]);
}

#[tokio::test]
async fn both_at_once_are_one_version() {
    let shop = Shop::applied(OWNED, Rules::aws()).await;
    shop.write("provision.yaml", &OWNED.replace("memory: 128", "memory: 256"));
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    let calls = shop.calls_of("apply --yes", 0);
    assert_eq!(count(&calls, "lambda:UpdateFunctionConfiguration"), 1);
    assert_eq!(
        (count(&calls, "lambda:UpdateFunctionCode"), count(&calls, "lambda:PublishVersion")),
        (1, 0)
    );
    assert_eq!((versions(&shop).await, occupant(&shop).await), (vec![1, 2], arn(2)));
}

#[tokio::test]
async fn a_version_that_somebody_else_uses_is_not_pruned() {
    let shop =
        Shop::applied(&OWNED.replace("keep_versions: 3", "keep_versions: 1"), Rules::prompt())
            .await;
    let id = shop.distribution().await;
    // By hand, at another event of our own distribution.
    let both = |event: &str| super::cloudfront::association(&arn(1), event);
    let (ours, more) = (both("viewer-request"), both("origin-response"));
    super::cloudfront::edit(
        &shop,
        id.as_str(),
        &format!("<Quantity>1</Quantity><Items>{ours}</Items>"),
        &format!("<Quantity>2</Quantity><Items>{ours}{more}</Items>"),
    );
    shop.write("edge.py", "def handler(event, context):\n    return None\n");
    shop.run("apply --yes").exits(0);
    assert_eq!((versions(&shop).await, occupant(&shop).await), (vec![1, 2], arn(2)));
}

/// As recorded: a function has one revision while a change of it is under way, and another one once
/// that is complete.
#[tokio::test]
async fn a_revision_that_aws_moves_by_itself_is_no_other_user() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    for (before, after) in [("memory: 128", "memory: 256"), ("memory: 256", "memory: 512")] {
        // Somebody has just changed what the spec does not say.
        shop.ground.rules(|rules| rules.update_polls = 3);
        let lambda = &shop.aws.clients.lambda;
        let touch = lambda.update_function_configuration().function_name(FUNCTION);
        let memory = before.rsplit(' ').next().unwrap().parse::<i32>().unwrap();
        touch.memory_size(memory).send().await.unwrap();
        let spec = std::fs::read_to_string(shop.folder.path().join("provision.yaml")).unwrap();
        shop.write("provision.yaml", &spec.replace(before, after));
        shop.ground.clear_calls();
        shop.run("apply --yes").exits(0);
        let calls = shop.ground.calls();
        assert!(calls.iter().any(|call| call.status == Some(412)), "nothing has moved: {before}");
    }
    // The same for code alone.
    shop.ground.rules(|rules| rules.update_polls = 3);
    let lambda = &shop.aws.clients.lambda;
    let touch = lambda.update_function_configuration().function_name(FUNCTION);
    touch.memory_size(512).send().await.unwrap();
    shop.write("edge.py", "def handler(event, context):\n    return 7\n");
    shop.ground.clear_calls();
    shop.run("apply --yes").exits(0);
    assert!(shop.ground.calls().iter().any(|call| call.status == Some(412)), "nothing has moved");
    assert_eq!(writes(&shop.calls_of("apply --yes", 0)), Vec::<&str>::new());
}
