//! The distribution on the wire.

use super::document::{Document, with_tags};
use super::edit::Edit;
use super::{Live, Op, new_document, origin_id, owner};
use crate::aws::Clients;
use crate::aws::capture::{RawAnswer, send_instead};
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Waited};
use crate::change::{Address, Done, Fault, FaultKind, Kind};
use crate::context::Context;
use crate::name::{AccountId, DistributionId, StackName};
use crate::resource::distribution::document::EVENT;
use crate::resource::{Tags, Trace};
use aws_sdk_cloudfront::types::{
    DefaultCacheBehavior, DistributionConfig, DistributionConfigWithTags, Origin, Origins, Tag,
    TagKeys, Tags as CloudFrontTags, ViewerProtocolPolicy,
};
use futures_util::try_join;

/// Finds the stack's distribution: by the id that our grant names, else by our origin id; tag and
/// creation decide. `listed` are all distributions of
/// the account, if somebody has asked already.
///
/// # Errors
/// Any call's.
pub async fn observe(
    clients: &Clients,
    account: &AccountId,
    stack: &StackName,
    granted: Option<&DistributionId>,
    listed: Option<&[Listed]>,
) -> Result<Option<Live>, Fault> {
    if let Some(id) = granted {
        let found = read(clients, account, id).await?.filter(|live| owner::is_ours(live, stack));
        if found.is_some() {
            return Ok(found);
        }
    }
    let asked = if listed.is_none() { list(clients).await? } else { Vec::new() };
    let mut best: Option<Live> = None;
    let claim = |live: &Option<Live>| live.as_ref().map_or(0, |live| owner::claim(live, stack));
    for Listed { id, .. } in
        listed.unwrap_or(&asked).iter().filter(|one| one.has_origin(&origin_id(stack)))
    {
        let found = read(clients, account, id).await?;
        if claim(&found) > claim(&best) {
            best = found;
        }
    }
    Ok(best)
}

/// One distribution in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: DistributionId,
    /// Its origins: id, host, path.
    pub origins: Vec<(String, String, String)>,
    /// The access controls with which its origins are signed for.
    pub controls: Vec<String>,
    /// Who answers in its slots: event and version.
    pub occupants: Vec<(String, String)>,
    /// When it was last changed: seconds since the Unix epoch.
    pub modified: Option<u64>,
    /// Does it answer?
    pub enabled: bool,
}

impl Listed {
    /// Has it an origin of this id?
    #[must_use]
    pub fn has_origin(&self, id: &str) -> bool {
        self.origins.iter().any(|(known, _, _)| known == id)
    }
}

