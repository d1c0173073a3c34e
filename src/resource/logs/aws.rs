//! Log groups on the wire: every region by itself, all at the same time.

use super::{Group, GroupId, Live, Op, Orphan, arn, function, plan, prefix};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::name::{AccountId, FunctionName, Region};
use crate::resource::{Tags, Traces};
use aws_sdk_cloudwatchlogs::types::LogGroup;
use futures_util::future::{join_all, try_join_all};
use std::collections::{BTreeMap, BTreeSet};

/// Looks for the groups of this name: one call for each region, without tags.
///
/// # Errors
/// A call's, unless the region only refuses.
pub(crate) async fn observe(clients: &Clients, name: &str) -> Result<Live, Fault> {
    let looks = Region::of_edge_logs().map(|region| async {
        let found = list(clients, &region, name, Some(name)).await;
        (region, found.map(|groups| groups.first().map(group)))
    });
    let mut live = Live::default();
    for (region, found) in join_all(looks).await {
        if let Some(group) = unless_refused(&mut live.refused, &region, found)?.flatten() {
            live.groups.insert(region, group);
        }
    }
    Ok(live)
}

/// Looks up the tags of groups that were found, where they are asked: one call for each.
///
/// # Errors
/// A call's, unless the region only refuses.
pub(crate) async fn observe_tags(
    clients: &Clients,
    account: &AccountId,
    name: &str,
    seen: Live,
    is_asked: impl Fn(&Group) -> bool,
) -> Result<Live, Fault> {
    let Live { groups, mut refused } = seen;
    let looks = groups.into_iter().map(|(region, group)| async {
        let tags = if is_asked(&group) {
            tags(clients, account, &region, name).await
        } else {
            Ok(Some(Tags::new()))
        };
        (region, group, tags)
    });
    let mut groups = BTreeMap::new();
    for (region, group, tags) in join_all(looks).await {
        if let Some(tags) = unless_refused(&mut refused, &region, tags)?.flatten() {
            groups.insert(region, Group { tags, ..group });
        }
    }
    Ok(Live { groups, refused })
}

