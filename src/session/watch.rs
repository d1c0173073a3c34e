//! A user who waits for AWS is told whom for, and does not wait for ever.

use crate::aws::lost::Refusals;
use crate::aws::meter::{Calls, Seen};
use crate::change::{Fault, FaultKind};
use crate::view::View;
use crate::view::human::{duration, unanswered};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// After this time of silence it is said who is waited for.
const SILENCE: Duration = Duration::from_secs(3);
/// A call is worth its name from this age on; younger ones are in full swing.
const SLOW: Duration = Duration::from_secs(2);
/// After that, how often.
const EVERY: Duration = Duration::from_secs(10);
/// A look at which AWS answers nothing at all for so long ends. One that gets answers may take its
/// time: an account may have 10,000 buckets.
const PATIENCE: Duration = Duration::from_mins(1);

/// When a wait ends that nothing else ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// After so long without any answer.
    Silent(Duration),
    /// At a moment, whatever came until then.
    At { begin: Instant, within: Duration },
}

/// A look at AWS, as long as it is answered.
pub(crate) const LOOK: Limit = Limit::Silent(PATIENCE);

impl Limit {
    /// When it ends, if nothing has been heard since `heard`.
    fn end(self, heard: Instant) -> Instant {
        match self {
            Self::Silent(long) => heard + long,
            Self::At { begin, within } => begin + within,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Silent(long) => format!("it gave no answer for {} seconds", long.as_secs()),
            Self::At { within, .. } => {
                format!("there was no answer within {} seconds", within.as_secs())
            }
        }
    }
}

/// Who waits, and for which calls.
#[derive(Clone, Debug)]
pub struct Watch {
    pub(crate) calls: Calls,
    /// `None`: what is asked says itself whom it waits for.
    pub(crate) view: Option<View>,
}

impl Watch {
    /// What is asked, if it comes before the limit.
    ///
    /// # Errors
    /// The answer's; [`FaultKind::Unreachable`] where none came.
    pub(crate) async fn answer<T>(
        &self,
        limit: Limit,
        asked: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let refusals = Refusals::default();
        let asked = refusals.clone().of(asked);
        tokio::pin!(asked);
        let begin = Instant::now();
        let mut speak = begin + SILENCE;
        loop {
            let heard = |seen: &Seen| seen.last.unwrap_or(begin).max(begin);
            let end = limit.end(heard(&self.calls.seen()));
            if let Ok(answer) = timeout_at(speak.min(end), &mut asked).await {
                return answer;
            }
            let (seen, now) = (self.calls.seen(), Instant::now());
            if now >= limit.end(heard(&seen)) {
                return Err(ended(limit, &seen, now, refusals.last()));
            }
            if now >= speak {
                if let Some(view) = self.view {
                    view.waiting(&said(&seen, begin, now));
                }
                speak = now + EVERY;
            }
        }
    }
}

/// Why it ended: nobody answers, or AWS has answered up to now, and refused.
fn ended(limit: Limit, seen: &Seen, now: Instant, last: Option<Fault>) -> Fault {
    // A call that is refused is sent again, and pauses before that.
    let sent = seen.open.as_ref().and_then(|open| open.sent);
    let hangs = sent.is_some_and(|sent| now - sent >= SLOW);
    let before = match last {
        Some(fault) if !hangs => return fault,
        Some(fault) => format!("; before, AWS said: {}", fault.message),
        None => String::new(),
    };
    let whom = seen.open.as_ref().map_or("AWS", |open| &open.call);
    let message = limit.words() + &before;
    Fault::new(FaultKind::Unreachable, format!("ask {whom}"), message).hinted(
        "check the network, the proxy variables and whether AWS has trouble; then run the same \
            command again",
    )
}

/// What a user is told who has waited since `begin`.
fn said(seen: &Seen, begin: Instant, now: Instant) -> String {
    let time = duration(now - begin);
    match &seen.open {
        Some(open) if now - open.since >= SLOW => format!("{} [{time}]", unanswered(open)),
        _ => format!("still looking, {} answers so far [{time}]", seen.answered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::meter::Unanswered;
    use std::future::pending;

    fn call(since: Instant) -> Unanswered {
        let call = "S3 GetObject at s3.example".to_owned();
        Unanswered { call, since, sent: None, patience: PATIENCE, refused: None }
    }

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_said() {
        let watch = Watch { calls: Calls::default(), view: Some(View::new(true)) };
        let begin = Instant::now();
        let over = Duration::ZERO;
        for limit in [Limit::At { begin, within: over }, Limit::Silent(over)] {
            let answer = watch.answer(limit, async { Ok(1) }).await;
            assert_eq!(answer, Ok(1), "what is there is taken");
            let fault = watch.answer(limit, pending::<Result<(), Fault>>()).await.unwrap_err();
            assert_eq!((fault.kind, fault.tried.as_str()), (FaultKind::Unreachable, "ask AWS"));
        }
    }

    #[test]
    fn whoever_answered_is_not_said_to_be_silent() {
        let now = Instant::now();
        let limit = Limit::At { begin: now, within: Duration::from_secs(20) };
        let refusal = || Fault::new(FaultKind::Throttled, "upload a", "Please reduce your rate.");
        let silent = "there was no answer within 20 seconds";
        let both = format!("{silent}; before, AWS said: {}", refusal().message);
        let refused = || (FaultKind::Throttled, refusal().message);
        let unanswered = |says: &str| (FaultKind::Unreachable, says.to_owned());
        // How long the try under way has no answer, whether AWS has refused; what is said.
        for (age, has_refused, said) in [
            (None, false, unanswered(silent)),
            (Some(SLOW), false, unanswered(silent)),
            (None, true, refused()),
            (Some(SLOW / 2), true, refused()),
            (Some(SLOW), true, unanswered(&both)),
        ] {
            let open = Some(Unanswered { sent: age.map(|age| now - age), ..call(now) });
            let seen = Seen { open, answered: 31, last: Some(now) };
            let fault = ended(limit, &seen, now, has_refused.then(refusal));
            assert_eq!((fault.kind, fault.message), said);
        }
    }

    #[test]
    fn an_answer_prolongs_a_look_and_not_a_turn() {
        let begin = Instant::now();
        let later = begin + Duration::from_secs(50);
        let turn = Limit::At { begin, within: PATIENCE };
        assert_eq!((turn.end(begin), turn.end(later)), (begin + PATIENCE, begin + PATIENCE));
        assert_eq!((LOOK.end(begin), LOOK.end(later)), (begin + PATIENCE, later + PATIENCE));
    }

    #[test]
    fn a_user_hears_whom_is_waited_for_or_how_far_it_is() {
        let begin = Instant::now();
        let now = begin + Duration::from_secs(13);
        let old = |age| call(now - age);
        let seen = |open| Seen { open, answered: 812, last: None };
        let waits = said(&seen(Some(old(SLOW))), begin, now);
        assert_eq!(waits, "still waiting for S3 GetObject at s3.example [13s]");
        for (kind, does) in [(FaultKind::Throttled, "throttles"), (FaultKind::Failing, "fails at")]
        {
            let refused = Some(Fault::new(kind, "ask", "Rate exceeded"));
            let waits = said(&seen(Some(Unanswered { refused, ..old(SLOW) })), begin, now);
            let call = "S3 GetObject at s3.example (Rate exceeded), which is tried again";
            assert_eq!(waits, format!("AWS {does} {call} [13s]"));
        }
        for open in [Some(old(SLOW / 2)), None] {
            assert_eq!(said(&seen(open), begin, now), "still looking, 812 answers so far [13s]");
        }
    }
}
