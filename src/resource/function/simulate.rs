//! What the ops do to a function.

use super::{ARCHITECTURE, Configure, Create, Frozen, Live, Op, Publish, Upload, Version};
use crate::change::{Fault, FaultKind};
use crate::name::FunctionName;

/// Returns the function after `op`; `None`: it does not exist. `serial` numbers revisions and, as
/// AWS never uses a version number twice, versions beyond the newest.
///
/// # Errors
/// What Lambda would refuse.
pub(crate) fn simulate(
    name: &FunctionName,
    live: Option<Live>,
    op: &Op,
    serial: u64,
    next_version: u64,
) -> Result<Option<Live>, Fault> {
    let Some(mut live) = live else {
        return match op {
            Op::Create(Create { settings, .. }) => Ok(Some(Live {
                versions: vec![Version { number: next_version, frozen: settings.frozen.clone() }],
                settings: settings.clone(),
                revision: revision(serial),
                image: false,
            })),
            Op::Delete | Op::Prune { .. } => Ok(None),
            _ => Err(Fault::new(FaultKind::NotFound, "change the function", "function not found")),
        };
    };
    match op {
        Op::Create(Create { settings, .. }) => {
            if live.settings != *settings {
                return Err(Fault::new(
                    FaultKind::AlreadyExists,
                    format!("create function {name}"),
                    "function already exists",
                ));
            }
        }
        Op::Configure(Configure { before, after, revision }) => {
            let code_sha256 = live.settings.frozen.code_sha256.clone();
            if live.revision != *revision
                && live.settings.frozen == (Frozen { code_sha256, ..after.frozen.clone() })
            {
                return Ok(Some(live));
            }
            guard(&live, revision, live.settings.frozen == before.frozen)?;
            let Frozen { code_sha256, mut refused, .. } = live.settings.frozen;
            refused.retain(|setting| setting == ARCHITECTURE);
            live.settings.frozen = Frozen { code_sha256, refused, ..after.frozen.clone() };
        }
        Op::Upload(op @ Upload { after, publish, revision, .. }) => {
            if let Some(revision) = revision {
                guard(&live, revision, op.was_seen_as(&live))?;
            }
            live.settings.frozen.code_sha256.clone_from(&after.code_sha256);
            live.settings.frozen.refused.remove(ARCHITECTURE);
            if *publish {
                publish_latest(&mut live, next_version);
            }
        }
        Op::Publish(Publish { frozen, .. }) => {
            if live.settings.frozen.code_sha256 != frozen.code_sha256 {
                return Err(Fault::new(
                    FaultKind::MovedOn,
                    "publish a version",
                    "the code hash is not the expected one",
                ));
            }
            publish_latest(&mut live, next_version);
        }
        Op::SetTags { tags, .. } => live.settings.tags = tags.applied(&live.settings.tags),
        Op::Prune { number, .. } => live.versions.retain(|version| version.number != *number),
        Op::Delete => return Ok(None),
    }
    if !matches!(op, Op::Prune { .. } | Op::Create(Create { .. }) | Op::SetTags { .. }) {
        live.revision = revision(serial);
    }
    Ok(Some(live))
}

/// Unchanged code and configuration give the last version again (AWS Lambda Developer Guide,
/// "Manage Lambda function versions").
fn publish_latest(live: &mut Live, number: u64) {
    if live.versions.last().is_none_or(|last| last.frozen != live.settings.frozen) {
        live.versions.push(Version { number, frozen: live.settings.frozen.clone() });
    }
}

/// A revision that AWS itself has moved guards nothing: what is `as_seen` may be written.
fn guard(live: &Live, revision: &str, as_seen: bool) -> Result<(), Fault> {
    if live.revision == revision || as_seen {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::MovedOn,
        "change the function",
        "the revision id provided does not match the latest revision id",
    )
    .hinted("another user changed it in the meantime: run the same command again, it plans anew"))
}

fn revision(serial: u64) -> String {
    format!("revision-{serial}")
}
