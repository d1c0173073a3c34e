//! Bytes on their way to S3: from files, piece by piece, the planned ones or none.

use super::shop::{BUCKET, OWNED, Shop, count};
use crate::support::{At, Fault, Rules};
use provision::apply::references;
use provision::change::{self, Done, FaultKind};
use provision::cloud::Cloud;
use provision::context::Context;
use provision::context::uploads::Moved;
use provision::edge::ObjectHeaders;
use provision::name::ObjectKey;
use provision::resource::content::{Content, Cut};
use provision::resource::site::index::Served;
use provision::resource::site::{self, plan};
use provision::stack::{Names, Op, Stack};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

/// S3 takes no smaller parts.
const PART: u64 = 5 << 20;
const KEY: &str = "film.mp4";

/// Bytes of which no two parts are equal.
fn film(parts: u64, extra: u64) -> Vec<u8> {
    (0..(parts * PART + extra) / 8).flat_map(u64::to_le_bytes).collect()
}

struct Studio {
    shop: Shop,
    stack: Stack,
}

/// All that S3 keeps.
fn headers() -> ObjectHeaders {
    ObjectHeaders {
        content_encoding: "gzip".into(),
        content_language: "de".into(),
        content_disposition: "attachment; filename=\"film.mp4\"".into(),
        ..ObjectHeaders::new("video/mp4", "no-cache")
    }
}

impl Studio {
    async fn open() -> Self {
        let shop = Shop::applied(OWNED, Rules::prompt()).await;
        let stack = Names::of(&shop.spec()).in_account("000000000000".parse().unwrap()).unwrap();
        shop.ground.clear_calls();
        Self { shop, stack }
    }

    fn file(&self) -> PathBuf {
        self.shop.folder.path().join("film")
    }

    /// The film as it lies there now, planned to go in parts.
    fn planned(&self, before: Option<String>) -> site::Put {
        let cut = Cut { whole: PART, part: PART };
        let content = Content::in_file(self.file(), cut, |_| headers()).unwrap();
        site::Put {
            bucket: BUCKET.parse().unwrap(),
            stack: self.stack.names.stack.clone(),
            key: KEY.parse().unwrap(),
            content,
            before,
            served: None,
            adopts: false,
        }
    }

    async fn upload(&self, put: &site::Put, stopped: bool) -> Result<Done, change::Fault> {
        let (_keep, stop) = watch::channel(stopped);
        let quiet = |_: &_, _: &str| {};
        let known = references(&provision::stack::Live::default());
        let context = Context::new(known, &quiet, stop, Duration::ZERO);
        let op = Op::Site(site::Op::Put(put.clone()));
        let (size, sent) =
            (put.content.size, Box::pin(self.shop.aws.apply(&self.stack, &op, &context)));
        let counted = async {
            let done = sent.await?;
            // What went is counted where it went from.
            assert!(matches!(done, Done::Deferred(_)) || Moved::here().count() >= size);
            Ok(done)
        };
        context.uploads.of(size, counted).await
    }

    /// What is there, and whether a plan would leave it.
    async fn has(&self, put: &site::Put, bytes: &[u8]) {
        let found = self.shop.aws.fetch(&self.stack, KEY).await.unwrap().unwrap();
        assert!(found.body == bytes, "{} bytes", found.body.len());
        let live = self.shop.observe().await.objects;
        let key: ObjectKey = KEY.parse().unwrap();
        let wanted = Served::of(&put.content);
        assert_eq!(plan::claim(&live, &key, &put.content.md5, &wanted), plan::Claim::Nothing);
    }

    /// Uploads in parts that nobody has ended.
    async fn under_way(&self) -> usize {
        let s3 = &self.shop.aws.clients.s3;
        let listed = s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
        listed.uploads().len()
    }

    fn count(&self, operation: &str) -> usize {
        count(&self.shop.ground.calls(), operation)
    }
}

