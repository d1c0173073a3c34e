//! Where the laws are tried: two specs, a neighbourhood that is not ours, and worlds made from them
//! by the tool itself.

use crate::memory::{Cut, Memory};
use provision::cloud::world::{Bucket, Delays, Distribution, Headers, World};
use provision::desired::Desired;
use provision::edge::ObjectHeaders;
use provision::name::{DistributionId, ObjectKey};
use provision::plan::{Choices, Intent};
use provision::resource::content::Content;
use provision::resource::distribution::{
    Behavior,
    document::{Document, EVENT},
    edit::Edit,
};
use provision::resource::site::Object;
use provision::resource::{
    STACK_TAG, Tags, access, bucket, distribution, function, logs, role, site,
};
use provision::spec::Spec;
use provision::spec::load::{Files, load};
use provision::stack::{Names, Stack};
use serde_json::json;
use std::sync::LazyLock;

pub(crate) const BUCKET: &str = "shop-files";
pub(crate) const NAME: &str = "shop-edge";
pub(crate) const ATTACHED: &str = "E1ATTACHED00";
/// A key of the site's folder.
pub(crate) const FILE: &str = "app.js";

/// What a spec asks for, ready to be planned.
pub(crate) struct Ground {
    pub(crate) name: &'static str,
    pub(crate) stack: Stack,
    pub(crate) desired: Desired,
    /// The world after its first apply, which the drifts start from.
    pub(crate) built: World,
    pub(crate) replaces: bool,
}

/// Our own distribution.
pub(crate) static OWNED: LazyLock<Ground> =
    LazyLock::new(|| Ground::new("owned", "stack: shop", None));
/// Two slots of a distribution that somebody else owns.
pub(crate) static ATTACHED_TO: LazyLock<Ground> =
    LazyLock::new(|| Ground::new("attached", ATTACHING, None));
/// The same, and foreign occupants may be put out.
pub(crate) static REPLACING: LazyLock<Ground> = LazyLock::new(|| {
    Ground::new("replacing", &ATTACHING.replace("behaviors", "replace: true, behaviors"), None)
});
/// The same as the first, and the function's logs are kept for a month.
pub(crate) static LOGGING: LazyLock<Ground> = LazyLock::new(|| {
    Ground::new(
        "logging",
        "stack: shop
function: {keep_versions: 2, log_retention: 30d}",
        None,
    )
});
/// The stack had its own distribution, and now the spec attaches to another one, with other code.
pub(crate) static MOVED: LazyLock<Ground> = LazyLock::new(|| {
    let changed = ATTACHING.replace("stack: shop", "stack: shop\nmaintenance: {retry_after: 99s}");
    Ground::new("moved", &changed, Some(&OWNED))
});

const ATTACHING: &str =
    "stack: shop\ndistribution: {id: E1ATTACHED00, behaviors: [default, \"/app/*\"]}";

pub(crate) fn grounds() -> [&'static Ground; 5] {
    [&OWNED, &ATTACHED_TO, &REPLACING, &LOGGING, &MOVED]
}

impl Ground {
    /// A spec and a world that has not seen it.
    pub(crate) fn read_only(name: &'static str, text: &str, world: World) -> Self {
        let (spec, stack) = read(text);
        let desired = Desired::of(&spec, &stack, the_site()).unwrap();
        Self { name, stack, desired, built: world, replaces: false }
    }

    /// A spec and the world after its first apply, made from `before`.
    pub(crate) fn built_in(
        name: &'static str,
        text: &str,
        site: site::Settings,
        before: World,
    ) -> Self {
        let mut ground = Self::read_only(name, text, before);
        ground.desired.site = site;
        let memory = Memory::new(ground.built.clone(), 0, Cut::Never);
        let (live, plan) = memory.plan(&ground, Intent::Provision, &Choices::default());
        assert!(plan.can_apply(), "{name}: {:?}", plan.conflicts);
        let _ = memory.carry_out(&ground, &live, &plan);
        Self { built: memory.into_world(), ..ground }
    }

