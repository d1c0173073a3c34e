//! A user who may do what one policy allows, and nothing else.

use super::shop::{Ran, Shop};
use crate::support::proxy::rules::for_the_emulator;
use aws_sdk_s3::config::Credentials;
use serde_json::{Value, json};

pub(crate) struct Operator {
    key: String,
    secret: String,
}

const NAME: &str = "operator";

impl Operator {
    /// A user without any rights.
    pub(crate) async fn new(shop: &Shop) -> Self {
        let iam = &shop.aws.clients.iam;
        iam.create_user().user_name(NAME).send().await.unwrap();
        let created =
            iam.create_access_key().user_name(NAME).send().await.unwrap().access_key.unwrap();
        Self { key: created.access_key_id, secret: created.secret_access_key }
    }

    /// From now on this is all that it may do.
    pub(crate) async fn may(&self, shop: &Shop, policy: &Value) {
        let document = for_the_emulator(policy).to_string();
        let put = shop.aws.clients.iam.put_user_policy().user_name(NAME).policy_name("printed");
        put.policy_document(document).send().await.unwrap();
        shop.ground.restrict(&self.key, policy);
    }

    pub(crate) fn run(&self, shop: &Shop, arguments: &str) -> Ran {
        shop.run_with(arguments, &self.keys())
    }

    /// What a child process needs to be this caller.
    pub(crate) fn environment(&self, shop: &Shop) -> Vec<(String, String)> {
        let keys = self.keys().map(|(name, value)| (name.to_owned(), value.to_owned()));
        shop.ground.environment().into_iter().chain(keys).collect()
    }

    /// A client of its own, for what no command sends.
    pub(crate) fn iam(&self, shop: &Shop) -> aws_sdk_iam::Client {
        let config = shop.aws.clients.iam.config().to_builder();
        aws_sdk_iam::Client::from_conf(config.credentials_provider(self.credentials()).build())
    }

    /// The same for CloudFront.
    pub(crate) fn cloudfront(&self, shop: &Shop) -> aws_sdk_cloudfront::Client {
        let config = shop.aws.clients.cloudfront.config().to_builder();
        let config = config.credentials_provider(self.credentials());
        aws_sdk_cloudfront::Client::from_conf(config.build())
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(&self.key, &self.secret, None, None, "tests")
    }

    fn keys(&self) -> [(&str, &str); 2] {
        [("AWS_ACCESS_KEY_ID", &self.key), ("AWS_SECRET_ACCESS_KEY", &self.secret)]
    }
}

/// Every action in a policy, with the statement that it stands in.
pub(crate) fn actions(policy: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |statement: &Value| -> Vec<(String, String)> {
        statement["Action"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| (text(action), text(&statement["Sid"])))
            .collect()
    };
    policy["Statement"].as_array().unwrap().iter().flat_map(of).collect()
}

/// The policy with one action less.
pub(crate) fn without(policy: &Value, action: &str, sid: &str) -> Value {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements.iter_mut().filter(|statement| statement["Sid"] == sid) {
        statement["Action"].as_array_mut().unwrap().retain(|one| one != action);
    }
    // IAM takes no statement without actions.
    statements.retain(|statement| statement["Action"] != json!([]));
    policy
}
