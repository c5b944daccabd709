"""Sphinx extension: removes the one foreign address the theme would still write into every page.

`sphinx_thebe` puts its script's address into an inline script even when live code is off.
Nothing here uses it.
"""


def setup(app):
    def drop_thebe(app):
        for listeners in app.events.listeners.values():
            listeners[:] = [x for x in listeners if not x.handler.__module__.startswith("sphinx_thebe")]

    app.connect("builder-inited", drop_thebe, priority=0)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
