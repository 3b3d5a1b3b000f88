"""The mode-coverage protocol of the VEEGAN and PacGAN papers, run for this project's methods."""
