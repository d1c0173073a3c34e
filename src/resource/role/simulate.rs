//! What the ops do to a role.

use super::{Live, Op, POLICY, Settings};
use crate::change::{Fault, FaultKind};
use crate::name::RoleName;
use crate::resource::{policy, tags};
use serde_json::Value;

/// Is the inline policy as it was seen? What it allows, a version may need that runs since.
///
/// # Errors
/// [`MovedOn`](FaultKind::MovedOn) where another run has written it.
pub(crate) fn guard(
    name: &RoleName,
    before: Option<&Value>,
    found: Option<&Value>,
) -> Result<(), Fault> {
    let same = match (before, found) {
        (Some(before), Some(found)) => policy::same(before, found),
        (before, found) => before == found,
    };
    if same {
        return Ok(());
    }
    let tried = format!("put the inline policy of role {name}");
    let fault = Fault::new(FaultKind::MovedOn, tried, "it was changed since it was looked at");
    Err(fault.hinted("run the same command again: it plans anew"))
}

/// Returns the role after `op`; `None`: it does not exist.
///
/// # Errors
/// What IAM would refuse.
pub(crate) fn simulate(
    name: &RoleName,
    live: Option<Live>,
    op: &Op,
) -> Result<Option<Live>, Fault> {
    let Some(mut live) = live else {
        return match op {
            Op::Create { settings, .. } => Ok(Some(Live {
                settings: Settings { policy: None, ..settings.clone() },
                other_policies: Vec::new(),
                attached: Vec::new(),
                created: 0,
            })),
            Op::DeletePolicy { .. } | Op::Detach { .. } | Op::Delete => Ok(None),
            _ => {
                Err(Fault::new(FaultKind::NotFound, "change the role", "the role cannot be found"))
            }
        };
    };
    match op {
        Op::Create { settings } if !tags::hold(&live.settings.tags, &settings.tags) => {
            return Err(Fault::new(
                FaultKind::AlreadyExists,
                format!("create role {name}"),
                "a role with this name already exists",
            ));
        }
        Op::Create { .. } => {}
        Op::SetTrust { after, .. } => live.settings.trust = after.clone(),
        Op::PutPolicy { before, after } => {
            guard(name, before.as_ref(), live.settings.policy.as_ref())?;
            live.settings.policy = Some(after.clone());
        }
        Op::SetBoundary { after, .. } => live.settings.boundary.clone_from(after),
        Op::Describe { after, .. } => live.settings.description.clone_from(after),
        Op::SetTags { tags, .. } => live.settings.tags = tags.applied(&live.settings.tags),
        Op::DeletePolicy { policy, .. } => {
            live.other_policies.retain(|other| other != policy);
            if policy == POLICY {
                live.settings.policy = None;
            }
        }
        Op::Detach { arn, .. } => live.attached.retain(|other| other != arn),
        Op::Delete => {
            if live.settings.policy.is_some()
                || !live.other_policies.is_empty()
                || !live.attached.is_empty()
            {
                let mut fault = Fault::new(
                    FaultKind::InUse,
                    format!("delete role {name}"),
                    "cannot delete entity, must detach all policies first",
                );
                fault.code = Some("DeleteConflict".into());
                return Err(fault);
            }
            return Ok(None);
        }
    }
    Ok(Some(live))
}
