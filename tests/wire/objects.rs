//! What it costs to know whose the objects are: one call for all of ours, a few dozen for however
//! many of theirs.

use super::shop::{BUCKET, OWNED, Shop, count};
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
