"""The page: its components, state, handlers and words."""
