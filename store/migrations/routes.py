"""Routes: how a version came to execute, and for which other request."""

# How a version came to execute, and for which other request. What is executed on behalf of another
# one is no request: it stands in usage_minute with requests 0 and only item_us and compute_us of
# its own, and not at all in latency_minute.
ROUTES = """
ALTER TABLE usage_record_hot ADD COLUMN route VARCHAR DEFAULT 'direct';
ALTER TABLE usage_record_hot ALTER COLUMN route SET NOT NULL;
ALTER TABLE usage_record_hot ADD COLUMN parent_id UUID;
CREATE OR REPLACE VIEW usage_record AS FROM usage_record_hot;
ALTER TABLE dimension_set ADD COLUMN route VARCHAR DEFAULT 'direct';
ALTER TABLE dimension_set ALTER COLUMN route SET NOT NULL;
"""
