"""A page on this machine to watch runs, to look back, and to see the instance: a door. `serve_web.main` opens it.

Needs the packages of the extra `web`, which nothing else imports.
"""
