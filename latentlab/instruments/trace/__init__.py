"""What is recorded of single answers, for the trace viewer of the report."""
