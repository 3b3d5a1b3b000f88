"""What the blackboard computes: distances, transport, games and their equilibria; no screen."""
