//! Objects of the real bucket, read only. The switch is shown; turning it is for `provision
//! maintenance`.

use super::moment;
use crate::change::Fault;
use crate::cloud::Cloud;
use crate::cloud::aws::Aws;
use crate::commands::maintenance::status::facts;
use crate::edge::{Later, Listed, Object, Objects, Switch, SwitchState};
use crate::name::ObjectKey;
use crate::resource::site::{self, Fetched};
use crate::session::Session;
use crate::stack::Stack;
use std::sync::Arc;

/// The stack's bucket.
pub(super) struct Bucket {
    pub(super) cloud: Aws,
    pub(super) stack: Stack,
    /// For the switch.
    pub(super) session: Arc<Session>,
}

impl Bucket {
    async fn read(&self, key: &str) -> Result<Option<Object>, Fault> {
        let found = self.cloud.fetch(&self.stack, key).await?;
        Ok(found.map(|Fetched { body, etag, modified, headers, metadata, .. }| Object {
            body: body.into(),
            etag,
            last_modified: moment(modified),
            headers,
            metadata,
        }))
    }

    async fn listed(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        let found = self.cloud.list(&self.stack, prefix).await?.into_iter();
        let listed = |(key, site::Object { etag, size }, modified): (ObjectKey, _, _)| Listed {
            key: key.to_string(),
            size,
            etag: format!("\"{etag}\""),
            last_modified: moment(modified),
        };
        Ok(found.map(listed).collect())
    }
}

impl Objects for Bucket {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>> {
        Box::pin(async move { self.read(key).await.map_err(|fault| fault.to_string()) })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
        Box::pin(async move { self.listed(prefix).await.map_err(|fault| fault.to_string()) })
    }
}

impl Switch for Bucket {
    fn state(&self) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(async move {
            let looked = self.session.place.cloud.observe_switch(&self.stack).await;
            looked.map(|sides| facts(&sides, &self.stack)).map_err(|fault| fault.to_string())
        })
    }

    fn turn(&self, _: bool) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(async {
            Err("this is the real bucket; turn it with `provision maintenance on` or `off`"
                .to_owned())
        })
    }
}
