-- Early files have a table without row ids, and indexes of the same names with fewer columns. From here on all are alike.
DROP INDEX IF EXISTS resources_arn;
DROP INDEX IF EXISTS resources_created;
DROP INDEX IF EXISTS resources_modified;
DROP INDEX IF EXISTS resources_name;
DROP INDEX IF EXISTS resources_state;
DROP INDEX IF EXISTS resources_status;
ALTER TABLE resources RENAME TO resources_before;
CREATE TABLE resources (
    kind     TEXT    NOT NULL,           -- noun of the Kind, e.g. TrainingJob
    account  TEXT    NOT NULL,
    region   TEXT    NOT NULL,
    name     TEXT    NOT NULL,           -- as given, case preserved
    name_key TEXT    NOT NULL,           -- the name as uniqueness sees it: lower-cased where AWS ignores case
    arn      TEXT    NOT NULL,
    status   TEXT    NOT NULL,           -- '' for kinds that have no lifecycle
    created  REAL    NOT NULL,           -- epoch seconds
    modified REAL    NOT NULL,
    version  INTEGER NOT NULL,           -- counts up with each change; an update names the version it read
    spec     TEXT    NOT NULL,           -- JSON: the request as accepted
    state    TEXT    NOT NULL,           -- JSON: what we learned since
    tags     TEXT    NOT NULL,           -- JSON: {key: value}
    PRIMARY KEY (kind, account, region, name_key)
) STRICT;
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags)
    SELECT kind, account, region, name, name_key, arn, status, created, modified, version, spec, state, tags
    FROM resources_before;
DROP TABLE resources_before;
-- Each index holds what lists filter by, so that only the rows of the page are read.
CREATE UNIQUE INDEX resources_arn      ON resources (arn);
CREATE INDEX        resources_created  ON resources (kind, account, region, created, name_key, name, status);
CREATE INDEX        resources_modified ON resources (kind, account, region, modified, name_key, name, status);
CREATE INDEX        resources_name     ON resources (kind, account, region, name_key, name, status, created);
CREATE INDEX        resources_state    ON resources (kind, account, region, status, name_key, name, created);
CREATE INDEX        resources_status   ON resources (kind, status);
