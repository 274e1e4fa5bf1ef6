-- Times are Unix milliseconds; 0 means never or not known.

-- +goose Up
CREATE TABLE key_check (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    value      BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE oauth_clients (
    provider            TEXT    NOT NULL,
    client_id           TEXT    NOT NULL,
    secret              BLOB,
    issued_at           INTEGER NOT NULL,
    secret_expires_at   INTEGER NOT NULL,
    redirect_uri        TEXT    NOT NULL,
    scopes              TEXT    NOT NULL,
    resource            TEXT    NOT NULL,
    token_type          TEXT    NOT NULL,
    registration_token  BLOB,
    registration_uri    TEXT    NOT NULL,
    state               TEXT    NOT NULL CHECK (state IN ('active', 'retired')),
    retired_at          INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    PRIMARY KEY (provider, client_id)
) STRICT;

CREATE UNIQUE INDEX oauth_clients_active ON oauth_clients (provider) WHERE state = 'active';

CREATE TABLE app_passwords (
    grant_key    TEXT    PRIMARY KEY NOT NULL,
    issuer       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    client_id    TEXT    NOT NULL,
    login_name   TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    password     BLOB,
    host         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    proven_at    INTEGER
) STRICT;

CREATE INDEX app_passwords_last_used ON app_passwords (last_used_at);

-- Tokens that are let in no more although their issuer still vouches for them.
CREATE TABLE ended_tokens (
    hash  BLOB    PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
    name       TEXT    PRIMARY KEY NOT NULL,
    owner      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE leases;
DROP TABLE ended_tokens;
DROP TABLE app_passwords;
DROP TABLE oauth_clients;
DROP TABLE key_check;
