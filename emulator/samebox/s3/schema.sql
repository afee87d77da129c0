-- The index of the objects: what there is of each bucket, key, version and upload, and where the bytes are.
CREATE TABLE buckets (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    account     TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    created     REAL    NOT NULL,            -- epoch seconds, as all times
    versioning  TEXT    NOT NULL,            -- '', Enabled, Suspended
    object_lock INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (                      -- policy, lifecycle, CORS …: texts of the protocol's
    bucket INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    text   TEXT    NOT NULL,
    PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE versions (                      -- of each key, the newest first
    bucket    INTEGER NOT NULL,
    key       BLOB    NOT NULL,              -- UTF-8, so that the order of bytes is S3's order
    age       INTEGER NOT NULL,              -- minus the nanoseconds of its writing: ascends with age
    version   TEXT    NOT NULL,              -- 'null' where versioning was not enabled
    latest    INTEGER NOT NULL,
    marker    INTEGER NOT NULL,              -- a delete marker
    modified  REAL    NOT NULL,
    size      INTEGER NOT NULL,
    etag      TEXT    NOT NULL,
    class     TEXT    NOT NULL,              -- storage class
    checksums TEXT    NOT NULL,              -- JSON: {algorithm: base64}, or ''
    checksum_type TEXT NOT NULL,
    body      INTEGER,                       -- NULL: no bytes
    layout    INTEGER,                       -- of an object that came in parts
    parts     INTEGER NOT NULL,
    facts     TEXT    NOT NULL,              -- JSON: headers, metadata, tags, ACL, locks, where they are not empty
    PRIMARY KEY (bucket, key, age)
) STRICT, WITHOUT ROWID;
-- What ListObjects lists; old versions and deleted keys cost it nothing.
CREATE UNIQUE INDEX versions_current ON versions (bucket, key) WHERE latest = 1 AND marker = 0;
-- The one 'null' version of a key, where it is not the latest.
CREATE UNIQUE INDEX versions_null ON versions (bucket, key) WHERE version = 'null' AND latest = 0;

CREATE TABLE bodies (
    id   INTEGER PRIMARY KEY,                -- its file's name, where it has one
    kind TEXT    NOT NULL,                   -- inline: in `data`; file: files/…; pieces: of other bodies
    size INTEGER NOT NULL,
    uses INTEGER NOT NULL,                   -- by versions, parts and pieces; at 0 it goes
    data BLOB
) STRICT;

CREATE TABLE pieces (                        -- an object that came in parts is not written again as one
    body   INTEGER NOT NULL,
    start  INTEGER NOT NULL,                 -- in this body
    source INTEGER NOT NULL,                 -- a body that is inline or a file
    first  INTEGER NOT NULL,                 -- in the source
    size   INTEGER NOT NULL,
    PRIMARY KEY (body, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE garbage (body INTEGER PRIMARY KEY) STRICT;  -- files to remove: their rows are gone already

CREATE TABLE uploads (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,  -- never again, because layouts outlive uploads
    bucket    INTEGER NOT NULL,
    key       BLOB    NOT NULL,
    name      TEXT    NOT NULL UNIQUE,       -- the UploadId
    initiated REAL    NOT NULL,
    algorithm TEXT    NOT NULL,
    checksum_type TEXT NOT NULL,
    class     TEXT    NOT NULL,
    facts     TEXT    NOT NULL,
    completed REAL,                          -- kept for a while, for a client that asks again
    answer    TEXT                           -- JSON: what Complete answered
) STRICT;
CREATE INDEX uploads_open      ON uploads (bucket, key, id) WHERE completed IS NULL;
CREATE INDEX uploads_completed ON uploads (completed) WHERE completed IS NOT NULL;

CREATE TABLE parts (                         -- of open uploads; 0 holds the file in which parts are gathered
    upload    INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    body      INTEGER,
    size      INTEGER NOT NULL,
    etag      TEXT    NOT NULL,
    modified  REAL    NOT NULL,
    checksums TEXT    NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE layouts (                       -- of objects that came in parts: where each part is
    layout    INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    start     INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    checksums TEXT    NOT NULL,
    PRIMARY KEY (layout, number)
) STRICT, WITHOUT ROWID;
