//! What the ops do to a distribution. Time (`InProgress` → `Deployed`) passes in the world, not
//! here.

use super::{Live, Op, new_document};
use crate::change::{Fault, FaultKind};
use crate::name::DistributionId;

/// Returns the distribution after `op`; `None`: it does not exist. A new one gets `id`; `access`
/// and `occupant` are what the symbolic references stand for; `serial` numbers `ETag`s.
///
/// # Errors
/// What CloudFront would refuse.
pub(crate) fn simulate(
    live: Option<Live>,
    op: &Op,
    id: &DistributionId,
    access: &str,
    occupant: Option<&str>,
    serial: u64,
) -> Result<Option<Live>, Fault> {
    let etag = format!("ETAG{serial}");
    match (op, live) {
        (Op::Create { stack, settings, tags, .. }, None) => Ok(Some(Live {
            document: new_document(stack, settings, access, occupant.unwrap_or_default()),
            etag,
            deployed: false,
            domain: format!("{}.cloudfront.net", id.as_str().to_ascii_lowercase()),
            tags: tags.clone(),
            id: id.clone(),
        })),
        (Op::Delete { .. } | Op::AwaitDeployed { .. }, None) => Ok(None),
        (_, None) => Err(Fault::new(
            FaultKind::NotFound,
            "change the distribution",
            "the specified distribution does not exist",
        )),
        (Op::Update { etag: seen, .. }, Some(live)) => {
            guard(&live, seen)?;
            let document = live
                .document
                .edit(&op.edits(occupant, access))
                .map_err(|why| Fault::new(FaultKind::Refused, "update the distribution", why))?;
            Ok(Some(Live { document, etag, deployed: false, ..live }))
        }
        (Op::SetTags { tags, .. }, Some(live)) => {
            Ok(Some(Live { tags: tags.applied(&live.tags), ..live }))
        }
        (Op::Delete { etag: seen, .. }, Some(live)) => {
            if let Some(seen) = seen {
                guard(&live, seen)?;
            }
            if live.document.read().enabled || !live.deployed {
                let mut fault = Fault::new(
                    FaultKind::Busy,
                    "delete the distribution",
                    "the distribution you are trying to delete has not been disabled",
                );
                fault.code = Some("DistributionNotDisabled".into());
                return Err(fault);
            }
            Ok(None)
        }
        (Op::Create { .. } | Op::AwaitDeployed { .. }, Some(live)) => Ok(Some(live)),
    }
}

/// `If-Match`.
///
/// # Errors
/// [`FaultKind::MovedOn`].
pub(crate) fn guard(live: &Live, seen: &str) -> Result<(), Fault> {
    if live.etag == seen {
        return Ok(());
    }
    let mut fault = Fault::new(
        FaultKind::MovedOn,
        format!("update distribution {}", live.id),
        "the precondition given in one or more of the request-header fields evaluated to false",
    );
    fault.code = Some("PreconditionFailed".into());
    Err(fault.hinted(
        "another user changed it in the meantime: run the same command again, it plans anew",
    ))
}
