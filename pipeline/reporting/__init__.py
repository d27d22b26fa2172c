"""What a report shows: findings, tables and figures of one study."""
