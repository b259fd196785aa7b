-- A random number is drawn with each change, kept with the epoch and in the log: what was read at an epoch is known to
-- be of this database's own past, and not of one that was lost when an older copy of it was put back.
ALTER TABLE epoch ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE change_log ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;

-- A regeneration that is recorded but was never answered with success: who asks again is given the same one. Its row
-- goes before success is told.
CREATE TABLE unanswered_resets (
    user_id     BIGINT  NOT NULL REFERENCES users (id),
    project_id  BIGINT  NOT NULL REFERENCES projects (id),
    token_id    BIGINT  NOT NULL REFERENCES project_tokens (id),
    told_at     BIGINT,                                        -- when it was last answered that it is not in force yet
    PRIMARY KEY (user_id, project_id)
);

-- Which Redis a gateway reached, by that server's run, and when: all of an installation must reach the same.
ALTER TABLE gateways ADD COLUMN redis_run TEXT;
ALTER TABLE gateways ADD COLUMN redis_at BIGINT;
