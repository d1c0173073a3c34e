//! Which object it is, by the name or id that AWS knows it by.

use crate::change::{Address, Kind};
use crate::name::{BucketName, DistributionId, FunctionName, RoleName};

/// An object that carries a mark of ours, or may have carried one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceId {
    Bucket(BucketName),
    Role(RoleName),
    Function(FunctionName),
    /// Log groups, by the name that they share.
    Logs(String),
    /// An origin access control, by its name.
    Access(String),
    Distribution(DistributionId),
}

impl ResourceId {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bucket(_) => Kind::Bucket,
            Self::Role(_) => Kind::Role,
            Self::Function(_) => Kind::Function,
            Self::Logs(_) => Kind::Logs,
            Self::Access(_) => Kind::Access,
            Self::Distribution(_) => Kind::Distribution,
        }
    }

    /// As it is shown to people.
    #[must_use]
    pub fn address(&self) -> Address {
        let name = match self {
            Self::Bucket(name) => name.as_str(),
            Self::Role(name) => name.as_str(),
            Self::Function(name) => name.as_str(),
            Self::Logs(name) | Self::Access(name) => name,
            Self::Distribution(id) => id.as_str(),
        };
        Address::new(self.kind(), name)
    }
}
