"""What is measured of a generator's gradient, see `reach`; without torch, for the pages."""

STEPS, BETWEEN = 400, 10  # discriminator steps, and between two measurements
LOSSES = {"gan_saturating": "saturating, log(1 − D)", "gan": "non-saturating, −log D"}
