//! What the function needs, and how it goes.

use super::{
    ARCHITECTURE, Configure, Create, Frozen, Live, Op, Package, Publish, Settings, Upload,
};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{FunctionName, StackName};
use crate::resource::{Mark, Owner, Planned, claim, logs, marked, stack_in, tags};
use std::collections::BTreeSet;

/// How the function should be, with the code and how many versions to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Code hash and configuration.
    pub settings: Settings,
    pub package: Package,
    /// Versions to keep, the newest included.
    pub keep_versions: u32,
    /// The function's ARN.
    pub arn: String,
}

/// Whose function this is. The description says so; where it got lost, the tag.
#[must_use]
pub fn owner(live: &Live) -> Owner {
    let says = marked(&live.settings.frozen.description);
    Owner::by_either(stack_in(&live.settings.tags), says, Mark::Description)
}

/// Is this function the stack's?
#[must_use]
pub fn is_ours(live: &Live, stack: &StackName) -> bool {
    owner(live).is(stack)
}

/// Is a function of an earlier spec, or what is left of it, the stack's? Without a function, the
/// tags of its log groups say so.
#[must_use]
pub fn is_former(stack: &StackName, live: Option<&Live>, groups: &logs::Live) -> bool {
    let tagged =
        || groups.groups.values().any(|group| stack_in(&group.tags).as_ref() == Some(stack));
    live.map_or_else(tagged, |live| is_ours(live, stack))
}

/// How closely the log groups of a function that an earlier spec named are looked at, as it was
/// `found`.
#[must_use]
pub fn look_at_logs(stack: &StackName, found: Option<&Live>) -> logs::Look {
    match found {
        Some(found) if is_ours(found, stack) => logs::Look::Settings,
        Some(_) => logs::Look::Spared,
        None => logs::Look::Tags,
    }
}

/// Plans creation, repair and publication. `adopt` takes over a function that is not ours.
#[must_use]
pub fn plan(
    stack: &StackName,
    name: &FunctionName,
    desired: &Desired,
    live: Option<&Live>,
    adopt: bool,
) -> Planned<Op> {
    let mut planned = Planned::default();
    let want = &desired.settings;
    let Some(live) = live else {
        planned
            .ops
            .push(Op::Create(Create { settings: want.clone(), package: desired.package.clone() }));
        return planned;
    };
    let have = &live.settings;
    let address = Address::new(Kind::Function, name);
    let adopts = match claim(stack, &owner(live), &address, adopt) {
        Ok(adopts) => adopts,
        Err(conflict) => return planned.refused(conflict),
    };
    if live.image {
        return planned.refused(Conflict {
            address,
            reason: "is made from a container image, which Lambda@Edge does not take and Lambda \
                cannot exchange for a package"
                .into(),
            hint: "choose another `function.name`, or delete that function".into(),
        });
    }
    let code_differs = have.frozen.code_sha256 != want.frozen.code_sha256
        || have.frozen.refused.contains(ARCHITECTURE);
    let mut configuration =
        super::Frozen { code_sha256: want.frozen.code_sha256.clone(), ..have.frozen.clone() };
    configuration.refused.remove(ARCHITECTURE);
    let configured = configuration == want.frozen;
    let published = live.number_of(&want.frozen.name()).is_some();
    match tags::plan(&address, &have.tags, &want.tags) {
        Ok(tags) => {
            let arn = || desired.arn.clone();
            planned.ops.extend(tags.map(|tags| Op::SetTags { arn: arn(), tags, adopts }));
        }
        Err(conflict) => return planned.refused(conflict),
    }
    if !configured {
        planned.ops.push(Op::Configure(Configure {
            before: have.clone(),
            after: want.clone(),
            revision: live.revision.clone(),
        }));
    }
    if code_differs {
        planned.ops.push(Op::Upload(Upload {
            before: have.frozen.code_sha256.clone(),
            after: want.frozen.clone(),
            package: desired.package.clone(),
            publish: !published,
            revision: configured.then(|| live.revision.clone()),
        }));
    } else if !published {
        planned.ops.push(Op::Publish(Publish { frozen: want.frozen.clone() }));
    }
    planned
}

/// Plans the deletion of superseded versions beyond those to keep, and of those that are of no use
/// any more; never one in `in_use`, never the desired one.
#[must_use]
pub fn prune(
    desired: &Desired,
    live: Option<&Live>,
    in_use: &BTreeSet<u64>,
    is_useless: impl Fn(&Frozen) -> bool,
) -> Vec<Op> {
    let Some(live) = live else { return Vec::new() };
    let wanted = live.number_of(&desired.settings.frozen.name());
    // The wanted one, or the one that is coming, is kept besides.
    let keep = desired.keep_versions.saturating_sub(1) as usize;
    live.versions
        .iter()
        .rev()
        .filter(|version| Some(version.number) != wanted)
        .enumerate()
        .filter(|(newer, version)| *newer >= keep || is_useless(&version.frozen))
        .filter(|(_, version)| !in_use.contains(&version.number))
        .map(|(_, version)| Op::Prune { number: version.number })
        .collect()
}

