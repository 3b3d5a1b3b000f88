"""Pure functions of samples, critics and optimisers that end in numbers, with their sources."""