/// Lists every distribution of the account.
///
/// # Errors
/// The call's.
pub async fn list(clients: &Clients) -> Result<Vec<Listed>, Fault> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let sent = clients.cloudfront.list_distributions().set_marker(marker).send().await;
        let Some(page) =
            sent.map_err(|error| fault("list the distributions", &error))?.distribution_list
        else {
            return Ok(all);
        };
        for item in page.items.unwrap_or_default() {
            let Ok(id) = item.id.parse() else { continue };
            let origins = item.origins.map(|origins| origins.items).unwrap_or_default();
            let default = item
                .default_cache_behavior
                .and_then(|behavior| behavior.lambda_function_associations);
            let others =
                item.cache_behaviors.and_then(|behaviors| behaviors.items).unwrap_or_default();
            let lists = default.into_iter().chain(
                others.into_iter().filter_map(|behavior| behavior.lambda_function_associations),
            );
            let slots = lists.flat_map(|list| list.items.unwrap_or_default());
            all.push(Listed {
                id,
                controls: origins
                    .iter()
                    .filter_map(|origin| origin.origin_access_control_id.clone())
                    .collect(),
                origins: origins
                    .into_iter()
                    .map(|origin| {
                        (origin.id, origin.domain_name, origin.origin_path.unwrap_or_default())
                    })
                    .collect(),
                occupants: slots
                    .map(|slot| (slot.event_type.as_str().to_owned(), slot.lambda_function_arn))
                    .collect(),
                modified: u64::try_from(item.last_modified_time.secs()).ok(),
                enabled: item.enabled,
            });
        }
        marker = page.next_marker.filter(|next| page.is_truncated && !next.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Reads one distribution with its tags.
///
/// # Errors
/// Any call's.
pub async fn read(
    clients: &Clients,
    account: &AccountId,
    id: &DistributionId,
) -> Result<Option<Live>, Fault> {
    let (live, tags) = try_join!(read_document(clients, id), tags(clients, account, id))?;
    Ok(live.map(|live| Live { tags, ..live }))
}

async fn tags(clients: &Clients, account: &AccountId, id: &DistributionId) -> Result<Tags, Fault> {
    let sent = clients.cloudfront.list_tags_for_resource().resource(id.arn(account)).send().await;
    let answer =
        absent(sent.map_err(|error| fault(format!("read the tags of distribution {id}"), &error)))?;
    let tags =
        answer.and_then(|answer| answer.tags).and_then(|tags| tags.items).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

/// Reads one distribution; its tags stay empty.
///
/// # Errors
/// The call's.
pub async fn read_document(clients: &Clients, id: &DistributionId) -> Result<Option<Live>, Fault> {
    let tried = format!("read distribution {id}");
    let raw = RawAnswer::default();
    let sent = clients
        .cloudfront
        .get_distribution()
        .id(id.as_str())
        .customize()
        .interceptor(raw.clone())
        .send()
        .await;
    let Some(answer) = absent(sent.map_err(|error| fault(&tried, &error)))? else {
        return Ok(None);
    };
    let etag = answer.e_tag.unwrap_or_default();
    let document = Document::in_answer(&raw.text()).ok_or_else(|| {
        Fault::new(FaultKind::Refused, &tried, "the answer holds no configuration")
    })?;
    Ok(answer.distribution.map(|distribution| Live {
        id: id.clone(),
        etag,
        document,
        deployed: distribution.status == "Deployed",
        domain: distribution.domain_name,
        tags: Tags::new(),
    }))
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

/// Carries out one op.
///
/// # Errors
/// The call's.
pub async fn apply(
    clients: &Clients,
    account: &AccountId,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let address = op.change().address;
    match op {
        Op::Create { stack, settings, tags, occupant } => {
            let access = context.references(|known| known.access.clone()).unwrap_or_default();
            let document = new_document(stack, settings, &access, &occupant.resolve(context)?);
            create(clients, account, stack, &document, tags, &address, context).await
        }
        Op::Update { id, etag, document, occupant, .. } => {
            let access = context.references(|known| known.access.clone()).unwrap_or_default();
            let arn = occupant
                .as_ref()
                .and_then(|(_, after)| after.as_ref())
                .map(|after| after.resolve(context))
                .transpose()?;
            update(
                clients,
                (id, etag),
                (document, &op.edits(arn.as_deref(), &access)),
                &address,
                context,
            )
            .await
        }
        Op::SetTags { id, arn, tags } => {
            let (gone, wanted) = (tags.removed(), tags.set());
            if !gone.is_empty() {
                let keys = TagKeys::builder().set_items(Some(gone)).build();
                let sent =
                    clients.cloudfront.untag_resource().resource(arn).tag_keys(keys).send().await;
                sent.map_err(|error| fault(format!("untag distribution {id}"), &error))?;
            }
            if !wanted.is_empty() {
                let sent = clients
                    .cloudfront
                    .tag_resource()
                    .resource(arn)
                    .tags(cloudfront_tags(&wanted)?)
                    .send()
                    .await;
                sent.map_err(|error| fault(format!("tag distribution {id}"), &error))?;
            }
            Ok(Done::Changed(String::new()))
        }
        Op::AwaitDeployed { id, disabled } => {
            let known = context.references(|known| known.distribution.clone());
            let Some(id) = id.clone().or(known) else { return Ok(Done::AlreadySo) };
            await_deployed(clients, &id, *disabled, &address, context).await
        }
        Op::Delete { id, etag } => delete(clients, id, etag.as_deref(), &address, context).await,
    }
}

async fn create(
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
        address,
        "CloudFront to see the role and the \
            version",
        (clients.rhythm.quick, wait::PROPAGATION),
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
                Err(fault) if matches!(fault.kind, FaultKind::NotPropagated | FaultKind::Busy) => {
                    Ok(None)
                }
                // A reply of ours that was lost, or another run of the same plan: found again by
                // its origin and tag.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => {
                    match observe(clients, account, stack, None, None).await? {
                        Some(live) => Ok(Some((
                            Some((live.id.to_string(), live.domain)),
                            Some(live.etag),
                            Done::AlreadySo,
                        ))),
                        None => Err(fault.hinted(
                            "CloudFront remembers an earlier distribution of this stack: run \
                            `provision destroy`, then apply again",
                        )),
                    }
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    let Waited::Met((found, etag, done)) = waited else {
        return Ok(Done::Deferred {
            reason: "CloudFront does not see the role yet".into(),
            try_again_after: wait::PROPAGATION,
        });
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

/// Makes the edits in the document that `etag` stands for.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where somebody else wrote in between.
pub async fn update(
    clients: &Clients,
    (id, etag): (&DistributionId, &str),
    (document, edits): (&Document, &[Edit]),
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let edited = document
        .edit(edits)
        .map_err(|why| Fault::new(FaultKind::Refused, format!("update distribution {id}"), why))?;
    let stand_in = stand_in()?;
    let waited = wait::until(
        context,
        address,
        "CloudFront to see the role and the version",
        (clients.rhythm.quick, wait::PROPAGATION),
        || async {
            let sent = clients
                .cloudfront
                .update_distribution()
                .id(id.as_str())
                .if_match(etag)
                .distribution_config(stand_in.clone())
                .customize()
                .mutate_request(send_instead(edited.0.clone()))
                .send()
                .await;
            match sent.map_err(|error| fault(format!("update distribution {id}"), &error)) {
                Ok(answer) => Ok(Some((answer.e_tag, Done::Changed(String::new())))),
                Err(fault) if matches!(fault.kind, FaultKind::NotPropagated | FaultKind::Busy) => {
                    Ok(None)
                }
                // A reply of ours that was lost: what is there now needs none of the edits.
                Err(fault) if fault.kind == FaultKind::MovedOn => {
                    match read_document(clients, id).await? {
                        Some(live) if live.document.edit(edits).as_ref() == Ok(&live.document) => {
                            Ok(Some((Some(live.etag), Done::AlreadySo)))
                        }
                        _ => Err(fault),
                    }
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    let Waited::Met((etag, done)) = waited else {
        return Ok(Done::Deferred {
            reason: "CloudFront does not see the role or the version yet".into(),
            try_again_after: wait::PROPAGATION,
        });
    };
    context.references(|known| known.etags.extend(etag.map(|etag| (id.clone(), etag))));
    Ok(done)
}

/// How many answers with another ETag than our write's are taken for old snapshots.
const STALE_ANSWERS: u32 = 3;

/// Waits until the distribution is deployed. The first answer after an update can still be the old
/// one, which another ETag gives away (docs/aws.md, "the first look can be stale").
///
/// # Errors
/// The call's.
pub async fn await_deployed(
    clients: &Clients,
    id: &DistributionId,
    disabled: bool,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let expected = context.references(|known| known.etags.get(id).cloned());
    let strange = std::sync::atomic::AtomicU32::new(0);
    let waited = wait::until(
        context,
        address,
        "the deployment to reach every edge",
        (clients.rhythm.deployment, wait::DEPLOYMENT),
        || async {
            let Some(live) = read_document(clients, id).await? else { return Ok(Some(None)) };
            // Another ETag than our write's is an old snapshot, or, if it stays, somebody's later
            // write, which is not ours to await.
            let foreign = expected.as_ref().is_some_and(|etag| *etag != live.etag);
            let stale = foreign
                && strange.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < STALE_ANSWERS;
            let enabled = disabled && live.document.read().enabled;
            if enabled && foreign && !stale {
                return Err(Fault::new(
                    FaultKind::MovedOn,
                    format!("disable distribution {id}"),
                    "somebody enabled it again",
                )
                .hinted(
                    "make sure that nobody applies the stack, then run the same command again",
                ));
            }
            let met = live.deployed && !stale && !enabled;
            Ok(met.then_some(Some((live.etag, live.domain))))
        },
    )
    .await?;
    match waited {
        Waited::Met(found) => {
            if let Some((etag, domain)) = found {
                context.references(|known| {
                    known.etags.insert(id.clone(), etag);
                    if known.distribution.as_ref() == Some(id) {
                        known.domain = Some(domain);
                    }
                });
            }
            Ok(Done::Changed("deployed".into()))
        }
        Waited::OutOfTime | Waited::Stopped => Ok(Done::Deferred {
            reason: format!("distribution {id} is still deploying"),
            try_again_after: std::time::Duration::from_mins(5),
        }),
    }
}

async fn delete(
    clients: &Clients,
    id: &DistributionId,
    seen: Option<&str>,
    address: &Address,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let etag = std::sync::Mutex::new(
        seen.map(str::to_owned)
            .or_else(|| context.references(|known| known.etags.get(id).cloned())),
    );
    let current = || etag.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let waited = wait::until(
        context,
        address,
        "CloudFront to let go of it",
        (clients.rhythm.quick, wait::SETTLING),
        || async {
            let sent = clients
                .cloudfront
                .delete_distribution()
                .id(id.as_str())
                .set_if_match(current())
                .send()
                .await;
            match absent(sent.map_err(|error| fault(format!("delete distribution {id}"), &error))) {
                Ok(Some(_)) => Ok(Some(Done::Changed(String::new()))),
                Ok(None) => Ok(Some(Done::AlreadySo)),
                // CloudFront's control plane lags behind itself (docs/aws.md, "a distribution's
                // end"); it is ours, and it must still be disabled.
                Err(fault) if matches!(fault.kind, FaultKind::MovedOn | FaultKind::Busy) => {
                    match read_document(clients, id).await? {
                        Some(live) if live.document.read().enabled => {
                            Err(Fault { kind: FaultKind::MovedOn, ..fault })
                        }
                        Some(live) => {
                            *etag.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                                Some(live.etag);
                            Ok(None)
                        }
                        None => Ok(Some(Done::AlreadySo)),
                    }
                }
                Err(fault) => Err(fault),
            }
        },
    )
    .await?;
    Ok(match waited {
        Waited::Met(done) => done,
        Waited::OutOfTime | Waited::Stopped => Done::Deferred {
            reason: format!("CloudFront does not let go of distribution {id} yet"),
            try_again_after: wait::SETTLING,
        },
    })
}

/// A distribution and a version that one of its viewer-request slots runs.
pub type Runner = (DistributionId, String);

/// Finds what is ours of this kind in the whole account.
///
/// # Errors
/// Any call's.
pub async fn traces(
    clients: &Clients,
    account: &AccountId,
) -> Result<(Vec<Trace>, Vec<Runner>), Fault> {
    let (mut traces, mut runners) = (Vec::new(), Vec::new());
    for Listed { id, origins, occupants, modified, enabled, controls: _ } in list(clients).await? {
        runners.extend(
            occupants
                .into_iter()
                .filter(|(event, _)| event == EVENT)
                .map(|(_, arn)| (id.clone(), arn)),
        );
        if !origins.iter().any(|(origin, _, _)| origin.starts_with("provision-")) {
            continue;
        }
        let Some(found) = read(clients, account, &id).await? else { continue };
        if let Some(stack) = owner::owner(&found).stack() {
            let trace = Trace::of(stack.clone(), Kind::Distribution, id, &found.tags);
            traces.push(Trace { since: modified, enabled: Some(enabled), ..trace });
        }
    }
    Ok((traces, runners))
}
