"""A run to take along: its settings, a script of its own, its curves, and a film of its samples."""
