import subprocess
import sys

from tests.sandbox.driver import ROOT

VECTOR = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "apps.sandbox.settings"
os.environ["SANDBOX_DATABASE"] = "{database}"
import django
django.setup()
from apps.sandbox.pio.sending import signature
print(signature(
    "pio-test-secret", event_type="inventory_levels.update", delivery_id="3f1c2a", timestamp="1700000000",
    shop_id="7", ext_shop_id="42", body=b'{{"sku":"HAT-1","in_stock":5,"reserved":2,"available":3}}',
))
"""


def test_the_signature_is_that_of_the_test_vector(tmp_path):
    """contracts 1.8. The sandbox has settings of its own, hence a process of its own."""
    program = VECTOR.format(database=tmp_path / "sandbox.sqlite3")
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert printed == "lLwge9h+eAvkvyrGJRFsUPJD6ua3rY+dZL6BIc9uYS0=\n"
