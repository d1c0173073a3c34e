//! The look with which every command about the switch begins.

use crate::cloud::Caller;
use crate::commands::Exit;
use crate::commands::deadline::Deadline;
use crate::commands::session::Session;
use crate::resource::page::Sides;
use crate::stack::Stack;
use crate::view::switch::SwitchStatus;

/// Looks at the switch. Where that fails, it says that nothing is known.
///
/// # Errors
/// The exit code, after the reason was shown.
pub async fn look(session: &Session, deadline: &Deadline) -> Result<(Stack, Caller, Sides), Exit> {
    session.switch(deadline).await.inspect_err(|exit| {
        if *exit == Exit::Failed {
            let headline =
                "not known what visitors see: nobody could look, and nothing was changed"
                    .to_owned();
            session.view.switch(&SwitchStatus { headline, ..SwitchStatus::default() });
        }
    })
}
