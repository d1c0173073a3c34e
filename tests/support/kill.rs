//! SIGKILL at a call: the step from which every matrix of interruptions is made.

use std::process::{Child, Command, ExitStatus};

use super::{At, Ground, Moment};

impl Ground {
    /// Runs a command against this ground and kills it at its nth call, on one side of it or the
    /// other; true if it was killed, false if it ended before it made that many calls.
    ///
    /// Returns when everything that the command had sent is carried out or lost, so that what is
    /// done next meets no latecomer. Calls that overlap the nth one may be on either side.
    pub fn kill_at(&self, number: usize, moment: Moment, command: &mut Command) -> bool {
        self.clear_calls();
        let others = self.proxy.clients();
        let held = self.hold(At::Call(number), moment);
        let mut child = Running(command.envs(self.environment()).spawn().unwrap());
        let is_reached = held.wait_reached_unless(|| child.ended().is_some());
        drop(child);
        held.drop_connection();
        self.clear_faults();
        self.proxy.wait_deserted_but_for(&others);
        is_reached
    }
}

/// A child that does not outlive a failing test.
struct Running(Child);

impl Running {
    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
