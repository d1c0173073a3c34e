//! What `simulate` claims about AWS, op by op: one test for each kind.

use super::cloudfront::{foreign_distribution, foreign_function, unsigned};
use super::shop::{BUCKET, FUNCTION, OWNED, ROLE, kept};
use super::twin::Twin;
use aws_sdk_lambda::primitives::Blob;
use provision::change::Kind;
use provision::cloud::world::{Bucket, Distribution};
use provision::edge::ObjectHeaders;
use provision::name::ObjectKey;
use provision::resource::content::Content;
use provision::resource::distribution::read_document;
use provision::resource::function::package;
use provision::resource::logs::Group;
use provision::resource::page::turn::{self, Wanted};
use provision::resource::page::{Metadata, window};
use provision::resource::{policy, site};
use serde_json::json;

fn bucket(twin: &mut Twin) -> &mut Bucket {
    twin.world.buckets.get_mut(&BUCKET.parse().unwrap()).unwrap()
}

#[tokio::test]
async fn bucket_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Bucket, OWNED).await;
    twin.provision().await;
    let s3 = twin.shop.aws.clients.s3.clone();
    s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
    s3.delete_bucket_ownership_controls().bucket(BUCKET).send().await.unwrap();
    let settings = &mut bucket(&mut twin).live.settings;
    (settings.private, settings.owner_enforced) = (false, false);
    let spec = OWNED
        .replace("site: ./site", "site: ./site, versioning: true")
        .replace("team: web", "team: shop, tier: gold");
    twin.shop.write("provision.yaml", &spec);
    twin.provision().await;
    twin.shop
        .write("provision.yaml", &OWNED.replace("site: ./site", "site: ./site, versioning: false"));
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out([
        "create",
        "block public access",
        "enforce ownership",
        "set versioning",
        "set tags",
        "empty",
        "delete",
    ]);
}

#[tokio::test]
async fn site_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Site, OWNED).await;
    twin.shop.write("site/a b/ü.txt", "a key that has to be encoded");
    twin.provision().await;
    twin.shop.write("site/index.html", "<h1>another shop</h1>");
    twin.shop.remove("site/style.css");
    twin.shop.remove("site/a b/ü.txt");
    twin.provision().await;
    let head = twin
        .shop
        .aws
        .clients
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("index.html")
        .send()
        .await
        .unwrap();
    let headers = bucket(&mut twin).headers[&"index.html".parse().unwrap()].clone();
    assert_eq!(head.content_type(), Some(headers.sent.content_type.as_str()));
    assert_eq!(head.cache_control(), Some(headers.sent.cache_control.as_str()));
    assert_eq!(head.metadata.unwrap().into_iter().collect::<Metadata>(), headers.metadata);
    twin.has_carried_out(["put", "replace", "delete"]);
}

#[tokio::test]
async fn page_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Page, OWNED).await;
    twin.provision().await;
    let standard = || {
        Ok(Content::in_memory(
            b"<h1>back soon</h1>",
            ObjectHeaders::new("text/html; charset=utf-8", "no-store"),
        ))
    };
    let on = |until: &str, once| {
        let window = Metadata::from([(window::UNTIL.into(), until.into())]);
        Wanted::On(turn::On {
            window,
            without: Vec::new(),
            once,
            standard: standard(),
            mark: "0123456789abcdef".repeat(2),
        })
    };
    twin.turn(on("2999-12-01T10:00:00Z", None)).await;
    twin.turn(on("2999-12-01T12:00:00Z", None)).await;
    twin.shop.write("page.html", "<h1>back very soon</h1>");
    twin.provision().await;
    twin.turn(Wanted::Off { standard: standard() }).await;
    let once = Content::in_memory(
        b"<h1>today only</h1>",
        ObjectHeaders::new("text/html; charset=utf-8", "no-store"),
    );
    twin.turn(on("2999-12-01T10:00:00Z", Some(once))).await;
    twin.turn(Wanted::Off { standard: standard() }).await;
    twin.has_carried_out(["put", "replace", "open a window", "change a window", "remove"]);
}

