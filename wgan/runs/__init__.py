"""Runs: what is trained, its history, and the thread-safe face that people see."""
