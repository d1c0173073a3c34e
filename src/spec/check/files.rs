//! The files that the spec names: they exist, they lie beside the spec, they fit.

use super::first;
use crate::name::ObjectKey;
use crate::resource::function::package;
use crate::resource::site::folder;
use crate::spec::decode::{Draft, Given};
use crate::spec::page::{
    ALLOW_HINT, HEADERS, LARGEST_RESPONSE, MARKUP_HINT, NO_MARKUP, has_no_markup, own_references,
};
use crate::spec::problem::{Problem, visible};
use crate::spec::runtime;
use crate::spec::{DistributionSpec, Source};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

const RESPONSE_QUOTA: &str = "Amazon CloudFront Developer Guide, \"Quotas\": a response generated \
    at a viewer event has at most 40 KB";

pub(super) fn check(draft: &Draft, folder: &Path, problems: &mut Vec<Problem>) {
    page(draft, folder, problems);
    if let Some(site) = site(draft, folder, problems) {
        objects(draft, &site, problems);
        keys_outside_of_site(draft, &site, problems);
        root_object(draft, &site, problems);
    }
    source(draft, folder, problems);
}

/// What a key must name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    File,
    Folder,
    Either,
}

/// The real path of what `key` names; `None` if it was not given, or must not be used.
fn found(
    draft: &Draft,
    key: &str,
    path: &Path,
    folder: &Path,
    expected: Expected,
    problems: &mut Vec<Problem>,
) -> Option<(PathBuf, Given)> {
    const INSIDE: &str = "everything that the spec names is in the spec's own folder, so that a \
        copy of the folder is complete";
    let given = draft.given(key)?;
    let mut refuse = |what: String, rule: &str, fix: &str| {
        problems.push(Problem::error(&given.place, what, rule, fix));
    };
    let shown = &given.shown;
    let elsewhere = "move it beside the spec, and write its path from there";
    if !path.starts_with(folder) {
        refuse(format!("`{shown}` is outside of the spec's folder"), INSIDE, elsewhere);
        return None;
    }
    let (real, folder) = match fs::canonicalize(path)
        .and_then(|real| Ok((real, fs::canonicalize(folder)?)))
    {
        Ok(found) => found,
        Err(error) => {
            let what = match error.kind() {
                std::io::ErrorKind::NotFound => format!("`{shown}` does not exist"),
                _ => format!("`{shown}` cannot be read: {error}"),
            };
            refuse(what, "paths start from the spec's folder", "create it, or correct the path");
            return None;
        }
    };
    if !real.starts_with(&folder) {
        let what = format!("`{shown}` leads outside of the spec's folder through a symbolic link");
        refuse(what, INSIDE, elsewhere);
        return None;
    }
    match expected {
        Expected::File if !real.is_file() => {
            refuse(
                format!("`{shown}` is not a file"),
                "it is read as one",
                "write the path of a file",
            );
        }
        Expected::Folder if !real.is_dir() => {
            refuse(
                format!("`{shown}` is not a folder"),
                "all files below it are uploaded",
                "write the path of the folder",
            );
        }
        Expected::Either if !real.is_dir() && !real.is_file() => {
            refuse(
                format!("`{shown}` is neither a file nor a folder"),
                "it is packed for Lambda",
                "write the path of a file or a folder",
            );
        }
        Expected::Folder | Expected::Either if real == folder => {
            refuse(
                format!("`{shown}` is the spec's own folder"),
                "the spec and what is beside it would be uploaded",
                "put the files into a folder of their own, and name that",
            );
        }
        _ => return Some((real, given.clone())),
    }
    None
}