#[tokio::test]
async fn a_file_is_sent_as_it_is_and_read_again_for_each_try() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let text = (0..200_000).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
    shop.write("site/numbers.csv", &text);
    shop.write("site/nothing.txt", "");
    shop.run("apply --yes").exits(0);
    let again = text.replace("7,", "8,");
    shop.write("site/numbers.csv", &again);
    shop.ground.clear_calls();
    shop.ground.fault(At::Operation("s3:PutObject", 1), Fault::Status(500));
    shop.ground.fault(At::Operation("s3:PutObject", 2), Fault::Reset);
    shop.run("apply --yes").exits(0);
    let sent = shop.ground.calls();
    let sent = sent.iter().filter(|call| call.path.contains("numbers.csv"));
    let sent: Vec<_> = sent.map(|call| call.body.clone()).collect();
    assert!(sent.len() == 3 && sent.iter().all(|body| *body == again), "{} tries", sent.len());
    assert!(shop.run("plan").exits(0).said.contains("Nothing to do"));
}

/// The right length alone proves nothing.
#[tokio::test]
async fn other_bytes_than_the_planned_ones_are_never_put() {
    let studio = Studio::open().await;
    let mut bytes = film(2, 8);
    std::fs::write(studio.file(), &bytes).unwrap();
    let in_parts = studio.planned(None);
    let mut whole = in_parts.clone();
    whole.content = Content::in_file(studio.file(), Cut::S3, |_| headers()).unwrap();
    *bytes.last_mut().unwrap() += 1;
    std::fs::write(studio.file(), &bytes).unwrap();
    for put in [&whole, &in_parts] {
        let fault = studio.upload(put, false).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Local, "{fault}");
        assert!(fault.message.contains("has changed since the plan was made"), "{fault}");
        assert!(studio.shop.aws.fetch(&studio.stack, KEY).await.unwrap().is_none());
    }
    assert_eq!((studio.count("s3:PutObject"), studio.count("s3:UploadPart")), (1, 3));
    assert_eq!(studio.under_way().await, 0);
}

#[tokio::test]
async fn what_goes_in_parts_is_one_object_that_the_next_plan_leaves() {
    let studio = Studio::open().await;
    let first = film(2, 8);
    std::fs::write(studio.file(), &first).unwrap();
    let put = studio.planned(None);
    studio.shop.ground.fault(At::Operation("s3:UploadPart", 2), Fault::Status(503));
    studio.shop.ground.fault(At::Operation("s3:CompleteMultipartUpload", 1), Fault::ReplyLost);
    studio.upload(&put, false).await.unwrap();
    studio.has(&put, &first).await;
    assert_eq!(studio.count("s3:UploadPart"), 4, "of three parts, one is sent again");
    // A reply that is lost for good, or another run of the same plan: it is there already.
    assert_eq!(studio.upload(&put, false).await.unwrap(), Done::AlreadySo);
    let second = film(3, 0);
    std::fs::write(studio.file(), &second).unwrap();
    let next = studio.planned(Some(put.content.md5.clone()));
    studio.upload(&next, false).await.unwrap();
    studio.has(&next, &second).await;
    // Whoever saw the first one does not replace the second, and who saw nothing neither.
    std::fs::write(studio.file(), &first).unwrap();
    for before in [None, Some(put.content.md5.clone())] {
        let fault = studio.upload(&studio.planned(before), false).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::MovedOn, "{fault}");
    }
    studio.has(&next, &second).await;
    assert_eq!(studio.under_way().await, 0);
}

#[tokio::test]
async fn an_upload_in_parts_that_does_not_end_leaves_none() {
    let studio = Studio::open().await;
    std::fs::write(studio.file(), film(2, 8)).unwrap();
    let put = studio.planned(None);
    for (operation, fault) in [
        ("s3:UploadPart", Fault::Denied),
        ("s3:CompleteMultipartUpload", Fault::Denied),
        ("s3:CompleteMultipartUpload", Fault::Reset),
    ] {
        studio.shop.ground.fault(At::Every(operation), fault);
        studio.upload(&put, false).await.unwrap_err();
        studio.shop.ground.clear_faults();
        assert_eq!(studio.under_way().await, 0, "{operation}");
    }
    let stopped = studio.upload(&put, true).await.unwrap();
    assert!(matches!(stopped, Done::Deferred(_)), "{stopped:?}");
    assert_eq!(studio.under_way().await, 0, "the user stopped");
    // What a run leaves that was killed goes with the next one; what has another key stays.
    let s3 = &studio.shop.aws.clients.s3;
    for key in [KEY, "film.mp4.old"] {
        s3.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
    }
    studio.upload(&put, false).await.unwrap();
    assert_eq!(studio.under_way().await, 1);
}
