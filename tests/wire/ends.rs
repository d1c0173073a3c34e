//! How a run ends that the user stops, or that AWS refuses all the time: soon, and with words.

use super::shop::{OWNED, Shop};
use crate::support::{At, Fault, Moment, Rules};
use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

/// A command under way. It does not outlive a test that fails.
pub(crate) struct Running {
    pub(crate) child: Child,
    words: Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn of(shop: &Shop, arguments: &str) -> Self {
        let mut command = shop.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let words = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, words }
    }

    pub(crate) fn stop(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for a line that begins so, and returns it.
    pub(crate) fn line(&mut self, beginning: &str) -> String {
        let line = self.words.by_ref().map(Result::unwrap).find(|it| it.starts_with(beginning));
        line.unwrap()
    }

    /// Waits for the end; returns the exit code and the rest of what was said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        said.extend(self.words.by_ref().map(|line| line.unwrap() + "\n"));
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A write has the time of its own try, and no second one.
#[tokio::test]
async fn a_write_that_hangs_is_not_tried_again_once_the_user_stops() {
    let shop = Shop::applied(OWNED, Rules::prompt()).await;
    shop.ground.clear_calls();
    let call = "lambda:DeleteFunction";
    let held = shop.ground.hold(At::Operation(call, 1), Moment::Before);
    let mut running = Running::of(&shop, "destroy --yes --wait 2h");
    assert!(held.wait_reached_unless(|| running.child.try_wait().unwrap().is_some()));
    running.stop();
    running.line("Stopping as soon as it is safe; once more stops at once.");
    let line = running.line("  waiting for the end of Lambda DeleteFunction at 127.0.0.1:");
    assert!(line.contains(" for function shop-edge: "), "{line}");
    assert!(line.ends_with("s at the most"), "{line}");
    held.drop_connection();
    let (code, said) = running.end();
    assert_eq!((code, shop.ground.count(call)), (Some(130), 1), "{said}");
    assert!(said.contains("Interrupted"), "{said}");
}

/// What only looks is given up with its call.
#[tokio::test]
async fn a_look_that_hangs_ends_at_once_when_the_user_stops() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    let held = shop.ground.hold(At::Operation("cloudfront:GetDistribution", 1), Moment::Before);
    let running = Running::of(&shop, "apply --yes");
    held.wait_reached();
    running.stop();
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("the run was stopped before AWS said more"), "{said}");
    drop(held);
}

/// Between two tries nothing is under way.
#[tokio::test]
async fn a_step_that_aws_throttles_says_so_and_ends_with_aws_s_words_when_the_user_stops() {
    let shop = Shop::new(OWNED, Rules::prompt()).await;
    shop.ground.fault(At::Every("iam:PutRolePolicy"), Fault::Throttled);
    let mut running = Running::of(&shop, "apply --yes");
    let line = running.line("  AWS throttles IAM PutRolePolicy at 127.0.0.1:");
    assert!(line.contains(" for role shop-edge (Rate exceeded), which is tried again ["), "{line}");
    running.stop();
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("code Throttling, request "), "{said}");
}

/// Five tries take seconds; a minute is what a look has.
#[tokio::test]
async fn a_look_goes_on_while_aws_throttles_or_fails_and_says_so() {
    for (arguments, fault, does) in [
        ("plan", Fault::Throttled, "throttles"),
        ("status", Fault::Status(503), "fails at"),
        ("apply --yes", Fault::Throttled, "throttles"),
    ] {
        let shop = Shop::new(OWNED, Rules::prompt()).await;
        let call = "cloudfront:ListDistributions";
        shop.ground.fault(At::Every(call), fault);
        let held = shop.ground.hold(At::Operation(call, 7), Moment::Before);
        let mut running = Running::of(&shop, arguments);
        running.line(&format!("  AWS {does} CloudFront ListDistributions at 127.0.0.1:"));
        assert!(held.wait_reached_unless(|| running.child.try_wait().unwrap().is_some()));
        shop.ground.clear_faults();
        held.release();
        let (code, said) = running.end();
        assert_eq!(code, Some(0), "{arguments}: {said}");
    }
}
