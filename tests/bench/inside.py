"""`python -m tests.bench.inside MODULE ARGUMENT…`: run a module that needs Django to be set up before it is read."""

import runpy
import sys

import django

if __name__ == "__main__":
    django.setup()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
