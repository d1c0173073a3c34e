//! The whole way, from a file to a spec or to its problems.

use super::*;
use crate::spec::keys;
use crate::spec::problem::Severity;
use crate::spec::{AttachedDistribution, DistributionSpec, Protected, Source};
use std::time::Duration;
use tempfile::TempDir;

mod hostile;
mod rules;
mod site;

/// A folder with a site, a page and sources of functions.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("site/index.html", b"<h1>home</h1>");
    write("site/maintenance.html", b"<h1>soon</h1>");
    write("other/home.html", b"<h1>home</h1>");
    write("taken/maintenance-on.html", b"<h1>on</h1>");
    write("taken/index.html", b"<h1>home</h1>");
    write("page.html", b"<h1>soon</h1>");
    write("empty.html", b"");
    write("fits.html", "<".repeat(38_912).as_bytes());
    write("large.html", "x".repeat(38_913).as_bytes());
    write("latin.html", b"caf\xe9");
    write("edge/index.py", b"def handler(event, context): ...");
    write("edge/app/deep.py", b"");
    write("edge/main.mjs", b"");
    write("edge.py", b"");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", folder.path().join("root")).unwrap();
    folder
}

fn no_variables(_: &str) -> Option<String> {
    None
}

fn load_text_with(folder: &Path, text: &[u8], env: Environment<'_>) -> Result<Loaded, Problems> {
    let file = folder.join("provision.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = load(&file, env, Files::Needed);
    if let Ok(text) = std::str::from_utf8(text) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        keys::tests::agree(text, loaded.as_ref());
    }
    loaded
}

fn load_text(folder: &Path, text: &str) -> Result<Loaded, Problems> {
    load_text_with(folder, text.as_bytes(), &no_variables)
}

/// One problem as a line: severity, place, message.
fn lines(problems: &Problems) -> Vec<String> {
    let line = |problem: &Problem| {
        let place = problem.place.clone().unwrap_or_default();
        let severity = if problem.severity == Severity::Error { "" } else { "warning: " };
        format!("{severity}{}:{} {}", place.line, place.column, problem.what)
    };
    problems.iter().map(line).collect()
}

/// The problems of a spec, whether or not it is refused.
fn problems_of(folder: &Path, text: &str) -> Vec<String> {
    match load_text(folder, text) {
        Ok(loaded) => lines(&loaded.warnings),
        Err(problems) => lines(&problems),
    }
}

#[test]
fn the_stack_alone_is_a_spec() {
    let folder = folder();
    let Loaded { spec, warnings } = load_text(folder.path(), "stack: shop\n").unwrap();
    assert!(warnings.is_empty());
    assert_eq!(spec.stack.as_str(), "shop");
    assert_eq!(spec.region, crate::name::Region::edge());
    assert_eq!((spec.account, spec.bucket.name, spec.bucket.site), (None, None, None));
    let maintenance = spec.maintenance;
    assert_eq!(
        (maintenance.key_off.as_str(), maintenance.key_on.as_str()),
        ("maintenance.html", "maintenance-on.html")
    );
    assert_eq!((maintenance.page, maintenance.status), (None, 503));
    assert_eq!(
        (maintenance.retry_after, maintenance.cache),
        (Duration::from_mins(10), Duration::from_secs(5))
    );
    assert_eq!(maintenance.allow, ["/robots.txt", "/.well-known/*"]);
    assert_eq!(maintenance.bypass_cookie, "provision-bypass");
    let function = spec.function;
    assert_eq!((function.name.as_str(), function.runtime.as_str()), ("shop-edge", "python3.13"));
    assert_eq!(
        (function.memory, function.timeout, function.keep_versions),
        (128, Duration::from_secs(5), 3)
    );
    assert_eq!((function.source, function.log_retention), (Source::Builtin, None));
    assert_eq!((spec.role.name.as_str(), spec.role.path.as_str()), ("shop-edge", "/"));
    let DistributionSpec::Owned(owned) = spec.distribution else { panic!("ours") };
    assert_eq!(
        (owned.default_root_object.as_str(), owned.price_class.as_str()),
        ("index.html", "PriceClass_100")
    );
    assert_eq!(owned.comment, "provision shop");
    assert!(spec.tags.is_empty() && spec.protect.is_empty());
}

