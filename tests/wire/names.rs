//! As users run it: no endpoint is named, AWS's own names lead here, over TLS, to the proxy and the
//! emulator. Where requests go, whom they are signed for, and whether AWS's models know them.

use super::company::Tunnel;
use super::shop::{BUCKET, OWNED, Ran, Shop, count, writes};
use crate::support::ledger::Call;
use crate::support::tls::Authority;
use crate::support::{Rules, namespace, venv};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use provision::name::Region;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// The one that `tests/article.rs` installs, too.
const BOTO3: &str = "1.44.5";

const BUCKETS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// Every name that the program may ask for.
fn names() -> Vec<String> {
    let mut names = vec!["iam.amazonaws.com".to_owned(), "cloudfront.amazonaws.com".to_owned()];
    for region in BUCKETS {
        names.push(format!("s3.{region}.amazonaws.com"));
        names.push(format!("{BUCKET}.s3.{region}.amazonaws.com"));
    }
    names.extend(["sts", "lambda"].map(|service| format!("{service}.us-east-1.amazonaws.com")));
    let regions = Region::of_edge_logs().into_iter();
    names.extend(regions.map(|region| format!("logs.{region}.amazonaws.com")));
    names
}

/// A stack in front of which AWS's names are, and the environment in which they are found.
struct Aws {
    shop: Shop,
    authority: Authority,
    environment: Vec<(&'static str, String)>,
}

impl Aws {
    async fn new(spec: &str) -> Self {
        let shop = Shop::new(spec, Rules::prompt()).await;
        let authority = Authority::new(&names());
        let environment = vec![("AWS_CA_BUNDLE", authority.bundle().display().to_string())];
        authority.serve(443, shop.ground.proxy.address());
        Self { shop, authority, environment }
    }

    fn run(&self, arguments: &str) -> Ran {
        let mut command = self.shop.command(arguments);
        command.env_remove("AWS_ENDPOINT_URL").env_remove("NO_PROXY");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ran::new(arguments, &command.output().unwrap())
    }

    /// Something of each kind is another one.
    fn changes(&self) {
        let spec = fs::read_to_string(self.shop.folder.path().join("provision.yaml")).unwrap();
        let spec = spec
            .replace("./site }", "./site, versioning: true }")
            .replace("memory: 128", "memory: 256, log_retention: 7d")
            .replace("comment: shop", "comment: the shop")
            .replace("team: web", "team: edge");
        self.shop.write("provision.yaml", &spec);
        self.shop.write("page.html", "<h1>back in an hour</h1>");
        self.shop.write("site/index.html", "<h1>the shop</h1>");
        self.shop.write("site/a b/\u{e9}+.html", "<h1>a key with signs</h1>");
        self.shop.remove("site/style.css");
        let code = "def handler(event, context):\n    return None\n";
        self.shop.write("edge.py", code);
    }

