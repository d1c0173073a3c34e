//! One purpose: its whole policy is enough, and without any one action the command that needs it
//! says what is missing.

use super::operator::{Operator, actions, without};
use super::scene::{Scene, Stage};
use super::shop::{Ran, writes};
use serde_json::Value;

/// The stage, the scene that is set on it, and who acts in it.
struct Cast {
    stage: Stage,
    on: Option<(Scene, Operator)>,
}

impl Cast {
    /// Sets a scene, unless it is set and nothing has happened in it.
    async fn set(&mut self, scene: Scene) {
        if self.on.as_ref().is_none_or(|(on, _)| *on != scene) {
            self.stage.set(scene).await;
            self.on = Some((scene, Operator::new(&self.stage.shop).await));
        }
    }

    /// Runs a command with these rights. Is the scene still as it was set afterwards?
    async fn play(&self, arguments: &str, policy: &Value) -> (Ran, bool) {
        let shop = &self.stage.shop;
        let (_, operator) = self.on.as_ref().unwrap();
        operator.may(shop, policy).await;
        shop.ground.clear_calls();
        let ran = operator.run(shop, arguments);
        let done: Vec<_> = shop
            .ground
            .calls()
            .into_iter()
            .filter(|call| call.status.is_some_and(|status| status < 300))
            .collect();
        (ran, writes(&done).is_empty())
    }
}

/// A scene, and the command that plays in it.
pub(crate) type Act = (Scene, &'static str);

pub(crate) struct Purpose {
    pub(crate) name: &'static str,
    pub(crate) attached: bool,
    pub(crate) acts: &'static [Act],
    /// What no act needs, each with its reason.
    pub(crate) unseen: &'static [(&'static str, &'static str)],
    /// Every nth action is taken away, unless all are asked for.
    pub(crate) nth: usize,
}

fn is_whole() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test itself")]
    let asked = std::env::var("PROVISION_POLICY");
    asked.is_ok_and(|asked| asked == "all")
}

impl Purpose {
    /// Tries all of it.
    pub(crate) async fn holds(self) {
        let stage = Stage::new(self.attached).await;
        let all = actions(&self.is_enough(&stage).await);
        let last = all.len().saturating_sub(1) % self.nth;
        let chosen: Vec<_> = all
            .iter()
            .enumerate()
            .filter(|(index, _)| is_whole() || index % self.nth == last)
            .map(|(_, one)| one)
            .collect();
        let mut failures = Vec::new();
        let mut cast = Cast { stage, on: None };
        for (action, sid) in &chosen {
            let needed = self.needed(&mut cast, action, sid).await;
            let unseen = self.unseen.iter().find(|(name, _)| name == action);
            match (needed, unseen) {
                (Ok(Some((scene, arguments))), None) => {
                    println!("{:<17} {action:<36} {sid:<20} {arguments} ({scene:?})", self.title());
                }
                (Ok(None), Some((_, reason))) => {
                    println!("{:<17} {action:<36} {sid:<20} not seen: {reason}", self.title());
                }
                (Ok(None), None) => {
                    failures.push(format!("{}: nothing needs {action}", self.title()));
                }
                (Ok(Some(act)), Some(_)) => failures.push(format!(
                    "{}: {act:?} needs {action}; take it off the list",
                    self.title()
                )),
                (Err(why), _) => {
                    cast.on = None;
                    failures.push(format!("{} without {action}: {why}", self.title()));
                }
            }
        }
        println!("{:<17} {} of {} actions taken away", self.title(), chosen.len(), all.len());
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    }

    /// The first act that is denied without this action.
    async fn needed(
        &self,
        cast: &mut Cast,
        action: &str,
        sid: &str,
    ) -> Result<Option<Act>, String> {
        // A message names the statement by its name in the policies for runs, which have one for all
        // objects.
        let shown = if sid == "Index" { "Objects" } else { sid };
        for act @ (scene, arguments) in self.acts {
            cast.set(*scene).await;
            let policy = without(&cast.stage.policy(self.name), action, sid);
            let (ran, mut is_unchanged) = cast.play(&format!("{arguments} --json"), &policy).await;
            if ran.code != Some(0) {
                names_to_machines(&ran, action, shown)?;
                let (mut ran, still) = cast.play(arguments, &policy).await;
                is_unchanged &= still;
                if ran.code == Some(0) {
                    // The first run was denied a look at what it had done, and the second one has
                    // no need to look.
                    cast.on = None;
                    cast.set(*scene).await;
                    (ran, is_unchanged) = cast
                        .play(arguments, &without(&cast.stage.policy(self.name), action, sid))
                        .await;
                }
                names_to_people(&ran, action, shown)?;
            }
            if !is_unchanged {
                cast.on = None;
            }
            if ran.code != Some(0) {
                return Ok(Some(*act));
            }
        }
        Ok(None)
    }

    fn title(&self) -> String {
        format!("{}, {}", self.name, if self.attached { "attached" } else { "owned" })
    }

    /// With exactly what is printed every act passes. Returns the last policy.
    async fn is_enough(&self, stage: &Stage) -> Value {
        let mut printed = Value::Null;
        for (scene, arguments) in self.acts {
            stage.set(*scene).await;
            printed = stage.policy(self.name);
            let operator = Operator::new(&stage.shop).await;
            operator.may(&stage.shop, &printed).await;
            drop(operator.run(&stage.shop, arguments).exits(0));
        }
        printed
    }
}

/// Every fault is the denial, and carries the action with its statement.
fn names_to_machines(ran: &Ran, action: &str, sid: &str) -> Result<(), String> {
    let documents = ran.said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let faults: Vec<Value> =
        documents.map(|document| document["fault"].clone()).filter(Value::is_object).collect();
    let names = |fault: &Value| {
        // S3 answers HEAD without a body, and so without a code.
        let is_denied = fault["code"].as_str().is_none_or(|code| {
            code.starts_with("AccessDenied") || code == "InvalidLambdaFunctionAssociation"
        });
        let missing = fault["missing"].as_array().into_iter().flatten();
        fault["kind"] == "Denied"
            && is_denied
            && missing.into_iter().any(|one| one["action"] == action && one["statement"] == sid)
    };
    let told = ran.code == Some(1) && !faults.is_empty() && faults.iter().all(names);
    told.then_some(())
        .ok_or_else(|| format!("it ended with {:?} and said to machines:\n{}", ran.code, ran.said))
}

fn names_to_people(ran: &Ran, action: &str, sid: &str) -> Result<(), String> {
    let mut missing = ran.said.lines().filter(|line| line.trim_start().starts_with("missing: "));
    let told = ran.code == Some(1)
        && missing.any(|line| line.contains(&format!("{action} (statement `{sid}`)")));
    told.then_some(())
        .ok_or_else(|| format!("it ended with {:?} and said to people:\n{}", ran.code, ran.said))
}
