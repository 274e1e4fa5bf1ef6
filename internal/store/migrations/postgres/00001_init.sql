-- Times are Unix milliseconds; 0 means never or not known.

-- +goose Up
CREATE TABLE key_check (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    value      BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE oauth_clients (
    provider            TEXT   NOT NULL,
    client_id           TEXT   NOT NULL,
    secret              BYTEA,
    issued_at           BIGINT NOT NULL,
    secret_expires_at   BIGINT NOT NULL,
    redirect_uri        TEXT   NOT NULL,
    scopes              TEXT   NOT NULL,
    resource            TEXT   NOT NULL,
    token_type          TEXT   NOT NULL,
    registration_token  BYTEA,
    registration_uri    TEXT   NOT NULL,
    state               TEXT   NOT NULL CHECK (state IN ('active', 'retired')),
    retired_at          BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    PRIMARY KEY (provider, client_id)
);

CREATE UNIQUE INDEX oauth_clients_active ON oauth_clients (provider) WHERE state = 'active';

CREATE TABLE app_passwords (
    grant_key    TEXT   PRIMARY KEY,
    issuer       TEXT   NOT NULL,
    subject      TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    login_name   TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    password     BYTEA,
    host         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    proven_at    BIGINT
);

CREATE INDEX app_passwords_last_used ON app_passwords (last_used_at);

-- Tokens that are let in no more although their issuer still vouches for them.
CREATE TABLE ended_tokens (
    hash  BYTEA  PRIMARY KEY,
    until BIGINT NOT NULL
);

CREATE TABLE leases (
    name       TEXT   PRIMARY KEY,
    owner      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE leases;
DROP TABLE ended_tokens;
DROP TABLE app_passwords;
DROP TABLE oauth_clients;
DROP TABLE key_check;
