//! Who calls: whoever runs this, or somebody who may do what one policy allows and nothing else.

use super::bench::Bench;
use super::refusal::refusal;
use crate::support::Ground;
use crate::support::proxy::rules::for_the_emulator;
use aws_sdk_s3::config::Credentials;
use provision::aws::{Clients, Connection, Patience};
use serde_json::{Value, json};
use std::time::Duration;

/// The clients that the experiments use.
#[derive(Clone)]
pub(crate) struct Sdk {
    pub(crate) cloudfront: aws_sdk_cloudfront::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

/// The proxy that the program goes through, these clients go through as well.
#[expect(clippy::disallowed_methods, reason = "it is what `cli` hands in")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Sdk {
    /// As whoever runs this.
    pub(crate) async fn connect(ground: Option<&Ground>) -> Self {
        let connection = Connection {
            endpoint_url: ground.map(Ground::endpoint),
            s3_endpoint: false,
            profile: None,
            region: "us-east-1".parse().unwrap(),
            verbose: false,
            patience: Patience::RUN,
            ca_bundle: None,
            recording: None,
            variable,
            stop: tokio::sync::watch::channel(false).1,
        };
        let clients = Clients::connect(&connection).await.unwrap();
        let Clients { cloudfront, iam, lambda, logs, s3, sts, .. } = clients;
        let sdk = Self { cloudfront, iam, lambda, logs, s3, sts };
        match ground {
            Some(_) => sdk.signed(&Credentials::new("test", "test", None, None, "tests")),
            None => sdk,
        }
    }

    /// As somebody else.
    fn signed(&self, keys: &Credentials) -> Self {
        macro_rules! with {
            ($service:ident, $client:ty) => {{
                let config = self.$service.config().to_builder();
                <$client>::from_conf(config.credentials_provider(keys.clone()).build())
            }};
        }
        Self {
            cloudfront: with!(cloudfront, aws_sdk_cloudfront::Client),
            iam: with!(iam, aws_sdk_iam::Client),
            lambda: with!(lambda, aws_sdk_lambda::Client),
            logs: with!(logs, aws_sdk_cloudwatchlogs::Client),
            s3: with!(s3, aws_sdk_s3::Client),
            sts: with!(sts, aws_sdk_sts::Client),
        }
    }
}

/// How often a new role is tried.
const TRIES: u32 = 30;

impl Bench {
    /// A caller who may do these actions, each on its resource, and nothing else.
    pub(crate) async fn held_to(&self, allowed: &[(&[&str], &str)]) -> Sdk {
        let statement = |(actions, on): &(&[&str], &str)| json!({"Effect": "Allow", "Action": actions, "Resource": on});
        let statements: Vec<Value> = allowed.iter().map(statement).collect();
        self.held_to_policy(&json!({"Version": "2012-10-17", "Statement": statements})).await
    }

    pub(crate) async fn held_to_policy(&self, policy: &Value) -> Sdk {
        let role = self.caller.get_or_init(|| self.create_caller()).await;
        match &self.ground {
            Some(ground) => self.user(ground, policy).await,
            None => self.session(role, policy).await,
        }
    }

    /// The role for such callers. It is described as the stack's, so `destroy` takes it down, and
    /// `sweep` finds it.
    async fn create_caller(&self) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", self.account)},
            "Action": "sts:AssumeRole"}]});
        let name = format!("{}-caller", self.stack);
        let marker = format!("provision:stack={}", self.stack);
        let tag = aws_sdk_iam::types::Tag::builder().key("provision:stack").value(&self.stack);
        let role = self.sdk.iam.create_role().role_name(&name).description(marker);
        let role = role.tags(tag.build().unwrap()).assume_role_policy_document(trust.to_string());
        let role = role.send().await.unwrap().role.unwrap();
        let all = self.sdk.iam.attach_role_policy().role_name(name);
        all.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess").send().await.unwrap();
        role.arn
    }

    /// On AWS a session of that role, held to the policy. It is in force at once, as no policy of a
    /// user's or a role's is.
    async fn session(&self, role: &str, policy: &Value) -> Sdk {
        for _ in 0..TRIES {
            let call = self.sdk.sts.assume_role().role_arn(role).role_session_name("live");
            let sent = call.policy(policy.to_string()).send().await;
            match refusal(&sent) {
                None => {
                    let keys = sent.unwrap().credentials.unwrap();
                    let (key, secret) = (keys.access_key_id, keys.secret_access_key);
                    let token = Some(keys.session_token);
                    return self.sdk.signed(&Credentials::new(key, secret, token, None, "live"));
                }
                Some(refusal) if refusal.is_denial() => later(Duration::from_secs(5)).await,
                Some(refusal) => panic!("nobody takes on role {role}: {refusal}"),
            }
        }
        panic!("nobody may take on the new role {role}");
    }

    /// On the emulator, which knows no such sessions, a user.
    async fn user(&self, ground: &Ground, policy: &Value) -> Sdk {
        let (iam, name) = (&self.sdk.iam, "caller");
        let (key, secret) = self
            .user
            .get_or_init(|| async {
                iam.create_user().user_name(name).send().await.unwrap();
                let made = iam.create_access_key().user_name(name).send().await.unwrap();
                let key = made.access_key.unwrap();
                (key.access_key_id, key.secret_access_key)
            })
            .await;
        let put = iam.put_user_policy().user_name(name).policy_name("held");
        let document = for_the_emulator(policy).to_string();
        put.policy_document(document).send().await.unwrap();
        ground.restrict(key, policy);
        self.sdk.signed(&Credentials::new(key, secret, None, None, "tests"))
    }
}

#[expect(clippy::disallowed_methods, reason = "AWS takes its time, and tells nobody when")]
pub(crate) async fn later(wait: Duration) {
    tokio::time::sleep(wait).await;
}
