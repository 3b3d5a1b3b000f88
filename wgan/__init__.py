"""WGAN Lab: Wasserstein GANs that can be watched and changed while they train."""
