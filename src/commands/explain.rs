//! `provision explain`.

use crate::session::Exit;
use crate::session::global::Global;
use crate::view::View;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// Print a page of the documentation
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  provision explain\n  provision explain destroy\n  provision explain \
        spec | less"
)]
pub(crate) struct Explain {
    /// Which page; without it, all of them with their titles
    #[arg(value_parser = PossibleValuesParser::new(TOPICS.map(|(name, _)| name)))]
    pub topic: Option<String>,
}

/// The pages are compiled in: whoever has the program alone can read them. The order is that of
/// README.md.
const TOPICS: [(&str, &str); 19] = [
    ("commands", include_str!("../../docs/commands.md")),
    ("spec", include_str!("../../docs/spec.md")),
    ("site", include_str!("../../docs/site.md")),
    ("maintenance", include_str!("../../docs/maintenance.md")),
    ("attaching", include_str!("../../docs/attaching.md")),
    ("aws", include_str!("../../docs/aws.md")),
    ("function", include_str!("../../docs/function.md")),
    ("destroy", include_str!("../../docs/destroy.md")),
    ("local-edge", include_str!("../../docs/local-edge.md")),
    ("ci", include_str!("../../docs/ci.md")),
    ("permissions", include_str!("../../docs/permissions.md")),
    ("costs", include_str!("../../docs/costs.md")),
    ("json", include_str!("../../docs/json.md")),
    ("failures", include_str!("../../docs/failures.md")),
    ("reporting", include_str!("../../docs/reporting.md")),
    ("drift", include_str!("../../docs/drift.md")),
    ("limits", include_str!("../../docs/limits.md")),
    ("compared", include_str!("../../docs/compared.md")),
    ("demo", include_str!("../../docs/demo.md")),
];

/// Runs the verb.
#[must_use]
pub(crate) fn run(global: &Global, verb: &Explain) -> Exit {
    let view = View::new(global.json);
    let chosen = TOPICS.iter().find(|(name, _)| verb.topic.as_deref() == Some(*name));
    match chosen {
        Some((name, text)) => view.topic(name, title(text), text),
        None => view.topics(&TOPICS.map(|(name, text)| (name, title(text)))),
    }
    Exit::Done
}

/// A page begins with its title.
fn title(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}
