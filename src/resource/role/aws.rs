//! The role on the wire.

use super::simulate::guard;
use super::{Live, Op, POLICY, Pages, Settings, pages_in};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::{Done, Fault, FaultKind};
use crate::name::{RoleName, StackName};
use crate::resource::tags::{self, Difference};
use crate::resource::{Mark, Owner, ResourceId, STACK_TAG, Tags, Trace, Traces, marked, stack_in};
use aws_sdk_iam::types::{Role, Tag};
use futures_util::try_join;
use serde_json::Value;

/// Reads the role: one call, and three more at the same time where it exists.
pub(crate) async fn observe(clients: &Clients, name: &RoleName) -> Result<Option<Live>, Fault> {
    let sent = clients.iam.get_role().role_name(name.as_str()).send().await;
    let Some(role) = absent(sent.map_err(|error| fault(format!("read role {name}"), &error)))?
        .and_then(|answer| answer.role)
    else {
        return Ok(None);
    };
    let (policy, inline, attached) = try_join!(
        inline_policy(clients, name),
        inline_names(clients, name),
        attached(clients, name)
    )?;
    Ok(Some(Live {
        settings: Settings {
            path: role.path.parse().map_err(|why: &str| {
                Fault::new(FaultKind::Refused, format!("read role {name}"), why)
            })?,
            trust: document(role.assume_role_policy_document.as_deref().unwrap_or_default()),
            policy,
            boundary: role
                .permissions_boundary
                .and_then(|boundary| boundary.permissions_boundary_arn),
            description: role.description.unwrap_or_default(),
            tags: role
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(|tag| (tag.key, tag.value))
                .collect(),
        },
        other_policies: inline.into_iter().filter(|other| other != POLICY).collect(),
        attached,
        created: u64::try_from(role.create_date.secs()).unwrap_or_default(),
    }))
}

/// IAM sends documents URL-encoded (IAM API Reference, "GetRole"); emulators may not.
fn document(text: &str) -> Value {
    let plain = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&plain).or_else(|_| serde_json::from_str(text)).unwrap_or(Value::Null)
}

async fn inline_policy(clients: &Clients, name: &RoleName) -> Result<Option<Value>, Fault> {
    let sent =
        clients.iam.get_role_policy().role_name(name.as_str()).policy_name(POLICY).send().await;
    let answer = absent(
        sent.map_err(|error| fault(format!("read the inline policy of role {name}"), &error)),
    )?;
    Ok(answer.map(|answer| document(&answer.policy_document)))
}

async fn inline_names(clients: &Clients, name: &RoleName) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    let mut pages =
        clients.iam.list_role_policies().role_name(name.as_str()).into_paginator().send();
    while let Some(page) = pages.next().await {
        names.extend(
            page.map_err(|error| {
                fault(format!("list the inline policies of role {name}"), &error)
            })?
            .policy_names,
        );
    }
    Ok(names)
}

async fn attached(clients: &Clients, name: &RoleName) -> Result<Vec<String>, Fault> {
    let mut arns = Vec::new();
    let mut pages =
        clients.iam.list_attached_role_policies().role_name(name.as_str()).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page
            .map_err(|error| fault(format!("list the policies attached to role {name}"), &error))?;
        arns.extend(
            page.attached_policies
                .unwrap_or_default()
                .into_iter()
                .filter_map(|policy| policy.policy_arn),
        );
    }
    Ok(arns)
}

/// What keeps a role. IAM says for a moment that policies are there which this run has just taken
/// off (docs/aws.md, "what blocks a role's end").
async fn held(clients: &Clients, name: &RoleName, refused: Fault) -> Result<Fault, Fault> {
    if !refused.message.contains("policies") {
        return Ok(refused.hinted(
            "remove the role from its instance profiles, then run the same command again",
        ));
    }
    let (inline, attached) = try_join!(inline_names(clients, name), attached(clients, name))?;
    Ok(if inline.is_empty() && attached.is_empty() {
        Fault { kind: FaultKind::Busy, ..refused }
    } else {
        refused.hinted(
            "another user put a policy on the role in the meantime: run the same command again, it \
                plans anew",
        )
    })
}

