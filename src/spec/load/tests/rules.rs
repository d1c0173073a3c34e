//! One row for each rule.

use super::*;
use crate::name::EDGE_REGION;

/// Each row is what stands below `stack: shop`, and the one problem that it has, without its place.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_rule_is_kept() {
    let folder = folder();
    let long = "x".repeat(129);
    let comment = format!("distribution: {{ comment: {long} }}");
    let tag = format!("tags: {{ {long}: x }}");
    let many_tags = format!(
        "tags: {{ {} }}",
        (0..46).map(|n| format!("t{n}: x")).collect::<Vec<_>>().join(", ")
    );
    let long_tags =
        format!("tags: {{ {}: a, {}: b, {}: c }}", "a".repeat(90), "b".repeat(90), "c".repeat(90));
    let rows: &[(&str, &str)] = &[
        // names
        ("account: 123456789012", "`account` must be text, found the number `123456789012`"),
        ("account: 012345678901", "`account` must be text, found the number `012345678901`"),
        ("account: \"12345\"", "account `12345` must be 12 digits"),
        ("region: europe", "region `europe` must look like `eu-west-1`"),
        ("region: cn-north-1", "region `cn-north-1` is outside of AWS's public partition"),
        (
            "bucket: { name: My_Bucket }",
            "bucket name `My_Bucket` may hold only a-z, 0-9, `-` and `.`",
        ),
        (
            "bucket: { name: shop-an }",
            "bucket name `shop-an` must be `<prefix>-<account>-<region>-an` where it ends with `-an`",
        ),
        (
            "region: eu-west-1\nbucket: { name: a-123456789012-us-west-2-an }",
            "bucket name `a-123456789012-us-west-2-an` is of another region than the spec's",
        ),
        (
            "account: \"111122223333\"\nbucket: { name: a-123456789012-us-east-1-an }",
            "bucket name `a-123456789012-us-east-1-an` is another account's than the spec's \
                `account`",
        ),
        ("bucket: { namespace: regional }", "unknown namespace `regional`"),
        ("bucket: { name: my.bucket }", "warning: bucket name `my.bucket` holds a dot"),
        ("role: { name: a/b }", "role name `a/b` may hold only letters, digits and `+=,.@_-`"),
        ("role: { path: team }", "role path `team` must begin and end with `/`"),
        ("role: { permissions_boundary: bounds }", "`bounds` is not the ARN of an IAM policy"),
        ("function: { log_retention: 31d }", "log groups cannot keep their events for `31d`"),
        ("function: { log_retention: 0s }", "log groups cannot keep their events for `0s`"),
        ("function: { log_retention: 36h }", "log groups cannot keep their events for `36h`"),
        ("function: { log_retention: 30 }", "`function.log_retention` needs a unit, found `30`"),
        ("protect: [log]", "`log` is no kind that can be protected"),
        (
            "function: { name: a.b }",
            "function name `a.b` may hold only letters, digits, `-` and `_`",
        ),
        // keys and types
        ("regoin: eu-west-1", "unknown key `regoin`"),
        ("bukcet: { name: abc }", "unknown key `bukcet`"),
        ("stack: again", "the key `stack` is given twice"),
        ("bucket: shop", "`bucket` must be keys with values, found the text `shop`"),
        ("bucket: { name: }", "`bucket.name` has no value"),
        ("bucket: { name: [a] }", "`bucket.name` must be text, found a list"),
        (
            "bucket: { versioning: \"true\" }",
            "`bucket.versioning` must be `true` or `false`, found the text `true`",
        ),
        (
            "bucket: { versioning: yes }",
            "`bucket.versioning` must be `true` or `false`, found the text `yes`",
        ),
        ("1: x", "a key must be text, found the number `1`"),
        ("region: ${REGION}", "the environment variable `REGION` is not set"),
        // maintenance
        (
            "maintenance: { status: 200.5 }",
            "`maintenance.status` must be a whole number, found the number `200.5`",
        ),
        ("maintenance: { status: 199 }", "`maintenance.status` must be 200 to 599, found `199`"),
        ("maintenance: { status: 600 }", "`maintenance.status` must be 200 to 599, found `600`"),
        ("maintenance: { status: 204 }", "status `204` has no body, so there is no page to show"),
        (
            "maintenance: { status: 200 }",
            "warning: status `200` tells crawlers that the maintenance page is the site",
        ),
        (
            "maintenance: { retry_after: 600 }",
            "`maintenance.retry_after` needs a unit, found `600`",
        ),
        (
            "maintenance: { retry_after: 0s }",
            "`maintenance.retry_after` must be 1s to 7d, found `0s`",
        ),
        ("maintenance: { retry_after: 10M }", "`10M` is not a duration"),
        ("maintenance: { retry_after: soon }", "`soon` is not a duration"),
        (
            "maintenance: { cache: 500ms }",
            "`maintenance.cache` must be whole seconds, found `500ms`",
        ),
        ("maintenance: { cache: 61s }", "`maintenance.cache` must be 0s to 1m, found `61s`"),
        (
            "maintenance: { keys: { on: maintenance.html } }",
            "`maintenance.keys` names one key twice",
        ),
        (
            "maintenance: { keys: { on: /on.html } }",
            "object key `/on.html` must not begin with `/`",
        ),
        (
            "maintenance: { keys: { on: a/../b } }",
            "object key `a/../b` must not hold an empty part, `.` or `..` between slashes",
        ),
        (
            "maintenance: { keys: { on: .provision/index } }",
            "object key `.provision/index` is where `provision` records which objects are ours",
        ),
        (
            "maintenance: { keys: { on: a*.html } }",
            "object key `a*.html` must not hold `*`, `?` or `$`, which IAM reads as more than \
                themselves",
        ),
        ("maintenance: { keys: { off: index.html } }", "the root object is the maintenance page"),
        ("maintenance: { allow: /x }", "`maintenance.allow` must be a list, found the text `/x`"),
        (
            "maintenance: { allow: [robots.txt] }",
            "path `robots.txt` in `maintenance.allow` must begin with `/`",
        ),
        (
            "maintenance: { allow: [\"/*/x\"] }",
            "path `/*/x` in `maintenance.allow` may hold `*` only as its last character",
        ),
        (
            "maintenance: { allow: [\"/x?y\"] }",
            "path `/x?y` in `maintenance.allow` must not hold `?` or `#`: only the path is compared",
        ),
        ("maintenance: { allow: [/x, /x] }", "`/x` is named twice"),
        (
            "maintenance: { allow: [1] }",
            "an entry of `maintenance.allow` must be text, found the number `1`",
        ),
        (
            "maintenance: { allow: [\"/*\"] }",
            "warning: `/*` lets every request past the maintenance page",
        ),
        (
            "maintenance: { bypass: { cidrs: [203.0.113.7] } }",
            "`203.0.113.7` is an address, not a network",
        ),
        (
            "maintenance: { bypass: { cidrs: [203.0.113.7/24] } }",
            "`203.0.113.7/24` is an address inside of a network",
        ),
        (
            "maintenance: { bypass: { cidrs: [\"2001:db8::/129\"] } }",
            "`2001:db8::/129` is not a network",
        ),
        (
            "maintenance: { bypass: { cidrs: [\"::/0\"] } }",
            "warning: `::/0` lets every visitor past the maintenance page",
        ),
        ("maintenance: { bypass: { cookie: \"a b\" } }", "`a b` cannot be the name of a cookie"),
        // function
        ("function: { runtime: nodejs26.x }", "runtime `nodejs26.x` is only a preview"),
        ("function: { runtime: nodejs20.x }", "runtime `nodejs20.x` is no longer supported by AWS"),
        ("function: { runtime: python3.9 }", "runtime `python3.9` is no longer supported by AWS"),
        (
            "function: { runtime: python3.11 }",
            "warning: runtime `python3.11` comes to its end: deprecated on 2027-06-30, no new \
                functions from 2027-07-31",
        ),
        ("function: { runtime: java21 }", "runtime `java21` does not run at the edge"),
        ("function: { runtime: python3 }", "unknown runtime `python3`"),
        ("function: { runtime: nodejs24.x }", "the built-in function does not run on `nodejs24.x`"),
        (
            "function: { memory: 64 }",
            "`function.memory` must be 128 to 10240 megabytes, found `64`",
        ),
        (
            "function: { memory: 1GB }",
            "`function.memory` must be 128 to 10240 megabytes, found `1GB`",
        ),
        (
            "function: { memory: 256MB }",
            "warning: CloudFront may refuse `256MB` of memory at a viewer event",
        ),
        ("function: { timeout: 31s }", "`function.timeout` must be 1s to 30s, found `31s`"),
        (
            "function: { timeout: 10s }",
            "warning: CloudFront may refuse a timeout of `10s` at a viewer event",
        ),
        ("function: { keep_versions: 0 }", "`function.keep_versions` must be 1 to 50, found `0`"),
        (
            "function: { handler: a.b }",
            "`function.handler` has no meaning for the built-in function",
        ),
        ("function: { source: edge }", "your own source needs `function.handler`"),
        (
            "function: { source: edge, handler: index }",
            "handler `index` must look like `module.function`",
        ),
        (
            "function: { source: edge, handler: main.handler }",
            "the module of handler `main.handler` is not in `function.source`",
        ),
        (
            "function: { source: edge.py, handler: index.handler }",
            "the module of handler `index.handler` is not in `function.source`",
        ),
        ("function: { source: nowhere, handler: index.handler }", "`nowhere` does not exist"),
        ("function: { source: ., handler: index.handler }", "`.` is the spec's own folder"),
        // distribution
        (
            "distribution: { default_root_object: /index.html }",
            "root object `/index.html` must not begin with `/`",
        ),
        ("distribution: { price_class: PriceClass_300 }", "unknown price class `PriceClass_300`"),
        ("distribution: { aliases: [www.example.org] }", "aliases need a certificate"),
        ("distribution: { certificate: shop }", "`shop` is not the ARN of a certificate"),
        (
            "distribution: { certificate: \"arn:aws:acm:eu-west-1:123456789012:certificate/1\" }",
            "certificate `arn:aws:acm:eu-west-1:123456789012:certificate/1` is not in EDGE-REGION",
        ),
        (
            "distribution: { certificate: \"arn:aws:acm:EDGE-REGION:123456789012:certificate/1\", \
                aliases: [WWW.example.org] }",
            "alias `WWW.example.org` must be lower case",
        ),
        (
            "distribution: { certificate: \"arn:aws:acm:EDGE-REGION:123456789012:certificate/1\", \
                aliases: [localhost] }",
            "alias `localhost` is not a host name",
        ),
        (
            "account: \"210987654321\"\ndistribution: { certificate: \
                \"arn:aws:acm:EDGE-REGION:123456789012:certificate/1\" }",
            "`distribution.certificate` is in another account than the spec's `account`",
        ),
        (
            "account: \"210987654321\"\nrole: { permissions_boundary: \
                \"arn:aws:iam::123456789012:policy/x\" }",
            "`role.permissions_boundary` is in another account than the spec's `account`",
        ),
        (&comment, "the comment has 129 characters"),
        (
            "distribution: { id: E2ABCDEF0123, spa: true }",
            "`distribution.spa` cannot be set on a distribution that exists",
        ),
        (
            "distribution: { behaviors: [default] }",
            "`distribution.behaviors` needs `distribution.id`",
        ),
        ("distribution: { id: shop }", "distribution id `shop` must look like `E2ABCDEF0123`"),
        (
            "distribution: { id: E2ABCDEF0123, behaviors: [] }",
            "`distribution.behaviors` names no behavior",
        ),
        ("distribution: { id: E2ABCDEF0123, behaviors: [\"\"] }", "`` is not a path pattern"),
        // tags and protect
        ("tags: { count: 1 }", "the tag's value must be text, found the number `1`"),
        (
            "tags: { \"aws:x\": y }",
            "tag key `aws:x` must not begin with `aws:`, which AWS keeps for itself",
        ),
        (
            "tags: { \"Provision:x\": y }",
            "tag key `Provision:x` must not begin with `provision:`, by which `provision` finds \
                what it made",
        ),
        ("tags: { a: b, A: c }", "tag key `A` is given twice"),
        (
            "tags: { a: \"b?\" }",
            "tag value `b?` may hold only letters, digits, spaces and `_.:/=+-@`",
        ),
        (
            "tags: { a: \"हिन्दी\" }",
            "tag value `हिन्दी` holds an accent or a vowel sign of its own, which IAM does not take",
        ),
        (&many_tags, "46 tags are more than 45"),
        (&long_tags, "the tags' keys are together longer than 256 characters"),
        ("protect: [buket]", "`buket` is no kind that can be protected"),
        // files
        ("maintenance: { page: nowhere.html }", "`nowhere.html` does not exist"),
        ("maintenance: { page: \"\" }", "`maintenance.page` names nothing"),
        (
            "bucket: { site: site }\nmaintenance: { page: site/index.html, keys: { off: a, on: b } \
                }",
            "the root object is the maintenance page",
        ),
        ("maintenance: { page: site }", "`site` is not a file"),
        (
            "maintenance: { page: large.html }",
            "the page `large.html` has 38913 bytes; at most 38912 fit",
        ),
        ("maintenance: { page: latin.html }", "the page `latin.html` is not UTF-8"),
        ("maintenance: { page: empty.html }", "warning: the page `empty.html` is empty"),
        (
            "maintenance: { page: edge/index.py }",
            "warning: the page `edge/index.py` holds no `<`, so it is no HTML",
        ),
        ("maintenance: { page: /etc/passwd }", "`/etc/passwd` is an absolute path"),
        ("maintenance: { page: ../page.html }", "`../page.html` is outside of the spec's folder"),
        (
            "maintenance: { page: site/../../page.html }",
            "`site/../../page.html` is outside of the spec's folder",
        ),
        ("bucket: { site: page.html }", "`page.html` is not a folder"),
        ("bucket: { site: ./ }", "`./` is the spec's own folder"),
        ("bucket: { site: site }", "the site holds a file under the page's key `maintenance.html`"),
        (
            "bucket: { site: taken }",
            "the site holds a file under the page's key `maintenance-on.html`",
        ),
        ("bucket: { site: other }", "warning: the site has no file `index.html`, which `/` serves"),
    ];
    for (text, expected) in rows {
        assert_problem(&folder, text, expected);
    }
    assert_problem(
        &folder,
        &tag,
        &format!("tag key `{}…` must be 1 to 128 characters long", "x".repeat(80)),
    );
    #[cfg(unix)]
    assert_problem(
        &folder,
        "maintenance: { page: root/etc/passwd }",
        "`root/etc/passwd` leads outside of the spec's folder through a symbolic link",
    );
}

