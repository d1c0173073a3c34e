//! What is there before a command, so that all scenes of a purpose together need every action of
//! its policy.

use super::cloudfront::{foreign_distribution, foreign_function, unsigned};
use super::shop::{BUCKET, OWNED, ROLE, Shop};
use crate::support::{Ground, Rules};
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Nothing.
    Nothing,
    /// The stack as the spec says.
    Applied,
    /// The same, but the distribution lost its tags.
    Untagged,
    /// The same, but the bucket lost its tags.
    Unclaimed,
    /// The stack as the spec says, while maintenance is on.
    On,
    /// The page is gone from under its own key.
    Lost,
    /// The spec says something else now.
    Changed,
    /// The spec says how long logs are kept.
    Retained,
    /// A user has changed everything behind our back, and the code has changed.
    Drifted,
    /// Versions, leftovers, an upload, logs, and policies of another owner's on the role.
    Grown,
    /// The bucket is protected.
    Protected,
    /// The same, and its policy has a statement of another owner's.
    Shared,
    /// The function's logs are protected.
    Logged,
}

/// One stack, in a distribution of its own or in another owner's.
pub(crate) struct Stage {
    pub(crate) shop: Shop,
    attached: bool,
}

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

impl Stage {
    pub(crate) async fn new(attached: bool) -> Self {
        Self { shop: Shop::on(Ground::start_with_auth(), OWNED, Rules::prompt()).await, attached }
    }

    /// Makes the scene, as the account's root.
    pub(crate) async fn set(&self, scene: Scene) {
        let shop = &self.shop;
        shop.ground.reset();
        let mut spec = OWNED.to_owned();
        if self.attached {
            spec = self.in_theirs().await;
        }
        if scene == Scene::Grown {
            spec = spec.replace("site: ./site", "site: ./site, versioning: true");
        }
        shop.write("provision.yaml", &spec);
        shop.write(
            "edge.py",
            "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n",
        );
        shop.write("site/old.css", "h1 { color: teal }");
        if scene == Scene::Nothing {
            return;
        }
        shop.run("apply --yes").exits(0);
        match scene {
            Scene::Nothing | Scene::Applied => {}
            Scene::Untagged => self.untag().await,
            Scene::Unclaimed => {
                let s3 = &self.shop.aws.clients.s3;
                s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();
                s3.delete_object().bucket(BUCKET).key(".provision/index").send().await.unwrap();
            }
            Scene::On => drop(shop.run("maintenance on").exits(0)),
            Scene::Lost => {
                let s3 = &self.shop.aws.clients.s3;
                s3.delete_object().bucket(BUCKET).key("maintenance.html").send().await.unwrap();
            }
            Scene::Changed => self.change(&spec),
            Scene::Retained => {
                let spec = spec.replace("keep_versions: 3", "keep_versions: 3, log_retention: 30d");
                shop.write("provision.yaml", &spec);
            }
            Scene::Drifted => self.drift().await,
            Scene::Grown => self.grow().await,
            Scene::Logged => {
                self.log().await;
                shop.write("provision.yaml", &format!("{spec}protect: [logs]\n"));
            }
            Scene::Protected | Scene::Shared => self.protect(&spec, scene == Scene::Shared).await,
        }
    }

    /// Another user makes a distribution. Returns the spec of our stack in it.
    pub(crate) async fn in_theirs(&self) -> String {
        let theirs =
            foreign_distribution(&self.shop, &foreign_function(&self.shop).await, "example.org");
        let (all, _) = OWNED.split_once("distribution:").unwrap();
        format!(
            "{all}distribution: {{ id: {theirs}, behaviors: [default] }}\ntags: {{ team: web }}\n"
        )
    }

    /// What `provision policy` prints for the spec at hand.
    pub(crate) fn policy(&self, purpose: &str) -> Value {
        let said = self.shop.run(&format!("policy --for {purpose}")).exits(0).said;
        // Warnings about the spec may follow.
        serde_json::Deserializer::from_str(&said).into_iter().next().unwrap().unwrap()
    }

