-- A deleted service account can come back for a while, and another may be created with its address: what
-- is one account is its unique id.
ALTER TABLE service_account RENAME TO service_account_by_email;

CREATE TABLE service_account (
    unique_id    TEXT    NOT NULL PRIMARY KEY,
    email        TEXT    NOT NULL,          -- in lower case: addresses are compared without case
    project      TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    disabled     BOOLEAN NOT NULL,
    created      BIGINT  NOT NULL,
    updated      BIGINT  NOT NULL,          -- optimistic concurrency compares this
    deleted      BIGINT                     -- null while the account is there
);

INSERT INTO service_account
    (unique_id, email, project, display_name, description, disabled, created, updated, deleted)
SELECT unique_id, email, project, display_name, '', disabled, created, created, NULL
FROM service_account_by_email;

DROP TABLE service_account_by_email;

-- Only what is there counts, so that an address is free again once its account is deleted.
CREATE UNIQUE INDEX service_account_email ON service_account (email) WHERE deleted IS NULL;

CREATE INDEX service_account_project ON service_account (project, email);
