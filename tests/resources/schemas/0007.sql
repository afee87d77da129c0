-- Schema 7.
CREATE TABLE resources (
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
    tags     TEXT    NOT NULL, parent TEXT, facts TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (kind, account, region, name_key)
) STRICT;
CREATE TABLE relations (
    source  TEXT NOT NULL,
    type    TEXT NOT NULL,
    target  TEXT NOT NULL,
    created REAL NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (source, type, target)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX resources_arn      ON resources (arn);
CREATE INDEX resources_created  ON resources (kind, account, region, created, name_key, name, status);
CREATE INDEX resources_modified ON resources (kind, account, region, modified, name_key, name, status);
CREATE INDEX resources_state    ON resources (kind, account, region, status, name_key, name, created);
CREATE INDEX resources_status   ON resources (kind, status);
CREATE INDEX resources_parent ON resources (parent) WHERE parent IS NOT NULL;
CREATE INDEX relations_target ON relations (target, type);
CREATE INDEX resources_name ON resources (kind, account, region, lower(name), name_key, name, status, created);
CREATE INDEX resources_spec_domain ON resources (kind, account, region, json_extract(spec, '$."DomainId"'), created, name_key)
    WHERE json_extract(spec, '$."DomainId"') IS NOT NULL;
CREATE INDEX resources_spec_endpoint ON resources (kind, account, region, json_extract(spec, '$."EndpointName"'), created, name_key)
    WHERE json_extract(spec, '$."EndpointName"') IS NOT NULL;
CREATE INDEX resources_spec_source ON resources (kind, account, region, json_extract(spec, '$."Source"."SourceUri"'), created, name_key)
    WHERE json_extract(spec, '$."Source"."SourceUri"') IS NOT NULL;
PRAGMA user_version = 7;
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('Repository', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:ecr:us-east-1:123456789012:repository/digits', '', 1700000002.0, 1700000004.0, 2,
    '{"repositoryName":"digits"}',
    '{}',
    '{}', NULL,
    '{}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('EcrImage', '123456789012', 'us-east-1', 'digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'image:arn:aws:ecr:us-east-1:123456789012:repository/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '', 1700000003.0, 1700000003.0, 1,
    '{}',
    '{}',
    '{}', 'arn:aws:ecr:us-east-1:123456789012:repository/digits',
    '{"MediaType":"application/vnd.docker.distribution.manifest.v2+json"}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('EcrTag', '123456789012', 'us-east-1', 'digits:latest', 'digits:latest', 'tag:arn:aws:ecr:us-east-1:123456789012:repository/digits:latest', '', 1700000002.0, 1700000002.0, 1,
    '{}',
    '{}',
    '{}', 'arn:aws:ecr:us-east-1:123456789012:repository/digits',
    '{"Digest":"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('TrainingJob', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:training-job/digits', 'Failed', 1700000006.0, 1700000010.0, 3,
    '{"TrainingJobName":"digits","HyperParameters":{"quote":"it''s \"ü\""},"AlgorithmSpecification":{"TrainingImage":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","TrainingInputMode":"File"},"RoleArn":"arn:aws:iam::123456789012:role/service-role/Execution","InputDataConfig":[{"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://samples/digits/"}}}],"OutputDataConfig":{"S3OutputPath":"s3://samples/output"},"ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":10},"StoppingCondition":{"MaxRuntimeInSeconds":600}}',
    '{"TrainingJobStatus":"Failed","SecondaryStatus":"Failed","SecondaryStatusTransitions":[{"Status":"Starting","StartTime":1700000006.0,"StatusMessage":"Starting the training job","EndTime":1700000007.0},{"Status":"Downloading","StartTime":1700000007.0,"StatusMessage":"Downloading input data","EndTime":1700000009.0},{"Status":"Failed","StartTime":1700000009.0,"StatusMessage":"It''s over.","EndTime":1700000009.0}],"FailureReason":"ClientError: it''s over\nü"}',
    '{"team":"ä-b"}', NULL,
    '{"ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('TrainingJob', '123456789012', 'us-east-1', 'Mixed-Case', 'mixed-case', 'arn:aws:sagemaker:us-east-1:123456789012:training-job/Mixed-Case', 'InProgress', 1700000012.0, 1700000012.0, 1,
    '{"TrainingJobName":"Mixed-Case","HyperParameters":{"epochs":"2"},"AlgorithmSpecification":{"TrainingImage":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","TrainingInputMode":"File"},"RoleArn":"arn:aws:iam::123456789012:role/service-role/Execution","InputDataConfig":[{"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://samples/digits/"}}}],"OutputDataConfig":{"S3OutputPath":"s3://samples/output"},"ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":10},"StoppingCondition":{"MaxRuntimeInSeconds":600}}',
    '{"TrainingJobStatus":"InProgress","SecondaryStatus":"Starting","SecondaryStatusTransitions":[{"Status":"Starting","StartTime":1700000012.0,"StatusMessage":"Starting the training job"}]}',
    '{}', NULL,
    '{"ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('Model', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:model/digits', '', 1700000014.0, 1700000014.0, 1,
    '{"ModelName":"digits","PrimaryContainer":{"Image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","ModelDataUrl":"s3://samples/digits/model.tar.gz","Environment":{"LEVEL":"info"}},"ExecutionRoleArn":"arn:aws:iam::123456789012:role/service-role/Execution"}',
    '{}',
    '{}', NULL,
    '{}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('EndpointConfig', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/digits', '', 1700000016.0, 1700000016.0, 1,
    '{"EndpointConfigName":"digits","ProductionVariants":[{"VariantName":"AllTraffic","ModelName":"digits","InstanceType":"ml.m5.large","InitialInstanceCount":1,"InitialVariantWeight":1.0}]}',
    '{}',
    '{}', NULL,
    '{}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('Endpoint', '123456789012', 'us-east-1', 'digits', 'digits', 'arn:aws:sagemaker:us-east-1:123456789012:endpoint/digits', 'InService', 1700000019.0, 1700000021.0, 2,
    '{"EndpointName":"digits","EndpointConfigName":"digits"}',
    '{"EndpointStatus":"InService"}',
    '{}', NULL,
    '{"Wanted":{"EndpointConfigName":"digits","DeployedAt":1700000018.0,"Variants":[{"VariantName":"AllTraffic","ModelName":"digits","InstanceType":"ml.m5.large","InitialInstanceCount":1,"InitialVariantWeight":1.0,"StartupSeconds":null,"Containers":[{"Image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest","ResolvedImage":"localhost:31200/digits@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","Environment":{"LEVEL":"info"},"ModelDataUrl":"s3://samples/digits/model.tar.gz","ContainerHostname":null}],"EnableNetworkIsolation":false}]}}');
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags, parent, facts) VALUES ('Session', '123456789012', 'global', 'ASIA123456789012YYZTEKWBAMDZQIFP', 'asia123456789012yyztekwbamdzqifp', 'arn:aws:sts:global:123456789012:session/ASIA123456789012YYZTEKWBAMDZQIFP', '', 1700000025.0, 1700000025.0, 1,
    '{"SessionName":"ASIA123456789012YYZTEKWBAMDZQIFP","Expiration":1700003623.0,"AssumedRoleId":"AROA123456789012EXECX:one","AssumedRoleArn":"arn:aws:sts::123456789012:assumed-role/Execution/one"}',
    '{}',
    '{}', NULL,
    '{}');

