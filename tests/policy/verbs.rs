//! The purposes, with the commands that each has to allow.

use super::matrix::{Act, Purpose};
use super::operator::Operator;
use super::scene::{Scene, Stage};
use super::shop::OWNED;
use serde_json::Value;

const APPLY: &[Act] = &[
    (Scene::Drifted, "apply --yes"),
    (Scene::Nothing, "apply --yes"),
    (Scene::Changed, "apply --yes"),
    (Scene::Applied, "plan --detailed-exitcode"),
    (Scene::Unclaimed, "apply --yes --adopt bucket"),
    (Scene::Applied, "status"),
    (Scene::Retained, "apply --yes"),
];
const LOOK: &[Act] = &[
    (Scene::Drifted, "plan"),
    (Scene::Drifted, "status"),
    (Scene::Nothing, "plan"),
    (Scene::Unclaimed, "plan --adopt bucket"),
    (Scene::Nothing, "status"),
    (Scene::Retained, "plan"),
    (Scene::Retained, "status"),
];
const DESTROY: &[Act] = &[
    (Scene::Grown, "destroy --yes --delete-data"),
    (Scene::Protected, "destroy --yes"),
    (Scene::Shared, "destroy --yes"),
    (Scene::Unclaimed, "destroy --yes"),
    (Scene::Logged, "destroy --yes"),
];
const NO_WORD: (&str, &str) =
    ("lambda:DisableReplication*", "no document says what giving up an association takes");
const OWN_ONCE: (&str, &str) = (
    "s3:DeleteBucketPolicy",
    "a bucket that lost its tag, whose policy names a distribution of ours",
);
const OWN_BEFORE: (&str, &str) =
    ("s3:PutBucketPolicy", "a bucket that stays, which a distribution of an earlier spec reads");
const PASSED_OVER: &str = "a region that refuses a look at its log groups is told and passed over";
const PARTS: &str = "only an object of more than 5 GiB is sent in parts";
const PART_LISTS: (&str, &str) = ("s3:ListBucketMultipartUploads", PARTS);
const PART_ENDS: (&str, &str) = ("s3:AbortMultipartUpload", PARTS);
const LOGS: (&str, &str) = ("logs:DescribeLogGroups", PASSED_OVER);
const LOG_TAGS: (&str, &str) = ("logs:ListTagsForResource", PASSED_OVER);

#[tokio::test]
async fn of_apply_owned() {
    let unseen = &[LOGS, LOG_TAGS, PART_LISTS, PART_ENDS];
    Purpose { name: "apply", attached: false, acts: APPLY, unseen, nth: 17 }.holds().await;
}

#[tokio::test]
async fn of_apply_attached() {
    let unseen = &[LOGS, LOG_TAGS, PART_LISTS, PART_ENDS];
    Purpose { name: "apply", attached: true, acts: APPLY, unseen, nth: 17 }.holds().await;
}

#[tokio::test]
async fn of_plan_and_status() {
    Purpose { name: "plan", attached: false, acts: LOOK, unseen: &[LOGS, LOG_TAGS], nth: 7 }
        .holds()
        .await;
    Purpose { name: "plan", attached: true, acts: LOOK, unseen: &[LOGS, LOG_TAGS], nth: 7 }
        .holds()
        .await;
}

#[tokio::test]
async fn of_destroy_owned() {
    Purpose {
        name: "destroy",
        attached: false,
        acts: DESTROY,
        unseen: &[NO_WORD, LOGS, LOG_TAGS],
        nth: 13,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn of_destroy_attached() {
    Purpose {
        name: "destroy",
        attached: true,
        acts: DESTROY,
        unseen: &[NO_WORD, OWN_ONCE, OWN_BEFORE, LOGS, LOG_TAGS],
        nth: 13,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn of_the_switch() {
    let acts = &[
        (Scene::Applied, "maintenance on --for 45m"),
        (Scene::On, "maintenance off"),
        (Scene::Applied, "maintenance status"),
        (Scene::Lost, "maintenance status"),
    ];
    for attached in [false, true] {
        Purpose { name: "toggle", attached, acts, unseen: &[], nth: 3 }.holds().await;
    }
}

#[tokio::test]
async fn of_sweep() {
    Purpose {
        name: "sweep",
        attached: false,
        acts: &[(Scene::Applied, "sweep"), (Scene::Untagged, "sweep")],
        unseen: &[LOGS, LOG_TAGS],
        nth: 3,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn giving_up_the_own_distribution_takes_what_its_destroy_takes() {
    let stage = Stage::new(false).await;
    stage.set(Scene::Applied).await;
    let before = stage.policy("destroy");
    let spec = stage.in_theirs().await;
    stage.shop.write("provision.yaml", &spec);
    let mut both = stage.policy("apply");
    let operator = Operator::new(&stage.shop).await;
    operator.may(&stage.shop, &both).await;
    drop(operator.run(&stage.shop, "apply --yes").exits(1).says("(statement `Distribution`)"));
    both["Statement"]
        .as_array_mut()
        .unwrap()
        .extend(before["Statement"].as_array().unwrap().clone());
    operator.may(&stage.shop, &both).await;
    drop(operator.run(&stage.shop, "apply --yes").exits(0));
    drop(operator.run(&stage.shop, "plan --detailed-exitcode").exits(0));
}

#[tokio::test]
async fn a_sweep_that_takes_a_stack_down_takes_what_its_destroy_takes() {
    let stage = Stage::new(false).await;
    stage.set(Scene::Grown).await;
    let mut both = stage.policy("sweep");
    let operator = Operator::new(&stage.shop).await;
    operator.may(&stage.shop, &both).await;
    drop(
        operator
            .run(&stage.shop, "sweep --stack shop --yes --delete-data")
            .exits(1)
            .says("missing: "),
    );
    both["Statement"]
        .as_array_mut()
        .unwrap()
        .extend(stage.policy("destroy")["Statement"].as_array().unwrap().clone());
    operator.may(&stage.shop, &both).await;
    drop(operator.run(&stage.shop, "sweep --stack shop --yes --delete-data").exits(0));
    drop(
        operator
            .run(&stage.shop, "sweep --stack shop")
            .exits(0)
            .says("Nothing of stack `shop` that was asked for is left in account"),
    );
}

#[tokio::test]
async fn a_sweep_with_its_policy_sees_everything() {
    let stage = Stage::new(false).await;
    stage.set(Scene::Nothing).await;
    stage.shop.write("provision.yaml", &format!("{OWNED}ttl: 7d\n"));
    stage.shop.run("apply --yes").exits(0);
    let operator = Operator::new(&stage.shop).await;
    operator.may(&stage.shop, &stage.policy("sweep")).await;
    let said = operator.run(&stage.shop, "sweep --stack shop --json").exits(4).said;
    let found: Value = said.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap();
    let traces = found["stacks"][0]["traces"].as_array().unwrap();
    let mut seen: Vec<_> = traces
        .iter()
        .map(|trace| (trace["kind"].as_str().unwrap(), trace["ttl"].as_str()))
        .collect();
    seen.sort_unstable();
    let week = Some("7d");
    // An access control takes no tags.
    assert_eq!(
        seen,
        [
            ("access", None),
            ("bucket", week),
            ("distribution", week),
            ("function", week),
            ("role", week)
        ]
    );
}
