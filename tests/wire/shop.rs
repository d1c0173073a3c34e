//! A stack in a folder of its own, and the binary that runs on it.

// The benchmark compiles this file too, and needs less of it.
#![allow(clippy::allow_attributes, dead_code)]

use crate::support::ledger::Call;
use crate::support::{Ground, Rules};
use aws_sdk_s3::config::Credentials;
use provision::aws::{Clients, Connection, Patience};
use provision::change::Fault;
use provision::cloud::Cloud;
use provision::cloud::aws::Aws;
use provision::name::{DistributionId, Region};
use provision::resource::site::Settings;
use provision::spec::Spec;
use provision::spec::load::{Files, load};
use provision::stack::{Live, Names, Scope};
use std::process::{Command, Output};
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "shop-000000000000";
pub(crate) const FUNCTION: &str = "shop-edge";
pub(crate) const ROLE: &str = "shop-edge";

/// A shop whose styles edges may hold for an hour.
pub(crate) fn kept() -> String {
    let rule = "headers: { \"*.css\": { cache_control: \"public, max-age=3600\" } }";
    OWNED.replace("site: ./site", &format!("site: ./site, {rule}"))
}

/// A distribution of its own.
pub(crate) const OWNED: &str = "\
stack: shop
region: eu-west-1
bucket: { site: ./site }
maintenance: { page: ./page.html }
function: { source: ./edge.py, handler: edge.handler, memory: 128, keep_versions: 3 }
distribution: { default_root_object: index.html, comment: shop }
tags: { team: web }
";

pub(crate) struct Shop {
    pub(crate) ground: Ground,
    pub(crate) aws: Aws,
    pub(crate) folder: TempDir,
}

impl Shop {
    /// A stack that does not exist yet, in an AWS that has nothing else.
    pub(crate) async fn new(spec: &str, rules: Rules) -> Self {
        Self::on(Ground::start(), spec, rules).await
    }

    /// The same in an AWS that is there already.
    pub(crate) async fn on(ground: Ground, spec: &str, rules: Rules) -> Self {
        ground.rules(|current| *current = rules);
        let shop = Self {
            aws: Aws { clients: connect(&ground).await },
            ground,
            folder: tempfile::tempdir().unwrap(),
        };
        shop.write("provision.yaml", spec);
        shop.write("page.html", "<h1>back soon</h1>");
        shop.write("site/index.html", "<h1>shop</h1>");
        shop.write("site/style.css", "h1 { color: teal }");
        shop.write(
            "edge.py",
            "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n",
        );
        shop
    }

    /// The same, applied.
    pub(crate) async fn applied(spec: &str, rules: Rules) -> Self {
        let shop = Self::new(spec, rules).await;
        shop.run("apply --yes").exits(0);
        shop
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    /// Runs the binary in the stack's folder.
    #[must_use]
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.run_with(arguments, &[])
    }

    #[must_use]
    pub(crate) fn run_with(&self, arguments: &str, environment: &[(&str, &str)]) -> Ran {
        Ran::new(
            arguments,
            &self.command(arguments).envs(environment.iter().copied()).output().unwrap(),
        )
    }

