"""Everything pure: the protocol, its log, its storage, its checker, and a world in virtual time.

Nothing here needs more than the standard library, so all of it runs in a
container, in a test and in a browser tab alike.
"""
