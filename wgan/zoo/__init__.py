"""Trained generators: on disk, on the Hub, and from other people's files."""