fn page(draft: &Draft, folder: &Path, problems: &mut Vec<Problem>) {
    const KEY: &str = "maintenance.page";
    let Some(path) = &draft.spec.maintenance.page else { return };
    let Some((real, given)) = found(draft, KEY, path, folder, Expected::File, problems) else {
        return;
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(LARGEST_RESPONSE - HEADERS).unwrap_or(u64::MAX);
    if let Err(error) =
        File::open(&real).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    {
        problems.push(Problem::error(
            &given.place,
            format!("`{}` cannot be read: {error}", given.shown),
            "the page is uploaded",
            "give yourself the right to read it",
        ));
        return;
    }
    if bytes.len() > LARGEST_RESPONSE - HEADERS {
        let size = fs::metadata(&real).map_or(limit, |metadata| metadata.len());
        let what = format!("the page `{}` has {size} bytes; at most {limit} fit", given.shown);
        let rule = format!(
            "{RESPONSE_QUOTA} (40,960 bytes) with its headers, for which 1,024 bytes are set \
                aside; more becomes 502"
        );
        problems.push(Problem::error(
            &given.place,
            what,
            rule,
            "make it smaller: move pictures and styles into files of the site, and add them to \
                `maintenance.allow`",
        ));
    } else if std::str::from_utf8(&bytes).is_err() {
        let rule =
            "the edge function hands the page on as text (AWS Lambda encodes results in UTF-8)";
        problems.push(Problem::error(
            &given.place,
            format!("the page `{}` is not UTF-8", given.shown),
            rule,
            "save it as UTF-8",
        ));
    } else if bytes.is_empty() {
        let what = format!("the page `{}` is empty", given.shown);
        problems.push(Problem::warning(
            &given.place,
            what,
            "visitors see it during maintenance",
            "write something for them, or remove the key to use the built-in page",
        ));
    } else if has_no_markup(&bytes) {
        let what = format!("the page `{}` {NO_MARKUP}", given.shown);
        let rule = "the edge function serves it as `text/html`";
        let fix = format!("name the page's own file, or {MARKUP_HINT}");
        problems.push(Problem::warning(&given.place, what, rule, fix));
    }
    for reference in own_references(&String::from_utf8_lossy(&bytes), &draft.spec.maintenance.allow)
    {
        let what = format!(
            "the page `{}`, line {}, loads `{}` from the site",
            given.shown,
            reference.line,
            visible(&reference.target)
        );
        let rule = "during maintenance the site's own files answer 503 too, unless \
            `maintenance.allow` names them";
        problems.push(Problem::warning(&given.place, what, rule, ALLOW_HINT));
    }
}

fn site(draft: &Draft, folder: &Path, problems: &mut Vec<Problem>) -> Option<PathBuf> {
    let path = draft.spec.bucket.site.as_ref()?;
    found(draft, "bucket.site", path, folder, Expected::Folder, problems).map(|(real, _)| real)
}

/// How many files are named; the rest is counted.
const NAMED: usize = 20;

/// The files that become objects, and those that cannot.
fn objects(draft: &Draft, site: &Path, problems: &mut Vec<Problem>) {
    let Some(given) = draft.given("bucket.site") else { return };
    // What cannot be read is told by whoever needs the files.
    let Ok((keys, bad)) = folder::sorted(site, draft.spec.selection()) else { return };
    refused(&bad, given, problems);
    let keys = keys.keys().map(ObjectKey::as_str);
    secrets(keys.filter(|key| folder::looks_secret(key)), given, problems);
}

/// A file that cannot be an object would end the upload halfway.
fn refused(found: &BTreeMap<String, &str>, given: &Given, problems: &mut Vec<Problem>) {
    let rule = "each file becomes an object under its name (Amazon S3 User Guide, \"Naming Amazon \
        S3 objects\")";
    let fix = "rename the file, take it out of the folder, or leave it out with `bucket.ignore`";
    for (name, why) in found.iter().take(NAMED) {
        let what = format!("the site's file `{}` {why}", visible(name));
        problems.push(Problem::error(&given.place, what, rule, fix));
    }
    if let Some(more) = found.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let what = format!("{more} more files of the site cannot be objects");
        problems.push(Problem::error(&given.place, what, rule, fix));
    }
}

/// What is in the folder by accident, everybody can read.
fn secrets<'a>(found: impl Iterator<Item = &'a str>, given: &Given, problems: &mut Vec<Problem>) {
    for key in found.take(NAMED) {
        problems.push(Problem::warning(
            &given.place,
            format!("the site's file `{}` looks like a secret", visible(key)),
            "every file of the site is public",
            "take it out of the folder, or leave it out with `bucket.ignore`",
        ));
    }
}

/// A file of the site under one of the two page keys would turn the switch on upload.
fn keys_outside_of_site(draft: &Draft, site: &Path, problems: &mut Vec<Problem>) {
    let maintenance = &draft.spec.maintenance;
    let page = maintenance.page.as_ref().and_then(|page| fs::canonicalize(page).ok());
    for (key, name) in [
        (&maintenance.key_off, "maintenance.keys.off"),
        (&maintenance.key_on, "maintenance.keys.on"),
    ] {
        let file = site.join(key.as_str());
        if draft.refused(name)
            || !file.is_file()
            || (page.is_some() && fs::canonicalize(&file).ok() == page)
        {
            continue;
        }
        let Some(given) = first(draft, &[name, "bucket.site"]) else { continue };
        // A key that was given may hold the value of a variable: it is shown as it was written.
        let shown =
            draft.given(name).map_or_else(|| visible(key.as_str()), |given| given.shown.clone());
        let what = format!("the site holds a file under the page's key `{shown}`");
        let rule = "whether an object is under these keys is the switch; a file of the site \
            there would turn it";
        let fix = if maintenance.page.is_none() {
            "name that file as the page with `maintenance.page`, or rename it"
        } else {
            "rename the file, or write other `maintenance.keys`"
        };
        problems.push(Problem::error(&given.place, what, rule, fix));
    }
}

