-- What does groundrun keep?
--
-- One dialect that SQLite and PostgreSQL both take: BIGINT, TEXT, BYTEA, BOOLEAN, partial indexes.
-- Every moment is in microseconds since the Unix epoch, UTC: the resolution that the API shows, and an
-- order that needs no parsing.

-- Resources of every kind. What a query looks for is a column; the rest is JSON, so that a new field or
-- a new kind needs no migration.
CREATE TABLE resource (
    uid        TEXT   NOT NULL PRIMARY KEY, -- two lives of one name differ in nothing else
    kind       TEXT   NOT NULL,
    project    TEXT   NOT NULL,             -- the id, never the number: one project has one spelling here
    location   TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    parent     TEXT,                        -- short name of the owner, in the same project and location
    generation BIGINT NOT NULL,             -- counts accepted changes of the specification
    version    BIGINT NOT NULL,             -- optimistic concurrency compares this
    created    BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    deleted    BIGINT,                      -- null while the resource is there
    spec       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    meta       TEXT   NOT NULL
);

-- The database decides who created a name first. Only what is there counts, so that a name is free
-- again once its resource is deleted.
CREATE UNIQUE INDEX resource_name ON resource (kind, project, location, name) WHERE deleted IS NULL;

-- Lists are newest first and are read page by page: each page is one range of this index.
CREATE INDEX resource_newest ON resource (kind, project, location, created DESC, name DESC);

-- The revisions of one service are listed far more often than those of a whole region.
CREATE INDEX resource_children ON resource (kind, project, location, parent, created DESC, name DESC);

-- IAM policies, by the full name of what they protect. Apart from the resource, because a project has
-- one too, and because changing a policy must not move the version of the resource.
CREATE TABLE policy (
    resource TEXT   NOT NULL PRIMARY KEY,
    etag     BYTEA  NOT NULL,               -- optimistic concurrency compares this
    policy   TEXT   NOT NULL,
    updated  BIGINT NOT NULL
);

-- Projects that have been named. The number is unique because callers may name a project by it.
CREATE TABLE project (
    id     TEXT   NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE
);

-- Service accounts. The unique id is unique because a token without an email names its caller by it.
CREATE TABLE service_account (
    email        TEXT    NOT NULL PRIMARY KEY, -- in lower case: addresses are compared without case
    project      TEXT    NOT NULL,
    unique_id    TEXT    NOT NULL UNIQUE,
    display_name TEXT    NOT NULL,
    disabled     BOOLEAN NOT NULL,
    created      BIGINT  NOT NULL
);

CREATE INDEX service_account_project ON service_account (project, email);
