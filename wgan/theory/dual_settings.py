"""How the critic of `dual` is constrained and for how long it trains; without torch."""

STEPS, BETWEEN = 1500, 25  # critic steps, and between two pictures of it
CLIPS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
PENALTIES = (10.0, 1.0, 0.1, 100.0)
# The grid over ±REACH on which the critic is drawn: nodes on a line, and a side on the plane.
LINE, SIDE, REACH = 121, 33, 1.2
