//! What visitors get where the origin has nothing.

use super::{Difference, Edit, Key, Place, children, content, element, walk, wrapped};
use crate::resource::NOT_FOUND;
use crate::resource::distribution::{Missing, Settings};
use roxmltree::Node;

/// The codes that a fallback needs: without `ListBucket`, S3 answers 403 for what is not there (S3
/// API Reference, `GetObject`).
const FALLBACK_CODES: [&str; 2] = ["403", "404"];

/// The error pages for what is not there. Others stay, and so does every page of other codes.
pub(super) fn differences(root: Node<'_, '_>, settings: &Settings) -> Vec<Difference> {
    const FIELDS: [&str; 4] =
        ["ErrorCode", "ResponsePagePath", "ResponseCode", "ErrorCachingMinTTL"];
    let list = Place::Config("CustomErrorResponses");
    let found = walk(root, &list).ok().filter(|(_, missing)| missing.is_empty());
    let held = found.and_then(|(list, _)| children(list, "Items").next());
    let pages: Vec<[String; 4]> = held
        .into_iter()
        .flat_map(|held| children(held, "CustomErrorResponse"))
        .map(|page| {
            FIELDS.map(|field| {
                children(page, field).next().map(content).unwrap_or_default().trim().to_owned()
            })
        })
        .collect();
    let root_object = |node: Node<'_, '_>| {
        children(node, "DefaultRootObject").next().map(content).unwrap_or_default()
    };
    let roots =
        [format!("/{}", root_object(root).trim()), format!("/{}", settings.default_root_object)];
    let own = |code: &str, page: &str, answer: &str| [code, page, answer, "10"].map(str::to_owned);
    let not_found = format!("/{NOT_FOUND}");
    // What is not ours among them stays, unless an application needs its place.
    let is_ours = |page: &[String; 4]| {
        roots.contains(&page[1]) && page[2] == "200" || *page == own(&page[0], &not_found, "404")
    };
    let shown = |page: &[String; 4]| format!("{} with {} for {} s", page[1], page[2], page[3]);
    let difference = |code: &str| {
        let seen = pages.iter().find(|page| page[0] == code);
        let wanted = match &settings.missing {
            Missing::Said => None,
            Missing::Root => Some(own(code, &roots[1], "200")),
            Missing::Page(key) => Some(own(code, &format!("/{key}"), "404")),
        };
        let is_theirs = seen.is_some_and(|page| !is_ours(page));
        if seen == wanted.as_ref() || is_theirs && settings.missing != Missing::Root {
            return None;
        }
        let entry = wanted.as_ref().map(|wanted| {
            let fields = FIELDS.iter().zip(wanted).map(|(name, text)| element(name, text));
            wrapped("CustomErrorResponse", &fields.collect::<String>())
        });
        let key = Key { item: "CustomErrorResponse", child: Some("ErrorCode"), text: code.into() };
        let after = wanted.as_ref().map(shown).unwrap_or_default();
        let edits = vec![Edit::Entry(list.clone(), key, entry)];
        Some(Difference::new(
            &format!("error page {code}"),
            seen.map(shown).unwrap_or_default(),
            after,
            edits,
        ))
    };
    FALLBACK_CODES.iter().filter_map(|code| difference(code)).collect()
}
