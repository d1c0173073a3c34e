//! A wait ends with what AWS said, not with what was hoped for.

use super::*;
use crate::change::Kind;
use crate::context::References;
use std::cell::RefCell;
use tokio::sync::watch;

const AWAITS: &[FaultKind] = &[FaultKind::NotPropagated];

/// One answer to each look: a refusal of this kind, or `None`: it is not so yet.
type Answers = &'static [Option<FaultKind>];

fn refusal(kind: FaultKind, number: usize) -> Fault {
    let fault = Fault::new(kind, "create it", format!("{kind:?} {number}"));
    Fault { request_id: Some(number.to_string()), ..fault }
}

/// Waits; the user stops it after the last answer.
async fn waited(answers: Answers, sees_own_write: bool) -> Result<Result<(), Early>, Fault> {
    let (stop, stopped) = watch::channel(false);
    let context = Context::new(References::default(), &|_, _| {}, stopped, Duration::ZERO);
    let left = RefCell::new(answers.iter().copied().enumerate());
    let check = || async {
        let (number, answer) = left.borrow_mut().next().unwrap();
        if number + 1 == answers.len() {
            stop.send_replace(true);
        }
        answer.map_or(Ok(None), |kind| Err(refusal(kind, number)))
    };
    let address = Address::new(Kind::Role, "r");
    let budget = (Duration::ZERO, Duration::MAX);
    let ended: Waited<()> = if sees_own_write {
        until_seen(&context, (&address, "it"), budget, AWAITS, check).await?
    } else {
        until(&context, (&address, "it"), budget, AWAITS, check).await?
    };
    Ok(ended.or_later("it is not so yet", Duration::ZERO))
}

#[tokio::test]
async fn what_aws_never_said_is_no_reason() {
    use FaultKind::{Busy, Credentials, Failing, NotPropagated, Refused, Throttled, Unreachable};
    let seen = true;
    // The answers; whether it looks at an own write; whether it is deferred, or failed; the answer
    // that is told.
    let rows: &[(Answers, bool, bool, Option<usize>)] = &[
        (&[None, None], !seen, true, None),
        (&[Some(NotPropagated)], !seen, true, Some(0)),
        (&[Some(NotPropagated), Some(Failing)], !seen, true, Some(1)),
        (&[Some(Failing)], !seen, false, Some(0)),
        (&[Some(Busy)], !seen, false, Some(0)),
        (&[Some(NotPropagated), Some(Refused)], !seen, false, Some(1)),
        (&[Some(Failing), Some(Throttled), Some(Unreachable)], seen, false, Some(2)),
        (&[None, Some(Failing)], seen, true, Some(1)),
        (&[Some(Failing), None], seen, true, None),
        (&[None, Some(Credentials)], seen, true, Some(1)),
        (&[Some(Failing), Some(Credentials)], seen, false, Some(1)),
    ];
    for (answers, own, is_deferred, told) in rows {
        let ended = waited(answers, *own).await;
        let row = format!("{answers:?} {own}: {ended:?}");
        let said = match ended {
            Ok(Err(Early::Later(later))) => {
                assert!(*is_deferred && later.reason.starts_with("it is not so yet"), "{row}");
                let is_signed_out = answers.last() == Some(&Some(Credentials));
                assert_eq!(later.reason.contains("credentials have ended"), is_signed_out, "{row}");
                later.said.map(|fault| *fault)
            }
            Ok(Err(Early::Fault(fault))) | Err(fault) => {
                assert!(!is_deferred, "{row}");
                Some(fault)
            }
            Ok(Ok(())) => unreachable!("{row}"),
        };
        let id = said.and_then(|fault| fault.request_id);
        assert_eq!(id, told.map(|number| number.to_string()), "{row}");
    }
}

/// Also where the time is over before the second look.
#[tokio::test]
async fn the_end_of_the_time_tells_the_last_answer() {
    let (_stop, stopped) = watch::channel(false);
    let context = Context::new(References::default(), &|_, _| {}, stopped, Duration::ZERO);
    let address = Address::new(Kind::Role, "r");
    let budget = (Duration::from_secs(1), Duration::ZERO);
    for (kind, is_deferred) in [(FaultKind::NotPropagated, true), (FaultKind::Failing, false)] {
        let check = || async { Err::<Option<()>, _>(refusal(kind, 7)) };
        let ended = until_seen(&context, (&address, "it"), budget, AWAITS, check).await.unwrap();
        let said = match ended.or_later("not yet", Duration::ZERO).unwrap_err() {
            Early::Later(later) => later.said.map(|fault| (*fault, true)),
            Early::Fault(fault) => Some((fault, false)),
        };
        assert_eq!(said, Some((refusal(kind, 7), is_deferred)));
    }
}

/// A look that nobody answers is not waited for once the user stops; a write is.
#[tokio::test]
async fn a_look_is_given_up_and_a_write_is_not() {
    let (stop, stopped) = watch::channel(false);
    let context = Context::new(References::default(), &|_, _| {}, stopped, Duration::ZERO);
    let address = Address::new(Kind::Role, "r");
    let budget = (Duration::ZERO, Duration::MAX);
    stop.send_replace(true);
    let hangs = || std::future::pending::<Result<Option<()>, Fault>>();
    let look = until_seen(&context, (&address, "it"), budget, AWAITS, hangs).await.unwrap();
    let early = look.or_later("it is not so yet", Duration::ZERO).unwrap_err();
    let Early::Later(later) = early else { panic!("{early:?}") };
    assert!(later.reason.starts_with("the run was stopped before AWS said more"), "{later:?}");
    let answers = || async { Ok(Some(())) };
    let write = until(&context, (&address, "it"), budget, AWAITS, answers).await.unwrap();
    assert_eq!(write, Waited::Met(()));
}

/// What hinders a look is told beside what is waited for, until it is over.
#[tokio::test]
async fn a_wait_says_that_nobody_answers() {
    use FaultKind::{NotPropagated, Throttled, Unreachable};
    let (_stop, stopped) = watch::channel(false);
    let told = std::sync::Mutex::new(Vec::new());
    let tick = |_: &Address, what: &str| told.lock().unwrap().push(what.to_owned());
    let context = Context::new(References::default(), &tick, stopped, Duration::ZERO);
    let kinds = [Some(Unreachable), Some(Throttled), Some(NotPropagated), None];
    let left = RefCell::new(kinds.into_iter().enumerate());
    let check = || async {
        match left.borrow_mut().next() {
            Some((number, Some(kind))) => Err(refusal(kind, number)),
            Some((_, None)) => Ok(None),
            None => Ok(Some(())),
        }
    };
    let address = Address::new(Kind::Role, "r");
    let budget = (Duration::ZERO, Duration::MAX);
    let ended = until_seen(&context, (&address, "it"), budget, AWAITS, check).await.unwrap();
    assert_eq!(ended, Waited::Met(()));
    let expected =
        ["it; nobody answers: Unreachable 0", "it; AWS throttles: Throttled 1", "it", "it"];
    assert_eq!(*told.lock().unwrap(), expected);
}
