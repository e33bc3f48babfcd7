"""Catalog and learner state into what next, and why.

`catalog` holds what can be learnt, `learners` the states that learner_profile publishes, `recommendations` ranks the
one for the other. Activities are held in memory for each tenant and read again when the tenant's version has risen.
"""
