//! Which log groups to make, how long they keep their events, and which go.

use super::{Group, GroupId, Live, Op, Orphan, Settings};
use crate::change::{Address, Fault, FaultKind, Kind, Notice};
use crate::name::{Region, StackName};
use crate::resource::{Owner, Planned, ResourceId, Trace, Traces, stack_in};
use std::collections::BTreeMap;

/// What is known of the function to which groups of one name belong.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub stack: &'a StackName,
    pub function: FunctionIs,
    /// From when on there is a role of ours: no function of ours is older (docs/aws.md, "when
    /// things were made").
    pub since: Option<u64>,
}

impl Claim<'_> {
    /// Is the group ours? The edge makes groups without a tag, once the function runs; one that is
    /// older than all of ours is somebody's.
    #[must_use]
    pub fn owns(&self, group: &Group) -> bool {
        let is_tagged = stack_in(&group.tags).as_ref() == Some(self.stack);
        match self.function {
            FunctionIs::Ours => is_tagged || group.is_younger(self.since),
            FunctionIs::Theirs => false,
            FunctionIs::Gone => is_tagged,
        }
    }

    /// Why it is not.
    fn lacks(&self) -> &'static str {
        match (self.function, self.since) {
            (FunctionIs::Ours, Some(_)) => {
                "it was there before our function, and carries no tag of ours"
            }
            (FunctionIs::Ours, None) => {
                "it carries no tag of ours, and there is no role of ours to prove that our function \
                    is older"
            }
            _ => "there is no function of ours to prove whose it is, nor our tag",
        }
    }
}

/// Plans a group in every region where the edge may write, and its retention. A region that refuses
/// is passed over with a notice, and so is a group that is not ours.
#[must_use]
pub fn plan(
    name: &str,
    desired: &Settings,
    live: &Live,
    claim: &Claim<'_>,
) -> Planned<(GroupId, Op)> {
    let mut planned = Planned::default();
    let id = |region: &Region| GroupId { region: region.clone(), name: name.to_owned() };
    let mut notes = refusals(&live.refused, "nothing is set there");
    let after = desired.retention;
    for region in Region::of_edge_logs() {
        if live.refused.contains_key(&region) {
            continue;
        }
        let found = live.groups.get(&region);
        if found.is_some_and(|group| !claim.owns(group)) {
            let why = claim.lacks();
            notes.push((region, format!("log group {name} stays as it is: {why}")));
            continue;
        }
        if found.is_none() {
            planned.ops.push((id(&region), Op::Create { tags: desired.tags.clone() }));
        }
        let before = found.and_then(|group| group.retention);
        if before == Some(after) {
            continue;
        }
        match found.and_then(|group| group.policy.as_ref()) {
            Some(policy) => notes.push((
                region,
                format!(
                    "the account's policy `{policy}` decides about the retention, not the spec"
                ),
            )),
            None => {
                let new = found.is_none();
                planned.ops.push((id(&region), Op::SetRetention { before, after, new }));
            }
        }
    }
    planned.notices = gathered(notes);
    planned
}

/// What the function of their name says of log groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionIs {
    /// Those that came after it are ours.
    Ours,
    /// All of them are another owner's.
    Theirs,
    /// Their own tags tell.
    Gone,
}

/// Plans the end of the groups that are ours.
#[must_use]
pub fn teardown(name: &str, live: &Live, claim: &Claim<'_>) -> Planned<(GroupId, Op)> {
    let mut planned = Planned::default();
    if claim.function == FunctionIs::Theirs {
        return planned;
    }
    let mut notes = refusals(&live.refused, "if it exists there, it stays");
    for (region, group) in &live.groups {
        if !claim.owns(group) {
            let why = claim.lacks();
            notes.push((region.clone(), format!("log group {name} stays: {why}")));
        } else if group.protected {
            notes.push((
                region.clone(),
                format!("log group {name} stays: its deletion protection is on"),
            ));
        } else {
            let id = GroupId { region: region.clone(), name: name.to_owned() };
            planned.ops.push((id, Op::Delete));
        }
    }
    planned.notices = gathered(notes);
    planned
}

/// Tells the groups of functions that are gone apart: those of ours, and those that nothing proves
/// to be anybody's.
#[must_use]
pub fn orphans(found: Vec<Orphan>, refused: &BTreeMap<Region, Fault>) -> Traces {
    let mut traces = Traces::default();
    let mut notes = refusals(refused, "what is left there was not looked for");
    for Orphan { region, name, tags, since } in found {
        match stack_in(&tags) {
            Some(stack) => {
                let place = Some(region.to_string());
                let (owner, id) = (Owner::Stack(stack), ResourceId::Logs(name));
                traces.add(&owner, id, &tags, |trace| Trace { place, since, ..trace });
            }
            None => notes.push((
                region,
                format!(
                    "log group {name} is left of a function that is gone, and no tag says whose \
                        it was"
                ),
            )),
        }
    }
    traces.notices.extend(gathered(notes));
    traces
}

