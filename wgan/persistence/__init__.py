"""Runs on disk: autosaves that a server finds again, and the folders that a command writes."""