fn iam_tags(tags: &Tags) -> Result<Vec<Tag>, Fault> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Fault::new(FaultKind::Local, "write a tag", error.to_string()))
        })
        .collect()
}

pub(crate) async fn apply(clients: &Clients, name: &RoleName, op: &Op) -> Result<Done, Fault> {
    let iam = &clients.iam;
    let gone = |result: Result<(), Fault>| {
        Ok(if absent(result)?.is_some() { Done::Changed(String::new()) } else { Done::AlreadySo })
    };
    match op {
        Op::Create { settings } => return create(clients, name, settings).await,
        Op::SetTrust { after, .. } => {
            let sent = iam
                .update_assume_role_policy()
                .role_name(name.as_str())
                .policy_document(after.to_string())
                .send()
                .await;
            sent.map_err(|error| fault(format!("set the trust policy of role {name}"), &error))?;
        }
        Op::PutPolicy { before, after } => {
            // IAM has no condition for this write. A role that is made in this run has no policy.
            if before.is_some() {
                let found = inline_policy(clients, name).await?;
                guard(name, before.as_ref(), found.as_ref())?;
            }
            let sent = iam
                .put_role_policy()
                .role_name(name.as_str())
                .policy_name(POLICY)
                .policy_document(after.to_string())
                .send()
                .await;
            sent.map_err(|error| fault(format!("put the inline policy of role {name}"), &error))?;
        }
        Op::SetBoundary { after, .. } => {
            set_boundary(clients, name, after.as_deref()).await?;
        }
        Op::Describe { after, .. } => {
            // `UpdateRole` would also set how long a session may be.
            let sent = iam
                .update_role_description()
                .role_name(name.as_str())
                .description(after)
                .send()
                .await;
            sent.map_err(|error| fault(format!("set the description of role {name}"), &error))?;
        }
        Op::SetTags { tags, .. } => set_tags(clients, name, tags).await?,
        Op::DeletePolicy { policy } => {
            let sent =
                iam.delete_role_policy().role_name(name.as_str()).policy_name(policy).send().await;
            return gone(sent.map(drop).map_err(|error| {
                fault(format!("delete inline policy {policy} of role {name}"), &error)
            }));
        }
        Op::Detach { arn } => {
            let sent =
                iam.detach_role_policy().role_name(name.as_str()).policy_arn(arn).send().await;
            return gone(
                sent.map(drop).map_err(|error| {
                    fault(format!("detach policy {arn} from role {name}"), &error)
                }),
            );
        }
        Op::Delete => {
            let sent = iam.delete_role().role_name(name.as_str()).send().await;
            let sent = sent.map(drop).map_err(|error| fault(format!("delete role {name}"), &error));
            return match gone(sent) {
                Err(fault) if fault.kind == FaultKind::InUse => {
                    Err(held(clients, name, fault).await?)
                }
                ended => ended,
            };
        }
    }
    Ok(Done::Changed(String::new()))
}

async fn set_boundary(
    clients: &Clients,
    name: &RoleName,
    after: Option<&str>,
) -> Result<(), Fault> {
    let tried = format!("set the permissions boundary of role {name}");
    match after {
        Some(arn) => {
            let sent = clients
                .iam
                .put_role_permissions_boundary()
                .role_name(name.as_str())
                .permissions_boundary(arn)
                .send()
                .await;
            sent.map_err(|error| fault(tried, &error))?;
        }
        None => {
            let sent = clients
                .iam
                .delete_role_permissions_boundary()
                .role_name(name.as_str())
                .send()
                .await;
            sent.map_err(|error| fault(tried, &error))?;
        }
    }
    Ok(())
}

