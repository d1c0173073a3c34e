//! Objects of the real bucket, read only. The switch is shown; turning it is for `provision maintenance`.

use crate::aws::Clients;
use crate::aws::fault::{absent, fault};
use crate::change::Fault;
use crate::cloud::Cloud;
use crate::commands::maintenance::status::facts;
use crate::commands::session::Session;
use crate::edge::{Later, Listed, Object, Objects, Switch, SwitchState};
use crate::stack::Stack;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The stack's bucket.
pub(super) struct Bucket {
    /// The clients.
    pub(super) clients: Clients,
    /// The stack.
    pub(super) stack: Stack,
    /// The cloud, for the switch.
    pub(super) session: Arc<Session>,
}

fn moment(at: Option<&aws_smithy_types::DateTime>) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(at.and_then(|at| u64::try_from(at.secs()).ok()).unwrap_or_default())
}

impl Bucket {
    async fn read(&self, key: &str) -> Result<Option<Object>, Fault> {
        let sent = self.clients.s3.get_object().bucket(self.stack.bucket.as_str()).key(key).send().await;
        let Some(answer) = absent(sent.map_err(|error| fault(format!("read object {key}"), &error)))? else { return Ok(None) };
        let last_modified = moment(answer.last_modified());
        let (etag, content_type) = (answer.e_tag.unwrap_or_default(), answer.content_type);
        let (cache_control, content_encoding) = (answer.cache_control, answer.content_encoding);
        let metadata = answer.metadata.unwrap_or_default().into_iter().collect();
        let tried = format!("read object {key}");
        let body =
            answer.body.collect().await.map_err(|error| Fault::new(crate::change::FaultKind::Unreachable, tried, error.to_string()))?;
        Ok(Some(Object { body: body.into_bytes(), etag, last_modified, content_type, cache_control, content_encoding, metadata }))
    }

    async fn listed(&self, prefix: &str) -> Result<Vec<Listed>, Fault> {
        let mut pages = self.clients.s3.list_objects_v2().bucket(self.stack.bucket.as_str()).prefix(prefix).into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| fault(format!("list the objects of bucket {}", self.stack.bucket), &error))?;
            all.extend(page.contents.unwrap_or_default().into_iter().map(|object| Listed {
                last_modified: moment(object.last_modified()),
                size: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
                etag: object.e_tag.unwrap_or_default(),
                key: object.key.unwrap_or_default(),
            }));
        }
        Ok(all)
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
            let looked = self.session.cloud.observe_switch(&self.stack.names).await;
            looked.map(|(_, sides)| facts(&sides)).map_err(|fault| fault.to_string())
        })
    }

    fn turn(&self, _: bool) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(async { Err("this is the real bucket; turn it with `provision maintenance on` or `off`".to_owned()) })
    }
}
