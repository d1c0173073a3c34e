//! Whatever is changed behind its back: `plan` names it field by field, `apply` repairs it, a
//! second `apply` writes nothing.

use crate::story::Story;
use serde_json::{Value, json};

/// One conversation: it happens, is named, is repaired, and is no more.
fn repaired(what: &str, change: impl FnOnce(&mut Value)) -> Story {
    let mut story = Story::of_a_shop_that_stands();
    let before = story.world();
    story.meanwhile(what, change);
    assert_eq!(story.run("plan --sandbox --detailed-exitcode").code, 2, "{}", story.transcript());
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    let written = story.world();
    assert_eq!(story.ask("apply --sandbox --yes").code, 0);
    assert_eq!(story.world(), written, "a second apply writes nothing");
    assert_eq!(story.ask("plan --sandbox --detailed-exitcode").code, 0);
    for kind in ["buckets", "roles", "access"] {
        assert_eq!(repeatable(&written[kind]), repeatable(&before[kind]), "{what}");
    }
    story
}

/// Without times, and without the index: no two of them are equal.
fn repeatable(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| {
                !["modified", "created", "index", ".provision/index"].contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), repeatable(value)))
            .collect(),
        other => other.clone(),
    }
}

fn bucket(world: &mut Value) -> &mut Value {
    &mut world["buckets"]["shop-files"]
}

fn role(world: &mut Value) -> &mut Value {
    &mut world["roles"]["shop-edge"]
}

fn function(world: &mut Value) -> &mut Value {
    &mut world["functions"]["shop-edge"]
}

/// CloudFront's document of our distribution, changed as its console would.
fn distribution(world: &mut Value, before: &str, after: &str) {
    let found = world["distributions"].as_object_mut().unwrap().values_mut().next().unwrap();
    let document = found["live"]["document"].as_str().unwrap();
    assert!(document.contains(before), "{document}");
    found["live"]["document"] = document.replacen(before, after, 1).into();
    found["live"]["etag"] = "TOUCHED".into();
}

macro_rules! drifts {
    ($($name:ident: $what:literal => $change:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(repaired($what, $change).transcript());
        })*
    };
}

