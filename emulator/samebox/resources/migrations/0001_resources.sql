-- One table holds every resource of every kind: what was asked for (spec) and what became of it (state).
CREATE TABLE IF NOT EXISTS resources (
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
-- Each index holds what lists filter by, so that only the rows of the page are read.
CREATE UNIQUE INDEX IF NOT EXISTS resources_arn      ON resources (arn);
CREATE INDEX        IF NOT EXISTS resources_created  ON resources (kind, account, region, created, name_key, name, status);
CREATE INDEX        IF NOT EXISTS resources_modified ON resources (kind, account, region, modified, name_key, name, status);
CREATE INDEX        IF NOT EXISTS resources_name     ON resources (kind, account, region, name_key, name, status, created);
CREATE INDEX        IF NOT EXISTS resources_state    ON resources (kind, account, region, status, name_key, name, created);
CREATE INDEX        IF NOT EXISTS resources_status   ON resources (kind, status);
