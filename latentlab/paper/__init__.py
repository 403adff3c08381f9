"""From results on disk to tables and figures that are fit to print."""
