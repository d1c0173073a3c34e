//! An invalidation: CloudFront drops its copies of objects that changed or went, so that visitors do
//! not get the old ones until their `max-age` is over.
//!
//! Only of what a shared cache may hold: not of documents, which every request asks for anew.

use crate::change::{Action, Address, Change, FieldChange, Kind};
use crate::name::DistributionId;
use serde::Serialize;

pub(crate) mod aws;
pub(crate) mod permissions;
pub mod plan;
pub(crate) mod simulate;

/// One invalidation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Op {
    pub distribution: DistributionId,
    /// Paths as CloudFront takes them: with a slash before them, percent-encoded.
    pub paths: Vec<String>,
    /// Names the request. CloudFront answers a repeated one with the invalidation that it made
    /// before (docs/aws.md, "a repeated invalidation is the same").
    pub reference: String,
    /// Ends once every edge has done so. A saved plan leaves waits out.
    #[serde(skip)]
    pub until_completed: bool,
}

impl Op {
    /// Returns how the op is shown.
    #[must_use]
    pub fn change(&self) -> Change {
        let many = match self.paths.as_slice() {
            [path] if path == plan::EVERYTHING => "all paths".to_owned(),
            [_] => "1 path".to_owned(),
            paths => format!("{} paths", paths.len()),
        };
        let wait = if self.until_completed { ", wait until done" } else { "" };
        Change::new(
            Address::new(Kind::Invalidation, &self.distribution),
            Action::Update,
            format!("drop cached copies of {many}{wait}"),
        )
        .with(self.paths.iter().map(|path| FieldChange::set("path", path)))
    }
}
