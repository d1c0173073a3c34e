//! A folder with a spec that is good, and the real program in it.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Our own distribution, most keys given.
pub(crate) const SPEC: &str = "\
stack: shop
account: \"123456789012\"
region: eu-west-1
bucket: { name: shop-files, site: ./site, versioning: true }
maintenance:
  page: ./page.html
  keys: { off: maintenance.html, on: maintenance-on.html }
  status: 503
  retry_after: 10m
  cache: 5s
  allow: [/robots.txt, \"/health/*\"]
  bypass: { cidrs: [203.0.113.0/24], cookie: let-me-in }
function: { name: shop-edge, runtime: python3.13, source: ./edge.py, handler: edge.handler, \
memory: 128, timeout: 5s, keep_versions: 3 }
role: { name: shop-edge, path: /team/ }
distribution:
  default_root_object: home.html
  price_class: PriceClass_100
  spa: true
  comment: &text the shop
tags: { team: web, note: *text }
protect: [bucket]
";

/// Another owner's distribution, and no more than is needed.
pub(crate) const ATTACHED: &str = "stack: shop\ndistribution: { id: E2ABCDEF0123, behaviors: \
    [default, \"/app/*\"], replace: true }\n";

pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        for (name, text) in [
            ("provision.yaml", SPEC.replace("protect: [bucket]\n", "").as_str()),
            ("page.html", "<h1>Back soon</h1>\n"),
            (
                "edge.py",
                "def handler(event, context):\n    return event['Records'][0]['cf']['request']\n",
            ),
            ("site/home.html", "<h1>Shop</h1>\n"),
            ("site/app.js", "console.log('shop')\n"),
        ] {
            fs::create_dir_all(shop.path(name).parent().unwrap()).unwrap();
            fs::write(shop.path(name), text).unwrap();
        }
        shop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The world of the sandbox.
    pub(crate) fn world(&self) -> PathBuf {
        self.path(".provision/sandbox/world.json")
    }

    /// Makes `program` run here, in an environment that holds nothing.
    pub(crate) fn prepare(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PROVISION_SANDBOX_DELAYS", "deploy=0,replicas=0");
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.prepare(PROGRAM).args(arguments.split_whitespace()).output().unwrap()
    }
}

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_provision");

/// The worlds before the first apply (empty, but for its first step) and after it, and after the
/// switch was turned.
pub(crate) static WORLDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let shop = Shop::open();
    let after = |arguments: &str| {
        let output = shop.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&fs::read(shop.world()).unwrap()).unwrap()
    };
    vec![after("apply --sandbox --yes"), after("maintenance on --sandbox --for 45m")]
});
