"""What pages show of runs while they go on: parts made of HTML, figures and pixels.

Each part is a pure function of what a run has published last. `wgan.server.stream` encodes and
pushes what they return; the browser's half is in `wgan/ui/assets`.
"""