drifts! {
    the_bucket_is_made_public: "a user turns the public access block \
        off" => |world| bucket(world)["live"]["settings"]["private"] = json!(false);
    the_bucket_takes_acls: "a user turns ACLs \
        on" => |world| bucket(world)["live"]["settings"]["owner_enforced"] = json!(false);
    plain_http_is_let_in: "a user lets plain HTTP in" => |world| {
        bucket(world)["policy"]["Statement"].as_array_mut().unwrap().retain(|statement| statement["Effect"] != "Deny");
    };
    the_bucket_is_tagged: "a user tags the \
        bucket" => |world| bucket(world)["live"]["settings"]["tags"]["team"] = json!("ops");
    the_bucket_policy_is_widened: "a user lets everybody read" => |world| {
        let statement = &mut bucket(world)["policy"]["Statement"][0];
        statement["Principal"] = json!("*");
        statement.as_object_mut().unwrap().remove("Condition");
    };
    the_bucket_policy_is_gone: "a user deletes the bucket \
        policy" => |world| bucket(world)["policy"] = Value::Null;
    the_trust_policy_is_narrowed: "a user takes edgelambda out of the trust policy" => |world| {
        role(world)["settings"]["trust"]["Statement"][0]["Principal"]["Service"] = json!("lambda.amazonaws.com");
    };
    the_inline_policy_is_widened: "a user lets the function read everything" => |world| {
        role(world)["settings"]["policy"]["Statement"][0]["Resource"] = json!("*");
    };
    the_inline_policy_is_gone: "a user deletes the inline \
        policy" => |world| role(world)["settings"]["policy"] = Value::Null;
    the_role_is_bounded: "a user sets a permissions boundary" => |world| {
        role(world)["settings"]["boundary"] = json!("arn:aws:iam::123456789012:policy/Narrow");
    };
    the_code_is_changed: "a user uploads other code" => |world| {
        function(world)["settings"]["frozen"]["code_sha256"] = json!("c29tZWJvZHkgZWxzZSdzIGNvZGUgaXMgaGVyZSAgICA=");
        function(world)["revision"] = json!("touched");
    };
    the_configuration_is_changed: "a user gives the function more memory, time and a \
        layer" => |world| {
        let frozen = &mut function(world)["settings"]["frozen"];
        frozen["memory"] = json!(512);
        frozen["timeout"] = json!(30);
        frozen["refused"] = json!(["layers"]);
        function(world)["revision"] = json!("touched");
    };
    the_version_is_gone: "a user deletes the published \
        version" => |world| function(world)["versions"] = json!([]);
    the_association_is_removed: "a user removes the association" => |world| {
        distribution(world, "<LambdaFunctionARN>arn:aws:lambda:us-east-1:123456789012:function:shop-edge:1</LambdaFunctionARN><EventType>viewer-request", "<LambdaFunctionARN>arn:aws:lambda:us-east-1:123456789012:function:shop-edge:1</LambdaFunctionARN><EventType>origin-response");
    };
    the_association_points_elsewhere: "another owner's function takes the \
        slot" => |world| distribution(world, "function:shop-edge:1", "function:theirs:4");
    an_object_is_changed: "a user overwrites a \
        file" => |world| bucket(world)["objects"]["app.js"]["etag"] = json!("0123456789abcdef0123456789abcdef");
    an_object_is_deleted: "a user deletes a file and the page" => |world| {
        for key in ["home.html", "maintenance.html"] {
            bucket(world)["objects"].as_object_mut().unwrap().shift_remove(key);
            bucket(world)["headers"].as_object_mut().unwrap().shift_remove(key);
        }
    };
    the_distribution_is_changed: "a user changes root object, price class and comment, and \
        disables it" => |world| {
        distribution(world, "home.html", "index.html");
        distribution(world, "PriceClass_100", "PriceClass_All");
        distribution(world, "<Comment>provision shop</Comment>", "<Comment>do not touch</Comment>");
        distribution(world, "<Enabled>true</Enabled>", "<Enabled>false</Enabled>");
    };
    the_role_is_gone: "a user deletes the role and turns the public access block off" => |world| {
        world["roles"] = json!({});
        bucket(world)["live"]["settings"]["private"] = json!(false);
    };
}

#[test]
fn policies_that_are_not_ours_are_told_and_left() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("a user attaches an administrator's policy and adds an inline one", |world| {
        role(world)["attached"] = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
        role(world)["other_policies"] = json!(["theirs"]);
    });
    story.meanwhile("a user adds a statement to the bucket policy, and a file", |world| {
        let statement = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*",
            "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::shop-files/*"});
        bucket(world)["policy"]["Statement"].as_array_mut().unwrap().push(statement);
        bucket(world)["objects"]["invoices.csv"] = json!({"etag": "1", "size": 1});
    });
    let before = story.world();
    story.run("plan --sandbox --detailed-exitcode");
    story.run("apply --sandbox --yes");
    story.run("status --sandbox");
    insta::assert_snapshot!(story.transcript());
    assert_eq!(story.world(), before);
}

#[test]
fn what_only_looks_different_is_no_drift() {
    let mut story = Story::of_a_shop_that_stands();
    story.meanwhile("AWS gives policies back in other words", |world| {
        role(world)["settings"]["trust"]["Statement"] = json!({
            "Action": ["sts:assumerole"], "Effect": "Allow",
                "Principal": {"Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]},
                "Sid": ""});
        let statement = &mut bucket(world)["policy"]["Statement"][0];
        statement["Action"] = json!(["S3:getobject"]);
        statement["Condition"] = json!({"StringEquals": {"aws:sourcearn": [statement["Condition"]["StringEquals"]["AWS:SourceArn"]]}});
    });
    assert_eq!(story.run("plan --sandbox --detailed-exitcode").code, 0, "{}", story.transcript());
}
