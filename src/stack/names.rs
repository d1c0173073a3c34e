//! What the objects of a stack are called: in its spec, and then in an account.

use super::{Clues, Scope};
use crate::change::{Fault, FaultKind};
use crate::name::{
    AccountId, BucketName, DistributionId, FunctionName, Namespace, ObjectKey, Region, RoleName,
    RolePath, StackName,
};
use crate::resource::{function, logs, page};
use crate::spec::{DistributionSpec, KEY_OFF, KEY_ON, Spec, edge_name};

/// What can be named before anybody was asked who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub stack: StackName,
    /// The bucket's region.
    pub region: Region,
    /// The bucket, where the spec names it.
    pub bucket: Option<BucketName>,
    /// Where the name has to be unique that the bucket else gets.
    pub namespace: Namespace,
    /// The two page keys.
    pub keys: page::Keys,
    pub role: RoleName,
    pub role_path: RolePath,
    pub function: FunctionName,
    /// Are its log groups part of the stack? Only where the spec says how long they keep their
    /// events; a destroy looks in any case.
    pub logs: bool,
    /// The distribution of another owner, if the spec attaches to one.
    pub attached: Option<DistributionId>,
    /// What else is known to be the stack's, where a look at the whole account has found it.
    pub also: Clues,
}

impl Names {
    /// The names in a spec.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        Self {
            stack: spec.stack.clone(),
            region: spec.region.clone(),
            bucket: spec.bucket.name.clone(),
            namespace: spec.bucket.namespace,
            keys: page::Keys {
                off: spec.maintenance.key_off.clone(),
                on: spec.maintenance.key_on.clone(),
            },
            role: spec.role.name.clone(),
            role_path: spec.role.path.clone(),
            function: spec.function.name.clone(),
            logs: spec.function.log_retention.is_some(),
            attached: match &spec.distribution {
                DistributionSpec::Attached(attached) => Some(attached.id.clone()),
                DistributionSpec::Owned(_) => None,
            },
            also: Clues::default(),
        }
    }

    /// The names in a spec that says no more than the stack's.
    ///
    /// # Errors
    /// The rule that a derived name breaks.
    pub fn of_stack(stack: &StackName, region: Region) -> Result<Self, &'static str> {
        Ok(Self {
            stack: stack.clone(),
            region,
            bucket: None,
            namespace: Namespace::Global,
            keys: page::Keys { off: KEY_OFF.parse()?, on: KEY_ON.parse()? },
            role: edge_name(stack).parse()?,
            role_path: "/".parse()?,
            function: edge_name(stack).parse()?,
            logs: false,
            attached: None,
            also: Clues::default(),
        })
    }

    /// How closely the function's log groups are looked at, which is there or not. A destroy looks
    /// in any case.
    #[must_use]
    pub fn look_at_logs(&self, scope: Scope, has_function: bool) -> logs::Look {
        match scope {
            Scope::Stack if !self.logs => logs::Look::Spared,
            Scope::Teardown if !has_function => logs::Look::Tags,
            Scope::Stack | Scope::Teardown => logs::Look::Settings,
        }
    }

    /// Are the objects of the bucket, which is in this region, looked at? In another region than
    /// the spec's nothing can be read with that region's client, and the planner refuses anyway.
    #[must_use]
    pub fn looks_at_objects(&self, region: &Region) -> bool {
        *region == self.region
    }

    /// The stack in this account.
    ///
    /// # Errors
    /// [`FaultKind::Local`], with the rule that a derived bucket name breaks, or where S3 keeps the
    /// bucket's name to another account.
    pub fn in_account(&self, account: AccountId) -> Result<Stack, Fault> {
        let derived = || {
            let (stack, region) = (&self.stack, &self.region);
            BucketName::derived(stack, &account, region, self.namespace).map_err(|why| {
                Fault::new(FaultKind::Local, "name the bucket after stack and account", why)
                    .hinted("set `bucket.name` in the spec")
            })
        };
        let bucket = self.bucket.clone().map_or_else(derived, Ok)?;
        if let Some((owner, _)) = bucket.regional().filter(|(owner, _)| *owner != account) {
            let why = format!("S3 keeps this name to account {owner}, and this is {account}");
            let fault = Fault::new(FaultKind::Local, format!("use bucket {bucket}"), why);
            return Err(fault.hinted(
                "use credentials of that account, or write this one's number in `bucket.name`",
            ));
        }
        Ok(Stack { names: self.clone(), account, bucket })
    }
}

/// The stack in an account: every object has its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// What did not need the account.
    pub names: Names,
    pub account: AccountId,
    pub bucket: BucketName,
}

impl Stack {
    /// A reference to our function that stands for any of its versions.
    #[must_use]
    pub fn any_version(&self) -> function::VersionReference {
        function::VersionReference {
            function: self.names.function.arn(&self.account),
            version: String::new(),
        }
    }

    /// Both page keys.
    #[must_use]
    pub fn page_keys(&self) -> [&ObjectKey; 2] {
        [&self.names.keys.off, &self.names.keys.on]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A spec is checked before; this is for what a sweep finds of a stack without a bucket.
    #[test]
    fn a_bucket_that_cannot_have_the_stacks_name_is_named_in_the_spec() {
        let names = |stack: &str| Names::of_stack(&stack.parse().unwrap(), Region::edge()).unwrap();
        let stack = |stack| names(stack).in_account("123456789012".parse().unwrap());
        assert_eq!(stack("shop").unwrap().bucket.as_str(), "shop-123456789012");
        let fault = stack("sthree-shop").unwrap_err();
        assert!(fault.message.contains("must not begin with"), "{fault}");
        assert_eq!(fault.hint.as_deref(), Some("set `bucket.name` in the spec"));
    }

    #[test]
    fn a_bucket_whose_name_is_another_accounts_is_refused_before_anything_is_asked() {
        let names = Names {
            bucket: Some("shop-111122223333-us-east-1-an".parse().unwrap()),
            ..Names::of_stack(&"shop".parse().unwrap(), Region::edge()).unwrap()
        };
        let own = names.in_account("111122223333".parse().unwrap()).unwrap();
        assert_eq!(own.bucket.as_str(), "shop-111122223333-us-east-1-an");
        let fault = names.in_account("123456789012".parse().unwrap()).unwrap_err();
        let said = "S3 keeps this name to account 111122223333, and this is 123456789012";
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Local, said));
    }
}