/// Plans the end of a function of ours.
#[must_use]
pub fn teardown(stack: &StackName, name: &FunctionName, live: Option<&Live>) -> Planned<Op> {
    let mut planned = Planned::default();
    match live {
        Some(live) if is_ours(live, stack) => planned.ops.push(Op::Delete),
        Some(_) => planned.notices.push(Notice {
            address: Address::new(Kind::Function, name),
            text: "is not ours and stays".into(),
        }),
        None => {}
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::super::{Version, description, package};
    use super::*;
    use crate::resource::STACK_TAG;
    use crate::resource::Tags;

    fn desired() -> Desired {
        let package =
            package::pack(&package::Files::from([("m.py".into(), b"m".to_vec())])).unwrap();
        let frozen = Frozen {
            code_sha256: package.sha256.clone(),
            runtime: "python3.13".into(),
            handler: "m.h".into(),
            memory: 128,
            timeout: 5,
            role: "arn:role".into(),
            refused: BTreeSet::new(),
            description: description(
                &"shop".parse().unwrap(),
                &("shop-1".parse().unwrap(), "m-on.html".parse().unwrap()),
            ),
        };
        let settings = Settings { frozen, tags: Tags::from([(STACK_TAG.into(), "shop".into())]) };
        Desired { settings, package, keep_versions: 2, arn: "arn:f".into() }
    }

    fn live(change: impl Fn(&mut Live)) -> Live {
        let settings = desired().settings;
        let mut live = Live {
            versions: vec![Version { number: 7, frozen: settings.frozen.clone() }],
            settings,
            revision: "r".into(),
            image: false,
        };
        change(&mut live);
        live
    }

    fn said(change: impl Fn(&mut Live)) -> Vec<String> {
        let planned = plan(
            &"shop".parse().unwrap(),
            &"f".parse().unwrap(),
            &desired(),
            Some(&live(change)),
            false,
        );
        let word = |op: &Op| {
            let summary = op.change(&"f".parse().unwrap()).summary;
            summary.split(" version").next().unwrap_or_default().to_owned()
        };
        planned
            .ops
            .iter()
            .map(word)
            .chain(planned.conflicts.into_iter().map(|conflict| conflict.reason))
            .collect()
    }

    #[test]
    fn every_drift_has_its_op() {
        assert_eq!(said(|_| ()), Vec::<String>::new());
        assert_eq!(
            said(|live| live.settings.frozen.code_sha256 = "x".into()),
            ["upload code"],
            "the version exists already"
        );
        assert_eq!(said(|live| live.versions.clear()), ["publish"]);
        assert_eq!(said(|live| live.settings.frozen.memory = 256), ["configure"]);
        assert_eq!(
            said(|live| {
                live.settings.frozen.memory = 256;
                live.versions.clear();
            }),
            ["configure", "publish"]
        );
        assert_eq!(
            said(|live| {
                live.settings.frozen.memory = 256;
                live.settings.frozen.code_sha256 = "x".into();
                live.versions.clear();
            }),
            ["configure", "upload code, publish"]
        );
        assert_eq!(
            said(|live| live.settings.frozen.refused = ["layers".into()].into()),
            ["configure"]
        );
        assert_eq!(said(|live| live.settings.frozen.runtime.push('x')), ["configure"]);
        assert_eq!(said(|live| live.settings.frozen.handler.push('x')), ["configure"]);
        assert_eq!(said(|live| live.settings.frozen.timeout += 1), ["configure"]);
        assert_eq!(said(|live| live.settings.frozen.role.push('x')), ["configure"]);
        assert_eq!(said(|live| live.settings.frozen.description.push('x')), ["configure"]);
        assert_eq!(
            said(|live| live.settings.frozen.refused = [ARCHITECTURE.into()].into()),
            ["upload code"]
        );
        assert_eq!(
            said(
                |live| live.settings.frozen.refused = [ARCHITECTURE.into(), "layers".into()].into()
            ),
            ["configure", "upload code"]
        );
        let image = said(|live| live.image = true);
        assert!(
            image.len() == 1 && image[0].starts_with("is made from a container image"),
            "{image:?}"
        );
        assert_eq!(
            said(|live| live.settings.tags.clear()),
            ["set tags"],
            "the description still says that it is ours"
        );
        assert_eq!(
            said(|live| {
                live.settings.tags.clear();
                live.settings.frozen.description.clear();
            }),
            ["exists and does not carry our tag"]
        );
    }

    #[test]
    fn old_versions_go_except_those_in_use() {
        let old = |number| Version {
            number,
            frozen: Frozen {
                memory: 128 + u32::try_from(number).unwrap(),
                ..desired().settings.frozen
            },
        };
        let numbers = |live: &Live, in_use: &[u64]| -> Vec<u64> {
            prune(&desired(), Some(live), &in_use.iter().copied().collect(), |_| false)
                .into_iter()
                .map(|op| if let Op::Prune { number, .. } = op { number } else { 0 })
                .collect()
        };
        let current =
            live(|live| live.versions.splice(0..0, [old(1), old(2), old(3)]).for_each(drop));
        assert_eq!(numbers(&current, &[]), [2, 1], "two are kept: the wanted one and 3");
        assert_eq!(numbers(&current, &[1]), [2]);
        let coming = live(|live| live.versions = vec![old(1), old(2), old(3)]);
        assert_eq!(numbers(&coming, &[3]), [2, 1], "two are kept: the coming one and 3");
    }
}
