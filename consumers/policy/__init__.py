"""Who is archived, where to, and by which rule: the organisation's policies over time, and one decision."""