#[test]
fn everything_can_be_said() {
    let folder = folder();
    let text = "\
stack: shop
account: \"123456789012\"
region: eu-west-1
bucket: { name: shop-site, site: ./site, versioning: true }
maintenance:
  page: ./site/maintenance.html
  keys: { off: maintenance.html, on: state/on.html }
  status: 503
  retry_after: 1h30m
  cache: 0s
  allow: [/robots.txt, \"/health/*\"]
  bypass: { cidrs: [203.0.113.0/24, \"2001:db8::/32\"], cookie: let-me-in }
function:
  name: shop_edge
  runtime: nodejs24.x
  source: edge
  handler: main.handler
  memory: 128MB
  timeout: 3s
  keep_versions: 5
  log_retention: 400d
role: { name: shop.edge, path: /team/, permissions_boundary: \
\"arn:aws:iam::123456789012:policy/team/bounds\" }
distribution:
  default_root_object: index.html
  price_class: PriceClass_All
  aliases: [www.example.org, \"*.example.org\"]
  certificate: arn:aws:acm:EDGE-REGION:123456789012:certificate/0a1b-2c
  spa: true
  comment: the shop
tags: { team: web, cost center: \"17\" }
protect: [bucket, logs, distribution]
";
    let Loaded { spec, warnings } =
        load_text(folder.path(), &text.replace("EDGE-REGION", crate::name::EDGE_REGION))
            .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    assert_eq!(lines(&warnings), Vec::<String>::new());
    assert_eq!(spec.bucket.site, Some(folder.path().join("site")));
    assert_eq!(spec.maintenance.retry_after, Duration::from_mins(90));
    assert_eq!(
        spec.function.source,
        Source::Path { path: folder.path().join("edge"), handler: "main.handler".to_owned() }
    );
    assert_eq!(
        spec.protect.into_iter().collect::<Vec<_>>(),
        [Protected::Bucket, Protected::Logs, Protected::Distribution]
    );
    assert_eq!(spec.function.log_retention, Some(400));
    assert_eq!(spec.tags["cost center"], "17");
    let DistributionSpec::Owned(owned) = spec.distribution else { panic!("ours") };
    assert!(owned.spa && owned.certificate.is_some() && owned.aliases.len() == 2);
}

#[test]
fn a_distribution_that_exists_is_attached_to() {
    let folder = folder();
    let text = "stack: shop\ndistribution: { id: E2ABCDEF0123, behaviors: [default, \"/app/*\"], \
        replace: true }\n";
    let spec = load_text(folder.path(), text).unwrap().spec;
    let expected = AttachedDistribution {
        id: "E2ABCDEF0123".parse().unwrap(),
        behaviors: ["default".into(), "/app/*".into()].into(),
        replace: true,
    };
    assert_eq!(spec.distribution, DistributionSpec::Attached(expected));
}

#[test]
fn the_edge_has_less_than_lambda_and_says_so() {
    let folder = folder();
    for key in [
        "environment",
        "layers",
        "vpc",
        "architecture",
        "architectures",
        "reserved_concurrency",
        "provisioned_concurrency",
        "dead_letter",
        "tracing",
        "ephemeral_storage",
        "image",
        "kms_key",
        "snap_start",
        "region",
    ] {
        let problems =
            load_text(folder.path(), &format!("stack: shop\nfunction:\n  {key}: {{ a: b }}\n"))
                .unwrap_err();
        assert_eq!(lines(&problems), [format!("3:3 `function.{key}` cannot be set")]);
        let problem = problems.iter().next().unwrap();
        assert!(
            problem.rule.contains("AWS Lambda") || problem.rule.contains("Amazon CloudFront"),
            "{}",
            problem.rule
        );
        assert!(problem.fix.starts_with("remove it"), "{}", problem.fix);
    }
}

#[test]
fn all_problems_are_told_at_once_and_in_order() {
    let folder = folder();
    let text = "\
stack: Shop Demo
account: 123456789012
bucket:
  nmae: shop
  site: ./nowhere
maintenance:
  status: 99
  retry_after: 10
  allow: [robots.txt]
function:
  runtime: pyton3.13
  environment: { A: b }
  memory: 256
distribution:
  id: E2ABCDEF0123
  aliases: [www.example.org]
tags: { a: '${UNSET}' }
protect: [buckets]
";
    let problems = load_text(folder.path(), text).unwrap_err();
    let expected = [
        "1:8 stack name `Shop Demo` may hold only a-z, 0-9 and `-`",
        "2:10 `account` must be text, found the number `123456789012`",
        "4:3 unknown key `nmae` in `bucket`",
        "5:9 `./nowhere` does not exist",
        "7:11 `maintenance.status` must be 200 to 599, found `99`",
        "8:16 `maintenance.retry_after` needs a unit, found `10`",
        "9:11 path `robots.txt` in `maintenance.allow` must begin with `/`",
        "11:12 unknown runtime `pyton3.13`",
        "12:3 `function.environment` cannot be set",
        "warning: 13:11 CloudFront may refuse `256` of memory at a viewer event",
        "16:3 `distribution.aliases` cannot be set on a distribution that exists",
        "17:13 the environment variable `UNSET` is not set",
        "18:11 `buckets` is no kind that can be protected",
    ];
    assert_eq!(lines(&problems), expected);
    assert_eq!((problems.errors(), problems.warnings()), (12, 1));
}

#[test]
fn what_stands_below_a_misspelt_key_is_read_too() {
    let folder = folder();
    let problems = load_text(folder.path(), "stakc: Shop\nfunctoin: { memori: 64 }\n").unwrap_err();
    let expected = [
        "1:1 unknown key `stakc`",
        "1:8 stack name `Shop` may hold only a-z, 0-9 and `-`",
        "2:1 unknown key `functoin`",
        "2:13 unknown key `memori` in `function`",
        "2:21 `function.memory` must be 128 to 10240 megabytes, found `64`",
    ];
    assert_eq!(lines(&problems), expected);
}

#[test]
fn problems_read_like_the_compiler_s() {
    let folder = folder();
    let text = "stack: Shop Demo\nbucket:\n  nmae: shop\nmaintenance: { retry_after: 10 \
        }\nfunction: { layers: [], memory: 256 }\n";
    let problems = load_text(folder.path(), text).unwrap_err();
    let expected = r#"error: stack name `Shop Demo` may hold only a-z, 0-9 and `-`
 --> provision.yaml:1:8
  |
1 | stack: Shop Demo
  |        ^^^^^^^^^
  |
  = rule: the stack's name becomes part of the names of the bucket, the role and the function
  = help: write `shop-demo`

error: unknown key `nmae` in `bucket`
 --> provision.yaml:3:3
  |
3 |   nmae: shop
  |   ^^^^
  |
  = rule: every key must be known, so that a typo is not passed over in silence
  = help: write `name`

error: `maintenance.retry_after` needs a unit, found `10`
 --> provision.yaml:4:29
  |
4 | maintenance: { retry_after: 10 }
  |                             ^^
  |
  = rule: durations carry a unit, so that nobody has to guess it
  = help: write `retry_after: 10s` if you mean seconds

error: `function.layers` cannot be set
 --> provision.yaml:5:13
  |
5 | function: { layers: [], memory: 256 }
  |             ^^^^^^
  |
  = rule: Amazon CloudFront Developer Guide, "Restrictions on Lambda@Edge": layers are not supported
  = help: remove it, and put what the code needs into its folder

warning: CloudFront may refuse `256` of memory at a viewer event
 --> provision.yaml:5:33
  |
5 | function: { layers: [], memory: 256 }
  |                                 ^^^
  |
  = rule: Amazon CloudFront Developer Guide, "Differences between CloudFront Functions and Lambda@Edge": 128 MB at viewer events; "Quotas" on the same site allows more
  = help: write `memory: 128`
"#;
    let folder_name = format!("{}/", folder.path().display());
    assert_eq!(problems.render(false).replace(&folder_name, ""), expected);
}

#[test]
fn a_file_that_is_no_spec_is_refused() {
    let folder = folder();
    let large = vec![b'#'; 1024 * 1024 + 1];
    let rows: &[(&[u8], &str)] = &[
        (b"", "1:1 the key `stack` is missing"),
        (b"# nothing\n", "2:1 the key `stack` is missing"),
        (b"region: eu-west-1\n", "1:1 the key `stack` is missing"),
        (b"- a\n", "1:1 the spec must be keys with values, found a list"),
        (b"stack: a\nx: caf\xe9\n", "2:7 this is not UTF-8"),
        (b"stack: a\n\tregion: b\n", "2:1 a tab indents this line"),
        (
            b"stack: a\ntags: { a: ${B} }\n",
            "2:13 this is not YAML: while parsing a flow mapping, did not find expected ',' or '}'",
        ),
        (b"stack: [a\n", "1:8 this is not YAML: unclosed bracket '['"),
        (&large, "0:0 is larger than 1 MiB"),
    ];
    for (bytes, expected) in rows {
        let problems = load_text_with(folder.path(), bytes, &no_variables).unwrap_err();
        assert_eq!(lines(&problems)[0], *expected);
        assert!(problems.render(false).contains(expected.split_once(' ').unwrap().1));
    }
    let unquoted = load_text(folder.path(), "stack: a\ntags: { a: ${B} }\n").unwrap_err();
    assert!(unquoted.iter().all(|problem| problem.fix.contains("in quotes")), "{unquoted:?}");
    let missing =
        load(&folder.path().join("missing.yaml"), &no_variables, Files::Needed).unwrap_err();
    assert!(lines(&missing)[0].starts_with("0:0 cannot be read: No such file"), "{missing:?}");
    assert!(load(folder.path(), &no_variables, Files::Needed).is_err());
}

#[test]
fn marks_and_line_ends_of_windows_do_no_harm() {
    let folder = folder();
    let problems =
        load_text_with(folder.path(), b"\xef\xbb\xbfstack: shop\r\nregion: x\r\n", &no_variables)
            .unwrap_err();
    assert_eq!(lines(&problems), ["2:9 region `x` must look like `eu-west-1`"]);
    assert!(problems.render(false).contains("2 | region: x\n"));
}

#[test]
fn variables_stand_in_for_texts_numbers_and_flags() {
    let folder = folder();
    let text = "stack: ${S}\nbucket: { versioning: \"${T}\" }\nfunction: { keep_versions: \
        \"${N}\", memory: \"${N}28\" }\nmaintenance: { cache: \"${N}s\" }\n";
    let env = |name: &str| match name {
        "S" => Some("shop".to_owned()),
        "T" => Some("true".to_owned()),
        "N" => Some("1".to_owned()),
        _ => None,
    };
    let spec = load_text_with(folder.path(), text.as_bytes(), &env)
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)))
        .spec;
    assert_eq!((spec.stack.as_str(), spec.bucket.versioning), ("shop", Some(true)));
    assert_eq!((spec.function.keep_versions, spec.function.memory), (1, 128));
    assert_eq!(spec.maintenance.cache, Duration::from_secs(1));
}

#[test]
fn a_text_with_an_error_is_no_spec() {
    let from = |text: &str| from_text(Path::new("x.yaml"), text);
    assert!(from("stack: shop\nrole: { path: /team/ }\n").is_ok());
    assert_eq!(
        from("stack: shop\nrole: { path: team }\n").unwrap_err().errors(),
        1,
        "not the default path instead"
    );
}