-- What is to be announced as events. A change of a resource is written here in its own transaction, so a crash loses none.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    type     TEXT NOT NULL,    -- 'change' of a resource, or 'event' that a client put
    document TEXT NOT NULL     -- JSON: the resource as it is after the change, or the event
) STRICT;

-- Only where a rule could match, but for alarms, which have actions of their own.
CREATE TRIGGER resources_created AFTER INSERT ON resources
WHEN NEW.kind IN ('TrainingJob', 'ProcessingJob', 'TransformJob', 'Endpoint', 'Model', 'ModelPackage', 'Image', 'ImageVersion')
    AND EXISTS (SELECT 1 FROM resources WHERE kind = 'EventRule' AND account = NEW.account AND region = NEW.region)
BEGIN
    INSERT INTO outbox (type, document) VALUES ('change', json_object(
        'kind', NEW.kind, 'account', NEW.account, 'region', NEW.region, 'name', NEW.name, 'arn', NEW.arn,
        'status', NEW.status, 'created', NEW.created, 'modified', NEW.modified, 'version', NEW.version,
        'spec', json(NEW.spec), 'state', json(NEW.state), 'tags', json(NEW.tags), 'parent', NEW.parent,
        'facts', json(NEW.facts)));
END;

CREATE TRIGGER resources_changed AFTER UPDATE ON resources
WHEN NEW.kind IN ('TrainingJob', 'ProcessingJob', 'TransformJob', 'Endpoint', 'ModelPackage', 'Image', 'ImageVersion', 'MetricAlarm')
    AND (NEW.status IS NOT OLD.status
        OR json_extract(NEW.state, '$.SecondaryStatus') IS NOT json_extract(OLD.state, '$.SecondaryStatus')
        OR json_extract(NEW.spec, '$.ModelApprovalStatus') IS NOT json_extract(OLD.spec, '$.ModelApprovalStatus'))
    AND (NEW.kind = 'MetricAlarm' OR EXISTS
        (SELECT 1 FROM resources WHERE kind = 'EventRule' AND account = NEW.account AND region = NEW.region))
BEGIN
    INSERT INTO outbox (type, document) VALUES ('change', json_object(
        'kind', NEW.kind, 'account', NEW.account, 'region', NEW.region, 'name', NEW.name, 'arn', NEW.arn,
        'status', NEW.status, 'created', NEW.created, 'modified', NEW.modified, 'version', NEW.version,
        'spec', json(NEW.spec), 'state', json(NEW.state), 'tags', json(NEW.tags), 'parent', NEW.parent,
        'facts', json(NEW.facts)));
END;

CREATE TRIGGER resources_deleted AFTER DELETE ON resources
WHEN OLD.kind = 'Model'
    AND EXISTS (SELECT 1 FROM resources WHERE kind = 'EventRule' AND account = OLD.account AND region = OLD.region)
BEGIN
    INSERT INTO outbox (type, document) VALUES ('change', json_object(
        'kind', OLD.kind, 'account', OLD.account, 'region', OLD.region, 'name', OLD.name, 'arn', OLD.arn,
        'status', OLD.status, 'created', OLD.created, 'modified', OLD.modified, 'version', OLD.version,
        'spec', json(OLD.spec), 'state', json(OLD.state), 'tags', json(OLD.tags), 'parent', OLD.parent,
        'facts', json(OLD.facts)));
END;
