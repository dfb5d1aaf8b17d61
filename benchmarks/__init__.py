"""How fast the product is, how much memory it takes, and where its time goes.

Run as ``python -m benchmarks [name ...]`` from the root of the project; README.md says more.
"""
