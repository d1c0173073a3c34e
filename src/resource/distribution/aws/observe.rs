//! Finds and reads distributions: every other byte of a document stays as CloudFront sent it.

use crate::aws::Clients;
use crate::aws::capture::RawAnswer;
use crate::aws::fault::{absent, fault};
use crate::change::{Fault, FaultKind};
use crate::name::{AccountId, DistributionId, StackName};
use crate::resource::Tags;
use crate::resource::distribution::document::Document;
use crate::resource::distribution::{Listed, Live, origin_id, owner};
use futures_util::try_join;

/// Finds the stack's distribution: by the id that our grant names, else by our origin id; tag and
/// creation decide. `listed` are all distributions of
/// the account, if they have been listed already.
pub(crate) async fn observe(
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

/// Lists every distribution of the account.
pub(crate) async fn list(clients: &Clients) -> Result<Vec<Listed>, Fault> {
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
pub(super) async fn read(
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
    absent(known(clients, id).await)
}

/// The same, of one that was there.
///
/// # Errors
/// The call's, [`FaultKind::NotFound`] included.
pub(super) async fn known(clients: &Clients, id: &DistributionId) -> Result<Live, Fault> {
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
    let answer = sent.map_err(|error| fault(&tried, &error))?;
    let etag = answer.e_tag.unwrap_or_default();
    let found = Document::in_answer(&raw.text()).zip(answer.distribution);
    let (document, distribution) = found.ok_or_else(|| {
        Fault::new(FaultKind::Refused, &tried, "the answer holds no configuration")
    })?;
    Ok(Live {
        id: id.clone(),
        etag,
        document,
        deployed: distribution.status == "Deployed",
        domain: distribution.domain_name,
        tags: Tags::new(),
    })
}