/// What the regions say that did not let us look.
fn refusals(refused: &BTreeMap<Region, Fault>, consequence: &str) -> Vec<(Region, String)> {
    let said = |(region, fault): (&Region, &Fault)| {
        let why = fault.code.as_ref().unwrap_or(&fault.message);
        let remedy = match fault.kind {
            FaultKind::Denied => "`provision policy` prints what looking takes",
            _ => "enable the region for the account, if the function runs there",
        };
        (region.clone(), format!("could not {}: {why}; {consequence}; {remedy}", fault.tried))
    };
    refused.iter().map(said).collect()
}

/// One notice for all regions about which the same is to be said.
fn gathered(notes: Vec<(Region, String)>) -> Vec<Notice> {
    let mut gathered: Vec<(String, Vec<String>)> = Vec::new();
    for (region, text) in notes {
        match gathered.iter_mut().find(|(known, _)| *known == text) {
            Some((_, regions)) => regions.push(region.to_string()),
            None => gathered.push((text, vec![region.to_string()])),
        }
    }
    gathered
        .into_iter()
        .map(|(text, regions)| Notice {
            address: Address::new(Kind::Logs, regions.join(", ")),
            text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Action;
    use crate::resource::{STACK_TAG, Tags};

    const NAME: &str = "/aws/lambda/us-east-1.shop-edge";
    /// When our role was made.
    const SINCE: u64 = 100;

    fn claim(stack: &StackName, function: FunctionIs) -> Claim<'_> {
        Claim { stack, function, since: Some(SINCE) }
    }

    fn tagged(stack: &str) -> Tags {
        Tags::from([(STACK_TAG.into(), stack.into())])
    }

    /// Groups in all regions with the right retention, then changed.
    fn live(change: impl Fn(&mut Live)) -> Live {
        let group = Group { retention: Some(30), created: SINCE, ..Group::default() };
        let mut live = Live {
            groups: Region::of_edge_logs().map(|region| (region, group.clone())).into(),
            refused: BTreeMap::new(),
        };
        change(&mut live);
        live
    }

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    fn refuse(live: &mut Live, name: &str, code: &str) {
        let mut fault = Fault::new(
            FaultKind::Denied,
            format!("look for log group {NAME}"),
            format!("not in {name}"),
        );
        fault.code = Some(code.into());
        live.groups.remove(&region(name));
        live.refused.insert(region(name), fault);
    }

    fn told(planned: &Planned<(GroupId, Op)>) -> Vec<String> {
        let changes = planned.ops.iter().map(|(id, op)| op.change(id));
        let changes = changes.map(|change| format!("{} {}", change.address.name, change.summary));
        changes
            .chain(
                planned
                    .notices
                    .iter()
                    .map(|notice| format!("{}: {}", notice.address.name, notice.text)),
            )
            .collect()
    }

    #[test]
    fn every_region_gets_its_group_and_its_retention() {
        let desired = Settings { retention: 30, tags: tagged("shop") };
        let stack = "shop".parse().unwrap();
        let planned = |change: &dyn Fn(&mut Live)| {
            plan(NAME, &desired, &live(change), &claim(&stack, FunctionIs::Ours))
        };
        let plan = |change: &dyn Fn(&mut Live)| told(&planned(change));
        assert_eq!(plan(&|_| ()), Vec::<String>::new());
        let first = planned(&|live| live.groups.clear());
        let creates = first
            .ops
            .iter()
            .filter(|(id, op)| op.change(id).action == Action::Create)
            .map(|(id, _)| id.region.clone());
        assert_eq!(creates.collect::<Vec<_>>(), Region::of_edge_logs());
        assert_eq!(first.ops.len(), 2 * Region::of_edge_logs().len());
        let one = |change: &dyn Fn(&mut Group)| {
            plan(&|live| change(live.groups.get_mut(&region("eu-west-1")).unwrap()))
        };
        assert_eq!(one(&|group| group.retention = None), ["eu-west-1 keep events for 30 days"]);
        assert_eq!(one(&|group| group.retention = Some(60)), ["eu-west-1 keep events for 30 days"]);
        assert_eq!(one(&|group| group.policy = Some("all".into())), Vec::<String>::new());
        let ruled =
            |group: &mut Group| (group.retention, group.policy) = (None, Some("all".into()));
        assert_eq!(
            one(&ruled),
            ["eu-west-1: the account's policy `all` decides about the retention, not the spec"]
        );
        let closed = plan(&|live| {
            for name in ["us-west-1", "sa-east-1"] {
                refuse(live, name, "AccessDeniedException");
            }
        });
        let told = "could not look for log group /aws/lambda/us-east-1.shop-edge: \
            AccessDeniedException; nothing is set there; `provision policy` prints what looking \
            takes";
        assert_eq!(closed, [format!("sa-east-1, us-west-1: {told}")]);
    }

    #[test]
    fn only_what_is_proven_to_be_ours_goes() {
        let (stack, left) = ("shop".parse().unwrap(), |live: &mut Live| {
            live.groups.retain(|found, _| found.as_str() == "eu-west-1");
        });
        let ended = |function: FunctionIs, change: &dyn Fn(&mut Group)| {
            let live = live(|live| {
                left(live);
                live.groups.values_mut().for_each(change);
            });
            told(&teardown(NAME, &live, &claim(&stack, function)))
        };
        let gone = [format!("eu-west-1 delete log group {NAME}")];
        let stays = |why: &str| [format!("eu-west-1: log group {NAME} stays: {why}")];
        let unproven = "there is no function of ours to prove whose it is, nor our tag";
        assert_eq!(ended(FunctionIs::Ours, &|_| ()), gone);
        assert_eq!(
            ended(FunctionIs::Theirs, &|group| group.tags = tagged("shop")),
            Vec::<String>::new()
        );
        assert_eq!(ended(FunctionIs::Gone, &|group| group.tags = tagged("shop")), gone);
        assert_eq!(
            ended(FunctionIs::Gone, &|group| group.tags = tagged("shop-2")),
            stays(unproven)
        );
        assert_eq!(ended(FunctionIs::Gone, &|_| ()), stays(unproven));
        assert_eq!(
            ended(FunctionIs::Ours, &|group| group.protected = true),
            stays("its deletion protection is on")
        );
        let closed = live(|live| {
            left(live);
            refuse(live, "sa-east-1", "UnrecognizedClientException");
        });
        let said = told(&teardown(NAME, &closed, &claim(&stack, FunctionIs::Ours)));
        assert_eq!(said[..1], gone);
        assert!(
            said[1].starts_with("sa-east-1: could not look for")
                && said[1].contains("if it exists there, it stays; "),
            "{said:?}"
        );
    }

    /// Somebody's events that were there before us.
    #[test]
    fn a_group_that_is_older_than_what_is_ours_is_theirs() {
        let stack: StackName = "shop".parse().unwrap();
        let desired = Settings { retention: 30, tags: tagged("shop") };
        for (created, tags, since, is_ours) in [
            (SINCE, Tags::new(), Some(SINCE), true),
            (SINCE - 1, Tags::new(), Some(SINCE), false),
            (SINCE - 1, tagged("shop"), Some(SINCE), true),
            (SINCE - 1, tagged("shop-2"), Some(SINCE), false),
            (SINCE, Tags::new(), None, false),
            (SINCE, tagged("shop"), None, true),
        ] {
            let changed = live(|live| {
                live.groups.retain(|found, _| found.as_str() == "eu-west-1");
                let group = Group {
                    retention: Some(3653),
                    tags: tags.clone(),
                    created,
                    ..Group::default()
                };
                live.groups.values_mut().for_each(|found| *found = group.clone());
            });
            let claim = Claim { stack: &stack, function: FunctionIs::Ours, since };
            let here = |planned: Planned<(GroupId, Op)>| {
                planned.ops.iter().filter(|(id, _)| id.region.as_str() == "eu-west-1").count()
            };
            let what = format!("{created} {tags:?} {since:?}");
            let (kept, ended) =
                (plan(NAME, &desired, &changed, &claim), teardown(NAME, &changed, &claim));
            assert_eq!(
                (kept.notices.len(), ended.notices.len()),
                if is_ours { (0, 0) } else { (1, 1) },
                "{what}"
            );
            let ops = usize::from(is_ours);
            assert_eq!((here(kept), here(ended)), (ops, ops), "{what}");
        }
    }

    #[test]
    fn orphans_are_told_apart_by_their_tag() {
        let orphan = |place: &str, tags| Orphan {
            region: region(place),
            name: NAME.into(),
            tags,
            since: Some(7),
        };
        let found = vec![
            orphan("eu-west-1", tagged("shop")),
            orphan("eu-west-2", Tags::new()),
            orphan("us-west-2", tagged("No Stack")),
        ];
        let Traces { found, notices, .. } = orphans(found, &BTreeMap::new());
        let [trace] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (trace.stack.as_str(), trace.place.as_deref(), trace.since),
            ("shop", Some("eu-west-1"), Some(7))
        );
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].address.name, "eu-west-2, us-west-2");
    }
}
