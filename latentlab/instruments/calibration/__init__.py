"""Reading every instrument on models whose truth is known, and saying which are to be trusted."""
