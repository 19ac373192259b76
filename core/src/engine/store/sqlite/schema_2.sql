-- The children of a parent, by its instance ID. Only children have an entry, so that an ordinary start pays for no page more.
CREATE INDEX instances_parent ON instances (parent_id, name, status, created_at) WHERE parent_id IS NOT NULL;
