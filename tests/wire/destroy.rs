//! Taking down: everything that is ours, nothing else, and later what cannot be taken down yet.

use super::cloudfront::{edit, foreign_distribution, foreign_function};
use super::shop::{BUCKET, FUNCTION, OWNED, ROLE, Ran, Shop, writes};
use crate::support::{At, Fault, Moment, Rules};
use aws_sdk_cloudfront::types::{Tag, Tags};
use aws_sdk_s3::primitives::ByteStream;
use provision::resource::STACK_TAG;
use std::process::Stdio;

#[tokio::test]
async fn what_replicas_hold_stays_and_the_next_run_finishes() {
    let shop = Shop::new(OWNED, Rules { replica_tries: 2, ..Rules::aws() }).await;
    // Neighbours who have to be there afterwards, as they were.
    shop.ground.rules(|rules| (rules.role_tries, rules.function_polls) = (0, 0));
    let arn = foreign_function(&shop).await;
    foreign_distribution(&shop, &arn, "example.org");
    shop.ground.rules(|rules| *rules = Rules { replica_tries: 2, ..Rules::aws() });
    let before = shop.everything().await;
    shop.run("apply --yes").exits(0);

    let left = |shop: &[String]| {
        shop.iter().filter(|name| !before.contains(*name)).cloned().collect::<Vec<_>>()
    };
    let stays = [format!("role {ROLE}"), format!("function {FUNCTION}")];
    shop.run("destroy --yes")
        .exits(3)
        .says("Incomplete:")
        .says(&format!("pending      function {FUNCTION}"))
        .says("CloudFront still keeps replicas of it at the edge")
        .says(&format!("not started  role {ROLE}"))
        .says("Run `provision destroy` again later");
    assert_eq!(left(&shop.everything().await), stays);
    shop.run("destroy --yes").exits(3);
    assert_eq!(left(&shop.everything().await), stays);
    shop.run("destroy --yes").exits(0).says("Done:");
    assert_eq!(shop.everything().await, before);
    shop.ground.clear_calls();
    shop.run("destroy --yes").exits(0).says("nothing of this stack exists");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn whoever_has_patience_is_done_in_one_run() {
    let shop = Shop::applied(OWNED, Rules { replica_tries: 4, ..Rules::aws() }).await;
    shop.run("destroy --yes --wait 1h").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn foreign_objects_stay_unless_they_may_go() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    for key in ["theirs/one", "/theirs/two"] {
        s3.put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from_static(b"theirs"))
            .send()
            .await
            .unwrap();
    }
    shop.ground.clear_calls();
    shop.run("plan").exits(0).says(
        "holds objects that `provision` did not put and leaves alone: /theirs/two, theirs/one",
    );
    shop.run("destroy --yes")
        .exits(4)
        .says("holds objects that `provision` did not put: /theirs/two, theirs/one")
        .says("--delete-data");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
    shop.run("destroy --yes --delete-data").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_protected_stays() {
    let shop = Shop::applied(&format!("{OWNED}protect: [bucket]\n"), Rules::prompt()).await;
    shop.run("destroy --yes").exits(0).says("stays: it is protected");
    assert_eq!(shop.everything().await, [format!("bucket {BUCKET}")]);
    let policy = shop.aws.clients.s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap();
    let policy = policy.policy.unwrap();
    assert!(policy.contains("Deny") && !policy.contains("Allow"), "nobody may read: {policy}");
    let objects = shop.aws.clients.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(objects.key_count(), Some(4));

    shop.write("provision.yaml", &format!("{OWNED}protect: [distribution]\n"));
    shop.run("apply --yes").exits(0);
    shop.ground.clear_calls();
    shop.run("destroy --yes").exits(0).says("Nothing to do");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn a_versioned_bucket_is_emptied_to_the_last_marker() {
    let shop = Shop::applied(
        &OWNED.replace("site: ./site", "site: ./site, versioning: true"),
        Rules::prompt(),
    )
    .await;
    shop.write("site/index.html", "<h1>another shop</h1>");
    shop.remove("site/style.css");
    shop.run("apply --yes").exits(0);
    let s3 = &shop.aws.clients.s3;
    s3.create_multipart_upload().bucket(BUCKET).key("index.html").send().await.unwrap();
    let versions = s3.list_object_versions().bucket(BUCKET).send().await.unwrap();
    assert_eq!((versions.versions().len(), versions.delete_markers().len()), (6, 1));
    shop.run("destroy --yes").exits(0).says("empty: 7 object versions, 1 incomplete upload");
    // The emulator would delete the bucket all the same.
    assert_eq!(shop.ground.count("s3:AbortMultipartUpload"), 1);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_object_of_theirs_under_a_delete_marker_is_theirs() {
    let shop = Shop::applied(
        &OWNED.replace("site: ./site", "site: ./site, versioning: true"),
        Rules::prompt(),
    )
    .await;
    let s3 = &shop.aws.clients.s3;
    s3.put_object()
        .bucket(BUCKET)
        .key("theirs")
        .body(ByteStream::from_static(b"theirs"))
        .send()
        .await
        .unwrap();
    s3.delete_object().bucket(BUCKET).key("theirs").send().await.unwrap();
    shop.run("destroy --yes").exits(4).says("did not put: theirs");
}

#[tokio::test]
async fn an_inline_policy_of_theirs_is_theirs() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let nothing = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Deny\", \
        \"Action\": \"*\", \"Resource\": \"*\"}]}";
    let put = shop.aws.clients.iam.put_role_policy().role_name(ROLE).policy_name("theirs");
    put.policy_document(nothing).send().await.unwrap();
    shop.ground.clear_calls();
    let told = "holds inline policies that `provision` did not put: theirs";
    shop.run("destroy --yes").exits(4).says(told).says("--delete-data");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
    shop.run("destroy --yes --delete-data").exits(0).says(told);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

/// Somebody's upload under a key of ours, hidden by a marker and then covered by our own object.
#[tokio::test]
async fn an_older_version_of_theirs_under_a_key_of_ours_is_theirs() {
    let versioned = OWNED.replace("site: ./site", "site: ./site, versioning: true");
    let shop = Shop::applied(&versioned, Rules::prompt()).await;
    let s3 = &shop.aws.clients.s3;
    let theirs = ByteStream::from_static(b"THEIRS");
    s3.put_object().bucket(BUCKET).key("index.html").body(theirs).send().await.unwrap();
    s3.delete_object().bucket(BUCKET).key("index.html").send().await.unwrap();
    shop.run("apply --yes").exits(0);
    shop.ground.clear_calls();
    let told = "holds older versions that `provision` did not put: index.html";
    shop.run("destroy --yes").exits(4).says(told).says("--delete-data");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
    // One look at each version that is not the current one: the first upload and theirs.
    assert_eq!(shop.ground.count("s3:HeadObject"), 3);
    shop.run("destroy --yes --delete-data").exits(0).says(told);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}

/// What is to go is gone: after a reply that was lost, and by another user's hand. What came
/// instead stays.
#[tokio::test]
async fn what_is_gone_already_is_deleted() {
    for (operation, key) in [("s3:DeleteObjects", "style.css"), ("s3:DeleteObject", "a\u{1}.css")] {
        let shop = Shop::applied(OWNED, Rules::prompt()).await;
        let s3 = &shop.aws.clients.s3;
        if operation == "s3:DeleteObject" {
            // No document can carry the key.
            let body = ByteStream::from_static(b"theirs");
            s3.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
        }
        shop.ground.clear_calls();
        shop.ground.fault(At::Operation(operation, 1), Fault::ReplyLost);
        shop.run("destroy --yes --delete-data").exits(0);
        assert!(shop.ground.count(operation) > 1, "{operation} was sent again");
        assert_eq!(shop.everything().await, Vec::<String>::new());
    }
    for (comes, code) in [(None, 0), (Some(&b"theirs"[..]), 1)] {
        let shop = Shop::applied(OWNED, Rules::prompt()).await;
        shop.ground.clear_calls();
        let held = shop.ground.hold(At::Operation("s3:DeleteObjects", 1), Moment::Before);
        let mut command = shop.command("destroy --yes");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(held.wait_reached_unless(|| child.try_wait().unwrap().is_some()));
        let s3 = &shop.aws.clients.s3;
        s3.delete_object().bucket(BUCKET).key("style.css").send().await.unwrap();
        if let Some(bytes) = comes {
            let body = ByteStream::from_static(bytes);
            s3.put_object().bucket(BUCKET).key("style.css").body(body).send().await.unwrap();
        }
        held.release();
        let ran = Ran::new("destroy --yes", &child.wait_with_output().unwrap()).exits(code);
        if comes.is_some() {
            drop(ran.says("could not delete style.css from bucket").says("it plans anew"));
            let found = s3.get_object().bucket(BUCKET).key("style.css").send().await;
            assert!(found.is_ok(), "it stays");
        }
    }
}

#[tokio::test]
async fn a_bucket_that_others_serve_from_stays() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    let arn = foreign_function(&shop).await;
    let id = foreign_distribution(&shop, &arn, &format!("{BUCKET}.s3.eu-west-1.amazonaws.com"));
    shop.ground.clear_calls();
    shop.run("destroy --yes")
        .exits(4)
        .says(&format!("is an origin of distribution {id}, which stays"))
        .says("protect: [bucket]");
    assert_eq!(writes(&shop.ground.calls()), Vec::<&str>::new());
}

#[tokio::test]
async fn what_is_not_ours_stays() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.aws
        .clients
        .iam
        .untag_role()
        .role_name(ROLE)
        .tag_keys("provision:stack")
        .send()
        .await
        .unwrap();
    shop.aws.clients.s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    shop.run("apply --yes")
        .exits(4)
        .says("exists and does not carry our tag")
        .says("--adopt role")
        .says("--adopt bucket");
    shop.run("destroy --yes")
        .exits(4)
        .says("the index of its objects says stack `shop`, and it does not carry our tag")
        .says("its description says stack `shop`, and it does not carry our tag");
    let s3 = &shop.aws.clients.s3;
    s3.delete_object().bucket(BUCKET).key(".provision/index").send().await.unwrap();
    let role = shop.aws.clients.iam.update_role().role_name(ROLE);
    role.description("theirs").send().await.unwrap();
    shop.run("destroy --yes").exits(0).says("is not ours and stays");
    assert_eq!(shop.everything().await, [format!("bucket {BUCKET}"), format!("role {ROLE}")]);
    shop.run("apply --yes --adopt role --adopt bucket").exits(0);
    shop.run("plan --detailed-exitcode").exits(0);
}

/// CloudFront itself may move the ETag of a disabled distribution; whoever takes it over moves it,
/// too.
#[tokio::test]
async fn a_distribution_that_moved_on_goes_only_as_ours() {
    for owner in ["shop", "theirs"] {
        let shop = Shop::applied(OWNED, Rules::prompt()).await;
        let id = shop.distribution().await;
        let held =
            shop.ground.hold(At::Operation("cloudfront:DeleteDistribution", 1), Moment::Before);
        let mut command = shop.command("destroy --yes");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(held.wait_reached_unless(|| child.try_wait().unwrap().is_some()));
        let version = |version| format!("<HttpVersion>{version}</HttpVersion>");
        edit(&shop, id.as_str(), &version("http2and3"), &version("http2"));
        let tag = Tag::builder().key(STACK_TAG).value(owner).build().unwrap();
        let arn = format!("arn:aws:cloudfront::000000000000:distribution/{}", id.as_str());
        let call = shop.aws.clients.cloudfront.tag_resource().resource(arn);
        call.tags(Tags::builder().items(tag).build()).send().await.unwrap();
        held.release();
        let ran = Ran::new("destroy --yes", &child.wait_with_output().unwrap());
        let stays = shop.aws.clients.cloudfront.get_distribution().id(id.as_str()).send().await;
        if owner == "shop" {
            drop(ran.exits(0));
            assert!(stays.is_err());
        } else {
            drop(ran.exits(1).says("could not delete distribution").says("it plans anew"));
            assert!(stays.is_ok());
        }
    }
}
