-- What was told, kept: a stream that is gone can be told again; svc_kit::outbox::archive::ARCHIVE_MIGRATION_SQL.
CREATE TABLE outbox_archive (
    event_id     text PRIMARY KEY,
    seq          bigint NOT NULL,
    subject      text NOT NULL,
    ce_type      text NOT NULL,
    ce_source    text NOT NULL,
    ce_subject   text NOT NULL,
    ce_time      text NOT NULL,
    traceparent  text,
    payload      bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_archive_by_age ON outbox_archive (created_at, seq);
