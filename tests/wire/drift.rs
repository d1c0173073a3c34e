//! A user changes something behind our back: the plan names it, apply repairs it, and then there
//! is nothing to do.

use super::cloudfront::unsigned;
use super::cloudfront::{association, edit, foreign_function};
use super::shop::{BUCKET, FUNCTION, OWNED, ROLE, Shop, writes};
use crate::support::Rules;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::MetadataDirective;
use provision::name::ObjectKey;
use provision::resource::function::package;
use provision::resource::policy;
use provision::resource::site::{self, index};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Whatever was just broken, the plan calls it `field`.
#[track_caller]
fn repaired(shop: &Shop, field: &str) {
    shop.run("plan --detailed-exitcode").exits(2).says(field);
    shop.run("apply --yes").exits(0);
    shop.ground.clear_calls();
    shop.run("apply --yes").exits(0).says("Nothing to do");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new(), "{field}");
}

#[tokio::test]
async fn of_the_bucket() {
    use aws_sdk_s3::types::{PublicAccessBlockConfiguration, Tag, Tagging};
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
    repaired(&shop, "public access block  off, at least in part -> all on");
    let three = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true);
    s3.put_public_access_block()
        .bucket(BUCKET)
        .public_access_block_configuration(three.build())
        .send()
        .await
        .unwrap();
    repaired(&shop, "public access block");
    let block = s3
        .get_public_access_block()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap()
        .public_access_block_configuration
        .unwrap();
    assert_eq!(block.block_public_policy, Some(true));
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let tags = Tagging::builder()
        .tag_set(tag("provision:stack", "shop"))
        .tag_set(tag("team", "theirs"))
        .build()
        .unwrap();
    s3.put_bucket_tagging().bucket(BUCKET).tagging(tags).send().await.unwrap();
    repaired(&shop, "tag team            theirs -> web");
}

#[tokio::test]
async fn of_the_bucket_policy() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    let read = async || -> Value {
        let text = s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap().policy.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let write = async |statements: &[Value]| {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        s3.put_bucket_policy().bucket(BUCKET).policy(document.to_string()).send().await.unwrap();
    };
    let ours = policy::statements(&read().await);
    assert_eq!(ours.len(), 3);
    let theirs = json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": format!("arn:aws:s3:::{BUCKET}")});
    let whole = [vec![theirs.clone()], ours.clone()].concat();
    for number in [0, 1] {
        let mut wide = whole.clone();
        wide[number + 1]["Condition"] = json!({});
        write(&wide).await;
        repaired(&shop, "statement");
        assert_eq!(policy::statements(&read().await), whole);
        write(&[theirs.clone(), ours[number].clone()]).await;
        repaired(&shop, "statement  + ");
        assert_eq!(policy::statements(&read().await), whole);
    }
    write(std::slice::from_ref(&theirs)).await;
    repaired(&shop, "read");
    assert_eq!(policy::statements(&read().await), whole);
    // The same, said in another way.
    let mut same = whole;
    same[1]["Action"] = json!(["S3:getobject"]);
    same[3]["Principal"] = json!({"AWS": "*"});
    write(&same).await;
    shop.run("plan --detailed-exitcode").exits(0);
    s3.delete_bucket_policy().bucket(BUCKET).send().await.unwrap();
    repaired(&shop, "read");
}

