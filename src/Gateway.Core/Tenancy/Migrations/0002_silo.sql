-- The silo: who may enter a project, how people sign in, what is written down of what they did, and how a deleted
-- project's events are erased.

-- Ids of projects are drawn from here and never used again, also when an older copy of this database is put back: it is
-- raised to the greatest id that the events store knows, which is told of each.
ALTER TABLE installation ADD COLUMN last_project_id BIGINT NOT NULL DEFAULT 0;
UPDATE installation SET last_project_id = COALESCE((SELECT MAX(id) FROM projects), 0);

-- The one store that keeps this installation's events. Empty: it has met none. Null: it may have, before this was
-- written down.
ALTER TABLE installation ADD COLUMN events_store TEXT;

ALTER TABLE organizations ADD COLUMN plan TEXT NOT NULL DEFAULT 'unlimited' CHECK (plan IN ('free', 'unlimited'));
ALTER TABLE organizations ADD COLUMN deleted_at BIGINT;

-- E-mail addresses are kept in lower case. The current organization and project are a wish, not a right: access is
-- judged apart from them.
ALTER TABLE users ADD COLUMN last_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN password_hash TEXT;
ALTER TABLE users ADD COLUMN current_organization_id BIGINT;
ALTER TABLE users ADD COLUMN current_project_id BIGINT;
ALTER TABLE users ADD COLUMN last_login_at BIGINT;

ALTER TABLE memberships ADD COLUMN updated_at BIGINT;

-- What a member of the organization may do who is named in no row of project_access: 0 nothing, 1 member.
ALTER TABLE projects ADD COLUMN default_level INTEGER NOT NULL DEFAULT 1 CHECK (default_level IN (0, 1));
ALTER TABLE projects ADD COLUMN allowed_origins TEXT NOT NULL DEFAULT '';        -- separated by spaces; none: any
ALTER TABLE projects ADD COLUMN deletion_epoch BIGINT;                           -- the epoch at which it was deleted
ALTER TABLE projects ADD COLUMN erased_at BIGINT;                                -- no row of it was left in the store
ALTER TABLE projects ADD COLUMN erased_rows BIGINT NOT NULL DEFAULT 0;           -- dropped or deleted so far

CREATE INDEX deleted_projects ON projects (deletion_epoch) WHERE deleted_at IS NOT NULL;

CREATE TABLE project_access (
    project_id  BIGINT   NOT NULL REFERENCES projects (id),
    user_id     BIGINT   NOT NULL REFERENCES users (id),
    level       INTEGER  NOT NULL CHECK (level IN (0, 1, 8)),                    -- none, member, admin
    PRIMARY KEY (project_id, user_id)
);

CREATE INDEX project_access_of_user ON project_access (user_id);

-- A key with rows here opens these and nothing else, also when what they name is gone. Each row names one.
CREATE TABLE key_bindings (
    key_id           BIGINT  NOT NULL REFERENCES personal_api_keys (id),
    organization_id  BIGINT  REFERENCES organizations (id),
    project_id       BIGINT  REFERENCES projects (id),
    CHECK ((organization_id IS NULL) <> (project_id IS NULL))
);

CREATE INDEX bindings_of_key ON key_bindings (key_id);

CREATE TABLE invites (
    id               {identity},
    uuid             TEXT     NOT NULL UNIQUE,
    organization_id  BIGINT   NOT NULL REFERENCES organizations (id),
    email            TEXT     NOT NULL,
    level            INTEGER  NOT NULL CHECK (level IN (1, 8, 15)),
    sha256           TEXT     NOT NULL UNIQUE,                                   -- of the secret in the link
    created_by       BIGINT   NOT NULL REFERENCES users (id),
    key_id           BIGINT   REFERENCES personal_api_keys (id),                 -- the key it was made with, if one was
    created_at       BIGINT   NOT NULL,
    expires_at       BIGINT   NOT NULL
);

CREATE INDEX invites_of_user ON invites (created_by);
CREATE INDEX invites_of_organization ON invites (organization_id);

CREATE TABLE sessions (
    sha256      TEXT    PRIMARY KEY,                                             -- of the id in the cookie
    user_id     BIGINT  NOT NULL REFERENCES users (id),
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id);

-- ASP.NET's keys for cookies, so that sessions outlive a restart and hold on every gateway.
CREATE TABLE data_protection_keys (
    id             {identity},
    friendly_name  TEXT  NOT NULL,
    xml            TEXT  NOT NULL
);

-- Each row's hash covers the one before it; the head is kept apart, so that a cut-off end is seen too.
CREATE TABLE audit_log (
    organization_id  BIGINT  NOT NULL REFERENCES organizations (id),
    number           BIGINT  NOT NULL,                                           -- from 1 on, without a gap
    at               BIGINT  NOT NULL,
    actor            TEXT    NOT NULL,                                           -- the e-mail address at that time
    actor_via        TEXT    NOT NULL,                                           -- session, or a key's mask
    ip               TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    detail           TEXT    NOT NULL,                                           -- JSON; fingerprints, never tokens
    hash             TEXT    NOT NULL,
    PRIMARY KEY (organization_id, number)
);

CREATE TABLE audit_heads (
    organization_id  BIGINT  PRIMARY KEY REFERENCES organizations (id),
    count            BIGINT  NOT NULL,
    hash             TEXT    NOT NULL
);

-- A repeated request with the same Idempotency-Key is answered as the first one was.
CREATE TABLE idempotent_requests (
    user_id     BIGINT  NOT NULL REFERENCES users (id),
    project_id  BIGINT  NOT NULL REFERENCES projects (id),
    key_sha256  TEXT    NOT NULL,
    token_id    BIGINT  NOT NULL REFERENCES project_tokens (id),
    created_at  BIGINT  NOT NULL,
    PRIMARY KEY (user_id, project_id, key_sha256)
);

-- One row for each journal: up to which deletion it is known to hold nothing of a deleted project.
CREATE TABLE gateways (
    id           TEXT    PRIMARY KEY,
    host         TEXT    NOT NULL,
    started_at   BIGINT  NOT NULL,
    seen_at      BIGINT  NOT NULL,
    clean_epoch  BIGINT  NOT NULL
);
