//! The look with which every command about the switch begins.

use crate::cloud::Caller;
use crate::resource::page::Sides;
use crate::session::Session;
use crate::session::deadline::Deadline;
use crate::session::failure::Failure;
use crate::stack::Stack;

/// Looks at the switch.
///
/// # Errors
/// [`Failure::Unlooked`] where AWS does not answer; what
/// [`Place::switch`](crate::session::place::Place::switch) refuses.
pub(crate) async fn look(
    session: &Session,
    deadline: &Deadline,
) -> Result<(Stack, Caller, Sides), Failure> {
    session.place.switch(&session.target(), deadline).await.map_err(|failure| match failure {
        Failure::Fault(fault) => Failure::Unlooked(fault),
        failure => failure,
    })
}
