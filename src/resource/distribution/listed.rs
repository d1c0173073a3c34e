//! A distribution as the list of all distributions shows it, without its document.

use super::Live;
use super::document::bucket_read;
use crate::name::{BucketName, DistributionId};

/// One distribution in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: DistributionId,
    /// Its origins: id, host, path.
    pub origins: Vec<(String, String, String)>,
    /// The access controls with which its origins are signed for.
    pub controls: Vec<String>,
    /// Who answers in its slots: event and version.
    pub occupants: Vec<(String, String)>,
    /// When it was last changed: seconds since the Unix epoch.
    pub modified: Option<u64>,
    /// Does it answer?
    pub enabled: bool,
}

impl Listed {
    /// What a list shows of a distribution with this document.
    #[must_use]
    pub fn of(live: &Live) -> Self {
        let reading = live.document.read();
        let slots = reading.behaviors.into_values().flat_map(|behavior| behavior.functions);
        let controls = reading.origins.values().map(|origin| origin.access.clone());
        Self {
            id: live.id.clone(),
            controls: controls.filter(|control| !control.is_empty()).collect(),
            occupants: slots.collect(),
            modified: None,
            enabled: reading.enabled,
            origins: reading
                .origins
                .into_iter()
                .map(|(id, origin)| (id, origin.domain, origin.path))
                .collect(),
        }
    }

    #[must_use]
    pub(crate) fn has_origin(&self, id: &str) -> bool {
        self.origins.iter().any(|(known, _, _)| known == id)
    }

    /// Is this bucket one of its origins?
    #[must_use]
    pub fn reads(&self, bucket: &BucketName) -> bool {
        self.origins.iter().any(|(_, host, path)| bucket_read(host, path).as_ref() == Some(bucket))
    }
}
