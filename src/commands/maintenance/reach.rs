//! Do visitors get what the switch says? Only the distribution tells, for which the caller of a turn
//! needs no right. A caller who may not look is told of the switch alone.

use crate::change::{Fault, FaultKind};
use crate::cloud::Cloud;
use crate::resource::distribution::document::EVENT;
use crate::resource::distribution::{self, Behavior};
use crate::session::Session;
use crate::session::deadline::{Deadline, ENDED};
use crate::spec::DistributionSpec;
use crate::stack::Stack;
use crate::view::switch::SwitchStatus;

/// Which visitors the function of the spec serves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Why it serves nobody.
    nobody: Option<String>,
    /// Visitors get nothing at all.
    dark: bool,
    /// Why it is not known whether it serves anybody.
    unknown: Option<String>,
    /// Why it does not serve everybody.
    some: Vec<String>,
}

impl Reach {
    fn nobody(why: impl Into<String>) -> Self {
        Self { nobody: Some(why.into()), ..Self::default() }
    }
}

/// Looks at the distribution.
pub(super) async fn ask(
    session: &Session,
    deadline: &Deadline,
    stack: &Stack,
) -> Result<Reach, Fault> {
    let asked = session.place.cloud.observe_distribution(stack);
    let found = deadline.answer(ENDED, asked).await?;
    let named = match &session.spec.distribution {
        DistributionSpec::Owned(_) => vec![&Behavior::Default],
        DistributionSpec::Attached(attached) => attached.behaviors.iter().collect(),
    };
    let asked_for = found.as_ref().map(|found| found.id.clone());
    let reach = match (found, &stack.names.attached) {
        (Some(found), _) => of(&found, stack, &named),
        (None, Some(id)) => Reach::nobody(format!("distribution {id} does not exist")),
        (None, None) => Reach::nobody("the stack has no distribution"),
    };
    // A spec that is not applied yet names another one than visitors use.
    let Some(why) = reach.nobody.clone().filter(|_| !reach.dark) else { return Ok(reach) };
    let asked = session.place.cloud.runners(stack);
    Ok(match deadline.answer(ENDED, asked).await {
        Ok(others) => {
            let others = others.iter().filter(|id| Some(*id) != asked_for.as_ref());
            let others = others.map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if others.is_empty() {
                return Ok(reach);
            }
            let why = format!("{why}; {others} does, which the spec does not name");
            Reach { some: vec![why], ..Reach::default() }
        }
        Err(fault) => Reach { unknown: Some(format!("{why}; {fault}")), ..Reach::default() },
    })
}

/// By the distribution's document. `named` are the behaviors that the spec names.
fn of(found: &distribution::Live, stack: &Stack, named: &[&Behavior]) -> Reach {
    let (id, reading, ours) = (&found.id, found.document.read(), stack.any_version());
    if !reading.enabled {
        return Reach { dark: true, ..Reach::nobody(format!("distribution {id} is disabled")) };
    }
    let occupant =
        |behavior: &Behavior| reading.behaviors.get(behavior)?.functions.get(EVENT).cloned();
    let runs = |behavior: &Behavior| occupant(behavior).is_some_and(|arn| ours.names(&arn));
    let shown = |behaviors: &[&Behavior]| {
        behaviors.iter().map(|behavior| format!("`{behavior}`")).collect::<Vec<_>>().join(", ")
    };
    let missing: Vec<&Behavior> = named.iter().filter(|it| !runs(it)).copied().collect();
    let (taken, empty): (Vec<&Behavior>, Vec<&Behavior>) =
        missing.into_iter().partition(|behavior| occupant(behavior).is_some());
    let mut reach = Reach::default();
    if !found.deployed {
        reach.some.push(format!(
            "distribution {id} is still deploying, and until it is deployed some visitors get \
            what it served before"
        ));
    }
    if let Some(arn) = taken.iter().find_map(|behavior| occupant(behavior)) {
        // It may be the stack's own, of the spec that was applied last.
        let function = &stack.names.function;
        let why = format!(
            "distribution {id} runs {arn} for {}, and not `{function}` of the spec",
            shown(&taken)
        );
        if taken.len() + empty.len() == named.len() {
            reach.unknown = Some(why);
            return reach;
        }
        reach.some.push(why);
    }
    if empty.len() == named.len() {
        let why = format!("distribution {id} does not run the function for {}", shown(&empty));
        return Reach::nobody(why);
    }
    if !empty.is_empty() {
        let behaviors = shown(&empty);
        reach.some.push(format!("distribution {id} does not run the function for {behaviors}"));
    }
    let other = reading.behaviors.keys().filter(|it| !named.contains(it) && !runs(it));
    let other: Vec<&Behavior> = other.collect();
    if !other.is_empty() {
        reach.some.push(format!("our function does not run for {}", shown(&other)));
    }
    reach
}

