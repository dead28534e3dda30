-- Events that are committed and not yet published; svc_kit::outbox::MIGRATION_SQL.
CREATE TABLE outbox (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text NOT NULL UNIQUE,
    subject     text NOT NULL,
    ce_type     text NOT NULL,
    ce_source   text NOT NULL,
    ce_subject  text NOT NULL,
    ce_time     text NOT NULL,
    traceparent text,
    payload     bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Facts that each durable has applied; svc_kit::inbox::MIGRATION_SQL.
CREATE TABLE applied_events (
    durable    text NOT NULL,
    event_id   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (durable, event_id)
);
CREATE INDEX applied_events_by_age ON applied_events (applied_at);