    fn change(&self, spec: &str) {
        let spec = spec
            .replace("site: ./site", "site: ./site, versioning: true")
            .replace("memory: 128, keep_versions: 3", "memory: 192, keep_versions: 1")
            .replace("comment: shop", "comment: another")
            .replace("team: web", "tier: gold");
        self.shop.write(
            "provision.yaml",
            &format!("{spec}role: {{ permissions_boundary: \"{ADMINISTRATOR}\" }}\n"),
        );
        self.shop.remove("site/old.css");
    }

    async fn untag(&self) {
        let arn = self.shop.distribution().await.arn(&"000000000000".parse().unwrap());
        let keys = aws_sdk_cloudfront::types::TagKeys::builder()
            .items("team")
            .items("provision:stack")
            .build();
        self.shop
            .aws
            .clients
            .cloudfront
            .untag_resource()
            .resource(arn)
            .tag_keys(keys)
            .send()
            .await
            .unwrap();
    }

    async fn drift(&self) {
        let (s3, iam) = (&self.shop.aws.clients.s3, &self.shop.aws.clients.iam);
        s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
        s3.delete_bucket_ownership_controls().bucket(BUCKET).send().await.unwrap();
        s3.delete_bucket_policy().bucket(BUCKET).send().await.unwrap();
        s3.put_object()
            .bucket(BUCKET)
            .key("theirs.txt")
            .body(ByteStream::from_static(b"theirs"))
            .send()
            .await
            .unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole"}]});
        iam.update_assume_role_policy()
            .role_name(ROLE)
            .policy_document(trust.to_string())
            .send()
            .await
            .unwrap();
        iam.update_role_description().role_name(ROLE).description("theirs").send().await.unwrap();
        iam.put_role_permissions_boundary()
            .role_name(ROLE)
            .permissions_boundary(ADMINISTRATOR)
            .send()
            .await
            .unwrap();
        unsigned(&self.shop.aws.clients.cloudfront).await;
        self.shop.write("edge.py", "def handler(event, context):\n    return None\n");
    }

    /// The function has run.
    async fn log(&self) {
        let group = self.shop.aws.clients.logs.create_log_group();
        group.log_group_name("/aws/lambda/us-east-1.shop-edge").send().await.unwrap();
    }

    async fn grow(&self) {
        let (s3, iam) = (&self.shop.aws.clients.s3, &self.shop.aws.clients.iam);
        // Of one file only the past is left; the other was put by us, and no longer stands in the
        // folder.
        s3.delete_object().bucket(BUCKET).key("old.css").send().await.unwrap();
        self.shop.remove("site/old.css");
        self.shop.write("site/older.css", "h1 { color: red }");
        self.shop.run("apply --yes").exits(0);
        self.shop.remove("site/older.css");
        self.log().await;
        s3.create_multipart_upload().bucket(BUCKET).key("half.bin").send().await.unwrap();
        let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Action": "*", "Resource": "*"}]});
        iam.put_role_policy()
            .role_name(ROLE)
            .policy_name("extra")
            .policy_document(nothing.to_string())
            .send()
            .await
            .unwrap();
        iam.attach_role_policy().role_name(ROLE).policy_arn(ADMINISTRATOR).send().await.unwrap();
    }

    async fn protect(&self, spec: &str, is_shared: bool) {
        self.shop.write("provision.yaml", &format!("{spec}protect: [bucket]\n"));
        if is_shared {
            let s3 = &self.shop.aws.clients.s3;
            let now = s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap().policy.unwrap();
            let mut policy: Value = serde_json::from_str(&now).unwrap();
            let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": {"AWS": "*"},
                "Action": "s3:PutBucketAcl",
                "Resource": format!("arn:aws:s3:::{BUCKET}")});
            policy["Statement"].as_array_mut().unwrap().push(theirs);
            s3.put_bucket_policy().bucket(BUCKET).policy(policy.to_string()).send().await.unwrap();
        }
    }
}
