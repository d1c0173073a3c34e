//! Replicas at the edge outlive everything; what waits for them is never lost.

use super::desk::{Desk, Ran};
use super::shop::{OWNED, Shop};
use crate::support::{At, Fault, Rules};
use std::process::Stdio;

/// As long as nobody says otherwise.
const FOR_EVER: usize = usize::MAX;

/// What the replicas hold.
const HELD: [&str; 2] = ["role shop-edge", "function shop-edge"];

/// A stack whose replicas will refuse so many tries.
async fn applied(replica_tries: usize) -> Shop {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    Desk::new(OWNED).run(&shop.ground, "apply --yes").exits(0);
    shop.ground.rules(|rules| rules.replica_tries = replica_tries);
    shop.ground.clear_calls();
    shop
}

/// Destroys as far as that goes.
async fn half_destroyed(replica_tries: usize, arguments: &str) -> Shop {
    let shop = applied(replica_tries).await;
    let ran = Desk::new(OWNED).run(&shop.ground, arguments).exits(3);
    let outcome = ran.outcome().unwrap();
    let kinds = |part: &str| -> Vec<String> {
        let steps = outcome[part].as_array().unwrap().iter();
        steps.map(|step| step["address"]["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((kinds("deferred"), kinds("failed")), (vec!["function".to_owned()], Vec::new()));
    assert!(kinds("not_started").iter().all(|kind| kind == "role"), "{outcome}");
    assert!(outcome["deferred"][0]["try_again_after_seconds"].as_u64().unwrap() > 0);
    assert_eq!(shop.everything().await, HELD);
    shop
}

#[tokio::test]
async fn what_replicas_hold_goes_later_from_anywhere() {
    let shop = half_destroyed(2, "destroy --yes").await;
    let elsewhere = Desk::with_spec_alone(OWNED);
    elsewhere.run(&shop.ground, "destroy --yes").exits(3);
    assert_eq!(shop.everything().await, HELD);
    elsewhere.run(&shop.ground, "destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
    let ran = elsewhere.run(&shop.ground, "destroy --yes").exits(0);
    assert!(ran.plan().is_some_and(|plan| plan["empty"] == true));
}

#[tokio::test]
async fn patience_that_runs_out_is_no_failure() {
    let shop = half_destroyed(FOR_EVER, "destroy --yes --wait 1s").await;
    assert!(shop.ground.count("lambda:DeleteFunction") > 1, "it did not even try again");
    // No rule holds a function any more.
    shop.ground.rules(|rules| rules.functions = false);
    Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes --wait 1m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn credentials_that_end_while_it_waits_are_no_failure() {
    let shop = applied(FOR_EVER).await;
    shop.ground.fault(At::Operation("lambda:DeleteFunction", 3), Fault::ExpiredCredentials);
    let ran = Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes --wait 10m").exits(3);
    let deferred = &ran.outcome().unwrap()["deferred"][0];
    assert!(
        deferred["reason"].as_str().unwrap().contains("the credentials have ended"),
        "{deferred}"
    );
    shop.ground.rules(|rules| rules.functions = false);
    Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn credentials_that_have_ended_before_are_a_failure() {
    let shop = applied(0).await;
    shop.ground.fault(At::Operation("lambda:DeleteFunction", 1), Fault::ExpiredCredentials);
    let ran = Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes --wait 10m").exits(1);
    assert_eq!(ran.outcome().unwrap()["failed"][0]["fault"]["kind"], "Credentials");
}

#[tokio::test]
async fn it_is_said_before_when_the_credentials_end() {
    let shop = applied(0).await;
    let desk = Desk::new(OWNED);
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(30);
    desk.write(
        "config",
        &format!(
            "[default]\ncredential_process = printf \
                '{{\"Version\":1,\"AccessKeyId\":\"test\",\"SecretAccessKey\":\"test\",\"SessionToken\":\"t\",\"Expiration\":\"{end:.0}\"}}'\n"
        ),
    );
    let run = |arguments: &str| {
        let mut command = desk.command(arguments);
        command
            .envs(shop.ground.environment())
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
        command
            .env("AWS_CONFIG_FILE", desk.path("config"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ran::new(&command.output().unwrap()).exits(0)
    };
    assert!(!run("plan").said.contains("the credentials end"));
    let warning = format!("the credentials end at {}", end.strftime("%Y-%m-%d %H:%M:%S UTC"));
    let said = run("destroy --yes --wait 1h").said;
    assert!(said.contains(&warning), "{warning}: {said}");
}

#[tokio::test]
async fn a_network_that_sleeps_while_it_waits_is_no_failure() {
    let shop = applied(1).await;
    // The first answer is that replicas remain; then all tries of one call are lost.
    for number in 2..=6 {
        shop.ground.fault(At::Operation("lambda:DeleteFunction", number), Fault::Reset);
    }
    Desk::with_spec_alone(OWNED).run(&shop.ground, "destroy --yes --wait 10m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn patience_that_lasts_sees_the_end() {
    let shop = applied(3).await;
    let desk = Desk::new(OWNED);
    desk.run(&shop.ground, "destroy --yes --wait 1m").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}
