"""What is alive in the server: runs, their past, and the threads that advance them."""
