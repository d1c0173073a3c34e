//! Finding what is ours in a whole account. Lists show names and descriptions; candidates are asked for their tags.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Fault, Kind};
use crate::name::{BucketName, DistributionId, FunctionName, RoleName, StackName};
use crate::resource::distribution::aws::read;
use crate::resource::distribution::document::EVENT;
use crate::resource::site::CONCURRENCY;
use crate::resource::{STACK_TAG, TTL_TAG, Tags, marked, role};
use crate::sweep::{Remains, Trace, group};
use aws_smithy_types::DateTime;
use futures_util::{StreamExt, TryStreamExt, stream, try_join};

/// Finds everything of ours in the account.
///
/// # Errors
/// Any call's.
pub async fn discover(clients: &Clients, account: &crate::name::AccountId) -> Result<Vec<Remains>, Fault> {
    let (roles, functions, controls, (distributions, runners), buckets) = try_join!(
        roles(clients),
        functions(clients),
        controls(clients),
        distributions(clients, account),
        buckets(clients),
    )?;
    let attached: Vec<(StackName, DistributionId)> = runners
        .into_iter()
        .filter(|(id, _)| !distributions.iter().any(|trace: &Trace| trace.name == id.as_str()))
        .filter_map(|(id, arn)| functions.iter().find(|trace| runs(&arn, &trace.name)).map(|trace| (trace.stack.clone(), id)))
        .collect();
    let traces = [roles, functions, controls, distributions, buckets].concat();
    Ok(group(traces, &attached))
}

fn runs(arn: &str, function: &str) -> bool {
    arn.split(":function:").nth(1).and_then(|rest| rest.split(':').next()) == Some(function)
}

fn seconds(moment: Option<&DateTime>) -> Option<u64> {
    moment.and_then(|moment| u64::try_from(moment.secs()).ok())
}

fn stack_in(tags: &Tags) -> Option<StackName> {
    tags.get(STACK_TAG)?.parse().ok()
}

async fn roles(clients: &Clients) -> Result<Vec<Trace>, Fault> {
    let mut pages = clients.iam.list_roles().into_paginator().send();
    let mut traces = Vec::new();
    while let Some(page) = pages.next().await {
        for found in page.map_err(|error| fault("list the roles", &error))?.roles {
            let Some(stack) = found.description().and_then(marked) else { continue };
            let Ok(name) = found.role_name.parse::<RoleName>() else { continue };
            let live = role::aws::observe(clients, &name).await?;
            let ttl = live.and_then(|live| live.settings.tags.get(TTL_TAG).cloned());
            let since = seconds(Some(&found.create_date));
            traces.push(Trace { stack, kind: Kind::Role, name: name.to_string(), place: Some(found.path), since, ttl });
        }
    }
    Ok(traces)
}

async fn functions(clients: &Clients) -> Result<Vec<Trace>, Fault> {
    let mut pages = clients.lambda.list_functions().into_paginator().send();
    let mut traces = Vec::new();
    while let Some(page) = pages.next().await {
        for found in page.map_err(|error| fault("list the functions", &error))?.functions.unwrap_or_default() {
            let (Some(stack), Some(name)) = (found.description().and_then(marked), found.function_name().and_then(|name| name.parse::<FunctionName>().ok()))
            else {
                continue;
            };
            let sent = clients.lambda.get_function().function_name(name.as_str()).send().await;
            let answer = absent(sent.map_err(|error| fault(format!("read function {name}"), &error)))?;
            let ttl = answer.and_then(|answer| answer.tags).and_then(|tags| tags.get(TTL_TAG).cloned());
            let since = found.last_modified().and_then(|text| text.replace("+0000", "Z").parse::<jiff::Timestamp>().ok());
            let since = since.and_then(|moment| u64::try_from(moment.as_second()).ok());
            traces.push(Trace { stack, kind: Kind::Function, name: name.to_string(), place: None, since, ttl });
        }
    }
    Ok(traces)
}

