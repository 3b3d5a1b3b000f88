"""What a server does with its runs: who trains when, who stays in memory, what visitors may take.

And the live stream to every page, with the routes that carry it.
"""
