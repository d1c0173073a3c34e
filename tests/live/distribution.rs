//! The stack's distribution, changed behind the program's back.

use super::bench::Bench;
use super::caller::{Sdk, later};
use super::refusal::{Refusal, refusal};
use aws_sdk_cloudfront::types::{
    DistributionConfig, EventType, LambdaFunctionAssociation, LambdaFunctionAssociations,
};
use std::time::Duration;

/// How often a deployment is looked at.
const LOOKS: u32 = 120;

impl Bench {
    /// Its id and its domain name.
    pub(crate) async fn distribution(&self) -> (String, String) {
        let mut pages = self.sdk.cloudfront.list_distributions().into_paginator().send();
        let comment = format!("provision {}", self.stack);
        while let Some(page) = pages.next().await {
            let items = page.unwrap().distribution_list.and_then(|list| list.items);
            let ours = items.into_iter().flatten().find(|found| found.comment == comment);
            if let Some(found) = ours {
                return (found.id, found.domain_name);
            }
        }
        panic!("there is no distribution with comment `{comment}`");
    }

    pub(crate) async fn configuration(&self) -> DistributionConfig {
        let (id, _) = self.distribution().await;
        let found = self.sdk.cloudfront.get_distribution_config().id(id).send().await.unwrap();
        found.distribution_config.unwrap()
    }

    /// Changes the configuration as this caller. `None`: CloudFront took it.
    pub(crate) async fn configure(
        &self,
        caller: &Sdk,
        change: impl FnOnce(&mut DistributionConfig),
    ) -> Option<Refusal> {
        let (id, _) = self.distribution().await;
        let found = self.sdk.cloudfront.get_distribution_config().id(&id).send().await.unwrap();
        let mut config = found.distribution_config.unwrap();
        change(&mut config);
        let update = caller.cloudfront.update_distribution().id(id).set_if_match(found.e_tag);
        refusal(&update.distribution_config(config).send().await)
    }

    /// Gives the viewer request's slot to this version, or to none.
    pub(crate) async fn associate(&self, caller: &Sdk, version: Option<&str>) -> Option<Refusal> {
        let association = version.map(|arn| {
            let slot = LambdaFunctionAssociation::builder().lambda_function_arn(arn);
            slot.event_type(EventType::ViewerRequest).build().unwrap()
        });
        let all = LambdaFunctionAssociations::builder()
            .quantity(i32::from(association.is_some()))
            .set_items(association.map(|one| vec![one]))
            .build()
            .unwrap();
        self.configure(caller, |config| {
            let behavior = config.default_cache_behavior.as_mut().unwrap();
            behavior.lambda_function_associations = Some(all);
        })
        .await
    }

    /// The version that has the slot.
    pub(crate) async fn associated(&self) -> String {
        let behavior = self.configuration().await.default_cache_behavior.unwrap();
        let all = behavior.lambda_function_associations.unwrap();
        all.items.unwrap_or_default().swap_remove(0).lambda_function_arn
    }

    pub(crate) async fn wait_deployed(&self) {
        let (id, _) = self.distribution().await;
        for _ in 0..LOOKS {
            // Right after a write, the first look can be stale.
            later(Duration::from_secs(15)).await;
            let found = self.sdk.cloudfront.get_distribution().id(&id).send().await.unwrap();
            if found.distribution.unwrap().status == "Deployed" {
                return;
            }
        }
        panic!("distribution {id} is not deployed");
    }
}