    fn new(name: &'static str, text: &str, before: Option<&Ground>) -> Self {
        let (spec, stack) = read(text);
        let desired = Desired::of(&spec, &stack, the_site()).unwrap();
        let built = before.map_or_else(neighbourhood, |before| before.built.clone());
        let ground = Self { name, stack, desired, built, replaces: text.contains("replace: true") };
        if before.is_some() {
            return ground;
        }
        let memory = Memory::new(ground.built.clone(), 0, Cut::Never);
        let (live, plan) = memory.plan(&ground, Intent::Provision, &Choices::default());
        let _ = memory.carry_out(&ground, &live, &plan);
        Self { built: memory.into_world(), ..ground }
    }

    /// The number of `version` in the slots' ARNs.
    pub(crate) fn arn(&self, version: u64) -> String {
        self.stack.any_version().arn(version)
    }
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn read(text: &str) -> (Spec, Stack) {
    let function = if text.contains("function:") { "" } else { "function: {keep_versions: 2}\n" };
    let bucket = if text.contains("bucket:") {
        String::new()
    } else {
        format!("bucket: {{name: {BUCKET}}}\n")
    };
    let text = format!("{text}\n{bucket}{function}");
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), text).unwrap();
    let spec = load(file.path(), &|_| None, Files::Needed).unwrap().spec;
    let stack = Names::of(&spec).in_account(account()).unwrap();
    (spec, stack)
}

fn account() -> provision::name::AccountId {
    "123456789012".parse().unwrap()
}

pub(crate) fn the_site() -> site::Settings {
    let files =
        [("index.html", "text/html"), (FILE, "text/javascript"), ("logo.svg", "image/svg+xml")];
    let content = |(key, kind): (&str, &str)| {
        (key.parse().unwrap(), Content::in_memory(key.as_bytes(), ObjectHeaders::new(kind, "")))
    };
    site::Settings { named: true, files: files.map(content).into() }
}

/// The world before us: what a busy account holds, close by in name and shape.
pub(crate) fn neighbourhood() -> World {
    let mut world = World::empty(account(), Delays { deploy: 10, replicas: 100 });
    let theirs = Tags::from([(STACK_TAG.to_owned(), "shop-2".to_owned())]);
    let settings = bucket::Settings {
        region: "eu-west-1".parse().unwrap(),
        private: false,
        owner_enforced: false,
        versioning: bucket::Versioning::Off,
        tags: theirs.clone(),
    };
    let key: ObjectKey = "index.html".parse().unwrap();
    let object = Bucket {
        live: bucket::Live { settings, abac: false, kms_key: None },
        policy: Some(json!({"Version": "2012-10-17", "Statement": [their_statement()]})),
        objects: [(key.clone(), Object { etag: "theirs".into(), size: 6 })].into(),
        headers: [(key, Headers::default())].into(),
        older: [].into(),
        index: String::new(),
    };
    world.buckets.insert("shop-files-2".parse().unwrap(), object);
    let role = role::Settings {
        path: "/".parse().unwrap(),
        trust: json!({}),
        policy: None,
        boundary: None,
        description: String::new(),
        tags: theirs.clone(),
    };
    world.roles.insert(
        "shop-edge-2".parse().unwrap(),
        role::Live { settings: role, other_policies: Vec::new(), attached: Vec::new(), created: 0 },
    );
    world.functions.insert("shop-edge-2".parse().unwrap(), their_function());
    for region in ["eu-west-1", "us-east-1"] {
        let group = logs::Group { tags: theirs.clone(), ..logs::Group::default() };
        world.logs.insert(
            region.parse().unwrap(),
            [("/aws/lambda/us-east-1.shop-edge-2".to_owned(), group)].into(),
        );
    }
    let control = access::Live {
        id: "E0CONTROL".into(),
        name: "provision-shop-2".into(),
        description: "provision:stack=shop-2".into(),
        signing: access::Signing::default(),
    };
    world.access.insert(control.name.clone(), control);
    for (id, tags) in
        [(ATTACHED, Tags::from([("team".into(), "web".into())])), ("E9OTHER0000", theirs)]
    {
        let made = if id == ATTACHED { "theirs" } else { "provision-shop-2-E1CONTROL000" };
        let reference = format!("<DistributionConfig><CallerReference>{made}</CallerReference>");
        let document = their_document().0.replacen("<DistributionConfig>", &reference, 1);
        let live = distribution::Live {
            id: id.parse().unwrap(),
            etag: "ETAG0".into(),
            document: Document(document),
            deployed: true,
            domain: format!("{}.cloudfront.net", id.to_lowercase()),
            tags,
        };
        world.distributions.insert(live.id.clone(), Distribution { live, deployed_at: 0 });
    }
    world
}

