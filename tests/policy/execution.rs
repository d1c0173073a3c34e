//! The execution role's policy: the built-in function can do its work with it, and with less it
//! could not.

use super::operator::Operator;
use super::scene::{Scene, Stage};
use super::shop::{OWNED, ROLE};
use provision::desired::package_files;
use provision::resource::site::pages::Pages;
use provision::stack::Names;
use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;

/// One instance of the function, and one visitor.
const VISIT: &str = r#"
import sys, types
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import maintenance
request = {"clientIp": "198.51.100.7", "headers": {}, "method": "GET", "querystring": "", "uri": "/"}
event = {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": request}}]}
result = maintenance.handler(event, types.SimpleNamespace(function_version="1"))
print("visitors see", "the site" if result is request else "the page")
"#;

/// What the function says while it runs with these rights.
async fn visit(stage: &Stage, function: &Operator, policy: &Value, package: &TempDir) -> String {
    function.may(&stage.shop, policy).await;
    let mut command = Command::new("python3");
    command.args(["-c", VISIT]).arg(package.path()).envs(function.environment(&stage.shop));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn of_the_function() {
    let stage = Stage::new(false).await;
    let shop = &stage.shop;
    let (all, _) = OWNED.split_once("function:").unwrap();
    let package = tempfile::tempdir().unwrap();
    for (is_on, sees) in [(false, "visitors see the site\n"), (true, "visitors see the page\n")] {
        stage.set(Scene::Nothing).await;
        shop.write("provision.yaml", all);
        shop.run("apply --yes").exits(0);
        if is_on {
            shop.run("maintenance on").exits(0);
        }
        let spec = shop.spec();
        let stack = Names::of(&spec).in_account("000000000000".parse().unwrap()).unwrap();
        for (name, bytes) in package_files(&spec, &stack, &Pages::none()).unwrap() {
            std::fs::write(package.path().join(name), bytes).unwrap();
        }
        // Only Lambda itself may assume the role: a user gets its policy instead.
        let inline = shop
            .aws
            .clients
            .iam
            .get_role_policy()
            .role_name(ROLE)
            .policy_name("provision")
            .send()
            .await
            .unwrap();
        let text =
            percent_encoding::percent_decode_str(&inline.policy_document).decode_utf8().unwrap();
        let policy: Value = serde_json::from_str(&text).unwrap();
        let sids: Vec<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|statement| statement["Sid"].as_str().unwrap())
            .collect();
        assert_eq!(sids, ["ReadPage", "TellAbsentFromDenied", "WriteLogs"]);
        let function = Operator::new(shop).await;
        let without = |sid: &str| {
            let mut less = policy.clone();
            less["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
            less
        };
        assert_eq!(
            visit(&stage, &function, &policy, &package).await,
            sees,
            "and nothing is logged"
        );
        // Lambda writes the logs, not the function (CloudFront Developer Guide, "Edge function
        // logs").
        assert_eq!(visit(&stage, &function, &without("WriteLogs"), &package).await, sees);
        let denied = visit(&stage, &function, &without("ReadPage"), &package).await;
        assert!(
            denied.contains("AccessDenied") && denied.ends_with("visitors see the site\n"),
            "{denied}"
        );
        let unlisted = visit(&stage, &function, &without("TellAbsentFromDenied"), &package).await;
        // A page that is there can be read without it; one that is not would look like one that may
        // not be read.
        assert!(
            unlisted.ends_with(sees) && unlisted.contains("AccessDenied") != is_on,
            "{unlisted}"
        );
        assert_eq!(
            policy["Statement"][0]["Resource"],
            json!("arn:aws:s3:::shop-000000000000/maintenance-on.html")
        );
    }
}
