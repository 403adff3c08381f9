"""The report: from results and figures on disk to one page that a person likes to read."""
