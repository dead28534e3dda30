-- Until when an event belongs to the process that wrote it, which publishes it from its memory; null: it is anybody's at once. See
-- svc_kit::outbox::MIGRATION_SQL. A process of the release before knows nothing of it and may publish such an event a second time,
-- under the same id.
ALTER TABLE outbox ADD COLUMN held_until timestamptz;