#[tokio::test]
async fn of_the_role() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let iam = &shop.aws.clients.iam;
    let trust = |services: Value| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Service": services}, "Action": "sts:AssumeRole"}})
    };
    let set_trust = async |document: Value| {
        iam.update_assume_role_policy()
            .role_name(ROLE)
            .policy_document(document.to_string())
            .send()
            .await
            .unwrap();
    };
    set_trust(trust(json!("lambda.amazonaws.com"))).await;
    repaired(&shop, "trust");
    set_trust(trust(json!(["edgelambda.amazonaws.com", "lambda.amazonaws.com"]))).await;
    shop.run("plan --detailed-exitcode").exits(0);

    let ours = iam
        .get_role_policy()
        .role_name(ROLE)
        .policy_name("provision")
        .send()
        .await
        .unwrap()
        .policy_document;
    let ours: Value =
        serde_json::from_str(&percent_encoding::percent_decode_str(&ours).decode_utf8().unwrap())
            .unwrap();
    let put = async |name: &str, document: &Value| {
        iam.put_role_policy()
            .role_name(ROLE)
            .policy_name(name)
            .policy_document(document.to_string())
            .send()
            .await
            .unwrap();
    };
    let mut other = ours.clone();
    other["Statement"][0]["Action"] = json!("s3:*");
    put("provision", &other).await;
    repaired(&shop, "policy");
    iam.delete_role_policy().role_name(ROLE).policy_name("provision").send().await.unwrap();
    repaired(&shop, "put inline policy provision");
    let mut same = ours;
    same["Statement"].as_array_mut().unwrap().reverse();
    same["Statement"][1]["Resource"] = json!([same["Statement"][1]["Resource"]]);
    put("provision", &same).await;
    shop.run("plan --detailed-exitcode").exits(0);

    let tag = aws_sdk_iam::types::Tag::builder().key("team").value("theirs").build().unwrap();
    iam.tag_role().role_name(ROLE).tags(tag).send().await.unwrap();
    repaired(&shop, "tag team  theirs -> web");

    iam.update_role_description().role_name(ROLE).description("theirs").send().await.unwrap();
    repaired(&shop, "description  theirs -> provision:stack=shop");

    // What others put there is told and left alone.
    put("extra", &other).await;
    iam.attach_role_policy()
        .role_name(ROLE)
        .policy_arn("arn:aws:iam::aws:policy/AdministratorAccess")
        .send()
        .await
        .unwrap();
    shop.ground.clear_calls();
    let ran =
        shop.run("apply --yes").exits(0).says("Nothing to do").says("also carries policy extra");
    let _ = ran.says("also carries policy arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn of_the_function() {
    use aws_sdk_lambda::types::Environment;
    let shop = Shop::applied(OWNED, Rules::aws()).await;
    let lambda = &shop.aws.clients.lambda;
    let zip =
        package::pack(&package::Files::from([("edge.py".to_owned(), b"# theirs\n".to_vec())]))
            .unwrap();
    // A change of theirs that is still in progress when we come.
    lambda.get_function_configuration().function_name(FUNCTION).send().await.unwrap();
    lambda
        .update_function_code()
        .function_name(FUNCTION)
        .zip_file(Blob::new(zip.bytes.to_vec()))
        .send()
        .await
        .unwrap();
    repaired(&shop, "code sha256");
    let settled = async || {
        for _ in 0..2 {
            lambda.get_function_configuration().function_name(FUNCTION).send().await.unwrap();
        }
    };
    settled().await;
    lambda
        .update_function_configuration()
        .function_name(FUNCTION)
        .memory_size(256)
        .timeout(7)
        .send()
        .await
        .unwrap();
    repaired(&shop, "256 MB -> 128 MB");
    settled().await;
    let variables = Environment::builder().variables("DEBUG", "1").build();
    lambda
        .update_function_configuration()
        .function_name(FUNCTION)
        .environment(variables)
        .send()
        .await
        .unwrap();
    repaired(&shop, "settings that the edge refuses  environment variables -> none");
    settled().await;
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}");
    lambda.tag_resource().resource(&arn).tags("team", "theirs").send().await.unwrap();
    repaired(&shop, "tag team  theirs -> web");
    let versions = shop.observe().await.function.unwrap().versions;
    assert_eq!(versions.len(), 1, "what was repaired is what was published already");
}

#[tokio::test]
async fn of_the_distribution() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let id = shop.distribution().await;
    for (ours, theirs, field) in [
        (
            "<DefaultRootObject>index.html</",
            "<DefaultRootObject>other.html</",
            "default root object",
        ),
        ("<PriceClass>PriceClass_100</", "<PriceClass>PriceClass_All</", "price class"),
        ("<Comment>shop</", "<Comment>theirs</", "comment"),
        (
            "<Enabled>true</Enabled><ViewerCertificate>",
            "<Enabled>false</Enabled><ViewerCertificate>",
            "enabled",
        ),
        (
            "<ViewerProtocolPolicy>redirect-to-https</",
            "<ViewerProtocolPolicy>allow-all</",
            "viewer protocol policy",
        ),
        ("<OriginPath></", "<OriginPath>/old</", "origin path"),
        (
            "<HttpVersion>http2and3</",
            "<HttpVersion>http1.1</",
            "HTTP version  http1.1 -> http2and3",
        ),
        ("<IsIPV6Enabled>true</", "<IsIPV6Enabled>false</", "IPv6  false -> true"),
        ("<Compress>true</", "<Compress>false</", "compress"),
        ("<IncludeBody>false</", "<IncludeBody>true</", "with the body -> shop-edge"),
        (
            "<RestrictionType>none</RestrictionType><Quantity>0</Quantity>",
            "<RestrictionType>whitelist</RestrictionType><Quantity>1</Quantity><Items><Location>DE</Location></Items>",
            "restricted countries",
        ),
    ] {
        edit(&shop, id.as_str(), ours, theirs);
        repaired(&shop, field);
    }
    let access = shop.observe().await.access.unwrap().id;
    let used = format!("<OriginAccessControlId>{access}</");
    edit(&shop, id.as_str(), &used, "<OriginAccessControlId></");
    repaired(&shop, &format!("origin access control  + {access}"));
    let arn = id.arn(&"000000000000".parse().unwrap());
    let tag =
        aws_sdk_cloudfront::types::Tag::builder().key("team").value("theirs").build().unwrap();
    let tags = aws_sdk_cloudfront::types::Tags::builder().items(tag).build();
    shop.aws.clients.cloudfront.tag_resource().resource(&arn).tags(tags).send().await.unwrap();
    repaired(&shop, "tag team  theirs -> web");
    let keys = aws_sdk_cloudfront::types::TagKeys::builder()
        .items("team")
        .items("provision:stack")
        .build();
    shop.aws.clients.cloudfront.untag_resource().resource(arn).tag_keys(keys).send().await.unwrap();
    repaired(&shop, "tag provision:stack  + shop");
    assert_eq!(shop.distribution().await, id);
}

