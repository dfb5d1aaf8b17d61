"""The check-up of an installation: which checks there are, and what is to be said of what was seen.

Nothing here asks anybody anything: adapters bring the facts, a check judges them. Each finding says
where, what, how bad, and the remedy.
"""
