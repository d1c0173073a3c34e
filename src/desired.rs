//! How everything should be: from a spec and the account to each room's settings.

use crate::change::{Fault, FaultKind};
use crate::edge::ObjectHeaders;
use crate::file;
use crate::name::ObjectKey;
use crate::resource::content::Content;
use crate::resource::function::{self, Frozen, VersionReference, package};
use crate::resource::site::pages::{Pages, Unled};
use crate::resource::{
    NOT_FOUND, PROTECT_TAG, STACK_TAG, TTL_TAG, Tags, association, bucket, distribution, grant,
    logs, marker, page, role, site, tags,
};
use crate::spec::duration::written;
use crate::spec::page::security;
use crate::spec::{DistributionSpec, OwnedDistribution, Source, Spec};
use crate::stack::{Names, Stack};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The page that ships with us, for specs that name none.
pub const BUILTIN_PAGE: &[u8] = include_bytes!("../config/edge/maintenance.html");
/// The function that ships with us.
pub const BUILTIN_FUNCTION: &[u8] = include_bytes!("../config/edge/maintenance.py");

/// How everything should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    pub bucket: bucket::Settings,
    /// The files in it.
    pub site: site::Settings,
    /// What no visitor may read of the bucket, as patterns of IAM.
    pub hidden: Vec<String>,
    /// Paths that should lead to these.
    pub unled: Unled,
    pub page: page::Settings,
    pub role: role::Settings,
    pub function: function::plan::Desired,
    /// Its log groups, if the spec says how long they keep their events.
    pub logs: Option<logs::Settings>,
    /// Our own distribution, if there shall be one.
    pub distribution: Option<distribution::plan::Desired>,
    /// Slots of another one.
    pub association: Option<association::plan::Desired>,
}

/// Reads the site's folder; without one, the site is empty.
///
/// # Errors
/// [`FaultKind::Local`] where it cannot be read.
pub fn site(spec: &Spec) -> Result<site::Settings, Fault> {
    let Some(folder) = &spec.bucket.site else { return Ok(site::Settings::default()) };
    site::folder::read(folder, spec.selection(), &spec.bucket.headers)
}

/// Which key is which file's, in this folder or in the site's.
///
/// # Errors
/// Those of [`site()`].
pub fn keys(spec: &Spec, folder: Option<&Path>) -> Result<BTreeMap<ObjectKey, PathBuf>, Fault> {
    let Some(folder) = folder.or(spec.bucket.site.as_deref()) else { return Ok(BTreeMap::new()) };
    site::folder::keys(folder, spec.selection())
}

impl Desired {
    /// What the spec means in this account. `site` was read by [`site()`].
    ///
    /// # Errors
    /// [`FaultKind::Local`] where the page or the function's source cannot be read.
    pub fn of(spec: &Spec, stack: &Stack, site: site::Settings) -> Result<Self, Fault> {
        let tags = tags_of(spec, stack);
        let Names { role, role_path, function, region, keys, .. } = &stack.names;
        let (pages, unled) = pages(spec, &site.files);
        let package = package::pack(&package_files(spec, stack, &pages)?)?;
        let frozen = Frozen {
            code_sha256: package.sha256.clone(),
            runtime: spec.function.runtime.clone(),
            handler: handler(&spec.function.source).to_owned(),
            memory: spec.function.memory,
            timeout: u32::try_from(spec.function.timeout.as_secs()).unwrap_or(u32::MAX),
            role: role.arn(&stack.account, role_path),
            refused: BTreeSet::new(),
            description: function::description(
                &stack.names.stack,
                &(stack.bucket.clone(), keys.on.clone()),
            ),
        };
        let occupant =
            VersionReference { function: function.arn(&stack.account), version: frozen.name() };
        let (distribution, association) = match &spec.distribution {
            DistributionSpec::Owned(owned) => {
                let settings = distribution::Settings {
                    origin: stack.bucket.host(region),
                    default_root_object: owned.default_root_object.clone(),
                    price_class: owned.price_class.clone(),
                    aliases: owned.aliases.clone(),
                    certificate: owned.certificate.clone(),
                    missing: missing(spec, owned, &site.files),
                    comment: owned.comment.clone(),
                };
                (Some(distribution::plan::Desired { settings, tags: tags.clone(), occupant }), None)
            }
            DistributionSpec::Attached(attached) => {
                let (id, behaviors, replace) =
                    (attached.id.clone(), attached.behaviors.clone(), attached.replace);
                (None, Some(association::plan::Desired { id, behaviors, replace, occupant }))
            }
        };
        Ok(Self {
            bucket: bucket::Settings {
                region: region.clone(),
                private: true,
                owner_enforced: true,
                versioning: match spec.bucket.versioning {
                    None => bucket::Versioning::Off,
                    Some(false) => bucket::Versioning::Suspended,
                    Some(true) => bucket::Versioning::Enabled,
                },
                tags: tags.clone(),
            },
            site,
            hidden: hidden(spec).map(grant::pattern).collect(),
            unled,
            logs: spec
                .function
                .log_retention
                .map(|retention| logs::Settings { retention, tags: tags.clone() }),
            page: page::Settings { content: self::page(spec)? },
            role: role::Settings {
                path: role_path.clone(),
                trust: role::trust_policy(),
                policy: Some(
                    role::Reach::new(&stack.bucket, &keys.on, function).policy(&stack.account),
                ),
                boundary: spec.role.permissions_boundary.clone(),
                description: marker(&stack.names.stack),
                tags: tags.clone(),
            },
            function: function::plan::Desired {
                settings: function::Settings { frozen, tags },
                package,
                keep_versions: spec.function.keep_versions,
                arn: function.arn(&stack.account),
            },
            distribution,
            association,
        })
    }
}

