//! `function`: the Lambda@Edge function.

use super::nearest;
use super::reader::{Reader, Refused, Section};
use super::scalar::Naming;
use crate::name::{EDGE_REGION, StackName};
use crate::resource::logs::RETENTIONS;
use crate::spec::edge_name;
use crate::spec::node::Value;
use crate::spec::problem::Problem;
use crate::spec::runtime::{self, DEFAULT_PYTHON, Runtime, Verdict};
use crate::spec::{FunctionSpec, Source};
use std::path::Path;

const RESTRICTIONS: &str = "Amazon CloudFront Developer Guide, \"Restrictions on Lambda@Edge\"";
const DIFFERENCES: &str = "Amazon CloudFront Developer Guide, \"Differences between CloudFront \
    Functions and Lambda@Edge\"";
const QUOTAS: &str = "Amazon CloudFront Developer Guide, \"Quotas\"";

pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &Section<'_>,
    folder: &Path,
    stack: &StackName,
) -> Option<FunctionSpec> {
    let section = reader.section_with_refusals(top, "function", &refused());
    let naming = Naming {
        title: "function name",
        rule: "AWS Lambda API Reference, \"CreateFunction\"",
        example: "my-site-edge",
    };
    Some(FunctionSpec {
        name: reader.name(&section, "name", &naming).or_else(|| edge_name(stack).parse().ok())?,
        runtime: runtime(reader, &section),
        source: source(reader, &section, folder),
        memory: memory(reader, &section),
        timeout: reader.duration(
            &section,
            "timeout",
            5,
            &format!("{QUOTAS}: a function at the edge runs for at most 30 seconds"),
        ),
        keep_versions: reader.whole(
            &section,
            "keep_versions",
            3,
            "the version that the distribution uses is always kept, so it is at least 1",
        ),
        log_retention: log_retention(reader, &section),
    })
}