pub(crate) fn their_statement() -> serde_json::Value {
    json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": "*"})
}

pub(crate) fn their_function() -> function::Live {
    let frozen = function::Frozen {
        code_sha256: "theirs".into(),
        runtime: "python3.13".into(),
        handler: "theirs.handler".into(),
        memory: 128,
        timeout: 1,
        role: "arn:aws:iam::123456789012:role/theirs".into(),
        refused: [].into(),
        description: "theirs".into(),
    };
    let versions = vec![function::Version { number: 1, frozen: frozen.clone() }];
    function::Live {
        settings: function::Settings { frozen, tags: Tags::new() },
        revision: "theirs".into(),
        versions,
        image: false,
    }
}

/// Three behaviors; others hold `/api/*` and one other event of the default behavior.
fn their_document() -> Document {
    let none = "<LambdaFunctionAssociations><Quantity>0</Quantity></LambdaFunctionAssociations>";
    let theirs = "<LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><LambdaFunctionARN>\
        arn:aws:lambda:us-east-1:123456789012:function:theirs:7</LambdaFunctionARN><EventType>origin-request</EventType>\
        </LambdaFunctionAssociation></Items></LambdaFunctionAssociations>";
    let behavior = |pattern: &str, functions: &str| {
        format!(
            "<CacheBehavior><PathPattern>{pattern}</PathPattern><TargetOriginId>o</TargetOriginId>{functions}</CacheBehavior>"
        )
    };
    let text = format!(
        "<DistributionConfig><Comment>theirs</Comment><Enabled>true</Enabled><FromTheFuture><Kept/></FromTheFuture>\
         <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>theirs.example</DomainName></Origin></Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>{theirs}</DefaultCacheBehavior>\
         <CacheBehaviors><Quantity>2</Quantity><Items>{}{}</Items></CacheBehaviors></DistributionConfig>",
        behavior("/app/*", none),
        behavior("/api/*", none),
    );
    let held = Edit::Occupant(
        "/api/*".into(),
        Some("arn:aws:lambda:us-east-1:123456789012:function:theirs:7".into()),
    );
    Document(text).edit(&[held]).unwrap()
}

/// Who holds the slot of `behavior`.
pub(crate) fn occupant(live: &distribution::Live, behavior: &Behavior) -> Option<String> {
    live.document.read().behaviors.get(behavior)?.functions.get(EVENT).cloned()
}

/// The distribution that the ground's slots are in: ours, or the attached one.
pub(crate) fn distribution_mut<'w>(
    world: &'w mut World,
    ground: &Ground,
) -> Option<&'w mut Distribution> {
    let attached: Option<&DistributionId> = ground.stack.names.attached.as_ref();
    let ours =
        |live: &distribution::Live| distribution::owner::is_ours(live, &ground.stack.names.stack);
    world
        .distributions
        .values_mut()
        .find(|found| attached.map_or_else(|| ours(&found.live), |id| found.live.id == *id))
}

/// Edits that distribution behind our back.
pub(crate) fn edit(world: &mut World, ground: &Ground, edits: &[Edit]) {
    if let Some(found) = distribution_mut(world, ground)
        && let Ok(document) = found.live.document.edit(edits)
    {
        found.live.document = document;
        found.live.etag.push('x');
    }
}

/// Puts `arn` into the default behavior's slot.
pub(crate) fn occupy(world: &mut World, ground: &Ground, arn: Option<String>) {
    edit(world, ground, &[Edit::Occupant(Behavior::Default, arn)]);
}
