-- What a project may send a second at each gateway; 0: as much as it likes.
ALTER TABLE projects ADD COLUMN events_per_second BIGINT NOT NULL DEFAULT 0 CHECK (events_per_second >= 0);
ALTER TABLE projects ADD COLUMN bytes_per_second BIGINT NOT NULL DEFAULT 0 CHECK (bytes_per_second >= 0);
