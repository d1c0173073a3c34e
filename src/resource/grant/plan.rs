//! What the bucket policy needs.

use super::{Op, Reader, parted, tls_only, wanted};
use crate::change::{Address, Conflict, Kind, Notice};
use crate::name::{AccountId, BucketName, DistributionId};
use crate::resource::policy;
use serde_json::Value;

/// Is the bucket there before this plan?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketIs {
    There,
    /// This plan makes it.
    New,
}

/// Plans our statements for a stack with a distribution of its own. `to` is the live one; `None`:
/// it comes to be in the same plan. None may read what is `hidden`.
#[must_use]
pub fn plan(
    account: &AccountId,
    (bucket, hidden): (&BucketName, &[String]),
    to: Option<&DistributionId>,
    live: Option<&Value>,
    is: BucketIs,
) -> Option<Op> {
    let reader = to.map_or(Reader::New, |id| Reader::Known(id.arn(account)));
    put((bucket, hidden), reader, live, is)
}

/// The same for a stack without one: nobody reads through CloudFront by our statement.
#[must_use]
pub fn without_reader(
    bucket: (&BucketName, &[String]),
    live: Option<&Value>,
    is: BucketIs,
) -> Option<Op> {
    put(bucket, Reader::Nobody, live, is)
}

fn put(
    (bucket, hidden): (&BucketName, &[String]),
    reader: Reader,
    live: Option<&Value>,
    is: BucketIs,
) -> Option<Op> {
    let seen = parted(live).0;
    let wanted = wanted(bucket, reader.shown(), hidden, live);
    let intact = seen.len() == wanted.len() && policy::changes("", &seen, &wanted).is_empty();
    (!intact).then(|| Op::Put {
        before: live.cloned(),
        reader,
        hidden: hidden.to_vec(),
        new: is == BucketIs::New,
    })
}

/// Plans the end of our statements in a bucket that stays.
#[must_use]
pub fn teardown(live: Option<&Value>) -> Option<Op> {
    let before = live.filter(|live| super::exists(Some(live)))?;
    Some(Op::Remove { before: before.clone() })
}

/// A distribution beside `own` that reads the bucket by our statement, which is to change.
#[must_use]
pub fn shared(
    bucket: &BucketName,
    own: Option<&DistributionId>,
    live: Option<&Value>,
    reads: impl Fn(&DistributionId) -> bool,
) -> Option<Conflict> {
    let other = super::readers(live).into_iter().find(|id| Some(id) != own && reads(id))?;
    Some(Conflict {
        address: Address::new(Kind::Grant, bucket),
        reason: format!(
            "distribution {other} reads the bucket by our statement `{}`, and would lose that",
            super::SID
        ),
        hint: format!(
            "give {other} a statement of its own in the bucket policy, or take its origin out"
        ),
    })
}

/// A statement of others that lets everybody in. The public access block, which an apply turns on,
/// takes that away, and makes S3 refuse to write the policy again while it is in it (docs/aws.md,
/// "public policies").
#[must_use]
pub fn public(bucket: &BucketName, live: Option<&Value>) -> Option<Conflict> {
    let others = parted(live).1;
    let statement = others.iter().find(|statement| policy::is_public(statement))?;
    Some(Conflict {
        address: Address::new(Kind::Grant, bucket),
        reason: format!(
            "another owner's statement lets everybody in, which a stack's public access block takes \
                away, and with which S3 then refuses the policy: {}",
            short(&policy::show(statement))
        ),
        hint:
            "take that statement out, once nobody needs it (CloudFront reads by ours), or choose \
            another `bucket.name`"
                .into(),
    })
}

/// What others' statements in the policy of our bucket let in, or may keep out.
#[must_use]
pub fn notices(bucket: &BucketName, live: Option<&Value>) -> Vec<Notice> {
    let tls_only = tls_only(bucket);
    let notice = |text| Notice { address: Address::new(Kind::Grant, bucket), text };
    let others = parted(live)
        .1
        .into_iter()
        .filter(|statement| !policy::same_statement(statement, &tls_only));
    let told =
        others.filter_map(|statement| match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Some(format!(
                "another owner's statement: \
            {}",
                short(&policy::show(&statement))
            )),
            Some("Deny") if policy::concerns(&statement, "s3:GetObject") => {
                let shown = short(&policy::show(&statement));
                Some(format!(
                    "another owner's statement may keep CloudFront or the edge function out: \
                {shown}"
                ))
            }
            _ => None,
        });
    told.map(notice).collect()
}

