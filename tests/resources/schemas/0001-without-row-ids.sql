-- Schema 1 as it was at first: a table without row ids.
CREATE TABLE IF NOT EXISTS resources (
    kind     TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    region   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    name_key TEXT    NOT NULL,
    arn      TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    created  REAL    NOT NULL,
    modified REAL    NOT NULL,
    version  INTEGER NOT NULL,
    spec     TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    tags     TEXT    NOT NULL,
    PRIMARY KEY (kind, account, region, name_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS resources_arn      ON resources (arn);
CREATE INDEX        IF NOT EXISTS resources_created  ON resources (kind, account, region, created);
CREATE INDEX        IF NOT EXISTS resources_modified ON resources (kind, account, region, modified);
CREATE INDEX        IF NOT EXISTS resources_status   ON resources (kind, status);
PRAGMA user_version = 1;
INSERT INTO resources VALUES ('Repository', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:ecr:us-east-1:123456789012:repository/digits', '', 1700000002.0, 1700000004.0, 2,
    '{"repositoryName":"digits"}',
    '{"Images":{"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd":{"MediaType":"application/vnd.docker.distribution.manifest.v2+json","PushedAt":1700000003.0}},"Tags":{"latest":"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}}',
    '{}');
INSERT INTO resources VALUES ('TrainingJob', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:training-job/digits', 'Failed', 1700000006.0, 1700000010.0, 3,
    '{"TrainingJobName":"digits","HyperParameters":{"quote":"it''s \"ü\""},"AlgorithmSpecification":{"TrainingImage":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","TrainingInputMode":"File"},"RoleArn":"arn:aws:iam::123456789012:role/service-role/Execution","InputDataConfig":[{"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://samples/digits/"}}}],"OutputDataConfig":{"S3OutputPath":"s3://samples/output"},"ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":10},"StoppingCondition":{"MaxRuntimeInSeconds":600}}',
    '{"ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","TrainingJobStatus":"Failed","SecondaryStatus":"Failed","SecondaryStatusTransitions":[{"Status":"Starting","StartTime":1700000006.0,"StatusMessage":"Starting the training job","EndTime":1700000007.0},{"Status":"Downloading","StartTime":1700000007.0,"StatusMessage":"Downloading input data","EndTime":1700000009.0},{"Status":"Failed","StartTime":1700000009.0,"StatusMessage":"It''s over.","EndTime":1700000009.0}],"FailureReason":"ClientError: it''s over\nü"}',
    '{"team":"ä-b"}');
INSERT INTO resources VALUES ('TrainingJob', '123456789012', 'us-east-1', 'Mixed-Case', 'mixed-case', 'arn:aws:sagemaker:us-east-1:123456789012:training-job/Mixed-Case', 'InProgress', 1700000012.0, 1700000012.0, 1,
    '{"TrainingJobName":"Mixed-Case","HyperParameters":{"epochs":"2"},"AlgorithmSpecification":{"TrainingImage":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","TrainingInputMode":"File"},"RoleArn":"arn:aws:iam::123456789012:role/service-role/Execution","InputDataConfig":[{"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://samples/digits/"}}}],"OutputDataConfig":{"S3OutputPath":"s3://samples/output"},"ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":10},"StoppingCondition":{"MaxRuntimeInSeconds":600}}',
    '{"ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","TrainingJobStatus":"InProgress","SecondaryStatus":"Starting","SecondaryStatusTransitions":[{"Status":"Starting","StartTime":1700000012.0,"StatusMessage":"Starting the training job"}]}',
    '{}');
INSERT INTO resources VALUES ('Model', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:model/digits', '', 1700000014.0, 1700000014.0, 1,
    '{"ModelName":"digits","PrimaryContainer":{"Image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","ModelDataUrl":"s3://samples/digits/model.tar.gz","Environment":{"LEVEL":"info"}},"ExecutionRoleArn":"arn:aws:iam::123456789012:role/service-role/Execution"}',
    '{}',
    '{}');
INSERT INTO resources VALUES ('EndpointConfig', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/digits', '', 1700000016.0, 1700000016.0, 1,
    '{"EndpointConfigName":"digits","ProductionVariants":[{"VariantName":"AllTraffic","ModelName":"digits","InstanceType":"ml.m5.large","InitialInstanceCount":1,"InitialVariantWeight":1.0}]}',
    '{}',
    '{}');
INSERT INTO resources VALUES ('Endpoint', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:endpoint/digits', 'InService', 1700000019.0, 1700000021.0, 2,
    '{"EndpointName":"digits","EndpointConfigName":"digits"}',
    '{"Wanted":{"EndpointConfigName":"digits","DeployedAt":1700000018.0,"Variants":[{"VariantName":"AllTraffic","ModelName":"digits","InstanceType":"ml.m5.large","InitialInstanceCount":1,"InitialVariantWeight":1.0,"StartupSeconds":null,"Containers":[{"Image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","Environment":{"LEVEL":"info"},"ModelDataUrl":"s3://samples/digits/model.tar.gz","ContainerHostname":null}],"EnableNetworkIsolation":false}]},"EndpointStatus":"InService"}',
    '{}');
INSERT INTO resources VALUES ('Session', '123456789012', 'global', 'ASIA123456789012YYZTEKWBAMDZQIFP', 'asia123456789012yyztekwbamdzqifp', 'arn:aws:sts:global:123456789012:session/ASIA123456789012YYZTEKWBAMDZQIFP', '', 1700000025.0, 1700000025.0, 1,
    '{"SessionName":"ASIA123456789012YYZTEKWBAMDZQIFP","Expiration":1700003623.0,"AssumedRoleId":"AROA123456789012EXECX:one","AssumedRoleArn":"arn:aws:sts::123456789012:assumed-role/Execution/one"}',
    '{}',
    '{}');