/// A region that is not enabled, or that the caller may not use, answers for itself alone.
/// Credentials that have ended and a network that is gone do not: once the function is deleted,
/// nothing proves any more whose the groups are.
fn unless_refused<T>(
    refused: &mut BTreeMap<Region, Fault>,
    region: &Region,
    answer: Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(fault) if is_refusal(&fault) => {
            refused.insert(region.clone(), fault);
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// A region that is not enabled does not know the caller's key (docs/aws.md, "closed regions").
fn is_refusal(fault: &Fault) -> bool {
    let is_unknown = |code: &str| {
        matches!(code, "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure")
    };
    fault.kind == FaultKind::Denied || fault.code.as_deref().is_some_and(is_unknown)
}

/// The groups whose names begin with `prefix`, or the one called `name`.
async fn list(
    clients: &Clients,
    region: &Region,
    prefix: &str,
    name: Option<&str>,
) -> Result<Vec<LogGroup>, Fault> {
    let mut pages = clients
        .logs_in(region)
        .describe_log_groups()
        .log_group_name_prefix(prefix)
        .into_paginator()
        .send();
    let tried = name.map_or_else(
        || "look for log groups".to_owned(),
        |name| format!("look for log group {name}"),
    );
    let mut groups = Vec::new();
    while let Some(page) = pages.next().await {
        groups.extend(page.map_err(|error| fault(&tried, &error))?.log_groups.unwrap_or_default());
        // A prefix fits others' names as well.
        if let Some(name) = name {
            groups.retain(|group| group.log_group_name() == Some(name));
            if !groups.is_empty() {
                break;
            }
        }
    }
    Ok(groups)
}

fn group(found: &LogGroup) -> Group {
    Group {
        retention: found.retention_in_days.and_then(|days| u32::try_from(days).ok()),
        policy: found.retention_policy_name.clone(),
        protected: found.deletion_protection_enabled == Some(true),
        tags: Tags::new(),
        created: seconds(found).unwrap_or_default(),
    }
}

/// When it was made, in seconds since the Unix epoch.
fn seconds(found: &LogGroup) -> Option<u64> {
    found.creation_time.and_then(|milliseconds| u64::try_from(milliseconds / 1_000).ok())
}

async fn tags(
    clients: &Clients,
    account: &AccountId,
    region: &Region,
    name: &str,
) -> Result<Option<Tags>, Fault> {
    let arn = arn(region.as_str(), account, name);
    let sent = clients.logs_in(region).list_tags_for_resource().resource_arn(arn).send().await;
    let answer =
        absent(sent.map_err(|error| fault(format!("read the tags of log group {name}"), &error)))?;
    Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
}

pub(crate) async fn apply(
    clients: &Clients,
    GroupId { region, name }: &GroupId,
    op: &Op,
) -> Result<Done, Fault> {
    let logs = clients.logs_in(region);
    match op {
        Op::Create { tags } => {
            let tags = tags.clone().into_iter().collect();
            let sent =
                logs.create_log_group().log_group_name(name).set_tags(Some(tags)).send().await;
            match sent
                .map_err(|error| fault(format!("create log group {name} in {region}"), &error))
            {
                Ok(_) => Ok(Done::Changed(String::new())),
                // A reply of ours that was lost, or the edge's first lines.
                Err(fault) if fault.kind == FaultKind::AlreadyExists => Ok(Done::AlreadySo),
                Err(fault) => Err(fault),
            }
        }
        Op::SetRetention { after, .. } => {
            let tried = format!("set the retention of log group {name} in {region}");
            let days = i32::try_from(*after)
                .map_err(|error| Fault::new(FaultKind::Local, &tried, error.to_string()))?;
            let sent = logs
                .put_retention_policy()
                .log_group_name(name)
                .retention_in_days(days)
                .send()
                .await;
            sent.map(|_| Done::Changed(String::new())).map_err(|error| fault(tried, &error))
        }
        Op::SetTags { arn, tags } => {
            let tags = tags.clone().into_iter().collect();
            let sent = logs.tag_resource().resource_arn(arn).set_tags(Some(tags)).send().await;
            let tried = format!("tag log group {name} in {region}");
            sent.map(|_| Done::Changed(String::new())).map_err(|error| fault(tried, &error))
        }
        Op::Delete => {
            let sent = logs.delete_log_group().log_group_name(name).send().await;
            let answer =
                absent(sent.map_err(|error| {
                    fault(format!("delete log group {name} in {region}"), &error)
                }))?;
            Ok(if answer.is_some() { Done::Changed(String::new()) } else { Done::AlreadySo })
        }
    }
}

/// Finds the groups in the whole account whose function is none of `functions`: those of ours, and
/// what is to be said about others and about regions that refuse.
///
/// # Errors
/// A call's, unless the region only refuses.
pub(crate) async fn traces(
    clients: &Clients,
    account: &AccountId,
    functions: &BTreeSet<FunctionName>,
) -> Result<Traces, Fault> {
    let prefix = prefix();
    let looks = Region::of_edge_logs().map(|region| async {
        let found = orphans(clients, account, functions, &region, &prefix).await;
        (region, found)
    });
    let (mut found, mut refused) = (Vec::new(), BTreeMap::new());
    for (region, orphans) in join_all(looks).await {
        found.extend(unless_refused(&mut refused, &region, orphans)?.unwrap_or_default());
    }
    Ok(plan::orphans(found, &refused))
}

async fn orphans(
    clients: &Clients,
    account: &AccountId,
    functions: &BTreeSet<FunctionName>,
    region: &Region,
    prefix: &str,
) -> Result<Vec<Orphan>, Fault> {
    let groups = list(clients, region, prefix, None).await?;
    let is_orphan = |group: &LogGroup| {
        function(group.log_group_name().unwrap_or_default())
            .is_some_and(|name| !functions.contains(&name))
    };
    let looks = groups.into_iter().filter(is_orphan).map(|group| async move {
        let since = seconds(&group);
        let name = group.log_group_name.unwrap_or_default();
        let tags = tags(clients, account, region, &name).await?;
        Ok(tags.map(|tags| Orphan { region: region.clone(), name, tags, since }))
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}
