//! The origin access control on the wire.

use super::{Live, Op, Signing, description, name, plan};
use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::aws::wait::{self, Early};
use crate::change::{Done, Fault, FaultKind};
use crate::context::Context;
use crate::name::StackName;
use crate::resource::{Mark, Owner, ResourceId, Tags, Traces, marked};
use aws_sdk_cloudfront::types::{
    OriginAccessControlConfig, OriginAccessControlOriginTypes, OriginAccessControlSigningBehaviors,
    OriginAccessControlSigningProtocols, OriginAccessControlSummary,
};
use std::sync::{Mutex, PoisonError};

/// Finds the control by its name, or, where a user renamed it, by its description.
pub(crate) async fn observe(clients: &Clients, stack: &StackName) -> Result<Option<Live>, Fault> {
    let mut described = None;
    for item in list(clients).await? {
        let signing = Signing {
            origin_type: item.origin_access_control_origin_type.as_str().to_owned(),
            behavior: item.signing_behavior.as_str().to_owned(),
            protocol: item.signing_protocol.as_str().to_owned(),
        };
        let live = Live { id: item.id, name: item.name, description: item.description, signing };
        if live.name == name(stack) {
            return Ok(Some(live));
        }
        described = described.or(Some(live).filter(|live| plan::is_ours(live, stack)));
    }
    Ok(described)
}

/// Lists every control of the account.
async fn list(clients: &Clients) -> Result<Vec<OriginAccessControlSummary>, Fault> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let sent = clients.cloudfront.list_origin_access_controls().set_marker(marker).send().await;
        let sent = sent.map_err(|error| fault("list the origin access controls", &error))?;
        let Some(page) = sent.origin_access_control_list else { return Ok(all) };
        all.extend(page.items.unwrap_or_default());
        marker = page.next_marker.filter(|next| page.is_truncated && !next.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

pub(crate) async fn apply(
    clients: &Clients,
    stack: &StackName,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    match op {
        Op::Create => create(clients, stack, context).await,
        Op::Update { id, .. } => update(clients, stack, id).await,
        Op::Delete { id } => delete(clients, stack, id, op, context).await,
    }
}

fn config(stack: &StackName, tried: &str) -> Result<OriginAccessControlConfig, Fault> {
    OriginAccessControlConfig::builder()
        .name(name(stack))
        .description(description(stack))
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
        .map_err(|error| Fault::new(FaultKind::Local, tried, error.to_string()))
}

async fn create(
    clients: &Clients,
    stack: &StackName,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let tried = format!("create origin access control {}", name(stack));
    let config = config(stack, &tried)?;
    let sent = clients
        .cloudfront
        .create_origin_access_control()
        .origin_access_control_config(config)
        .send()
        .await;
    let (id, done) = match sent.map_err(|error| fault(tried, &error)) {
        Ok(answer) => {
            (answer.origin_access_control.map(|control| control.id), Done::Changed(String::new()))
        }
        // A reply of ours that was lost, or another run of the same plan: ours if it says so.
        Err(fault) if fault.kind == FaultKind::AlreadyExists => {
            match observe(clients, stack).await? {
                Some(live) if live.description == description(stack) => {
                    (Some(live.id), Done::AlreadySo)
                }
                _ => return Err(fault),
            }
        }
        Err(fault) => return Err(fault),
    };
    context.references(|known| known.access = id);
    Ok(done)
}

async fn update(clients: &Clients, stack: &StackName, id: &str) -> Result<Done, Fault> {
    let tried = format!("update origin access control {id}");
    let Found::Ours { etag } = find(clients, stack, id, &tried).await? else {
        return Err(Fault::new(FaultKind::MovedOn, tried, "it is gone"));
    };
    let call = clients.cloudfront.update_origin_access_control().id(id).if_match(etag);
    let sent = call.origin_access_control_config(config(stack, &tried)?).send().await;
    sent.map_err(|error| fault(tried, &error))?;
    Ok(Done::Changed(String::new()))
}

/// What is there just before a change.
enum Found {
    Gone,
    Ours { etag: String },
}

/// Looks at it again.
///
/// # Errors
/// The call's; [`FaultKind::MovedOn`] where it is no longer ours.
async fn find(clients: &Clients, stack: &StackName, id: &str, tried: &str) -> Result<Found, Fault> {
    let read = clients.cloudfront.get_origin_access_control().id(id).send().await;
    let Some(answer) =
        absent(read.map_err(|error| fault(format!("read origin access control {id}"), &error)))?
    else {
        return Ok(Found::Gone);
    };
    let still_ours = answer
        .origin_access_control
        .and_then(|control| control.origin_access_control_config)
        .is_some_and(|config| config.description.as_deref() == Some(description(stack).as_str()));
    if !still_ours {
        return Err(Fault::new(FaultKind::MovedOn, tried, "it is no longer described as ours"));
    }
    Ok(Found::Ours { etag: answer.e_tag.unwrap_or_default() })
}

async fn delete(
    clients: &Clients,
    stack: &StackName,
    id: &str,
    op: &Op,
    context: &Context<'_>,
) -> Result<Done, Fault> {
    let tried = format!("delete origin access control {id}");
    let Found::Ours { etag } = find(clients, stack, id, &tried).await? else {
        return Ok(Done::AlreadySo);
    };
    let etag = Mutex::new(etag);
    let current = || etag.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // It counts as used for a moment after its distribution's end (docs/aws.md, "an access control
    // in use").
    let waited = wait::until(
        context,
        (&op.change(stack).address, "CloudFront to let go of it"),
        (clients.rhythm.quick, wait::SETTLING),
        &[FaultKind::InUse],
        || async {
            let sent = clients
                .cloudfront
                .delete_origin_access_control()
                .id(id)
                .if_match(current())
                .send()
                .await;
            let refused = match absent(sent.map_err(|error| fault(&tried, &error))) {
                Ok(Some(_)) => return Ok(Some(Done::Changed(String::new()))),
                Ok(None) => return Ok(Some(Done::AlreadySo)),
                Err(fault) if fault.kind == FaultKind::MovedOn => fault,
                Err(fault) => return Err(fault),
            };
            // Another write of what is still ours does not keep it.
            let Found::Ours { etag: moved } = find(clients, stack, id, &tried).await? else {
                return Ok(Some(Done::AlreadySo));
            };
            *etag.lock().unwrap_or_else(PoisonError::into_inner) = moved;
            Err(Fault { kind: FaultKind::InUse, ..refused })
        },
    )
    .await?;
    let still = "a distribution still uses the origin access control";
    waited.or_later(still, wait::SETTLING).or_else(Early::done)
}

/// Finds what is ours of this kind in the whole account.
pub(crate) async fn traces(clients: &Clients) -> Result<Traces, Fault> {
    let mut traces = Traces::default();
    for item in list(clients).await? {
        let owner = Owner::by_either(None, marked(&item.description), Mark::Description);
        traces.add(&owner, ResourceId::Access(item.name), &Tags::new(), |trace| trace);
    }
    Ok(traces)
}