#[tokio::test]
async fn of_the_access_control() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    unsigned(&shop.aws.clients.cloudfront).await;
    repaired(&shop, "signing behavior  never -> always");
}

#[tokio::test]
async fn of_the_association() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let id = shop.distribution().await;
    let theirs = foreign_function(&shop).await;
    let ours = format!("arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}:1");
    let slot =
        format!("<Quantity>1</Quantity><Items>{}</Items>", association(&ours, "viewer-request"));
    edit(&shop, id.as_str(), &slot, "<Quantity>0</Quantity>");
    repaired(&shop, "default viewer-request");
    edit(&shop, id.as_str(), &ours, &theirs);
    repaired(&shop, &format!("default viewer-request  {theirs} -> shop-edge"));
}

#[tokio::test]
async fn of_objects() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    let put =
        |key: &str| s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
    let mark = |key: &str| {
        let (stack, key) = ("shop".parse().unwrap(), ObjectKey::listed(key.to_owned()));
        Some(site::mark(&stack, &key).collect::<HashMap<_, _>>())
    };
    let marked = |key: &str| put(key).set_metadata(mark(key));
    for key in ["index.html", "maintenance.html"] {
        marked(key).send().await.unwrap();
        repaired(&shop, "etag");
        s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
        repaired(&shop, &format!("{key}  "));
    }
    // The same bytes, served in another way. S3 counts in seconds.
    let index = s3
        .head_object()
        .bucket(BUCKET)
        .key(index::KEY)
        .send()
        .await
        .unwrap()
        .last_modified
        .unwrap()
        .secs();
    let again =
        s3.copy_object().bucket(BUCKET).key("style.css").copy_source(format!("{BUCKET}/style.css"));
    let again =
        again.metadata_directive(MetadataDirective::Replace).set_metadata(mark("style.css"));
    let again = again.content_type("text/plain").cache_control("no-store");
    while again
        .clone()
        .send()
        .await
        .unwrap()
        .copy_object_result
        .unwrap()
        .last_modified
        .unwrap()
        .secs()
        <= index
    {}
    repaired(&shop, "cache control  no-store -> public, max-age=0, must-revalidate");

    // Theirs, even under our keys, is theirs until a user says otherwise.
    put("index.html").send().await.unwrap();
    put("report.pdf").send().await.unwrap();
    // A copy has the mark of its source.
    s3.copy_object()
        .bucket(BUCKET)
        .key("copy.css")
        .copy_source(format!("{BUCKET}/style.css"))
        .send()
        .await
        .unwrap();
    let ran = shop
        .run("apply --yes")
        .exits(4)
        .says("did not put: index.html")
        .says("leaves alone: copy.css, report.pdf");
    let _ = ran.says("--adopt site");
    shop.run("destroy --yes").exits(4).says("did not put: copy.css, index.html, report.pdf");
    shop.run("apply --yes --adopt site").exits(0).says("adopt, upload");
    shop.run("apply --yes").exits(0).says("Nothing to do");
    for theirs in ["report.pdf", "copy.css"] {
        s3.head_object().bucket(BUCKET).key(theirs).send().await.unwrap();
    }

    // An index that says nothing is made anew.
    marked(index::KEY).send().await.unwrap();
    repaired(&shop, "record which objects are ours");
}
