"""The page Critic: sections that look inside the critic of the run in progress."""
