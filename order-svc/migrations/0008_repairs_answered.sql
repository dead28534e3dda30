-- Repairs that were answered long ago are forgotten, the oldest first.
CREATE INDEX repairs_answered ON repairs (answer_time) WHERE state = 'DONE';
