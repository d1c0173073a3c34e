//! How others refer to a version: in a plan by its content, in a slot by its number.

use super::{Live, Version};
use crate::change::{Fault, FaultKind};
use crate::context::Context;
use serde::Serialize;

/// A version as others refer to it before its number is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionReference {
    /// The function's unqualified ARN.
    pub function: String,
    /// The version's name.
    pub version: String,
}

impl VersionReference {
    /// The qualified ARN.
    #[must_use]
    pub fn arn(&self, number: u64) -> String {
        format!("{}:{number}", self.function)
    }

    /// The number in `arn` if it names a version of this function.
    #[must_use]
    pub fn number_in(&self, arn: &str) -> Option<u64> {
        arn.strip_prefix(&self.function)?.strip_prefix(':')?.parse().ok()
    }

    /// Does `arn` name a version of this function?
    #[must_use]
    pub fn names(&self, arn: &str) -> bool {
        self.number_in(arn).is_some()
    }

    /// The qualified ARN, once the version's number is known.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where no op published it: a plan that was carried out in the wrong order.
    pub fn resolve(&self, context: &Context<'_>) -> Result<String, Fault> {
        let number = context.references(|known| known.versions.get(&self.version).copied());
        let missing = || {
            Fault::new(
                FaultKind::Local,
                format!("refer to {}", self.show()),
                "no such version was published",
            )
        };
        number.map(|number| self.arn(number)).ok_or_else(missing)
    }

    /// Function name and version name, for people.
    #[must_use]
    pub fn show(&self) -> String {
        format!("{} {}", self.function.rsplit(':').next().unwrap_or_default(), self.version)
    }
}

/// Who answers in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Occupant {
    /// A version of ours that we know.
    Ours(VersionReference),
    /// Another function, or a version that we do not know, by its ARN.
    Other(String),
}

impl Occupant {
    /// By function and version name, or by ARN, for people.
    #[must_use]
    pub fn show(&self) -> String {
        match self {
            Self::Ours(version) => version.show(),
            Self::Other(arn) => arn.clone(),
        }
    }
}

/// All functions of a stack, each with what is known of its versions.
#[derive(Clone, Debug, Default)]
pub struct Functions<'a>(pub Vec<(VersionReference, Option<&'a Live>)>);

impl Functions<'_> {
    /// Does `arn` name a version of one of them?
    #[must_use]
    pub fn run(&self, arn: &str) -> bool {
        self.0.iter().any(|(reference, _)| reference.names(arn))
    }

    fn known(&self, arn: &str) -> Option<(&VersionReference, &Version)> {
        self.0.iter().find_map(|(reference, live)| {
            let number = reference.number_in(arn)?;
            let mut versions = live.as_ref()?.versions.iter();
            Some((reference, versions.find(|version| version.number == number)?))
        })
    }

    /// The version that `arn` names, if we know it.
    #[must_use]
    pub fn version(&self, arn: &str) -> Option<&Version> {
        self.known(arn).map(|(_, version)| version)
    }

    /// A slot's occupant: the version that `arn` names, if we know it.
    #[must_use]
    pub fn occupant(&self, arn: &str) -> Occupant {
        let named = |(reference, version): (&VersionReference, &Version)| {
            Occupant::Ours(VersionReference { version: version.frozen.name(), ..reference.clone() })
        };
        self.known(arn).map_or_else(|| Occupant::Other(arn.to_owned()), named)
    }
}
