"""What a server does with its runs: the live stream to every page, and the routes that carry it."""