fn root_object(draft: &Draft, site: &Path, problems: &mut Vec<Problem>) {
    const DOCUMENT: &str = "Amazon CloudFront Developer Guide, \"Specify a default root object\"";
    let DistributionSpec::Owned(owned) = &draft.spec.distribution else { return };
    let key = "distribution.default_root_object";
    let Some(given) = first(draft, &[key, "bucket.site"]).filter(|_| !draft.refused(key)) else {
        return;
    };
    let root = site.join(&owned.default_root_object);
    if root.is_file() {
        let page =
            draft.spec.maintenance.page.as_ref().and_then(|page| fs::canonicalize(page).ok());
        if page.is_some() && fs::canonicalize(&root).ok() == page {
            let rule = "the page's file is not uploaded with the site, so `/` would find nothing";
            let fix = "write another file as `maintenance.page` or as `default_root_object`";
            problems.push(Problem::error(
                &given.place,
                "the root object is the maintenance page",
                rule,
                fix,
            ));
        }
        return;
    }
    let shown = draft
        .given(key)
        .map_or_else(|| visible(&owned.default_root_object), |given| given.shown.clone());
    let home =
        ["index.html", "home.html", "index.htm"].into_iter().find(|name| site.join(name).is_file());
    let fix = match home {
        Some(name) => format!("write `default_root_object: {name}` in `distribution`"),
        None => {
            "add the file to the site, or write another `default_root_object` in `distribution`"
                .to_owned()
        }
    };
    let what = format!("the site has no file `{shown}`, which `/` serves");
    problems.push(Problem::warning(
        &given.place,
        what,
        format!("{DOCUMENT}: without that object, `/` answers with an error"),
        fix,
    ));
}

fn source(draft: &Draft, folder: &Path, problems: &mut Vec<Problem>) {
    let Source::Path { path, handler } = &draft.spec.function.source else { return };
    let Some((real, place)) =
        found(draft, "function.source", path, folder, Expected::Either, problems)
    else {
        return;
    };
    package_size(&real, &place, problems);
    // A runtime or handler that was refused leaves nothing to compare with.
    let (Some(given), Some((module, _))) =
        (draft.given("function.handler"), handler.split_once('.'))
    else {
        return;
    };
    let Some(language) =
        runtime::find(&draft.spec.function.runtime).map(|runtime| runtime.language)
    else {
        return;
    };
    let endings = language.endings();
    let present = if real.is_dir() {
        endings.iter().any(|ending| real.join(format!("{module}.{ending}")).is_file())
            || (language == runtime::Language::Python
                && real.join(module).join("__init__.py").is_file())
    } else {
        // The name in the spec counts, not that of a link's target: the package holds the former.
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        path.file_stem().and_then(|stem| stem.to_str()) == Some(module) && endings.contains(&ending)
    };
    if present {
        return;
    }
    let files = endings
        .iter()
        .map(|ending| format!("`<module>.{ending}`"))
        .collect::<Vec<_>>()
        .join(" or ");
    let what = format!("the module of handler `{}` is not in `function.source`", given.shown);
    let rule = format!(
        "AWS Lambda Developer Guide, \"Define Lambda function handler\": what stands before the \
            dot is a file, for this runtime {files}"
    );
    problems.push(Problem::error(
        &given.place,
        what,
        rule,
        "correct the module's name, the path, or the runtime",
    ));
}

/// The package is made as it would be uploaded: only then its size is known.
fn package_size(source: &Path, given: &Given, problems: &mut Vec<Problem>) {
    const QUOTA: &str =
        "Amazon CloudFront Developer Guide, \"Quotas\": a Lambda@Edge package has at most 50 MB";
    const ONCE: &str = "CloudFront's API has long refused more than 1 MB (1,048,576 bytes) at \
        viewer events, and may still do so";
    let fix =
        "leave out what the function does not need: tests, sources of bundles, unused packages";
    let size = match package::read(source).and_then(|files| package::pack(&files)) {
        Ok(package) => package.bytes.len(),
        Err(fault) => {
            let what = format!("`{}` cannot be packed: {}", given.shown, fault.message);
            problems.push(Problem::error(
                &given.place,
                what,
                "the function's code is uploaded as a zip archive",
                "make every file readable",
            ));
            return;
        }
    };
    let what = format!("the package of `{}` has {size} bytes", given.shown);
    if size > 50 * 1024 * 1024 {
        problems.push(Problem::error(&given.place, what, QUOTA, fix));
    } else if size > 1024 * 1024 {
        problems.push(Problem::warning(&given.place, what, ONCE, fix));
    }
}