#[tokio::test]
async fn role_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Role, OWNED).await;
    twin.provision().await;
    let bounded = OWNED.replace(
        "tags: { team: web }",
        "role: { permissions_boundary: \"arn:aws:iam::aws:policy/PowerUserAccess\" }",
    );
    twin.shop.write("provision.yaml", &bounded);
    twin.provision().await;
    twin.shop.write("provision.yaml", OWNED);
    let iam = twin.shop.aws.clients.iam.clone();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole"}]});
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*",
        "Resource": "*"}]});
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    iam.update_assume_role_policy()
        .role_name(ROLE)
        .policy_document(trust.to_string())
        .send()
        .await
        .unwrap();
    iam.update_role_description().role_name(ROLE).description("theirs").send().await.unwrap();
    for policy in ["provision", "extra"] {
        iam.put_role_policy()
            .role_name(ROLE)
            .policy_name(policy)
            .policy_document(nothing.to_string())
            .send()
            .await
            .unwrap();
    }
    iam.attach_role_policy().role_name(ROLE).policy_arn(admin).send().await.unwrap();
    let role = twin.world.roles.get_mut(&ROLE.parse().unwrap()).unwrap();
    (role.settings.trust, role.settings.policy, role.settings.description) =
        (trust, Some(nothing), "theirs".into());
    (role.other_policies, role.attached) = (vec!["extra".into()], vec![admin.into()]);
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out([
        "create",
        "set trust",
        "put policy",
        "set boundary",
        "remove boundary",
        "describe",
        "set tags",
        "delete policy",
        "detach",
        "delete",
    ]);
}

#[tokio::test]
async fn function_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Function, OWNED).await;
    twin.provision().await;
    twin.shop.write("edge.py", "def handler(event, context):\n    return None\n");
    twin.provision().await;
    twin.shop.write(
        "provision.yaml",
        &OWNED.replace("memory: 128", "memory: 192").replace("team: web", "team: shop"),
    );
    twin.provision().await;
    // Code that nobody published; the version with ours exists.
    let theirs =
        package::pack(&package::Files::from([("edge.py".to_owned(), b"# theirs\n".to_vec())]))
            .unwrap();
    let lambda = &twin.shop.aws.clients.lambda;
    let zip = Blob::new(theirs.bytes.to_vec());
    lambda.update_function_code().function_name(FUNCTION).zip_file(zip).send().await.unwrap();
    let function = twin.world.functions.get_mut(&FUNCTION.parse().unwrap()).unwrap();
    function.settings.frozen.code_sha256 = theirs.sha256;
    twin.provision().await;
    twin.shop.write("provision.yaml", &OWNED.replace("keep_versions: 3", "keep_versions: 1"));
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out([
        "create",
        "configure",
        "upload and publish",
        "upload",
        "publish",
        "set tags",
        "prune",
        "delete",
    ]);
}

#[tokio::test]
async fn logs_ops_do_what_simulate_says() {
    let keeping = |days: &str| {
        OWNED.replace("keep_versions: 3", &format!("keep_versions: 3, log_retention: {days}"))
    };
    let mut twin = Twin::of(Kind::Logs, OWNED).await;
    twin.provision().await;
    // The edge wrote before anybody asked for a retention.
    let (region, group) = ("eu-central-1".parse().unwrap(), "/aws/lambda/us-east-1.shop-edge");
    twin.shop
        .aws
        .clients
        .logs_in(&region)
        .create_log_group()
        .log_group_name(group)
        .send()
        .await
        .unwrap();
    let young = Group { created: u64::MAX, ..Group::default() };
    twin.world.logs.insert(region, [(group.to_owned(), young)].into());
    twin.shop.write("provision.yaml", &keeping("30d"));
    twin.provision().await;
    twin.shop.write("provision.yaml", &keeping("1d"));
    twin.provision().await;
    twin.shop.write("provision.yaml", &(keeping("1d") + "protect: [logs]\n"));
    twin.destroy().await;
    twin.shop.write("provision.yaml", OWNED);
    // Without the function, the looks compare the tags, too.
    twin.destroy().await;
    twin.has_carried_out(["create", "set retention", "set tags", "delete"]);
}

