# What of moto cannot be mended from outside, and its start. `os` is there already (`emulator.rs`).
from moto.awslambda.models import LambdaStorage
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.server import main
from xml.etree import ElementTree

# It takes a condition that does not hold for a refusal: a Deny without TLS would deny everything.
FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL

# It loses the tags with which a bucket is made.
put_bucket = S3Response._bucket_response_put


def put_tagged_bucket(self, request, bucket_name, querystring):
    answer = put_bucket(self, request, bucket_name, querystring)
    if b"<CreateBucketConfiguration" in self.body:
        tags = ElementTree.fromstring(self.body).iterfind(".//{*}Tag")
        tags = {tag.findtext("{*}Key"): tag.findtext("{*}Value") for tag in tags}
        self.backend.put_bucket_tagging(bucket_name, tags)
    return answer


S3Response._bucket_response_put = put_tagged_bucket

# It counts the versions that are left, and so gives a number twice.
publish = LambdaStorage.publish_version


def publish_once(self, name_or_arn, description=""):
    name = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn).function_name
    known = list(self._functions[name]["versions"])
    version = publish(self, name_or_arn, description)
    if version not in known:
        self._arns.pop(version.function_arn)
        for held in known:
            self._arns[held.function_arn] = held
        last = self.__dict__.setdefault("last", {})
        last[name] = last.get(name, 0) + 1
        version.set_version(last[name])
        self._arns[version.function_arn] = version
    return version


LambdaStorage.publish_version = publish_once

main(["-H", "127.0.0.1", "-p", os.environ["MOTO_PORT"]])
