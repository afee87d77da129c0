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
