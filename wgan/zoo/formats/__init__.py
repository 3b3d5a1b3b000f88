"""Files of weights that anybody may have made: told apart, checked, read without running them."""
