"""How we ask: studies, data, dispatch, tracking and reports."""
