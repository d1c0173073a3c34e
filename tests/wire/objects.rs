//! What it costs to know whose the objects are: one call for all of ours, a few dozen for however
//! many of theirs.

use super::shop::{BUCKET, OWNED, Shop, count, kept};
use crate::support::Rules;
use crate::support::ledger::Call;
use aws_sdk_s3::primitives::ByteStream;
use provision::resource::site::{CONCURRENCY, PATIENCE, index};

const PAGE: usize = 50;

/// Lists, reads and looks of a plan.
fn looks(calls: &[Call]) -> [usize; 3] {
    ["s3:ListObjectsV2", "s3:GetObject", "s3:HeadObject"].map(|operation| count(calls, operation))
}

#[tokio::test]
async fn ours_cost_one_call_and_theirs_a_few_dozen() {
    let shop = Shop::new(OWNED, Rules { page_size: Some(PAGE), ..Rules::prompt() }).await;
    (0..120)
        .for_each(|number| shop.write(&format!("site/photos/{number}.svg"), &number.to_string()));
    shop.run("apply --yes").exits(0);
    // Two files more, the page, the index.
    let pages = |objects: usize| objects.div_ceil(PAGE);
    let unchanged = shop.calls_of("plan --detailed-exitcode", 0);
    assert_eq!(looks(&unchanged), [pages(124), 1, 0]);

    let s3 = &shop.aws.clients.s3;
    let put = |key: String| {
        s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x")).send()
    };
    for number in 0..100 {
        put(format!("a/{number}")).await.unwrap();
    }
    let most = PATIENCE + CONCURRENCY;
    shop.ground.clear_calls();
    let told = "and 97 more (40 were asked for our mark, the others count as theirs)";
    shop.run("plan --detailed-exitcode").exits(0).says(told);
    let [lists, reads, heads] = looks(&shop.ground.calls());
    assert_eq!((lists, reads), (pages(224), 1));
    assert!((PATIENCE..most).contains(&heads), "{heads}");
    let [_, reads, heads] = looks(&shop.calls_of("plan --destroy", 4));
    assert!(reads == 1 && (PATIENCE..most).contains(&heads), "{heads}");

    // Without an index, whatever is ours is asked, and is in the next.
    s3.delete_object().bucket(BUCKET).key(index::KEY).send().await.unwrap();
    let [_, _, heads] = looks(&shop.calls_of("plan --detailed-exitcode", 2));
    assert!((123 + PATIENCE..123 + most).contains(&heads), "{heads}");
    shop.run("apply --yes").exits(0).says("1 created");
    let [_, _, heads] = looks(&shop.calls_of("plan --detailed-exitcode", 0));
    assert!(heads < most, "{heads}");
}

/// Where a KMS key encrypts, no `ETag` tells the bytes. The index does.
#[tokio::test]
async fn what_was_put_is_known_by_its_etag_whatever_that_is() {
    let rules = Rules { opaque_etags: true, ..Rules::prompt() };
    let shop = Shop::applied(&kept(), rules).await;
    for _ in 0..2 {
        let again = shop.calls_of("apply --yes", 0);
        assert_eq!((count(&again, "s3:PutObject"), looks(&again)), (0, [1, 1, 0]));
    }
    // One file changes, one goes: the index says twice what edges have to drop.
    shop.write("site/style.css", "body { color: red }");
    shop.write("site/new.css", "p {}");
    let changed = shop.calls_of("apply --yes", 0);
    assert_eq!((count(&changed, "s3:PutObject"), looks(&changed)[2]), (3, 0));
    std::fs::remove_file(shop.folder.path().join("site/new.css")).unwrap();
    let gone = shop.calls_of("apply --yes", 0);
    assert_eq!((count(&gone, "s3:PutObject"), count(&gone, "s3:DeleteObject")), (2, 1));
    shop.run("maintenance on").exits(0);
    shop.write("page.html", "<h1>back soon</h1>");
    shop.run("apply --yes").exits(0);
    shop.run("plan --detailed-exitcode").exits(0);
    shop.run("maintenance off").exits(0);
    // Bytes of theirs in place of ours are a drift as ever.
    let s3 = &shop.aws.clients.s3;
    let found = s3.head_object().bucket(BUCKET).key("style.css").send().await.unwrap();
    let theirs = s3.put_object().bucket(BUCKET).key("style.css").set_metadata(found.metadata);
    theirs.body(ByteStream::from_static(b"theirs")).send().await.unwrap();
    shop.run("plan --detailed-exitcode").exits(2).says("style.css");
    shop.run("destroy --yes").exits(0);
    assert_eq!(shop.everything().await, Vec::<String>::new());
}
