//! Creates and changes a distribution: guarded by its ETag, and one whose reply was lost counts
//! as done.

use super::observe::{observe, read_document};
use crate::aws::Clients;
use crate::aws::capture::send_instead;
use crate::aws::fault::fault;
use crate::aws::lost;
use crate::aws::wait;
use crate::change::{Address, Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, StackName};
use crate::resource::distribution::document::{Document, with_tags};
use crate::resource::distribution::edit::Edit;
use crate::resource::tags::Difference;
use crate::resource::{STACK_TAG, Tags};
use aws_sdk_cloudfront::types::{
    DefaultCacheBehavior, DistributionConfig, DistributionConfigWithTags, Origin, Origins, Tag,
    TagKeys, Tags as CloudFrontTags, ViewerProtocolPolicy,
};
use std::sync::{Mutex, PoisonError};

/// How CloudFront says that it does not see a role or a version yet, or not as active.
const UNSEEN: [FaultKind; 2] = [FaultKind::NotPropagated, FaultKind::Busy];
const STILL_UNSEEN: &str = "CloudFront does not see the role or the version yet";

pub(super) async fn create(
    clients: &Clients,
    account: &AccountId,
    stack: &StackName,
    document: &Document,
    tags: &Tags,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let stand_in = DistributionConfigWithTags::builder()
        .distribution_config(stand_in()?)
        .tags(cloudfront_tags(tags)?)
        .build();
    let body = with_tags(document, tags);
    let waited = wait::until(
        context,
        (address, "CloudFront to see the role and the version"),
        (clients.rhythm.quick, wait::PROPAGATION),
        &UNSEEN,
        || async {
            let sent = clients
                .cloudfront
                .create_distribution_with_tags()
                .distribution_config_with_tags(stand_in.clone())
                .customize()
                .mutate_request(send_instead(body.clone()))
                .send()
                .await;
            match sent.map_err(|error| {
                fault(
                    format!(
                        "create the distribution of stack \
                {stack}"
                    ),
                    &error,
                )
            }) {
                Ok(answer) => Ok(Some((
                    answer.distribution.map(|d| (d.id, d.domain_name)),
                    answer.e_tag,
                    Done::Changed(String::new()),
                ))),
                // A reply of ours that was lost, or another run of the same plan: found again by
                // its origin and tag.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => {
                    match observe(clients, account, stack, None, None).await? {
                        Some(live) => Ok(Some((
                            Some((live.id.to_string(), live.domain)),
                            Some(live.etag),
                            Done::AlreadySo,
                        ))),
                        None if lost::has_lost() => Err(fault.hinted(
                            "it was just made, the answer was lost, and CloudFront does not list it \
                                yet: run the same command again in a minute, it finds it",
                        )),
                        None => Err(fault.hinted(
                            "CloudFront remembers an earlier distribution of this stack, or does not \
                                list yet what another run has just made: run the same command again \
                                in a minute; where it stays so, `provision destroy`, then apply",
                        )),
                    }
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    let (found, etag, done) = match waited.or_later(STILL_UNSEEN, wait::PROPAGATION) {
        Ok(met) => met,
        Err(early) => return early.done(),
    };
    let (id, domain) = found.unzip();
    let id = id.and_then(|id: String| id.parse::<DistributionId>().ok());
    context.references(|known| {
        known.etags.extend(id.clone().zip(etag));
        known.distribution = id;
        known.domain = domain;
    });
    Ok(done)
}

/// Makes the edits in the document that `etag` stands for; where the `ETag` has moved, and nothing
/// on which the edits rest, in the one that is there now.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where another user wrote in between.
pub(crate) async fn update(
    clients: &Clients,
    (id, etag): (&DistributionId, &str),
    (document, edits): (&Document, &[Edit]),
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let edited = |document: &Document| {
        let tried = || format!("update distribution {id}");
        document.edit(edits).map_err(|why| Fault::new(FaultKind::Refused, tried(), why))
    };
    let target = Mutex::new((etag.to_owned(), edited(document)?));
    let current = || target.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let waited = wait::until(
        context,
        (address, "CloudFront to see the role and the version"),
        (clients.rhythm.quick, wait::PROPAGATION),
        &UNSEEN,
        || async {
            let (etag, body) = current();
            let refused = match send(clients, id, &etag, body).await {
                Err(fault) if fault.kind == FaultKind::MovedOn => fault,
                answer => return answer.map(|etag| Some(written(etag))),
            };
            let Some(live) = read_document(clients, id).await? else { return Err(refused) };
            let wanted = edited(&live.document)?;
            // A reply of ours that was lost: what is there now needs none of the edits.
            if wanted == live.document {
                return Ok(Some((Some(live.etag), Done::AlreadySo)));
            }
            if !document.rests(&live.document, edits) {
                return Err(refused);
            }
            let moved = (live.etag, wanted);
            target.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&moved);
            // Once: whatever moves it all the time is not waited for.
            let again = send(clients, id, &moved.0, moved.1).await;
            again.map(|etag| Some(written(etag))).map_err(|fault| match fault.kind {
                FaultKind::MovedOn => fault.hinted(RESTLESS),
                _ => fault,
            })
        },
    )
    .await?;
    let (etag, done) = match waited.or_later(STILL_UNSEEN, wait::PROPAGATION) {
        Ok(met) => met,
        Err(early) => return early.done(),
    };
    context.references(|known| known.etags.extend(etag.map(|etag| (id.clone(), etag))));
    Ok(done)
}

const RESTLESS: &str = "its ETag moves all the time, because a user writes it, or because \
    CloudFront does when a policy that it uses changes: run the same command again, it plans anew";

async fn send(
    clients: &Clients,
    id: &DistributionId,
    etag: &str,
    body: Document,
) -> Result<Option<String>, Fault> {
    let request = clients.cloudfront.update_distribution().id(id.as_str()).if_match(etag);
    let request = request.distribution_config(stand_in()?).customize();
    let sent = request.mutate_request(send_instead(body.0)).send().await;
    let answer = sent.map_err(|error| fault(format!("update distribution {id}"), &error))?;
    Ok(answer.e_tag)
}

/// What an answered update is to the wait for it.
fn written(etag: Option<String>) -> (Option<String>, Done) {
    (etag, Done::Changed(String::new()))
}

pub(super) async fn set_tags(
    clients: &Clients,
    (id, arn): (&DistributionId, &str),
    stack: &StackName,
    tags: &Difference,
) -> Result<Done, Fault> {
    let (gone, mut wanted) = (tags.removed(), tags.set());
    // In this order: only what carries our tag may lose one (`permissions`).
    if !wanted.is_empty() {
        wanted.insert(STACK_TAG.to_owned(), stack.to_string());
        let sent = clients
            .cloudfront
            .tag_resource()
            .resource(arn)
            .tags(cloudfront_tags(&wanted)?)
            .send()
            .await;
        sent.map_err(|error| fault(format!("tag distribution {id}"), &error))?;
    }
    if !gone.is_empty() {
        let keys = TagKeys::builder().set_items(Some(gone)).build();
        let sent = clients.cloudfront.untag_resource().resource(arn).tag_keys(keys).send().await;
        sent.map_err(|error| fault(format!("untag distribution {id}"), &error))?;
    }
    Ok(Done::Changed(String::new()))
}

/// What the SDK's types ask for before they let a request through; the document takes its place.
fn stand_in() -> Result<DistributionConfig, Fault> {
    let incomplete = |error: aws_sdk_cloudfront::error::BuildError| {
        Fault::new(FaultKind::Local, "build a request", error.to_string())
    };
    let origin = Origin::builder().id("-").domain_name("-").build().map_err(incomplete)?;
    DistributionConfig::builder()
        .caller_reference("-")
        .origins(Origins::builder().quantity(1).items(origin).build().map_err(incomplete)?)
        .default_cache_behavior(
            DefaultCacheBehavior::builder()
                .target_origin_id("-")
                .viewer_protocol_policy(ViewerProtocolPolicy::HttpsOnly)
                .build()
                .map_err(incomplete)?,
        )
        .comment("-")
        .enabled(false)
        .build()
        .map_err(incomplete)
}

fn cloudfront_tags(tags: &Tags) -> Result<CloudFrontTags, Fault> {
    let items: Result<Vec<Tag>, _> =
        tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let items =
        items.map_err(|error| Fault::new(FaultKind::Local, "write a tag", error.to_string()))?;
    Ok(CloudFrontTags::builder().set_items(Some(items)).build())
}
