// From data to predictions with the AWS SDK for JavaScript, version 3. Arguments: the image, and the role.
import assert from "node:assert/strict";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand, CreateEndpointConfigCommand, CreateModelCommand, CreateTrainingJobCommand,
  DeleteEndpointCommand, DeleteEndpointConfigCommand, DeleteModelCommand, DescribeTrainingJobCommand,
  SageMakerClient, waitUntilEndpointDeleted, waitUntilEndpointInService, waitUntilTrainingJobCompletedOrStopped,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";

const [image, RoleArn] = process.argv.slice(2);
const name = "javascript";
const Bucket = `${name}-data`;
const region = process.env.AWS_DEFAULT_REGION;
const s3 = new S3Client({ region, forcePathStyle: true });
const client = new SageMakerClient({ region });
const runtime = new SageMakerRuntimeClient({ region });
const often = { client, minDelay: 1, maxDelay: 2, maxWaitTime: 240 };

await s3.send(new CreateBucketCommand({ Bucket }));
await s3.send(new PutObjectCommand({ Bucket, Key: "training/numbers.csv", Body: "1\n2\n6\n" }));
await client.send(new CreateTrainingJobCommand({
  TrainingJobName: name,
  RoleArn,
  AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
  HyperParameters: { factor: "2" },
  InputDataConfig: [{
    ChannelName: "training",
    DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${Bucket}/training` } },
  }],
  OutputDataConfig: { S3OutputPath: `s3://${Bucket}/models` },
  ResourceConfig: { InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 5 },
  StoppingCondition: { MaxRuntimeInSeconds: 600 },
}));
await waitUntilTrainingJobCompletedOrStopped(often, { TrainingJobName: name });
const job = await client.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
assert.equal(job.TrainingJobStatus, "Completed");
assert.ok(job.TrainingEndTime instanceof Date);

const PrimaryContainer = { Image: image, ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts };
await client.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn: RoleArn, PrimaryContainer }));
const variant = { VariantName: "all", ModelName: name, InstanceType: "ml.m5.large", InitialInstanceCount: 1 };
await client.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
await client.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
await waitUntilEndpointInService(often, { EndpointName: name });
const request = { EndpointName: name, ContentType: "application/json", Body: JSON.stringify([1, 10]) };
const answer = await runtime.send(new InvokeEndpointCommand(request));
assert.deepEqual(JSON.parse(Buffer.from(answer.Body).toString()), [6, 60]);

await client.send(new DeleteEndpointCommand({ EndpointName: name }));
await waitUntilEndpointDeleted(often, { EndpointName: name });
await client.send(new DeleteEndpointConfigCommand({ EndpointConfigName: name }));
await client.send(new DeleteModelCommand({ ModelName: name }));
