-- Grants, what was issued for them, and the browsers and clients on the way
-- there. Hashes are SHA-256. What belongs to a grant goes with it.

-- +goose Up
CREATE TABLE grants (
    id                 TEXT    PRIMARY KEY NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('pending', 'active')),
    user_id            TEXT    NOT NULL,
    login_name         TEXT    NOT NULL,
    display_name       TEXT    NOT NULL,
    issuer             TEXT    NOT NULL,
    subject            TEXT    NOT NULL,
    method             TEXT    NOT NULL,
    client_id          TEXT    NOT NULL,
    client_name        TEXT    NOT NULL,
    client_uri         TEXT    NOT NULL,
    client_kind        TEXT    NOT NULL,
    redirect_host      TEXT    NOT NULL,
    scopes             TEXT    NOT NULL,
    policy             TEXT    NOT NULL,
    credential_kind    TEXT    NOT NULL,
    credential_secret  BLOB,
    credential_host    TEXT    NOT NULL,
    credential_version INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    last_used_at       INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX grants_active ON grants (user_id, client_id) WHERE state = 'active';
CREATE INDEX grants_person ON grants (user_id, client_id);
CREATE INDEX grants_client ON grants (client_id);
CREATE INDEX grants_pending ON grants (created_at) WHERE state = 'pending';
CREATE INDEX grants_expiry ON grants (expires_at) WHERE expires_at > 0;
CREATE INDEX grants_use ON grants (last_used_at, created_at);

-- A used code is kept for a while, with the family that it began.
CREATE TABLE codes (
    hash           BLOB    PRIMARY KEY NOT NULL,
    grant_id       TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    client_id      TEXT    NOT NULL,
    redirect_uri   TEXT    NOT NULL,
    code_challenge TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    scopes         TEXT    NOT NULL,
    expires_at     INTEGER NOT NULL,
    family_id      BLOB
) STRICT;

CREATE INDEX codes_grant ON codes (grant_id);
CREATE INDEX codes_expiry ON codes (expires_at);

-- One row for a line of refresh tokens: the current one, the one it replaced,
-- and the one that a retry with the replaced one replaced in its turn.
CREATE TABLE families (
    id          BLOB    PRIMARY KEY NOT NULL,
    grant_id    TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    client_id   TEXT    NOT NULL,
    resource    TEXT    NOT NULL,
    scopes      TEXT    NOT NULL,
    refresh     BLOB,
    replaced    BLOB,
    replaced_at INTEGER NOT NULL,
    raced       BLOB,
    raced_at    INTEGER NOT NULL,
    retries     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX families_grant ON families (grant_id);
CREATE INDEX families_expiry ON families (expires_at);

CREATE TABLE access_tokens (
    hash       BLOB    PRIMARY KEY NOT NULL,
    family_id  BLOB    NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    scopes     TEXT, -- NULL for those of the family
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX access_tokens_family ON access_tokens (family_id);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);

-- MCP clients that registered themselves. The lists are JSON.
CREATE TABLE clients (
    id               TEXT    PRIMARY KEY NOT NULL,
    name             TEXT    NOT NULL,
    uri              TEXT    NOT NULL,
    application_type TEXT    NOT NULL,
    redirect_uris    TEXT    NOT NULL,
    grant_types      TEXT    NOT NULL,
    auth_method      TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    secret           BLOB,
    registration     BLOB,
    created_at       INTEGER NOT NULL,
    last_used_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX clients_use ON clients ((coalesce(nullif(last_used_at, 0), created_at)));

CREATE TABLE flows (
    kind       TEXT    NOT NULL,
    flow_key   BLOB    NOT NULL,
    payload    BLOB,
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, flow_key)
) STRICT;

CREATE INDEX flows_expiry ON flows (expires_at);

CREATE TABLE browser_sessions (
    id           BLOB    PRIMARY KEY NOT NULL,
    user_id      TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX browser_sessions_person ON browser_sessions (user_id);
CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at);

-- App passwords that Nextcloud still has to be told to delete.
CREATE TABLE revocations (
    id         TEXT    PRIMARY KEY NOT NULL,
    host       TEXT    NOT NULL,
    login_name TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    password   BLOB,
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_due ON revocations (due_at);

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    user_id     TEXT    NOT NULL,
    grant_id    TEXT    NOT NULL,
    client_name TEXT    NOT NULL,
    tool        TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    outcome     TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_person ON audit (user_id, at, id);
CREATE INDEX audit_age ON audit (at);

CREATE TABLE account (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    host       TEXT    NOT NULL,
    login_name TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    password   BLOB,
    created_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE account;
DROP TABLE audit;
DROP TABLE revocations;
DROP TABLE browser_sessions;
DROP TABLE flows;
DROP TABLE clients;
DROP TABLE access_tokens;
DROP TABLE families;
DROP TABLE codes;
DROP TABLE grants;