    /// The life of a stack: each verb that asks AWS.
    fn lives_and_ends(&self) {
        let ground = &self.shop.ground;
        let quiet = |arguments: &str| {
            let before = ground.calls().len();
            let ran = self.run(arguments).exits(0);
            assert_eq!(writes(&ground.calls()[before..]), Vec::<&str>::new(), "{arguments}");
            ran
        };
        self.run("apply --yes").exits(0);
        drop(quiet("apply --yes").says("Nothing to do"));
        self.run("maintenance on --for 45m").exits(0);
        quiet("maintenance status");
        self.run("maintenance off").exits(0);
        quiet("status");
        self.changes();
        self.run("apply --yes").exits(0);
        // A spec at hand would say that the stack is wanted.
        let spec = fs::read_to_string(self.shop.folder.path().join("provision.yaml")).unwrap();
        self.shop.remove("provision.yaml");
        drop(quiet("sweep").says("Stack `shop`"));
        self.shop.write("provision.yaml", &spec);
        self.run("destroy --yes --delete-data").exits(0);
        drop(quiet("sweep").says("Nothing"));
    }
}

/// Where each service is asked: host, and the region of the signature.
fn places(region: &str) -> BTreeMap<String, (String, String)> {
    let mut places = BTreeMap::from(
        [
            (format!("{BUCKET}.s3.{region}"), ("s3", region)),
            // The list of buckets, by a sweep with a spec and by one without.
            (format!("s3.{region}"), ("s3", region)),
            ("s3.us-east-1".to_owned(), ("s3", "us-east-1")),
            ("iam".into(), ("iam", "us-east-1")),
            ("cloudfront".into(), ("cloudfront", "us-east-1")),
            ("sts.us-east-1".into(), ("sts", "us-east-1")),
            ("lambda.us-east-1".into(), ("lambda", "us-east-1")),
        ]
        .map(|(name, (service, region))| (name, (service.to_owned(), region.to_owned()))),
    );
    for region in Region::of_edge_logs() {
        places.insert(format!("logs.{region}"), ("logs".to_owned(), region.to_string()));
    }
    places
}

/// Each request went where it belongs, and AWS's models know it.
fn are_valid(calls: &[Call], region: &str) {
    let places = places(region);
    for call in calls {
        let [_, signed_region, service] = call.scope().unwrap();
        let place = call.host.strip_suffix(".amazonaws.com").and_then(|name| places.get(name));
        let signed = (service.to_owned(), signed_region.to_owned());
        assert_eq!(place, Some(&signed), "{} to {}", call.operation, call.host);
        // Everything that names a bucket names it in the host, and says whose it has to be.
        if service == "s3" && call.operation != "s3:ListBuckets" {
            assert_eq!(call.host, format!("{BUCKET}.s3.{region}.amazonaws.com"));
            let owner = call.header("x-amz-expected-bucket-owner");
            let expected = if call.operation == "s3:CreateBucket" { "" } else { "000000000000" };
            assert_eq!(owner, expected, "{}", call.operation);
        }
    }
    let python = venv::programs("boto3", BOTO3, &[]).join("python3");
    let mut check = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/models.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut requests = check.stdin.take().unwrap();
    for call in calls {
        let headers: BTreeMap<&str, &str> = call
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let request = json!({
            "method": call.method.as_str(), "host": call.host, "path": call.path,
            "headers": headers, "body": STANDARD.encode(&call.body),
        });
        writeln!(requests, "{request}").unwrap();
    }
    drop(requests);
    let output = check.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

async fn a_stack_lives_in(region: &str) {
    let spec = OWNED.replace("eu-west-1", region);
    let aws = Aws::new(&spec).await;
    aws.lives_and_ends();
    let calls = aws.shop.ground.calls();
    are_valid(&calls, region);
    let places: Vec<&str> = calls.iter().map(|call| call.host.as_str()).collect();
    for service in ["iam", "cloudfront", "sts.us-east-1", "lambda.us-east-1", "logs.us-east-1"] {
        assert!(places.contains(&format!("{service}.amazonaws.com").as_str()), "{service}");
    }
    assert_eq!(count(&calls, "s3:CreateBucket"), 1);
}

#[tokio::test]
async fn requests_for_a_bucket_in_ireland_are_those_of_awss_models() {
    venv::programs("boto3", BOTO3, &[]);
    let test = "wire::names::requests_for_a_bucket_in_ireland_are_those_of_awss_models";
    if namespace::is_inside(test, &names()) {
        a_stack_lives_in("eu-west-1").await;
    }
}

#[tokio::test]
async fn requests_for_a_bucket_in_virginia_are_those_of_awss_models() {
    venv::programs("boto3", BOTO3, &[]);
    let test = "wire::names::requests_for_a_bucket_in_virginia_are_those_of_awss_models";
    if namespace::is_inside(test, &names()) {
        a_stack_lives_in("us-east-1").await;
    }
}

/// Only the proxy knows AWS's names here, as in a company without DNS of the world outside.
#[tokio::test]
async fn a_stack_lives_and_ends_behind_a_companys_proxy() {
    let test = "wire::names::a_stack_lives_and_ends_behind_a_companys_proxy";
    if !namespace::is_inside(test, &[] as &[&str]) {
        return;
    }
    let mut aws = Aws::new(OWNED).await;
    let server = aws.authority.serve(0, aws.shop.ground.proxy.address());
    let tunnel = Tunnel::to(Some(server.to_string()));
    aws.environment.push(("HTTPS_PROXY", format!("http://{}", tunnel.address)));
    aws.lives_and_ends();
    let asked = tunnel.asked();
    let names: Vec<String> = names().iter().map(|name| format!("CONNECT {name}:443 ")).collect();
    let is_known = |line: &&String| names.iter().any(|name| line.starts_with(name));
    assert!(asked.iter().all(|line| is_known(&line)), "{asked:?}");
    let hosts: Vec<String> = aws.shop.ground.calls().into_iter().map(|call| call.host).collect();
    for host in hosts {
        let connect = format!("CONNECT {host}:443 ");
        assert!(asked.iter().any(|line| line.starts_with(&connect)), "{host}: {asked:?}");
    }
}