pub(super) fn assert_problem(folder: &TempDir, text: &str, expected: &str) {
    let (text, expected) = (
        &*text.replace("EDGE-REGION", EDGE_REGION),
        &*expected.replace("EDGE-REGION", EDGE_REGION),
    );
    let found = problems_of(folder.path(), &format!("stack: shop\n{text}\n"));
    let without_place = |line: &String| match line.strip_prefix("warning: ") {
        Some(rest) => format!("warning: {}", rest.split_once(' ').unwrap().1),
        None => line.split_once(' ').unwrap().1.to_owned(),
    };
    assert_eq!(found.iter().map(without_place).collect::<Vec<_>>(), [expected], "{text}");
}

#[test]
fn a_wrong_retention_is_answered_with_its_neighbours() {
    let folder = folder();
    for (given, fix) in [
        ("31d", "write `log_retention: 30d` or `log_retention: 60d`"),
        ("1h", "write `log_retention: 1d`"),
        ("9999d", "write `log_retention: 3653d`"),
    ] {
        let text = format!("stack: shop\nfunction: {{ log_retention: {given} }}\n");
        let told = load_text(folder.path(), &text).unwrap_err().render(false);
        assert!(told.contains(":2:28") && told.ends_with(&format!("= help: {fix}\n")), "{told}");
    }
}

#[test]
fn what_may_be_said_is_not_refused() {
    let folder = folder();
    for text in [
        "bucket:\n",
        "bucket: { site: site }\nmaintenance: { page: ./site/maintenance.html }",
        "maintenance: { page: fits.html }",
        "maintenance: { page: site/../page.html }",
        "maintenance: { bypass: { cidrs: [203.0.113.7/32] } }",
        "function: { source: edge.py, handler: edge.handler }",
        "function: { source: ./edge/, handler: app/deep.handler }",
        "function: { source: edge, handler: main.handler, runtime: nodejs22.x }",
        "function: { memory: 128 MB }",
        "function: { log_retention: 2weeks }",
        "protect: [logs]",
        "bucket: { site: other }\ndistribution: { default_root_object: home.html }",
        "region: &r eu-west-1\ntags: { region: *r }",
        "tags: { price: \"$${5}\" }",
        "protect: []\ntags: {}",
    ] {
        let found = problems_of(folder.path(), &format!("stack: shop\n{text}\n"));
        let expected: Vec<String> = if text.contains("$$") {
            vec![
                "2:16 tag value `$${5}` may hold only letters, digits, spaces and `_.:/=+-@`"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        };
        assert_eq!(found, expected, "{text}");
    }
}
