// The AWS SDK for JavaScript, version 3. Argument: a bucket.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand,
  S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const Bucket = process.argv[2];
// Without forcePathStyle a bucket is a host's name, bucket.localhost, which not every resolver knows.
const s3 = new S3Client({ region: process.env.AWS_DEFAULT_REGION, forcePathStyle: true });
const code = async (command) => {
  try { await s3.send(command); } catch (error) { return error.name; }
  throw new Error("it succeeded");
};

await s3.send(new PutObjectCommand({ Bucket, Key: "small ü.txt", Body: "hello", Metadata: { a: "b" } }));
let got = await s3.send(new GetObjectCommand({ Bucket, Key: "small ü.txt", ChecksumMode: "ENABLED" }));
assert.equal(await got.Body.transformToString(), "hello");
assert.deepEqual(got.Metadata, { a: "b" });
assert.ok(got.ChecksumCRC32);

const data = randomBytes(13 << 20);
const upload = new Upload({ client: s3, params: { Bucket, Key: "large.bin", Body: Readable.from([data]) } });
await upload.done();
got = await s3.send(new GetObjectCommand({ Bucket, Key: "large.bin" }));
assert.ok(Buffer.from(await got.Body.transformToByteArray()).equals(data));
got = await s3.send(new GetObjectCommand({ Bucket, Key: "large.bin", Range: "bytes=100-199" }));
assert.ok(Buffer.from(await got.Body.transformToByteArray()).equals(data.subarray(100, 200)));
for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
  await s3.send(new PutObjectCommand({ Bucket, Key: `sums/${ChecksumAlgorithm}`, Body: data, ChecksumAlgorithm }));
}

await s3.send(new CopyObjectCommand({ Bucket, Key: "copy/large.bin", CopySource: `${Bucket}/large.bin` }));
const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "copy/large.bin" }));
assert.equal(head.ContentLength, data.length);
assert.equal(await code(new GetObjectCommand({ Bucket, Key: "none" })), "NoSuchKey");
assert.equal(await code(new HeadObjectCommand({ Bucket, Key: "none" })), "NotFound");
assert.equal(await code(new PutObjectCommand({ Bucket, Key: "large.bin", Body: "x", IfNoneMatch: "*" })), "PreconditionFailed");

for (let n = 0; n < 12; n++) await s3.send(new PutObjectCommand({ Bucket, Key: `many/${n}/x`, Body: `${n}` }));
const keys = [];
for await (const page of paginateListObjectsV2({ client: s3, pageSize: 5 }, { Bucket, Prefix: "many/" })) {
  keys.push(...page.Contents.map((one) => one.Key));
}
assert.equal(keys.length, 12);
const folders = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
assert.deepEqual(folders.CommonPrefixes.map((one) => one.Prefix), ["copy/", "many/", "sums/"]);

const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "small ü.txt" }), { expiresIn: 60 });
assert.equal(await (await fetch(url)).text(), "hello");
const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
assert.equal(gone.Deleted.length, 12);
