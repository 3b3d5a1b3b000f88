"""What runs for every visitor: the navigation, and the page that was asked for."""

from wgan.ui.shell import navigation

navigation().run()
