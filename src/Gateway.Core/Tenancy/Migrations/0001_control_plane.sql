-- The control plane: who owns what, who may enter, which token stands for which project.
--
-- The same script runs on SQLite and PostgreSQL; {identity} is the one thing that differs. Ids are never used a
-- second time. Times are microseconds since 1970-01-01 UTC, flags are 0 or 1, secrets and hashes are hexadecimal.

CREATE TABLE installation (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    id          TEXT    NOT NULL,
    secret      TEXT    NOT NULL,               -- keys the MAC of every token that we make
    authority   TEXT    NOT NULL,               -- who is asked by the fence: process, database or redis
    created_at  BIGINT  NOT NULL
);

-- Raised by every change that gives or takes access or alters what capture does, as the last thing its transaction
-- does: the order of commits is the order of epochs.
CREATE TABLE epoch (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    value  BIGINT  NOT NULL
);

INSERT INTO epoch (one, value) VALUES (1, 0);

-- What changed at each epoch; the tail of it is kept. A change that touches a token names it, also when what changed
-- is its project's settings.
CREATE TABLE change_log (
    epoch      BIGINT   NOT NULL,
    position   INTEGER  NOT NULL,               -- within the epoch, from 0
    what       TEXT     NOT NULL,
    what_id    BIGINT   NOT NULL,
    token_id   BIGINT,
    PRIMARY KEY (epoch, position)
);

CREATE TABLE organizations (
    id          {identity},
    uuid        TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE TABLE users (
    id          {identity},
    uuid        TEXT    NOT NULL UNIQUE,
    email       TEXT    NOT NULL UNIQUE,
    first_name  TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE TABLE memberships (
    organization_id  BIGINT   NOT NULL REFERENCES organizations (id),
    user_id          BIGINT   NOT NULL REFERENCES users (id),
    level            INTEGER  NOT NULL CHECK (level IN (1, 8, 15)),   -- member, admin, owner
    joined_at        BIGINT   NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

CREATE INDEX memberships_of_user ON memberships (user_id);

CREATE TABLE projects (
    id               {identity},
    uuid             TEXT     NOT NULL UNIQUE,
    organization_id  BIGINT   NOT NULL REFERENCES organizations (id),
    name             TEXT     NOT NULL,
    time_zone        TEXT     NOT NULL DEFAULT 'UTC',
    anonymize_ips    INTEGER  NOT NULL DEFAULT 0 CHECK (anonymize_ips IN (0, 1)),
    created_at       BIGINT   NOT NULL,
    deleted_at       BIGINT
);

CREATE INDEX projects_of_organization ON projects (organization_id);

-- Rows stay for ever: a token that was ever used is never accepted for another project.
CREATE TABLE project_tokens (
    id          {identity},
    project_id  BIGINT   NOT NULL REFERENCES projects (id),
    token       TEXT     NOT NULL UNIQUE,
    imported    INTEGER  NOT NULL CHECK (imported IN (0, 1)),         -- given by the user: it has no MAC of ours
    created_at  BIGINT   NOT NULL,
    revoked_at  BIGINT
);

CREATE UNIQUE INDEX one_live_token ON project_tokens (project_id) WHERE revoked_at IS NULL;
CREATE INDEX live_imported_tokens ON project_tokens (id) WHERE imported = 1 AND revoked_at IS NULL;

CREATE TABLE personal_api_keys (
    id            {identity},
    user_id       BIGINT  NOT NULL REFERENCES users (id),
    sha256        TEXT    NOT NULL UNIQUE,
    mask          TEXT    NOT NULL,
    label         TEXT    NOT NULL,
    scopes        TEXT    NOT NULL,              -- separated by spaces
    created_at    BIGINT  NOT NULL,
    last_used_at  BIGINT,
    revoked_at    BIGINT
);

CREATE INDEX keys_of_user ON personal_api_keys (user_id);