/// The tags of everything that takes tags.
fn tags_of(spec: &Spec, stack: &Stack) -> Tags {
    let ttl = spec.ttl.map(|ttl| (TTL_TAG.to_owned(), written(ttl)));
    let own = [(STACK_TAG.to_owned(), stack.names.stack.to_string())];
    let kinds: Vec<String> = spec.protect.iter().map(ToString::to_string).collect();
    let protect = (!kinds.is_empty()).then(|| (PROTECT_TAG.to_owned(), kinds.join(" ")));
    tags::wanted(own.into_iter().chain(ttl).chain(protect).collect(), &spec.tags)
}

/// Any page, as it is served. Browsers and proxies must not keep it: maintenance ends at once (RFC
/// 9111, `no-store`).
#[must_use]
pub fn page_of(bytes: &[u8]) -> Content {
    Content::in_memory(bytes, ObjectHeaders::new("text/html; charset=utf-8", "no-store"))
}

/// The page that the spec names.
///
/// # Errors
/// [`FaultKind::Local`] where it cannot be read.
pub fn page(spec: &Spec) -> Result<Content, Fault> {
    let Some(path) = &spec.maintenance.page else { return Ok(page_of(BUILTIN_PAGE)) };
    let bytes = file::read(path, page::LARGEST).map_err(|error| {
        Fault::new(FaultKind::Local, format!("read {}", path.display()), error.to_string())
    })?;
    Ok(page_of(&bytes))
}

/// The page that the spec names, for a bucket that has lost it.
///
/// # Errors
/// Why it cannot be read, in AWS's or the system's words.
pub fn standard_page(spec: &Spec) -> Result<Content, String> {
    page(spec).map_err(|fault| format!("could not {}: {}", fault.tried, fault.message))
}

/// The function's `module.function`.
#[must_use]
pub fn handler(source: &Source) -> &str {
    match source {
        Source::Builtin => "maintenance.handler",
        Source::Path { handler, .. } => handler,
    }
}

/// How paths lead to the pages of a site with these keys, and which lead nowhere: the built-in
/// function in front of our own distribution sees to it, and nobody else's.
#[must_use]
pub fn pages<V>(spec: &Spec, site: &BTreeMap<ObjectKey, V>) -> (Pages, Unled) {
    match (&spec.distribution, &spec.function.source) {
        (DistributionSpec::Owned(owned), Source::Builtin) => {
            Pages::of(site, &owned.default_root_object, owned.spa)
        }
        _ => Pages::alone(site),
    }
}

/// What visitors of our own distribution get where a site with these keys has no object.
#[must_use]
pub fn missing<V>(
    spec: &Spec,
    owned: &OwnedDistribution,
    site: &BTreeMap<ObjectKey, V>,
) -> distribution::Missing {
    let is_builtin = spec.function.source == Source::Builtin;
    if owned.spa && !is_builtin {
        return distribution::Missing::Root;
    }
    let page = site.keys().find(|key| key.as_str() == NOT_FOUND);
    page.map_or(distribution::Missing::Said, |key| distribution::Missing::Page(key.to_string()))
}

/// What is not for visitors, keys and, ending with `/`, folders: the index, and, beside the
/// built-in function, which reads it with its role, the page under either key. Another function may
/// send its visitors there.
pub fn hidden(spec: &Spec) -> impl Iterator<Item = &str> {
    let keys = [&spec.maintenance.key_off, &spec.maintenance.key_on];
    let is_builtin = spec.function.source == Source::Builtin;
    let pages = keys.into_iter().filter(move |_| is_builtin).map(ObjectKey::as_str);
    [site::index::FOLDER].into_iter().chain(pages)
}

/// The files in the package. Lambda@Edge has no environment variables, so the settings of the
/// built-in function are baked in.
///
/// # Errors
/// [`FaultKind::Local`] where the source cannot be read.
pub fn package_files(spec: &Spec, stack: &Stack, pages: &Pages) -> Result<package::Files, Fault> {
    if let Source::Path { path, .. } = &spec.function.source {
        return package::read(path);
    }
    let maintenance = &spec.maintenance;
    let page = self::page(spec)?.read()?;
    let csp = security::policy(&String::from_utf8_lossy(&page));
    let settings = json!({
        "bucket": stack.bucket,
        "region": stack.names.region,
        "key": maintenance.key_on,
        "status": maintenance.status,
        "retry_after": maintenance.retry_after.as_secs(),
        "cache": maintenance.cache.as_secs_f64(),
        "allow": maintenance.allow,
        "programs": maintenance.programs,
        "csp": csp,
        "bypass": {"cidrs": maintenance.bypass_cidrs, "cookie": maintenance.bypass_cookie},
        "site": pages,
    });
    Ok(package::Files::from([
        ("maintenance.py".to_owned(), BUILTIN_FUNCTION.to_vec()),
        ("settings.json".to_owned(), format!("{settings:#}\n").into_bytes()),
    ]))
}