/// In days; only the lengths that CloudWatch Logs knows.
fn log_retention(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<u32> {
    const KEY: &str = "log_retention";
    const DAY: u64 = 24 * 60 * 60;
    let rule = "Amazon CloudWatch Logs API Reference, \"PutRetentionPolicy\": it takes certain \
        numbers of days, from 1 to 3653";
    let asked = reader.duration(section, KEY, 30 * DAY, rule).as_secs();
    let given = reader.given.get("function.log_retention").cloned()?;
    let length = |days: &u32| u64::from(*days) * DAY;
    if let Some(days) = RETENTIONS.into_iter().find(|days| length(days) == asked) {
        return Some(days);
    }
    let below = RETENTIONS.iter().rfind(|days| length(days) < asked);
    let above = RETENTIONS.iter().find(|days| length(days) > asked);
    let nearest: Vec<String> =
        below.into_iter().chain(above).map(|days| format!("`{KEY}: {days}d`")).collect();
    let what = format!("log groups cannot keep their events for `{}`", given.shown);
    reader.refuse(
        section,
        KEY,
        &given.place,
        what,
        rule,
        format!("write {}", nearest.join(" or ")),
    );
    None
}

/// What AWS's functions can have, and functions at the edge cannot.
fn refused() -> Vec<Refused> {
    let row =
        |keys, reason: &str, fix| Refused { keys, rule: format!("{RESTRICTIONS}: {reason}"), fix };
    vec![
        row(
            &["environment", "env", "environment_variables"],
            "environment variables are not supported",
            "remove it, and put the values into the code",
        ),
        row(
            &["layers", "layer"],
            "layers are not supported",
            "remove it, and put what the code \
            needs into its folder",
        ),
        row(
            &["vpc", "vpc_config", "subnets", "security_groups"],
            "a function at the edge cannot \
            be in a VPC",
            "remove it",
        ),
        row(
            &["architecture", "architectures", "arch"],
            "arm64 is not supported, so there is nothing to choose",
            "remove it: `provision` sets x86_64",
        ),
        row(
            &["region"],
            &format!("the function must be in {EDGE_REGION}"),
            "remove it; the bucket's region is the key `region` at the top",
        ),
        row(
            &["dead_letter", "dead_letter_queue", "dlq"],
            "dead-letter queues are not \
            supported",
            "remove it",
        ),
        row(&["tracing", "xray", "x_ray"], "AWS X-Ray is not supported", "remove it"),
        row(
            &["ephemeral_storage", "storage"],
            "more than 512 MB of ephemeral storage is not \
            supported",
            "remove it",
        ),
        row(
            &["image", "image_uri", "package_type", "container"],
            "container images are not supported",
            "remove it, and name a file or folder in `source`",
        ),
        row(
            &["kms_key", "kms_key_arn", "source_kms_key"],
            "packages encrypted with a customer managed key are not supported, and there are no \
                variables to encrypt",
            "remove it",
        ),
        row(&["provisioned_concurrency"], "provisioned concurrency is not supported", "remove it"),
        Refused {
            keys: &["reserved_concurrency", "concurrency"],
            rule: format!(
                "{QUOTAS}: the edge shares each region's concurrency; what a reservation \
                does to replicas is not documented"
            ),
            fix: "remove it, and ask AWS for a higher quota where visitors are throttled",
        },
        Refused {
            keys: &["snap_start", "snapstart", "file_system", "file_systems"],
            rule:
                "AWS Lambda Developer Guide: it needs a VPC or version features that replicas at \
                the edge do not have"
                    .to_owned(),
            fix: "remove it",
        },
    ]
}

fn runtime(reader: &mut Reader<'_>, section: &Section<'_>) -> String {
    let Some(word) = reader.word(section, "runtime") else { return DEFAULT_PYTHON.to_owned() };
    let (what, rule, fix) = match runtime::find(&word.text) {
        Some(Runtime { verdict: Verdict::Fine, .. }) => return word.text,
        Some(found @ Runtime { verdict: Verdict::Ending, .. }) => {
            let what = format!(
                "runtime `{}` comes to its end: deprecated on {}, no new functions from {}",
                word.shown, found.deprecated, found.create_blocked
            );
            let rule = format!("{}; no updates from {}", runtime::DOCUMENT, found.update_blocked);
            reader.problems.push(Problem::warning(
                &word.place,
                what,
                rule,
                format!("write `runtime: {}`", found.language.default_runtime()),
            ));
            return word.text;
        }
        Some(found) => {
            let what = match found.verdict {
                Verdict::Preview => format!("runtime `{}` is only a preview", word.shown),
                _ => format!("runtime `{}` is no longer supported by AWS", word.shown),
            };
            (
                what,
                runtime::DOCUMENT.to_owned(),
                format!("write `runtime: {}`", found.language.default_runtime()),
            )
        }
        None if runtime::never_at_the_edge(&word.text) => (
            format!("runtime `{}` does not run at the edge", word.shown),
            format!("{DIFFERENCES}: Node.js and Python only"),
            format!("write `runtime: {DEFAULT_PYTHON}` or `runtime: {}`", runtime::DEFAULT_NODE),
        ),
        None => (
            format!("unknown runtime `{}`", word.shown),
            runtime::DOCUMENT.to_owned(),
            nearest::fix(&word.text, &section.words("runtime")),
        ),
    };
    reader.refuse(section, "runtime", &word.place, what, rule, fix);
    DEFAULT_PYTHON.to_owned()
}

/// `128`, or `128MB`.
fn memory(reader: &mut Reader<'_>, section: &Section<'_>) -> u32 {
    const DEFAULT: u32 = 128;
    let Some(entry) = section.entry("memory") else { return DEFAULT };
    let node = &entry.value;
    let number = match &node.value {
        Value::Whole(number) => Some(*number),
        Value::Text(text) => {
            let bare = text.strip_suffix("MB").map(str::trim_end);
            bare.or_else(|| (*text != node.written).then_some(text.as_str()))
                .and_then(|digits| digits.parse().ok())
        }
        Value::Number(_) => None,
        _ => {
            reader.wrong_type(section, "memory", "a number of megabytes");
            return DEFAULT;
        }
    };
    let range = section.range("memory");
    let rule = "AWS Lambda API Reference, \"CreateFunction\": 128 to 10,240 MB, in whole megabytes";
    match number.and_then(|number| u32::try_from(number).ok()) {
        Some(memory) if range.contains(&memory.into()) => {
            reader.given.insert(
                "function.memory".to_owned(),
                super::Given { shown: node.shown(), place: node.place.clone() },
            );
            memory
        }
        _ => {
            let what = format!(
                "`function.memory` must be {} to {} megabytes, found `{}`",
                range.start(),
                range.end(),
                node.shown()
            );
            reader.problems.push(Problem::error(
                &node.place,
                what,
                rule,
                "write for example `memory: 128` or `memory: 128MB`",
            ));
            DEFAULT
        }
    }
}

fn source(reader: &mut Reader<'_>, section: &Section<'_>, folder: &Path) -> Source {
    let handler = reader.word(section, "handler");
    let own = reader.word(section, "source").filter(|word| word.text != "builtin");
    let Some(own) = own else {
        if let Some(handler) = handler.filter(|_| is_builtin(section)) {
            let what = "`function.handler` has no meaning for the built-in function";
            reader.refuse(
                section,
                "handler",
                &handler.place,
                what,
                "the function that ships with `provision` knows its own entry",
                "remove it, or name your own file or folder in `source`",
            );
        }
        return Source::Builtin;
    };
    let rule = "AWS Lambda Developer Guide, \"Define Lambda function handler\": the file without \
        its ending, a dot, the function";
    let handler = match handler {
        Some(word) if is_handler(&word.text) => word.text,
        Some(word) => {
            reader.refuse(
                section,
                "handler",
                &word.place,
                format!("handler `{}` must look like `module.function`", word.shown),
                rule,
                "write for example `handler: index.handler`",
            );
            String::new()
        }
        None => {
            if !section.has("handler") {
                reader.problems.push(Problem::error(
                    &own.place,
                    "your own source needs `function.handler`",
                    rule,
                    "add for example `handler: index.handler`",
                ));
            }
            String::new()
        }
    };
    let path = reader.path(section, "source", folder).unwrap_or_default();
    Source::Path { path, handler }
}

/// Whether the file says so, or says nothing.
fn is_builtin(section: &Section<'_>) -> bool {
    section
        .entry("source")
        .is_none_or(|entry| entry.value.value == Value::Text("builtin".to_owned()))
}

/// `module.function`; the module may lie in folders: `app/index.handler`.
fn is_handler(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let Some((module, function)) = text.split_once('.') else { return false };
    text.len() <= 128 && module.split('/').all(word) && word(function)
}