#[tokio::test]
async fn access_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Access, OWNED).await;
    twin.provision().await;
    unsigned(&twin.shop.aws.clients.cloudfront).await;
    twin.world.access.values_mut().for_each(|found| found.signing.behavior = "never".into());
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out(["create", "update", "delete"]);
}

#[tokio::test]
async fn distribution_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Distribution, OWNED).await;
    twin.provision().await;
    let other =
        "default_root_object: home.html, comment: \"<&>\", price_class: PriceClass_All, spa: true";
    let spec = OWNED
        .replace("default_root_object: index.html, comment: shop", other)
        .replace("team: web", "tier: gold");
    twin.shop.write("provision.yaml", &spec);
    twin.shop.write("edge.py", "def handler(event, context):\n    return None\n");
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out(["create", "update", "set tags", "await deployed", "delete"]);
}

#[tokio::test]
async fn invalidation_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Invalidation, &kept()).await;
    twin.provision().await;
    twin.shop.write("site/style.css", "h1 { color: navy }");
    twin.provision().await;
    twin.has_carried_out(["create"]);
}

#[tokio::test]
async fn grant_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Grant, OWNED).await;
    twin.provision().await;
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": format!("arn:aws:s3:::{BUCKET}")});
    let s3 = twin.shop.aws.clients.s3.clone();
    let read = async || -> serde_json::Value {
        let text = s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap().policy.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let narrow = read().await;
    let widened = |document: &serde_json::Value| {
        let mut ours = policy::statements(document);
        ours[0]["Action"] = json!(["s3:GetObject", "s3:ListBucket"]);
        ours.insert(0, theirs.clone());
        json!({"Version": "2012-10-17", "Statement": ours})
    };
    let document = widened(&narrow);
    s3.put_bucket_policy().bucket(BUCKET).policy(document.to_string()).send().await.unwrap();
    let found = bucket(&mut twin);
    found.policy = found.policy.as_ref().map(widened);
    twin.provision().await;
    // What is written is what the simulation says, so that the two agree proves little.
    assert_eq!(
        policy::statements(&read().await),
        [vec![theirs.clone()], policy::statements(&narrow)].concat()
    );
    // A bucket that is not ours any more, and whose policy still names our distribution.
    s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    s3.delete_object().bucket(BUCKET).key(site::index::KEY).send().await.unwrap();
    let found = bucket(&mut twin);
    found.live.settings.tags.clear();
    let index = ObjectKey::listed(site::index::KEY.to_owned());
    found.objects.remove(&index);
    found.headers.remove(&index);
    found.index.clear();
    twin.destroy().await;
    assert_eq!(policy::statements(&read().await), [theirs]);
    twin.has_carried_out(["put", "remove"]);
}

#[tokio::test]
async fn association_ops_do_what_simulate_says() {
    let mut twin = Twin::of(Kind::Association, OWNED).await;
    let arn = foreign_function(&twin.shop).await;
    let id = foreign_distribution(&twin.shop, &arn, "example.org").parse().unwrap();
    let spec = |behaviors: &str| {
        let (common, _) = OWNED.split_once("distribution:").unwrap();
        format!("{common}distribution: {{ id: {id}, behaviors: [{behaviors}] }}\n")
    };
    // CloudFront shows it as it is once it is deployed everywhere.
    let mut live = read_document(&twin.shop.aws.clients, &id).await.unwrap().unwrap();
    while !live.deployed {
        live = read_document(&twin.shop.aws.clients, &id).await.unwrap().unwrap();
    }
    twin.world.distributions.insert(id.clone(), Distribution { live, deployed_at: 0 });
    twin.shop.write("provision.yaml", &spec("default, \"/app/*\""));
    twin.provision().await;
    twin.shop.write("edge.py", "def handler(event, context):\n    return None\n");
    twin.shop.write("provision.yaml", &spec("default, \"/api/*\""));
    twin.provision().await;
    twin.destroy().await;
    twin.has_carried_out(["fill", "vacate", "await deployed"]);
}
