"""Reading states through the unembedding, and tracing a logit to where it was added."""
