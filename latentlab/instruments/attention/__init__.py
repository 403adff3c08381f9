"""What the attention instrument does with one model: which rows, in which mode, and in words."""
