//! Objects and switch of the sandbox.

use super::moment;
use crate::apply::{Event, Report, execute, references};
use crate::cloud::Cloud;
use crate::cloud::sandbox::Sandbox;
use crate::cloud::world::{self, Headers};
use crate::commands::maintenance::on::random;
use crate::commands::maintenance::status::facts;
use crate::context::Context;
use crate::edge::{Later, Listed, Object, Objects, Switch, SwitchState};
use crate::name::ObjectKey;
use crate::resource::page::Metadata;
use crate::resource::page::turn::{self, Wanted};
use crate::resource::site;
use crate::session::Session;
use crate::stack::{Live, Stack};
use crate::{desired, plan};
use std::sync::Arc;
use std::time::Duration;

/// The stack's bucket in the sandbox.
pub(super) struct Bucket {
    pub(super) cloud: Sandbox,
    pub(super) stack: Stack,
    /// Its spec.
    pub(super) session: Arc<Session>,
}

/// Turns of the console show in its own page.
struct Silent;

impl Report for Silent {
    fn event(&self, _: &Event<'_>) {}
}

impl Bucket {
    fn bucket(&self) -> Result<Option<world::Bucket>, String> {
        let world = self.cloud.load().map_err(|fault| fault.to_string())?;
        Ok(world.buckets.get(&self.stack.bucket).cloned())
    }

    fn read(&self, key: &str) -> Result<Option<Object>, String> {
        let Ok(key) = key.parse::<ObjectKey>() else { return Ok(None) };
        let Some(bucket) = self.bucket()? else { return Ok(None) };
        let Some(found) = bucket.objects.get(&key) else { return Ok(None) };
        let body = self
            .cloud
            .read_object(&found.etag)
            .map_err(|fault| format!("object {key}: {fault}"))?;
        let Headers { sent, metadata, modified, version: _ } =
            bucket.headers.get(&key).cloned().unwrap_or_default();
        Ok(Some(Object {
            body: body.into(),
            etag: format!("\"{}\"", found.etag),
            last_modified: moment(modified),
            headers: sent,
            metadata,
        }))
    }

    fn listed(&self, prefix: &str) -> Result<Vec<Listed>, String> {
        let Some(world::Bucket { objects, headers, .. }) = self.bucket()? else {
            return Ok(Vec::new());
        };
        let below = objects.into_iter().filter(|(key, _)| key.as_str().starts_with(prefix));
        Ok(below
            .map(|(key, site::Object { etag, size })| Listed {
                last_modified: moment(headers.get(&key).map_or(0, |headers| headers.modified)),
                key: key.to_string(),
                size,
                etag: format!("\"{etag}\""),
            })
            .collect())
    }

    async fn state_now(&self) -> Result<SwitchState, String> {
        let sides =
            self.cloud.observe_switch(&self.stack).await.map_err(|fault| fault.to_string())?;
        Ok(facts(&sides, &self.stack))
    }

    async fn turn_now(&self, on: bool) -> Result<SwitchState, String> {
        let sides =
            self.cloud.observe_switch(&self.stack).await.map_err(|fault| fault.to_string())?;
        let standard = desired::standard_page(&self.session.spec);
        let wanted = if on {
            let mark = random().map_err(|error| error.to_string())?;
            Wanted::On(turn::On {
                window: Metadata::new(),
                without: Vec::new(),
                once: None,
                standard,
                mark,
            })
        } else {
            Wanted::Off { standard }
        };
        let plan = plan::turn(&self.stack, &wanted, &sides);
        if let Some(conflict) = plan.conflicts.first() {
            return Err(format!("{}; {}", conflict.reason, conflict.hint));
        }
        let context = Context::new(
            references(&Live::default()),
            &|_, _| {},
            self.session.place.stop.clone(),
            Duration::ZERO,
        );
        let outcome = execute(&plan, &self.stack, &self.cloud, &context, &Silent).await;
        match outcome.failed.first() {
            Some((_, fault)) => Err(fault.to_string()),
            None => self.state_now().await,
        }
    }
}

impl Objects for Bucket {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Object>, String>> {
        Box::pin(async move { self.read(key) })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Later<'a, Result<Vec<Listed>, String>> {
        Box::pin(async move { self.listed(prefix) })
    }
}

impl Switch for Bucket {
    fn state(&self) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(self.state_now())
    }

    fn turn(&self, on: bool) -> Later<'_, Result<SwitchState, String>> {
        Box::pin(self.turn_now(on))
    }
}
