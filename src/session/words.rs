//! What a person says that lets a plan do more than build what is missing and repair what is ours.

use crate::change::Kind;
use crate::plan::Choices;
use crate::spec::Spec;
use clap::Args;
use std::collections::BTreeSet;

/// What a person has to say before an apply does more than build what is missing and repair what is
/// ours.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Words {
    /// Take over what exists and is not ours: bucket, site, page, role or function
    #[arg(long, value_name = "KIND", value_parser = parse_adopt)]
    pub adopt: Vec<Kind>,
    /// Delete what is ours and no longer in the spec: association, bucket, distribution, function,
    /// role or site (most of its files)
    #[arg(long, value_name = "KIND", value_parser = parse_delete)]
    pub delete: Vec<Kind>,
}

/// The kinds of which an apply deletes on demand, as the command line names them.
///
/// # Errors
/// The names that are known.
pub(crate) fn parse_delete(text: &str) -> Result<Kind, String> {
    match text {
        "association" => Ok(Kind::Association),
        "bucket" => Ok(Kind::Bucket),
        "distribution" => Ok(Kind::Distribution),
        "function" => Ok(Kind::Function),
        "role" => Ok(Kind::Role),
        "site" => Ok(Kind::Site),
        _ => {
            Err("known kinds: `association`, `bucket`, `distribution`, `function`, `role`, `site`"
                .into())
        }
    }
}

/// The kinds that can be adopted, as the command line names them.
///
/// # Errors
/// The names that are known.
pub(crate) fn parse_adopt(text: &str) -> Result<Kind, String> {
    match text {
        "bucket" => Ok(Kind::Bucket),
        "site" => Ok(Kind::Site),
        "page" => Ok(Kind::Page),
        "role" => Ok(Kind::Role),
        "function" => Ok(Kind::Function),
        _ => Err("known kinds: `bucket`, `site`, `page`, `role`, `function`".into()),
    }
}

/// Words as on the command line, in one order, each once.
#[must_use]
pub(crate) fn flags(words: &Words, delete_data: bool) -> Vec<String> {
    let adopt = words.adopt.iter().map(|kind| format!("--adopt {kind}"));
    let delete = words.delete.iter().map(|kind| format!("--delete {kind}"));
    let mut flags: Vec<String> = adopt.chain(delete).collect();
    flags.extend(delete_data.then(|| "--delete-data".to_owned()));
    flags.sort();
    flags.dedup();
    flags
}

/// Flags, each with a space before it.
#[must_use]
pub(crate) fn joined(flags: &[String]) -> String {
    flags.iter().flat_map(|flag| [" ", flag]).collect()
}

/// What the command line and the spec choose together: nothing that was not put is deleted, and
/// deployments are waited for, unless the verb says otherwise.
#[must_use]
pub(crate) fn choices(spec: &Spec, words: &Words) -> Choices {
    let set = |kinds: &[Kind]| kinds.iter().copied().collect::<BTreeSet<_>>();
    Choices {
        adopt: set(&words.adopt),
        delete: set(&words.delete),
        delete_data: false,
        wait: true,
        protect: spec.protect.clone(),
    }
}