/// Puts it into the status.
pub(super) fn tell(status: &mut SwitchStatus, reach: Result<Reach, Fault>) {
    let is_on = status.visitors_see_page == Some(true);
    let reach = match reach {
        Ok(reach) => reach,
        Err(fault) if fault.kind == FaultKind::Denied => return,
        Err(fault) => {
            status.notes.push(format!("whether visitors get it is not known: {fault}"));
            return;
        }
    };
    match (reach.nobody, reach.unknown) {
        (Some(why), _) if reach.dark => {
            let turned = if is_on { "on" } else { "off" };
            status.headline = format!("visitors get nothing: {why}; maintenance is {turned}");
            status.visitors_see_page = Some(false);
        }
        (Some(why), _) if is_on => {
            status.headline = format!("maintenance is on, but visitors do not get it: {why}");
            status.visitors_see_page = Some(false);
        }
        (Some(why), _) => {
            status.notes.push(format!("visitors would not get the maintenance page: {why}"));
        }
        (None, Some(why)) if is_on => {
            status.headline = format!("maintenance is on, and not known what visitors see: {why}");
            status.visitors_see_page = None;
        }
        (None, Some(why)) => {
            status.notes.push(format!("whether visitors would get the page is not known: {why}"));
        }
        (None, None) => {}
    }
    let gets = if is_on { "gets" } else { "would get" };
    let notes = reach.some.into_iter();
    status.notes.extend(notes.map(|why| format!("not every visitor {gets} the page: {why}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::page::window::State;

    #[test]
    fn what_visitors_do_not_get_is_no_maintenance() {
        let denied = || Err(Fault::new(FaultKind::Denied, "read distribution E1", "no"));
        let dead = || Err(Fault::new(FaultKind::Unreachable, "read distribution E1", "no answer"));
        let some = || Ok(Reach { some: vec!["why".into()], ..Reach::default() });
        let unknown = || Ok(Reach { unknown: Some("why".into()), ..Reach::default() });
        let nobody = || Ok(Reach::nobody("why"));
        let dark = || Ok(Reach { dark: true, ..Reach::nobody("why") });
        for (is_on, reach, sees, notes, headline) in [
            (true, Ok(Reach::default()), Some(true), 0, "as the switch says"),
            (true, denied(), Some(true), 0, "as the switch says"),
            (true, dead(), Some(true), 1, "as the switch says"),
            (true, some(), Some(true), 1, "as the switch says"),
            (true, unknown(), None, 0, "maintenance is on, and not known what visitors see: why"),
            (true, nobody(), Some(false), 0, "maintenance is on, but visitors do not get it: why"),
            (true, dark(), Some(false), 0, "visitors get nothing: why; maintenance is on"),
            (false, dark(), Some(false), 0, "visitors get nothing: why; maintenance is off"),
            (false, nobody(), Some(false), 1, "as the switch says"),
            (false, unknown(), Some(false), 1, "as the switch says"),
            (false, some(), Some(false), 1, "as the switch says"),
        ] {
            let mut status = SwitchStatus {
                headline: "as the switch says".into(),
                state: Some(if is_on { State::On } else { State::Off }),
                visitors_see_page: Some(is_on),
                ..SwitchStatus::default()
            };
            tell(&mut status, reach);
            assert_eq!(
                (status.visitors_see_page, status.notes.len(), status.headline.as_str()),
                (sees, notes, headline)
            );
        }
    }
}
