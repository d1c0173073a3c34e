//! What the execution policy names: pages to read and logs to write.

use crate::name::{AccountId, BucketName, FunctionName, ObjectKey};
use crate::resource::{logs, policy};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What functions that run under the role reach: the pages that they read and the logs that they
/// write. While a stack moves, that is what it leaves and what it moves to.
///
/// It is also the stack's memory: the role is made before a bucket or function of another name is,
/// and goes after them, so its policy names everything of the stack that the spec may have
/// forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Bucket and key of each page.
    pub pages: BTreeSet<(BucketName, ObjectKey)>,
    pub functions: BTreeSet<FunctionName>,
}

impl Reach {
    /// One page and one function.
    #[must_use]
    pub fn new(bucket: &BucketName, on: &ObjectKey, function: &FunctionName) -> Self {
        let pages = [(bucket.clone(), on.clone())].into();
        Self { pages, functions: [function.clone()].into() }
    }

    /// What a policy that was made by [`Reach::policy`] allows; other resources are passed over.
    #[must_use]
    pub fn of(policy: Option<&Value>, account: &AccountId) -> Self {
        let groups = logs::arn("*", account, "");
        let statements = policy.map(policy::statements).unwrap_or_default();
        let function = |resource: String| logs::function(resource.strip_prefix(&groups)?);
        Self {
            pages: policy.iter().flat_map(|policy| pages_in(policy)).collect(),
            functions: statements.iter().flat_map(resources).filter_map(function).collect(),
        }
    }

    /// What both reach.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.pages.extend(other.pages);
        self.functions.extend(other.functions);
        self
    }

    /// What the functions may do: read the page, tell "no page" from "no permission" (which takes
    /// `ListBucket`), and write their logs in whichever region they run (CloudFront Developer
    /// Guide, "Edge function logs").
    #[must_use]
    pub fn policy(&self, account: &AccountId) -> Value {
        let pages = self.pages.iter().map(|(bucket, key)| format!("{}/{key}", bucket.arn()));
        let buckets: BTreeSet<_> = self.pages.iter().map(|(bucket, _)| bucket.arn()).collect();
        let groups = self.functions.iter().map(|name| logs::arn("*", account, &logs::group(name)));
        let groups = groups.flat_map(|arn| [arn.clone(), format!("{arn}:*")]).collect();
        json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "ReadPage", "Effect": "Allow", "Action": "s3:GetObject",
                "Resource": one_or_all(pages.collect())},
            {"Sid": "TellAbsentFromDenied", "Effect": "Allow", "Action": "s3:ListBucket",
             "Resource": one_or_all(buckets.into_iter().collect())},
            {"Sid": "WriteLogs", "Effect": "Allow",
             "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
             "Resource": one_or_all(groups)},
        ]})
    }
}

fn one_or_all(mut resources: Vec<String>) -> Value {
    if resources.len() == 1 { json!(resources.remove(0)) } else { json!(resources) }
}

fn resources(statement: &Value) -> Vec<String> {
    match statement.get("Resource") {
        Some(Value::Array(all)) => {
            all.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect()
        }
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Which object's existence is the switch of which bucket.
pub type Pages = BTreeMap<BucketName, ObjectKey>;

/// The pages that a policy of ours lets the function read: their existence is the switch.
#[must_use]
pub fn pages_in(policy: &Value) -> Vec<(BucketName, ObjectKey)> {
    let page = |resource: String| {
        let (bucket, key) = resource.strip_prefix("arn:aws:s3:::")?.split_once('/')?;
        Some((bucket.parse().ok()?, key.parse().ok()?))
    };
    policy::statements(policy).iter().flat_map(resources).filter_map(page).collect()
}
