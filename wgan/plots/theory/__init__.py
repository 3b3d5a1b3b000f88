"""The figures of the blackboard, from what `wgan.theory` computes."""
