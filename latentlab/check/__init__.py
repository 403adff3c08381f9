"""Does the engine compute with a model what the model itself computes?"""
