"""Has Go build what the cluster tests ask, where it is not yet: `python -m tests.cluster.binaries`."""

import subprocess
import sys

from tests.cluster.binaries.build import MissingError, binaries
from tests.cluster.binaries.controller import controller

try:
    binaries()
    controller()
except MissingError as error:
    sys.exit(f"error: {error}")
except subprocess.CalledProcessError as error:
    sys.exit(f"error: {' '.join(error.cmd[:2])} ended with {error.returncode}")
