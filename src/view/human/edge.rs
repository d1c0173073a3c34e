//! What happens at the local edge, each event in one line.

use super::{BOLD, CREATE, DELETE, FAINT, UPDATE, brief};
use crate::edge::EdgeEvent;

/// What happened at the local edge, in one line.
#[must_use]
pub(crate) fn edge(event: &EdgeEvent) -> String {
    match event {
        EdgeEvent::Listening(addresses) => format!(
            "The site is at {BOLD}http://{}/{BOLD:#}, the switch at http://{}/__provision/\nCtrl-C \
                ends it.\n",
            addresses.viewer, addresses.console
        ),
        EdgeEvent::Visit(visit) => {
            let style = match visit.status {
                200..400 => CREATE,
                400..500 => UPDATE,
                _ => DELETE,
            };
            let function = visit.function.map_or_else(String::new, |time| {
                let cold = time
                    .cold
                    .map(|cold| format!(" (cold {} ms)", cold.as_millis()))
                    .unwrap_or_default();
                format!("  function {:.1} ms{cold}", time.run.as_secs_f64() * 1e3)
            });
            format!(
                "{:<5}{:<32} {style}{}{style:#} {:<24}{function}",
                brief(&visit.method),
                brief(&visit.path),
                visit.status,
                visit.x_cache
            )
        }
        EdgeEvent::Log { instance, line } => {
            format!("  {FAINT}[{instance}]{FAINT:#} {}", brief(line))
        }
        EdgeEvent::Reloaded { hash } => format!("  function reloaded ({hash})"),
        EdgeEvent::Warning(text) => format!("  {UPDATE}warning{UPDATE:#}: {}", brief(text)),
    }
}
