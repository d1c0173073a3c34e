"""The handler that an article on maintenance windows proposes, in our words: what users would copy.

A read of S3 in front of every request; what is not a `ClientError` reaches CloudFront.
"""

import boto3
from botocore.exceptions import ClientError

BUCKET = "demo"


def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    try:
        page = boto3.resource("s3").Object(BUCKET, "maintenance-on.html").get()["Body"].read()
    except ClientError:
        return request
    return {
        "status": "200",
        "statusDescription": "OK",
        "headers": {"content-type": [{"key": "Content-Type", "value": "text/html"}]},
        "body": page,
    }
