//! Durations: always with a unit, in whole seconds, within the range of their key.

use crate::spec::decode::reader::{Reader, Section};
use crate::spec::duration::{read, written};
use crate::spec::node::Value;
use crate::spec::problem::Problem;
use std::time::Duration;

impl Reader<'_> {
    /// The duration under `key`, in whole seconds.
    pub(in crate::spec::decode) fn duration(
        &mut self,
        section: &Section<'_>,
        key: &str,
        default: u64,
        rule: &str,
    ) -> Duration {
        let default = Duration::from_secs(default);
        let Some(entry) = section.entry(key) else { return default };
        let node = &entry.value;
        let address = section.address(key);
        let unit_missing = match &node.value {
            Value::Whole(_) | Value::Number(_) => true,
            Value::Text(text) => !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        if unit_missing {
            let what = format!("`{address}` needs a unit, found `{}`", node.shown());
            let fix = format!("write `{key}: {}s` if you mean seconds", node.shown());
            self.problems.push(Problem::error(
                &node.place,
                what,
                "durations carry a unit, so that nobody has to guess it",
                fix,
            ));
            return default;
        }
        let Value::Text(text) = &node.value else {
            self.wrong_type(section, key, "a duration such as `10m`");
            return default;
        };
        let duration = match read(text) {
            Ok(duration) => duration,
            Err(why) => {
                let what = format!("`{}` is not a duration", node.shown());
                let fix = why.fix(&node.shown());
                self.problems.push(Problem::error(&node.place, what, why.rule(), fix));
                return default;
            }
        };
        if duration.subsec_nanos() != 0 {
            let what = format!("`{address}` must be whole seconds, found `{}`", node.shown());
            self.problems.push(Problem::error(
                &node.place,
                what,
                rule,
                format!("write for example `{key}: {}`", briefly(default.as_secs())),
            ));
            return default;
        }
        let range = section.range(key);
        if !range.contains(&duration.as_secs()) {
            let bounds = format!("{} to {}", briefly(*range.start()), briefly(*range.end()));
            let what = format!("`{address}` must be {bounds}, found `{}`", node.shown());
            let nearest =
                if duration.as_secs() < *range.start() { range.start() } else { range.end() };
            self.problems.push(Problem::error(
                &node.place,
                what,
                rule,
                format!("write for example `{key}: {}`", briefly(*nearest)),
            ));
            return default;
        }
        self.note(section, key);
        duration
    }
}

fn briefly(seconds: u64) -> String {
    written(Duration::from_secs(seconds))
}