async fn set_tags(clients: &Clients, name: &RoleName, tags: &Difference) -> Result<(), Fault> {
    let (gone, wanted) = (tags.removed(), tags.set());
    if !gone.is_empty() {
        let sent =
            clients.iam.untag_role().role_name(name.as_str()).set_tag_keys(Some(gone)).send().await;
        sent.map_err(|error| fault(format!("untag role {name}"), &error))?;
    }
    if !wanted.is_empty() {
        let sent = clients
            .iam
            .tag_role()
            .role_name(name.as_str())
            .set_tags(Some(iam_tags(&wanted)?))
            .send()
            .await;
        sent.map_err(|error| fault(format!("tag role {name}"), &error))?;
    }
    Ok(())
}

async fn create(clients: &Clients, name: &RoleName, settings: &Settings) -> Result<Done, Fault> {
    let sent = clients
        .iam
        .create_role()
        .role_name(name.as_str())
        .path(settings.path.as_str())
        .assume_role_policy_document(settings.trust.to_string())
        .set_permissions_boundary(settings.boundary.clone())
        .description(&settings.description)
        .set_tags(Some(iam_tags(&settings.tags)?))
        .send()
        .await;
    match sent.map_err(|error| fault(format!("create role {name}"), &error)) {
        Ok(_) => Ok(Done::Changed(String::new())),
        // A reply of ours that was lost, or another run of the same plan: ours if it carries our
        // tags.
        Err(fault) if fault.kind == FaultKind::AlreadyExists => match observe(clients, name).await?
        {
            Some(live) if tags::hold(&live.settings.tags, &settings.tags) => Ok(Done::AlreadySo),
            _ => Err(fault.hinted(
                "another user created a role of this name in the meantime: run \
                the same command again",
            )),
        },
        Err(fault) => Err(fault),
    }
}

/// The most roles that one page can hold (IAM API Reference, `ListRoles`): an account's usual
/// quota.
const PAGE: i32 = 1000;

/// Lists the roles that are described as some stack's.
async fn marked_roles(clients: &Clients) -> Result<Vec<(StackName, RoleName, Role)>, Fault> {
    let mut pages = clients.iam.list_roles().max_items(PAGE).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let roles = page.map_err(|error| fault("list the roles", &error))?.roles.into_iter();
        all.extend(roles.filter_map(|found| {
            Some((found.description().and_then(marked)?, found.role_name.parse().ok()?, found))
        }));
    }
    Ok(all)
}

/// Finds the roles that are described as this stack's, whatever their names.
pub(crate) async fn marked_for(
    clients: &Clients,
    stack: &StackName,
) -> Result<Vec<RoleName>, Fault> {
    let all = marked_roles(clients).await?.into_iter();
    Ok(all.filter(|(owner, _, _)| owner == stack).map(|(_, name, _)| name).collect())
}

/// Finds what is ours of this kind in the whole account, and the pages that the roles may read.
pub(crate) async fn traces(clients: &Clients) -> Result<(Traces, Pages), Fault> {
    let (mut traces, mut pages) = (Traces::default(), Pages::new());
    for (stack, name, found) in marked_roles(clients).await? {
        // All that a role can have fit on one page (IAM API Reference, "ListRoleTags").
        let sent = clients.iam.list_role_tags().role_name(name.as_str()).send().await;
        let tried = format!("read the tags of role {name}");
        let answer = absent(sent.map_err(|error| fault(tried, &error)))?;
        let tags = answer.map(|answer| answer.tags).unwrap_or_default().into_iter();
        let tags: Tags = tags.map(|tag| (tag.key, tag.value)).collect();
        // The right to read a policy is bound to the tag.
        if tags.contains_key(STACK_TAG) {
            pages.extend(inline_policy(clients, &name).await?.iter().flat_map(pages_in));
        }
        let since = u64::try_from(found.create_date.secs()).ok();
        let owner = Owner::by_tag(stack_in(&tags), Some(stack), Mark::Description);
        let place = Some(found.path);
        let id = ResourceId::Role(name);
        traces.add(&owner, id, &tags, |trace| Trace { place, since, ..trace });
    }
    Ok((traces, pages))
}
