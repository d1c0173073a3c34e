//! One AWS in which a command can be tried again and again, each time from the same beginning.

use super::census::{self, Census};
use super::cloudfront::{foreign_distribution, foreign_function};
use super::desk::{Desk, Ran};
use super::shop::{FUNCTION, OWNED, Shop};
use super::verbs::{Past, Verb};
use crate::support::{Ground, Rules};
use std::sync::Mutex;

pub(crate) struct Yard {
    pub(crate) shop: Shop,
    pub(crate) verb: Verb,
    begun: Mutex<Option<Begun>>,
}

struct Begun {
    desk: std::sync::Arc<Desk>,
    theirs: String,
}

/// After this many runs a command that does not say that it is done never will.
const RUNS: usize = 6;

impl Yard {
    pub(crate) async fn new(verb: Verb) -> Self {
        Self { shop: Shop::new(OWNED, Rules::prompt()).await, verb, begun: Mutex::new(None) }
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.shop.ground
    }

    pub(crate) fn desk(&self) -> std::sync::Arc<Desk> {
        std::sync::Arc::clone(&self.begun.lock().unwrap().as_ref().unwrap().desk)
    }

    /// The distribution of another owner.
    pub(crate) fn theirs(&self) -> String {
        self.begun.lock().unwrap().as_ref().unwrap().theirs.clone()
    }

    /// Makes everything as it is before the command: another owner's things, and what ran before.
    pub(crate) async fn begin(&self) {
        self.ground().reset();
        self.ground().rules(|rules| *rules = Rules::prompt());
        let arn = foreign_function(&self.shop).await;
        let theirs = foreign_distribution(&self.shop, &arn, "example.org");
        foreign_things(&self.shop).await;
        let desk = Desk::new(&spec(&self.verb, &theirs));
        for past in self.verb.history {
            match past {
                Past::Run(arguments) => drop(desk.run(self.ground(), arguments).exits(0)),
                Past::Write(path, text) => desk.write(path, text),
            }
        }
        // Ours writes once it is there.
        let functions = if self.verb.history.is_empty() {
            &["shop-edge-theirs"][..]
        } else {
            &["shop-edge-theirs", FUNCTION]
        };
        the_edge_writes(&self.shop, functions).await;
        self.ground().rules(|rules| *rules = (self.verb.rules)());
        self.ground().clear_calls();
        *self.begun.lock().unwrap() = Some(Begun { desk: desk.into(), theirs });
    }

    /// Runs the command once.
    pub(crate) fn run(&self) -> Ran {
        self.desk().run(self.ground(), self.verb.arguments)
    }

    /// Runs the command until it says that it is done, and returns what it said each time.
    pub(crate) fn run_until_done(&self) -> Result<Vec<Ran>, String> {
        let mut all = Vec::new();
        while all.len() < RUNS {
            let ran = self.run();
            let code = ran.code;
            all.push(ran);
            match code {
                Some(0) => return Ok(all),
                Some(3) if self.verb.arguments.starts_with("destroy") => {}
                code => {
                    return Err(format!(
                        "run {} ended with {code:?}: {}",
                        all.len(),
                        all.last().unwrap().said
                    ));
                }
            }
        }
        Err(format!("it is not done after {RUNS} runs: {}", all.last().unwrap().said))
    }

    pub(crate) async fn census(&self) -> Census {
        Box::pin(census::take(self)).await
    }
}

/// The spec of the one stack, in a distribution of its own or in another owner's.
fn spec(verb: &Verb, theirs: &str) -> String {
    if !verb.attached {
        return OWNED.to_owned();
    }
    let (all, _) = OWNED.split_once("distribution:").unwrap();
    format!(
        "{all}distribution: {{ id: {theirs}, behaviors: [default, \"/app/*\"] }}\ntags: {{ team: \
            web }}\n"
    )
}

/// The edge makes their log groups where visitors are.
async fn the_edge_writes(shop: &Shop, functions: &[&str]) {
    for region in ["us-east-1", "sa-east-1"] {
        let logs = shop.aws.clients.logs_in(&region.parse().unwrap());
        for function in functions {
            logs.create_log_group()
                .log_group_name(format!("/aws/lambda/us-east-1.{function}"))
                .send()
                .await
                .unwrap();
        }
    }
}

/// What a user could mistake for ours.
async fn foreign_things(shop: &Shop) {
    use aws_sdk_cloudfront::types::{
        OriginAccessControlConfig, OriginAccessControlOriginTypes,
        OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols,
    };
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let create = shop.aws.clients.s3.create_bucket().bucket("shop-000000000000-theirs");
    create.create_bucket_configuration(place).send().await.unwrap();
    let object =
        shop.aws.clients.s3.put_object().bucket("shop-000000000000-theirs").key("index.html");
    object.body(b"theirs".to_vec().into()).send().await.unwrap();
    let control = OriginAccessControlConfig::builder()
        .name("provision-shop-theirs")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
        .unwrap();
    shop.aws
        .clients
        .cloudfront
        .create_origin_access_control()
        .origin_access_control_config(control)
        .send()
        .await
        .unwrap();
}
