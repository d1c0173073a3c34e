//! The rows.

use super::Value::{
    Days, Duration, Flag, List, ListOf, Megabytes, OneOf, Rules, Section, Tags, Text, Whole,
};
use super::{Fallback, Key};
use crate::name::{EDGE_REGION, Namespace, edge_region};
use crate::resource::logs::RETENTIONS;
use crate::resource::site::rules::HEADERS;
use crate::spec::runtime::{self, DEFAULT_PYTHON};
use crate::spec::{BYPASS_COOKIE, KEY_OFF, KEY_ON, Protected};

const DAY: u64 = 24 * 60 * 60;
const WEEK: u64 = 7 * DAY;

fn price_classes() -> Vec<&'static str> {
    vec!["PriceClass_100", "PriceClass_200", "PriceClass_All"]
}

/// Every key, each section before what stands in it; messages and documents keep this order.
pub static TABLE: &[Key] = &[
    Key {
        path: "stack",
        value: Text("1 to 32 of `a-z`, `0-9` and `-`, the first a letter"),
        default: Fallback::Required,
        example: "shop",
        meaning: "names and tags everything",
    },
    Key {
        path: "account",
        value: Text("12 digits in quotes"),
        default: Fallback::None,
        example: "\"123456789012\"",
        meaning: "guard: no other account is touched",
    },
    Key {
        path: "region",
        value: Text("region of AWS"),
        default: Fallback::Value(EDGE_REGION),
        example: "eu-west-1",
        meaning: concat!("the bucket's region; the function is always in ", edge_region!()),
    },
    Key {
        path: "bucket",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "the bucket and the site in it",
    },
    Key {
        path: "bucket.name",
        value: Text("3 to 63 of `a-z`, `0-9`, `-` and `.`"),
        default: Fallback::Derived("<stack>-<account>"),
        example: "shop-frontend",
        meaning: "the bucket's name",
    },
    Key {
        path: "bucket.namespace",
        value: OneOf(Namespace::words),
        default: Fallback::Value("global"),
        example: "global",
        meaning: "with `account-regional`, the default name is \
            `<stack>-<account>-<region>-an`, which nobody else can take, not even after a deletion",
    },
    Key {
        path: "bucket.site",
        value: Text("path of a folder"),
        default: Fallback::None,
        example: "./site",
        meaning: "the files to upload",
    },
    Key {
        path: "bucket.ignore",
        value: List("patterns of keys"),
        default: Fallback::Value("[]"),
        example: "[\"*.map\", \"drafts/**\"]",
        meaning: "which files of the site's folder are left out",
    },
    Key {
        path: "bucket.headers",
        value: Rules("patterns of keys", &HEADERS),
        default: Fallback::Value("{}"),
        example: "{ \"downloads/*.pdf\": { content_disposition: attachment } }",
        meaning: "how files are served, beside what their names and bytes say; later patterns win",
    },
    Key {
        path: "bucket.versioning",
        value: Flag,
        default: Fallback::Words("`false` for a new bucket, others as they are"),
        example: "true",
        meaning: "whether the bucket keeps old versions of objects",
    },
    Key {
        path: "maintenance",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "the page, the switch, and who gets past it",
    },
    Key {
        path: "maintenance.page",
        value: Text("path of a file"),
        default: Fallback::Words("a built-in page"),
        example: "./site/maintenance.html",
        meaning: "what visitors see in a window; headers and page have at most 40 KB",
    },
    Key {
        path: "maintenance.keys",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "where the page is in the bucket",
    },
    Key {
        path: "maintenance.keys.off",
        value: Text("key of an object, at most 128 bytes"),
        default: Fallback::Value(KEY_OFF),
        example: "maintenance.html",
        meaning: "where the page is",
    },
    Key {
        path: "maintenance.keys.on",
        value: Text("key of an object, at most 128 bytes"),
        default: Fallback::Value(KEY_ON),
        example: "maintenance-on.html",
        meaning: "where its copy is in a window; the object there is the switch",
    },
    Key {
        path: "maintenance.status",
        value: Whole(200, 599),
        default: Fallback::Value("503"),
        example: "503",
        meaning: "the page's HTTP status; not 204, 205 or 304, which have no body",
    },
    Key {
        path: "maintenance.retry_after",
        value: Duration(1, WEEK),
        default: Fallback::Value("10m"),
        example: "10m",
        meaning: "the page's `Retry-After`, unless a window's end says better",
    },
    Key {
        path: "maintenance.cache",
        value: Duration(0, 60),
        default: Fallback::Value("5s"),
        example: "5s",
        meaning: "how long one edge instance may remember the switch",
    },
    Key {
        path: "maintenance.allow",
        value: List("paths, each with one `*` at most, at its end"),
        default: Fallback::Value("[/robots.txt, \"/.well-known/*\"]"),
        example: "[/robots.txt, \"/.well-known/*\"]",
        meaning: "what always gets the site",
    },
    Key {
        path: "maintenance.bypass",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "who always gets the site",
    },
    Key {
        path: "maintenance.bypass.cidrs",
        value: List("networks, such as `203.0.113.0/24` or `2001:db8::/32`"),
        default: Fallback::Value("[]"),
        example: "[203.0.113.0/24]",
        meaning: "networks whose visitors always get the site",
    },
    Key {
        path: "maintenance.bypass.cookie",
        value: Text("name of a cookie, at most 64 characters"),
        default: Fallback::Value(BYPASS_COOKIE),
        example: "provision-bypass",
        meaning: "the cookie that carries a bypass token",
    },
    Key {
        path: "function",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "the Lambda@Edge function",
    },
    Key {
        path: "function.name",
        value: Text("1 to 64 letters, digits, `-` and `_`"),
        default: Fallback::Derived("<stack>-edge"),
        example: "shop-edge",
        meaning: "the function's name",
    },
    Key {
        path: "function.runtime",
        value: OneOf(runtime::usable),
        default: Fallback::Value(DEFAULT_PYTHON),
        example: "python3.13",
        meaning: "Lambda's name of the runtime",
    },
    Key {
        path: "function.source",
        value: Text("`builtin`, or path of a file or folder"),
        default: Fallback::Value("builtin"),
        example: "./edge",
        meaning: "the code: what ships with `provision`, or your own",
    },
    Key {
        path: "function.handler",
        value: Text("`module.function`"),
        default: Fallback::Words("none: your own `source` needs it"),
        example: "index.handler",
        meaning: "where your own code begins",
    },
    Key {
        path: "function.memory",
        value: Megabytes(128, 10_240),
        default: Fallback::Value("128"),
        example: "128",
        meaning: "its memory; CloudFront may refuse more than 128 MB",
    },
    Key {
        path: "function.timeout",
        value: Duration(1, 30),
        default: Fallback::Value("5s"),
        example: "5s",
        meaning: "how long it may take; CloudFront may refuse more than 5s",
    },
    Key {
        path: "function.keep_versions",
        value: Whole(1, 50),
        default: Fallback::Value("3"),
        example: "3",
        meaning: "how many published versions stay, the one in use included",
    },
    Key {
        path: "function.log_retention",
        value: Days(&RETENTIONS),
        default: Fallback::None,
        example: "30d",
        meaning: "makes the log groups and sets how long they keep their events",
    },
    Key {
        path: "role",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "the function's execution role",
    },
    Key {
        path: "role.name",
        value: Text("1 to 64 letters, digits and `+=,.@_-`"),
        default: Fallback::Derived("<stack>-edge"),
        example: "shop-edge",
        meaning: "the role's name",
    },
    Key {
        path: "role.path",
        value: Text("begins and ends with `/`, at most 512 characters"),
        default: Fallback::Value("/"),
        example: "/",
        meaning: "the role's path",
    },
    Key {
        path: "role.permissions_boundary",
        value: Text("ARN of an IAM policy"),
        default: Fallback::None,
        example: "arn:aws:iam::123456789012:policy/boundary",
        meaning: "the most that the role may do",
    },
    Key {
        path: "distribution",
        value: Section,
        default: Fallback::None,
        example: "",
        meaning: "a distribution of our own, or with `id` slots of one that exists",
    },
    Key {
        path: "distribution.default_root_object",
        value: Text("key of an object, 1 to 255 characters"),
        default: Fallback::Value("index.html"),
        example: "home.html",
        meaning: "what `/` serves",
    },
    Key {
        path: "distribution.price_class",
        value: OneOf(price_classes),
        default: Fallback::Value("PriceClass_100"),
        example: "PriceClass_100",
        meaning: "from where CloudFront answers",
    },
    Key {
        path: "distribution.aliases",
        value: List("at most 100 host names"),
        default: Fallback::Value("[]"),
        example: "[www.example.org]",
        meaning: "the site's own names; they need `certificate`",
    },
    Key {
        path: "distribution.certificate",
        value: Text(concat!("ARN of a certificate in ", edge_region!())),
        default: Fallback::None,
        example: concat!(
            "arn:aws:acm:",
            edge_region!(),
            ":123456789012:certificate/11111111-2222-3333-4444-555555555555"
        ),
        meaning: "the certificate that covers the aliases",
    },
    Key {
        path: "distribution.spa",
        value: Flag,
        default: Fallback::Value("false"),
        example: "false",
        meaning: "whether paths without an ending that are no page are the root object",
    },
    Key {
        path: "distribution.comment",
        value: Text("at most 128 characters on one line"),
        default: Fallback::Derived("provision <stack>"),
        example: "the shop",
        meaning: "what CloudFront's console shows",
    },
    Key {
        path: "distribution.id",
        value: Text("id of a distribution"),
        default: Fallback::None,
        example: "E2ABCDEF0123",
        meaning: "the distribution that exists",
    },
    Key {
        path: "distribution.behaviors",
        value: List("path patterns, or `default`"),
        default: Fallback::Value("[default]"),
        example: "[default, \"/app/*\"]",
        meaning: "with `id`: the behaviors whose slot becomes ours",
    },
    Key {
        path: "distribution.replace",
        value: Flag,
        default: Fallback::Value("false"),
        example: "false",
        meaning: "with `id`: takes a slot that another function holds",
    },
    Key {
        path: "tags",
        value: Tags("at most 45"),
        default: Fallback::Value("{}"),
        example: "{ team: web }",
        meaning: "put on everything that takes tags",
    },
    Key {
        path: "protect",
        value: ListOf(Protected::words),
        default: Fallback::Value("[]"),
        example: "[logs]",
        meaning: "what `destroy` leaves alone",
    },
    Key {
        path: "ttl",
        value: Duration(60, 365 * DAY),
        default: Fallback::None,
        example: "7d",
        meaning: "marks a demo: `sweep --expired` takes it down that long after it was made",
    },
];