fn short(text: &str) -> String {
    const MOST: usize = 160;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        HIDDEN_SID, SID, TLS_SID, distribution, hidden, simulate, statement, with_statements,
    };
    use super::*;
    use serde_json::json;

    fn bucket() -> BucketName {
        "shop-1".parse().unwrap()
    }

    fn account() -> AccountId {
        "123456789012".parse().unwrap()
    }

    fn reader() -> DistributionId {
        "E2ABCDEF0123".parse().unwrap()
    }

    fn ours() -> Vec<Value> {
        let read = statement(&bucket(), &account(), &reader());
        vec![read, hidden(&bucket(), &keys()), tls_only(&bucket())]
    }

    fn keys() -> Vec<String> {
        vec![".provision/*".into(), "m.html".into()]
    }

    fn theirs() -> Value {
        json!({"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
            "Resource": "*"})
    }

    fn policy(statements: Vec<Value>) -> Value {
        Value::Object(
            [
                ("Version".into(), json!("2012-10-17")),
                ("Statement".into(), Value::Array(statements)),
            ]
            .into_iter()
            .collect(),
        )
    }

    fn planned(live: Option<&Value>) -> Option<Op> {
        plan(&account(), (&bucket(), &keys()), Some(&reader()), live, BucketIs::There)
    }

    /// What the op leaves; the next plan has nothing to do.
    fn carried_out(live: Option<&Value>) -> Vec<Value> {
        let op = planned(live).unwrap_or_else(|| panic!("nothing is planned: {live:?}"));
        let after = simulate::simulate(&bucket(), live, &op, &account(), None).unwrap();
        assert_eq!(planned(after.as_ref()), None, "{after:?}");
        after.as_ref().map(policy::statements).unwrap_or_default()
    }

    #[test]
    fn each_element_of_each_statement_is_repaired_and_others_stay() {
        let good = policy([vec![theirs()], ours()].concat());
        assert_eq!(planned(Some(&good)), None);
        assert_eq!(distribution(Some(&good)), Some(reader()));
        for number in [0, 1, 2] {
            for (element, value) in ours()[number].as_object().unwrap() {
                // Without its label it is another owner's.
                if element == "Sid" {
                    continue;
                }
                let others = [
                    json!("Allow"),
                    json!("Deny"),
                    json!({"AWS": "arn:aws:iam::1:root"}),
                    json!("s3:Get*"),
                    json!({}),
                    Value::Null,
                ];
                for other in others.iter().filter(|other| *other != value) {
                    let mut statements = ours();
                    statements[number][element] = other.clone();
                    let live = policy([vec![theirs()], statements].concat());
                    assert_eq!(
                        carried_out(Some(&live)),
                        [vec![theirs()], ours()].concat(),
                        "{element} {other}"
                    );
                }
            }
            let mut statements = ours();
            statements.remove(number);
            assert_eq!(carried_out(Some(&policy(statements))), ours());
        }
        assert_eq!(carried_out(None), ours());
        assert_eq!(carried_out(Some(&json!(true))), ours(), "what is no policy is no obstacle");
        assert_eq!(
            policy::statements(&with_statements(Some(&good), Vec::new()).unwrap()),
            [theirs()]
        );
        assert_eq!(with_statements(Some(&policy(ours())), Vec::new()), None);
        assert_eq!(
            [SID, HIDDEN_SID, TLS_SID],
            [0, 1, 2].map(|number| ours()[number]["Sid"].as_str().unwrap().to_owned())
        );
    }

    #[test]
    fn a_stack_without_a_distribution_denies_plain_http_and_lets_nobody_read() {
        let alone = |live: Option<&Value>| without_reader((&bucket(), &[]), live, BucketIs::There);
        let after = |live: Option<&Value>| {
            let after =
                simulate::simulate(&bucket(), live, &alone(live).unwrap(), &account(), None)
                    .unwrap();
            assert_eq!(alone(after.as_ref()), None);
            after.as_ref().map(policy::statements).unwrap_or_default()
        };
        assert_eq!(after(None), [tls_only(&bucket())]);
        assert_eq!(
            after(Some(&policy([vec![theirs()], ours()].concat()))),
            [theirs(), tls_only(&bucket())]
        );
    }

    /// As the CDK writes it; recorded live.
    #[test]
    fn somebody_elses_statement_against_plain_http_does_as_well() {
        let mut cdk = tls_only(&bucket());
        (cdk["Sid"], cdk["Principal"]) = (json!("DenyInsecureTransport"), json!({"AWS": "*"}));
        let [read, hidden, _] = ours().try_into().unwrap();
        assert_eq!(
            carried_out(Some(&policy(vec![cdk.clone()]))),
            [cdk.clone(), read.clone(), hidden]
        );
        assert_eq!(
            planned(Some(&policy([vec![cdk.clone()], ours()].concat()))),
            None,
            "ours came first and stays"
        );
        assert_eq!(
            without_reader((&bucket(), &[]), Some(&policy(vec![cdk.clone()])), BucketIs::There),
            None
        );
        cdk["Resource"] = json!(bucket().arn());
        assert_eq!(
            carried_out(Some(&policy(vec![cdk.clone(), read]))),
            [vec![cdk], ours()].concat(),
            "that one does less"
        );
    }

    #[test]
    fn what_others_let_in_or_keep_out_is_told() {
        let told = |statement: Value| {
            let live = policy([vec![statement], ours()].concat());
            notices(&bucket(), Some(&live))
                .into_iter()
                .map(|notice| notice.text)
                .collect::<Vec<_>>()
        };
        let allow = json!({"Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "s3:*",
            "Resource": "x"});
        assert_eq!(
            told(allow),
            ["another owner's statement: Allow s3:* to arn:aws:iam::999999999999:root on x"]
        );
        assert_eq!(told(theirs()), Vec::<String>::new());
        for action in [json!("s3:*"), json!(["s3:PutObject", "S3:Get*"]), json!("*")] {
            let deny =
                json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "x"});
            assert!(
                told(deny)[0].starts_with("another owner's statement may keep CloudFront"),
                "{action}"
            );
        }
        let long = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": "ü".repeat(500)});
        assert!(told(long)[0].chars().count() < 200);
    }
}
