//! What AWS refuses, the simulated world refuses, and for the same reason: ops that no plan would
//! have, as another run's writes in between make them.

use super::shop::{BUCKET, FUNCTION, OWNED, ROLE};
use super::twin::Twin;
use provision::change::Kind;
use provision::edge::ObjectHeaders;
use provision::resource::content::Content;
use provision::resource::{Tags, bucket, function, logs, policy, role, site};
use provision::stack::{Live, Op};
use serde_json::json;

const GROUP: &str = "/aws/lambda/us-east-1.shop-edge";

fn role(op: role::Op) -> Op {
    Op::Role(ROLE.parse().unwrap(), op)
}

fn function(op: function::Op) -> Op {
    Op::Function(FUNCTION.parse().unwrap(), op)
}

fn bucket(op: bucket::Op) -> Op {
    Op::Bucket(BUCKET.parse().unwrap(), op)
}

fn logs(op: logs::Op) -> Op {
    let region = "eu-central-1".parse().unwrap();
    Op::Logs(logs::GroupId { region, name: GROUP.into() }, op)
}

fn put(key: &str, text: &str, before: Option<&str>) -> Op {
    Op::Site(site::Op::Put(site::Put {
        bucket: BUCKET.parse().unwrap(),
        stack: "shop".parse().unwrap(),
        key: key.parse().unwrap(),
        content: Content::in_memory(text.as_bytes(), ObjectHeaders::new("text/html", "no-store")),
        before: before.map(str::to_owned),
        served: None,
        adopts: false,
    }))
}

fn delete(key: &str, before: &str) -> Op {
    let (bucket, key) = (BUCKET.parse().unwrap(), key.parse().unwrap());
    Op::Site(site::Op::Delete { bucket, key, before: before.into() })
}

fn theirs() -> Tags {
    Tags::from([("team".into(), "theirs".into())])
}

fn settings(live: &Live) -> function::Settings {
    live.function.as_ref().unwrap().settings.clone()
}

/// Sets the memory of a function that was seen like this.
fn configure(live: &Live, seen: u32, wanted: u32, revision: &str) -> Op {
    let mut before = settings(live);
    before.frozen.memory = seen;
    let mut after = before.clone();
    after.frozen.memory = wanted;
    function(function::Op::Configure(function::Configure {
        before,
        after,
        revision: revision.into(),
    }))
}

type Row = (&'static str, &'static str, fn(&Live) -> Op);

/// On a stack as it is after its first apply, one after the other.
const ROWS: &[Row] = &[
    ("a role that is somebody's", "AlreadyExists", |live| {
        let settings = live.role.as_ref().unwrap().settings.clone();
        role(role::Op::Create { settings: role::Settings { tags: theirs(), ..settings } })
    }),
    ("a role that is ours already", "already so", |live| {
        role(role::Op::Create { settings: live.role.as_ref().unwrap().settings.clone() })
    }),
    ("a role that has policies", "InUse", |_| role(role::Op::Delete)),
    ("a policy that has moved on", "MovedOn", |_| {
        let nothing = json!({"Version": "2012-10-17", "Statement": []});
        role(role::Op::PutPolicy { before: Some(nothing.clone()), after: nothing })
    }),
    ("an inline policy that is gone", "already so", |_| {
        role(role::Op::DeletePolicy { policy: "none".into() })
    }),
    ("a managed policy that is not attached", "already so", |_| {
        role(role::Op::Detach { arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".into() })
    }),
    ("a function that is somebody's", "AlreadyExists", |live| {
        let mut settings = settings(live);
        settings.frozen.memory = 1024;
        let package = function::package::pack(&function::package::Files::default()).unwrap();
        function(function::Op::Create(function::Create { settings, package }))
    }),
    ("a function that has changed", "MovedOn", |live| configure(live, 512, 1024, "0-0")),
    ("a function whose revision alone is another", "changed", |live| {
        configure(live, 128, 256, "0-0")
    }),
    ("a function that is so already", "already so", |live| configure(live, 128, 256, "0-0")),
    ("code that has changed", "MovedOn", |live| {
        let mut frozen = settings(live).frozen;
        frozen.code_sha256 = "none".into();
        function(function::Op::Publish(function::Publish { frozen }))
    }),
    ("a version that is gone", "already so", |_| function(function::Op::Prune { number: 7 })),
    ("a key that is taken", "MovedOn", |_| put("index.html", "theirs", None)),
    ("a key with other bytes", "MovedOn", |_| put("index.html", "theirs", Some("0"))),
    ("a key to replace that is gone", "MovedOn", |_| put("none.html", "theirs", Some("0"))),
    ("a key to delete with other bytes", "MovedOn", |_| delete("index.html", "0")),
    ("a key to delete that is gone", "already so", |_| delete("none.html", "0")),
    ("a bucket that is somebody's", "AlreadyExists", |live| {
        let settings = live.bucket.as_ref().unwrap().settings.clone();
        bucket(bucket::Op::Create { settings: bucket::Settings { tags: theirs(), ..settings } })
    }),
    ("a bucket that holds objects", "InUse", |_| bucket(bucket::Op::Delete)),
    ("a group that is gone, to keep", "NotFound", |_| {
        logs(logs::Op::SetRetention { before: None, after: 30, new: false })
    }),
    ("a group that is gone, to delete", "already so", |_| logs(logs::Op::Delete)),
    ("a group that is new", "changed", |_| logs(logs::Op::Create { tags: theirs() })),
    ("a group that is there", "already so", |_| logs(logs::Op::Create { tags: theirs() })),
];

#[tokio::test]
async fn the_world_refuses_what_aws_refuses() {
    let mut twin = Twin::of(Kind::Bucket, OWNED).await;
    twin.provision().await;
    let mut wrong = Vec::new();
    for (what, ends, op) in ROWS {
        let ended = twin.tries(op).await;
        if ended != [*ends, *ends] {
            wrong.push(format!("{what}: {ends}, but (simulated, observed) {ended:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let policy = twin.shop.observe().await.role.unwrap().settings.policy;
    assert!(policy.is_some_and(|policy| !policy::statements(&policy).is_empty()));
}
