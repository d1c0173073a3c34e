//! Visitors who do not get the page.

use crate::change::{Address, Kind, Notice};
use crate::resource::distribution::document::{CacheBehavior, EVENT};
use crate::resource::distribution::plan::unfit;
use crate::resource::distribution::{Behavior, Live};
use crate::resource::function::Functions;
use std::collections::BTreeSet;

/// Which visitors the page cannot reach: all of a disabled distribution, and those of behaviors that
/// the spec does not name.
pub(super) fn unreached(
    live: &Live,
    named: &BTreeSet<Behavior>,
    functions: &Functions<'_>,
) -> Vec<Notice> {
    let address = Address::new(Kind::Association, &live.id);
    let reading = live.document.read();
    let notice = |text| Notice { address: address.clone(), text };
    let disabled = (!reading.enabled)
        .then(|| notice("the distribution is disabled: it answers no visitor".to_owned()));
    let covered =
        |does: &CacheBehavior| does.functions.get(EVENT).is_some_and(|arn| functions.run(arn));
    let others = reading.behaviors.iter();
    let uncovered = others.filter(|(known, does)| !named.contains(*known) && !covered(does));
    let (mut free, mut barred) = (Vec::new(), Vec::new());
    for (known, _) in uncovered {
        match unfit(&reading, known) {
            Some(why) => barred.push(notice(format!(
                "visitors of behavior `{known}` never see the maintenance page, and the function \
                    cannot be put there: {why}"
            ))),
            None => free.push(format!("`{known}`")),
        }
    }
    let free = (!free.is_empty()).then(|| {
        notice(format!(
            "visitors of these behaviors never see the maintenance page: {}; add them to \
                `distribution.behaviors`",
            free.join(", ")
        ))
    });
    disabled.into_iter().chain(free).chain(barred).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Tags;
    use crate::resource::distribution::document::{Document, element, list_element};

    /// Whoever took the advice would be refused.
    #[test]
    fn nobody_is_told_to_add_a_behavior_that_takes_no_function() {
        let told = |event: &str| {
            let cff = [element("FunctionARN", "arn:cff"), element("EventType", event)].concat();
            let cff = format!("<FunctionAssociation>{cff}</FunctionAssociation>");
            let does =
                element("PathPattern", "/app/*") + &list_element("FunctionAssociations", &[cff]);
            let behaviors = [format!("<CacheBehavior>{does}</CacheBehavior>")];
            let text = element("Enabled", "true") + &list_element("CacheBehaviors", &behaviors);
            let text = format!("<DistributionConfig>{text}</DistributionConfig>");
            let live = Live {
                id: "E2ABCDEF0123".parse().unwrap(),
                etag: "etag".into(),
                document: Document(text),
                deployed: true,
                domain: "d".into(),
                tags: Tags::new(),
            };
            let told = unreached(&live, &BTreeSet::new(), &Functions::default());
            told.into_iter().map(|notice| notice.text).collect::<Vec<_>>()
        };
        let [barred] = &told("viewer-request")[..] else { panic!("one notice") };
        assert!(barred.contains("cannot be put there: behavior `/app/*` runs"), "{barred}");
        let [free] = &told("origin-request")[..] else { panic!("one notice") };
        assert!(free.ends_with("`/app/*`; add them to `distribution.behaviors`"), "{free}");
    }
}
