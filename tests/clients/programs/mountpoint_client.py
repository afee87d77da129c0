"""The client of Mountpoint and of s3torchconnector, in Rust: what a PyTorch dataset reads. Argument: a bucket."""

import os
import sys

from s3torchconnectorclient._mountpoint_s3_client import MountpointS3Client, S3Exception

bucket = sys.argv[1]
client = MountpointS3Client(
    region=os.environ["AWS_DEFAULT_REGION"],
    user_agent_prefix="test",
    throughput_target_gbps=1.0,
    part_size=8 << 20,
    unsigned=False,
    force_path_style=True,
    endpoint=os.environ["AWS_ENDPOINT_URL"],
)
data = os.urandom(20 << 20)
with_stream = client.put_object(bucket, "samples/large.bin")
with_stream.write(data[: 3 << 20])
with_stream.write(data[3 << 20 :])
with_stream.close()
for number in range(12):
    stream = client.put_object(bucket, f"samples/{number:02}")
    stream.write(b"%d" % number)
    stream.close()

assert b"".join(client.get_object(bucket, "samples/large.bin")) == data
assert (
    b"".join(client.get_object(bucket, "samples/large.bin", start=9 << 20, end=(9 << 20) + 10)) == data[9 << 20 :][:10]
)
head = client.head_object(bucket, "samples/large.bin")
assert head.size == len(data)
keys = [one.key for page in client.list_objects(bucket, "samples/", max_keys=5) for one in page.object_info]
assert keys == [f"samples/{number:02}" for number in range(12)] + ["samples/large.bin"], keys
client.copy_object(bucket, "samples/03", bucket, "copied")
assert b"".join(client.get_object(bucket, "copied")) == b"3"
client.delete_object(bucket, "copied")
try:
    client.head_object(bucket, "copied")
except S3Exception as error:
    print(error)
else:
    raise AssertionError