    /// The binary in the stack's folder, about to run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .args(arguments.split(' '))
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", self.folder.path());
        command.envs(self.ground.environment());
        command
    }

    /// Runs the binary and returns only the calls of this run.
    pub(crate) fn calls_of(&self, arguments: &str, code: i32) -> Vec<Call> {
        self.ground.clear_calls();
        self.run(arguments).exits(code);
        self.ground.calls()
    }

    pub(crate) fn spec(&self) -> Spec {
        let none = |_: &str| None;
        load(&self.folder.path().join("provision.yaml"), &none, Files::Needed).unwrap().spec
    }

    /// What the tool itself sees, without the site's folder.
    pub(crate) async fn observe(&self) -> Live {
        let (names, site) = (Names::of(&self.spec()), Settings::default());
        // The SDK's futures are large.
        let seen: Result<_, Fault> = Box::pin(self.aws.observe(&names, &site, Scope::Stack)).await;
        seen.unwrap().1
    }

    /// The id of the stack's own distribution.
    pub(crate) async fn distribution(&self) -> DistributionId {
        self.observe().await.distribution.unwrap().id
    }

    /// The names of everything that exists in the account.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let clients = &self.aws.clients;
        let Clients {
            s3,
            iam,
            lambda,
            cloudfront,
            logs: _, // In every region, below.
            // They have nothing of anybody's.
            sts: _,
            credentials: _,
            rhythm: _,
            trust: _,
            calls: _,
            surroundings: _,
            recording: _,
        } = clients;
        let mut all = Vec::new();
        let buckets = s3.list_buckets().send().await.unwrap();
        all.extend(
            buckets.buckets().iter().map(|bucket| format!("bucket {}", bucket.name().unwrap())),
        );
        let roles = iam.list_roles().send().await.unwrap();
        all.extend(roles.roles().iter().map(|role| format!("role {}", role.role_name())));
        let functions = lambda.list_functions().send().await.unwrap();
        all.extend(
            functions
                .functions()
                .iter()
                .map(|function| format!("function {}", function.function_name().unwrap())),
        );
        for region in Region::of_edge_logs() {
            let groups = clients.logs_in(&region).describe_log_groups().send().await.unwrap();
            all.extend(
                groups
                    .log_groups()
                    .iter()
                    .map(|group| format!("logs {region} {}", group.log_group_name().unwrap())),
            );
        }
        let controls = cloudfront
            .list_origin_access_controls()
            .send()
            .await
            .unwrap()
            .origin_access_control_list
            .unwrap();
        all.extend(controls.items().iter().map(|control| format!("access {}", control.name())));
        let distributions =
            cloudfront.list_distributions().send().await.unwrap().distribution_list.unwrap();
        all.extend(
            distributions
                .items()
                .iter()
                .map(|distribution| format!("distribution {}", distribution.id())),
        );
        all
    }
}

/// The library's own clients, with keys that do not come from the environment.
async fn connect(ground: &Ground) -> Clients {
    let region = "eu-west-1".parse().unwrap();
    let connection = Connection {
        endpoint_url: Some(ground.endpoint()),
        s3_endpoint: false,
        profile: None,
        region,
        verbose: false,
        patience: Patience::RUN,
        ca_bundle: None,
        recording: None,
        variable: |_| None,
        stop: tokio::sync::watch::channel(false).1,
    };
    let Clients {
        s3,
        iam,
        lambda,
        cloudfront,
        logs,
        sts,
        credentials,
        rhythm,
        trust,
        calls,
        surroundings,
        recording,
    } = Clients::connect(&connection).await.unwrap();
    let keys = || Credentials::new("test", "test", None, None, "tests");
    Clients {
        s3: aws_sdk_s3::Client::from_conf(
            s3.config().to_builder().credentials_provider(keys()).build(),
        ),
        iam: aws_sdk_iam::Client::from_conf(
            iam.config().to_builder().credentials_provider(keys()).build(),
        ),
        lambda: aws_sdk_lambda::Client::from_conf(
            lambda.config().to_builder().credentials_provider(keys()).build(),
        ),
        cloudfront: aws_sdk_cloudfront::Client::from_conf(
            cloudfront.config().to_builder().credentials_provider(keys()).build(),
        ),
        logs: aws_sdk_cloudwatchlogs::Client::from_conf(
            logs.config().to_builder().credentials_provider(keys()).build(),
        ),
        sts: aws_sdk_sts::Client::from_conf(
            sts.config().to_builder().credentials_provider(keys()).build(),
        ),
        credentials,
        rhythm,
        trust,
        calls,
        surroundings,
        recording,
    }
}

/// How a command ended.
pub(crate) struct Ran {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Ran {
    pub(crate) fn new(arguments: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            command: arguments.to_owned(),
            code: output.status.code(),
            said: text(&output.stdout) + &text(&output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "provision {} said:\n{}", self.command, self.said);
        assert!(!self.said.contains("panicked"), "provision {} said:\n{}", self.command, self.said);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.said.contains(words),
            "provision {} did not say `{words}`:\n{}",
            self.command,
            self.said
        );
        self
    }
}

/// The operations that changed something, or tried to.
pub(crate) fn writes(calls: &[Call]) -> Vec<&str> {
    let reads = |operation: &str| {
        operation.split(':').nth(1).is_some_and(|name| {
            ["Get", "List", "Head", "Describe"].iter().any(|verb| name.starts_with(verb))
        })
    };
    calls.iter().map(|call| call.operation.as_str()).filter(|operation| !reads(operation)).collect()
}

pub(crate) fn count(calls: &[Call], operation: &str) -> usize {
    calls.iter().filter(|call| call.operation == operation).count()
}
