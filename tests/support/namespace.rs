//! A network of a test's own: loopback, and names that lead there. Nothing leaves it, so a program
//! in it may be let loose on AWS's own names.

use std::process::{Command, Stdio};

const INSIDE: &str = "PROVISION_TEST_NAMESPACE";

const NEEDS: &str = "this test needs a network and a mount namespace of its own: `unshare` of \
    util-linux, `ip` of iproute2, and either root with CAP_SYS_ADMIN or user namespaces \
    (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns; in a container \
    a seccomp profile that lets `unshare` through, or --privileged)";

/// The addresses under which a machine and its containers find their own credentials
/// (AWS SDKs and Tools Reference Guide, "IMDS credential provider", "Container credential
/// provider").
pub const IMDS: &str = "169.254.169.254";
pub const CONTAINER: &str = "169.254.170.2";

/// True inside of the namespace. Outside it runs the test again inside, where these names are
/// 127.0.0.1, and fails as it does. `test`: the test's full name.
pub fn is_inside<T: AsRef<str>>(test: &str, names: &[T]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // Inside there is no package index.
    super::install();
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = names.iter().map(|name| format!("127.0.0.1 {}", name.as_ref())).collect();
    let (hosts, lookup) = (folder.path().join("hosts"), folder.path().join("nsswitch.conf"));
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{}\n", names.join("\n"))).unwrap();
    // Nobody else is asked for a name: a resolver of this machine is outside of the namespace.
    std::fs::write(&lookup, "passwd: files\ngroup: files\nhosts: files\n").unwrap();
    let script = format!(
        "ip link set lo up && ip address add {IMDS}/32 dev lo && ip address add {CONTAINER}/32 \
         dev lo && mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/nsswitch.conf && \
         shift 2 && exec \"$@\""
    );
    let output = Command::new("unshare")
        .args(rights())
        .args(["--", "sh", "-c", &script, "sh"])
        .args([&hosts, &lookup])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("cannot run unshare: {error}\n{NEEDS}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    assert!(out.contains("running 1 test"), "{NEEDS}; it said:\n{out}{err}");
    assert!(output.status.success(), "inside of the namespace:\n{out}{err}");
    println!("{out}");
    false
}

/// Root makes namespaces; everybody else becomes root of a namespace of users first.
fn rights() -> &'static [&'static str] {
    const ROOT: &[&str] = &["--net", "--mount"];
    let can = Command::new("unshare").args(ROOT).arg("true").stderr(Stdio::null()).status();
    if can.is_ok_and(|status| status.success()) {
        return ROOT;
    }
    &["--user", "--map-root-user", "--net", "--mount"]
}
