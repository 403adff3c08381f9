"""The comparison: which way of reasoning buys how much accuracy at what cost?"""
