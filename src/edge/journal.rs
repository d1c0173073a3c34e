//! What happened: told to the caller, and the last of it kept for the console page.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::{EdgeEvent, Visit};

const VISITS: usize = 50;
const LINES: usize = 100;
/// So many warnings are known by heart; what comes after them is told each time.
const WARNINGS: usize = 100;

pub(super) struct Journal {
    observer: UnboundedSender<EdgeEvent>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    count: u64,
    visits: VecDeque<Visit>,
    lines: VecDeque<String>,
    warned: HashSet<String>,
}

impl Journal {
    pub(super) fn new(observer: UnboundedSender<EdgeEvent>) -> Self {
        Journal { observer, kept: Mutex::default() }
    }

    /// Passes an event on. A caller that has stopped listening is no reason to stop serving.
    pub(super) fn tell(&self, event: EdgeEvent) {
        match &event {
            EdgeEvent::Visit(visit) => {
                let mut kept = self.kept();
                kept.count += 1;
                push(&mut kept.visits, visit.clone(), VISITS);
            }
            EdgeEvent::Log { line, .. } => push(&mut self.kept().lines, line.clone(), LINES),
            EdgeEvent::Warning(text) => {
                push(&mut self.kept().lines, format!("warning: {text}"), LINES);
            }
            EdgeEvent::Listening(_) | EdgeEvent::Reloaded { .. } => {}
        }
        self.observer.send(event).ok();
    }

    /// Tells a warning that each request would repeat, the first time.
    pub(super) fn warn_once(&self, text: String) {
        let fresh = {
            let mut kept = self.kept();
            kept.warned.len() >= WARNINGS || kept.warned.insert(text.clone())
        };
        if fresh {
            self.tell(EdgeEvent::Warning(text));
        }
    }

    /// Gives how many visits there were, the last of them, newest first, and the last lines, oldest
    /// first.
    pub(super) fn recent(&self) -> (u64, Vec<Visit>, Vec<String>) {
        let kept = self.kept();
        (
            kept.count,
            kept.visits.iter().rev().cloned().collect(),
            kept.lines.iter().cloned().collect(),
        )
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}
