"""Sphinx extension: what pages need beyond the theme to be read by keyboard, by ear, in the dark, on paper.

MathJax puts MathML beside every picture of a formula; screen readers read that. Its context menu is off: it
would make each formula a stop of the Tab key, and it offers parts of MathJax that the site does not carry.
"""


def setup(app):
    def quiet_formulas(app, config):
        config.mathjax3_config = {**(config.mathjax3_config or {})}
        config.mathjax3_config["options"] = {**config.mathjax3_config.get("options", {}), "enableMenu": False}

    app.connect("config-inited", quiet_formulas)
    app.add_css_file("access.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
