"""`python -m shop`."""

import os
import sys

from shop.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
