"""The work behind the commands: one package for each instrument, none of which knows another's."""
