-- What a resource is part of, and how resources are related to each other.
ALTER TABLE resources ADD COLUMN parent TEXT;    -- ARN of the resource that this one is part of, or NULL
CREATE INDEX resources_parent ON resources (parent) WHERE parent IS NOT NULL;

CREATE TABLE relations (
    source  TEXT NOT NULL,    -- ARN
    type    TEXT NOT NULL,    -- what the source is to the target
    target  TEXT NOT NULL,    -- ARN
    created REAL NOT NULL,    -- epoch seconds
    data    TEXT NOT NULL,    -- JSON: what else is known of it
    PRIMARY KEY (source, type, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX relations_target ON relations (target, type);

-- Names are sorted without regard to case; of some kinds several resources have the same name.
DROP INDEX resources_name;
CREATE INDEX resources_name ON resources (kind, account, region, lower(name), name_key, name, status, created);

-- Members that lists filter by, where there are many rows. query.py has the list.
CREATE INDEX resources_spec_domain ON resources (kind, account, region, json_extract(spec, '$."DomainId"'), created, name_key)
    WHERE json_extract(spec, '$."DomainId"') IS NOT NULL;
CREATE INDEX resources_spec_endpoint ON resources (kind, account, region, json_extract(spec, '$."EndpointName"'), created, name_key)
    WHERE json_extract(spec, '$."EndpointName"') IS NOT NULL;
CREATE INDEX resources_spec_source ON resources (kind, account, region, json_extract(spec, '$."Source"."SourceUri"'), created, name_key)
    WHERE json_extract(spec, '$."Source"."SourceUri"') IS NOT NULL;