async fn controls(clients: &Clients) -> Result<Vec<Trace>, Fault> {
    let mut traces = Vec::new();
    let mut marker = None;
    loop {
        let sent = clients.cloudfront.list_origin_access_controls().set_marker(marker).send().await;
        let Some(page) = sent.map_err(|error| fault("list the origin access controls", &error))?.origin_access_control_list else { return Ok(traces) };
        let ours = page.items.unwrap_or_default().into_iter().filter_map(|item| marked(&item.description).map(|stack| (stack, item.name)));
        traces.extend(ours.map(|(stack, name)| Trace { stack, kind: Kind::Access, name, place: None, since: None, ttl: None }));
        marker = page.next_marker.filter(|next| page.is_truncated && !next.is_empty());
        if marker.is_none() {
            return Ok(traces);
        }
    }
}

/// A distribution and a version that one of its viewer-request slots runs.
type Runner = (DistributionId, String);

async fn distributions(clients: &Clients, account: &crate::name::AccountId) -> Result<(Vec<Trace>, Vec<Runner>), Fault> {
    let (mut traces, mut runners) = (Vec::new(), Vec::new());
    let mut marker = None;
    loop {
        let sent = clients.cloudfront.list_distributions().set_marker(marker).send().await;
        let Some(page) = sent.map_err(|error| fault("list the distributions", &error))?.distribution_list else { return Ok((traces, runners)) };
        for item in page.items.unwrap_or_default() {
            let Ok(id) = item.id.parse::<DistributionId>() else { continue };
            let default = item.default_cache_behavior.and_then(|behavior| behavior.lambda_function_associations);
            let others = item.cache_behaviors.and_then(|behaviors| behaviors.items).unwrap_or_default();
            let lists = default.into_iter().chain(others.into_iter().filter_map(|behavior| behavior.lambda_function_associations));
            let slots = lists.flat_map(|list| list.items.unwrap_or_default()).filter(|slot| slot.event_type.as_str() == EVENT);
            runners.extend(slots.map(|slot| (id.clone(), slot.lambda_function_arn)));
            let candidate = item.origins.map(|origins| origins.items).unwrap_or_default().iter().any(|origin| origin.id.starts_with("provision-"));
            if !candidate {
                continue;
            }
            let tags = read(clients, account, &id).await?.map(|live| live.tags).unwrap_or_default();
            if let Some(stack) = stack_in(&tags) {
                let since = seconds(Some(&item.last_modified_time));
                let ttl = tags.get(TTL_TAG).cloned();
                traces.push(Trace { stack, kind: Kind::Distribution, name: id.to_string(), place: None, since, ttl });
            }
        }
        marker = page.next_marker.filter(|next| page.is_truncated && !next.is_empty());
        if marker.is_none() {
            return Ok((traces, runners));
        }
    }
}

async fn buckets(clients: &Clients) -> Result<Vec<Trace>, Fault> {
    let mut pages = clients.s3.list_buckets().into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.map_err(|error| fault("list the buckets", &error))?.buckets.unwrap_or_default());
    }
    stream::iter(found)
        .map(|bucket| async move {
            let Some(name) = bucket.name().and_then(|name| name.parse::<BucketName>().ok()) else { return Ok(None) };
            let tags = tags(clients, &name, bucket.bucket_region()).await?;
            Ok::<_, Fault>(stack_in(&tags).map(|stack| Trace {
                stack,
                kind: Kind::Bucket,
                name: name.to_string(),
                place: bucket.bucket_region().map(str::to_owned),
                since: seconds(bucket.creation_date()),
                ttl: tags.get(TTL_TAG).cloned(),
            }))
        })
        .buffer_unordered(CONCURRENCY)
        .try_filter_map(|trace| async move { Ok(trace) })
        .try_collect()
        .await
}

/// A bucket's tags, asked where it lies. One that may not be read is not ours.
async fn tags(clients: &Clients, name: &BucketName, region: Option<&str>) -> Result<Tags, Fault> {
    let client = clients.s3_in(region);
    let sent = client.get_bucket_tagging().bucket(name.as_str()).send().await;
    match absent(sent.map_err(|error| fault(format!("read the tags of bucket {name}"), &error))) {
        Ok(answer) => Ok(answer.map(|answer| answer.tag_set).unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()),
        Err(fault) if fault.kind == crate::change::FaultKind::Denied => Ok(Tags::new()),
        Err(fault) => Err(fault),
    }
}
