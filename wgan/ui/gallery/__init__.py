"""The gallery page's parts: where a generator comes from, and ways to look at it."""
