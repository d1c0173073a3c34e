//! What the ops do to a distribution. Time (`InProgress` → `Deployed`) passes in the world, not
//! here.

use super::document::Document;
use super::edit::Edit;
use super::owner::may_go;
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
        (Op::Delete { .. }, None) => Ok(None),
        (_, None) => Err(Fault::new(
            FaultKind::NotFound,
            "change the distribution",
            "the specified distribution does not exist",
        )),
        (Op::Update { etag: seen, document, .. }, Some(live)) => {
            update(live, (seen, document), &op.edits(occupant, access), serial).map(Some)
        }
        (Op::SetTags { tags, .. }, Some(live)) => {
            Ok(Some(Live { tags: tags.applied(&live.tags), ..live }))
        }
        (Op::Delete { stack, .. }, Some(live)) if may_go(&live, stack) => Ok(None),
        (Op::Delete { etag: seen, .. }, Some(live)) => {
            if let Some(seen) = seen {
                guard(&live, seen)?;
            }
            let kind = match (live.document.read().enabled, live.deployed) {
                (true, _) => FaultKind::MovedOn,
                (false, false) => FaultKind::Busy,
                (false, true) => return Ok(None),
            };
            let mut fault = Fault::new(
                kind,
                "delete the distribution",
                "the distribution you are trying to delete has not been disabled",
            );
            fault.code = Some("DistributionNotDisabled".into());
            Err(fault)
        }
        (Op::Create { .. } | Op::AwaitDeployed { .. }, live) => Ok(live),
    }
}

/// Makes the edits in a distribution that was seen so.
///
/// # Errors
/// [`FaultKind::MovedOn`] where what they rest on has changed; what CloudFront would refuse.
pub(crate) fn update(
    live: Live,
    (etag, document): (&str, &Document),
    edits: &[Edit],
    serial: u64,
) -> Result<Live, Fault> {
    if !document.rests(&live.document, edits) {
        guard(&live, etag)?;
    }
    let document = live
        .document
        .edit(edits)
        .map_err(|why| Fault::new(FaultKind::Refused, "update the distribution", why))?;
    Ok(Live { document, etag: format!("ETAG{serial}"), deployed: false, ..live })
}

/// `If-Match`.
///
/// # Errors
/// [`FaultKind::MovedOn`].
fn guard(live: &Live, seen: &str) -> Result<(), Fault> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{STACK_TAG, Tags};

    #[test]
    fn what_was_changed_since_goes_only_as_ours_disabled_and_deployed() {
        use FaultKind::{Busy, MovedOn};
        let (now, old) = (Some("ETAG2"), Some("ETAG1"));
        for (seen, stack, enabled, deployed, expected) in [
            (now, "shop", false, true, None),
            (None, "shop", false, true, None),
            // CloudFront itself has moved the ETag.
            (old, "shop", false, true, None),
            (old, "shop-2", false, true, Some(MovedOn)),
            (old, "shop", false, false, Some(MovedOn)),
            (old, "shop", true, true, Some(MovedOn)),
            (now, "shop", true, true, Some(MovedOn)),
            (now, "shop", false, false, Some(Busy)),
            (None, "shop", true, true, Some(MovedOn)),
            (None, "shop", false, false, Some(Busy)),
        ] {
            let text = format!(
                "<DistributionConfig><CallerReference>provision-shop-E1CONTROL000\
                    </CallerReference><Enabled>{enabled}</Enabled></DistributionConfig>"
            );
            let id: DistributionId = "E2ABCDEF0123".parse().unwrap();
            let live = Live {
                id: id.clone(),
                etag: "ETAG2".into(),
                document: Document(text),
                deployed,
                domain: String::new(),
                tags: Tags::from([(STACK_TAG.into(), stack.into())]),
            };
            let stack = "shop".parse().unwrap();
            let op = Op::Delete { stack, id: id.clone(), etag: seen.map(str::to_owned) };
            let after = simulate(Some(live), &op, &id, "", None, 3);
            let refused = after.as_ref().err().map(|fault| fault.kind);
            assert_eq!(refused, expected, "{seen:?} {enabled} {deployed}: {after:?}");
            assert!(refused.is_some() || after == Ok(None));
        }
    }
}
